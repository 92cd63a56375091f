// The guard around a store: what it throws, how long it takes, in which order its writes land, whose record they replace,
// and what is left in it when one fails. Promise: nothing here rejects but the work of a turn; a store's failure is an
// event, and every call ends within its time limit. A synchronous store is answered synchronously, so that a page with
// localStorage is never "pending".
import type { Clock } from '../clock.js'
import { isThenable } from '../events.js'
import {
  copyPlain,
  createMark,
  ForeignRecord,
  isSame,
  type REFUSED,
  type SessionRecord,
  type StoredRecord,
  type TokenStore,
} from '../stores/store.js'
import { remedyFor } from './failed-write.js'
import { andThen, attempt, createStoreCalls, ignore, type Operation, SUPERSEDED } from './store-calls.js'
import { createTurnTaker, subscribeTo } from './store-turns.js'
import { createStoreView, type Found, type Looked, note, UNREAD, understand } from './store-view.js'

export type { Found } from './store-view.js'

export interface GuardedStore {
  /** An asynchronous store may take `limitMs`; by default what it may take at all. */
  read(limitMs?: number): Found | Promise<Found>
  /** What a store that answers at once holds now; any other is not asked, and nothing is known. */
  glance(): Found
  /** It is to be looked at before every request. */
  readonly live: boolean
  /** Whether it takes a `read` of its own to know what a `save` would replace. */
  needsLook(): boolean
  /**
   * `byUser`: it replaces whatever there is. Otherwise nothing that is not ours, or that somebody has changed: what was in
   * the way is returned.
   */
  save(record: StoredRecord, byUser?: boolean): Found | Promise<Found>
  clear(reason: typeof REFUSED | undefined, byUser?: boolean): Found | Promise<Found>
  /** Writes that have not come to their turn are of a session that ended elsewhere. */
  dropWrites(): void
  /** What was found last has not been taken up. */
  forget(): void
  /** For those who join the wait for a call: see {@link Limit.look}. */
  look(): void
  /** Runs `work` while nobody else who shares the store runs theirs, as far as the store sees to that. */
  exclusively<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>
  /** Calls `listener` when somebody else may have changed the store; returns what unsubscribes. */
  subscribe(listener: () => void): () => void
  /** Stops every timer; what is still waited for ends. */
  close(): void
}

export interface GuardedStoreDeps {
  store: TokenStore
  clock: Clock
  limitMs: number
  tokenless: boolean
  onError(operation: Operation, error: unknown): void
  /** What ought to be in the store, should a write land that had been given up. */
  present(): StoredRecord | undefined
  /** Where tokens may be sent, as far as that is known. */
  origins(): readonly string[]
}

/** What a holder of a turn may take beyond the refresh itself: its look into the store, its commit, its slow CPU. */
const TURN_MARGIN_MS = 2000

