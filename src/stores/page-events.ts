// News among the store objects of one page that share a place, which the browser does not announce within the page that
// wrote (guarantee G21): an event of the page, named after the place. It says that there is news, and nothing of what.
import { guard } from '../events.js'
import { listen } from '../listen.js'
import type { Unsubscribe } from './store.js'

/** @param me who writes here: they hear nothing of it */
export function tellPage(place: string, me: object): void {
  queueMicrotask(() =>
    guard(() => globalThis.dispatchEvent?.(Object.assign(new Event(typeOf(place)), { writer: me }))),
  )
}

export function listenToPage(place: string, me: object, listener: () => void): Unsubscribe {
  return listen(globalThis, typeOf(place), ({ writer }: { writer?: unknown }) => {
    if (writer !== me) listener()
  })
}

const typeOf = (place: string) => `axios-auth-client:${place}`
