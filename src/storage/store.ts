// The contract between a session and the place it is kept in, and the check of what comes back from there.
// Promise: nothing that a store returns is believed before `readRecord` has looked at every field.
import { isUsableToken, type Tokens } from '../tokens.js'

/** Format of {@link StoredRecord}. A record of another format is left where it is and not read. */
export const RECORD_FORMAT = 1

/** What stands in the place of a record after a refusal. */
export const REFUSED = 'refused'

/** One session as it is kept, whole or not at all. */
export interface StoredRecord {
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
}

/**
 * Where a session is kept. Every method may be sync or async, and may throw or reject: the session then goes on in
 * memory and a `storeError` event says so. Calls never overlap: each waits for the one before.
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

/** The record in what a store returned; `undefined` when there is none, and what is wrong with it when it is garbage. */
export function readRecord(stored: unknown, tokenless: boolean): StoredRecord | undefined | { flaw: string } {
  if (stored === undefined || stored === null || stored === REFUSED) return undefined
  const { v, sessionId, version, tokens, expiresAtMs, estimated, subject, claimedSubject } =
    stored as Partial<StoredRecord>
  if (v !== RECORD_FORMAT) return { flaw: 'is not a record of this version' }
  const { accessToken, refreshToken } = (tokens ?? {}) as Partial<StoredRecord['tokens']>
  const sound =
    typeof sessionId === 'string' &&
    sessionId !== '' &&
    Number.isSafeInteger(version) &&
    (version as number) > 0 &&
    (isUsableToken(accessToken) || (tokenless && accessToken === '')) &&
    (refreshToken === undefined || isUsableToken(refreshToken)) &&
    (expiresAtMs === undefined || Number.isFinite(expiresAtMs)) &&
    [subject, claimedSubject].every((name) => name === undefined || typeof name === 'string')
  if (!sound) return { flaw: 'is damaged' }
  const fields = { accessToken, refreshToken, expiresAtMs, estimated, subject, claimedSubject }
  return createRecord(sessionId, version as number, fields as RecordFields)
}

type RecordFields = Omit<Tokens, 'expiresInSeconds' | 'expiresAtMs'> & {
  expiresAtMs?: number | undefined
  estimated?: boolean | undefined
  subject?: string | undefined
  claimedSubject?: string | undefined
}

export function createRecord(sessionId: string, version: number, fields: RecordFields): StoredRecord {
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
  return JSON.parse(JSON.stringify(record)) as StoredRecord
}

/** A name for one sign-in. It has to be unique, not secret: no `crypto`, which insecure origins and React Native lack. */
export function createSessionId(nowMs: number): string {
  return nowMs.toString(36) + Math.random().toString(36)
}
