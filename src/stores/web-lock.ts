// One refresh for all tabs that share a store. Knows no tokens: it only decides whose turn it is.
// Promise: work is always done, and never waits for a tab that is gone or asleep longer than the time it is given.
import { type Clock, setLimit } from '../clock.js'
import { AuthClientError, isObject } from '../errors.js'
import { listen } from '../listen.js'
import type { TakesTurns, TokenStore } from './store.js'

/** The other tabs that share a store, as far as a refresh is concerned. */
export interface Tabs {
  /**
   * Runs `work` while no other tab runs its own, as far as that can be had, and not before the store hasCaughtUp here what
   * other tabs have written to it. Settles as `work` does.
   * @throws {AuthClientError} code `REFRESH_TIMEOUT` when others had their turns, and there was none for this tab.
   */
  exclusively<T>(work: () => Promise<T>, turn: Turn): Promise<T>
  /** Lets go of what is still held, and leaves no timer. */
  close(): void
}

export interface Turn {
  /** Aborted: it is not waited for any longer. The work itself goes on. */
  signal: AbortSignal
  /** What the work has left in the store, in a word without a slash; `undefined` when it has not touched it. */
  written(): string | undefined
  /** Whether the store hasCaughtUp here what another tab has `written`, or something newer. */
  hasCaughtUp(written: string): boolean
}

/** There is no other tab: the store is not shared, or takes care of turns itself. */
export function soloTab({ exclusively }: TokenStore & Partial<TakesTurns>): Tabs {
  const owner = {}
  return {
    exclusively: (work, { signal }) => (exclusively ? exclusively(work, { signal, owner }) : work()),
    close() {},
  }
}

// Registered: another copy of this package may be what comes next. On the store, because there is no state in modules.
const LANDING = Symbol.for('axios-auth-client.landing')

/** For the client that comes next on this store: a refresh of the one before it may still be on its way there. */
export function announceLanding(store: TokenStore, landing: Promise<void> | undefined): void {
  Reflect.defineProperty(store, LANDING, { value: landing, configurable: true })
}

/** Begins each turn when what was announced has landed, or when `signal` says that there is nothing left to do. */
export function afterLanding(
  store: TokenStore & { [LANDING]?: Promise<void> | undefined },
  tabs: Tabs,
): Tabs {
  return {
    ...tabs,
    exclusively(work, turn) {
      const landing = store[LANDING]
      if (!landing) return tabs.exclusively(work, turn)
      const given = new Promise<unknown>((resolve) => turn.signal.addEventListener('abort', resolve))
      return Promise.race([landing, given]).then(() => tabs.exclusively(work, turn))
    },
  }
}

/**
 * How long a tab that has its turn waits for what others have written. Measured in Chromium: a lock can reach the next
 * tab before what was written to localStorage under it does, on a busy machine by more than 100 ms.
 */
const CATCH_UP_MS = 2000

/** How long a tab tells what it has written. Firefox keeps a page that holds a lock out of its back/forward cache. */
const FLAG_MS = 5000

/** How often a waiting tab looks who holds the lock, in parts of its patience. */
const LOOKS = 4

/** How long it may take to say who holds what. */
const QUERY_MS = 1000

/**
 * The tabs of one browser, by Web Locks. `patienceMs`: how long one holder is waited for. One that takes longer is frozen
 * or worse, and is passed: those who give up on it take the next lock the same way, so that they do not race each other.
 * Nothing is stolen: the work of a robbed holder would go on all the same. Nothing that the locks themselves do is waited
 * for without a timer: where they do not work, the work is done without them.
 */
