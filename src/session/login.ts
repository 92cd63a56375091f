// One login: the span from a sign-in to its end, its tokens, and what is known of them. State without effects.
// A request remembers its login and the edition it was sent with; comparing both answers every question about time.
import type { AuthClientError } from '../errors.js'
import { type Claims, type Lifetime, measureLifetime, readClaims, type Source } from '../lifetime.js'
import { createMark, createRecord, type SessionRecord, type StoredRecord } from '../storage/store.js'
import type { Tokens } from '../tokens.js'
import { readSubjects, type SubjectOf, type Subjects, subjectFields } from './subject.js'

export interface Login {
  readonly id: string
  /** Counts the access tokens in the store: whoever has the higher one has the newer tokens. */
  version: number
  /**
   * Counts the access tokens here: a request that was sent with a lower one was answered about an older token. Not the
   * version: where a store fails, two tabs can get a token each for the same one.
   */
  edition: number
  accessToken: string
  refreshToken?: string | undefined
  expiresAtMs?: number | undefined
  /** Infinity where it is unknown. */
  lifetimeMs: number
  /** See {@link Lifetime.estimated}. */
  estimated?: boolean | undefined
  /** The longest validity that is worth a refresh. Infinity until one was asked for that tokens here do not have. */
  attainableMs: number
  /** From when on the token is renewed before the server refuses it. */
  staleAtMs?: number | undefined
  /** Who this is, by each of the sources that can say so. */
  subjects: Subjects
  claims?: Claims | undefined
  /** The server refused the current access token. */
  refused: boolean
  /** The current access token came from a refresh, and no request that waited for it has been served yet. */
  unproven: boolean
  /** When the last refreshes turned out fruitless: their token was refused as well. At most {@link FRUITLESS_LIMIT}. */
  fruitlessAtMs: number[]
  /** Counts what overtakes a flight: a new refresh token, another flight's grant, tokens of another tab. */
  rotation: number
  /** Refresh tokens that were exchanged for newer ones, of late: a store may still hold one, and none is sent again. */
  spent: readonly string[]
  /** Failed refreshes in a row. */
  failures: number
  /** The verdict about the current tokens, until its time is over. */
  coolDown?: { sinceMs: number; lengthMs: number; error: AuthClientError } | undefined
  /** Why it is over. Set once, never taken back. */
  ended?: AuthClientError | undefined
}

const FRUITLESS_LIMIT = 3
const FRUITLESS_WINDOW_MS = 30_000

/** Explicit values too are cut to this part of a token's life: a token of 30 s must not be renewed on every request. */
const STALE_PART = 0.15

/** A login that has no tokens yet. */
export function createLogin(id: string): Login {
  return {
    id,
    version: 0,
    edition: 0,
    accessToken: '',
    lifetimeMs: Infinity,
    attainableMs: Infinity,
    subjects: {},
    refused: false,
    unproven: false,
    fruitlessAtMs: [],
    rotation: 0,
    spent: [],
    failures: 0,
  }
}

/** What is needed to understand tokens: the time of their receipt, and the options that speak of them. */
export interface Reading {
  nowMs(): number
  refreshAheadMs: number
  subjectOf: SubjectOf
  onUnreadable(field: keyof Tokens): void
}

/**
 * Puts newer tokens in place of the old ones; a missing refresh token keeps the old one (RFC 6749 section 6).
 * `version`: that of the record they come from; `undefined` for others.
 */
