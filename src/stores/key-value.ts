// Keeps the session as JSON text under one key of whatever has getItem, setItem and removeItem.
// Refuses a storage without them, at creation. Answers at once where the storage does.
// Promise: a write that is to replace a certain record replaces no other one that the clients of this store have written.
import { badOption, checkOptions } from '../checks.js'
import { isObject } from '../errors.js'
import { isThenable } from '../events.js'
import {
  ForeignRecord,
  mayReplace,
  REFUSED,
  type TokenStore,
  type WriteOptions,
  type Written,
} from './store.js'
import { createTurns } from './turns.js'

/** AsyncStorage, localForage, unstorage, a `Storage`; or a keychain whose functions were given these names. */
export interface KeyValueStorage {
  /** The text that was set, or what it says as JSON; `null` or `undefined` when there is none. */
  getItem(key: string): unknown
  setItem(key: string, value: string): unknown
  removeItem(key: string): unknown
}

export interface KeyValueStoreOptions {
  /** Where the session is kept; two clients on one storage need two. */
  key: string
}

/**
 * Keeps the session under one key of a storage, synchronous or not, so that it survives a restart. What others write there
 * is found at the next look, which is before each refresh.
 * @throws {AuthClientError} code `BAD_OPTION`, for a storage that lacks one of the three methods too.
 */
export function keyValueStore(storage: KeyValueStorage, options: KeyValueStoreOptions): TokenStore {
  const { key } = checkOptions('keyValueStore', options, { key: 'text' })
  const methods = ['getItem', 'setItem', 'removeItem'] as const
  if (!isObject(storage) || methods.some((method) => typeof storage[method] !== 'function'))
    throw badOption('keyValueStore: storage', `an object with ${methods.join(', ')}`, storage)
  const listeners = new Set<() => void>()
  /** Counts the writes that have begun. */
  let writes = 0
  /** The last of them, until it has settled. */
  let writing: Promise<unknown> | undefined

  const store: TokenStore = {
    exclusively: createTurns(),
    load: () => after(storage.getItem(key), parse),
    save: (record, replacing) => put(() => storage.setItem(key, JSON.stringify(record)), replacing),
    clear: (reason, replacing) =>
      put(() => (reason ? storage.setItem(key, JSON.stringify(reason)) : storage.removeItem(key)), replacing),
    subscribe(listener) {
      // One of its own for every call.
      const entry = () => listener()
      listeners.add(entry)
      return () => void listeners.delete(entry)
    },
  }
  return store

  function parse(stored: unknown): unknown {
    // Some storages parse what they find.
    if (typeof stored !== 'string' || stored === REFUSED) return stored
    try {
      return JSON.parse(stored)
    } catch {
      // Not the parser's own error: engines quote the text in it, and the text may hold a token.
      throw new ForeignRecord(`What is stored under ${JSON.stringify(key)} is not JSON.`)
    }
  }

  function put(write: () => unknown, replacing?: WriteOptions): Answer {
    if (replacing?.replaces === undefined) return begin(write)
    // What is there now is about to be replaced.
    if (writing) return writing.then(() => put(write, replacing))
    const round = writes
    return after(storage.getItem(key), (stored): Answer => {
      // Somebody did not wait.
      if (round !== writes) return put(write, replacing)
      return isReplaceable(stored, replacing) ? begin(write) : false
    })
  }

  function isReplaceable(stored: unknown, replacing: WriteOptions): boolean {
    try {
      return mayReplace(parse(stored), replacing)
    } catch {
      // What cannot be read is somebody else's.
      return false
    }
  }

  function begin(write: () => unknown): Answer {
    writes++
    const done = after(write(), announce)
    if (done) {
      const settle = () => {
        if (writing === mine) writing = undefined
      }
      const mine = done.then(settle, settle)
      writing = mine
    }
    return done
  }

  /** Later: the client that writes knows by then what it has written. */
  function announce(): void {
    if (listeners.size < 2) return
    queueMicrotask(() => {
      for (const listener of [...listeners]) listener()
    })
  }
}

type Answer = Written | Promise<Written>

/** At once, where there is nothing to wait for. */
function after<T>(value: unknown, use: (value: unknown) => T | Promise<T>): T | Promise<T> {
  return isThenable(value) ? Promise.resolve(value).then(use) : use(value)
}
