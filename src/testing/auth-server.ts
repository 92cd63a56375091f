// Owns the auth backend of an app's tests: msw handlers for login, refresh, logout and what they protect, with counters,
// a log, and a refresh endpoint that fails on request. Checks nothing itself, and knows the client by HTTP only.
// Promise: every request is answered, at the latest by `reset`.
import { type HttpHandler, http } from 'msw'
import type { Tokens } from '../index.js'
import { createRoutes, type RouteOptions } from './auth-routes.js'
import type { Hold } from './holds.js'
import { isOrigin } from './http.js'
import { createManualClock, type ManualClock } from './manual-clock.js'
import { createOutcomes, type RefreshOutcome } from './refresh-outcome.js'
import { createSessions } from './sessions.js'
import { createTokenFactory } from './token-factory.js'
import { type AuthServerCounts, type AuthServerLogEntry, createVisits } from './visits.js'

export type { AuthServerCounts, AuthServerLogEntry } from './visits.js'

/** What `createAuthServer` takes. `undefined` always means the default. */
export interface AuthServerOptions extends RouteOptions {
  /** Where the backend lives: scheme, host and port, no path. @default 'https://api.test' */
  origin?: string | undefined
  /** @default { login: '/auth/login', refresh: '/auth/refresh', logout: '/auth/logout' } */
  paths?:
    | { login?: string | undefined; refresh?: string | undefined; logout?: string | undefined }
    | undefined
  /** What needs an access token: msw path patterns such as '/orders/:id' or '/api/*'. @default ['/*'] */
  protected?: readonly string[] | undefined
  /** Your own msw handlers for protected routes: asked once the token was accepted. The others answer who asked. */
  handlers?: readonly HttpHandler[] | undefined
  /** What an access token is. @default 'jwt' */
  tokens?: 'jwt' | 'opaque' | undefined
  /** Further claims of a JWT, such as `() => ({ roles: ['admin'] })`. */
  claims?: ((user: string) => Record<string, unknown>) | undefined
  /** A number that repeats the same tokens. @default a random one, readable as `backend.seed` */
  seed?: number | undefined
  /** @default 300 */
  accessLifetimeSeconds?: number | undefined
  /** @default 86_400 */
  refreshLifetimeSeconds?: number | undefined
  /** A refresh gives a new refresh token and spends the old one, whose second use ends the session. @default true */
  rotation?: boolean | undefined
  /** The server's clock; share one with the client to move both. @default one of its own that starts now and stands still */
  clock?: ManualClock | undefined
}

/** Makes the refresh endpoint fail, and holds its answers. */
export interface RefreshControl {
  /** The next refreshes end like this, one each. The client may ask more than once: a refresh that is unavailable is retried. */
  next(...outcomes: RefreshOutcome[]): void
  /** All refreshes end like this, once those of `next` are used up. `'granted'` is the way back. */
  always(outcome: RefreshOutcome): void
  /** Holds the answers of the refreshes that arrive from now on. What they say is decided on arrival. */
  hold(): Hold
}

/** An auth backend for tests: see {@link createAuthServer}. */
export interface AuthServer {
  /** For `setupServer(...backend.handlers)` in Node and `setupWorker(...backend.handlers)` in a page. */
  readonly handlers: HttpHandler[]
  /** The 401 alone, to stand before handlers that a test adds: `server.use(...backend.guards, http.get(...))`. */
  readonly guards: HttpHandler[]
  readonly origin: string
  readonly seed: number
  readonly clock: ManualClock
  readonly refresh: RefreshControl
  /** A copy of the counters as they are now. */
  readonly counts: Readonly<AuthServerCounts>
  /** Every request since the start or `reset`, in order of arrival; live. */
  readonly log: readonly AuthServerLogEntry[]
  /** Starts a session without HTTP: `await auth.signIn(backend.login('ada'))`. @param user default 'ada' */
  login(user?: string): Tokens
  /** Every access token issued so far is refused from now on, whatever a clock says. */
  expireAccessTokens(): void
  /** Ends every session of this user (default: of everybody): access and refresh tokens are refused. */
  revokeSessions(user?: string): void
  /** Holds the answers of a path that arrive from now on. Whether the token is good is decided on arrival. */
  hold(path: string | RegExp): Hold
  /**
   * Back to the start, after each test: no sessions, outcomes, counts or log. What is held or hangs ends as a network
   * error. The clock goes on from where it is, and no token is issued twice.
   */
  reset(): void
}