export function createGuardedStore(deps: GuardedStoreDeps): GuardedStore {
  const { store, clock, limitMs, onError, present, origins } = deps
  const calls = createStoreCalls(clock)
  const takeTurn = createTurnTaker(store)
  const view = createStoreView()
  /** The store has answered the last look with a promise. */
  let isSlow = false
  /** Counts the writes, those that the user asked for, and how often they were dropped. */
  let writes = 0
  let writesByUser = 0
  /** Of those, the ones whose turn has come. */
  let begunByUser = 0
  let drops = 0
  let closed = false

  return {
    read: (withinMs) => calls.inTurn(() => readNow(withinMs)),
    // Not in the middle of another call.
    glance() {
      // Behind a call that is under way it would not be answered at once, which says nothing about the next time.
      const found = isSlow || calls.isBusy() ? undefined : calls.inTurn(() => readNow())
      return found instanceof Promise ? undefined : found
    },
    live: !!store.live,
    needsLook: () => isSlow && !calls.isBusy() && !calls.isOverdue('load'),
    save: write,
    clear: (reason, byUser) => write(undefined, byUser, reason),
    dropWrites: () => void drops++,
    forget() {
      view.seen = UNREAD
    },
    look: calls.look,
    exclusively: (work, signal) => takeTurn(work, { signal, timeoutMs: limitMs + TURN_MARGIN_MS, clock }),
    subscribe: (listener) => subscribeTo(store, listener, (error) => onError('subscribe', error)),
    close() {
      closed = true
      calls.close()
    },
  }

  function readNow(withinMs?: number): Found | Promise<Found> {
    return attempt<Found>(
      () => peek(true, withinMs),
      (error) => void onError('load', error) as undefined,
    )
  }

  /** `isNoted`: the session gets to know of it. @throws when the store fails, or holds what cannot be used. */
  function peek(isNoted: boolean, withinMs = limitMs): Looked | Promise<Looked> {
    const before = begunByUser
    // What the user did meanwhile, or has done and is yet to be written, overrides what is found.
    const read = (loaded: unknown) => understand(view, deps, loaded, isNoted, before === writesByUser)
    return attempt<Looked>(
      () => {
        const answer = store.load()
        isSlow = isThenable(answer)
        return calls.ask('load', answer, withinMs, read)
      },
      (error) => {
        if (error instanceof ForeignRecord) view.isForeign = true
        throw error
      },
    )
  }

  /** Without a record, what is there is cleared. */
  function write(
    given: StoredRecord | undefined,
    byUser = false,
    reason?: typeof REFUSED,
  ): Found | Promise<Found> {
    const record = given && withOrigins(given)
    const operation = record ? 'save' : 'clear'
    const mine = ++writes
    const round = drops
    if (byUser) writesByUser++
    const isOfUser = writesByUser
    calls.supersedeWrites()
    return calls.inTurn(() => {
      if (byUser) begunByUser++
      if (!byUser && (view.isForeign || round !== drops)) return undefined
      if (view.isForeign)
        onError(operation, new Error('The stored session was not for this client. It is gone.'))
      // A store that still owes an answer is tried again, and not waited for.
      const waits = !calls.isOverdue(operation)
      const isObsolete = () => closed || mine !== writes
      const written = attempt<Found>(
        () =>
          andThen(put(record, reason, byUser ? undefined : view.held), (isWritten) =>
            isWritten || isOfUser !== writesByUser ? undefined : meet(record),
          ),
        (error) => {
          if (error === SUPERSEDED) return undefined
          onError(operation, error)
          const recovered = record?.tokens && recover(record, byUser, isObsolete)
          // After the whole time limit, nobody waits for this too.
          return calls.isOverdue(operation) ? undefined : andThen<unknown, undefined>(recovered, ignore)
        },
      )
      return waits ? written : undefined
    })
  }

  /** Whether the store has taken it. @throws when the store fails. */
  function put(
    record: StoredRecord | undefined,
    reason?: typeof REFUSED,
    replaces?: StoredRecord | null | undefined,
  ): boolean | Promise<boolean> {
    const options = replaces === undefined ? [] : [{ replaces }]
    const done = (answer: unknown) => {
      if (options.length && answer === false) return false
      note(view, record, reason)
      view.isForeign = false
      return true
    }
    // Its own copy: a store may work on what it was given.
    const answer = record ? store.save(copyPlain(record), ...options) : store.clear(reason, ...options)
    const landed = (value: unknown) => {
      if (value !== false) makeUpFor(record, reason)
    }
    return calls.ask(record ? 'save' : 'clear', answer, limitMs, done, landed)
  }

  /** A write was refused: what is there counts. But not a mark of this session for tokens that are older than these. */
  function meet(record: StoredRecord | undefined): Found | Promise<Found> {
    return andThen(readNow(), (found) => {
      const there = found?.record
      const isOutdatedMark =
        there?.spent && record?.sessionId === there.sessionId && record.version >= there.version
      if (isOutdatedMark) return andThen(put(record, undefined, view.held), ignore)
      // Should it not be taken up now, the next look finds it.
      view.seen = UNREAD
      return found && { ...found, news: true, isConflict: true }
    })
  }

  /** A write failed. What it was to replace may not stay. */
  function recover(record: SessionRecord, byUser: boolean, isObsolete: () => boolean): unknown {
    return andThen(
      attempt<Looked | undefined>(() => peek(false), ignore),
      (found) => {
        if (isObsolete() || (!found && view.isForeign)) return undefined
        const replace = (by: StoredRecord | undefined) =>
          isObsolete() ? undefined : put(by, undefined, found?.raw)
        const erase = () => attempt<unknown>(() => replace(undefined), ignore)
        const remedy = remedyFor(record, found, byUser)
        if (remedy === 'written') note(view, record)
        if (remedy === 'nothing') return erase()
        return remedy === 'mark' && attempt<unknown>(() => replace(createMark(record)), erase)
      },
    )
  }

  /** A write that had been given up has come through after all, over whatever was written since. */
  function makeUpFor(record: StoredRecord | undefined, reason: typeof REFUSED | undefined): void {
    note(view, record, reason)
    const now = present()
    if (!isSame(record, now && withOrigins(now))) void write(now, true)
  }

  function withOrigins(record: StoredRecord): StoredRecord {
    const allowed = origins()
    return record.tokens && allowed.length ? { ...record, origins: allowed } : record
  }
}
