// Keeps the session in this page only: a reload signs out, and a script injected later finds nothing to read.
import type { StoredRecord, TakesTurns, TokenStore } from './store.js'

/** The default store: the session lives as long as the page, in no other tab. */
export function memoryStore(): TokenStore {
  let kept: StoredRecord | undefined
  let lastTurn: Promise<unknown> = Promise.resolve()
  const store: TokenStore & TakesTurns = {
    // Two clients may be handed one store: the one before a hot reload, and the one after it.
    exclusively<T>(work: () => Promise<T>, { signal }: { signal: AbortSignal }): Promise<T> {
      const before = lastTurn
      const mine = new Promise((begin) => {
        signal.addEventListener('abort', begin)
        void before.then(begin)
      }).then(work)
      lastTurn = mine.catch(() => {})
      return mine
    },
    load: () => kept,
    save(record) {
      kept = record
    },
    clear() {
      kept = undefined
    },
  }
  return store
}
