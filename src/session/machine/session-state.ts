// One session: the span from a sign-in to its end, its tokens, and what is known of them. Plain data, and pure functions.
// A request remembers its session and the generation it was sent with; comparing both answers every question about time.
import type { AuthClientError } from '../../errors.js'
import { createMark, createRecord, type SessionRecord, type StoredRecord } from '../../stores/store.js'
import { attainableMsOf, type Credential } from './credential.js'
import { subjectFields } from './subject.js'

export interface SessionState extends Credential {
  readonly id: string
  /** Counts the access tokens in the store: whoever has the higher one has the newer tokens. */
  version: number
  /**
   * Counts the access tokens here: a request that was sent with a lower one was answered about an older token. Not the
   * version: where a store fails, two tabs can get a token each for the same one.
   */
  generation: number
  /** The longest validity that is worth a refresh. Infinity until one was asked for that tokens here do not have. */
  attainableMs: number
  /** The server rejected the current access token. */
  rejected: boolean
  /** The current access token came from a refresh, and no request that waited for it has been accepted yet. */
  unproven: boolean
  /** When fresh tokens were rejected of late: at most {@link EXCESSIVE_LIMIT}. */
  freshRejectedAtMs: number[]
  /** Counts what overtakes a refresh: a new refresh token, another run's grant, tokens of another tab. */
  epoch: number
  /** Refresh tokens that were exchanged for newer ones, of late: a store may still hold one, and none is sent again. */
  spent: readonly string[]
  /** Failed refreshes in a row. */
  failures: number
  /** The failure of the current tokens' refresh, until its time is over. */
  coolDown?: { sinceMs: number; lengthMs: number; error: AuthClientError } | undefined
  /** Why it is over. Set once, never taken back. */
  ended?: AuthClientError | undefined
}

const EXCESSIVE_LIMIT = 3
const EXCESSIVE_WINDOW_MS = 30_000

const FIRST_COOL_DOWN_MS = 1000
const LONGEST_COOL_DOWN_MS = 30_000

/** As many refresh tokens are remembered as spent, and access tokens of late as ours. */
export const REMEMBERED_TOKENS = 20

/** A session that has no tokens yet, or those of `credential`. */
export function createSessionState(id: string, credential?: Credential): SessionState {
  const session: SessionState = {
    id,
    version: 0,
    generation: 0,
    accessToken: '',
    lifetimeMs: Infinity,
    attainableMs: Infinity,
    subjects: {},
    rejected: false,
    unproven: false,
    freshRejectedAtMs: [],
    epoch: 0,
    spent: [],
    failures: 0,
  }
  if (credential) renewSession(session, credential)
  return session
}

/** Puts newer tokens in place of the old ones; a missing refresh token keeps the old one (RFC 6749 section 6). */
export function renewSession(session: SessionState, credential: Credential): void {
  const { accessToken, refreshToken = session.refreshToken, lifetimeMs } = credential
  const { version = session.version + 1 } = credential
  const { named, claimed } = session.subjects
  // The same token again is no newer one, whatever its version: what the server said of it still holds. Sessions in
  // cookies have no token to compare.
  if (accessToken ? accessToken !== session.accessToken : version !== session.version) {
    session.rejected = session.unproven = false
    session.generation++
  }
  if (credential.refreshToken) {
    // Handed out anew.
    session.spent = session.spent.filter((token) => token !== refreshToken)
    session.epoch++
  }
  const { subjects } = credential
  Object.assign(session, credential, {
    version,
    refreshToken,
    attainableMs: Math.max(session.attainableMs, attainableMsOf(lifetimeMs)),
    subjects: { ...subjects, named: subjects.named ?? named, claimed: subjects.claimed ?? claimed },
    failures: 0,
    coolDown: undefined,
  })
}

