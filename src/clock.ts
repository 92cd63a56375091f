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
export const LATE_MS = 500

/** How long a limit that fires late waits on, so that an answer which has arrived meanwhile is read first. */
const CATCH_UP_MS = 1000

/** How long an answer is waited for. */
export interface Limit {
  readonly dueAtMs: number
  cancel(): void
  /** Does not wait any longer. */
  expire(): void
  /** Gives the whole time again. */
  restart(): void
  /** Whether it has fired late, so that little time is left. */
  readonly wasLate: boolean
  /** For those who join the wait: a runtime such as workerd drops the timers of an event that has ended. */
  look(): void
}

/**
 * Calls `expire` once after `limitMs`. Where the process or page was stopped past the limit, its timer runs before the
 * answer that waits in the socket (Node http and fetch, Bun, Chromium, Firefox, WebKit). A limit that fires late
 * therefore lets I/O come first.
 */
export function createLimit(clock: Clock, expire: () => void, limitMs: number): Limit {
  let cancel = () => {}
  const isLate = () => clock.nowMs() - limit.dueAtMs > LATE_MS
  const arm = (delayMs: number, wasLate: boolean) => {
    cancel()
    limit.wasLate = wasLate
    limit.dueAtMs = clock.nowMs() + delayMs
    cancel = clock.setTimer(() => {
      // Once: a page in the background fires every timer late.
      if (isLate() && !limit.wasLate) catchUp()
      else expire()
    }, delayMs)
  }
  const catchUp = () => arm(CATCH_UP_MS, true)
  const restart = () => arm(limitMs, false)
  const limit = {
    dueAtMs: 0,
    wasLate: false,
    cancel: () => cancel(),
    expire() {
      cancel()
      expire()
    },
    restart,
    look() {
      if (isLate()) catchUp()
    },
  }
  restart()
  return limit
}

/** {@link createLimit} for a wait that nobody joins; returns what cancels it. */
export function setLimit(clock: Clock, expire: () => void, limitMs: number): () => void {
  return createLimit(clock, expire, limitMs).cancel
}
