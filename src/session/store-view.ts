// What a store is known to hold: as it was understood, and as it gave it. Calls no store.
// Promise: a record that is not for this client is noticed, and what is not sound throws.
import {
  copyPlain,
  ForeignRecord,
  isSame,
  REFUSED,
  readRecord,
  type StoredRecord,
  UnusableTokens,
} from '../stores/store.js'
import { attempt, ignore, type Operation } from './store-calls.js'

/** What a look into the store found; `undefined` when the store failed, so that nothing is known. */
export type Found =
  | {
      record: StoredRecord | undefined
      refused: boolean
      /**
       * Whether somebody else has changed the store since we last read or wrote it; `undefined` where that is not known.
       * What our own failed write has left there, or has yet to replace, is no news.
       */
      news: boolean | undefined
      /** A write of ours was refused because of it: it counts, whatever its version. */
      isConflict?: boolean | undefined
    }
  | undefined

/** What was found, and that as the store gave it. */
export type Looked = NonNullable<Found> & { raw: StoredRecord | null | undefined }

/** Nothing that a store holds. */
const UNREAD = Symbol()

type Content = StoredRecord | typeof REFUSED | null

export interface StoreViewDeps {
  tokenless: boolean
  onError(operation: Operation, error: unknown): void
  /** Where tokens may be sent, as far as that is known. */
  origins(): readonly string[]
}

export function createStoreView({ tokenless, onError, origins }: StoreViewDeps) {
  /** What the store held when it was last read or written, as it was understood. */
  let seen: Content | typeof UNREAD | undefined
  /** The same as the store gave it: what the next write replaces. `undefined`: not known. */
  let held: StoredRecord | null | undefined
  /** It holds what is not for us. */
  let isForeign = false

  return {
    held: () => held,
    isForeign: () => isForeign,
    /** What was found last has not been taken up. */
    forget() {
      seen = UNREAD
    },
    note,
    noteWritten(record: StoredRecord | undefined, reason?: typeof REFUSED): void {
      note(record, reason)
      isForeign = false
    },
    noteUnread(error: unknown): void {
      if (error instanceof ForeignRecord) isForeign = true
    },
    /**
     * Reads what the store gave. `isNoted`: the session gets to know of it. `isCurrent`: the user has done nothing since that
     * overrides it. @throws when it cannot be used.
     */
    understand(loaded: unknown, isNoted: boolean, isCurrent: boolean): Looked {
      const isUnusable = loaded instanceof UnusableTokens
      if (isUnusable) onError('load', loaded)
      const value = isUnusable ? undefined : loaded
      isForeign = false
      const refused = value === REFUSED
      const raw = refused ? null : (attempt(() => copyPlain(value ?? null), ignore) as typeof held)
      // What is damaged may be replaced. What nobody takes up, because the user has done something meanwhile, may not.
      if (isNoted && isCurrent) held = raw
      const record = readRecord(value, tokenless, origins())
      const content: Content = record ?? (refused ? value : null)
      const news = seen === undefined ? undefined : seen === UNREAD || !isSame(content, seen)
      if (isNoted) seen = content
      return { record, refused, news: isCurrent && news, raw }
    },
  }

  function note(record: StoredRecord | undefined, reason?: typeof REFUSED): void {
    held = record ?? null
    seen = record ?? reason ?? null
  }
}
