import { type StoredRecord, type TokenStore, type WriteOptions, webLock } from 'axios-auth-client'

/** As much of a database as it takes. */
export interface Database {
  get(key: string): Promise<string | null>
  /** Writes unless something else than `onlyIf` is there; `null`: only if nothing is. Returns whether it has written. */
  set(key: string, text: string | null, condition?: { onlyIf: string | null }): Promise<boolean>
  watch(key: string, listener: () => void): Promise<() => void>
}

export function databaseStore(database: Database, key: string): TokenStore {
  const write = (record: StoredRecord | null, { replaces }: WriteOptions = {}) =>
    replaces === undefined
      ? database.set(key, textOf(record))
      : database.set(key, textOf(record), { onlyIf: textOf(replaces) })
  return {
    load: async () => JSON.parse((await database.get(key)) ?? 'null'),
    save: (record, options) => write(record, options),
    clear: (_reason, options) => write(null, options),
    subscribe: (listener) => database.watch(key, listener),
    // One refresh at a time among the tabs of an origin. Not where there are no Web Locks, such as in Node 20.
    ...(globalThis.navigator?.locks && { exclusively: webLock(key) }),
  }
}

/** One text for one record, whatever the order of its fields. */
function textOf(record: StoredRecord | null): string | null {
  const sorted = (_: string, value: unknown) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort())
      : value
  return record && JSON.stringify(record, sorted)
}
