// Tabs whose session is in HttpOnly cookies: script shares no secret, only a marker in localStorage.
// Promise: the tabs refresh one after the other, and learn from the marker what another of them has done.
import { expect, it } from 'vitest'
import { endsOf, inEachBrowser, POLL } from './stage.js'

inEachBrowser('cookie sessions', (setStage) => {
  it('tabs with the same refresh cookie send one refresh per expiry', async (context) => {
    const { server, tabs, expire, states, allAre } = await setStage(context, {
      tabs: 4,
      visible: true,
      start: { cookies: true },
    })
    await tabs[0]?.logIn('ada')
    await allAre('signed-in')
    for (let expiry = 0; expiry < 5; expiry++) {
      expire()
      for (const { users, unanswered } of await Promise.all(tabs.map((tab) => tab.fire(50)))) {
        expect({ users, unanswered }).toEqual({ users: Array(50).fill('ada'), unanswered: 0 })
      }
    }
    expect(server.counts).toMatchObject({ refreshes: 5, granted: 5, reuses: 0 })
    // A tab that is notified of the rotation sends its requests again; none refreshes for what is there already.
    const adopted = (await states()).map((state) => state.adopted)
    expect(adopted.reduce((sum, count) => sum + count, 0)).toBe(5 * 3)
  })

  it('a cookie session stores nothing secret where scripts can read it', async (context) => {
    const { server, tabs, expire } = await setStage(context, { tabs: 1, start: { cookies: true } })
    const [tab] = tabs
    await tab?.logIn('ada')
    expire()
    expect(await tab?.fire(5)).toMatchObject({ answered: 5 })
    const readable = await tab?.page.evaluate('JSON.stringify(localStorage) + document.cookie')
    expect(readable).toContain('app')
    for (const token of server.issuedTokens()) expect(readable).not.toContain(token)
  })

  it('a sign-out in one tab ends a cookie session that others refresh', async (context) => {
    const { server, tabs, expire, states, allAre } = await setStage(context, {
      tabs: 4,
      start: { cookies: true },
    })
    await tabs[0]?.logIn('ada')
    await allAre('signed-in')
    expire()
    // Spent at the server, and its answer, with new cookies, is still to come.
    const refresh = server.holdRefresh({ at: 'answer' })
    const answers = tabs.slice(0, 3).map((tab) => tab.fire(10))
    await refresh.waiting(1)
    await server.until(() => server.counts.answered401 === 30, 'all three tabs were refused')

    await tabs[3]?.logOut()
    await allAre('signed-out')
    for (const { users, codes } of await Promise.all(answers)) {
      expect({ users, codes }).toEqual({ users: [], codes: Array(10).fill('SIGNED_OUT') })
    }
    refresh.releaseAll()
    await server.idle()
    const elsewhere = ['signed-out-elsewhere']
    expect(await endsOf(states())).toEqual([elsewhere, elsewhere, elsewhere, ['signed-out']])
    expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
    // Nor does the late answer make anybody signed in, in a tab that was not there.
    for (const tab of tabs.slice(0, 2)) await tab.restart()
    await allAre('signed-out')
    expect((await tabs[0]?.fire(1))?.codes).toEqual(['401'])
  })

  it('after a sign-in in one tab, no request is answered with the previous user’s cookies', async (context) => {
    const { server, tabs, expire, states, allAre } = await setStage(context, {
      tabs: 3,
      start: { cookies: true },
    })
    await tabs[0]?.logIn('ada')
    await allAre('signed-in')
    expire()
    const refresh = server.holdRefresh()
    const answers = tabs.map((tab) => tab.fire(10))
    await refresh.waiting(1)
    await server.until(() => server.counts.answered401 === 30, 'all three tabs were refused')

    await tabs[1]?.logIn('grace')
    const elsewhere = ['replaced-elsewhere']
    await expect.poll(() => endsOf(states()), POLL).toEqual([elsewhere, ['replaced'], elsewhere])
    for (const { users, codes } of await Promise.all(answers)) {
      expect({ users, codes }).toEqual({ users: [], codes: Array(10).fill('SESSION_CHANGED') })
    }
    refresh.releaseAll()
    await server.idle()
    for (const tab of tabs) expect((await tab.fire(1)).users).toEqual(['grace'])
  })

  it('a reloaded tab resumes a cookie session from its marker', async (context) => {
    const { server, tabs } = await setStage(context, { tabs: 1, start: { cookies: true } })
    const [tab] = tabs
    await tab?.logIn('ada')
    await tab?.restart()
    expect(await tab?.state()).toMatchObject({ status: 'signed-in' })
    expect(await tab?.fire(5)).toMatchObject({ users: Array(5).fill('ada') })
    expect(server.counts).toMatchObject({ refreshes: 0, answered401: 0 })
  })
})
