// Owns the real timers of the test support, taken before any test can replace the global ones.
// Used only for bounds ("this should have happened by now") and for trickled bodies, never to wait for luck.

const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout } = globalThis
const realSetImmediate: ((callback: () => void) => unknown) | undefined = globalThis.setImmediate

/** Calls `callback` after `ms` real milliseconds; returns what cancels it. */
export function afterRealMs(ms: number, callback: () => void): () => void {
  const timer = realSetTimeout(callback, ms)
  return () => realClearTimeout(timer)
}

/** Resolves after `ms` real milliseconds. */
export function realMs(ms: number): Promise<void> {
  return new Promise((resolve) => afterRealMs(ms, resolve))
}

/** Resolves when every microtask that is queued now, and every one those queue, has run. */
export function microtasksDone(): Promise<void> {
  return new Promise((resolve) => {
    if (realSetImmediate) realSetImmediate(resolve)
    else realSetTimeout(resolve, 0)
  })
}