/**
 * Makes an auth backend out of msw handlers: login, refresh with rotation and reuse detection, logout, protected routes.
 * @throws {Error} for an option it cannot use, naming it.
 */
export function createAuthServer(options: AuthServerOptions = {}): AuthServer {
  const { origin = 'https://api.test', clock = createManualClock(Math.floor(Date.now() / 1000) * 1000) } =
    options
  const patterns = options.protected ?? ['/*']
  const paths = {
    login: options.paths?.login ?? '/auth/login',
    refresh: options.paths?.refresh ?? '/auth/refresh',
    logout: options.paths?.logout ?? '/auth/logout',
  }
  check(options, origin, [...Object.values(paths), ...patterns])

  const factory = createTokenFactory({ seed: options.seed, kind: options.tokens, clock })
  const sessions = createSessions({
    factory,
    clock,
    rotation: options.rotation ?? true,
    accessLifetimeSeconds: options.accessLifetimeSeconds ?? 300,
    refreshLifetimeSeconds: options.refreshLifetimeSeconds ?? 86_400,
    claims: options.claims ?? (() => ({})),
  })
  const visits = createVisits(clock)
  const outcomes = createOutcomes()
  const routes = createRoutes({ ...options, sessions, outcomes, endpoint: visits.endpoint })
  const guards = patterns.map((pattern) => http.all(origin + pattern, routes.guard))
  return {
    handlers: [
      http.all(origin + paths.login, routes.login),
      http.all(origin + paths.refresh, routes.refresh),
      http.all(origin + paths.logout, routes.logout),
      ...guards,
      ...(options.handlers ?? []),
      ...patterns.map((pattern) => http.all(origin + pattern, routes.echo)),
    ],
    guards,
    origin,
    seed: factory.seed,
    clock,
    refresh: {
      next: outcomes.next,
      always: outcomes.always,
      hold: () => visits.hold('refresh', ({ endpoint }) => endpoint === 'refresh'),
    },
    get counts() {
      return visits.counts()
    },
    log: visits.log,
    login(user = 'ada') {
      const { accessToken, refreshToken, expiresInSeconds } = routes.hand(sessions.start(user))
      return { accessToken, refreshToken, expiresInSeconds }
    },
    expireAccessTokens: sessions.expireAccessTokens,
    revokeSessions: (user) => sessions.revoke(user),
    hold: (wanted) =>
      visits.hold(String(wanted), ({ path }) =>
        // `test` would go on from its last match, with a global expression.
        typeof wanted === 'string' ? wanted === path : path.search(wanted) >= 0,
      ),
    reset() {
      visits.reset()
      sessions.clear()
      outcomes.clear()
      routes.reset()
    },
  }
}

/** @throws {Error} for an option it cannot use, naming it. */
function check(options: AuthServerOptions, origin: string, paths: readonly string[]): void {
  if (!isOrigin(origin)) {
    throw new Error(
      `createAuthServer: origin: expected one such as "https://api.test", got ${JSON.stringify(origin)}. ` +
        'Without a default port or a slash at the end; a path belongs into `paths` and `protected`.',
    )
  }
  for (const name of ['accessLifetimeSeconds', 'refreshLifetimeSeconds'] as const) {
    const seconds = options[name]
    if (seconds !== undefined && !Number.isFinite(seconds))
      throw new Error(`createAuthServer: ${name}: expected seconds, got ${seconds}.`)
  }
  const relative = paths.find((path) => !path.startsWith('/'))
  if (relative !== undefined)
    throw new Error(`createAuthServer: paths begin with a slash, got ${JSON.stringify(relative)}.`)
}
