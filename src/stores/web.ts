// Keeps the session in localStorage or sessionStorage. Storage is touched only inside the three methods, where a
// throw (privacy mode, quota, server-side rendering) reaches the guard around every store and no request.
import { checkOptions } from '../checks.js'
import { reportUnreadable } from '../events.js'
import { measureLifetime, readClaims } from '../lifetime.js'
import { listen } from '../listen.js'
import { flawOf, type Tokens } from '../tokens.js'
import { announceCommits } from './announced-commits.js'
import { listenToPage, notifyPage } from './page-events.js'
import {
  createRecord,
  createSessionId,
  ForeignRecord,
  mayReplace,
  type StoredRecord,
  type TokenStore,
  type WriteOptions,
} from './store.js'
import { createTurns } from './turns.js'

export interface WebStoreOptions {
  /** The storage key; two clients on one origin need two. */
  key: string
  /**
   * Reads the tokens that an older scheme left in its own keys. It is called only while this key was never written,
   * so the old tokens are taken once and cannot come back after a sign-out. With `sessionStorageStore` that is once per
   * tab, so remove the old keys as you read them: nobody else does.
   */
  importFrom?: (() => Tokens | undefined) | undefined
}

// Left in place of a record by a sign-out when there is something to import: "empty" and "never used" must differ.
const SIGNED_OUT = 'null'

/** No value of JSON. */
const UNREADABLE = Symbol()

/**
 * Keeps the session in `localStorage`: it survives reloads and is shared by all tabs of the origin.
 * Any script that runs on the page can read it, so an XSS takes the refresh token with it.
 */
export function localStorageStore(options: WebStoreOptions): TokenStore {
  const place = webStore('localStorage', options)
  const { key } = options
  const store = announceCommits(key, {
    ...place,
    subscribe(listener) {
      const stop = place.subscribe(listener)
      if (!isHere('localStorage')) return stop
      const stopStorage = listen(globalThis, 'storage', (event: StorageEvent) => {
        // A null key means that the whole storage was cleared.
        if (event.key === key || event.key === null) listener()
      })
      return () => {
        stop()
        stopStorage()
      }
    },
  })
  return {
    ...store,
    // What is not there is not shared: on a server, one user would wait for another.
    exclusively: (work, turn) => (isHere('localStorage') ? store.exclusively(work, turn) : work()),
  }
}

/**
 * Keeps the session in `sessionStorage`: it survives reloads; every tab has a session of its own. But a tab that is
 * duplicated or opened by `window.open` begins with a copy, and two would use one refresh token: not where these rotate.
 */
export function sessionStorageStore(options: WebStoreOptions): TokenStore {
  return { ...webStore('sessionStorage', options), exclusively: createTurns() }
}

type Area = 'localStorage' | 'sessionStorage'

/** The storage of this page. @throws where there is none, or it is blocked. */
function storageOf(area: Area): Storage {
  const found: Storage | undefined = globalThis[area]
  // Node from 25 on and Deno have one for the whole process: all users of a server would share a session.
  const isServers = !globalThis.document && typeof Storage === 'function' && found instanceof Storage
  if (!found || isServers) throw new Error(`There is no ${area} here.`)
  return found
}

function isHere(area: Area): boolean {
  try {
    return !!storageOf(area)
  } catch {
    return false
  }
}

/** Not the parser's own error: engines quote the text in it, and the text may hold a token. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return UNREADABLE
  }
}

function webStore(area: Area, options: WebStoreOptions) {
  checkOptions(`${area}Store`, options, { key: 'text', importFrom: 'function or undefined' })
  const { key, importFrom } = options
  /** What could be imported and not be kept: the next look must find the same session. */
  let imported: StoredRecord | undefined
  /** There was something under the key: when it is empty from now on, somebody has signed out. */
  let used = false
  const place = `${area}:${key}`
  const me = {}
  /** Those who listen. */
  const users = new Set<object>()
  return {
    load() {
      const text = storageOf(area).getItem(key)
      if (text === null) return used ? imported : importOnce()
      used = true
      const value = parse(text)
      if (value === UNREADABLE)
        throw new ForeignRecord(`What is stored under ${JSON.stringify(key)} is not JSON.`)
      return value
    },
    save(record: StoredRecord, options?: WriteOptions) {
      if (!mayWrite(options)) return false
      used = true
      storageOf(area).setItem(key, JSON.stringify(record))
      imported = undefined
      notifyPage(place, me)
    },
    clear(reason?: string, options?: WriteOptions) {
      if (!mayWrite(options)) return false
      imported = undefined
      // It stays until the next sign-in: a tab that sleeps now learns why when it wakes.
      if (reason) storageOf(area).setItem(key, JSON.stringify(reason))
      else if (importFrom) storageOf(area).setItem(key, SIGNED_OUT)
      else storageOf(area).removeItem(key)
      notifyPage(place, me)
    },
    // Back from the back/forward cache: what happened in the meantime was not announced here. First of all, so that an
    // app's own listener finds it known: Firefox heeds `capture`, Chromium fires `resume` before `pageshow`.
    subscribe(listener: () => void) {
      if (!isHere(area)) return () => {}
      const onPageShow = (event: PageTransitionEvent) => {
        if (event.persisted) listener()
      }
      // Not a bare `true`: Node's EventTarget takes that when a listener is added, and not when it is removed.
      const stops = [
        listen(globalThis, 'pageshow', onPageShow, { capture: true }),
        listen(globalThis.document, 'resume', listener),
        // Of two clients with this very store, whoever has written finds nothing new.
        listenToPage(place, (writer) => {
          if (writer !== me || users.size > 1) listener()
        }),
      ]
      const user = {}
      users.add(user)
      return () => {
        users.delete(user)
        for (const stop of stops) stop()
      }
    },
  } satisfies TokenStore

  /** Compared at the moment of writing: storage answers at once, and what comes next is the write. */
  function mayWrite(options: WriteOptions | undefined): boolean {
    if (options?.replaces === undefined) return true
    const text = storageOf(area).getItem(key)
    return mayReplace(text === null ? imported : parse(text), options)
  }

  function importOnce() {
    const tokens = importFrom?.()
    if (!tokens) return undefined
    const nowMs = Date.now()
    // Nobody knows how long the older scheme has had them.
    const claims = readClaims(tokens.accessToken)
    const { expiresAtMs, estimated } = measureLifetime(tokens, claims, nowMs, 'given', reportUnreadable)
    const subject = String(tokens.subject ?? '') || undefined
    const record = createRecord(createSessionId(nowMs), 1, { ...tokens, expiresAtMs, estimated, subject })
    // What is no session is reported by whoever reads it; kept, it would be in the way of a better import.
    if (flawOf(tokens)) return record
    used = true
    try {
      storageOf(area).setItem(key, JSON.stringify(record))
    } catch {
      // Used all the same; the next save meets the same fault, and that one is reported.
      imported = record
    }
    return record
  }
}
