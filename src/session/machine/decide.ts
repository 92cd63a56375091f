// What somebody who needs a token may do now, and what the server's answers to a token mean. Pure.
import type { AuthClientError } from '../../errors.js'
import type { RefreshReason } from '../../events.js'
import { isUnusable } from './run.js'
import {
  coolingDown,
  isExpired,
  isOutdated,
  isRefreshingExcessively,
  isShort,
  isStale,
  learnAttainable,
  noteFreshRejected,
  type SessionState,
} from './session-state.js'
import type { RefreshRun, State } from './state.js'

/** Who needs a token: a request, or a call of `getAccessToken`. */
export interface Waiter {
  /** The refresh it has started. One that asked the endpoint counts against it; one that only adopted does not. */
  started: { readonly attempts: number } | undefined
  /** It has waited for a refresh, so its token is fresh. */
  waited: boolean
  /** It may start a second refresh, because the token of the first ran out on the way into the store or to the server (G8). */
  mayStartAgain?: boolean
  /** How often its request went out. */
  readonly sent?: number
  /** How many refreshes it has started and waited for. */
  joined?: number
}

/** How many refreshes one call waits for at the most; each has ended in tokens that are of no use to it. */
export const MOST_REFRESHES = 5

export type Decision =
  /** The token may go out. */
  | { do: 'send' }
  /** It may not, and this waiter has had its refresh: the answer it has is the one to pass on. */
  | { do: 'pass' }
  | { do: 'wait'; run: RefreshRun }
  | { do: 'refresh'; reason: RefreshReason }
  | { do: 'fail'; error: AuthClientError }

const SEND: Decision = Object.freeze({ do: 'send' })
const PASS: Decision = Object.freeze({ do: 'pass' })

/** @param minValidityMs for how long the token is to be valid, if one refresh can bring one that is */
export function decide(
  state: State,
  session: SessionState,
  waiter: Waiter,
  nowMs: number,
  minValidityMs: number,
): Decision {
  if (session.ended) return { do: 'fail', error: session.ended }
  const isTooShort = !waiter.waited && state.rules.canRefresh && isShort(session, nowMs, minValidityMs)
  const unusable = isUnusable(state, session, nowMs)
  if (!isTooShort && !unusable) return SEND
  if (state.run) return { do: 'wait', run: state.run }
  const error = coolingDown(session, nowMs)
  if (error) return { do: 'fail', error }
  // Without an answer to pass on: what it has brought may have run out while it was on its way into the store.
  if (hasHadItsRefresh(waiter, !waiter.sent && isExpired(session, nowMs))) return PASS
  // A store may bring other tokens at each look.
  if ((waiter.joined ?? 0) >= MOST_REFRESHES) return unusable ? PASS : SEND
  return { do: 'refresh', reason: session.rejected ? 'refused' : unusable ? 'expired' : 'asked' }
}

function hasHadItsRefresh({ started, mayStartAgain }: Waiter, hasRunOut = false): boolean {
  return !!started?.attempts && !(mayStartAgain ?? hasRunOut)
}

/** The waiter starts a refresh. */
export function noteStarted(waiter: Waiter, run: RefreshRun): void {
  waiter.joined = (waiter.joined ?? 0) + 1
  if (waiter.started?.attempts) waiter.mayStartAgain = false
  waiter.started = run
}

/** The wait for a run is over. @throws {AuthClientError} what it failed with, where that is about this session's token */
export function noteWaited(
  session: SessionState,
  waiter: Waiter,
  run: RefreshRun,
  generation: number,
  minValidityMs: number,
): void {
  waiter.waited = run.attempts > 0
  if (run.error && session.generation === generation && !session.ended) throw run.error
  if (run !== waiter.started) return
  // Somebody else was faster between its attempts: what they brought is not what it was started for.
  if (run.brought === 'adoption') waiter.started = undefined
  else if (run.attempts) learnAttainable(session, minValidityMs)
}

/** Whether a token is to be renewed in the background, while requests go on using it. */
export function isToBeRenewed({ rules, run }: State, session: SessionState, nowMs: number): boolean {
  if (!rules.canRefresh || session.ended || run || !isStale(session, nowMs)) return false
  return !coolingDown(session, nowMs) && !isOutdated(session)
}

/** Whether waiting can bring a better token, instead of the failure that is known already. */
export function mayHelp(state: State, session: SessionState, nowMs: number): boolean {
  return !session.ended && (!isUnusable(state, session, nowMs) || !!state.run || !coolingDown(session, nowMs))
}

/** The server rejected the token of `generation`. Returns whether waiting can lead to a better one. */
export function noteRejected(
  state: State,
  session: SessionState,
  generation: number,
  waiter: Waiter,
  nowMs: number,
): boolean {
  if (session.ended || session.generation !== generation) return true
  if (isExpired(session, nowMs)) {
    if (waiter.started?.attempts) waiter.mayStartAgain ??= true
  } else if (session.unproven && waiter.waited) noteFreshRejected(session, nowMs)
  if (isRefreshingExcessively(session, nowMs)) {
    session.rejected = false
    return false
  }
  // A fresh token that one endpoint rejects is not proven useless: the answer is passed on and nothing is noted, or every
  // such answer would cost the next request a refresh. Where a failure is known, it costs nothing and explains the 401.
  const isKnown = state.run || session.rejected || coolingDown(session, nowMs)
  if (hasHadItsRefresh(waiter) && !isKnown) return false
  session.rejected = true
  return true
}

/** The server accepted a token that its request had waited for. */
export function noteAccepted(session: SessionState, generation: number): void {
  if (session.generation !== generation) return
  session.unproven = false
  session.freshRejectedAtMs = []
}
