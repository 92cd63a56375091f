// Owns what clients come for: protected and public resources, login and logout.
// Renews nothing and spends nothing.

import { createHash } from 'node:crypto'
import { type Answer, html, json, noContent, type Reply, trickled } from './answer.js'
import { clearedCookies, cookieBody, sessionCookies } from './cookies.js'
import type { Families, Grant } from './families.js'
import { bearerOf, bodyField, cookiesOf, type ReceivedRequest } from './request.js'
import type { AuthServerSettings, Counts } from './settings.js'

/** What `/api/*` answers: the request, seen from here. */
export interface Echo {
  user: string | undefined
  method: string
  path: string
  query: Record<string, string>
  bodySha256: string
  bodyLength: number
  contentType: string | undefined
  seq: number
}

export function echo(request: ReceivedRequest, headers?: Reply['headers'], more?: object): Reply {
  const { user, method, path, query, bodyBytes, seq } = request
  const seen: Echo = {
    user,
    method,
    path,
    query,
    bodySha256: createHash('sha256').update(bodyBytes).digest('hex'),
    bodyLength: bodyBytes.length,
    contentType: request.headers['content-type'],
    seq,
  }
  return json(200, { ...seen, ...more }, headers)
}

/** What login answers, over HTTP and to `server.login()`. */
export interface LoginAnswer {
  access_token: string
  refresh_token: string
  /** Left out when the server runs with `expiresIn: false`. */
  expires_in?: number
}

export function loginAnswer(
  grant: Grant & { refreshToken: string },
  settings: AuthServerSettings,
): LoginAnswer {
  return {
    access_token: grant.accessToken,
    refresh_token: grant.refreshToken,
    ...(settings.expiresIn ? { expires_in: grant.lifetimeSeconds } : {}),
  }
}

export type Resources = (request: ReceivedRequest) => Answer | undefined

export function createResources(
  families: Families,
  settings: AuthServerSettings,
  counts: () => Counts,
): Resources {
  /** Whether the token is alive; notes on the request what came. */
  function isAlive(request: ReceivedRequest, token: string | undefined): boolean {
    request.accessToken = token
    const status = token === undefined ? undefined : families.status(token)
    request.user = status?.family.user
    return status?.alive ?? false
  }

  function admit(reply: Reply): Reply {
    counts().protectedOk++
    return reply
  }

  function refuse(
    challenge = 'Bearer error="invalid_token"',
    message = 'token missing, expired or unknown',
  ): Reply {
    counts().answered401++
    return json(401, { message }, { 'www-authenticate': challenge, 'cache-control': 'no-store' })
  }

  function login(request: ReceivedRequest): (Grant & { refreshToken: string }) | undefined {
    counts().login++
    const user = bodyField(request, 'user') ?? bodyField(request, 'username')
    return user && bodyField(request, 'password') === 'secret' ? families.start(user) : undefined
  }

  function logout(token: string | undefined): void {
    if (token === undefined) return
    const family = families.status(token)?.family ?? families.ofRefreshToken(token)
    if (family) families.revoke((one) => one === family)
  }

  function doors(request: ReceivedRequest): Answer | undefined {
    switch (`${request.method} ${request.path}`) {
      case 'POST /auth/login': {
        const grant = login(request)
        return grant ? json(200, loginAnswer(grant, settings)) : json(401, { message: 'wrong password' })
      }
      case 'POST /auth/logout':
        logout(bodyField(request, 'refresh_token') ?? bearerOf(request))
        return noContent()
      case 'POST /api/v1/system/login/': {
        // Backend A: a refusal is a 200.
        const grant = login(request)
        if (!grant) return json(200, { code: 0, message: 'wrong password' })
        const { accessToken: token, refreshToken: refresh_token } = grant
        return json(200, { code: 1, token, refresh_token, permissions: ['read'], roles: ['user'] })
      }
      case 'POST /cookie/login': {
        const grant = login(request)
        if (!grant) return json(401, { message: 'wrong password' })
        const headers = { 'set-cookie': sessionCookies(grant) }
        const body = cookieBody(grant, settings)
        return body ? json(200, body, headers) : noContent(headers)
      }
      case 'POST /cookie/logout': {
        const { refresh, access } = cookiesOf(request)
        logout(refresh ?? access)
        return noContent({ 'set-cookie': clearedCookies() })
      }
      default:
        return undefined
    }
  }

  function protectedResource(request: ReceivedRequest): Answer {
    const { path, query } = request
    const inBody = path === '/api/json-body' || path.startsWith('/api/json-body/')
    const alive = isAlive(request, inBody ? bodyField(request, 'token') : settings.readAccessToken(request))
    if (path === '/api/always-401') return refuse()
    if (path === '/api/soft-expired' && !alive) return json(200, { code: 'TOKEN_EXPIRED' })
    if (path === '/api/stream') {
      return streamed(alive ? admit(echo(request)) : refuse(), Number(query.bytes ?? 1 << 20))
    }
    if (!alive) return refuse()
    if (path === '/api/forbidden-scope') {
      return refuse('Bearer error="insufficient_scope", scope="admin"', 'this needs the scope admin')
    }
    return admit(behindTheDoor(request))
  }

  function behindTheDoor(request: ReceivedRequest): Reply {
    const { path, query } = request
    if (path === '/api/slow-body') return trickled(echo(request), 5, 10)
    if (path === '/api/cached') return echo(request, { 'cache-control': 'max-age=60', vary: 'Authorization' })
    if (path === '/api/redirect') return redirect(query)
    const status = /^\/api\/status\/(\d{3})$/.exec(path)?.[1]
    if (status !== undefined) return json(Number(status), { message: `status ${status}, as asked` })
    return echo(request)
  }

  return (request) => {
    const { path } = request
    const door = doors(request)
    if (door !== undefined) return door
    if (path.startsWith('/api/')) return protectedResource(request)
    if (path.startsWith('/cookie/')) {
      return isAlive(request, cookiesOf(request).access) ? admit(echo(request)) : refuse()
    }
    if (path === '/public/login-page') return html(200, 'Please sign in')
    if (path === '/public/redirect') return redirect(request.query)
    if (path.startsWith('/public/')) return echo(request, {}, { headers: request.headers })
    return undefined
  }
}

function redirect(query: Readonly<Record<string, string>>): Reply {
  return { status: Number(query.status ?? 302), headers: { location: query.to ?? '/public/login-page' } }
}

/** The same answer, its JSON first and then so many bytes of blanks, which JSON does not mind. */
function streamed(reply: Reply, bytes: number): Reply {
  const chunk = Buffer.alloc(16_384, ' ')
  const count = Math.ceil(bytes / chunk.length)
  function* chunks(): Generator<string | Buffer> {
    yield reply.body ?? ''
    for (let i = 0; i < count; i++) yield chunk
  }
  return { status: reply.status, headers: reply.headers, chunks: chunks() }
}
