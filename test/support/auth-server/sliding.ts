// Owns backend E: tokens that the server itself renews in the answer, so that no refresh call exists.
// The token looks like a JWS with `exp` in its header; nobody but this file should read it.

import type { Random } from '../shuffle.js'
import { randomText } from '../shuffle.js'
import { type Answer, json, type Reply } from './answer.js'
import { basicOf, bodyField, type ReceivedRequest } from './request.js'
import { echo } from './resources.js'
import type { AuthServerSettings, Counts } from './settings.js'

interface SlidingToken {
  user: string
  expiresAtMs: number
  revoked: boolean
  successor: string | undefined
}

export interface Sliding {
  issue(user: string): string
  answer(request: ReceivedRequest): Answer | undefined
  /** Past every window from now on. */
  killAll(which: (user: string) => boolean): void
  issued(): string[]
}

export function createSliding(
  random: Random,
  settings: AuthServerSettings,
  counts: () => Counts,
  nowMs: () => number,
): Sliding {
  const tokens = new Map<string, SlidingToken>()
  const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

  function issue(user: string): string {
    const iat = Math.floor(nowMs() / 1000)
    const expiresAtMs = nowMs() + settings.accessLifetimeSeconds * 1000
    const header = encoded({ alg: 'HS512', iat, exp: expiresAtMs / 1000 })
    const token = `${header}.${encoded({ id: user })}.${randomText(random, 32)}`
    tokens.set(token, { user, expiresAtMs, revoked: false, successor: undefined })
    return token
  }

  function refuse(request: ReceivedRequest, msg: string, errorCode: number): Reply {
    counts().answered401++
    return json(401, { msg, error_code: errorCode, request: `${request.method} ${request.path}` })
  }

  /** The new token to hand out with this answer, if any. */
  function renew(old: SlidingToken): string | undefined {
    if (old.successor !== undefined) return settings.slidingRepeats ? old.successor : undefined
    old.successor = issue(old.user)
    counts().slid++
    return old.successor
  }

  return {
    issue,
    answer(request) {
      if (!request.path.startsWith('/sliding/')) return undefined
      if (request.path === '/sliding/login') {
        counts().login++
        const user = bodyField(request, 'user')
        if (!user || bodyField(request, 'password') !== 'secret') return json(401, { msg: 'wrong password' })
        return json(200, { token: issue(user) })
      }
      const basic = basicOf(request)
      const token = basic?.password === '' ? basic.user : undefined
      request.accessToken = token
      const known = token === undefined ? undefined : tokens.get(token)
      if (!known) return refuse(request, 'token missing or unknown', 1003)
      request.user = known.user
      const windowEndsAtMs = known.expiresAtMs + settings.slidingWindowSeconds * 1000
      if (known.revoked || nowMs() >= windowEndsAtMs) return refuse(request, 'token expired', 1004)
      counts().protectedOk++
      const renewed = nowMs() < known.expiresAtMs ? undefined : renew(known)
      return echo(request, renewed === undefined ? {} : settings.slidingHeaders(renewed))
    },
    killAll(which) {
      for (const token of tokens.values()) if (which(token.user)) token.revoked = true
    },
    issued: () => [...tokens.keys()],
  }
}
