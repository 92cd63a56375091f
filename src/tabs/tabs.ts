// One refresh for all tabs that share a store. Knows no tokens: it only decides whose turn it is.
// Promise: work is always done, and never waits for a tab that is gone or asleep longer than the time it is given.
import type { Clock } from '../clock.js'
import { AuthClientError } from '../errors.js'

/** The other tabs that share a store, as far as a refresh is concerned. */
export interface Tabs {
  /**
   * Runs `work` while no other tab runs its own, as far as that can be had. Settles as `work` does. An aborted `signal`
   * ends the wait for a turn, not the work. `hasWritten`: whether the work may have changed the store.
   * @throws {AuthClientError} code `REFRESH_TIMEOUT` when others had their turns, and there was none for this tab.
   */
  exclusively<T>(work: () => Promise<T>, signal: AbortSignal, hasWritten: () => boolean): Promise<T>
  /** Lets go of what is still held, and leaves no timer. */
  close(): void
}

/** There is no other tab: the store is not shared. */
export function soloTab(): Tabs {
  return { exclusively: (work) => work(), close() {} }
}

/**
 * How long the lock is kept after a refresh. Measured in Chromium: a lock can reach the next tab before what was written
 * to localStorage under it does, on a busy machine by more than 100 ms, and that tab would refresh with a token that is
 * spent. It costs nobody time: tabs that wait leave the queue as soon as they hear of the new tokens.
 */
const LINGER_MS = 1000

/** How often a waiting tab looks who holds the lock, in parts of its patience. */
const LOOKS = 4

/**
 * The tabs of one browser, by Web Locks. `patienceMs`: how long one holder is waited for. One that takes longer is frozen
 * or worse, and is passed: those who give up on it take the next lock the same way, so that they do not race each other.
 * Nothing is stolen: the work of a robbed holder would go on all the same.
 */
export function lockedTabs(name: string, patienceMs: number, clock: Clock): Tabs {
  /** Lets go of each lock that is held. */
  const ends = new Set<() => void>()
  const letGo = () => {
    for (const end of [...ends]) end()
  }
  // A page must not take a lock along into the back/forward cache.
  globalThis.addEventListener?.('pagehide', letGo)
  return {
    exclusively: (work, signal, hasWritten) =>
      takeTurn(work, signal, hasWritten, [`${name}:refresh`, `${name}:refresh:2`]),
    close() {
      globalThis.removeEventListener?.('pagehide', letGo)
      letGo()
    },
  }

  function takeTurn<T>(
    work: () => Promise<T>,
    signal: AbortSignal,
    hasWritten: () => boolean,
    [lock, ...further]: string[],
  ): Promise<T> {
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
      const stopWaiting = () => {
        stopWatching()
        signal.removeEventListener('abort', giveUp)
      }
      signal.addEventListener('abort', giveUp)
      const request = locks.request(lock, { signal: wait.signal }, async () => {
        decided = true
        stopWaiting()
        await nextTask()
        const turn = work()
        resolve(turn)
        await over(turn, hasWritten)
      })
      request.catch(() => {
        stopWaiting()
        // Given up; or locks cannot be had in this place (an opaque origin, blocked storage).
        if (!decided) resolve(takeTurn(work, signal, hasWritten, further))
      })
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
      const found = await holderOf(locks, lock).catch(() => undefined)
      if (stopped) return
      if (found !== holder) looksAtHolder = 0
      holder = found
      if (looksAtHolder++ === LOOKS) giveUp()
      else if (looks++ === 2 * LOOKS) despair()
      else cancel = clock.setTimer(look, patienceMs / LOOKS)
    }
  }

  async function holderOf(locks: LockManager, lock: string): Promise<string | undefined> {
    const { held } = await locks.query()
    return held?.find(({ name }) => name === lock)?.clientId
  }

  /** Resolves when the lock is no longer needed. */
  function over(turn: Promise<unknown>, hasWritten: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      let cancel = () => {}
      const end = () => {
        cancel()
        ends.delete(end)
        resolve()
      }
      const linger = () => {
        if (ends.has(end) && hasWritten()) cancel = clock.setTimer(end, LINGER_MS)
        else end()
      }
      ends.add(end)
      turn.then(linger, linger)
    })
  }
}

/** One task later, for news of the store that stand in line behind the lock. No timer: hidden tabs get theirs late. */
function nextTask(): Promise<void> {
  // Every browser has it; where tests stand in for one, there is no other process to wait for.
  if (!globalThis.MessageChannel) return Promise.resolve()
  const { port1, port2 } = new MessageChannel()
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}
