// The only source of time: replaced as a whole in tests, so that no test ever sleeps.

/** Time as the client sees it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number
  /** Calls `callback` once after `delayMs` milliseconds; returns what cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void
}

export function realClock(): Clock {
  return {
    nowMs: () => Date.now(),
    setTimer(callback, delayMs) {
      // More than 32 bits of milliseconds would be none.
      const timer = setTimeout(callback, Math.min(delayMs, 2 ** 31 - 1))
      return () => clearTimeout(timer)
    },
  }
}
