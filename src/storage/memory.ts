// Keeps the session in this page only: a reload signs out, and a script injected later finds nothing to read.
import type { StoredRecord, TokenStore } from './store.js'

/** The default store: the session lives as long as the page, in no other tab. */
export function memoryStore(): TokenStore {
  let kept: StoredRecord | undefined
  return {
    load: () => kept,
    save(record) {
      kept = record
    },
    clear() {
      kept = undefined
    },
  }
}
