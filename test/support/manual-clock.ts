// Owns the client's time in tests: the shape of the library's `clock` option, moved by hand.
// Refuses delays that a real timer would silently turn into "at once".
// Promise: nothing fires except during `advance`, in order of due time, then of creation.

import { microtasksDone } from './real-time.js'

/** The library's `clock` option, with handles for the test. */
export interface ManualClock {
  nowMs(): number
  /** Calls `callback` once when `advance` has passed `delayMs`; returns what cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void
  /** Moves time, firing due timers in order; everything they wake in this process runs in between. */
  advance(ms: number): Promise<void>
  /** Moves time without firing anything (a laptop asleep, a clock set by hand); negative is allowed. */
  jump(ms: number): void
  /** How many timers are set. */
  readonly pending: number
  /** Milliseconds until the next timer is due, `undefined` when none is set. */
  readonly nextInMs: number | undefined
}

/** Above this a browser's or Node's `setTimeout` overflows and fires at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

interface Timer {
  dueAtMs: number
  callback: () => void
}

/** @param startMs milliseconds since the epoch; the default is fixed, and unlike any server's clock. */
export function createManualClock(startMs: number = Date.UTC(2025, 0, 1)): ManualClock {
  let nowMs = startMs
  const timers = new Set<Timer>()

  function next(): Timer | undefined {
    let first: Timer | undefined
    for (const timer of timers) if (!first || timer.dueAtMs < first.dueAtMs) first = timer
    return first
  }

  return {
    nowMs: () => nowMs,
    setTimer(callback, delayMs) {
      if (Number.isNaN(delayMs) || delayMs > LONGEST_DELAY_MS) {
        throw new RangeError(`setTimer(${delayMs} ms): a real timer would fire at once`)
      }
      const timer = { dueAtMs: nowMs + Math.max(0, delayMs), callback }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async advance(ms) {
      const targetMs = nowMs + ms
      await microtasksDone()
      for (let timer = next(); timer && timer.dueAtMs <= targetMs; timer = next()) {
        timers.delete(timer)
        nowMs = Math.max(nowMs, timer.dueAtMs)
        timer.callback()
        await microtasksDone()
      }
      nowMs = Math.max(nowMs, targetMs)
    },
    jump(ms) {
      nowMs += ms
    },
    get pending() {
      return timers.size
    },
    get nextInMs() {
      const timer = next()
      return timer && timer.dueAtMs - nowMs
    },
  }
}
