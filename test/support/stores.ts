// Owns the stores of the tests: one that answers at once, and one that answers when the test says so.
// Promise: what is kept is what the last finished call left, and every call is written down.

import type { SessionRecord, StoredRecord, TokenStore } from '../../src/index.js'
import { createWatch } from './watch.js'

export type StoreOperation = 'load' | 'save' | 'clear'

/** A store that the test looks into, writes to behind the client's back, and breaks. */
export interface OpenStore extends TokenStore {
  subscribe(listener: () => void): () => void
  /** What is kept; setting it is what another tab would do. */
  kept: unknown
  /** The operations so far, in order. */
  readonly calls: readonly StoreOperation[]
  /** What an operation throws from now on; absent: it works. */
  readonly faults: Map<StoreOperation, unknown>
  /** Notifies the clients that the store may have changed. */
  hint(): void
  /** How many listen to hints. */
  readonly listeners: number
}

/** The access token in what a store keeps. */
export function keptToken({ kept }: Pick<OpenStore, 'kept'>): string | undefined {
  return (kept as StoredRecord | undefined)?.tokens?.accessToken
}

/** The refresh token in what a store keeps. */
export function keptRefreshToken({ kept }: Pick<OpenStore, 'kept'>): string | undefined {
  return (kept as StoredRecord | undefined)?.tokens?.refreshToken
}

/** Another tab changes tokens in the record, and whatever `more` says. No client has been notified yet. */
export function changedElsewhere(
  store: OpenStore,
  tokens: Partial<SessionRecord['tokens']>,
  more: Partial<SessionRecord> = {},
): void {
  const kept = store.kept as SessionRecord
  const { accessToken = kept.tokens.accessToken, refreshToken = kept.tokens.refreshToken } = tokens
  store.kept = { ...kept, ...more, tokens: { accessToken, refreshToken } }
}

/** The same as it is after a refresh. */
export function rotatedElsewhere(
  store: OpenStore,
  tokens: Partial<SessionRecord['tokens']>,
  more: Partial<SessionRecord> = {},
): void {
  const { version } = store.kept as StoredRecord
  changedElsewhere(store, tokens, { version: version + 1, ...more })
}

/** A synchronous store. */
export function createOpenStore(kept?: unknown): OpenStore {
  const calls: StoreOperation[] = []
  const faults = new Map<StoreOperation, unknown>()
  const listeners = new Set<() => void>()

  function enter(operation: StoreOperation): void {
    calls.push(operation)
    if (faults.has(operation)) throw faults.get(operation)
  }

  const store: OpenStore = {
    kept,
    calls,
    faults,
    hint() {
      for (const listener of [...listeners]) listener()
    },
    get listeners() {
      return listeners.size
    },
    load() {
      enter('load')
      return store.kept
    },
    save(record) {
      enter('save')
      store.kept = record
    },
    clear() {
      enter('clear')
      store.kept = undefined
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  return store
}

/** A call of an asynchronous store that has not been answered. */
export interface HeldCall {
  readonly operation: StoreOperation
  /** Does the work and answers. */
  release(): void
  /** Answers with a rejection, the work undone. */
  fail(error: unknown): void
}

/** An asynchronous store; the operations named to `hold` wait for the test, the others answer in a microtask. */
export interface HandStore extends OpenStore {
  readonly held: readonly HeldCall[]
  hold(...operations: StoreOperation[]): void
  /** Holds nothing any more and answers what is held, oldest first. */
  releaseAll(): void
  /** Resolves with the oldest held call of this kind. */
  waiting(operation: StoreOperation): Promise<HeldCall>
}

export function createHandStore(kept?: unknown): HandStore {
  const open = createOpenStore(kept)
  const watch = createWatch()
  const holding = new Set<StoreOperation>()
  const held: HeldCall[] = []

  function answer<T>(operation: StoreOperation, work: () => T): Promise<T> {
    if (!holding.has(operation)) return Promise.resolve().then(work)
    return new Promise<T>((resolve, reject) => {
      const leave = (): void => {
        const at = held.indexOf(call)
        if (at >= 0) held.splice(at, 1)
      }
      const call: HeldCall = {
        operation,
        release() {
          leave()
          try {
            resolve(work())
          } catch (error) {
            reject(error)
          }
        },
        fail(error) {
          leave()
          reject(error)
        },
      }
      held.push(call)
      watch.changed()
    })
  }

  const find = (operation: StoreOperation): HeldCall | undefined =>
    held.find((call) => call.operation === operation)

  return Object.defineProperties({} as HandStore, {
    ...Object.getOwnPropertyDescriptors({
      get kept() {
        return open.kept
      },
      set kept(value: unknown) {
        open.kept = value
      },
      calls: open.calls,
      faults: open.faults,
      hint: open.hint,
      get listeners() {
        return open.listeners
      },
      subscribe: open.subscribe,
      load: () => answer('load', () => open.load()),
      save: (record: StoredRecord) => answer('save', () => void open.save(record)),
      clear: () => answer('clear', () => void open.clear()),
      held,
      hold(...operations: StoreOperation[]) {
        for (const operation of operations) holding.add(operation)
      },
      releaseAll() {
        holding.clear()
        for (const call of [...held]) call.release()
      },
      async waiting(operation: StoreOperation) {
        await watch.until(
          () => find(operation) !== undefined,
          () => `a held ${operation} of the store`,
        )
        return find(operation) as HeldCall
      },
    }),
  })
}
