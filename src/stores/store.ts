// The contract between a session and the place it is kept in, and the check of what comes back from there.
// Promise: nothing that a store returns is believed before `readRecord` has looked at every field.
import type { Clock } from '../clock.js'
import { isObject } from '../errors.js'
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
  /** Where its tokens may be sent. Whoever talks to none of these leaves the record alone. */
  origins?: readonly string[] | undefined
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
   * The record, or `undefined` / `null` when there is none; `'refused'`, if the store keeps that, where the last one was
   * cleared for that reason. What comes is checked before use.
   */
  load(): unknown
  /**
   * `replaces`, if it is there: save only if this is what the store holds, and return `false` otherwise. What it holds
   * is read and used then. A store that ignores `replaces` works too; but where it is asynchronous and shared, a save that
   * lands late can undo a sign-out in another process.
   */
  save(record: StoredRecord, options?: WriteOptions): Written | PromiseLike<Written>
  /** `refused`: nobody signed out, the server refused to renew the session. `replaces` as in `save`. */
  clear(reason?: typeof REFUSED, options?: WriteOptions): Written | PromiseLike<Written>
  /**
   * Calls `listener` when somebody else may have changed the store; returns what unsubscribes, which may be called twice.
   * Being called for one's own writes does no harm.
   */
  subscribe?: ((listener: () => void) => Unsubscribe | PromiseLike<Unsubscribe>) | undefined
  /**
   * Somebody else changes it without a word: it is looked at before every request. Only for a store that answers at once.
   * @internal
   */
  readonly live?: boolean | undefined
  /** For a store that several tabs or processes use: see {@link Exclusively}, and `webLock` for a ready one. */
  exclusively?: Exclusively | undefined
}

/** What a write is to replace. Without it the write is unconditional: the user has signed in or out. */
export interface WriteOptions {
  /** `null`: nothing; no record, that is. A record: just this one, compared whole and by value. */
  replaces?: StoredRecord | null | undefined
}

/** `false`: not written, because the store holds something else than `replaces`. */
// biome-ignore lint/suspicious/noConfusingVoidType: a store of one's own returns nothing
export type Written = void | boolean

export type Unsubscribe = () => void

/**
 * Runs `work` while nobody else who shares the store runs theirs, at most once, and settles as `work` does. Rejects
 * without running it when there was no turn for `timeoutMs`; to run it unguarded is the store's own choice.
 */
export type Exclusively = <T>(work: () => Promise<T>, turn: Turn) => Promise<T>

export interface Turn {
  /** Aborted: do not wait any longer. `work` has nothing left to do then, and may be run at once. */
  signal: AbortSignal
  /** How long to wait for others: what one refresh may take, and a margin. */
  timeoutMs: number
  /** Measure `timeoutMs` with this: the client's own clock, so that a test's clock counts. */
  clock: Clock
}

/** Whether the place holds just what a write is to replace. `held`: what `load` would return. */
export function mayReplace(held: unknown, { replaces }: WriteOptions = {}): boolean {
  return replaces === undefined || isSame(held === REFUSED ? null : held, replaces)
}

/** Whether two values of plain JSON are the same, whatever the order of their keys. No value counts as `null`. */
export function isSame(one: unknown, other: unknown): boolean {
  if (!isObject(one) || !isObject(other)) return (one ?? null) === (other ?? null)
  const [left, right] = [one, other] as Record<string, unknown>[]
  return Object.keys({ ...left, ...right }).every((key) => isSame(left?.[key], right?.[key]))
}

/** What a store holds is not for this client: of another version or API, or garbage. It is left where it is. */
export class ForeignRecord extends Error {}

/** What `load` answers where the tokens of an app cannot be used: it is reported, and nobody is signed in. */
export class UnusableTokens extends Error {}

/**
 * The record in what a store returned; `undefined` when there is none. `allowed`: where this client may send tokens, as far
 * as that is known.
 * @throws an error naming the field that is wrong; a {@link ForeignRecord} when the record is not for this client.
 */
export function readRecord(
  stored: unknown,
  tokenless: boolean,
  allowed: readonly string[] = [],
): StoredRecord | undefined {
  if (stored === undefined || stored === null || stored === REFUSED) return undefined
  // Each field is read once: a getter could answer differently the next time.
  const { v, sessionId, version, origins, spent, tokens, expiresAtMs, estimated, subject, claimedSubject } =
    stored as Record<string, unknown>
  if (v !== RECORD_FORMAT) throw new ForeignRecord('The stored session is not a record of this version.')
  const { accessToken, refreshToken } = (tokens ?? {}) as Record<string, unknown>
  const isName = (name: unknown) => name === undefined || typeof name === 'string'
  const sound = {
    sessionId: typeof sessionId === 'string' && sessionId !== '',
    version: Number.isSafeInteger(version) && (version as number) > 0,
    origins: origins === undefined || (Array.isArray(origins) && origins.every(isName)),
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
  if (origins && allowed.length && !allowed.some((origin) => (origins as unknown[]).includes(origin)))
    throw new ForeignRecord('The stored session is for other origins.')
  const fields = { origins, accessToken, refreshToken, expiresAtMs, estimated, subject, claimedSubject }
  return createRecord(record.sessionId, record.version, fields as RecordFields)
}

/** What stands for a record whose refresh token is spent. */
export function createMark({ sessionId, version }: StoredRecord): SpentRecord {
  return { v: RECORD_FORMAT, sessionId, version, spent: true }
}

type RecordFields = Omit<Tokens, 'expiresInSeconds' | 'expiresAtMs'> & {
  origins?: readonly string[] | undefined
  expiresAtMs?: number | undefined
  estimated?: boolean | undefined
  subject?: string | undefined
  claimedSubject?: string | undefined
}

export function createRecord(sessionId: string, version: number, fields: RecordFields): SessionRecord {
  const { origins, accessToken, refreshToken, expiresAtMs, estimated, subject, claimedSubject } = fields
  const record = {
    v: RECORD_FORMAT,
    sessionId,
    version,
    origins,
    tokens: { accessToken, refreshToken: refreshToken || undefined },
    expiresAtMs,
    estimated: !!estimated || undefined,
    subject,
    claimedSubject,
  }
  // Some stores refuse a field that is there and undefined.
  return copyPlain(record) as SessionRecord
}

/** As plain JSON: what does not change under our hands, and what a store may work on. @throws where it is no JSON. */
export function copyPlain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}

/** A name for one sign-in. It has to be unique, not secret: no `crypto`, which insecure origins and React Native lack. */
export function createSessionId(nowMs: number): string {
  return nowMs.toString(36) + Math.random().toString(36)
}
