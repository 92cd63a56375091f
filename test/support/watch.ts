// Owns waiting for a condition without polling: those who change state say so, those who wait look again.
// Promise: a wait ends by its bound, with a sentence that says what was missing.

import { afterRealMs } from './real-time.js'

export interface Watch {
  /** Something changed: every waiter looks again. */
  changed(): void
  /** Resolves once `condition` holds; rejects after `boundMs` real milliseconds with `describe()`. */
  until(condition: () => boolean, describe: () => string, boundMs?: number): Promise<void>
}

export function createWatch(): Watch {
  const looks = new Set<() => void>()
  return {
    changed() {
      for (const look of [...looks]) look()
    },
    until(condition, describe, boundMs = 5_000) {
      if (condition()) return Promise.resolve()
      return new Promise((resolve, reject) => {
        const cancel = afterRealMs(boundMs, () => {
          looks.delete(look)
          reject(new Error(`Still not so after ${boundMs} ms: ${describe()}`))
        })
        function look(): void {
          if (!condition()) return
          looks.delete(look)
          cancel()
          resolve()
        }
        looks.add(look)
      })
    },
  }
}
