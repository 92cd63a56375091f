// Puts the parts together: the only file that knows them all.
import { badOption } from './checks.js'
import { AuthClientError, isObject } from './errors.js'
import { type AuthEvents, type AuthListener, type AuthStats, createEvents } from './events.js'
import { readHeader } from './headers.js'
import { listen } from './listen.js'
import { type AuthClientOptions, resolveOptions } from './options.js'
import { redactError } from './redact.js'
import { createGuardedStore } from './session/guarded-store.js'
import { createKnownTokens } from './session/known-tokens.js'
import { recordOf } from './session/machine/session-state.js'
import { createSessionManager, type RefreshInput, type Waiter } from './session/manager.js'
import type { AuthSnapshot } from './session/snapshot.js'
import { announceLanding } from './session/store-turns.js'
import type { Tokens } from './tokens.js'
import { type AxiosLike, defaultsOf } from './transport/bare.js'
import { type Installation, install } from './transport/install.js'
import { homeOf, mayHomeCome } from './transport/origin.js'
import { createSkipReport } from './transport/skipped.js'
import { hold } from './wait.js'

/** The session of an app, bound to its axios instance. */
export interface AuthClient {
  /**
   * Starts a session from a session answer. Over a live one, that one ends with reason `replaced`.
   * Resolves when the tokens are in the store. Takes nothing with `noCredential()`.
   * @throws {AuthClientError} code `BAD_OPTION` when there is no access token, or one that a header cannot hold.
   */
  signIn(tokens?: Tokens): Promise<void>
  /**
   * Ends the session here and in every tab; requests that wait reject with `SIGNED_OUT`. The snapshot changes at once.
   * With a cookie strategy the promise waits for a refresh that is under way: a logout call of yours after it is the last
   * to touch the cookies.
   */
  signOut(): Promise<void>
  /**
   * Newer tokens for the same session, from elsewhere: requests that wait go on with them.
   * @throws {AuthClientError} code `SIGNED_OUT` when there is no session, or why it has ended in another tab;
   * `BAD_OPTION` as `signIn`.
   */
  updateTokens(tokens: Tokens): Promise<void>
  /**
   * Joins the refresh that is under way or starts one, cool-down or not. Signed out and with a cookie strategy it tries
   * to restore the session; a refusal then leaves you signed out and ends nothing.
   * @throws {AuthClientError} code `SESSION_EXPIRED`, `REFRESH_FAILED`, `REFRESH_TIMEOUT`, `BAD_GRANT`; `SIGNED_OUT`,
   * `SESSION_CHANGED` or `DISPOSED` when that came first; `BAD_OPTION` without the option `refresh`.
   */
  refresh(): Promise<AuthSnapshot>
  /**
   * A token for what is not axios: fetch, WebSocket, EventSource. Valid for at least `minValidityMs` (default 0) as far
   * as its lifetime is known; refreshed once at the most if need be. `undefined` when signed out.
   * Where tokens do not live that long, one refresh finds that out. After it, a `minValidityMs` of more than 85 % of
   * their life counts as 0: the token is renewed ahead of its end, as for requests, and not with each call.
   * @throws {AuthClientError} when there will be no such token now; the signal's reason when it aborts, or an
   * `AbortError` where the platform gives none (React Native).
   */
  getAccessToken(options?: {
    minValidityMs?: number | undefined
    signal?: AbortSignal | undefined
  }): Promise<string | undefined>
  /** The session as an app may show it: frozen, and the same object as long as nothing changed. */
  getSnapshot(): AuthSnapshot
  /** The snapshot for server-side rendering and hydration: what `tokens` tell, whatever a store holds by now. */
  getServerSnapshot(): AuthSnapshot
  /** Calls `listener` after each change of the snapshot; returns what unsubscribes. */
  subscribe(listener: () => void): () => void
  /** Listens to one kind of event; returns what unsubscribes. */
  on<Name extends keyof AuthEvents>(event: Name, listener: AuthListener<Name>): () => void
  /** What happened so far, in numbers: a copy. */
  stats(): AuthStats
  /**
   * Puts another axios instance under the same session and the same single refresh. The origin of its `baseURL` is
   * allowed from then on. Returns what detaches it.
   * @throws {AuthClientError} code `BAD_OPTION` when a live client holds that instance.
   */
  attach(instance: AxiosLike): () => void
  /** Resolves when the store has been read. */
  readonly ready: Promise<void>
  /**
   * Leaves the instance as it was, and no listener, timer, lock or channel. What waits rejects with `DISPOSED`. A refresh that
   * is under way keeps its turn and its time limit until the tokens it brings are in the store, for the client that comes next.
   */
  dispose(): void
}

