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
      const timer = setTimeout(callback, delayMs)
      return () => clearTimeout(timer)
    },
  }
}
