// What tabs do about locks that do not work as they should, and about a lock whose holder never comes back. Locks and time
// are moved by hand; refreshes are counted, and those that run at the same time.

import axios from 'axios'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createAuthClient, SessionRefused } from '../../src/index.js'
import { createFakeTabs } from '../../src/testing/fake-tabs.js'
import { createWatchedClock, landed, outcomesOf, tokensOf } from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import { heldLocks, setUpTabs } from '../support/tabs.js'

/** How long one holder is waited for: `refreshTimeoutMs` and 2 s. */
const LOCK_WAIT_MS = 17_000

beforeEach(() => void vi.stubGlobal('navigator', { locks: createFakeTabs().locks }))

const never = new Promise<never>(() => {})
const thrown = () => {
  throw new DOMException('The operation is insecure.', 'SecurityError')
}

type Request = (name: string, options: LockOptions, work: () => unknown) => unknown

/** Puts other locks in the place of those in `navigator`, made of them. */
function changeLocks(change: (locks: LockManager) => { request?: unknown; query?: unknown }): void {
  Object.assign(navigator.locks, change({ ...navigator.locks }))
}

/** Tabs of one session, whose refreshes are answered by hand, and counted while they run. */
async function openTabs(count: number) {
  const { server, store, clock, openStore, openTab } = await setUpTabs()
  const tabs = Array.from({ length: count }, () => {
    const hand = createHandRefresh()
    return { hand, ...openTab(hand.refresh) }
  })
  await tabs[0]?.auth.signIn(tokensOf(server.login()))
  store.hint()
  const answered = new Set<unknown>()
  const running = () => tabs.flatMap(({ hand }) => hand.calls).filter((call) => !answered.has(call))
  /** Answers the one refresh that runs. */
  const answer = async () => {
    await microtasksDone()
    expect(running()).toHaveLength(1)
    for (const call of running()) {
      answered.add(call)
      call.answer(tokensOf(server.login()))
    }
    await microtasksDone()
    store.hint()
    await microtasksDone()
  }
  const calls = () => tabs.reduce((sum, { hand }) => sum + hand.calls.length, 0)
  return {
    tabs: tabs as [(typeof tabs)[0], ...typeof tabs],
    clock,
    store,
    openStore,
    server,
    answer,
    calls,
    running,
  }
}

/** Some other tab holds a lock until it releases it. */
async function holdElsewhere(name: string): Promise<() => void> {
  let release = () => {}
  const done = new Promise<void>((resolve) => {
    release = resolve
  })
  void navigator.locks.request(name, () => done)
  onTestFinished(release)
  await microtasksDone()
  return release
}

