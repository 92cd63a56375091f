// One refresh for all tabs that share a store. Knows no tokens: it only decides whose turn it is.
// Promise: work is always done, and never waits for a tab that is gone or asleep longer than the time it is given.
import type { Clock } from '../clock.js'
import { AuthClientError } from '../errors.js'
import type { TakesTurns, TokenStore } from '../storage/store.js'

/** The other tabs that share a store, as far as a refresh is concerned. */
export interface Tabs {
  /**
   * Runs `work` while no other tab runs its own, as far as that can be had, and not before the store shows here what
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
  /** Whether the store shows here what another tab has `written`, or something newer. */
  shows(written: string): boolean
}

/** There is no other tab: the store is not shared, or takes care of turns itself. */
export function soloTab({ exclusively }: TokenStore & Partial<TakesTurns>): Tabs {
  const owner = {}
  return {
    exclusively: (work, { signal }) => (exclusively ? exclusively(work, { signal, owner }) : work()),
    close() {},
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

/**
 * The tabs of one browser, by Web Locks. `patienceMs`: how long one holder is waited for. One that takes longer is frozen
 * or worse, and is passed: those who give up on it take the next lock the same way, so that they do not race each other.
 * Nothing is stolen: the work of a robbed holder would go on all the same.
 */
export function lockedTabs(name: string, patienceMs: number, clock: Clock): Tabs {
  const flag = `${name}:written:`
  /** Lets go of each lock that is held. */
  const ends = new Set<() => void>()
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
  globalThis.addEventListener?.('pagehide', onHide)
  return {
    exclusively: (work, turn) => takeTurn(work, turn, [`${name}:refresh`, `${name}:refresh:2`]),
    close() {
      closed = true
      globalThis.removeEventListener?.('pagehide', onHide)
      letGo()
    },
  }

  function takeTurn<T>(work: () => Promise<T>, turn: Turn, [lock, ...further]: string[]): Promise<T> {
    const { signal } = turn
    // Absent on insecure origins. Without it, the look into the store before a refresh is the only guard.
    const locks = globalThis.navigator?.locks
    if (!locks || lock === undefined || signal.aborted) return work()
    return new Promise<T>((resolve, reject) => {
      const wait = new AbortController()
      const giveUp = () => wait.abort()
      let decided = false
      const stopWatching = watchHolder(locks, lock, giveUp, () => {
        decided = true
        reject(new AuthClientError('REFRESH_TIMEOUT', 'Other tabs try to refresh, and get no answer.'))
        giveUp()
      })
      // Left on: the signal lasts no longer than the refresh, and a wait that is over cannot be given up.
      signal.addEventListener('abort', giveUp)
      const request = locks.request(lock, { signal: wait.signal }, () => {
        decided = true
        stopWatching()
        return held(async () => {
          await catchUp(locks, turn)
          const result = work()
          resolve(result)
          await result.catch(() => {})
          await raiseFlag(locks, turn.written())
        })
      })
      request.catch(() => {
        stopWatching()
        // Given up; or locks cannot be had in this place (an opaque origin, blocked storage).
        if (!decided) resolve(takeTurn(work, turn, further))
      })
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
  function raiseFlag(locks: LockManager, written: string | undefined): Promise<void> {
    return new Promise((raised) => {
      // A client that is gone has ended nothing but its own part.
      if (closed || written === undefined) return raised()
      // A name of its own, should two tabs have written the same.
      const request = locks.request(`${flag}${written}/${Math.random()}`, () => {
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
      })
      request.catch(() => raised())
    })
  }

  /** Waits until the store shows what the flags say. Its news need no turn any more: `signal` ends the wait. */
  async function catchUp(locks: LockManager, { signal, shows }: Turn): Promise<void> {
    const flags = (await heldLocks(locks)).map((lock) => lock.name?.split(flag)[1]?.split('/')[0])
    if (signal.aborted || flags.every((written) => written === undefined || shows(written))) return
    await new Promise<void>((resolve) => {
      const end = () => {
        cancel()
        resolve()
      }
      const cancel = clock.setTimer(end, CATCH_UP_MS)
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
    giveUp: () => void,
    despair: () => void,
  ): () => void {
    let holder: string | undefined
    let looks = 0
    let looksAtHolder = 0
    let cancel = () => {}
    let stopped = false
    void look()
    return () => {
      stopped = true
      cancel()
    }

    async function look(): Promise<void> {
      const found = (await heldLocks(locks)).find((held) => held.name === lock)?.clientId
      if (stopped) return
      if (found !== holder) looksAtHolder = 0
      holder = found
      if (looksAtHolder++ === LOOKS) giveUp()
      else if (looks++ === 2 * LOOKS) despair()
      else cancel = clock.setTimer(look, patienceMs / LOOKS)
    }
  }
}

/** Who holds what, as far as it is told. */
async function heldLocks(locks: LockManager): Promise<LockInfo[]> {
  try {
    return (await locks.query()).held ?? []
  } catch {
    return []
  }
}
