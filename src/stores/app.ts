// Leaves the tokens to the app (Redux, Zustand, Pinia, a cookie) and keeps beside them what makes a session of them: an
// id and a version. Believes nothing about how the app stores: it may drop fields, copy, and show a write only later.
// Promise: what was written here is never taken for a change by the app, however late the app shows it; whatever else
// the app shows is a change of its own, and counts at the next look.
import { checkOptions } from '../checks.js'
import { isThenable } from '../events.js'
import { flawOf, type Tokens } from '../tokens.js'
import { changedRecord, isSameSession } from './app-change.js'
import {
  type Exclusively,
  mayReplace,
  type REFUSED,
  type SessionRecord,
  type StoredRecord,
  type TokenStore,
  UnusableTokens,
  type WriteOptions,
  type Written,
} from './store.js'
import { createTurns } from './turns.js'

export interface AppStoreOptions {
  /**
   * The tokens that the app holds at this moment; `undefined` when nobody is signed in. Called before every request and
   * answers at once. What it throws is a `storeError`; tokens that cannot be used are one too, and count as none.
   */
  read(): Tokens | null | undefined
  /**
   * Puts tokens into the app, all of them in one step; `undefined` empties it. Gets `accessToken`, and `refreshToken`,
   * `expiresAtMs` in milliseconds and `subject` where they are known. `read` may show them later. A promise is waited for,
   * and the app is not looked at meanwhile. What it throws or rejects with is a `storeError`.
   */
  write(tokens: Tokens | undefined): unknown
  /**
   * Calls `listener` when the app may have changed the tokens, and returns what unsubscribes. With it a change counts at
   * once, otherwise at the next request. @default none
   */
  subscribe?: ((listener: () => void) => () => void) | undefined
  /** One refresh at a time among all pages or processes that share the tokens. @default among the clients of this store */
  exclusively?: Exclusively | undefined
}

/** What the store holds for its clients: a record, a mark, or why there is none. */
type Kept = StoredRecord | typeof REFUSED | undefined

/** How much of what was written and never shown is kept: the app may keep nothing (a cookie that the browser refuses). */
const MOST_WRITES = 20

/**
 * Leaves the tokens to the app. What the app changes by itself counts at the next request: no tokens any more are a
 * sign-out; tokens of which one is new, or both with the same known user (`subject`, or the `sub` claim of a JWT), are
 * newer ones of the same session; others are another session. Make one for each place where the app keeps tokens.
 * @throws {AuthClientError} code `BAD_OPTION`.
 */