describe('locks that do not work', () => {
  const ways: [string, number, () => void][] = [
    ['whose query never settles', 1_000, () => changeLocks(() => ({ query: () => never }))],
    ['whose query throws', 0, () => changeLocks(() => ({ query: thrown }))],
    ['whose query returns nothing', 0, () => changeLocks(() => ({ query: async () => undefined }))],
    [
      'whose query returns rubbish',
      0,
      () => changeLocks(() => ({ query: async () => ({ held: [null, 7, {}] }) })),
    ],
    ['whose query is no function', 0, () => changeLocks(() => ({ query: 1 }))],
    ['whose request resolves without a call', 0, () => changeLocks(() => ({ request: async () => {} }))],
    ['whose request returns nothing', 0, () => changeLocks(() => ({ request: () => {} }))],
    ['whose request throws', 0, () => changeLocks(() => ({ request: thrown }))],
    ['whose request never settles', LOCK_WAIT_MS, () => changeLocks(() => ({ request: () => never }))],
    [
      'of which nothing ever settles',
      LOCK_WAIT_MS,
      () => changeLocks(() => ({ request: () => never, query: () => never })),
    ],
    [
      'whose request calls at once, and twice',
      0,
      () =>
        changeLocks(() => ({
          request: ((_, __, work) => Promise.all([work(), work()])) satisfies Request,
        })),
    ],
    [
      'that are not to be had at all',
      0,
      () => Object.defineProperty(navigator, 'locks', { get: thrown, configurable: true }),
    ],
  ]
  it.each(ways)('G11: %s delay a refresh by at most %i ms', async (_, withinMs, breakThem) => {
    const { tabs, clock, answer, calls } = await openTabs(1)
    breakThem()
    const refreshed = tabs[0].auth.refresh()
    await microtasksDone()
    if (withinMs > 0) {
      await clock.advance(withinMs - 1)
      expect(calls()).toBe(0)
      await clock.advance(1)
    }
    await answer()
    // What it wrote may be something that it cannot report.
    await clock.advance(2_000)
    await refreshed
    await clock.advance(5_000)
    expect(calls()).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('G1: that grant an abandoned turn start no second refresh', async () => {
    const { tabs, clock, answer, calls } = await openTabs(1)
    const grants: (() => unknown)[] = []
    changeLocks(() => ({
      request: ((_, __, work) => {
        grants.push(work)
        return never
      }) satisfies Request,
    }))
    const refreshed = tabs[0].auth.refresh()
    await clock.advance(LOCK_WAIT_MS)
    await answer()
    await refreshed
    for (const grant of grants) await grant()
    await microtasksDone()
    expect(calls()).toBe(1)
  })

  it('G11: that never confirm a write still pass the turn to the next tab', async () => {
    const { tabs, clock, answer } = await openTabs(1)
    changeLocks(({ request }) => ({
      request: ((name, options, work) =>
        name.includes(':written:') ? never : request(name, options, work as () => void)) satisfies Request,
    }))
    const refreshed = tabs[0].auth.refresh()
    await answer()
    await refreshed
    await clock.advance(2_000)
    expect(await heldLocks()).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('G11: that ignore an abort do not delay a tab that needs no refresh', async () => {
    const { tabs, store, server } = await openTabs(1)
    changeLocks(() => ({ request: () => never }))
    const refreshed = tabs[0].auth.refresh()
    await microtasksDone()
    const { accessToken, refreshToken } = tokensOf(server.login())
    Object.assign(store, {
      kept: { ...(store.kept as object), version: 9, tokens: { accessToken, refreshToken } },
    })
    store.hint()
    await refreshed
    await landed(tabs[0].auth)
  })
})

describe('a lock that its holder never releases', () => {
  it('delays one refresh, not every one', async () => {
    const { tabs, clock, answer, calls } = await openTabs(1)
    await holdElsewhere('app:refresh')
    const first = tabs[0].auth.refresh()
    await clock.advance(LOCK_WAIT_MS)
    await answer()
    await first
    for (let i = 2; i < 5; i++) {
      const next = tabs[0].auth.refresh()
      await answer()
      await next
      expect(calls()).toBe(i)
    }
    await clock.advance(5_000)
    expect(clock.pending).toBe(0)
  })

  it('G1: is bypassed by two tabs that know about it one at a time', async () => {
    const { tabs, clock, answer, calls } = await openTabs(2)
    await holdElsewhere('app:refresh')
    const refresh = () => settleAll(tabs.map(({ auth }) => auth.refresh()))
    const first = refresh()
    await clock.advance(LOCK_WAIT_MS)
    await answer()
    expect(outcomesOf(await first)).toEqual(['ok', 'ok'])
    const second = refresh()
    await answer()
    expect(outcomesOf(await second)).toEqual(['ok', 'ok'])
    await microtasksDone()
    expect(calls()).toBe(2)
  })

  it('G1: delays a tab that does not know about it, while another does, and one refresh runs at a time', async () => {
    const { tabs, clock, answer, calls, running } = await openTabs(2)
    const [knowing, other] = tabs
    await holdElsewhere('app:refresh')
    const first = knowing.auth.refresh()
    await clock.advance(LOCK_WAIT_MS)
    await answer()
    await first
    const late = other?.auth.refresh()
    await clock.advance(LOCK_WAIT_MS - 1)
    const again = knowing.auth.refresh()
    await microtasksDone()
    expect(running()).toHaveLength(1)
    // The other one gives up on the first lock now, and meets the second.
    await clock.advance(1)
    expect(running()).toHaveLength(1)
    await answer()
    await Promise.all([late, again])
    expect(calls()).toBe(2)
  })

  it('G1: is used again by every tab once it is released', async () => {
    const { tabs, clock, answer } = await openTabs(2)
    const release = await holdElsewhere('app:refresh')
    const first = tabs[0].auth.refresh()
    await clock.advance(LOCK_WAIT_MS)
    await answer()
    await first
    release()
    await clock.advance(5_000)
    const second = tabs[0].auth.refresh()
    await microtasksDone()
    expect(await heldLocks()).toEqual(['app:refresh'])
    await answer()
    await second
  })

  it('G1: makes a holder that returns after all take both locks, so that bypassing tabs do not race it', async () => {
    const { tabs, clock, store, openStore, server } = await openTabs(1)
    const [other] = tabs
    const theirs = { clock: createWatchedClock(), hand: createHandRefresh() }
    const auth = createAuthClient(axios.create({ baseURL: server.url }), {
      refresh: theirs.hand.refresh,
      store: openStore(),
      clock: theirs.clock,
    })
    onTestFinished(() => auth.dispose())
    // As in a browser, one page has one name in all its turns.
    const frozenPage = 'the page that was frozen'
    changeLocks(({ query }) => ({
      query: async () => {
        const { held = [] } = await query()
        return { held: held.map((lock) => ({ ...lock, clientId: frozenPage })) }
      },
    }))
    const grant = () => tokensOf(server.login())
    const first = auth.refresh()
    const call = await theirs.hand.call(1)
    const passes = other.auth.refresh()
    await clock.advance(LOCK_WAIT_MS)
    ;(await other.hand.call(1)).answer(grant())
    await passes
    // It wakes, finds the newer tokens, and its turn is over.
    theirs.clock.jump(3_600_000)
    store.hint()
    call.fail(new SessionRefused())
    await first
    await landed(auth)
    await clock.advance(5_000)
    await theirs.clock.advance(5_000)
    expect(await heldLocks()).toEqual([])
    // To the other tab, this turn looks like the one that it passed.
    const mine = auth.refresh()
    await theirs.hand.call(2)
    const yours = other.auth.refresh()
    await microtasksDone()
    expect(other.hand.calls).toHaveLength(1)
    theirs.hand.calls[1]?.answer(grant())
    await Promise.all([mine, yours])
    expect(other.hand.calls).toHaveLength(1)
    expect(other.auth.stats()).toMatchObject({ adopted: 1 })
  })
})

describe('a tab that was frozen', () => {
  it('G4: does not count its frozen time against the lock holder', async () => {
    const { tabs, clock, calls, answer } = await openTabs(1)
    const release = await holdElsewhere('app:refresh')
    const refreshed = tabs[0].auth.refresh()
    // Three of four looks.
    await clock.advance(13_000)
    clock.jump(3_600_000)
    await clock.advance(4_000)
    expect(calls()).toBe(0)
    release()
    await answer()
    await refreshed
  })

  it('G11: repeatedly still bypasses a holder that never returns', async () => {
    const { tabs, clock, calls, answer } = await openTabs(1)
    await holdElsewhere('app:refresh')
    const refreshed = tabs[0].auth.refresh()
    for (let i = 0; i < 9 && calls() === 0; i++) {
      clock.jump(60_000)
      await clock.advance(6_000)
    }
    await answer()
    await refreshed
  })
})
