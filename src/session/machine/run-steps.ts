// How one refresh goes on: take a turn, look, ask, commit. Each function is what one event does to a run. Pure.
// Promise: whatever happens to a run, those who wait for it are released; a grant that was read is kept while it is of use.
import { REFUSED } from '../../stores/store.js'
import type { RefreshFailure } from '../failure.js'
import type { Credential } from './credential.js'
import { badGrant, notRenewable, spentElsewhere } from './reasons.js'
import { dropRun, isNeedless, isOvertaken, isUnusable, isWanted } from './run.js'
import {
  coolDown,
  createSessionState,
  isOutdated,
  noteSpent,
  renewSession,
  type SessionState,
} from './session-state.js'
import { end, startOtherSession } from './session-steps.js'
import { type EventOf, isOver, type RefreshRun, type Step } from './state.js'
import { isOtherUser } from './subject.js'

export function runStarted({ state, effects }: Step, { run }: EventOf<'runStarted'>): void {
  // Before anything else happens, so that whoever looks from now on joins it.
  state.run = run
  effects.push(
    { do: 'publish' },
    { do: 'emit', name: 'refreshStart', event: { reason: run.reason } },
    { do: 'takeTurn', run },
  )
}

/** The time counts from here: waiting for another tab's refresh has a limit of its own. */
export function turnTaken(step: Step, { run }: EventOf<'turnTaken'>): void {
  if (run.stage === 'queued') {
    run.startedAtMs = step.nowMs
    run.stage = 'looking'
    // Half of the time at the most, so that a store that hangs leaves enough for the refresh itself.
    step.effects.push({ do: 'look', run, part: 1 / 2, next: { type: 'looked', run } })
  } else finish(step, run)
}

export function looked(step: Step, { run }: EventOf<'looked'>): void {
  const { state, effects, nowMs } = step
  if (run.stage !== 'looking') return
  const { canRefresh } = state.rules
  // Also if it was adopted on a hint, while this tab waited for its turn.
  if (isNeedless(state, run, nowMs)) finish(step, run)
  else if (!canRefresh || isOutdated(run.session)) confirm(step, run, { error: notRenewable(canRefresh) })
  else {
    effects.push({ do: 'count', what: 'refreshes' })
    ask(step, run)
  }
}

/** With the newest refresh token there is: another tab, or the app, may have brought it since. */
function ask({ effects }: Step, run: RefreshRun): void {
  run.stage = 'asking'
  run.attempts++
  run.epoch = run.session?.epoch
  run.sent = run.session?.refreshToken
  effects.push({ do: 'ask', run })
}

export function failed(step: Step, event: EventOf<'failed'>): void {
  const { run, failure, credential, random, dueAtMs } = event
  const { state, effects, nowMs } = step
  if (credential) {
    // In the store before anything else, as every new token.
    keepRefreshToken(step, run, credential, { ...event, credential: undefined })
    return
  }
  const { limit, baseDelayMs } = state.rules.refreshRetry
  const { mayTryAgain, pauseMs = 0 } = failure
  const delayMs = Math.max(pauseMs, random * baseDelayMs * 2 ** (run.attempts - 1))
  const again = mayTryAgain && run.attempts <= limit && nowMs + delayMs < dueAtMs
  if (again && isWanted(state, run, nowMs)) {
    run.stage = 'pausing'
    run.failure = failure
    effects.push({ do: 'pause', run, delayMs })
  } else fail(step, run, failure)
}

export function paused(step: Step, { run }: EventOf<'paused'>): void {
  if (run.stage !== 'pausing' && run.stage !== 'abandoned') return
  // The pause may have outlived the session.
  if (isWanted(step.state, run, step.nowMs)) ask(step, run)
  else fail(step, run, run.failure)
}

function fail(step: Step, run: RefreshRun, failure: RefreshFailure | undefined): void {
  if (step.state.run !== run || isNeedless(step.state, run, step.nowMs)) finish(step, run)
  else if (failure?.error.code === 'SESSION_EXPIRED') confirm(step, run, failure)
  else finish(step, run, failure)
}

/** Another tab may have spent the refresh token a moment before: its newer tokens are in the store then. */
function confirm({ effects }: Step, run: RefreshRun, failure: RefreshFailure): void {
  run.stage = 'confirming'
  run.failure = failure
  effects.push({ do: 'look', run, part: 1 / 4, next: { type: 'confirmed', run } })
}

export function confirmed(step: Step, { run }: EventOf<'confirmed'>): void {
  const { state, effects, nowMs } = step
  const { session, failure, reason, startedAtMs } = run
  if (!failure || isMoot(step, run) || state.run !== run) finish(step, run)
  else if (session && isOutdated(session) && !isUnusable(state, session, nowMs)) {
    // The other tab could not store them: this one uses its access token to its end, and leaves the mark alone.
    finish(step, run, { error: spentElsewhere() })
  } else {
    const event = { reason, durationMs: nowMs - startedAtMs, error: failure.error }
    effects.push(
      { do: 'emit', name: 'refreshFailed', event },
      { do: 'next', event: { type: 'refused', run } },
    )
  }
}

