// Puts the parts together: the only file that knows them all.
import { type AuthEvents, type AuthListener, type AuthStats, createEvents } from './events.js'
import { listen } from './listen.js'
import { type AuthClientOptions, resolveOptions } from './options.js'
import { redactError } from './redact.js'
import { type AccessTokenOptions, getAccessToken } from './session/access-token.js'
import { createGuardedStore } from './session/guarded-store.js'
import { createKnownTokens } from './session/known-tokens.js'
import { recordOf } from './session/machine/session-state.js'
import { createSessionManager, type RefreshInput } from './session/manager.js'
import type { AuthSnapshot } from './session/snapshot.js'
import { announceLanding } from './session/store-turns.js'
import type { Tokens } from './tokens.js'
import type { AxiosLike } from './transport/bare.js'
import { createHttp } from './transport/http.js'
import { createInstances } from './transport/instances.js'
import { createSkipReport } from './transport/skipped.js'

/** The session of an app, bound to its axios instance. */
export interface AuthClient {
  /**
   * Starts a session from a login answer. Over a live one, that one ends with reason `replaced`.
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
  getAccessToken(options?: AccessTokenOptions): Promise<string | undefined>
  /** The session as an app may show it: frozen, and the same object as long as nothing changed. */
  getSnapshot(): AuthSnapshot
  /** The snapshot for server-side rendering and hydration: what the option `tokens` says, whatever a store holds by now. */
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
   * @throws {AuthClientError} code `BAD_OPTION` when another live client has that instance.
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

/**
 * Installs the session on an existing axios instance: tokens are attached, and a 401 is refreshed and replayed, once for
 * all requests that failed together.
 * @throws {AuthClientError} code `BAD_OPTION` for a wrong option; for an instance that is frozen, or that a live client has
 * already, or whose defaults carry an `Authorization` or `auth`; and when a `baseURL` or a page has no origin that can be read.
 */
export function createAuthClient(instance: AxiosLike, options?: AuthClientOptions): AuthClient {
  const resolved = resolveOptions(options)
  const { refresh, store, place, clock, refreshTimeoutMs } = resolved
  const tokenless = !!place.tokenless
  const cookies = !!refresh?.cookies
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
  const instances = createInstances(instance, resolved.origins, place.header)
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
    origins: instances.allowedOrigins,
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
  try {
    add(instance)
  } catch (error) {
    dispose()
    throw error
  }

  return {
    signIn: manager.signIn,
    signOut: manager.signOut,
    updateTokens: manager.updateTokens,
    refresh: manager.refresh,
    getAccessToken: (options) => getAccessToken(manager, tokenless, options),
    getSnapshot: manager.getSnapshot,
    getServerSnapshot: manager.getServerSnapshot,
    subscribe: (listener) => events.on('change', () => listener()),
    on: events.on,
    stats: () => ({ ...stats }),
    attach(other) {
      manager.assertAlive()
      return add(other)
    },
    ready: manager.ready,
    dispose,
  }

  function add(other: AxiosLike): () => void {
    return instances.add(other, {
      ...resolved,
      manager,
      events,
      stats,
      isAsking: () => isAsking,
      reportSkipped,
      maySettleLate: cookies || !!manager.unsettled(),
    })
  }

  function dispose(): void {
    events.guard(unsubscribe)
    events.guard(stopListening)
    instances.releaseAll()
    announceLanding(store, manager.dispose())
    events.clear()
  }

  /** The calls that the strategy makes before its first await are recognised as the refresh's own. */
  function startRefresh({ cause, ...input }: RefreshInput): unknown {
    isAsking = true
    try {
      return refresh?.({
        ...input,
        http: createHttp(instance, instances.isAllowedOrigin),
        get cause() {
          return cause()
        },
      })
    } finally {
      isAsking = false
    }
  }

  function reportStoreError(operation: AuthEvents['storeError']['operation'], thrown: unknown): void {
    // Later, so that a listener that is attached right after creation gets a failure of the first look.
    queueMicrotask(() =>
      events.guard(() => {
        const error = redactError(thrown, manager.redactions()) ?? new Error('The store failed.')
        events.emit('storeError', { operation, error })
      }),
    )
  }
}
