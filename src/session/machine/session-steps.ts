// How sessions begin, go on with newer tokens, and end: what each event of the app and of the store does. Pure.
import type { AuthClientError } from '../../errors.js'
import type { SessionEndReason } from '../../events.js'
import type { Credential } from './credential.js'
import { refusedElsewhere, sessionChanged, signedOutElsewhere, signedOutHere } from './reasons.js'
import { dropForAnother, dropRun, isNeedless, isOvertaken, wake } from './run.js'
import {
  createSessionState,
  isNewer,
  noteOutdated,
  renewSession,
  type SessionState,
} from './session-state.js'
import { type EventOf, isOver, type Step } from './state.js'
import { isOtherUser } from './subject.js'

/** As many ended sessions are remembered as a store or another tab may still come up with. */
const REMEMBERED_SESSIONS = 100

/** The session that this client starts with: the stored one, or that of the tokens it was given. */
export function loaded(step: Step, { found, given }: EventOf<'loaded'>): void {
  const { state, effects } = step
  if (state.phase !== 'loading') return
  state.phase = 'ready'
  if (found?.credential && found.record) enter(step, found.record.sessionId, found.credential)
  else {
    state.current = given
    // A store that failed, or holds what this version cannot read, is not written over by what was only known at start.
    if (found && given) effects.push({ do: 'save', session: given, directly: true })
  }
  effects.push({ do: 'publish' })
}

/** Brings what is known here in line with what the store says. */
export function found(step: Step, news: EventOf<'found'>): void {
  const { state, effects } = step
  const { record, credential, refused } = news
  const before = state.current
  if (state.phase !== 'ready') return
  if (record && before && record.sessionId === before.id) {
    if (!record.tokens) noteOutdated(before, record.version)
    else if (credential && (news.isConflict || isNewer(record, before))) follow(step, before, credential)
    return
  }
  // What a failed write of ours has left there is not the truth; nor is what was there before anything was known of it.
  if (!(news.news ?? !before)) return
  if (record && state.endedIds.includes(record.sessionId)) return
  // Or they would bring back what is over.
  effects.push({ do: 'dropWrites' })
  if (record?.tokens && credential) enterInstead(step, record.sessionId, credential)
  else if (before && refused) end(step, before, 'refused', refusedElsewhere(), true)
  else if (before && record) end(step, before, 'replaced-elsewhere', sessionChanged(), true)
  else if (before) end(step, before, 'signed-out-elsewhere', signedOutElsewhere(), true)
}

/** Another tab has renewed our session, or somebody else has signed in under its name. */
function follow(step: Step, session: SessionState, credential: Credential): void {
  if (isOtherUser(session.subjects, credential.subjects)) enterInstead(step, session.id, credential)
  else adopt(step, session, credential)
}

function adopt(step: Step, session: SessionState, credential: Credential): void {
  const { state, effects, nowMs } = step
  const isSpent = session.spent.includes(credential.refreshToken ?? '')
  renewSession(session, isSpent ? { ...credential, refreshToken: undefined } : credential)
  // Whoever wrote that did not know of the newer one, nor did the store.
  if (isSpent) effects.push({ do: 'save', session, directly: true })
  // Also where the refresh token is the same: the tokens of a run that began before are older than these.
  session.epoch++
  effects.push({ do: 'count', what: 'adopted' })
  if (state.run && isNeedless(state, state.run, nowMs)) state.run.brought = 'adoption'
  effects.push({ do: 'publish' })
  wake(step)
}

function enter({ state }: Step, id: string, credential: Credential): void {
  state.current = createSessionState(id, credential)
}

/** Takes a record of somebody else's session, or of another session, in the place of the current one. */
function enterInstead(step: Step, id: string, credential: Credential): void {
  const before = step.state.current
  dropForAnother(step)
  enter(step, id, credential)
  if (before) end(step, before, 'replaced-elsewhere', sessionChanged(), true)
  step.effects.push({ do: 'publish' })
}

