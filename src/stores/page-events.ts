// News among the clients of one page that share a place, which the browser does not announce within the page that wrote
// (guarantee G21): an event of the page, named after the place. It says that there is news, and nothing of what.
import { guard } from '../events.js'
import { listen } from '../listen.js'
import type { Unsubscribe } from './store.js'

/** In a microtask. `writer`: the store that has written. */
export function notifyPage(place: string, writer: object): void {
  queueMicrotask(() =>
    guard(() => globalThis.dispatchEvent?.(Object.assign(new Event(typeOf(place)), { writer }))),
  )
}

export function listenToPage(place: string, listener: (writer: unknown) => void): Unsubscribe {
  return listen(globalThis, typeOf(place), ({ writer }: { writer?: unknown }) => listener(writer))
}

const typeOf = (place: string) => `axios-auth-client:${place}`
