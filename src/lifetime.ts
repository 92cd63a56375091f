// How long a token lives, as far as a client can know it, and what a JWT says in the clear.
// Promise: a span is measured from the moment of receipt, so a clock that is wrong by years changes nothing. What
// cannot be read is unknown: it never throws, and never becomes a number that nobody meant.
// Nothing is verified here: that is the server's work, and its 401 is the truth.
import { jwtDecode } from 'jwt-decode'
import { isObject } from './errors.js'
import type { Tokens } from './tokens.js'

/** What a JWT carries in the clear (RFC 7519 section 4.1). Not verified: never decide on rights by it. */
export type Claims = Readonly<Record<string, unknown>>

export interface Lifetime {
  expiresAtMs?: number | undefined
  /** The token's whole life, or the best lower bound that is known of it. */
  lifetimeMs?: number | undefined
  /** It rests on this machine's clock alone: an end that another clock has set. */
  estimated?: boolean | undefined
}

/**
 * Where tokens come from: from the server, in this moment; from the app, which has had them for an unknown time; or from
 * a store, where `expiresAtMs` was measured when the tokens were received, unless it is `estimated`.
 */
export type Source = 'received' | 'given' | 'stored'

/** Headers of 16 kB are refused by most servers; `jsonBodyField` has room for more. */
const LONGEST_TOKEN = 100_000

/** What engines cannot write as JSON without overflowing their stack begins at some thousands. */
const DEEPEST_LEVEL = 64

/** An end that is nearer than this when its token arrives says more about the two clocks than about the token. */
const SHORTEST_LIFE_MS = 1000

/** Below it a moment is meant in seconds: as milliseconds it would lie in 1973 or before. */
const FIRST_MOMENT_MS = 1e11

const NUMBER = /^-?\d+(\.\d+)?\s*s?$/i
// RFC 3339 section 5.6, as far as every engine reads it. Other dates are read differently by each of them.
const ISO_DATE = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-][\d:]+)?)?$/i

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

/**
 * The lifetime of tokens that are here at `nowMs`; nothing in it is set when it cannot be known. Of tokens just received
 * it is a span, or else an end that lies ahead. Of others it is an end by this machine's clock, even one that has passed.
 * @param onUnreadable is called with the name of each field that is there and cannot be read
 */
export function measureLifetime(
  tokens: Partial<Tokens> & Pick<Lifetime, 'estimated'>,
  claims: Claims | undefined,
  nowMs: number,
  source: Source,
  onUnreadable: (field: keyof Tokens) => void,
): Lifetime {
  const read = (field: 'expiresInSeconds' | 'expiresAtMs', reading: typeof momentOf) => {
    const raw: unknown = tokens[field]
    const ms = reading(typeof raw === 'string' ? raw.trim() : raw, nowMs)
    if (Number.isNaN(ms) && raw !== undefined && raw !== null) onUnreadable(field)
    return ms
  }
  const spanMs = read('expiresInSeconds', msOf)
  const knownAtMs = read('expiresAtMs', momentOf)
  const expAtMs = msOf(claims?.exp)
  const issuedSpanMs = expAtMs - msOf(claims?.iat)
  const isReceived = source === 'received'

  const lifetimeMs = isReceived ? [spanMs, issuedSpanMs].find((ms) => ms > 0) : undefined
  if (lifetimeMs) return { expiresAtMs: nowMs + lifetimeMs, lifetimeMs }

  // An end that has passed on arrival proves the two clocks apart.
  const earliestAtMs = isReceived ? nowMs + SHORTEST_LIFE_MS : -Infinity
  const spanEndMs = nowMs + (spanMs > 0 ? spanMs : Number.NaN)
  const ends = [knownAtMs, expAtMs, spanEndMs]
  const expiresAtMs = ends.find((atMs) => atMs > earliestAtMs)
  if (expiresAtMs === undefined) return {}
  return {
    expiresAtMs,
    lifetimeMs: issuedSpanMs > 0 ? issuedSpanMs : Math.max(0, expiresAtMs - nowMs),
    estimated:
      source === 'stored' ? expiresAtMs !== knownAtMs || !!tokens.estimated : expiresAtMs !== spanEndMs,
  }
}

/** A number, or the text of one; NaN for anything else, such as `"1h"` or `"01:00:00"`. */
function numberOf(value: unknown): number {
  if (typeof value === 'string') return NUMBER.test(value) ? Number.parseFloat(value) : Number.NaN
  return typeof value === 'number' ? value : Number.NaN
}

/** Seconds in milliseconds; NaN for what is no number, or none to count with. */
function msOf(seconds: unknown): number {
  const ms = numberOf(seconds) * 1000
  return Number.isSafeInteger(Math.round(ms)) ? ms : Number.NaN
}

/** A moment, from milliseconds, seconds, a `Date` or ISO text; NaN for anything else. */
function momentOf(value: unknown, nowMs: number): number {
  try {
    // Throws for all but a Date. Not `instanceof`: one of another realm is a Date too.
    return Date.prototype.getTime.call(value)
  } catch {
    if (typeof value === 'string' && ISO_DATE.test(value)) return Date.parse(value)
    const moment = numberOf(value)
    // A machine whose own clock stands in 1970 measures such moments itself.
    if (moment < FIRST_MOMENT_MS && nowMs >= FIRST_MOMENT_MS) return msOf(moment)
    return Number.isFinite(moment) ? moment : Number.NaN
  }
}
