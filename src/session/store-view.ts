// What a store is known to hold: as it was understood, and as it gave it. Calls no store.
// Promise: a record that is not for this client is noticed, and what is not sound throws.
import { copyPlain, isSame, REFUSED, readRecord, type StoredRecord, UnusableTokens } from '../stores/store.js'
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

/** Nothing that a store holds: what was found last has not been taken up. */
export const UNREAD = Symbol()

type Content = StoredRecord | typeof REFUSED | null

interface StoreViewDeps {
  tokenless: boolean
  onError(operation: Operation, error: unknown): void
  /** Where tokens may be sent, as far as that is known. */
  origins(): readonly string[]
}

export interface StoreView {
  /** What the store held when it was last read or written, as it was understood. `undefined`: not known. */
  seen: Content | typeof UNREAD | undefined
  /** The same as the store gave it: what the next write replaces. `undefined`: not known. */
  held: StoredRecord | null | undefined
  /** It holds what is not for us. */
  isForeign: boolean
}

export function createStoreView(): StoreView {
  return { seen: undefined, held: undefined, isForeign: false }
}

/** This is in the store now. */
export function note(view: StoreView, record: StoredRecord | undefined, reason?: typeof REFUSED): void {
  view.held = record ?? null
  view.seen = record ?? reason ?? null
}

/**
 * Reads what the store gave. `isNoted`: the session gets to know of it. `isCurrent`: the user has done nothing since that
 * overrides it. @throws when it cannot be used.
 */
export function understand(
  view: StoreView,
  { tokenless, onError, origins }: StoreViewDeps,
  loaded: unknown,
  isNoted: boolean,
  isCurrent: boolean,
): Looked {
  const isUnusable = loaded instanceof UnusableTokens
  if (isUnusable) onError('load', loaded)
  const value = isUnusable ? undefined : loaded
  view.isForeign = false
  const refused = value === REFUSED
  const raw = refused ? null : (attempt(() => copyPlain(value ?? null), ignore) as StoreView['held'])
  // What is damaged may be replaced. What nobody takes up, because the user has done something meanwhile, may not.
  if (isNoted && isCurrent) view.held = raw
  const record = readRecord(value, tokenless, origins())
  const content: Content = record ?? (refused ? value : null)
  const { seen } = view
  const news = seen === undefined ? undefined : seen === UNREAD || !isSame(content, seen)
  if (isNoted) view.seen = content
  return { record, refused, news: isCurrent && news, raw }
}
