// Owns time in tests: the client's `clock` option and the auth server's clock, moved by hand.
// Promise: nothing fires except during `advance`, in order of due time, then of creation.
import type { Clock } from '../index.js'
import { nextTask } from './real-time.js'

/** A clock that stands still until the test moves it: for the client's `clock` option, and for the auth server. */
export interface ManualClock extends Clock {
  /**
   * Moves time and fires the timers that come due, in order; what they wake in this process runs in between. An answer
   * of the network is not waited for.
   */
  advance(ms: number): Promise<void>
  /**
   * Moves time without firing anything: a laptop that slept, or, with a negative `ms`, a clock that was set back. As real
   * ones, timers that came due in a sleep fire at the next `advance`, and a clock that is set back puts none of them off.
   */
  jump(ms: number): void
  /** How many timers are set. */
  readonly pending: number
  /** Milliseconds until the next timer is due; `undefined` when none is set. */
  readonly nextInMs: number | undefined
}

/** Above this the timers of browsers and Node overflow and fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

/**
 * Makes a clock that only the test moves.
 * @param startAtMs milliseconds since the epoch; default: 1 January 2025, UTC
 */
export function createManualClock(startAtMs: number = Date.UTC(2025, 0, 1)): ManualClock {
  let nowMs = startAtMs
  /** Where the `advance` calls so far lead: two that overlap add up. */
  let targetMs = startAtMs
  const timers = new Set<{ dueAtMs: number; callback: () => void }>()

  function next() {
    // Sorting is stable: timers of one moment stay in order of creation.
    return [...timers].sort((one, other) => one.dueAtMs - other.dueAtMs)[0]
  }

  return {
    nowMs: () => nowMs,
    setTimer(callback, delayMs) {
      if (Number.isNaN(delayMs) || delayMs > LONGEST_DELAY_MS) {
        throw new RangeError(`setTimer: a real timer of ${delayMs} ms would fire at once.`)
      }
      const timer = { dueAtMs: nowMs + Math.max(0, delayMs), callback }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async advance(ms) {
      if (!(ms >= 0)) {
        throw new RangeError(
          `advance(${ms}): expected 0 or more milliseconds. To set a clock back, use jump().`,
        )
      }
      targetMs = Math.max(nowMs, targetMs) + ms
      await nextTask()
      for (let timer = next(); timer && timer.dueAtMs <= targetMs; timer = next()) {
        timers.delete(timer)
        nowMs = Math.max(nowMs, timer.dueAtMs)
        timer.callback()
        await nextTask()
      }
      nowMs = Math.max(nowMs, targetMs)
    },
    jump(ms) {
      nowMs += ms
      if (ms >= 0) return
      targetMs += ms
      for (const timer of timers) timer.dueAtMs += ms
    },
    get pending() {
      return timers.size
    },
    get nextInMs() {
      const timer = next()
      return timer && Math.max(0, timer.dueAtMs - nowMs)
    },
  }
}
