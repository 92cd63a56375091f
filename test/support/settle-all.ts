// Owns the proof that everybody comes back: like `Promise.allSettled`, with an end.
// Promise: it settles within its bound, and names those who did not.

import { afterRealMs } from './real-time.js'

/**
 * Resolves with what `Promise.allSettled` would, or rejects with the indexes that are still pending.
 * @param boundMs real milliseconds; default 5000
 */
export async function settleAll<T>(
  promises: Iterable<T | PromiseLike<T>>,
  boundMs = 5_000,
): Promise<PromiseSettledResult<Awaited<T>>[]> {
  const all = [...promises]
  const pending = new Set(all.keys())
  const settled = all.map(async (promise, index) => {
    try {
      return await promise
    } finally {
      pending.delete(index)
    }
  })
  let cancel = (): void => {}
  const bound = new Promise<never>((_, reject) => {
    cancel = afterRealMs(boundMs, () => {
      const indexes = [...pending]
      const shown = indexes.slice(0, 20).join(', ') + (indexes.length > 20 ? ', …' : '')
      reject(
        new Error(
          `${indexes.length} of ${all.length} promises are still pending after ${boundMs} ms: ${shown}`,
        ),
      )
    })
  })
  try {
    return await Promise.race([Promise.allSettled(settled), bound])
  } finally {
    cancel()
  }
}
