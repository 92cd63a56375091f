// The state machine: what an event does to the state, and the effects that are to follow, in their order. Pure: it touches
// nothing but the state it is given, and the same event in the same state has always the same effects.
import * as run from './run-steps.js'
import * as session from './session-steps.js'
import type { Effect, SessionEvent, State, Step } from './state.js'

const STEPS: { readonly [Type in SessionEvent['type']]: (step: Step, event: never) => void } = Object.freeze({
  loaded: session.loaded,
  found: session.found,
  signedIn: session.signedIn,
  signedOut: session.signedOut,
  updated: session.updated,
  stored: session.stored,
  online: session.online,
  disposed: session.disposed,
  runStarted: run.runStarted,
  turnTaken: run.turnTaken,
  looked: run.looked,
  granted: run.granted,
  failed: run.failed,
  paused: run.paused,
  confirmed: run.confirmed,
  refused: run.refused,
  replaced: run.replaced,
  saved: run.saved,
  finished: run.finished,
})

export function step(state: State, event: SessionEvent, nowMs: number): readonly Effect[] {
  const effects: Effect[] = []
  STEPS[event.type]({ state, nowMs, effects }, event as never)
  return effects
}
