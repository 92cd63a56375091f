// How tabs of one process take turns: what needs no browser, because locks, store and time are moved by hand. The
// browser's own order of locks and storage is in test/browser.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type AuthClient, authErrorOf, webLock } from '../../src/index.js'
import { announceCommits } from '../../src/stores/announced-commits.js'
import { createFakeTabs } from '../../src/testing/fake-tabs.js'
import {
  failureOf,
  landed,
  outcomesOf,
  tokensOf,
  untilSnapshot,
  type WatchedClock,
} from '../support/client.js'
import { createHandRefresh, type HandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import { createHandStore, type HandStore, type OpenStore, rotatedElsewhere } from '../support/stores.js'
import { heldLocks, setUpTabs } from '../support/tabs.js'

beforeEach(() => void vi.stubGlobal('navigator', { locks: createFakeTabs().locks }))

/** The store as a tab in another process sees it: what others write arrives there when the test says so. */
function seenFromAfar(store: OpenStore) {
  let seen = store.kept
  const take = () => {
    seen = store.kept
  }
  const view = announceCommits('app', {
    load: () => seen,
    save(record) {
      void store.save(record)
      take()
    },
    clear(reason) {
      void store.clear(reason)
      take()
    },
    subscribe: store.subscribe,
  })
  const arrive = () => {
    take()
    store.hint()
  }
  return { view, arrive }
}

/** One refresh of a tab, from its turn to the moment that its lock is free again. */
async function turnOf({ auth }: { auth: AuthClient }, clock: WatchedClock): Promise<void> {
  await untilSnapshot(auth, ({ refreshing }) => refreshing)
  await clock.advance(1)
  await landed(auth)
  await microtasksDone()
}

describe('several tabs', () => {
  it('G1: a waiting tab does not race one that has just got its turn, though the previous one used up the time', async () => {
    const { server, store, clock, openTab } = await setUpTabs()
    const hands = [1, 2, 3].map(() => createHandRefresh())
    const tabs = hands.map((hand) => openTab(hand.refresh))
    await tabs[0]?.auth.signIn(tokensOf(server.login()))
    store.hint()
    const outcomes = tabs.map(({ auth }) => failureOf(auth.refresh()))
    const [first, second, third] = hands as [HandRefresh, HandRefresh, HandRefresh]
    await first.call(1)
    // The first is over after 15 s, and the second has its turn; the third has waited for 17 s, but for two holders.
    await clock.advance(16_000)
    await second.call(1)
    await clock.advance(2_500)
    expect(third.calls).toEqual([])
    await clock.advance(14_000)
    await third.call(1)
    await clock.advance(15_200)
    for (const error of await Promise.all(outcomes)) expect(authErrorOf(error)?.code).toBe('REFRESH_TIMEOUT')
  })

  it('G1: a request whose turn found only expired tokens of another tab starts its own refresh', async () => {
    const { server, store, clock, openTab } = await setUpTabs()
    const [first, second] = [openTab(), openTab()]
    await first.auth.signIn(tokensOf(server.login()))
    store.hint()
    server.killAccessTokens()
    await Promise.all([first.auth.refresh(), turnOf(first, clock)])
    // The second was not notified of the new token, which has expired by now too.
    server.killAccessTokens()
    const answer = settleAll([second.api.get('/api/x')])
    await turnOf(second, clock)
    await turnOf(second, clock)
    expect(outcomesOf(await answer)).toEqual(['ok'])
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
    expect(second.auth.stats()).toMatchObject({ refreshes: 1, adopted: 1 })
  })

  it('G4: a lock that arrives before the store’s notification sends no refresh token twice', async () => {
    const { server, store, clock, openTab } = await setUpTabs()
    const first = openTab()
    await first.auth.signIn(tokensOf(server.login()))
    const { view, arrive } = seenFromAfar(store)
    const second = openTab(undefined, view)
    await first.auth.refresh()
    const waiting = second.auth.refresh()
    await clock.advance(1_000)
    expect(server.counts.refreshes).toBe(1)
    arrive()
    await waiting
    await landed(second.auth)
    // Nothing is left but the first tab's word of what it wrote, which has a time.
    expect(await heldLocks()).toEqual([expect.stringMatching(/^app:written:/)])
    expect(clock.pending).toBe(1)
    expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
    expect(second.auth.stats()).toMatchObject({ refreshes: 0, adopted: 1 })
    expect(await second.auth.getAccessToken()).toBe(await first.auth.getAccessToken())
  })

  it('G1: a notification that never arrives delays a refresh by at most 2 s', async () => {
    const { server, store, clock, openTab } = await setUpTabs({ graceMs: 60_000 })
    const first = openTab()
    await first.auth.signIn(tokensOf(server.login()))
    const second = openTab(undefined, seenFromAfar(store).view)
    await first.auth.refresh()
    const waiting = second.auth.refresh()
    await clock.advance(1_999)
    expect(server.counts.refreshes).toBe(1)
    await clock.advance(1)
    await waiting
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
  })

  it('G13: a tab that was not yet notified of a refusal does not refresh that session again', async () => {
    const { server, store, clock, openTab } = await setUpTabs()
    const first = openTab()
    await first.auth.signIn(tokensOf(server.login()))
    const { view, arrive } = seenFromAfar(store)
    const second = openTab(undefined, view)
    server.refresh.always(401)
    expect(authErrorOf(await failureOf(first.auth.refresh()))?.code).toBe('SESSION_EXPIRED')
    const waiting = failureOf(second.auth.refresh())
    await clock.advance(1_000)
    arrive()
    // This store keeps no reason.
    expect(authErrorOf(await waiting)?.code).toBe('SIGNED_OUT')
    expect(server.counts.refreshes).toBe(1)
  })

  it('keep no lock after a refresh but the one that announces it, for 5 s or until the client is disposed', async () => {
    const { server, clock, openTab } = await setUpTabs()
    const { auth } = openTab()
    await auth.signIn(tokensOf(server.login()))
    await auth.refresh()
    await auth.refresh()
    expect(await heldLocks()).toEqual([expect.stringMatching(/^app:written:\S+ 3\/0\.\d+/)])
    await clock.advance(5_000)
    expect(await heldLocks()).toEqual([])
    await auth.refresh()
    expect(await heldLocks()).toHaveLength(1)
    auth.dispose()
    expect(await heldLocks()).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('G1: a tab that only adopted another one’s tokens, or could not write, announces nothing', async () => {
    const { server, store, clock, openTab } = await setUpTabs()
    const [first, second] = [openTab(), openTab()]
    await first.auth.signIn(tokensOf(server.login()))
    store.hint()
    await Promise.all([first.auth.refresh(), turnOf(first, clock)])
    expect(await heldLocks()).toHaveLength(1)
    await Promise.all([second.auth.refresh(), turnOf(second, clock)])
    expect(second.auth.stats()).toMatchObject({ refreshes: 0, adopted: 1 })
    expect(await heldLocks()).toHaveLength(1)
    await clock.advance(5_000)
    store.faults.set('save', new Error('quota exceeded'))
    await Promise.all([first.auth.refresh(), turnOf(first, clock)])
    expect(first.auth.stats().refreshes).toBe(2)
    expect(await heldLocks()).toHaveLength(0)
  })

  it('G2: a late 401 about a token that could not be stored does not affect another tab’s successor', async () => {
    const { server, store, openTab } = await setUpTabs()
    const [mine, theirs] = [createHandRefresh(), createHandRefresh()]
    const [first, second] = [openTab(mine.refresh), openTab(theirs.refresh)]
    await first.auth.signIn(tokensOf(server.login()))
    store.hint()
    /** The refresh token stays, so that both tabs get an access token for the same one. */
    const renew = async ({ auth }: typeof first, hand: HandRefresh) => {
      const refreshed = auth.refresh()
      ;(await hand.call(1)).answer({ accessToken: server.login().access_token })
      await refreshed
      await landed(auth)
    }
    store.faults.set('save', new Error('quota exceeded'))
    await renew(first, mine)
    store.faults.clear()
    server.killAccessTokens()
    const late = server.hold('/api/late', { at: 'answer' })
    const request = first.api.get('/api/late')
    await late.waiting(1)
    await renew(second, theirs)
    store.hint()
    late.releaseAll()
    expect((await request).status).toBe(200)
    expect(mine.calls).toHaveLength(1)
    expect(first.auth.stats()).toMatchObject({ refreshes: 1, adopted: 1 })
  })

  it('G1: a tab that is notified of newer tokens while it waits for its turn stops waiting', async () => {
    const { server, store, openTab } = await setUpTabs()
    const hand = createHandRefresh()
    const [first, second] = [openTab(hand.refresh), openTab()]
    await first.auth.signIn(tokensOf(server.login()))
    store.hint()
    const hangs = settleAll([first.auth.refresh()])
    await hand.call(1)
    const refreshed = second.auth.refresh()
    rotatedElsewhere(store, tokensOf(server.login()))
    store.hint()
    await refreshed
    await landed(second.auth)
    expect(server.counts.refreshes).toBe(0)
    first.auth.dispose()
    await hangs
  })

  it('G1: no request waits for news of a session that is over here', async () => {
    const { server, store, clock, openTab } = await setUpTabs()
    const hand = createHandRefresh(true)
    const [first, second] = [openTab(), openTab(hand.refresh)]
    await first.auth.signIn(tokensOf(server.login('ada')))
    for (let i = 0; i < 2; i++) await Promise.all([first.auth.refresh(), turnOf(first, clock)])
    // Another session, whose first tokens are older than those announced for the one before.
    await first.auth.signIn(tokensOf(server.login('grace')))
    store.hint()
    const refreshed = second.auth.refresh()
    ;(await hand.call(1)).answer(tokensOf(server.login('grace')))
    await refreshed
    // And none at all, but a cookie to restore one from.
    await second.auth.signOut()
    const restored = second.auth.refresh()
    ;(await hand.call(2)).answer(tokensOf(server.login('grace')))
    expect(await restored).toMatchObject({ status: 'signed-in' })
  })

  it('G1: an asynchronous store is read by the refresh itself, so no request waits for its notification', async () => {
    const shared: HandStore = Object.assign(createHandStore(), { exclusively: webLock('app') })
    const { server, openTab } = await setUpTabs()
    const [first, second] = [openTab(undefined, shared), openTab(undefined, shared)]
    await first.auth.signIn(tokensOf(server.login()))
    shared.hint()
    await second.auth.ready
    await microtasksDone()
    await first.auth.refresh()
    await second.auth.refresh()
    expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
    expect(second.auth.stats()).toMatchObject({ refreshes: 0, adopted: 1 })
  })

  it('G4: updateTokens in a tab without the newest refresh token does not restore the old one', async () => {
    const { server, store, clock, openTab } = await setUpTabs()
    const [first, second] = [openTab(), openTab()]
    await first.auth.signIn(tokensOf(server.login()))
    store.hint()
    await Promise.all([first.auth.refresh(), turnOf(first, clock)])
    await second.auth.updateTokens({ accessToken: server.login().access_token })
    await Promise.all([second.auth.refresh(), turnOf(second, clock)])
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
  })

  it('G4: a refresh token that was exchanged here is not adopted from a tab that knew no newer one', async () => {
    vi.stubGlobal('navigator', {})
    const { server, store, openTab } = await setUpTabs()
    const [first, second] = [openTab(), openTab()]
    await first.auth.signIn(tokensOf(server.login()))
    store.hint()
    // The newer one is read, and the store can neither keep it nor drop the older one.
    for (const operation of ['save', 'clear'] as const) store.faults.set(operation, new Error('broken'))
    await second.auth.refresh()
    store.faults.clear()
    await first.auth.updateTokens({ accessToken: server.login().access_token })
    store.hint()
    await second.auth.refresh()
    store.hint()
    await first.auth.refresh()
    expect(server.counts).toMatchObject({ refreshes: 3, granted: 3, reuses: 0 })
  })

  it('G14: updateTokens in a tab that has missed another sign-in rejects, and changes nothing', async () => {
    const { server, store, openTab } = await setUpTabs()
    const first = openTab()
    await first.auth.signIn(tokensOf(server.login('ada')))
    const second = openTab()
    await second.auth.signIn(tokensOf(server.login('grace')))
    const kept = store.kept
    const error = await failureOf(first.auth.updateTokens({ accessToken: server.login('ada').access_token }))
    expect(authErrorOf(error)?.code).toBe('SESSION_CHANGED')
    await microtasksDone()
    expect(store.kept).toEqual(kept)
    expect((await first.api.get('/api/x')).data).toMatchObject({ user: 'grace' })
  })
})