/** What is to be stored of it: its tokens, or that somebody else has the newer ones. */
export function recordOf(session: SessionState): StoredRecord {
  const { id, version, subjects } = session
  const record = createRecord(id, version, { ...session, ...subjectFields(subjects) })
  return isOutdated(session) ? createMark(record) : record
}

/** `successor` has come in the place of the refresh token that was sent. */
export function noteSpent(session: SessionState, sent: string | undefined, successor?: string): void {
  if (sent && successor !== sent) session.spent = [sent, ...session.spent].slice(0, REMEMBERED_TOKENS)
}

/** A mark says that tokens of `version` exist, which could not be stored: whoever has older ones cannot renew them. */
export function noteOutdated(session: SessionState, version: number): void {
  if (version <= session.version) return
  session.version = version
  if (!isOutdated(session)) noteSpent(session, session.refreshToken)
}

/** Whether the only refresh token there is has been exchanged by somebody else. */
export function isOutdated(session: SessionState | undefined): boolean {
  return !!session?.refreshToken && session.spent.includes(session.refreshToken)
}

/** Whether a record of the same session holds other tokens that are not older than ours. */
export function isNewer({ version, tokens }: SessionRecord, session: SessionState): boolean {
  if (version !== session.version) return version > session.version
  return tokens.accessToken !== session.accessToken || tokens.refreshToken !== session.refreshToken
}

export function isStale({ staleAtMs = Infinity }: SessionState, nowMs: number): boolean {
  return nowMs >= staleAtMs
}

export function isExpired({ expiresAtMs }: SessionState, nowMs: number): boolean {
  return expiresAtMs !== undefined && nowMs >= expiresAtMs
}

/** Whether the token is not valid for `minValidityMs`, and one refresh may bring one that is. */
export function isShort(session: SessionState, nowMs: number, minValidityMs: number): boolean {
  return minValidityMs <= session.attainableMs && isExpired(session, nowMs + minValidityMs)
}

/** A refresh was made for `minValidityMs`: if its token does not live that long, no other will. */
export function learnAttainable(session: SessionState, minValidityMs: number): void {
  const mostMs = attainableMsOf(session.lifetimeMs)
  if (minValidityMs > mostMs) session.attainableMs = mostMs
}

/** Notes that a token fresh from a refresh was rejected too. */
export function noteFreshRejected(session: SessionState, nowMs: number): void {
  session.unproven = false
  session.freshRejectedAtMs = [...session.freshRejectedAtMs, nowMs].slice(-EXCESSIVE_LIMIT)
}

/** Whether refreshing has stopped to help: the server rejects one fresh token after the other. */
export function isRefreshingExcessively(session: SessionState, nowMs: number): boolean {
  // Until there are three, no comparison with what is not a number holds.
  const [first = Number.NaN, , last = Number.NaN] = session.freshRejectedAtMs
  if (isExpired(session, nowMs)) return false
  // A clock that was set back proves nothing about how long ago that was.
  return last - first < EXCESSIVE_WINDOW_MS && nowMs >= last && nowMs - last < EXCESSIVE_WINDOW_MS
}

/** Makes requests fail fast for a while, longer after each failure in a row. Returns for how long. */
export function coolDown(session: SessionState, error: AuthClientError, nowMs: number, pauseMs = 0): number {
  const grownMs = Math.min(LONGEST_COOL_DOWN_MS, FIRST_COOL_DOWN_MS * 2 ** session.failures++)
  const lengthMs = Math.max(pauseMs, grownMs)
  session.coolDown = { sinceMs: nowMs, lengthMs, error }
  return lengthMs
}

/** Why no refresh is started now. */
export function coolingDown({ coolDown }: SessionState, nowMs: number): AuthClientError | undefined {
  // A clock that was set back ends it: it would last for hours otherwise.
  const elapsedMs = coolDown ? nowMs - coolDown.sinceMs : 0
  return coolDown && elapsedMs >= 0 && elapsedMs < coolDown.lengthMs ? coolDown.error : undefined
}
