// Owns the auth backend of an app's tests: msw handlers for login, refresh, logout and what they protect, with counters,
// a log, and a refresh endpoint that fails on request. Checks nothing itself, and knows the client by HTTP only.
// Promise: every request is answered, at the latest by `reset`.
import { type HttpHandler, HttpResponse, http } from 'msw'
import type { Tokens } from '../index.js'
import { createHolds, type Hold } from './holds.js'
import { bearerOf, fieldsOf, isOrigin, json, pathOf } from './http.js'
import { createManualClock, type ManualClock } from './manual-clock.js'
import { createOutcomes, type NamedOutcome, plainAnswer, type RefreshOutcome } from './refresh-outcome.js'
import { createSessions, type IssuedTokens } from './sessions.js'
import { createTokenFactory } from './token-factory.js'

/** What `createAuthServer` takes. `undefined` always means the default. */
export interface AuthServerOptions {
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
  /** Names and passwords that may log in. @default any name, with any password */
  users?: Record<string, string> | undefined
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
  /** The field of a JSON or form body that holds the refresh token; without one, it is the Bearer. @default 'refresh_token' */
  refreshField?: string | undefined
  /**
   * Tokens that travel in HttpOnly cookies instead of bodies and headers: 'refresh', or 'both'. The server keeps the one
   * jar of one browser itself, so that it is the same in Node and in a page; `withCredentials` is not looked at.
   * @default none
   */
  cookies?: 'refresh' | 'both' | undefined
  /** Where a request carries the access token. @default its `Authorization: Bearer` */
  readAccessToken?: ((request: Request) => string | undefined | Promise<string | undefined>) | undefined
  /** The body of login and refresh answers. @default { access_token, refresh_token, token_type, expires_in } */
  grantBody?: ((issued: IssuedTokens) => object) | undefined
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

/** What the server has counted since the start or `reset`. */
export interface AuthServerCounts {
  /** Logins over HTTP that were granted; `backend.login()` is none. */
  logins: number
  logouts: number
  /** Calls of the refresh endpoint, whatever came of them. */
  refreshes: number
  /** Refreshes that issued new tokens. */
  granted: number
  /** Refresh tokens that came a second time. */
  reuses: number
  /** Requests to protected routes with a good token. */
  served: number
  /** Requests to protected routes that got a 401. */
  refused: number
}

/** One request, as the server saw it. */
export interface AuthServerLogEntry {
  endpoint: 'login' | 'refresh' | 'logout' | 'protected'
  method: string
  path: string
  /** The token it carried: a refresh token at `refresh`, otherwise an access token. */
  token: string | undefined
  /** Whose token it is, if it was good. */
  user: string | undefined
  /** What came of it; `undefined` while that is open. */
  outcome: 'served' | 'granted' | 'refused' | 'reused' | 'done' | NamedOutcome | number | 'custom' | undefined
  /** By the server's clock. */
  atMs: number
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

/** A request that is being answered. */
interface Visit {
  request: Request
  entry: AuthServerLogEntry
  /** Those of its own time: what comes late, after a `reset`, is not counted into the next test. */
  counts: AuthServerCounts
}

/**
 * Makes an auth backend out of msw handlers: login, refresh with rotation and reuse detection, logout, protected routes.
 * @throws {Error} for an option it cannot use, naming it.
 */
export function createAuthServer(options: AuthServerOptions = {}): AuthServer {
  const {
    origin = 'https://api.test',
    refreshField = 'refresh_token',
    cookies,
    users,
    clock = createManualClock(Math.floor(Date.now() / 1000) * 1000),
    readAccessToken = bearerOf,
    grantBody = defaultGrantBody,
  } = options
  const patterns = options.protected ?? ['/*']
  const paths = {
    login: options.paths?.login ?? '/auth/login',
    refresh: options.paths?.refresh ?? '/auth/refresh',
    logout: options.paths?.logout ?? '/auth/logout',
  }
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
  const relative = [...Object.values(paths), ...patterns].find((path) => !path.startsWith('/'))
  if (relative !== undefined) {
    throw new Error(`createAuthServer: paths begin with a slash, got ${JSON.stringify(relative)}.`)
  }

  const factory = createTokenFactory({ seed: options.seed, kind: options.tokens, clock })
  const sessions = createSessions({
    factory,
    clock,
    rotation: options.rotation ?? true,
    accessLifetimeSeconds: options.accessLifetimeSeconds ?? 300,
    refreshLifetimeSeconds: options.refreshLifetimeSeconds ?? 86_400,
    claims: options.claims ?? (() => ({})),
  })
  const holds = createHolds<AuthServerLogEntry>()
  const log: AuthServerLogEntry[] = []
  const outcomes = createOutcomes()
  /** The browser's cookies, with `cookies`. */
  let jar: { access?: string | undefined; refresh?: string | undefined } = {}
  let epoch = createEpoch()
  /** Requests whose token was accepted: several patterns may match one. */
  const accepted = new Set<string>()

  /** The handler of an endpoint: its answer goes out once no hold wants it any more; a `reset` ends it before. */
  function endpoint<T extends Response | undefined>(
    endpoint: AuthServerLogEntry['endpoint'],
    answer: (visit: Visit) => Promise<T | 'never'>,
  ) {
    return async ({ request }: { request: Request }): Promise<T | Response> => {
      const { counts, over } = epoch
      const asked = { endpoint, method: request.method, path: pathOf(request), atMs: clock.nowMs() }
      const entry = { ...asked, token: undefined, user: undefined, outcome: undefined }
      log.push(entry)
      const ready = answer({ request, entry, counts }).then(async (response) => {
        await holds.pass(entry)
        return response === 'never' ? over : response
      })
      return Promise.race([ready, over])
    }
  }

  /** Puts tokens where they travel. What is in a cookie is in no body. */
  function hand(issued: IssuedTokens): IssuedTokens {
    if (!cookies) return issued
    jar.refresh = issued.refreshToken ?? jar.refresh
    if (cookies === 'both') jar.access = issued.accessToken
    return {
      ...issued,
      refreshToken: undefined,
      accessToken: cookies === 'both' ? '' : issued.accessToken,
    }
  }

  async function tokenOf(request: Request): Promise<string | undefined> {
    return (await readAccessToken(request)) ?? jar.access
  }

  const login = endpoint('login', async ({ request, entry, counts }) => {
    const field = await fieldsOf(request)
    const name = field('username', 'user', 'email', 'name')
    entry.outcome = 'refused'
    if (name === undefined) return json(400, { error: 'expected a field username, user, email or name' })
    if (users && !(Object.hasOwn(users, name) && users[name] === field('password'))) {
      return json(401, { error: 'wrong name or password' })
    }
    Object.assign(entry, { user: name, outcome: 'granted' })
    counts.logins++
    return json(200, grantBody(hand(sessions.start(name))))
  })

  const refresh = endpoint('refresh', async (visit) => {
    const { request, entry, counts } = visit
    counts.refreshes++
    // Taken on arrival: reading the body takes time, and calls must not change places meanwhile.
    const outcome = outcomes.take()
    const field = await fieldsOf(request)
    // With cookies, a Bearer is the access token that an interceptor of the app put there.
    entry.token = cookies ? jar.refresh : (field(refreshField) ?? bearerOf(request))
    entry.outcome = typeof outcome === 'function' ? 'custom' : outcome
    if (typeof outcome === 'function') return outcome(request)
    if (outcome === 'granted') return grant(visit)
    if (outcome === 'hang') return 'never'
    if (outcome === 'lost') grant(visit)
    if (outcome === 'refused') sessions.endSessionOf(entry.token)
    return plainAnswer(outcome)
  })

  function grant({ entry, counts }: Visit): Response {
    const issued = sessions.exchange(entry.token)
    if (typeof issued === 'string') {
      entry.outcome = issued
      if (issued === 'reused') counts.reuses++
      return json(401, { error: 'invalid_grant' })
    }
    counts.granted++
    entry.user = issued.user
    return json(200, grantBody(hand(issued)))
  }

  const logout = endpoint('logout', async ({ request, entry, counts }) => {
    counts.logouts++
    const token = await tokenOf(request)
    const field = await fieldsOf(request)
    Object.assign(entry, { token, user: sessions.userOf(token), outcome: 'done' })
    for (const ended of [token, field(refreshField), jar.refresh]) sessions.endSessionOf(ended)
    jar = {}
    return json(204, {})
  })

  /** Answers with a 401, or nothing: then the handler after it does. */
  const authorise = endpoint('protected', async ({ request, entry, counts }) => {
    const token = await tokenOf(request)
    const user = sessions.userOf(token)
    Object.assign(entry, { token, user, outcome: user === undefined ? 'refused' : 'served' })
    if (user !== undefined) {
      counts.served++
      return undefined
    }
    counts.refused++
    const challenge = token === undefined ? 'Bearer' : 'Bearer error="invalid_token"'
    return json(401, { error: 'invalid_token' }, { 'www-authenticate': challenge })
  })

  async function guard({ request, requestId }: { request: Request; requestId: string }) {
    if (accepted.has(requestId)) return undefined
    const refusal = await authorise({ request })
    if (!refusal) accepted.add(requestId)
    return refusal
  }

  async function echo({ request }: { request: Request }): Promise<Response> {
    const user = sessions.userOf(await tokenOf(request))
    return json(200, { method: request.method, path: pathOf(request), user })
  }

  const guards = patterns.map((pattern) => http.all(origin + pattern, guard))
  return {
    handlers: [
      http.all(origin + paths.login, login),
      http.all(origin + paths.refresh, refresh),
      http.all(origin + paths.logout, logout),
      ...guards,
      ...(options.handlers ?? []),
      ...patterns.map((pattern) => http.all(origin + pattern, echo)),
    ],
    guards,
    origin,
    seed: factory.seed,
    clock,
    refresh: {
      next: outcomes.next,
      always: outcomes.always,
      hold: () => holds.add('refresh', ({ endpoint }) => endpoint === 'refresh'),
    },
    get counts() {
      return { ...epoch.counts }
    },
    log,
    login(user = 'ada') {
      const { accessToken, refreshToken, expiresInSeconds } = hand(sessions.start(user))
      return { accessToken, refreshToken, expiresInSeconds }
    },
    expireAccessTokens: sessions.expireAccessTokens,
    revokeSessions: (user) => sessions.revoke(user),
    hold: (wanted) =>
      holds.add(String(wanted), ({ path }) =>
        // `test` would go on from its last match, with a global expression.
        typeof wanted === 'string' ? wanted === path : path.search(wanted) >= 0,
      ),
    reset() {
      epoch.end()
      epoch = createEpoch()
      holds.endAll()
      sessions.clear()
      accepted.clear()
      outcomes.clear()
      log.length = 0
      jar = {}
    },
  }
}

/** What lasts until `reset`: the counters, and a promise of the network error that then ends what is still open. */
function createEpoch(): { counts: AuthServerCounts; over: Promise<Response>; end(): void } {
  let end = () => {}
  const over = new Promise<Response>((resolve) => {
    end = () => resolve(HttpResponse.error())
  })
  const counts = { logins: 0, logouts: 0, refreshes: 0, granted: 0, reuses: 0, served: 0, refused: 0 }
  return { counts, over, end }
}

function defaultGrantBody({ accessToken, refreshToken, expiresInSeconds }: IssuedTokens): object {
  return {
    ...(accessToken && { access_token: accessToken, token_type: 'Bearer' }),
    ...(refreshToken && { refresh_token: refreshToken }),
    expires_in: expiresInSeconds,
  }
}
