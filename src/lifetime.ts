// How long a token lives, as far as a client can know it, and what a JWT says in the clear.
// Promise: a span is measured from the moment of receipt, so a clock that is wrong by years changes nothing.
// Nothing is verified here: that is the server's work, and its 401 is the truth.
import { jwtDecode } from 'jwt-decode'
import { isObject } from './errors.js'
import type { Tokens } from './tokens.js'

/** What a JWT carries in the clear (RFC 7519 section 4.1). Not verified: never decide on rights by it. */
export type Claims = Readonly<Record<string, unknown>>

export interface Lifetime {
  expiresAtMs?: number
  /** The token's whole life, or the best lower bound that is known of it. */
  lifetimeMs?: number
}

/** Headers of 16 kB are refused by most servers; `jsonBodyField` has room for more. */
const LONGEST_TOKEN = 100_000

/** What engines cannot write as JSON without overflowing their stack begins at some thousands. */
const DEEPEST_LEVEL = 64

/**
 * The claims of a JWT, or `undefined` for an opaque token. A broken JWT is an opaque token, and so is one of more than
 * 100,000 characters, or whose claims are nested more than 64 levels deep. Frozen, at every level.
 */
export function readClaims(accessToken: string): Claims | undefined {
  try {
    const claims = accessToken.length <= LONGEST_TOKEN && jwtDecode<Record<string, unknown>>(accessToken)
    return isObject(claims) && freeze(claims, DEEPEST_LEVEL) ? claims : undefined
  } catch {
    return undefined
  }
}

/** Freezes what came from JSON. `false`: it has more levels than `levels`. */
function freeze(value: object, levels: number): boolean {
  return (
    levels > 0 &&
    Object.values(Object.freeze(value)).every((inner) => !isObject(inner) || freeze(inner, levels - 1))
  )
}

/** The lifetime of tokens received at `nowMs`. Both fields are missing when it cannot be known. */
export function measureLifetime(
  tokens: Partial<Tokens>,
  claims: Claims | undefined,
  nowMs: number,
): Lifetime {
  const spanMs = msOf(tokens.expiresInSeconds)
  if (spanMs > 0) return { expiresAtMs: nowMs + spanMs, lifetimeMs: spanMs }

  const issuedSpanMs = msOf(claims?.exp) - msOf(claims?.iat)
  const { expiresAtMs: knownMs = Number.NaN } = tokens
  if (Number.isFinite(knownMs)) {
    const remainingMs = Math.max(0, knownMs - nowMs)
    return { expiresAtMs: knownMs, lifetimeMs: issuedSpanMs > 0 ? issuedSpanMs : remainingMs }
  }

  if (issuedSpanMs > 0) return { expiresAtMs: nowMs + issuedSpanMs, lifetimeMs: issuedSpanMs }

  // Without `iat` only the clocks of both sides tell. A token that is dead on arrival proves them apart: ignore `exp`.
  const expiresAtMs = msOf(claims?.exp)
  return expiresAtMs > nowMs ? { expiresAtMs, lifetimeMs: expiresAtMs - nowMs } : {}
}

/** Seconds in milliseconds, from whatever a server wrote there; NaN for what is no number, or none to count with. */
function msOf(seconds: unknown): number {
  const ms =
    (typeof seconds === 'string'
      ? Number.parseFloat(seconds)
      : typeof seconds === 'number'
        ? seconds
        : Number.NaN) * 1000
  return Number.isSafeInteger(Math.round(ms)) ? ms : Number.NaN
}
