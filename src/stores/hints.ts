// News among the clients of one store object. Keeps none of them alive: see listen.ts.
import { guard } from '../events.js'
import { listen } from '../listen.js'
import type { Unsubscribe } from './store.js'

export interface Hints {
  subscribe(listener: () => void): Unsubscribe
  /** How many listen. */
  count(): number
  /** In a microtask. */
  announce(): void
}

export function createHints(): Hints {
  const listeners = new Set<(event: Event) => void>()
  const target = {
    addEventListener: (_type: string, listener: unknown) => listeners.add(listener as () => void),
    removeEventListener: (_type: string, listener: unknown) => listeners.delete(listener as () => void),
  } as unknown as EventTarget
  return {
    subscribe: (listener) => listen(target, '', listener),
    count: () => listeners.size,
    announce: () =>
      queueMicrotask(() => {
        for (const listener of [...listeners]) guard(listener as () => void)
      }),
  }
}
