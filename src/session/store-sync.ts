// Brings the session and the store in line, both ways: takes up what others have written, writes what is new here.
// Promise: nothing here rejects; a synchronous store is read and written at once, in the turn of the call.

import type { SessionRecord } from '../stores/store.js'
import type { Found, GuardedStore } from './guarded-store.js'
import type { Credential } from './machine/credential.js'
import { isNewer, isOutdated, recordOf } from './machine/session-state.js'
import { type Effect, type FoundInStore, isOver, type SessionEvent, type State } from './machine/state.js'

export interface StoreSyncDeps {
  state: State
  store: GuardedStore
  read(record: SessionRecord): Credential
  dispatch(event: SessionEvent): unknown
}

export interface StoreSync {
  /** The first look. */
  load(): FoundInStore | undefined | Promise<FoundInStore | undefined>
  /** Takes up what the store holds, for `limitMs` at the most where it answers later. */
  look(limitMs?: number): void | Promise<void>
  /** The same for a store that answers at once; any other is not asked. */
  glance(): void
  save(effect: Extract<Effect, { do: 'save' }>): void | Promise<void>
  clear(effect: Extract<Effect, { do: 'clear' }>): void | Promise<void>
}

export function createStoreSync({ state, store, read, dispatch }: StoreSyncDeps): StoreSync {
  return {
    load() {
      const found = store.read()
      return found instanceof Promise ? found.then(understand) : understand(found)
    },
    look,
    glance: () => takeUp(store.glance()),
    save({ session, byUser = false, directly = false }) {
      const write = () => {
        // A disposed client still stores what it has fetched; one whose session has ended does not. Where another tab has
        // the newer tokens, its mark stays.
        if (byUser || !(isOver(state, session) || isOutdated(session)))
          return meet(store.save(recordOf(session), byUser))
      }
      // Somebody may have signed out in the store meanwhile; or what is there now is not to be replaced.
      const looked = !directly && store.needsLook() && look(state.rules.refreshTimeoutMs / 2)
      return looked ? looked.then(write) : write()
    },
    clear: ({ reason, byUser }) => meet(store.clear(reason, byUser)),
  }

  function look(limitMs?: number): void | Promise<void> {
    return meet(store.read(limitMs))
  }

  /** What was looked for, or stood in the way of a write, counts. */
  function meet(found: Found | Promise<Found>): void | Promise<void> {
    return found instanceof Promise ? found.then(takeUp) : takeUp(found)
  }

  function takeUp(found: Found): void {
    try {
      if (found && state.phase === 'ready' && !isKnown(found)) {
        dispatch({ type: 'found', ...(understand(found) as FoundInStore) })
      }
    } catch (error) {
      // It was not taken up: the next look must find it again.
      store.forget()
      throw error
    }
  }

  /** As after nearly every look: the session that we have, with its tokens or older ones. */
  function isKnown({ record, isConflict }: NonNullable<Found>): boolean {
    const { current } = state
    return !isConflict && !!record?.tokens && record.sessionId === current?.id && !isNewer(record, current)
  }

  function understand(found: Found): FoundInStore | undefined {
    const { tokens } = found?.record ?? {}
    return found && { ...found, credential: tokens && read(found.record as SessionRecord) }
  }
}
