// Keeps the session in localStorage or sessionStorage. Storage is touched only inside the three methods, where a
// throw (privacy mode, quota, server-side rendering) reaches the guard around every store and no request.
import { badOption } from '../errors.js'
import { measureLifetime, readClaims } from '../lifetime.js'
import type { Tokens } from '../tokens.js'
import { createRecord, createSessionId, type StoredRecord, type TokenStore } from './store.js'

export interface WebStoreOptions {
  /** The storage key; two clients on one origin need two. */
  key: string
  /**
   * Reads the tokens that an older scheme left in its own keys. It is called only while this key was never written,
   * so the old tokens are taken once and cannot come back after a sign-out. With `sessionStorageStore` that is once per
   * tab, so remove the old keys as you read them: nobody else does.
   */
  importFrom?: () => Tokens | undefined
}

// Left in place of a record by a sign-out when there is something to import: "empty" and "never used" must differ.
const SIGNED_OUT = 'null'

/**
 * Keeps the session in `localStorage`: it survives reloads and is shared by all tabs of the origin.
 * Any script that runs on the page can read it, so an XSS takes the refresh token with it.
 */
export function localStorageStore(options: WebStoreOptions): TokenStore {
  const { key } = options
  return {
    ...webStore('localStorage', options),
    name: key,
    subscribe(listener) {
      const onStorage = (event: StorageEvent) => {
        // A null key means that the whole storage was cleared.
        if (event.key === key || event.key === null) listener()
      }
      // Back from the back/forward cache: what happened in the meantime was not announced here. First of all, so that
      // an app's own listener finds it known: Firefox heeds `capture`, Chromium tells `resume` before `pageshow`.
      const onPageShow = (event: PageTransitionEvent) => {
        if (event.persisted) listener()
      }
      const page = globalThis.document
      globalThis.addEventListener?.('storage', onStorage)
      globalThis.addEventListener?.('pageshow', onPageShow, true)
      page?.addEventListener?.('resume', listener)
      return () => {
        globalThis.removeEventListener?.('storage', onStorage)
        globalThis.removeEventListener?.('pageshow', onPageShow, true)
        page?.removeEventListener?.('resume', listener)
      }
    },
  }
}

/**
 * Keeps the session in `sessionStorage`: it survives reloads; every tab has a session of its own. But a tab that is
 * duplicated or opened by `window.open` begins with a copy, and two would use one refresh token: not where these rotate.
 */
export function sessionStorageStore(options: WebStoreOptions): TokenStore {
  return webStore('sessionStorage', options)
}

function webStore(area: 'localStorage' | 'sessionStorage', { key, importFrom }: WebStoreOptions): TokenStore {
  if (typeof key !== 'string' || key === '') throw badOption(`${area}Store: key`, 'the storage key', key)
  /** What could be imported and not be kept: the next look must find the same session. */
  let imported: StoredRecord | undefined
  const storage = (): Storage => {
    const found = globalThis[area]
    if (!found) throw new Error(`There is no ${area} here.`)
    return found
  }
  return {
    load() {
      const text = storage().getItem(key)
      if (text === null) return importOnce()
      try {
        return JSON.parse(text) as unknown
      } catch {
        // Not the parser's own error: engines quote the text in it, and the text may hold a token.
        throw new Error(`What is stored under ${JSON.stringify(key)} is not JSON.`)
      }
    },
    save(record) {
      storage().setItem(key, JSON.stringify(record))
    },
    clear(reason) {
      // It stays until the next sign-in: a tab that sleeps now is told why when it wakes.
      if (reason) storage().setItem(key, JSON.stringify(reason))
      else if (importFrom) storage().setItem(key, SIGNED_OUT)
      else storage().removeItem(key)
    },
  }

  function importOnce() {
    if (imported) return imported
    const tokens = importFrom?.()
    if (!tokens) return undefined
    const nowMs = Date.now()
    const lifetime = measureLifetime(tokens, readClaims(tokens.accessToken), nowMs)
    const record = createRecord(createSessionId(nowMs), 1, { ...tokens, ...lifetime })
    try {
      storage().setItem(key, JSON.stringify(record))
    } catch {
      // Used all the same; the next save meets the same fault, and that one is reported.
      imported = record
    }
    return record
  }
}
