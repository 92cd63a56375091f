// Who holds a lock, and for how long: the watch over a holder that is frozen or gone. Decides nothing about refreshes.
// Promise: nothing that the lock API does or does not do is waited for without a timer of ours.
import { type Clock, setLimit } from '../clock.js'
import { isObject } from '../errors.js'
import { listen } from '../listen.js'

/** How often a waiting tab looks who holds the lock, in parts of the time it gives one holder. */
const LOOKS = 4

/** How long it may take to say who holds what. */
const QUERY_MS = 1000

/** Timers of a hidden or busy tab may be late by so much, and it was not asleep. */
const LATE_MS = 1000

/** The browser's locks. A getter that throws counts as none. */
export function findLocks(): LockManager | undefined {
  try {
    return globalThis.navigator?.locks ?? undefined
  } catch {
    return undefined
  }
}

export function requestLock(
  locks: LockManager,
  name: string,
  options: LockOptions,
  work: () => Promise<void>,
): Promise<unknown> {
  return settle(() => locks.request(name, options, work))
}

/** Who holds what; `undefined` where the locks do not say. */
export type LockQuery = (locks: LockManager, clock: Clock) => Promise<LockInfo[] | undefined>

export function createLockQuery(): LockQuery {
  /** There was no answer in time, and there has been none since. */
  let isMute = false
  return async (locks, clock) => {
    if (isMute) return undefined
    return new Promise((resolve) => {
      const expire = () => {
        isMute = true
        resolve(undefined)
      }
      const cancel = setLimit(clock, expire, QUERY_MS)
      const answer = (held?: LockInfo[]) => {
        isMute = false
        cancel()
        resolve(held)
      }
      settle(() => locks.query()).then(
        (state) => answer(Array.isArray(state?.held) ? state.held.filter(isObject) : undefined),
        () => answer(),
      )
    })
  }
}

export function holderOf(lock: string, held: LockInfo[] | undefined): string | undefined {
  const found = held?.find(({ name }) => name === lock)
  return found && String(found.clientId)
}

export interface HolderWatch {
  lock: string
  held(): Promise<LockInfo[] | undefined>
  clock: Clock
  /** How long one holder is waited for. */
  timeoutMs: number
  /** One holder has had it for too long; `undefined`: nobody has, as far as is known. */
  giveUpOn(holder: string | undefined): void
  /**
   * Several in turn have, each alive and none of them successful: another attempt beside theirs would only send the same
   * refresh token twice.
   */
  giveUpOnAll(): void
}

/** Returns what stops it. */
export function watchHolder({
  lock,
  held,
  clock,
  timeoutMs,
  giveUpOn,
  giveUpOnAll,
}: HolderWatch): () => void {
  const stepMs = timeoutMs / LOOKS
  let holder: string | undefined
  let looks = 0
  let looksAtHolder = 0
  let sleeps = 0
  let lookedAtMs = clock.nowMs()
  let cancel = () => {}
  let isStopped = false
  void look()
  return () => {
    isStopped = true
    cancel()
  }

  async function look(): Promise<void> {
    const nowMs = clock.nowMs()
    // This tab was asleep, and so may the holder have been. Not for ever: hidden tabs have late timers only.
    const hasSlept = nowMs - lookedAtMs > stepMs + LATE_MS && sleeps++ < LOOKS
    lookedAtMs = nowMs
    // Set first: whoever is asked may never answer.
    cancel = setLimit(clock, look, stepMs)
    const found = holderOf(lock, await held())
    if (isStopped || hasSlept) return
    if (found !== holder) looksAtHolder = 0
    holder = found
    if (looksAtHolder++ === LOOKS) giveUpOn(found)
    else if (looks++ === 2 * LOOKS) giveUpOnAll()
  }
}

/**
 * Holds a lock until `task` is done, or until the page goes to the back/forward cache: it must not take a lock along. A
 * page that goes for good keeps it: its refresh may still be answered and saved, after its last event by as much as half a
 * second (Chromium), and another tab that asked in that time would send the same refresh token. The browser frees the
 * lock when there is no page left to save anything.
 */
export function whilePageStays(task: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      stop()
      resolve()
    }
    const stop = listen(globalThis, 'pagehide', ({ persisted }: Partial<PageTransitionEvent>) => {
      if (persisted !== false) end()
    })
    task.then(end, end)
  })
}

/** Runs it at once; what it throws is a rejection. */
async function settle<T>(run: () => T): Promise<Awaited<T>> {
  return await run()
}
