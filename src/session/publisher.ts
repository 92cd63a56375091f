// Makes the session known outside: its snapshot, the events, the hook at its end.
// Promise: nothing goes out any more once the client is disposed of.
import type { Events, SessionEnd } from '../events.js'
import type { Placement } from '../placements/placement.js'
import type { SessionState } from './machine/session-state.js'
import type { Effect, State } from './machine/state.js'
import { type AuthSnapshot, snapshotOf } from './snapshot.js'

export interface Publisher {
  publish(): void
  emit(effect: Extract<Effect, { do: 'emit' }>): void
  end(effect: Extract<Effect, { do: 'end' }>): void
  silence(): void
  snapshot(): AuthSnapshot
}

/** Who is notified. */
export interface PublisherDeps {
  events: Events
  place: Pick<Placement, 'sessionEnded'>
  onSessionEnd?: ((end: SessionEnd) => unknown) | undefined
}

export function createPublisher(
  state: State,
  isLoading: () => boolean,
  { events, place, onSessionEnd }: PublisherDeps,
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
    end({ end, isElsewhere }) {
      if (isSilent) return
      events.emit('sessionEnd', end)
      events.guard(() => onSessionEnd?.(end))
      // Last: whoever is notified may still need what the placement keeps.
      if (!isElsewhere) events.guard(() => place.sessionEnded?.(end.reason))
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