export function refused(step: Step, { run }: EventOf<'refused'>): void {
  const { session, failure } = run
  // A listener may have brought newer tokens, or ended the session itself. One that could not be restored has not
  // ended: there was none.
  if (!isMoot(step, run) && session && !session.ended && failure) {
    if (!isOutdated(session)) step.effects.push({ do: 'clear', reason: REFUSED })
    end(step, session, 'refused', failure.error)
  }
  finish(step, run)
}

function isMoot({ state, nowMs }: Step, run: RefreshRun): boolean {
  return isNeedless(state, run, nowMs) || isOvertaken(state, run)
}

export function granted(step: Step, event: EventOf<'granted'>): void {
  const { run, credential } = event
  const { session, sent } = run
  const { accessToken, refreshToken } = credential
  if (isOvertaken(step.state, run)) {
    keepRefreshToken(step, run, credential, { type: 'finished', run })
  } else if (session?.rejected && accessToken && accessToken === session.accessToken) {
    const failure = { error: badGrant('the access token that was just refused') }
    keepRefreshToken(step, run, credential, { type: 'finished', run, failure })
  } else if (session && isOtherUser(session.subjects, credential.subjects)) {
    // Somebody may have signed out in the store meanwhile.
    step.effects.push({ do: 'look', part: 1 / 2, next: { ...event, type: 'replaced', session } })
  } else {
    if (session && refreshToken) noteSpent(session, sent, refreshToken)
    commit(step, run, session ?? createSessionState(event.newId), credential)
  }
}

function commit(step: Step, run: RefreshRun, session: SessionState, credential: Credential): void {
  const { state, effects, nowMs } = step
  if (isUnusable(state, session, nowMs)) run.revives = session
  // In memory at once: the old refresh token is spent, whatever becomes of the store.
  renewSession(session, credential)
  session.unproven = true
  // Overtakes every run that is still under way, this one included: its work is done.
  session.epoch++
  run.brought = 'grant'
  if (run.stage !== 'over') run.stage = 'saving'
  state.current = session
  effects.push({ do: 'save', session, next: { type: 'saved', run } })
}

export function replaced(step: Step, event: EventOf<'replaced'>): void {
  startOtherSession(step, event)
  if (event.run) finish(step, event.run)
}

export function saved(step: Step, { run }: EventOf<'saved'>): void {
  const { state, effects } = step
  if (state.run !== run) {
    // Late, and good all the same. What a later run asked with is spent.
    if (state.run && isOvertaken(state, state.run)) dropRun(step)
    effects.push({ do: 'publish' })
  }
  finish(step, run)
}

/** An answer of no use otherwise may still have replaced the refresh token: the one that was sent is spent. */
function keepRefreshToken(
  { state, effects }: Step,
  { session, sent }: RefreshRun,
  { refreshToken, subjects }: Credential,
  next: EventOf<'failed' | 'finished'>,
): void {
  const isOurs = session && !isOver(state, session) && !isOtherUser(session.subjects, subjects)
  if (refreshToken && isOurs && session.refreshToken === sent) {
    noteSpent(session, sent, refreshToken)
    session.refreshToken = refreshToken
    effects.push({ do: 'save', session, next })
  } else effects.push({ do: 'next', event: next })
}

export function finished(step: Step, { run, failure }: EventOf<'finished'>): void {
  finish(step, run, failure)
}

/** Ends the run and releases those who wait for it, once. */
function finish(step: Step, run: RefreshRun, result?: RefreshFailure): void {
  const { state, effects, nowMs } = step
  const { session, reason, brought, generation, startedAtMs } = run
  if (result) effects.push({ do: 'abort', run })
  effects.push({ do: 'release', run, afterWrites: true })
  state.abandoned = state.abandoned.filter((other) => other !== run)
  if (state.run !== run) return
  state.run = undefined
  run.stage = 'over'
  // A grant that has been read counts, even if its way into the store took too long.
  const failure = brought === 'nothing' ? result : undefined
  run.error = failure?.error
  const durationMs = nowMs - startedAtMs
  // Tokens that came in the meantime are not concerned by it.
  const isConcerned = session && session.generation === generation
  const coolDownMs =
    failure && isConcerned && coolDown(session as SessionState, failure.error, nowMs, failure.pauseMs)
  effects.push({ do: 'publish' })
  if (failure) {
    const event = { reason, durationMs, error: failure.error, ...(coolDownMs && { coolDownMs }) }
    effects.push({ do: 'emit', name: 'refreshFailed', event })
  } else if (brought !== 'nothing') {
    const event = { reason, durationMs, adopted: brought === 'adoption' }
    effects.push({ do: 'emit', name: 'refreshed', event })
  }
  effects.push({ do: 'open', run, afterWrites: true })
}
