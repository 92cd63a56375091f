// What a tab does about the one whose turn it is: frozen, gone, or alive without success. And about locks that cannot be
// had, or that others hold. Locks and time are moved by hand; a page that is really frozen is in test/browser.

import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { authErrorOf } from '../../src/index.js'
import { createFakeTabs } from '../../src/testing/fake-tabs.js'
import { failureOf, landed, setUp, tokensOf } from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { heldLocks, pendingLocks, setUpTabs } from '../support/tabs.js'

/** How long one holder is waited for: `refreshTimeoutMs` and 2 s. */
const LOCK_WAIT_MS = 17_000

let page: ReturnType<typeof stubPage>
beforeEach(() => {
  vi.stubGlobal('navigator', { locks: createFakeTabs().locks })
  page = stubPage()
})

/** The events of the page, and who listens to them. */
function stubPage() {
  const target = new EventTarget()
  const listening = new Map<string, Set<EventListener>>()
  const of = (type: string) => listening.get(type) ?? new Set()
  vi.stubGlobal('addEventListener', (type: string, listener: EventListener) => {
    listening.set(type, of(type).add(listener))
    target.addEventListener(type, listener)
  })
  vi.stubGlobal('removeEventListener', (type: string, listener: EventListener) => {
    of(type).delete(listener)
    target.removeEventListener(type, listener)
  })
  return {
    hide: (how?: { persisted: boolean }) => target.dispatchEvent(Object.assign(new Event('pagehide'), how)),
    get listeners() {
      return [...listening.values()].reduce((sum, { size }) => sum + size, 0)
    },
  }
}

/** Two tabs of one session, whose refreshes are answered by hand. */
async function twoTabs() {
  const { server, store, clock, openTab } = await setUpTabs()
  const open = () => {
    const hand = createHandRefresh()
    return { hand, ...openTab(hand.refresh) }
  }
  const [first, second] = [open(), open()]
  await first.auth.signIn(tokensOf(server.login()))
  store.hint()
  const grant = () => tokensOf(server.login())
  /** The first has no turn for so long, and one that brings tokens within so much more. */
  const turnAfter = async (noneForMs: number, withinMs: number) => {
    await clock.advance(noneForMs)
    expect(first.hand.calls).toEqual([])
    await clock.advance(withinMs)
    expect(first.hand.calls).toHaveLength(1)
    first.hand.calls[0]?.answer(grant())
  }
  return { first, second, clock, grant, turnAfter }
}

/** Some other tab holds a lock, or is next in line for it, until it releases it. */
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

/** Puts other locks in the place of those in `navigator`, made of them. */
function changeLocks(change: (locks: LockManager) => Partial<LockManager>): void {
  Object.assign(navigator.locks, change({ ...navigator.locks }))
}

const denied = async () => {
  throw new DOMException('Access to the Locks API is denied in this context.', 'SecurityError')
}

