// The guard around a store: what it throws, how long it takes, and in which order its writes land.
// Promise: nothing here rejects; a store's failure is an event, and every call ends within its time limit.
// A synchronous store is answered synchronously, so that a page with localStorage is never "pending".
import type { Clock } from '../clock.js'
import { type AuthEvents, isThenable } from '../events.js'
import { REFUSED, readRecord, type StoredRecord, type TokenStore } from '../storage/store.js'

/** What a look into the store found; `undefined` when the store failed and so told nothing. */
export type Found = { record: StoredRecord | undefined; refused?: boolean } | undefined

export interface Vault {
  /** An asynchronous store may take `limitMs`; by default what it may take at all. */
  read(limitMs?: number): Found | Promise<Found>
  /** What a store that answers at once holds now; any other is not asked, and tells nothing. */
  glance(): Found
  save(record: StoredRecord): void | Promise<void>
  clear(reason?: typeof REFUSED): void | Promise<void>
  /** Whether the store holds what we last told it, so that finding something else means that somebody changed it. */
  inSync(): boolean
  /** The session is known from elsewhere, and not in the store. */
  doubt(): void
  /** Stops every timer; what is still waited for ends. */
  close(): void
}

type Operation = AuthEvents['storeError']['operation']

export interface VaultDeps {
  store: TokenStore
  clock: Clock
  limitMs: number
  tokenless: boolean
  onError(operation: Operation, error: unknown): void
}

export function createVault({ store, clock, limitMs, tokenless, onError }: VaultDeps): Vault {
  const expiries = new Set<() => void>()
  let synced = true
  /** The store has answered the last look with a promise. */
  let slow = false
  /** The call that is under way; the next one waits for it. */
  let turn: Promise<unknown> | undefined
  /** A call ran out of time and has not ended since: nobody waits for the store again until it has. */
  let stuck = false
  /** The last write that a stuck store has missed. */
  let missed: (() => void) | undefined

  return {
    read,
    glance() {
      // Behind a call that is under way it would not be answered at once, which says nothing about the next time.
      const found = slow || turn ? undefined : read()
      return found instanceof Promise ? undefined : found
    },
    save: (record) => write('save', () => store.save(record)),
    clear: (reason) => write('clear', () => store.clear(reason)),
    inSync: () => synced,
    doubt() {
      synced = false
    },
    close() {
      missed = undefined
      for (const expire of [...expiries]) expire()
    },
  }

  function read(within = limitMs): Found | Promise<Found> {
    const load = () => {
      const stored = store.load()
      slow = isThenable(stored)
      return stored
    }
    return inTurn('load', load, understand, within)
  }

  function understand(stored: unknown): Found {
    const record = readRecord(stored, tokenless)
    if (!record || !('flaw' in record)) return { record, refused: stored === REFUSED }
    onError('load', new Error(`The stored session ${record.flaw}.`))
    return undefined
  }

  function write(operation: Operation, call: () => unknown): void | Promise<void> {
    synced = false
    return inTurn(operation, call, () => {
      synced = true
    })
  }

  // One call at a time: a slow `save` that landed after a later `clear` would bring a session back.
  function inTurn<T>(
    operation: Operation,
    call: () => unknown,
    done: (value: unknown) => T,
    within = limitMs,
  ) {
    return turn
      ? queue(turn.then(() => run(operation, call, done, within)))
      : run(operation, call, done, within)
  }

  function run<T>(
    operation: Operation,
    call: () => unknown,
    done: (value: unknown) => T,
    within: number,
  ): T | undefined | Promise<T | undefined> {
    const fail = (error: unknown) => void onError(operation, error) as undefined
    if (stuck) {
      if (operation !== 'load') missed = () => void inTurn(operation, call, done)
      return fail(new Error(`The store still has not answered; ${operation} goes on without it.`))
    }
    try {
      const result = call()
      return isThenable(result)
        ? queue(limited(result, operation, within).then(done).catch(fail))
        : done(result)
    } catch (error) {
      return fail(error)
    }
  }

  function queue<T>(promise: Promise<T>): Promise<T> {
    const mine = promise.finally(() => {
      if (turn === mine) turn = undefined
    })
    turn = mine
    return mine
  }

  function limited(result: PromiseLike<unknown>, operation: Operation, within: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const expire = () => {
        cancel()
        expiries.delete(expire)
        stuck = true
        reject(new Error(`The store did not ${operation} within ${within} ms.`))
      }
      const cancel = clock.setTimer(expire, within)
      const settled = () => {
        cancel()
        expiries.delete(expire)
        stuck = false
        missed?.()
        missed = undefined
      }
      expiries.add(expire)
      result.then(settled, settled)
      result.then(resolve, reject)
    })
  }
}
