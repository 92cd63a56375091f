// One session: the span from a sign-in to its end, its tokens, and what is known of them. State without effects.
// A request remembers its session and the generation it was sent with; comparing both answers every question about time.
import type { AuthClientError } from '../errors.js'
import { type Claims, type Lifetime, measureLifetime, readClaims, type Source } from '../lifetime.js'
import { createMark, createRecord, type SessionRecord, type StoredRecord } from '../stores/store.js'
import type { Tokens } from '../tokens.js'
import { readSubjects, type SubjectOf, type Subjects, subjectFields } from './subject.js'

export interface SessionState {
  readonly id: string
  /** Counts the access tokens in the store: whoever has the higher one has the newer tokens. */
  version: number
  /**
   * Counts the access tokens here: a request that was sent with a lower one was answered about an older token. Not the
   * version: where a store fails, two tabs can get a token each for the same one.
   */
  generation: number
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
  /** When the last refreshes turned out excessive: their token was refused as well. At most {@link EXCESSIVE_LIMIT}. */
  excessiveAtMs: number[]
  /** Counts what overtakes a run: a new refresh token, another run's grant, tokens of another tab. */
  epoch: number
  /** Refresh tokens that were exchanged for newer ones, of late: a store may still hold one, and none is sent again. */
  spent: readonly string[]
  /** Failed refreshes in a row. */
  failures: number
  /** The failure about the current tokens, until its time is over. */
  coolDown?: { sinceMs: number; lengthMs: number; error: AuthClientError } | undefined
  /** Why it is over. Set once, never taken back. */
  ended?: AuthClientError | undefined
}

const EXCESSIVE_LIMIT = 3
const EXCESSIVE_WINDOW_MS = 30_000

/** Explicit values too are cut to this part of a token's life: a token of 30 s must not be renewed on every request. */
const STALE_PART = 0.15

/** A session that has no tokens yet. */
export function createSessionState(id: string): SessionState {
  return {
    id,
    version: 0,
    generation: 0,
    accessToken: '',
    lifetimeMs: Infinity,
    attainableMs: Infinity,
    subjects: {},
    refused: false,
    unproven: false,
    excessiveAtMs: [],
    epoch: 0,
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
export function renewSession(
  session: SessionState,
  tokens: Partial<Tokens> & Pick<SessionRecord, 'estimated' | 'claimedSubject'>,
  version: number | undefined,
  source: Source,
  { nowMs, refreshAheadMs, subjectOf, onUnreadable }: Reading,
): void {
  const accessToken = tokens.accessToken || ''
  const claims = readClaims(accessToken)
  const lifetime = measureLifetime(tokens, claims, nowMs(), source, onUnreadable)
  const { expiresAtMs, lifetimeMs = Infinity } = lifetime
  const nextVersion = version ?? session.version + 1
  // The same token again is no newer one, whatever its version: what the server said of it still holds. Sessions in
  // cookies have no token to compare.
  if (accessToken ? accessToken !== session.accessToken : nextVersion !== session.version) {
    session.refused = session.unproven = false
    session.generation++
  }
  session.version = nextVersion
  session.accessToken = accessToken
  session.claims = claims
  session.expiresAtMs = expiresAtMs
  session.lifetimeMs = lifetimeMs
  session.estimated = lifetime.estimated
  session.attainableMs = Math.max(session.attainableMs, attainableOf(lifetimeMs))
  session.staleAtMs =
    expiresAtMs === undefined ? undefined : expiresAtMs - Math.min(refreshAheadMs, lifetimeMs * STALE_PART)
  const { named, claimed, inToken } = readSubjects(tokens, claims, subjectOf, version !== undefined)
  const before = session.subjects
  session.subjects = { named: named ?? before.named, claimed: claimed ?? before.claimed, inToken }
  session.failures = 0
  session.coolDown = undefined
  if (tokens.refreshToken) {
    session.refreshToken = tokens.refreshToken
    // Handed out anew.
    session.spent = session.spent.filter((token) => token !== tokens.refreshToken)
    session.epoch++
  }
}

/** What is to be stored of it: its tokens, or that somebody else has the newer ones. */
export function recordOf(session: SessionState): StoredRecord {
  const record = createRecord(session.id, session.version, { ...session, ...subjectFields(session.subjects) })
  return isOutdated(session) ? createMark(record) : record
}

/** A mark says that tokens of `version` exist, which could not be stored: whoever has older ones cannot renew them. */
export function noteOutdated(session: SessionState, version: number): void {
  if (version <= session.version) return
  session.version = version
  if (session.refreshToken && !isOutdated(session)) session.spent = [session.refreshToken, ...session.spent]
}

/** Whether the only refresh token there is has been exchanged by somebody else. */
export function isOutdated(session: SessionState | undefined): boolean {
  return !!session?.refreshToken && session.spent.includes(session.refreshToken)
}

/** Whether a record of the same session holds other tokens that are not older than ours. */
export function isNewer(record: SessionRecord, session: SessionState): boolean {
  if (record.version !== session.version) return record.version > session.version
  const { accessToken, refreshToken } = record.tokens
  return accessToken !== session.accessToken || refreshToken !== session.refreshToken
}

export function isStale(session: SessionState, nowMs: number): boolean {
  return nowMs >= (session.staleAtMs ?? Infinity)
}

export function isExpired(session: SessionState, nowMs: number): boolean {
  return session.expiresAtMs !== undefined && nowMs >= session.expiresAtMs
}

/** Whether the token is not valid for `minValidityMs`, and one refresh may bring one that is. */
export function isShort(session: SessionState, nowMs: number, minValidityMs: number): boolean {
  return minValidityMs <= session.attainableMs && isExpired(session, nowMs + minValidityMs)
}

/** A refresh was made for `minValidityMs`: if its token does not live that long, no other will. */
export function learnAttainable(session: SessionState, minValidityMs: number): void {
  const mostMs = attainableOf(session.lifetimeMs)
  if (minValidityMs > mostMs) session.attainableMs = mostMs
}

/** Whoever asks for nearly the whole life of a token would have one refreshed with nearly every call. */
function attainableOf(lifetimeMs: number): number {
  return lifetimeMs * (1 - STALE_PART)
}

/** Notes that a token fresh from a refresh was refused too. */
export function noteExcessive(session: SessionState, nowMs: number): void {
  session.unproven = false
  session.excessiveAtMs = [...session.excessiveAtMs, nowMs].slice(-EXCESSIVE_LIMIT)
}

/** Whether refreshing has stopped to help: the server refuses one fresh token after the other. */
export function isExcessive(session: SessionState, nowMs: number): boolean {
  // Until there are three, no comparison with what is not a number holds.
  const [first = Number.NaN, , last = Number.NaN] = session.excessiveAtMs
  if (isExpired(session, nowMs)) return false
  // A clock that was set back proves nothing about how long ago that was.
  return last - first < EXCESSIVE_WINDOW_MS && nowMs >= last && nowMs - last < EXCESSIVE_WINDOW_MS
}
