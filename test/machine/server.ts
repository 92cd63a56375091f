// The server of the world: families of tokens that rotate, strict reuse detection, access tokens that end.
// A refresh token is `r<family>.<number>`, an access token `a<family>.<number>`, so equal situations have equal names.
import type { Credential } from '../../src/session/machine/credential.js'
import type { SessionRecord } from '../../src/stores/store.js'

export const LIFE_MS = 100_000
const AHEAD_MS = 10_000
const STALE_PART = 0.15

/** All tokens that come from one sign-in. */
export interface Family {
  user: string
  /** The session that they are handed out for. */
  session: string
  /** The number of the newest. */
  latest: number
  /** Access tokens before this one are rejected before their time. */
  validFrom: number
  endsAtMs: number[]
  /** A refresh token was used twice. */
  revoked: boolean
  /** A client has received that answer. */
  wasRefused: boolean
}

export interface Server {
  families: Family[]
}

export function createServer(): Server {
  return { families: [] }
}

export function issueTokens(server: Server, user: string, session: string, nowMs: number): number {
  server.families.push({
    user,
    session,
    latest: 0,
    validFrom: 0,
    endsAtMs: [nowMs + LIFE_MS],
    revoked: false,
    wasRefused: false,
  })
  return server.families.length - 1
}

export function partsOf(token: string): [family: number, number: number] {
  const [family = '', number = ''] = token.slice(1).split('.')
  return [Number(family), Number(number)]
}

export function familyOf({ families }: Server, token: string): Family {
  return families[partsOf(token)[0]] as Family
}

export function isAccepted(server: Server, accessToken: string, nowMs: number): boolean {
  const family = familyOf(server, accessToken)
  const [, number] = partsOf(accessToken)
  return !family.revoked && number >= family.validFrom && nowMs < (family.endsAtMs[number] as number)
}

/** What a refresh with this token brings. `reused`: it had been exchanged before. */
export function exchange(
  server: Server,
  refreshToken: string,
  rotates: boolean,
  nowMs: number,
): 'refused' | 'reused' | { family: number; number: number; hasRefreshToken: boolean } {
  const [family, number] = partsOf(refreshToken)
  const found = server.families[family] as Family
  if (found.revoked) return 'refused'
  if (rotates && number !== found.latest) {
    found.revoked = true
    return 'reused'
  }
  found.latest++
  found.endsAtMs.push(nowMs + LIFE_MS)
  return { family, number: found.latest, hasRefreshToken: rotates }
}

/** Tokens as the client reads them on arrival. */
export function credentialOf(
  { families }: Server,
  family: number,
  number: number,
  hasRefreshToken: boolean,
): Credential {
  const { user, endsAtMs } = families[family] as Family
  const expiresAtMs = endsAtMs[number] as number
  return {
    version: undefined,
    accessToken: `a${family}.${number}`,
    refreshToken: hasRefreshToken ? `r${family}.${number}` : undefined,
    expiresAtMs,
    lifetimeMs: LIFE_MS,
    estimated: undefined,
    staleAtMs: expiresAtMs - AHEAD_MS,
    subjects: { named: user },
    claims: undefined,
  }
}

/** The same out of a record, as `readCredential` measures what was not just received. */
export function credentialIn(
  { version, tokens, expiresAtMs = 0, subject }: SessionRecord,
  nowMs: number,
): Credential {
  const lifetimeMs = Math.max(0, expiresAtMs - nowMs)
  return {
    version,
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken,
    expiresAtMs,
    lifetimeMs,
    estimated: false,
    staleAtMs: expiresAtMs - Math.min(AHEAD_MS, lifetimeMs * STALE_PART),
    subjects: { named: subject },
    claims: undefined,
  }
}