export function signedIn(step: Step, { session }: EventOf<'signedIn'>): void {
  startSession(step, session, 'replaced')
  settle(step)
}

export function signedOut(step: Step): void {
  const { state, effects } = step
  const session = state.current
  const reason = decide(step, signedOutHere())
  dropRun(step)
  // An app that learns at once of its emptied store must not send the token once more.
  if (session) session.ended = reason
  effects.push({ do: 'clear', byUser: true })
  if (session) end(step, session, 'signed-out', reason)
  settle(step)
}

/** Newer tokens for a session, from elsewhere than our own refresh. */
export function updated(step: Step, event: EventOf<'updated'>): void {
  const { session, credential, byApp, newId } = event
  if (!isOtherUser(session.subjects, credential.subjects)) {
    renewSession(session, credential)
    step.effects.push({ do: 'save', session, next: { type: 'stored', session, version: session.version } })
  } else if (byApp) startSession(step, createSessionState(newId, credential), 'replaced')
  else {
    // Somebody may have signed out in the store meanwhile.
    step.effects.push({ do: 'look', part: 1 / 2, next: { type: 'replaced', session, credential, newId } })
  }
}

export function stored(step: Step, { session, version }: EventOf<'stored'>): void {
  const { run, current } = step.state
  // What is on its way into the store since, a grant of the run's own too, releases them itself once it is there.
  if (run && run.stage !== 'saving' && session === current && session.version === version) {
    // With a new refresh token, what the run was asking with is spent.
    if (isOvertaken(step.state, run)) dropRun(step)
    else wake(step)
  }
  step.effects.push({ do: 'publish' })
}

/** The server has brought another user's tokens. */
export function startOtherSession(step: Step, { session, credential, newId }: EventOf<'replaced'>): void {
  if (isOver(step.state, session)) return
  startSession(step, createSessionState(newId, credential), 'replaced-elsewhere')
}

/** A session in the place of the one there is. */
function startSession(step: Step, session: SessionState, reason: 'replaced' | 'replaced-elsewhere'): void {
  const { state, effects } = step
  const before = state.current
  dropForAnother(step)
  const error = decide(step, sessionChanged())
  state.current = session
  // Before anybody learns of it: what they do about it looks into the store.
  effects.push({ do: 'save', session, directly: true, byUser: reason === 'replaced' })
  if (before) end(step, before, reason, error)
}

/** It is decided here who is signed in: a call from before belongs to somebody else. */
function decide({ state }: Step, error: AuthClientError): AuthClientError {
  state.decisions++
  state.decision = error
  return error
}

/** From now on it is known who is signed in. */
function settle({ state, effects }: Step): void {
  if (state.phase === 'loading') state.phase = 'ready'
  effects.push({ do: 'ready' })
}

/** Ends a session for everybody here: no one gets at its tokens any more, and it cannot come back. */
export function end(
  step: Step,
  session: SessionState,
  reason: SessionEndReason,
  error: AuthClientError,
  isElsewhere = false,
): void {
  const { state, effects } = step
  session.ended = error
  state.endedIds = [session.id, ...state.endedIds].slice(0, REMEMBERED_SESSIONS)
  if (state.current === session) state.current = undefined
  dropRun(step)
  effects.push({ do: 'publish' }, { do: 'end', end: { reason, error }, isElsewhere })
}

/** The network is back: failures of before say nothing about now. */
export function online({ state }: Step): void {
  if (state.current) state.current.coolDown = undefined
}

export function disposed(step: Step, { error }: EventOf<'disposed'>): void {
  const { state, effects } = step
  const { current, run } = state
  state.phase = 'disposed'
  state.disposal = error
  // The session itself goes on in the store, so this is no end that anybody is notified of.
  if (current) current.ended = error
  // What a refresh brings that has asked already still goes into the store: it would hold a spent token otherwise.
  if (run?.attempts && run.session) {
    state.run = undefined
    effects.push({ do: 'endPause', run }, { do: 'open', run })
  }
  dropForAnother(step)
  effects.push({ do: 'ready' })
}
