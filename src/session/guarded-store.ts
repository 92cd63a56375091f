// The guard around a store: what it throws, how long it takes, in which order its writes land, and what is left in it
// when one fails. Promise: nothing here rejects; a store's failure is an event, and every call ends within its time
// limit. A synchronous store is answered synchronously, so that a page with localStorage is never "pending".
import { type Clock, createLimit } from '../clock.js'
import { type AuthEvents, isThenable } from '../events.js'
import {
  createMark,
  ForeignRecord,
  REFUSED,
  readRecord,
  type SessionRecord,
  type StoredRecord,
  type TokenStore,
} from '../stores/store.js'

/** What a look into the store found; `undefined` when the store failed and so told nothing. */
export type Found =
  | {
      record: StoredRecord | undefined
      refused: boolean
      /**
       * Whether somebody else has changed the store since we last read or wrote it; `undefined` where that is not known.
       * What our own failed write has left there, or has yet to replace, is no news.
       */
      news: boolean | undefined
    }
  | undefined

export interface GuardedStore {
  /** An asynchronous store may take `limitMs`; by default what it may take at all. */
  read(limitMs?: number): Found | Promise<Found>
  /** What a store that answers at once holds now; any other is not asked, and tells nothing. */
  glance(): Found
  /** Whether it takes a `read` of its own to know what a `save` would replace. */
  needsLook(): boolean
  /** `byUser`: it replaces whatever there is. Otherwise nothing that is not ours, or that somebody has changed. */
  save(record: StoredRecord, byUser?: boolean): void | Promise<void>
  clear(reason: typeof REFUSED | undefined, byUser?: boolean): void | Promise<void>
  /** Writes that have not come to their turn are of a session that ended elsewhere. */
  dropWrites(): void
  /** Whether the store holds what we last told it. */
  inSync(): boolean
  /** What ought to be in the store, should a write land that had been given up. */
  present: () => StoredRecord | undefined
  /** What was found last has not been taken up. */
  forget(): void
  /** For those who join the wait for a call: see {@link Limit.look}. */
  look(): void
  /** Stops every timer; what is still waited for ends. */
  close(): void
}

type Operation = AuthEvents['storeError']['operation']

/** A call that has not settled. */
interface Call {
  operation: Operation
  /** Its time is over, or it was made while that of one before it was. */
  late: boolean
  /** It is not waited for any longer, whatever it does. */
  end(error: unknown): void
  /** Whether its time is over, where the runtime has dropped its timer. */
  look(): void
}

export interface GuardedStoreDeps {
  store: TokenStore
  clock: Clock
  limitMs: number
  tokenless: boolean
  onError(operation: Operation, error: unknown): void
}

