// The only source of time: replaced as a whole in tests, so that no test ever sleeps.

/** Time as the client sees it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number
  /** Calls `callback` once after `delayMs` milliseconds; returns what cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void
}

/** 32 bits, in every engine: with more, a timer fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

export function realClock(): Clock {
  return {
    nowMs: () => Date.now(),
    setTimer(callback, delayMs) {
      const timer = setTimeout(callback, Math.min(delayMs, LONGEST_TIMER_MS))
      return () => clearTimeout(timer)
    },
  }
}
