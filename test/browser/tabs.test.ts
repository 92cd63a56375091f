// Several tabs in real browsers, against a real server that revokes on reuse. What no fake can show: the
// order in which locks and storage reach another process.
// Promise: counted at the server, and every request of every tab is accounted for.
import { expect, it } from 'vitest'
import { endsOf, inEachBrowser, POLL, tokensOf } from './stage.js'

inEachBrowser('several tabs', (setStage) => {
  it('six tabs send one refresh per expiry, and every request is answered', async (context) => {
    const { server, tabs, signIn, expire, states } = await setStage(context, {
      tabs: 6,
      visible: true,
      server: { keepLog: false },
    })
    await signIn('ada')

    for (let expiry = 0; expiry < 20; expiry++) {
      expire()
      for (const answers of await Promise.all(tabs.map((tab) => tab.fire(100)))) {
        expect(answers).toEqual({ answered: 100, users: Array(100).fill('ada'), codes: [], unanswered: 0 })
      }
    }

    const { refreshes, reuses } = server.counts
    expect({ refreshes, reuses }).toEqual({ refreshes: 20, reuses: 0 })
    // Each of the other tabs took the new tokens over, each time.
    const adopted = (await states()).map((state) => state.adopted)
    expect(adopted.reduce((sum, count) => sum + count, 0)).toBe(20 * 5)
  }, 120_000)

  it('hidden tabs with throttled timers send one refresh per expiry too', async (context) => {
    const { server, tabs, signIn, expire } = await setStage(context, { tabs: 3 })
    const seen = await Promise.all(tabs.map(({ page }) => page.evaluate('document.visibilityState')))
    expect(seen.sort()).toEqual(['hidden', 'hidden', 'visible'])
    await signIn()
    for (let expiry = 0; expiry < 2; expiry++) {
      expire()
      for (const { answered } of await Promise.all(tabs.map((tab) => tab.fire(20)))) expect(answered).toBe(20)
    }
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
  })

  it('a sign-out in one tab rejects the waiting requests of three others, which stay signed out', async (context) => {
    const { server, tabs, signIn, expire, allAre, states } = await setStage(context, { tabs: 4 })
    await signIn()
    expire()
    const refresh = server.holdRefresh()
    const answers = tabs.slice(0, 3).map((tab) => tab.fire(20))
    await refresh.waiting(1)

    await tabs[3]?.signOut()
    await allAre('signed-out')
    refresh.releaseAll()

    for (const { users, codes } of await Promise.all(answers)) {
      expect({ users, codes }).toEqual({ users: [], codes: Array(20).fill('SIGNED_OUT') })
    }
    await server.idle()
    expect(await endsOf(states())).toEqual([
      ['signed-out-elsewhere'],
      ['signed-out-elsewhere'],
      ['signed-out-elsewhere'],
      ['signed-out'],
    ])
    expect((await states()).map(({ status }) => status)).toEqual(Array(4).fill('signed-out'))
    expect(await tabs[0]?.page.evaluate('JSON.stringify(localStorage)')).not.toContain('refresh')
  })

  it('after another user signs in in one tab, no request of the first user is answered as the second', async (context) => {
    const { server, tabs, signIn, expire, states } = await setStage(context, { tabs: 4 })
    await signIn('ada')
    expire()
    const refresh = server.holdRefresh()
    const answers = tabs.map((tab) => tab.fire(20))
    await refresh.waiting(1)

    await tabs[1]?.signIn(tokensOf(server, 'grace'))
    const elsewhere = ['replaced-elsewhere']
    await expect.poll(() => endsOf(states()), POLL).toEqual([elsewhere, ['replaced'], elsewhere, elsewhere])
    refresh.releaseAll()

    for (const { users, codes } of await Promise.all(answers)) {
      expect({ users, codes }).toEqual({ users: [], codes: Array(20).fill('SESSION_CHANGED') })
    }
    for (const tab of tabs) expect((await tab.fire(1)).users).toEqual(['grace'])
  })

  it('a refresh that is refused in one tab ends the session once in every tab', async (context) => {
    const { server, tabs, signIn, allAre, states } = await setStage(context, { tabs: 4 })
    await signIn()
    server.revoke()
    const answers = await Promise.all(tabs.map((tab) => tab.fire(20)))
    await allAre('signed-out')

    for (const { answered, codes } of answers) {
      expect(answered).toBe(0)
      expect(codes).toEqual(Array(20).fill('SESSION_EXPIRED'))
    }
    expect(await endsOf(states())).toEqual(Array(4).fill(['refused']))
    expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
    // The ended session is asked for no more: what is made now is nobody's.
    for (const tab of tabs) expect((await tab.fire(1)).codes).toEqual(['401'])
    expect(server.counts.refreshes).toBe(1)
  })

  it('a reloaded tab resumes the session with the newest tokens and without a refresh', async (context) => {
    const { server, tabs, signIn, expire } = await setStage(context, { tabs: 2 })
    const [first, second] = tabs
    await signIn()
    await second?.restart()
    expect(await second?.state()).toMatchObject({ status: 'signed-in', ends: [] })
    expect(await second?.fire(10)).toMatchObject({ answered: 10 })
    expect(server.counts).toMatchObject({ refreshes: 0, answered401: 0 })

    expire()
    await first?.fire(1)
    await second?.restart()
    server.forget()
    expect(await second?.fire(10)).toMatchObject({ answered: 10 })
    expect(server.counts).toMatchObject({ refreshes: 0, answered401: 0 })
  })

  it('when a tab is closed during its refresh, the next one refreshes', async (context) => {
    const { server, tabs, signIn, expire } = await setStage(context, { tabs: 2 })
    const [first, second] = tabs
    await signIn()
    expire()
    const refresh = server.holdRefresh({ first: 1 })
    const lost = first?.fire(10).catch(() => 'closed')
    await refresh.waiting(1)
    const answers = second?.fire(10)
    await first?.close()
    await refresh.deserted(1)
    expect(await answers).toMatchObject({ answered: 10 })
    expect(await lost).toBe('closed')
    expect(server.counts).toMatchObject({ refreshes: 2, granted: 1, reuses: 0 })
  })

  it.for(['session', 'memory'] as const)(
    'a tab with %s storage has a session of its own',
    async (store, context) => {
      const { server, tabs, expire, states } = await setStage(context, { tabs: 2, start: { store } })
      const [first, second] = tabs
      await first?.signIn(tokensOf(server, 'ada'))
      await second?.signIn(tokensOf(server, 'grace'))
      for (let expiry = 0; expiry < 2; expiry++) {
        expire()
        const [ofFirst, ofSecond] = await Promise.all([first?.fire(20), second?.fire(20)])
        expect(ofFirst?.users).toEqual(Array(20).fill('ada'))
        expect(ofSecond?.users).toEqual(Array(20).fill('grace'))
      }
      expect(server.counts).toMatchObject({ refreshes: 4, reuses: 0 })

      await first?.signOut()
      expect(await second?.fire(5)).toMatchObject({ users: Array(5).fill('grace') })
      expect(await endsOf(states())).toEqual([['signed-out'], []])
      await second?.restart()
      expect((await second?.state())?.status).toBe(store === 'session' ? 'signed-in' : 'signed-out')
    },
  )
})
