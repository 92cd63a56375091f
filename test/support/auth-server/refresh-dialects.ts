// Owns how the backends speak of a refresh: where the refresh token is, how a grant and a refusal look.
// Spends nothing: refresh.ts asks a dialect to read and to word, the families decide.

import { URLSearchParams } from 'node:url'
import { type Answer, json, noContent, type Reply } from './answer.js'
import { clearedCookies, cookieBody, sessionCookies } from './cookies.js'
import type { Families, Grant } from './families.js'
import { basicOf, bearerOf, bodyField, cookiesOf, type ReceivedRequest } from './request.js'
import type { AuthServerSettings } from './settings.js'

export interface Dialect {
  path: string
  methods: readonly string[]
  /** `false`: answers an access token only, the refresh token stays. */
  rotates: boolean
  /** The refresh token, `undefined` when there is none to be found, or a reply that ends the matter. */
  read(request: ReceivedRequest): string | Reply | undefined
  /** The body of a grant; `undefined`: the answer has none. */
  body(grant: Grant): Record<string, unknown> | undefined
  headers?(grant: Grant): Reply['headers']
  refuse(message: string): Reply
  /** How this backend words an error with any status. */
  failure(message: string, error?: string): Record<string, unknown>
}

export function answerGrant(dialect: Dialect, grant: Grant, body = dialect.body(grant)): Reply {
  const headers = { 'cache-control': 'no-store', ...dialect.headers?.(grant) }
  return body === undefined ? noContent(headers) : json(200, body, headers)
}

export function isReply(answer: Answer | string | undefined): answer is Reply {
  return typeof answer === 'object'
}

export function createDialects(families: Families, settings: AuthServerSettings): Dialect[] {
  const expiry = (grant: Grant): Record<string, unknown> =>
    settings.expiresIn ? { expires_in: grant.lifetimeSeconds } : {}
  const full = (grant: Grant): Record<string, unknown> => ({
    access_token: grant.accessToken,
    refresh_token: grant.refreshToken,
    ...expiry(grant),
  })

  const jsonBody: Dialect = {
    path: '/auth/refresh',
    methods: ['POST'],
    rotates: true,
    read: (request) => bodyField(request, 'refresh_token'),
    body: full,
    refuse: (message) => json(401, { message }),
    failure: (message, error) => ({ error, message }),
  }

  const oauth2: Dialect = {
    path: '/oauth/token',
    methods: ['POST'],
    rotates: true,
    read: (request) => readOAuth2(request, settings.oauthClients),
    body: (grant) => ({ ...full(grant), token_type: 'Bearer', scope: 'read write' }),
    refuse: (message) => oauthError('invalid_grant', message),
    failure: (message, error) => ({ error, error_description: message }),
  }

  // Backends C (POST) and D (GET).
  const bearer: Dialect = {
    path: '/auth/refresh-bearer',
    methods: ['GET', 'POST'],
    rotates: false,
    read: bearerOf,
    body: (grant) => ({ access_token: grant.accessToken }),
    refuse: (msg) => json(401, { msg }),
    failure: (msg, error) => ({ error, msg }),
  }

  // Backend B: both tokens in the body, and they must belong together.
  const bothInBody: Dialect = {
    ...bearer,
    path: '/refresh-json',
    methods: ['POST'],
    read(request) {
      const refreshToken = bodyField(request, 'refresh_token')
      const family = families.status(bodyField(request, 'token') ?? '')?.family
      if (refreshToken === undefined || !family) return undefined
      return families.ofRefreshToken(refreshToken) === family ? refreshToken : undefined
    },
  }

  // Backend A: a refusal is a 200.
  const coded: Dialect = {
    path: '/api/v1/system/refresh_token/',
    methods: ['POST'],
    rotates: true,
    read: (request) => bodyField(request, 'refresh_token'),
    body: (grant) => ({ code: 1, token: grant.accessToken, refresh_token: grant.refreshToken }),
    refuse: (message) => json(200, { code: 0, message }),
    failure: (message, error) => ({ error, message }),
  }

  // Backend G: everything in cookies, double-submit CSRF.
  const cookie: Dialect = {
    path: '/cookie/refresh',
    methods: ['POST'],
    rotates: true,
    read(request) {
      const { refresh, csrf_refresh: csrf } = cookiesOf(request)
      if (!refresh || !csrf) return undefined
      if (request.headers['x-csrf-token'] !== csrf || families.csrfOf(refresh) !== csrf) {
        return json(401, { message: 'CSRF token missing or wrong' })
      }
      return refresh
    },
    body: (grant) => cookieBody(grant, settings),
    headers: (grant) => ({ 'set-cookie': sessionCookies(grant) }),
    refuse: (message) => json(401, { message }, { 'set-cookie': clearedCookies() }),
    failure: (message, error) => ({ error, message }),
  }

  return [jsonBody, oauth2, bearer, bothInBody, coded, cookie]
}

/** RFC 6749 sections 2.3.1, 5.2 and 6. */
function readOAuth2(request: ReceivedRequest, clients: AuthServerSettings['oauthClients']): string | Reply {
  if (!request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    return oauthError('invalid_request', 'the body must be form-encoded')
  }
  const basic = basicOf(request)
  const bodySecret = bodyField(request, 'client_secret')
  if (basic && bodySecret !== undefined) {
    return oauthError('invalid_request', 'authenticate in one way, not in two')
  }
  // Section 2.3.1: both halves of Basic are form-encoded first.
  const clientId = basic ? formDecoded(basic.user) : bodyField(request, 'client_id')
  const secret = basic ? formDecoded(basic.password) : bodySecret
  const known = clientId !== undefined && Object.hasOwn(clients, clientId)
  if (!known || (clients[clientId] ?? '') !== (secret ?? '')) {
    const message = known ? 'wrong client secret' : 'unknown client'
    if (!basic) return oauthError('invalid_client', message)
    // Section 5.2: who came by the Authorization header is answered 401 in kind.
    return {
      ...oauthError('invalid_client', message, { 'www-authenticate': 'Basic realm="oauth"' }),
      status: 401,
    }
  }
  const grantType = bodyField(request, 'grant_type')
  if (grantType === undefined) return oauthError('invalid_request', 'grant_type is missing')
  if (grantType !== 'refresh_token') return oauthError('unsupported_grant_type', `not ${grantType}`)
  const scopes = (bodyField(request, 'scope') ?? 'read').split(' ')
  if (!scopes.every((scope) => scope === 'read' || scope === 'write')) {
    return oauthError('invalid_scope', 'the scopes are read and write')
  }
  return bodyField(request, 'refresh_token') ?? oauthError('invalid_request', 'refresh_token is missing')
}

export function oauthError(error: string, message: string, headers?: Reply['headers']): Reply {
  return json(400, { error, error_description: message }, { 'cache-control': 'no-store', ...headers })
}

function formDecoded(text: string): string {
  return new URLSearchParams(`v=${text}`).get('v') ?? ''
}
