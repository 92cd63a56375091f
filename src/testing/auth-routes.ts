// What the endpoints of a test's auth backend answer: login, refresh, logout, and whatever needs an access token.
// Knows the client by HTTP only.
import { bearerOf, fieldsOf, json, pathOf } from './http.js'
import { type createOutcomes, plainAnswer } from './refresh-outcome.js'
import type { createSessions, IssuedTokens } from './sessions.js'
import type { Visit, Visits } from './visits.js'

/** What the endpoints read and answer; part of the options of `createAuthServer`. */
export interface RouteOptions {
  /** Names and passwords that may log in. @default any name, with any password */
  users?: Record<string, string> | undefined
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
}

interface RoutesDeps extends RouteOptions {
  sessions: ReturnType<typeof createSessions>
  outcomes: ReturnType<typeof createOutcomes>
  endpoint: Visits['endpoint']
}

export function createRoutes(deps: RoutesDeps) {
  const { sessions, outcomes, endpoint, refreshField = 'refresh_token', cookies, users } = deps
  const { readAccessToken = bearerOf, grantBody = defaultGrantBody } = deps
  /** The browser's cookies, with `cookies`. */
  let jar: { access?: string | undefined; refresh?: string | undefined } = {}
  /** Requests whose token was accepted: several patterns may match one. */
  const accepted = new Set<string>()
  const authorise = endpoint('protected', admit)

  return {
    login: endpoint('login', login),
    refresh: endpoint('refresh', refresh),
    logout: endpoint('logout', logout),
    guard,
    echo,
    hand,
    reset(): void {
      accepted.clear()
      jar = {}
    },
  }

  async function login({ request, entry, counts }: Visit): Promise<Response> {
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
  }

  async function refresh(visit: Visit): Promise<Response | 'never'> {
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
  }

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

  async function logout({ request, entry, counts }: Visit): Promise<Response> {
    counts.logouts++
    const token = await tokenOf(request)
    const field = await fieldsOf(request)
    Object.assign(entry, { token, user: sessions.userOf(token), outcome: 'done' })
    for (const ended of [token, field(refreshField), jar.refresh]) sessions.endSessionOf(ended)
    jar = {}
    return json(204, {})
  }

  /** Answers with a 401, or nothing: then the handler after it does. */
  async function admit({ request, entry, counts }: Visit): Promise<Response | undefined> {
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
  }

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
}

function defaultGrantBody({ accessToken, refreshToken, expiresInSeconds }: IssuedTokens): object {
  return {
    ...(accessToken && { access_token: accessToken, token_type: 'Bearer' }),
    ...(refreshToken && { refresh_token: refreshToken }),
    expires_in: expiresInSeconds,
  }
}
