// The contract between a session and the place it is kept in, and the check of what comes back from there.
// Promise: nothing that a store returns is believed before `readRecord` has looked at every field.
import { isUsableToken, type Tokens } from '../tokens.js'

/** Format of {@link StoredRecord}. A record of another format is left where it is and not read. */
export const RECORD_FORMAT = 1

/** What stands in the place of a record after a refusal. */
export const REFUSED = 'refused'

/** One session as it is kept, whole or not at all. */
export interface SessionRecord {
  /** Format of the record. */
  v: typeof RECORD_FORMAT
  /** Names one sign-in; a new sign-in has a new one. */
  sessionId: string
  /** Counts the tokens of a session: whoever holds the higher version holds the newer tokens. */
  version: number
  tokens: { accessToken: string; refreshToken?: string | undefined }
  /** End of the access token's life in milliseconds of this machine's clock. */
  expiresAtMs?: number | undefined
  /** `expiresAtMs` was not measured when the tokens were received: it rests on a clock that may be wrong. */
  estimated?: true | undefined
  /** Who this is, as the snapshot shows it. */
  subject?: string | undefined
  /** What a token's claims said of it, where that cannot be read from `subject` and the token any more. */
  claimedSubject?: string | undefined
  spent?: undefined
}

/**
 * Left in place of a record whose refresh token was exchanged for one that could not be stored. It holds no token: who
 * starts with it is signed out, and other tabs keep their session without sending the refresh token they hold.
 */
export interface SpentRecord {
  v: typeof RECORD_FORMAT
  sessionId: string
  /** The version of the tokens that could not be stored. */
  version: number
  spent: true
  tokens?: undefined
}

/** What a store keeps: a session, or the mark of one whose tokens are not here. */
export type StoredRecord = SessionRecord | SpentRecord

/**
 * Where a session is kept. Every method may be sync or async, and may throw or reject: the session then goes on in
 * memory and a `storeError` event says so. Calls never overlap: each waits for the one before, but for one that has not
 * settled within `refreshTimeoutMs`.
 */
export interface TokenStore {
  /**
   * The record, or `undefined` / `null` when there is none; `'refused'`, if you can tell, where the last one was
   * cleared for that reason. What comes is checked before use.
   */
  load(): unknown
  save(record: StoredRecord): void | PromiseLike<void>
  /** `refused`: nobody signed out, the server refused to renew the session; worth telling to whoever loads next. */
  clear(reason?: typeof REFUSED): void | PromiseLike<void>
  /** Says that other tabs or processes use the same store; names the lock and the channel they share. */
  readonly name?: string | undefined
  /** Calls `listener` when somebody else may have changed the store; returns what unsubscribes. */
  subscribe?: ((listener: () => void) => () => void) | undefined
}

/** A store whose clients refresh one at a time: memoryStore, whose turns cannot fail. */
export interface TakesTurns {
  /** Waits for the turns of other owners, but no longer than until `signal` aborts: `work` has nothing left to do then. */
  exclusively<T>(work: () => Promise<T>, turn: TurnOf): Promise<T>
}

export interface TurnOf {
  signal: AbortSignal
  /** Which client it is. */
  owner: unknown
}

/** What a store holds is no record of this version: somebody else's, or garbage. It is left where it is. */
export class ForeignRecord extends Error {}

/**
 * The record in what a store returned; `undefined` when there is none.
 * @throws an error naming the field that is wrong; a {@link ForeignRecord} when it is no record of this version.
 */
export function readRecord(stored: unknown, tokenless: boolean): StoredRecord | undefined {
  if (stored === undefined || stored === null || stored === REFUSED) return undefined
  // Each field is read once: a getter could answer differently the next time.
  const { v, sessionId, version, spent, tokens, expiresAtMs, estimated, subject, claimedSubject } =
    stored as Record<string, unknown>
  if (v !== RECORD_FORMAT) throw new ForeignRecord('The stored session is not a record of this version.')
  const { accessToken, refreshToken } = (tokens ?? {}) as Record<string, unknown>
  const isName = (name: unknown) => name === undefined || typeof name === 'string'
  const sound = {
    sessionId: typeof sessionId === 'string' && sessionId !== '',
    version: Number.isSafeInteger(version) && (version as number) > 0,
    spent: spent === undefined || spent === true,
    'tokens.accessToken': spent || isUsableToken(accessToken) || (tokenless && accessToken === ''),
    'tokens.refreshToken': spent || refreshToken === undefined || isUsableToken(refreshToken),
    expiresAtMs: expiresAtMs === undefined || Number.isFinite(expiresAtMs),
    subject: isName(subject),
    claimedSubject: isName(claimedSubject),
  }
  const flaw = Object.entries(sound).find(([, isSound]) => !isSound)
  if (flaw) throw new Error(`The stored session is damaged: ${flaw[0]}.`)
  const record = { sessionId, version } as SessionRecord
  if (spent) return createMark(record)
  const fields = { accessToken, refreshToken, expiresAtMs, estimated, subject, claimedSubject }
  return createRecord(record.sessionId, record.version, fields as RecordFields)
}

/** What stands for a record whose refresh token is spent. */
export function createMark({ sessionId, version }: StoredRecord): SpentRecord {
  return { v: RECORD_FORMAT, sessionId, version, spent: true }
}

type RecordFields = Omit<Tokens, 'expiresInSeconds' | 'expiresAtMs'> & {
  expiresAtMs?: number | undefined
  estimated?: boolean | undefined
  subject?: string | undefined
  claimedSubject?: string | undefined
}

export function createRecord(sessionId: string, version: number, fields: RecordFields): SessionRecord {
  const { accessToken, refreshToken, expiresAtMs, estimated, subject, claimedSubject } = fields
  const record = {
    v: RECORD_FORMAT,
    sessionId,
    version,
    tokens: { accessToken, refreshToken: refreshToken || undefined },
    expiresAtMs,
    estimated: !!estimated || undefined,
    subject,
    claimedSubject,
  }
  // Some stores refuse a field that is there and undefined.
  return JSON.parse(JSON.stringify(record)) as SessionRecord
}

/** A name for one sign-in. It has to be unique, not secret: no `crypto`, which insecure origins and React Native lack. */
export function createSessionId(nowMs: number): string {
  return nowMs.toString(36) + Math.random().toString(36)
}
