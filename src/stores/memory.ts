// Keeps the session in this page only: a reload signs out, and a script injected later finds nothing to read.
import type { StoredRecord, TakesTurns, TokenStore, TurnOf } from './store.js'

/** The default store: the session lives as long as the page, in no other tab. */
export function memoryStore(): TokenStore {
  let kept: StoredRecord | undefined
  let last: { owner: unknown; turn: Promise<unknown> } | undefined
  const store: TokenStore & TakesTurns = {
    // Two clients may be handed one store: the one before a hot reload, and the one after it.
    exclusively<T>(work: () => Promise<T>, { signal, owner }: TurnOf): Promise<T> {
      const before = last?.owner === owner ? undefined : last?.turn
      const turn = new Promise<unknown>((begin) => {
        if (before) signal.addEventListener('abort', begin)
        begin(before)
      }).then(work)
      last = { owner, turn: turn.catch(() => {}) }
      return turn
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