export function createGuardedStore({
  store,
  clock,
  limitMs,
  tokenless,
  onError,
}: GuardedStoreDeps): GuardedStore {
  const calls = new Set<Call>()
  /** What the store held when it was last read or written, as text. */
  let seen: string | undefined
  let synced = true
  /** The store has answered the last look with a promise. */
  let slow = false
  /** It holds what is not ours. */
  let foreign = false
  /** The call that is under way; the next one waits for it. */
  let turn: Promise<unknown> | undefined
  /** Counts the writes, those that the user asked for, and how often they were dropped. */
  let writes = 0
  let writesByUser = 0
  let drops = 0
  let closed = false
  /** Why a call was ended before its time. */
  const replaced = Symbol()

  const guarded: GuardedStore = {
    read,
    // Not in the middle of another call.
    glance() {
      // Behind a call that is under way it would not be answered at once, which says nothing about the next time.
      const found = slow || turn ? undefined : read()
      return found instanceof Promise ? undefined : found
    },
    needsLook: () => slow && !turn && !isOverdue('load'),
    save: write,
    clear: (reason, byUser) => write(undefined, byUser, reason),
    dropWrites: () => void drops++,
    inSync: () => synced,
    present: () => undefined,
    forget() {
      seen = UNREAD
    },
    // The clock may be the app's own, and throw.
    look: () =>
      void attempt(() => {
        for (const { look } of calls) look()
      }, ignore),
    close() {
      closed = true
      for (const { end } of [...calls]) end(replaced)
    },
  }
  return guarded

  function read(within = limitMs): Found | Promise<Found> {
    return inTurn(() =>
      attempt(
        () => peek(within, true),
        (error) => void onError('load', error) as undefined,
      ),
    )
  }

  /** @throws when the store fails, or holds what cannot be used. */
  function peek(within: number, isNoted?: boolean): Found | Promise<Found> {
    const before = writesByUser
    const understand = (value: unknown) => {
      foreign = false
      const record = readRecord(value, tokenless)
      const refused = value === REFUSED
      const text = textOf(record, refused ? value : '')
      const news = seen === undefined ? undefined : text !== seen
      if (isNoted) seen = text
      // What the user did meanwhile overrides it.
      return { record, refused, news: before === writesByUser && news }
    }
    return attempt<Found>(
      () => {
        const stored = store.load()
        slow = isThenable(stored)
        return ask('load', stored, within, understand)
      },
      (error) => {
        if (error instanceof ForeignRecord) foreign = true
        throw error
      },
    )
  }

  /** Without a record, what is there is cleared. */
  function write(
    record: StoredRecord | undefined,
    byUser = false,
    reason?: typeof REFUSED,
  ): void | Promise<void> {
    const operation = record ? 'save' : 'clear'
    const mine = ++writes
    const round = drops
    if (byUser) writesByUser++
    for (const call of calls) if (call.late && call.operation !== 'load') call.end(replaced)
    return inTurn(() => {
      synced = false
      if (!byUser && (foreign || round !== drops)) return
      if (foreign)
        onError(operation, new Error('The stored session was not a record of this version. It is gone.'))
      // A store that still owes an answer is tried again, and not waited for.
      const waits = !isOverdue(operation)
      const written = attempt(
        () => put(record, reason),
        (error) => {
          if (error === replaced) return
          onError(operation, error)
          const recovered = record?.tokens && recover(record, byUser, () => closed || mine !== writes)
          // After the whole time limit, nobody waits for this too.
          return isOverdue(operation) ? undefined : recovered
        },
      )
      return waits ? written : undefined
    })
  }

  /** @throws when the store fails. */
  function put(
    record: StoredRecord | undefined,
    reason?: typeof REFUSED,
    isMeant = true,
  ): void | Promise<void> {
    const done = () => {
      seen = textOf(record, reason)
      synced = isMeant
      foreign = false
    }
    return record
      ? ask('save', store.save(record), limitMs, done, record)
      : ask('clear', store.clear(reason), limitMs, done)
  }

  /**
   * A write failed. What it was to replace must not stay if it holds a refresh token that is spent, or is another
   * user's: a mark takes its place, or nothing.
   */
  function recover(record: SessionRecord, byUser: boolean, isObsolete: () => boolean): void | Promise<void> {
    const erase = () => attempt(() => (isObsolete() ? undefined : put(undefined, undefined, false)), ignore)
    const mark = () =>
      isObsolete() ? undefined : byUser ? erase() : attempt(() => put(createMark(record)), erase)
    const judge = (found: Found) => {
      if (found) {
        const { record: left, news } = found
        // Nothing is there; or it was written all the same, or somebody else was faster.
        if (!left?.tokens || news) return
        const { refreshToken = record.tokens.refreshToken } = left.tokens
        if (left.sessionId === record.sessionId && refreshToken === record.tokens.refreshToken) return
      } else if (foreign) return
      return mark()
    }
    const found = attempt(() => peek(limitMs), ignore)
    return found instanceof Promise ? found.then(judge) : judge(found)
  }

  // One call at a time: a slow `save` that landed after a later `clear` would bring a session back.
  function inTurn<T>(run: () => T | Promise<T>): T | Promise<T> {
    guarded.look()
    const result = turn ? turn.then(run) : run()
    if (!(result instanceof Promise)) return result
    const mine = result.finally(() => {
      if (turn === mine) turn = undefined
    })
    turn = mine
    return mine
  }

  function isOverdue(operation: Operation): boolean {
    return [...calls].some((call) => call.late && call.operation === operation)
  }

  /** What the store answered, within its time. @throws */
  function ask<T>(
    operation: Operation,
    answer: unknown,
    within: number,
    done: (value: unknown) => T,
    record?: StoredRecord,
  ): T | Promise<T> {
    if (!isThenable(answer)) return done(answer)
    return new Promise<unknown>((resolve, reject) => {
      let ended = false
      const call: Call = {
        operation,
        late: isOverdue(operation),
        end(error) {
          cancel()
          ended = call.late = true
          reject(error)
        },
        look() {
          if (!ended) limit.look()
        },
      }
      const expire = () => call.end(new Error(`The store did not ${operation} within ${within} ms.`))
      const limit = createLimit(clock, expire, within)
      const { cancel } = limit
      const settled = () => {
        cancel()
        calls.delete(call)
      }
      calls.add(call)
      answer.then(settled, settled)
      answer.then(resolve, reject)
      answer.then(() => {
        if (ended && operation !== 'load' && !closed) landed(record)
      }, ignore)
      // Made all the same, and waited for by nobody.
      if (closed) call.end(replaced)
    }).then(done)
  }

  /** A write that had been given up has come through after all, over whatever was written since. */
  function landed(record: StoredRecord | undefined): void {
    const present = guarded.present()
    seen = textOf(record)
    if (seen !== textOf(present)) void write(present, true)
  }
}

/** What `run` returns or resolves with, or what `fail` makes of its error. */
function attempt<T>(run: () => T | Promise<T>, fail: (error: unknown) => T | Promise<T>): T | Promise<T> {
  try {
    const result = run()
    return result instanceof Promise ? result.catch(fail) : result
  } catch (error) {
    return fail(error)
  }
}

/** No text of a record. */
const UNREAD = '?'

const ignore = (): undefined => undefined

function textOf(record: StoredRecord | undefined, reason = ''): string {
  return record ? JSON.stringify(record) : reason
}
