// Keeps the events of the scene that is on: a request that is made when everything before it is over begins a new one.
import type { TimelineEvent } from './events.js'
import { readScene } from './scene.js'

export interface Reel {
  readonly events: readonly TimelineEvent[]
  isOver(): boolean
  record(event: TimelineEvent): void
  /** A tab was closed: nobody will tell how its requests ended. */
  forget(tab: string): void
}

export function createReel(): Reel {
  let events: TimelineEvent[] = []
  const isOver = () => readScene(events, []).isOver
  return {
    get events() {
      return events
    },
    isOver,
    record(event) {
      if (event.what === 'made' && isOver()) events = []
      events.push(event)
    },
    forget(tab) {
      events = events.filter((event) => event.tab !== tab)
    },
  }
}
