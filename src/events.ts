// The events that the client emits while it works, and the guard that keeps a listener's fault its own.
// Promise: no event holds a token, and no listener can break a request or another listener.
import { type AuthClientError, isObject } from './errors.js'
import { readBody, redactError, redactionsIn, safeText } from './redact.js'

/** Why a refresh was started. */
export type RefreshReason =
  /** The server refused the token. */
  | 'refused'
  /** The token's lifetime is over. */
  | 'expired'
  /** The token is about to expire; requests still use it. */
  | 'stale'
  /** `refresh()` or `getAccessToken()` asked for it. */
  | 'asked'
  /** `refresh()` while signed out, with cookies: a page was reloaded. */
  | 'restore'

/** Why a session ended. */
export type SessionEndReason =
  /** The server refused to renew it. */
  | 'refused'
  /** `signOut()`. */
  | 'signed-out'
  /** `signOut()` in another tab, or its store was emptied. */
  | 'signed-out-elsewhere'
  /** `signIn()` over it: somebody is signed in. */
  | 'replaced'
  /** The same in another tab. */
  | 'replaced-elsewhere'

/** What `onSessionEnd` and the `sessionEnd` event get. */
export interface SessionEnd {
  reason: SessionEndReason
  /** What the waiting requests reject with. */
  error?: AuthClientError | undefined
}

/** The events of `auth.on()`, with what each listener gets. Durations are in milliseconds. */
export interface AuthEvents {
  /** A refresh begins; in several tabs it may still have to wait for its turn. */
  refreshStart: { reason: RefreshReason }
  /** New tokens are in use and in the store. `adopted`: another tab had fetched them. */
  refreshed: { reason: RefreshReason; durationMs: number; adopted: boolean }
  /** The refresh brought no tokens. `coolDownMs`: how long requests fail fast before it is tried again. */
  refreshFailed: {
    reason: RefreshReason
    durationMs: number
    error: AuthClientError
    coolDownMs?: number | undefined
  }
  /** As `onSessionEnd`, and before it. */
  sessionEnd: SessionEnd
  /** A request waits for new tokens, for the first or for a further time. */
  held: { method: string; url: string }
  /** A request is sent again with newer tokens, after waiting `heldMs` in all. */
  replay: { method: string; url: string; heldMs: number }
  /**
   * A request of a signed-in user went out without the token, once for each call. `origin`: tokens may not go where it
   * went. `own-credential`: it carried another one. `opted-out`: `place: false`, or the header was switched off (`null`,
   * `false`). `not-placeable`: the placement has no place in it, as `jsonBodyField` in a GET. Not reported: requests with
   * `authClient: false`.
   */
  skipped: {
    method: string
    url: string
    reason: 'origin' | 'own-credential' | 'opted-out' | 'not-placeable'
  }
  /** The store failed; the session goes on in memory. */
  storeError: { operation: 'load' | 'save' | 'clear' | 'subscribe'; error: Error }
}

/** What `stats()` counts, since creation. */
export interface AuthStats {
  /** Refreshes that reached for the network. */
  refreshes: number
  /** Requests that were sent again. */
  replays: number
  /** Requests that wait for tokens at this moment. */
  heldNow: number
  /** The most that ever waited at once. */
  heldPeak: number
  /** Answers that rejected a token we had attached. */
  refused: number
  /** Newer tokens taken over from another tab without a refresh. */
  adopted: number
  /** Requests of a signed-in user that went out without the token; see the event. */
  skipped: number
}

export type AuthListener<Name extends keyof AuthEvents> = (event: AuthEvents[Name]) => void

/** All that can be listened to: the events, and every change of the snapshot. */
interface Topics extends AuthEvents {
  change: unknown
}

interface Answer {
  headers?: unknown
  data?: unknown
}

export interface Events {
  on<Name extends keyof Topics>(name: Name, listener: (event: Topics[Name]) => void): () => void
  emit<Name extends keyof Topics>(name: Name, event: Topics[Name]): void
  /** Runs a hook; see {@link guard}. It may quote the answer that it was handed, with tokens that nobody knows yet. */
  guard<T>(run: () => T, answer?: Answer): T | undefined
  report(error: unknown, answer?: Answer): void
  clear(): void
}

/** @param secrets what must not reach the console */
export function createEvents(redactions: () => readonly string[] = () => []): Events {
  // An entry for every call: subscribing one function twice must not be undone by one of the two.
  const entries = new Set<{ name: string; listener: (event: never) => void }>()
  const reportSafely: Events['report'] = (error, { headers, data } = {}) =>
    report(error, [...redactions(), ...redactionsIn([{ ...(headers as object) }, readBody(data)])])
  const guardSafely: Events['guard'] = (run, answer) => guard(run, (error) => reportSafely(error, answer))
  return {
    on(name, listener) {
      const entry = { name, listener }
      entries.add(entry)
      return () => void entries.delete(entry)
    },
    emit(name, event) {
      for (const entry of [...entries]) {
        // Not one that was taken away by a listener before it.
        if (entry.name === name && entries.has(entry)) guardSafely(() => entry.listener(event as never))
      }
    },
    guard: guardSafely,
    report: reportSafely,
    clear: () => entries.clear(),
  }
}

/** Runs somebody else's code: what it throws, now or later, is shown on the console and stays there. */
export function guard<T>(run: () => T, onFault: (error: unknown) => void = report): T | undefined {
  try {
    const result = run()
    if (isThenable(result)) result.then(undefined, onFault)
    return result
  } catch (error) {
    onFault(error)
    return undefined
  }
}

/** Shows what somebody else's code threw: its name, its words and where, but no request, no answer and no secret. */
export function report(error: unknown, redactions: readonly string[] = []): void {
  show(
    'a listener or hook threw',
    isObject(error) ? redactError(error, redactions) : safeText(String(error), redactions),
  )
}

/** Names a field of some tokens that cannot be read. Without its value, which may be anything. */
export function reportUnreadable(field: string): void {
  show(`${field} cannot be read, and counts as unknown`)
}

function show(what: string, ...more: unknown[]): void {
  try {
    console.error(`axios-auth-client: ${what}`, ...more)
  } catch {
    // A console that somebody has replaced.
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function'
}