// Registered: found by another copy of this package too. On the instance, because there is no state in modules.
const MARK = Symbol.for('axios-auth-client')

/**
 * Installs the session on an existing axios instance: tokens are placed, and a 401 is refreshed and replayed, once for
 * all requests that failed together.
 * @throws {AuthClientError} code `BAD_OPTION` for a wrong option; for an instance that is frozen, or that a live client holds
 * already, or whose defaults carry an `Authorization` or `auth`; and when a `baseURL` or a page has no origin that can be read.
 */
export function createAuthClient(instance: AxiosLike, options?: AuthClientOptions): AuthClient {
  const resolved = resolveOptions(options)
  const { refresh, store, place, clock, refreshTimeoutMs } = resolved
  const tokenless = !!place.tokenless
  const cookies = !!refresh?.cookies
  /** Every instance that is held, with the origin of its own addresses once that is known. */
  const installations = new Set<Installation & { home(): string | undefined }>()

  const { baseURL } = assertFree(instance, place.header)
  if (!resolved.origins && !homeOf(baseURL) && !mayHomeCome(baseURL)) throw noOrigins()

  const known = createKnownTokens()
  const events = createEvents(known.redactions)
  const stats: AuthStats = {
    refreshes: 0,
    replays: 0,
    heldNow: 0,
    heldPeak: 0,
    refused: 0,
    adopted: 0,
    skipped: 0,
  }
  const reportSkipped = createSkipReport(events, stats, tokenless)
  /** The strategy is making the calls of its first turn. */
  let isAsking = false
  const guarded = createGuardedStore({
    store,
    clock,
    tokenless,
    limitMs: refreshTimeoutMs,
    onError: reportStoreError,
    present() {
      const session = manager.current()
      return session && recordOf(session)
    },
    origins: allowedOrigins,
  })
  const manager = createSessionManager({
    ...resolved,
    refresh: refresh && startRefresh,
    cookies,
    tokenless,
    store: guarded,
    events,
    known,
    stats,
  })
  const unsubscribe = guarded.subscribe(manager.reread)
  const stopListening = listen(globalThis, 'online', manager.endCoolDown)
  let first: Installation
  try {
    first = add(instance, !resolved.origins)
  } catch (error) {
    dispose()
    throw error
  }

  return {
    signIn: manager.signIn,
    signOut: manager.signOut,
    updateTokens: manager.updateTokens,
    refresh: manager.refresh,
    getAccessToken,
    getSnapshot: manager.getSnapshot,
    getServerSnapshot: manager.getServerSnapshot,
    subscribe: (listener) => events.on('change', () => listener()),
    on: events.on,
    stats: () => ({ ...stats }),
    attach(other) {
      manager.assertAlive()
      assertFree(other, place.header)
      return add(other, true).release
    },
    ready: manager.ready,
    dispose,
  }

  function dispose(): void {
    events.guard(unsubscribe)
    events.guard(stopListening)
    for (const { release } of [...installations]) release()
    announceLanding(store, manager.dispose())
    events.clear()
  }

  function add(target: AxiosLike, allowHome: boolean): Installation {
    let origin: string | undefined
    // Never another one: the session began with this. What is not known yet is asked anew, until the app has set it.
    const home = () => (origin ??= allowHome ? homeOf(defaultsOf(target).baseURL) : undefined)
    home()
    try {
      Object.defineProperty(target, MARK, { value: true, configurable: true })
      const transport = install(target, {
        ...resolved,
        manager,
        events,
        stats,
        isAllowedOrigin,
        findNoOrigins: () =>
          resolved.origins || [...installations].some(({ home }) => home()) ? undefined : noOrigins(),
        isAsking: () => isAsking,
        reportSkipped,
        maySettleLate: cookies || !!manager.unsettled(),
      })
      const installation = {
        ...transport,
        home,
        release() {
          if (!installations.delete(installation)) return
          // It may have been frozen since.
          events.guard(transport.release)
          Reflect.deleteProperty(target, MARK)
        },
      }
      installations.add(installation)
      return installation
    } catch (cause) {
      Reflect.deleteProperty(target, MARK)
      throw unfit('it takes no interceptors.', cause)
    }
  }

  // Asked several times for each request: nothing is made for an answer.
  function isAllowedOrigin(origin: string | undefined): boolean {
    if (origin === undefined) return false
    for (const { home } of installations) if (home() === origin) return true
    return !!resolved.origins?.includes(origin)
  }

  /** The same as a list, for records. A client that is gone has no instances, and may still have one to save. */
  function allowedOrigins(): string[] {
    const homes = [homeOf(baseURL), ...Array.from(installations, ({ home }) => home())]
    const known = resolved.origins ? [...resolved.origins, ...homes.slice(1)] : homes
    return [...new Set(known)].filter((origin) => origin !== undefined)
  }

  /** The calls that the strategy makes before its first await are recognised as the refresh's own. */
  function startRefresh(input: RefreshInput): unknown {
    isAsking = true
    try {
      return refresh?.({ ...input, http: first.http() })
    } finally {
      isAsking = false
    }
  }

  async function getAccessToken({
    minValidityMs = 0,
    signal,
  }: {
    minValidityMs?: number | undefined
    signal?: AbortSignal | undefined
  } = {}) {
    const wait = (promise: Promise<void>) => hold(promise, { signal }, () => reasonOf(signal))
    manager.assertAlive()
    if (signal?.aborted) throw reasonOf(signal)
    const caller = manager.caller()
    const unsettled = manager.unsettled()
    if (unsettled) {
      await wait(unsettled)
      manager.assertAlive()
    }
    const session = caller()
    if (!session || tokenless) return undefined
    const waiter: Waiter = { started: undefined, waited: false }
    await manager.ensureFresh(session, waiter, { hold: (_waiter, gate) => wait(gate) }, minValidityMs)
    manager.renewAhead(session, waiter)
    if (session.ended) throw session.ended
    return session.accessToken
  }

  function reportStoreError(operation: AuthEvents['storeError']['operation'], thrown: unknown): void {
    // Later, so that a listener that is attached right after creation hears of a first look that failed.
    queueMicrotask(() =>
      events.guard(() => {
        const error = redactError(thrown, manager.redactions()) ?? new Error('The store failed.')
        events.emit('storeError', { operation, error })
      }),
    )
  }
}

