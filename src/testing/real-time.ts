// Owns the real time of the kit, taken before a test can replace the global timers: bounds, and "one task later".
// Nothing here orders events by luck: no answer is ever timed.

const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout } = globalThis

/** Resolves when everything that is queued now, and what that queues in turn, has run. No timer where that can be had. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    // jsdom has none.
    if (typeof MessageChannel === 'undefined') {
      realSetTimeout(resolve, 0)
      return
    }
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}

/** Waiting for a condition without polling: those who change something say so, those who wait look again. */
export interface Watch {
  /** Something changed: every waiter looks again. */
  changed(): void
  /** Resolves once `condition` holds; rejects with `describe()` after `timeoutMs` real milliseconds. */
  until(condition: () => boolean, timeoutMs: number, describe: () => string): Promise<void>
}

export function createWatch(): Watch {
  const looks = new Set<() => void>()
  return {
    changed() {
      for (const look of [...looks]) look()
    },
    until: (condition, timeoutMs, describe) =>
      new Promise((resolve, reject) => {
        const timer = realSetTimeout(() => {
          looks.delete(look)
          reject(new Error(describe()))
        }, timeoutMs)
        function look(): void {
          if (!condition()) return
          looks.delete(look)
          realClearTimeout(timer)
          resolve()
        }
        looks.add(look)
        look()
      }),
  }
}
