// Owns the requests that wait for the test's hand: on arrival, before their answer, or in the middle of it.
// Promise: a request whose client goes away leaves its hold, so that no release can hang on it.

import type { Watch } from '../watch.js'
import type { ReceivedRequest } from './request.js'

/**
 * When a delayed request stops. `'arrival'`: before the route looks at it. `'answer'`: the decision is made (tokens
 * spent, a 401 decided) and waits to be sent. `'body'`: head and half the body are out, the rest waits.
 */
export type HoldPoint = 'arrival' | 'answer' | 'body'

/** An exact path, a path prefix ending in `*`, or a predicate. */
export type RequestMatch = string | ((request: ReceivedRequest) => boolean)

export interface HoldOptions {
  /** Default 'arrival'. */
  at?: HoldPoint
  /** Hold only the first so many; default all. */
  first?: number
}

export interface Hold {
  /** How many are held now. */
  readonly count: number
  /** How many left because their client went away. */
  readonly gone: number
  /** The delayed requests, in order of arrival; `releaseAt` counts in this list. */
  readonly requests: readonly ReceivedRequest[]
  /** Resolves when at least `n` are held at the same time. */
  waiting(n: number): Promise<void>
  /** Resolves when at least `n` have left because their client went away. */
  deserted(n: number): Promise<void>
  /** Lets the oldest `n` (default 1) go; later ones are still held. */
  release(n?: number): void
  /** Lets the one at this index of `requests` go. */
  releaseAt(index: number): void
  /** Releases every request and delays none any more. */
  releaseAll(): void
}

interface Parked {
  request: ReceivedRequest
  /** `true`: go on; `false`: nobody is there to be answered. */
  leave(goOn: boolean): void
}

export interface Holds {
  add(match: RequestMatch, options: HoldOptions): Hold
  /** Whether somebody would hold the request there. */
  wants(request: ReceivedRequest, point: HoldPoint): boolean
  /** Waits as long as any hold wants it; `false` when the client has gone. */
  pass(request: ReceivedRequest, point: HoldPoint): Promise<boolean>
  /** The client of this request has gone. */
  desert(request: ReceivedRequest): void
}

interface Filter {
  wants(request: ReceivedRequest, point: HoldPoint): boolean
  park(request: ReceivedRequest): Promise<boolean>
  desert(request: ReceivedRequest): void
}

export function matches(match: RequestMatch, request: ReceivedRequest): boolean {
  if (typeof match === 'function') return match(request)
  return match.endsWith('*') ? request.path.startsWith(match.slice(0, -1)) : request.path === match
}

export function createHolds(watch: Watch): Holds {
  const filters: Filter[] = []

  function add(match: RequestMatch, { at = 'arrival', first = Number.POSITIVE_INFINITY }: HoldOptions): Hold {
    const name = typeof match === 'string' ? match : 'a predicate'
    let parked: Parked[] = []
    let room = first
    let gone = 0
    let over = false

    function resume(some: Parked[]): void {
      parked = parked.filter((one) => !some.includes(one))
      for (const one of some) one.leave(true)
      watch.changed()
    }

    filters.push({
      wants: (request, point) => !over && room > 0 && point === at && matches(match, request),
      park(request) {
        room--
        return new Promise((leave) => {
          parked.push({ request, leave })
          watch.changed()
        })
      },
      desert(request) {
        const deserted = parked.filter((one) => one.request === request)
        if (deserted.length === 0) return
        parked = parked.filter((one) => one.request !== request)
        gone += deserted.length
        for (const one of deserted) one.leave(false)
        watch.changed()
      },
    })

    return {
      get count() {
        return parked.length
      },
      get gone() {
        return gone
      },
      get requests() {
        return parked.map((one) => one.request)
      },
      waiting: (n) =>
        watch.until(
          () => parked.length >= n,
          () =>
            `${n} requests delayed at ${at} for ${name} (there are ${parked.length}, and ${gone} went away)`,
        ),
      deserted: (n) =>
        watch.until(
          () => gone >= n,
          () => `${n} clients of requests delayed at ${at} for ${name} went away (${gone} did)`,
        ),
      release: (n = 1) => resume(parked.slice(0, n)),
      releaseAt(index) {
        const one = parked[index]
        if (!one)
          throw new RangeError(`No request is delayed at index ${index}: ${parked.length} are delayed`)
        resume([one])
      },
      releaseAll() {
        over = true
        resume(parked)
      },
    }
  }

  return {
    add,
    wants: (request, point) => filters.some((filter) => filter.wants(request, point)),
    async pass(request, point) {
      for (const filter of filters) {
        if (request.aborted) return false
        if (filter.wants(request, point) && !(await filter.park(request))) return false
      }
      return !request.aborted
    },
    desert(request) {
      for (const filter of filters) filter.desert(request)
    },
  }
}