/** Why a wait was given up. React Native's signals have no `reason`. */
function reasonOf({ reason }: { reason?: unknown } = {}): unknown {
  return reason === undefined
    ? Object.assign(new Error('The call was aborted.'), { name: 'AbortError' })
    : reason
}

function noOrigins(): AuthClientError {
  return badOption('origins', "a list, because neither the instance's baseURL nor a page has one", undefined)
}

/** Refuses an instance that cannot be held. Returns the defaults that are in force there. */
function assertFree(instance: AxiosLike, header = 'Authorization'): AxiosLike['defaults'] {
  if (!isObject(instance) || typeof instance.request !== 'function' || !instance.interceptors) {
    throw badOption('instance', 'an axios instance', instance)
  }
  if (!Object.isExtensible(instance)) throw unfit('it is frozen or sealed.')
  if (MARK in instance)
    throw unfit('a live auth client holds this axios instance already. Use that one, or dispose() it first.')
  const defaults = defaultsOf(instance) ?? {}
  const { auth, headers = {} } = defaults
  const bags = [headers, ...Object.values(headers)]
  const carries = (name: string) => bags.some((bag) => readHeader(bag, name) !== undefined)
  const credential = auth ? 'auth' : ['Authorization', header].find(carries)
  if (credential)
    throw unfit(
      `its defaults carry ${credential}, which would hide the session's: use signIn() or \`tokens\`.`,
    )
  return defaults
}

function unfit(why: string, cause?: unknown): AuthClientError {
  return new AuthClientError('BAD_OPTION', `instance: ${why}`, cause)
}