export function appStore(options: AppStoreOptions): TokenStore {
  const {
    read,
    write,
    subscribe,
    exclusively = createTurns(),
  } = checkOptions('appStore', options, {
    read: 'function',
    write: 'function',
    subscribe: 'function or undefined',
    exclusively: 'function or undefined',
  })
  let held: Kept
  /** First, what the app has shown; after it, what was written since and has yet to appear. */
  let recent: { kept: Kept }[] = [{ kept: undefined }]
  /** The highest version so far, that of a write that failed included: the session has gone on with it. */
  let version = 0
  /** How many calls of `write` are running: the app may look into the store, or write to it, from within. */
  let running = 0
  let reported: string | undefined
  const listeners = new Set<() => void>()

  const store: TokenStore = {
    live: true,
    exclusively,
    load() {
      const flaw = look()
      const isNews = flaw !== reported
      reported = flaw
      return flaw && isNews ? new UnusableTokens(`The tokens of the app cannot be used: ${flaw}.`) : held
    },
    save(record, replacing) {
      const { tokens, expiresAtMs, subject } = record as Partial<SessionRecord>
      // A field that is not known is there all the same: an app that merges must not keep one of another user's.
      const { refreshToken } = tokens ?? {}
      return put(record, tokens && { ...tokens, refreshToken, expiresAtMs, subject }, replacing)
    },
    clear: (reason, replacing) => put(reason, undefined, replacing),
    subscribe(listener) {
      const stop = subscribe?.(listener)
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
        stop?.()
      }
    },
  }
  return store

  /** Takes in what the app shows. Returns what is wrong with it. */
  function look(): string | undefined {
    const { tokens, flaw } = readTokens(read())
    // Where it was written twice, the first: an app that has shown nothing yet may still show all of it.
    const at = recent.findIndex(({ kept }) => isShown(kept, tokens))
    recent.splice(0, at)
    // It is not over: the client that writes would take its own write for somebody else's.
    if (running) return flaw
    if (at < 0 && !(tokens && isMixture(tokens))) recent = [{ kept: tokens && follow(tokens) }]
    if (recent.length === 1) held = recent[0]?.kept
    return flaw
  }

  /** Whether an app that changes one field after the other is in the middle of showing what was written. */
  function isMixture({ accessToken, refreshToken }: Tokens): boolean {
    const knows = (name: 'accessToken' | 'refreshToken', token: string | undefined) =>
      recent.some(({ kept }) => recordOf(kept)?.tokens[name] === token)
    return knows('accessToken', accessToken) && knows('refreshToken', refreshToken)
  }

  /** What a change by the app makes of the session. */
  function follow(tokens: Tokens): SessionRecord {
    const last = recordOf(held)
    // The newest first. A slow app may have started from an older one.
    const known = recent.map(({ kept }) => recordOf(kept)).reverse()
    const before = known.find(
      (record) => record && record.sessionId === last?.sessionId && isSameSession(record, tokens),
    )
    version = before ? version + 1 : 1
    return changedRecord(before, version, tokens)
  }

  function put(kept: Kept, tokens: Tokens | undefined, replacing?: WriteOptions): Written | Promise<void> {
    peek()
    if (!mayReplace(held, replacing)) return false
    const entry = { kept }
    recent.push(entry)
    // The first one stays: it is what the app shows.
    if (recent.length > MOST_WRITES) recent.splice(1, 1)
    if (typeof kept === 'object') version = Math.max(version, kept.version)
    const settle = (isWritten: boolean) => {
      if (isWritten && entry === recent[recent.length - 1]) held = kept
      peek()
      // Tokens may be there although `write` threw, or come; an app that is empty later has emptied itself.
      if (!isWritten && !tokens && entry !== recent[0]) recent = recent.filter((one) => one !== entry)
      announce()
    }
    const fail = (error: unknown) => {
      settle(false)
      throw error
    }
    let result: unknown
    try {
      result = call(tokens)
    } catch (error) {
      return fail(error)
    }
    if (!isThenable(result)) return settle(true)
    peek()
    return Promise.resolve(result).then(() => settle(true), fail)
  }

  function call(tokens: Tokens | undefined): unknown {
    running++
    try {
      return write(tokens)
    } finally {
      running--
    }
  }

  /** Later: the client that writes knows by then what it has written. */
  function announce(): void {
    queueMicrotask(() => {
      for (const listener of [...listeners]) listener()
    })
  }

  function peek(): void {
    try {
      look()
    } catch {
      // Reported by whoever looks next.
    }
  }
}

function recordOf(kept: Kept): SessionRecord | undefined {
  return typeof kept === 'object' && kept.tokens ? kept : undefined
}

/** What an app holds, each field read once, and what is wrong with it. */
function readTokens(shown: Tokens | null | undefined): {
  tokens?: Tokens | undefined
  flaw?: string | undefined
} {
  if (shown === undefined || shown === null) return {}
  const { accessToken, refreshToken, expiresInSeconds, expiresAtMs, subject } = shown
  const isGroup = typeof shown === 'object'
  // How an app may put it that nobody is signed in.
  if (isGroup && 'accessToken' in shown && !accessToken && !refreshToken) return {}
  const tokens = { accessToken, refreshToken, expiresInSeconds, expiresAtMs, subject }
  const flaw = flawOf(isGroup ? tokens : shown)
  return flaw ? { flaw } : { tokens }
}

/** Whether an app that shows `tokens` shows what was written. It need not keep a refresh token. */
function isShown(kept: Kept, tokens: Tokens | undefined): boolean {
  const written = recordOf(kept)?.tokens
  if (!written || !tokens) return !written && !tokens
  const { accessToken, refreshToken } = tokens
  return accessToken === written.accessToken && (!refreshToken || refreshToken === written.refreshToken)
}
