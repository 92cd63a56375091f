// Pages that lack something: Web Locks, BroadcastChannel, localStorage, or all of them.
// Promise: one tab goes on in every one of these places and says what failed; several do as far as they can know of
// each other.
import { expect, it } from 'vitest'
import { endsOf, inEachBrowser, type StageOptions, tokensOf } from './stage.js'

interface Place extends Partial<StageOptions> {
  lacking: string
  /** The operations at which the store says that it failed. */
  fails?: string[]
  /** Whether the page has Web Locks. Default true. */
  locks?: boolean
}

const ALL = ['clear', 'load', 'save']

const PLACES: Place[] = [
  { lacking: 'a secure origin', place: 'insecure', locks: false },
  { lacking: 'Web Locks', without: ['locks'], locks: false },
  { lacking: 'BroadcastChannel', without: ['channels'] },
  { lacking: 'localStorage, which is blocked', without: ['storage'], fails: ALL },
  { lacking: 'localStorage, which is not there', without: ['storage-object'], fails: ALL },
  { lacking: 'room in localStorage', without: ['storage-room'], fails: ['save'] },
  { lacking: 'all three of them', without: ['locks', 'channels', 'storage'], fails: ALL, locks: false },
  { lacking: 'an origin of its own, where all of them refuse', place: 'opaque', fails: ALL },
]

inEachBrowser('pages that lack something', (setStage) => {
  for (const { lacking, fails = [], locks = true, ...place } of PLACES) {
    it(`one tab works without ${lacking}`, async (context) => {
      const { server, tabs, signIn, expire } = await setStage(context, { tabs: 1, ...place })
      const [tab] = tabs
      await signIn('ada')
      expect(await tab?.state()).toMatchObject({ locks })

      for (let expiry = 0; expiry < 2; expiry++) {
        expire()
        expect(await tab?.fire(20)).toMatchObject({ users: Array(20).fill('ada'), unanswered: 0 })
      }
      await tab?.signOut()

      expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
      expect(await tab?.state()).toMatchObject({
        status: 'signed-out',
        ends: ['signed-out'],
        storeErrors: fails,
      })
    })
  }

  it('tabs without BroadcastChannel share a refresh and a sign-out', async (context) => {
    const { server, tabs, signIn, expire, states, allAre } = await setStage(context, {
      tabs: 3,
      without: ['channels'],
    })
    await signIn('ada')
    expire()
    for (const { answered } of await Promise.all(tabs.map((tab) => tab.fire(20)))) expect(answered).toBe(20)
    expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
    await tabs[1]?.signOut()
    await allAre('signed-out')
    const elsewhere = ['signed-out-elsewhere']
    expect(await endsOf(states())).toEqual([elsewhere, ['signed-out'], elsewhere])
  })

  it('a tab without localStorage has a session of its own', async (context) => {
    const { server, tabs, expire, states } = await setStage(context, { tabs: 2, without: ['storage'] })
    const [first, second] = tabs
    await first?.signIn(tokensOf(server, 'ada'))
    await second?.signIn(tokensOf(server, 'grace'))
    expire()
    const answers = await Promise.all(tabs.map((tab) => tab.fire(20)))
    expect(answers.map(({ users }) => users)).toEqual([Array(20).fill('ada'), Array(20).fill('grace')])
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
    await first?.signOut()
    expect(await second?.fire(1)).toMatchObject({ users: ['grace'] })
    expect(await endsOf(states())).toEqual([['signed-out'], []])
  })

  it('a tab on an insecure origin is signed out by another tab', async (context) => {
    const { server, tabs, signIn, expire, states, allAre } = await setStage(context, {
      tabs: 3,
      place: 'insecure',
    })
    await signIn()
    expect((await states()).map(({ locks }) => locks)).toEqual([false, false, false])
    expire()
    const refresh = server.holdRefresh()
    const answers = tabs.slice(0, 2).map((tab) => tab.fire(10))
    await refresh.waiting(1)

    await tabs[2]?.signOut()
    await allAre('signed-out')
    refresh.releaseAll()
    for (const { users, codes } of await Promise.all(answers)) {
      expect({ users, codes }).toEqual({ users: [], codes: Array(10).fill('SIGNED_OUT') })
    }
    const elsewhere = ['signed-out-elsewhere']
    expect(await endsOf(states())).toEqual([elsewhere, elsewhere, ['signed-out']])
  })

  it('a tab on an insecure origin reads the store before it refreshes', async (context) => {
    const { server, tabs, openTab, signIn, expire, states } = await setStage(context, {
      tabs: 1,
      place: 'insecure',
      without: ['hints'],
    })
    await signIn('ada')
    await openTab()
    await openTab()
    for (let expiry = 1; expiry <= 2; expiry++) {
      expire()
      for (const tab of tabs) expect((await tab.fire(10)).users).toEqual(Array(10).fill('ada'))
      expect(server.counts).toMatchObject({ refreshes: expiry, reuses: 0 })
      expect((await states()).map(({ adopted }) => adopted)).toEqual([0, expiry, expiry])
    }
  })

  it('tabs on an insecure origin may refresh at the same time, and every request is answered', async (context) => {
    // As real servers do where two tabs cannot know of each other in time: the predecessor is good for a moment more.
    const { server, tabs, signIn, expire } = await setStage(context, {
      tabs: 3,
      place: 'insecure',
      server: { graceMs: 10_000 },
    })
    await signIn('ada')
    for (let expiry = 0; expiry < 3; expiry++) {
      expire()
      for (const { users, unanswered } of await Promise.all(tabs.map((tab) => tab.fire(20)))) {
        expect({ users, unanswered }).toEqual({ users: Array(20).fill('ada'), unanswered: 0 })
      }
    }
    expect(server.counts.reuses).toBe(0)
    expect(server.counts.refreshes).toBeLessThanOrEqual(3 * 3)
  })

  it('a tab on an insecure origin keeps its session when its refresh is refused because another was faster', async (context) => {
    const { server, tabs, openTab, signIn, expire, states } = await setStage(context, {
      tabs: 1,
      place: 'insecure',
      without: ['hints'],
    })
    await signIn('ada')
    await openTab()
    expire()
    const refresh = server.holdRefresh()
    const answers = tabs.map((tab) => tab.fire(10))
    await refresh.waiting(2)
    server.refresh.next('honest', 401)
    refresh.release()
    await server.until(() => server.counts.protectedOk === 10, 'the faster tab has its answers')
    refresh.release()

    for (const { users } of await Promise.all(answers)) expect(users).toEqual(Array(10).fill('ada'))
    expect(await endsOf(states())).toEqual([[], []])
    expect((await states()).map(({ adopted }) => adopted).sort()).toEqual([0, 1])
  })
})
