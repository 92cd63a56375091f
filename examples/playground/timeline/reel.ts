// Keeps the events of the scene that is on: a request that is made when everything before it is over begins a new one.
import type { TimelineEvent } from './events.js'
import { readScene } from './scene.js'

export interface Reel {
  readonly events: readonly TimelineEvent[]
  isOver(): boolean
  record(event: TimelineEvent): void
  /** A tab reports all that happened in it, or was closed: then nobody will report how its requests ended. */
  replace(tab: string, theirs: readonly TimelineEvent[]): void
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
    replace(tab, theirs) {
      events = [...events.filter((event) => event.tab !== tab), ...theirs]
    },
  }
}
