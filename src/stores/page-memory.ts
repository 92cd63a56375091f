// Keeps the session in this page only: a reload signs out, and a script injected later finds nothing to read.
import { createHints, type Hints } from './hints.js'
import { type Exclusively, mayReplace, type REFUSED, type StoredRecord, type TokenStore } from './store.js'
import { createTurns } from './turns.js'

export interface PageMemory extends TokenStore {
  exclusively: Exclusively
  subscribe: Hints['subscribe']
  /** Puts something else there, and says so to everybody who listens. */
  change(value: StoredRecord | undefined): void
}

/** The default store. Clients that are handed one of them take turns, and are notified of each other's changes. */
export function createPageMemory(): PageMemory {
  let kept: StoredRecord | typeof REFUSED | undefined
  const hints = createHints()
  const put = (value: typeof kept) => {
    kept = value
    // Of two clients, whoever has written it finds nothing new.
    if (hints.count() > 1) hints.announce()
  }
  return {
    exclusively: createTurns(),
    load: () => kept,
    save: (record, options) => mayReplace(kept, options) && put(record),
    // The reason is for another client, where there is one.
    clear: (reason, options) => mayReplace(kept, options) && put(hints.count() > 1 ? reason : undefined),
    subscribe: hints.subscribe,
    change(value) {
      kept = value
      hints.announce()
    },
  }
}
