// Owns the sessions of the auth server: which tokens live, rotation, reuse detection, revocation. Knows no HTTP.
// Promise: with rotation a refresh token is good once (RFC 9700 section 4.14.2); the second time ends its family.
import type { Clock } from '../index.js'
import type { TokenFactory } from './token-factory.js'

/** What a login or a refresh gives, before it is put into an answer. */
export interface IssuedTokens {
  user: string
  accessToken: string
  /** `undefined` where the old one stays good and is not repeated. */
  refreshToken: string | undefined
  expiresInSeconds: number
}

interface Family {
  user: string
  revoked: boolean
}

interface Issued {
  family: Family
  expiresAtMs: number
  /** An access token that was expired by hand, or a refresh token that has been exchanged. */
  spent: boolean
}

export type Sessions = ReturnType<typeof createSessions>

export function createSessions(options: {
  factory: TokenFactory
  clock: Clock
  rotation: boolean
  accessLifetimeSeconds: number
  refreshLifetimeSeconds: number
  claims: (user: string) => Record<string, unknown>
}) {
  const { factory, clock, rotation, accessLifetimeSeconds, refreshLifetimeSeconds, claims } = options
  const access = new Map<string, Issued>()
  const refresh = new Map<string, Issued>()

  const file = (tokens: Map<string, Issued>, token: string, family: Family, seconds: number) => {
    tokens.set(token, { family, expiresAtMs: clock.nowMs() + seconds * 1000, spent: false })
    return token
  }
  const isGood = (issued: Issued | undefined) =>
    issued && !issued.spent && !issued.family.revoked && clock.nowMs() < issued.expiresAtMs

  function issue(family: Family, withRefreshToken: boolean): IssuedTokens {
    const { user } = family
    const request = { subject: user, lifetimeSeconds: accessLifetimeSeconds, claims: claims(user) }
    return {
      user,
      accessToken: file(access, factory.accessToken(request), family, accessLifetimeSeconds),
      refreshToken: withRefreshToken
        ? file(refresh, factory.refreshToken(), family, refreshLifetimeSeconds)
        : undefined,
      expiresInSeconds: accessLifetimeSeconds,
    }
  }

  return {
    start: (user: string) => issue({ user, revoked: false }, true),
    /** Whom a good access token belongs to. */
    userOf(accessToken: string | undefined): string | undefined {
      const issued = access.get(accessToken ?? '')
      return isGood(issued) ? issued?.family.user : undefined
    },
    /** New tokens for a refresh token; otherwise why there are none. */
    exchange(refreshToken: string | undefined): IssuedTokens | 'refused' | 'reused' {
      const issued = refresh.get(refreshToken ?? '')
      if (issued?.spent && !issued.family.revoked) {
        issued.family.revoked = true
        return 'reused'
      }
      if (!issued || !isGood(issued)) return 'refused'
      issued.spent = rotation
      return issue(issued.family, rotation)
    },
    expireAccessTokens() {
      for (const issued of access.values()) issued.spent = true
    },
    /** Ends the session that a token of either kind belongs to. */
    endSessionOf(token: string | undefined) {
      const issued = access.get(token ?? '') ?? refresh.get(token ?? '')
      if (issued) issued.family.revoked = true
    },
    revoke(user: string | undefined) {
      for (const { family } of refresh.values()) family.revoked ||= user === undefined || family.user === user
    },
    clear() {
      access.clear()
      refresh.clear()
    },
  }
}