describe('a holder that is frozen', () => {
  it('G1: is waited for as long as a refresh may take plus 2 s, and then bypassed', async () => {
    const { first, clock, turnAfter } = await twoTabs()
    await holdElsewhere('app:refresh')
    const refreshed = first.auth.refresh()
    await turnAfter(LOCK_WAIT_MS - 1, 1)
    await refreshed
    await clock.advance(5_000)
    expect(await heldLocks()).toEqual(['app:refresh'])
    expect(await pendingLocks()).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('G1: is bypassed by one tab at a time, so that one refresh is enough', async () => {
    const { first, second, clock, grant } = await twoTabs()
    await holdElsewhere('app:refresh')
    const refreshed = [first, second].map(({ auth }) => auth.refresh())
    await clock.advance(LOCK_WAIT_MS)
    const call = await first.hand.call(1)
    await clock.advance(14_000)
    expect(second.hand.calls).toEqual([])
    call.answer(grant())
    await Promise.all(refreshed)
    await landed(second.auth)
    expect(second.hand.calls).toEqual([])
    expect(second.auth.stats()).toMatchObject({ refreshes: 0, adopted: 1 })
  })

  it('G1: delays a refresh by at most twice that time, though the tab that bypassed it is frozen too', async () => {
    const { first, second, clock, grant } = await twoTabs()
    for (const name of ['app:refresh', 'app:refresh:2']) await holdElsewhere(name)
    const refreshed = [first, second].map(({ auth }) => auth.refresh())
    await clock.advance(2 * LOCK_WAIT_MS - 1)
    expect([first, second].flatMap(({ hand }) => hand.calls)).toEqual([])
    await clock.advance(1)
    for (const { hand } of [first, second]) (await hand.call(1)).answer(grant())
    await Promise.all(refreshed)
    expect(clock.pending).toBe(0)
  })

  it('G1: gets its full time, though another one had its turn before', async () => {
    const { first, clock, turnAfter } = await twoTabs()
    const release = await holdElsewhere('app:refresh')
    await holdElsewhere('app:refresh')
    const refreshed = first.auth.refresh()
    await clock.advance(5_000)
    release()
    // Who holds a lock is looked up four times in that time, so it may be a quarter more.
    await turnAfter(LOCK_WAIT_MS - 1, LOCK_WAIT_MS / 4 + 1)
    await refreshed
  })

  it('G1: is bypassed in time where the lock holders are not known', async () => {
    const { first, turnAfter } = await twoTabs()
    changeLocks(() => ({ query: denied }))
    await holdElsewhere('app:refresh')
    const refreshed = first.auth.refresh()
    await turnAfter(LOCK_WAIT_MS - 1, 1)
    await refreshed
  })
})

describe('holders that respond', () => {
  it('G11: but bring nothing, one after the other, end the wait after twice that time', async () => {
    const { first, clock } = await twoTabs()
    // Of another app: held all the time, it is not what is waited for.
    await holdElsewhere('other:refresh')
    const holders = await Promise.all([1, 2, 3, 4].map(() => holdElsewhere('app:refresh')))
    const failure = failureOf(first.auth.refresh())
    for (const release of holders.slice(0, 3)) {
      await clock.advance(10_000)
      release()
    }
    await clock.advance(3_999)
    expect(await pendingLocks()).toEqual(['app:refresh'])
    await clock.advance(1)
    expect(authErrorOf(await failure)?.code).toBe('REFRESH_TIMEOUT')
    expect(await heldLocks()).toEqual(['other:refresh', 'app:refresh'])
    expect(await pendingLocks()).toEqual([])
    expect(clock.pending).toBe(0)
    expect(first.hand.calls).toEqual([])
  })

  it('G1: and release the lock pass the turn at once, and are no longer watched', async () => {
    const { first, clock, grant } = await twoTabs()
    const release = await holdElsewhere('app:refresh')
    const refreshed = first.auth.refresh()
    await clock.advance(1_000)
    release()
    ;(await first.hand.call(1)).answer(grant())
    await refreshed
    await clock.advance(5_000)
    expect(clock.pending).toBe(0)
  })

  it('G19: leave no timer in a tab that learns about them when its turn has come', async () => {
    const { first, clock, grant } = await twoTabs()
    let announce = () => {}
    changeLocks(({ query }) => {
      const known = new Promise<void>((resolve) => {
        announce = resolve
      })
      return { query: vi.fn(query).mockImplementationOnce(() => known.then(query)) }
    })
    const refreshed = first.auth.refresh()
    ;(await first.hand.call(1)).answer(grant())
    await refreshed
    await clock.advance(5_000)
    announce()
    await microtasksDone()
    expect(clock.pending).toBe(0)
  })
})

describe('a tab that closes', () => {
  it('G1: while it waits for its turn delays no other tab', async () => {
    const { first, second, clock, grant } = await twoTabs()
    const release = await holdElsewhere('app:refresh')
    await holdElsewhere('app:refresh:2')
    const failure = failureOf(first.auth.refresh())
    await microtasksDone()
    first.auth.dispose()
    expect(authErrorOf(await failure)?.code).toBe('DISPOSED')
    expect(await pendingLocks()).toEqual([])
    expect(clock.pending).toBe(0)
    expect(first.hand.calls).toEqual([])
    const refreshed = second.auth.refresh()
    release()
    ;(await second.hand.call(1)).answer(grant())
    await refreshed
  })

  it('G4: during its turn keeps it until its refresh is stored, where the next tab finds it', async () => {
    const { first, second, clock, grant } = await twoTabs()
    const failure = failureOf(first.auth.refresh())
    const call = await first.hand.call(1)
    const refreshed = second.auth.refresh()
    await microtasksDone()
    first.auth.dispose()
    expect(authErrorOf(await failure)?.code).toBe('DISPOSED')
    const late = grant()
    call.answer(late)
    await refreshed
    expect(await second.auth.getAccessToken()).toBe(late.accessToken)
    expect(second.hand.calls).toEqual([])
    second.auth.dispose()
    expect(await heldLocks()).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('G1: during its turn announces no session end: others would wait to see it in the store', async () => {
    const { first } = await twoTabs()
    const failure = failureOf(first.auth.refresh())
    await first.hand.call(1)
    const asked: string[] = []
    changeLocks(({ request }) => ({
      request: ((...args: Parameters<typeof request>) => {
        asked.push(args[0])
        return request(...args)
      }) as typeof request,
    }))
    first.auth.dispose()
    expect(authErrorOf(await failure)?.code).toBe('DISPOSED')
    await microtasksDone()
    expect(asked).toEqual([])
  })

  it('G1: when it has just refreshed keeps no lock to announce it', async () => {
    const { first, clock, grant } = await twoTabs()
    first.auth.on('refreshed', () => first.auth.dispose())
    const failure = failureOf(first.auth.refresh())
    ;(await first.hand.call(1)).answer(grant())
    expect(authErrorOf(await failure)?.code).toBe('DISPOSED')
    expect(await heldLocks()).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('G1: into the back/forward cache keeps no lock, though its refresh has no answer yet', async () => {
    const { first, second, clock, grant } = await twoTabs()
    const cutShort = first.auth.refresh()
    const call = await first.hand.call(1)
    const refreshed = second.auth.refresh()
    page.hide()
    ;(await second.hand.call(1)).answer(grant())
    await refreshed
    expect(await heldLocks()).toEqual([expect.stringMatching(/^app:written:/)])
    page.hide()
    expect(await heldLocks()).toEqual([])
    // The page of the first came back.
    call.answer(grant())
    await cutShort
    await clock.advance(5_000)
    expect(clock.pending).toBe(0)
  })

  it('G4: for good keeps its lock to the end, because its refresh may still be answered and saved', async () => {
    const { first, second, grant } = await twoTabs()
    const refreshed = first.auth.refresh()
    const call = await first.hand.call(1)
    const waiting = second.auth.refresh()
    page.hide({ persisted: false })
    await microtasksDone()
    expect(second.hand.calls).toEqual([])
    call.answer(grant())
    await Promise.all([refreshed, waiting])
    expect(second.hand.calls).toEqual([])
    expect(second.auth.stats()).toMatchObject({ refreshes: 0, adopted: 1 })
  })

  it('leaves no listener on its page', async () => {
    const { first, second } = await twoTabs()
    expect(page.listeners).toBeGreaterThan(0)
    for (const { auth } of [first, second]) auth.dispose()
    expect(page.listeners).toBe(0)
  })
})

describe('locks', () => {
  it('are not taken for a store without a name, which is not shared', async () => {
    const hand = createHandRefresh()
    const { auth } = await setUp({ refresh: hand.refresh })
    const refreshed = auth.refresh()
    const call = await hand.call(1)
    expect(await heldLocks()).toEqual([])
    call.answer({ accessToken: 'new' })
    await refreshed
  })

  it('G1: that are denied, as in an opaque origin, prevent no refresh', async () => {
    const { first, clock, grant } = await twoTabs()
    changeLocks(() => ({ request: denied, query: denied }))
    const refreshed = first.auth.refresh()
    ;(await first.hand.call(1)).answer(grant())
    await refreshed
    expect(clock.pending).toBe(0)
  })

  it('G1: that are denied later are abandoned', async () => {
    const { first, grant } = await twoTabs()
    const refreshed = first.auth.refresh()
    const call = await first.hand.call(1)
    changeLocks(() => ({ request: denied }))
    call.answer(grant())
    await refreshed
    expect(await heldLocks()).toEqual([])
  })

  it('G1: that are stolen from a tab start no second refresh', async () => {
    const { first, grant } = await twoTabs()
    let steal = () => {}
    changeLocks(({ request }) => ({
      request: ((...args: Parameters<typeof request>) =>
        Promise.race([
          request(...args),
          new Promise((_, reject) => {
            steal = () => reject(new DOMException('Lock broken by another request.', 'AbortError'))
          }),
        ])) as typeof request,
    }))
    const refreshed = first.auth.refresh()
    const call = await first.hand.call(1)
    steal()
    await microtasksDone()
    expect(first.hand.calls).toHaveLength(1)
    call.answer(grant())
    await refreshed
  })

  it('G1: of others, with another name or none, are not waited for', async () => {
    const { first, clock, grant } = await twoTabs()
    for (const name of ['refresh', 'other:refresh', 'other:written:s 9/0.1']) await holdElsewhere(name)
    changeLocks(({ query }) => ({
      async query() {
        const { held = [] } = await query()
        return { held: [{ mode: 'exclusive' }, ...held] }
      },
    }))
    const refreshed = first.auth.refresh()
    ;(await first.hand.call(1)).answer(grant())
    await refreshed
    await clock.advance(5_000)
    expect(clock.pending).toBe(0)
  })
})
