// Turns within one page or process: among the clients that use one store object, such as the one before a hot reload and
// the one after it. Promise: work is run once or not at all, and nobody waits longer than the time they are given.
import { setLimit } from '../clock.js'
import { AuthClientError } from '../errors.js'
import type { Exclusively } from './store.js'

/** One at a time, first come first served. */
export function createTurns(): Exclusively {
  let last: Promise<unknown> | undefined
  return (work, { signal, timeoutMs, clock }) => {
    const before = last
    const begun = new Promise<void>((resolve, reject) => {
      if (!before || signal.aborted) return resolve()
      const giveUp = () => {
        signal.removeEventListener('abort', begin)
        reject(new AuthClientError('REFRESH_FAILED', 'There was no turn for a refresh: another one goes on.'))
      }
      const cancel = setLimit(clock, giveUp, timeoutMs)
      const begin = () => {
        signal.removeEventListener('abort', begin)
        cancel()
        resolve()
      }
      signal.addEventListener('abort', begin)
      void before.then(begin)
    })
    const turn = begun.then(work)
    // Whoever gave up has not ended the turn of the one before.
    const mine: Promise<unknown> = Promise.allSettled([before, turn]).then(() => {
      if (last === mine) last = undefined
    })
    last = mine
    return turn
  }
}
