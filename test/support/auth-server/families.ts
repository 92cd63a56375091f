// Owns the sessions: which access and refresh tokens live, rotation, reuse detection, revocation.
// Knows no HTTP; every refresh dialect spends its tokens here.
// Promise: a refresh token gives new tokens once (RFC 9700 section 4.14.2); the second time ends its family.

import type { Mint } from './mint.js'
import type { AuthServerSettings, Counts } from './settings.js'

/** One login and all tokens that came of it. */
export interface Family {
  readonly id: string
  readonly user: string
  revoked: boolean
  /** The access token issued last. */
  accessToken: string
  /** The refresh token that is good now. */
  refreshToken: string
}

export interface Grant {
  user: string
  accessToken: string
  /** `undefined` where the old one stays good and is not repeated. */
  refreshToken: string | undefined
  lifetimeSeconds: number
  /** For double-submit cookies; belongs to the refresh token. */
  csrf: string
}

export type Spent = { grant: Grant } | { refused: string }

export type TokenStatus = { family: Family; alive: boolean } | undefined

interface Access {
  family: Family
  expiresAtMs: number
  killed: boolean
}

interface Refresh {
  family: Family
  csrf: string
  expiresAtMs: number
  /** Counts the rotations that led to it. */
  generation: number
  spent: { atMs: number; grant: Grant } | undefined
}

export interface Families {
  readonly all: readonly Family[]
  start(user: string, lifetimeSeconds?: number): Grant & { refreshToken: string }
  /** Whose access token it is and whether it lives; `undefined` for one that we never issued. */
  status(accessToken: string): TokenStatus
  ofRefreshToken(refreshToken: string): Family | undefined
  csrfOf(refreshToken: string): string | undefined
  /** @param mayRotate `false` in dialects that only ever answer an access token */
  spend(refreshToken: string, mayRotate: boolean): Spent
  killAccessTokens(): void
  revoke(which: (family: Family) => boolean): void
  /** Every token ever issued, of both kinds. */
  issued(): string[]
}

export function createFamilies(
  mint: Mint,
  settings: AuthServerSettings,
  counts: () => Counts,
  nowMs: () => number,
): Families {
  const all: Family[] = []
  const accessById = new Map<string, Access>()
  const refreshByToken = new Map<string, Refresh>()
  const issued: string[] = []
  /** Of each family, the generation of its latest refresh token. */
  const generations = new Map<Family, number>()

  function issueAccess(family: Family, lifetimeSeconds = settings.accessLifetimeSeconds): number {
    const { token, id, expiresAtMs } = mint.accessToken(family.user, lifetimeSeconds)
    accessById.set(id, { family, expiresAtMs, killed: false })
    issued.push(token)
    family.accessToken = token
    return lifetimeSeconds
  }

  function issueRefresh(family: Family, generation = 0): string {
    const token = mint.opaque('refresh')
    const csrf = mint.opaque('csrf')
    const expiresAtMs = nowMs() + settings.refreshLifetimeSeconds * 1000
    refreshByToken.set(token, { family, csrf, expiresAtMs, generation, spent: undefined })
    generations.set(family, generation)
    issued.push(token)
    family.refreshToken = token
    return csrf
  }

  function csrfOf(refreshToken: string): string | undefined {
    return refreshByToken.get(refreshToken)?.csrf
  }

  return {
    all,
    start(user, wantedSeconds) {
      const family: Family = {
        id: `family-${all.length + 1}`,
        user,
        revoked: false,
        accessToken: '',
        refreshToken: '',
      }
      all.push(family)
      const lifetimeSeconds = issueAccess(family, wantedSeconds)
      const csrf = issueRefresh(family)
      const { accessToken, refreshToken } = family
      return { user, accessToken, refreshToken, lifetimeSeconds, csrf }
    },
    status(accessToken) {
      const id = mint.idOf(accessToken)
      const access = id === undefined ? undefined : accessById.get(id)
      if (!access) return undefined
      const { family, killed, expiresAtMs } = access
      return { family, alive: !killed && !family.revoked && nowMs() < expiresAtMs }
    },
    ofRefreshToken: (refreshToken) => refreshByToken.get(refreshToken)?.family,
    csrfOf,
    spend(refreshToken, mayRotate) {
      const refresh = refreshByToken.get(refreshToken)
      if (!refresh) return { refused: 'unknown refresh token' }
      const { family, spent } = refresh
      const { user } = family
      if (family.revoked) return { refused: 'session revoked' }
      const inGrace = spent && nowMs() - spent.atMs < settings.graceMs
      if (inGrace && settings.graceAnswer === 'same') return { grant: spent.grant }
      const forgiven = inGrace && generations.get(family) === refresh.generation + 1
      if (spent && !forgiven) {
        family.revoked = true
        counts().reuses++
        return { refused: 'refresh token reused' }
      }
      if (nowMs() >= refresh.expiresAtMs) return { refused: 'refresh token expired' }
      const lifetimeSeconds = issueAccess(family)
      const { accessToken } = family
      if (!mayRotate || settings.rotate !== true) {
        const echoed = mayRotate && settings.rotate === 'echo' ? refreshToken : undefined
        return { grant: { user, accessToken, refreshToken: echoed, lifetimeSeconds, csrf: refresh.csrf } }
      }
      const csrf = issueRefresh(family, refresh.generation + 1)
      const grant = { user, accessToken, refreshToken: family.refreshToken, lifetimeSeconds, csrf }
      refresh.spent ??= { atMs: nowMs(), grant }
      return { grant }
    },
    killAccessTokens() {
      for (const access of accessById.values()) access.killed = true
    },
    revoke(which) {
      for (const family of all) if (which(family)) family.revoked = true
    },
    issued: () => [...issued],
  }
}
