// Makes the session known outside: its snapshot, the events, the hook at its end.
// Promise: nothing goes out any more once the client is disposed of.
import type { Events, SessionEnd } from '../events.js'
import type { SessionState } from './machine/session-state.js'
import type { Effect, State } from './machine/state.js'
import { type AuthSnapshot, snapshotOf } from './snapshot.js'

export interface Publisher {
  publish(): void
  emit(effect: Extract<Effect, { do: 'emit' }>): void
  end(end: SessionEnd): void
  silence(): void
  snapshot(): AuthSnapshot
}

export function createPublisher(
  state: State,
  events: Events,
  isLoading: () => boolean,
  onSessionEnd: ((end: SessionEnd) => unknown) | undefined,
): Publisher {
  let snapshot = snapshotOf(undefined, false, false)
  let isSilent = false
  return {
    publish() {
      if (isSilent) return
      const last = snapshot
      snapshot = snapshotOf(state.current, isLoading(), !!state.run, last)
      if (snapshot !== last) events.emit('change', snapshot)
    },
    emit({ name, event }) {
      if (!isSilent) events.emit(name, event)
    },
    end(end) {
      if (isSilent) return
      events.emit('sessionEnd', end)
      events.guard(() => onSessionEnd?.(end))
    },
    silence() {
      isSilent = true
    },
    snapshot: () => snapshot,
  }
}

/** The same in every place where a page is rendered: server and browser received the tokens at different times. */
export function serverSnapshotOf(given: SessionState | undefined): AuthSnapshot {
  return snapshotOf(given && { ...given, expiresAtMs: undefined }, true, false)
}
