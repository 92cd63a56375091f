// Backend F: an OAuth 2.0 server. Authorization codes with PKCE (RFC 7636), and refreshes, at one token endpoint.
// The user's consent is not asked for: `login_hint` says who sits in front of the screen.

import { createHash, randomUUID } from 'node:crypto'
import { json, type Reply } from '../auth-server/answer.js'
import type { CreateBackend } from '../auth-server/backend.js'
import { createDialects, oauthError } from '../auth-server/refresh-dialects.js'
import { bearerOf, bodyField, type ReceivedRequest } from '../auth-server/request.js'
import { createDoor } from './door.js'

export const oauth2: CreateBackend = (parts) => {
  const { families, settings } = parts
  const door = createDoor(parts)
  const codes = new Map<string, { user: string; clientId: string; challenge: string }>()

  function authorize({ query }: ReceivedRequest): Reply {
    const { redirect_uri = '', login_hint = '', client_id = '', code_challenge = '' } = query
    const code = randomUUID()
    codes.set(code, { user: login_hint, clientId: client_id, challenge: code_challenge })
    return { status: 302, headers: { location: `${redirect_uri}?code=${code}` } }
  }

  function exchange(request: ReceivedRequest): Reply {
    const code = bodyField(request, 'code') ?? ''
    const asked = codes.get(code)
    // Once only (RFC 6749 section 4.1.2).
    codes.delete(code)
    const proof = createHash('sha256').update(bodyField(request, 'code_verifier') ?? '')
    const proven = asked !== undefined && asked.challenge === proof.digest('base64url')
    const grant =
      proven && asked.clientId === bodyField(request, 'client_id')
        ? door.logIn(asked.user, 'secret')
        : undefined
    if (!grant) return oauthError('invalid_grant', 'unknown code, or not yours')
    const { accessToken: access_token, refreshToken: refresh_token, lifetimeSeconds: expires_in } = grant
    return json(200, { access_token, refresh_token, expires_in, token_type: 'Bearer' })
  }

  return {
    dialects: createDialects(families, settings)
      .filter(({ path }) => path === '/oauth/token')
      .map((dialect) => ({
        ...dialect,
        read: (request) =>
          bodyField(request, 'grant_type') === 'authorization_code'
            ? exchange(request)
            : dialect.read(request),
      })),
    answer(request) {
      if (request.path === '/oauth/authorize') return authorize(request)
      if (!request.path.startsWith('/orders')) return undefined
      return door.guard(request, bearerOf(request), (flaw) => {
        // RFC 6750 section 3.1: without a token there is no error code.
        const challenge = flaw === 'missing' ? 'Bearer' : 'Bearer error="invalid_token"'
        return json(401, { message: `the token is ${flaw}` }, { 'www-authenticate': challenge })
      })
    },
  }
}
