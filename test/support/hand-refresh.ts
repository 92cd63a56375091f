// Owns a `refresh` that is answered by hand: for answers that come late, out of order or never.

import type { Grant, RefreshContext, RefreshStrategy } from '../../src/index.js'
import { createWatch } from './watch.js'

export interface HandCall {
  readonly context: RefreshContext
  answer(grant: Grant | null | undefined): void
  fail(error: unknown): void
}

export interface HandRefresh {
  readonly refresh: RefreshStrategy
  /** Every call so far, in order, answered or not. It does not heed the signal by itself. */
  readonly calls: readonly HandCall[]
  /** Resolves with the call of this number, counted from 1, once it has been made. */
  call(number: number): Promise<HandCall>
}

/** @param cookies what the strategy says of itself, as `refreshWithCookie` does */
export function createHandRefresh(cookies?: boolean): HandRefresh {
  const calls: HandCall[] = []
  const watch = createWatch()
  const refresh = (context: RefreshContext): Promise<Grant | null | undefined> =>
    new Promise((answer, fail) => {
      calls.push({ context, answer, fail })
      watch.changed()
    })
  return {
    refresh: cookies === undefined ? refresh : Object.assign(refresh, { cookies }),
    calls,
    async call(number) {
      await watch.until(
        () => calls.length >= number,
        () => `refresh ${number} is called (${calls.length} are)`,
      )
      return calls[number - 1] as HandCall
    },
  }
}