export function renewLogin(
  login: Login,
  tokens: Partial<Tokens> & Pick<SessionRecord, 'estimated' | 'claimedSubject'>,
  version: number | undefined,
  source: Source,
  { nowMs, refreshAheadMs, subjectOf, onUnreadable }: Reading,
): void {
  const accessToken = tokens.accessToken || ''
  const claims = readClaims(accessToken)
  const lifetime = measureLifetime(tokens, claims, nowMs(), source, onUnreadable)
  const { expiresAtMs, lifetimeMs = Infinity } = lifetime
  const nextVersion = version ?? login.version + 1
  // The same token again is no newer one, whatever its version: what the server said of it still holds. Sessions in
  // cookies have no token to compare.
  if (accessToken ? accessToken !== login.accessToken : nextVersion !== login.version) {
    login.refused = login.unproven = false
    login.edition++
  }
  login.version = nextVersion
  login.accessToken = accessToken
  login.claims = claims
  login.expiresAtMs = expiresAtMs
  login.lifetimeMs = lifetimeMs
  login.estimated = lifetime.estimated
  login.attainableMs = Math.max(login.attainableMs, attainableOf(lifetimeMs))
  login.staleAtMs =
    expiresAtMs === undefined ? undefined : expiresAtMs - Math.min(refreshAheadMs, lifetimeMs * STALE_PART)
  const { named, claimed, inToken } = readSubjects(tokens, claims, subjectOf, version !== undefined)
  const before = login.subjects
  login.subjects = { named: named ?? before.named, claimed: claimed ?? before.claimed, inToken }
  login.failures = 0
  login.coolDown = undefined
  if (tokens.refreshToken) {
    login.refreshToken = tokens.refreshToken
    // Handed out anew.
    login.spent = login.spent.filter((token) => token !== tokens.refreshToken)
    login.rotation++
  }
}

/** What is to be stored of it: its tokens, or that somebody else has the newer ones. */
export function recordOf(login: Login): StoredRecord {
  const record = createRecord(login.id, login.version, { ...login, ...subjectFields(login.subjects) })
  return isOutdated(login) ? createMark(record) : record
}

/** A mark says that tokens of `version` exist, which could not be stored: whoever has older ones cannot renew them. */
export function noteOutdated(login: Login, version: number): void {
  if (version <= login.version) return
  login.version = version
  if (login.refreshToken && !isOutdated(login)) login.spent = [login.refreshToken, ...login.spent]
}

/** Whether the only refresh token there is has been exchanged by somebody else. */
export function isOutdated(login: Login | undefined): boolean {
  return !!login?.refreshToken && login.spent.includes(login.refreshToken)
}

/** Whether a record of the same session holds other tokens that are not older than ours. */
export function isNewer(record: SessionRecord, login: Login): boolean {
  if (record.version !== login.version) return record.version > login.version
  const { accessToken, refreshToken } = record.tokens
  return accessToken !== login.accessToken || refreshToken !== login.refreshToken
}

export function isStale(login: Login, nowMs: number): boolean {
  return nowMs >= (login.staleAtMs ?? Infinity)
}

export function isExpired(login: Login, nowMs: number): boolean {
  return login.expiresAtMs !== undefined && nowMs >= login.expiresAtMs
}

/** Whether the token is not valid for `minValidityMs`, and one refresh may bring one that is. */
export function isShort(login: Login, nowMs: number, minValidityMs: number): boolean {
  return minValidityMs <= login.attainableMs && isExpired(login, nowMs + minValidityMs)
}

/** A refresh was made for `minValidityMs`: if its token does not live that long, no other will. */
export function learnAttainable(login: Login, minValidityMs: number): void {
  const mostMs = attainableOf(login.lifetimeMs)
  if (minValidityMs > mostMs) login.attainableMs = mostMs
}

/** Whoever asks for nearly the whole life of a token would have one refreshed with nearly every call. */
function attainableOf(lifetimeMs: number): number {
  return lifetimeMs * (1 - STALE_PART)
}

/** Notes that a token fresh from a refresh was refused too. */
export function noteFruitless(login: Login, nowMs: number): void {
  login.unproven = false
  login.fruitlessAtMs = [...login.fruitlessAtMs, nowMs].slice(-FRUITLESS_LIMIT)
}

/** Whether refreshing has stopped to help: the server refuses one fresh token after the other. */
export function isFutile(login: Login, nowMs: number): boolean {
  // Until there are three, no comparison with what is not a number holds.
  const [first = Number.NaN, , last = Number.NaN] = login.fruitlessAtMs
  if (isExpired(login, nowMs)) return false
  // A clock that was set back proves nothing about how long ago that was.
  return last - first < FRUITLESS_WINDOW_MS && nowMs >= last && nowMs - last < FRUITLESS_WINDOW_MS
}