export function lockedTabs(name: string, patienceMs: number, clock: Clock): Tabs {
  const flag = `${name}:written:`
  const chain = [`${name}:refresh`, `${name}:refresh:2`]
  /** Lets go of each lock that is held. */
  const ends = new Set<() => void>()
  /** Who was passed, by lock: while they hold it, it is not waited for again. */
  const passed = new Map<string, string>()
  /** This tab has held a lock for so long that it was passed: others may still go by the next lock while it has its turn. */
  let wasPassed = false
  /** Who holds what was not said in time, and has not been since. */
  let mute = false
  let lowerFlag = () => {}
  let closed = false
  const letGo = () => {
    lowerFlag()
    for (const end of [...ends]) end()
  }
  // A page must not take a lock along into the back/forward cache. One that goes for good keeps it: its refresh may still
  // be answered and saved, after its last event by as much as half a second (Chromium), and another tab that asked in
  // that time would send the same refresh token. The browser frees the lock when there is no page left to save anything.
  const onHide = ({ persisted }: Partial<PageTransitionEvent>) => {
    if (persisted !== false) letGo()
  }
  const stopListening = listen(globalThis, 'pagehide', onHide)
  return {
    exclusively: (work, turn) => takeTurn(work, turn, chain),
    close() {
      closed = true
      stopListening()
      letGo()
    },
  }

  async function takeTurn<T>(work: () => Promise<T>, turn: Turn, names: string[]): Promise<T> {
    const [lock, ...further] = names
    const { signal } = turn
    // Absent on insecure origins. Without it, the look into the store before a refresh is the only guard.
    const locks = findLocks()
    if (!locks || lock === undefined || signal.aborted) return work()
    const before = passed.get(lock)
    if (before !== undefined) {
      if (holderOf(lock, await heldLocks(locks)) === before) return takeTurn(work, turn, further)
      passed.delete(lock)
    }
    return new Promise<T>((resolve, reject) => {
      const wait = new AbortController()
      let decided = false
      let stopWatching = () => {}
      /** Whether this is the first that decides how the wait ends: locks may call back twice, or when it is over. */
      const decide = () => {
        if (decided) return false
        stopWatching()
        signal.removeEventListener('abort', goOn)
        return (decided = true)
      }
      const leave = (next: () => void) => {
        if (!decide()) return
        next()
        wait.abort()
      }
      const goOn = () => leave(() => resolve(work()))
      signal.addEventListener('abort', goOn)
      stopWatching = watchHolder(
        locks,
        lock,
        (holder) => {
          // Nobody holds it, as far as it is told, and it was not to be had: these locks do not work.
          if (holder === undefined) return goOn()
          passed.set(lock, holder)
          leave(() => resolve(takeTurn(work, turn, further)))
        },
        () => {
          const message = 'Other tabs try to refresh, and get no answer.'
          leave(() => reject(new AuthClientError('REFRESH_TIMEOUT', message)))
        },
      )
      const granted = async () => {
        if (!decide()) return
        await held(async () => {
          const sinceMs = clock.nowMs()
          await catchUp(locks, turn)
          // Who was passed once has both locks: those who take this tab for frozen still have the other one.
          const result = wasPassed && further.length ? takeTurn(work, turn, further) : work()
          resolve(result)
          await result.catch(() => {})
          wasPassed ||= clock.nowMs() - sinceMs >= patienceMs
          await announceCommit(locks, turn.written())
        })
      }
      // Refused at once in an opaque origin or with blocked storage; or settled though nothing was granted.
      request(locks, lock, { signal: wait.signal }, granted).then(goOn, goOn)
    })
  }

  /** Resolves when `task` is done, or earlier when the page goes. */
  function held(task: () => Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        ends.delete(end)
        resolve()
      }
      ends.add(end)
      task().then(end, end)
    })
  }

  /**
   * Tells the other tabs what was written, by the name of a lock that nobody waits for. Locks come and go in one order
   * for all tabs, so whoever has the next turn sees it: that is the proof that the store cannot give.
   */
  function announceCommit(locks: LockManager, written: string | undefined): Promise<void> {
    return new Promise((resolve) => {
      // A client that is gone has ended nothing but its own part.
      if (closed || written === undefined) return resolve()
      const raised = () => {
        cancelWait()
        resolve()
      }
      const cancelWait = setLimit(clock, raised, CATCH_UP_MS)
      // A name of its own, should two tabs have written the same.
      request(locks, `${flag}${written}/${Math.random()}`, {}, () => {
        raised()
        lowerFlag()
        if (closed) return undefined
        return new Promise<void>((lowered) => {
          const lower = () => {
            cancel()
            lowered()
          }
          const cancel = clock.setTimer(lower, FLAG_MS)
          lowerFlag = lower
        })
      }).then(raised, raised)
    })
  }

  /** Waits until the store hasCaughtUp what the flags say. Its news need no turn any more: `signal` ends the wait. */
  async function catchUp(locks: LockManager, { signal, hasCaughtUp }: Turn): Promise<void> {
    const held = (await heldLocks(locks)) ?? []
    const flags = held.map((lock) => lock.name?.split(flag)[1]?.split('/')[0])
    if (signal.aborted || flags.every((written) => written === undefined || hasCaughtUp(written))) return
    await new Promise<void>((resolve) => {
      const end = () => {
        cancel()
        resolve()
      }
      const cancel = setLimit(clock, end, CATCH_UP_MS)
      signal.addEventListener('abort', end)
    })
  }

  /**
   * Tells when one holder has had the lock for too long; or when several in turn have, each alive and none of them
   * successful: then another attempt beside theirs would only send the same refresh token twice.
   */
  function watchHolder(
    locks: LockManager,
    lock: string,
    giveUp: (holder: string | undefined) => void,
    giveUpOnHolders: () => void,
  ): () => void {
    const stepMs = patienceMs / LOOKS
    let holder: string | undefined
    let looks = 0
    let looksAtHolder = 0
    let sleeps = 0
    let lookedAtMs = clock.nowMs()
    let cancel = () => {}
    let stopped = false
    void look()
    return () => {
      stopped = true
      cancel()
    }

    async function look(): Promise<void> {
      const nowMs = clock.nowMs()
      // This tab was asleep, and so may the holder have been. Not for ever: hidden tabs have late timers only.
      const slept = nowMs - lookedAtMs > stepMs + CATCH_UP_MS / 2 && sleeps++ < LOOKS
      lookedAtMs = nowMs
      // Set first: whoever is asked may never answer.
      cancel = setLimit(clock, look, stepMs)
      const found = holderOf(lock, await heldLocks(locks))
      if (stopped || slept) return
      if (found !== holder) looksAtHolder = 0
      holder = found
      if (looksAtHolder++ === LOOKS) giveUp(found)
      else if (looks++ === 2 * LOOKS) giveUpOnHolders()
    }
  }

  /** Who holds what; `undefined` where that is not told. */
  function heldLocks(locks: LockManager): Promise<LockInfo[] | undefined> {
    if (mute) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const expire = () => {
        mute = true
        resolve(undefined)
      }
      const cancel = setLimit(clock, expire, QUERY_MS)
      const told = (held?: LockInfo[]) => {
        mute = false
        cancel()
        resolve(held)
      }
      settle(() => locks.query()).then(
        (state) => told(Array.isArray(state?.held) ? state.held.filter(isObject) : undefined),
        () => told(),
      )
    })
  }
}

/** The browser's locks. A getter that throws counts as none. */
function findLocks(): LockManager | undefined {
  try {
    return globalThis.navigator?.locks ?? undefined
  } catch {
    return undefined
  }
}

function request(
  locks: LockManager,
  name: string,
  options: LockOptions,
  work: () => Promise<void> | undefined,
): Promise<unknown> {
  return settle(() => locks.request(name, options, work))
}

/** Runs it at once; what it throws is a rejection. */
async function settle<T>(run: () => T): Promise<Awaited<T>> {
  return await run()
}

function holderOf(lock: string, held: LockInfo[] | undefined): string | undefined {
  const found = held?.find(({ name }) => name === lock)
  return found && String(found.clientId)
}
