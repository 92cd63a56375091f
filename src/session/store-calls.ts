// The calls of a store: one at a time, each within its time limit. Knows no session and no record.
// Promise: whoever waits for a call comes back when its time is over, and a store that answers at once is answered at once.
import { type Clock, createLimit } from '../clock.js'
import { type AuthEvents, isThenable } from '../events.js'

export type Operation = AuthEvents['storeError']['operation']

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

/** Why a call was ended before its time. */
export const SUPERSEDED = Symbol()

export interface StoreCalls {
  /** One call at a time: a slow `save` that landed after a later `clear` would bring a session back. */
  inTurn<T>(run: () => T | Promise<T>): T | Promise<T>
  isBusy(): boolean
  /** Whether a call of this kind still owes its answer. */
  isOverdue(operation: Operation): boolean
  /**
   * What `done` makes of the answer, if that comes within its time. `landed`: it has come after all, when nobody waited.
   * @throws what the store rejects with; an error when its time is over; {@link SUPERSEDED}.
   */
  ask<T>(
    operation: Operation,
    answer: unknown,
    withinMs: number,
    done: (value: unknown) => T,
    landed?: (value: unknown) => void,
  ): T | Promise<T>
  /** For those who join the wait: see {@link Limit.look}. */
  look(): void
  /** Writes whose time is over are of no interest any more. */
  supersedeWrites(): void
  /** Stops every timer; what is still waited for ends. */
  close(): void
}

export function createStoreCalls(clock: Clock): StoreCalls {
  const calls = new Set<Call>()
  /** The call that is under way; the next one waits for it. */
  let turn: Promise<unknown> | undefined
  let closed = false

  return {
    inTurn,
    isBusy: () => !!turn,
    isOverdue,
    ask,
    look,
    supersedeWrites() {
      for (const call of calls) if (call.late && call.operation !== 'load') call.end(SUPERSEDED)
    },
    close() {
      closed = true
      for (const { end } of [...calls]) end(SUPERSEDED)
    },
  }

  function inTurn<T>(run: () => T | Promise<T>): T | Promise<T> {
    look()
    const result = turn ? turn.then(run) : run()
    if (!(result instanceof Promise)) return result
    const mine = result.finally(() => {
      if (turn === mine) turn = undefined
    })
    turn = mine
    return mine
  }

  function look(): void {
    // The clock may be the app's own, and throw.
    void attempt(() => {
      for (const { look } of calls) look()
    }, ignore)
  }

  function isOverdue(operation: Operation): boolean {
    return [...calls].some((call) => call.late && call.operation === operation)
  }

  function ask<T>(
    operation: Operation,
    answer: unknown,
    withinMs: number,
    done: (value: unknown) => T,
    landed?: (value: unknown) => void,
  ): T | Promise<T> {
    if (!isThenable(answer)) return done(answer)
    return new Promise<unknown>((resolve, reject) => {
      let ended = false
      const call: Call = {
        operation,
        late: isOverdue(operation),
        end(error) {
          limit.cancel()
          ended = call.late = true
          reject(error)
        },
        look() {
          if (!ended) limit.look()
        },
      }
      const expire = () => call.end(new Error(`The store did not ${operation} within ${withinMs} ms.`))
      const limit = createLimit(clock, expire, withinMs)
      const settled = () => {
        limit.cancel()
        calls.delete(call)
      }
      calls.add(call)
      answer.then(settled, settled)
      answer.then(resolve, reject)
      answer.then((value) => {
        if (ended && !closed) landed?.(value)
      }, ignore)
      // Made all the same, and waited for by nobody.
      if (closed) call.end(SUPERSEDED)
    }).then(done)
  }
}

/** What `run` returns or resolves with, or what `fail` makes of its error. */
export function attempt<T>(
  run: () => T | Promise<T>,
  fail: (error: unknown) => T | Promise<T>,
): T | Promise<T> {
  try {
    const result = run()
    return result instanceof Promise ? result.catch(fail) : result
  } catch (error) {
    return fail(error)
  }
}

/** At once where that can be. */
export function andThen<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

export const ignore = (): undefined => undefined
