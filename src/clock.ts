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

/** A timer that fires later than this was held up: the process or page was stopped, asleep or busy. */
const LATE_MS = 500

/** How long a limit that fires late waits on, so that an answer which has arrived meanwhile is read first. */
const CATCH_UP_MS = 1000

/**
 * Limits how long an answer is waited for: calls `expire` once after `limitMs`; returns what cancels it.
 * Where the process or page was stopped past the limit, its timer runs before the answer that waits in the socket (Node
 * http and fetch, Bun, Chromium, Firefox, WebKit). A limit that fires late therefore lets I/O come first.
 */
export function setLimit(clock: Clock, expire: () => void, limitMs: number): () => void {
  const dueAtMs = clock.nowMs() + limitMs
  let cancel = clock.setTimer(() => {
    if (clock.nowMs() - dueAtMs > LATE_MS) cancel = clock.setTimer(expire, CATCH_UP_MS)
    else expire()
  }, limitMs)
  return () => cancel()
}
