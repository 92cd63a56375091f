// The requests of a test's auth backend, from their arrival to their answer: logged, counted, held, and ended by a reset.
// Promise: every request is answered, at the latest by `reset`.
import { HttpResponse } from 'msw'
import { createHolds } from './holds.js'
import { pathOf } from './http.js'
import type { ManualClock } from './manual-clock.js'
import type { NamedOutcome } from './refresh-outcome.js'

/** What the server has counted since the start or `reset`. */
export interface AuthServerCounts {
  /** Logins over HTTP that were granted; `backend.login()` is none. */
  logins: number
  logouts: number
  /** Calls of the refresh endpoint, whatever came of them. */
  refreshes: number
  /** Refreshes that issued new tokens. */
  granted: number
  /** Refresh tokens that came a second time. */
  reuses: number
  /** Requests to protected routes with a good token. */
  served: number
  /** Requests to protected routes that got a 401. */
  refused: number
}

/** One request, as the server saw it. */
export interface AuthServerLogEntry {
  endpoint: 'login' | 'refresh' | 'logout' | 'protected'
  method: string
  path: string
  /** The token it carried: a refresh token at `refresh`, otherwise an access token. */
  token: string | undefined
  /** Whose token it is, if it was good. */
  user: string | undefined
  /** What came of it; `undefined` while that is open. */
  outcome: 'served' | 'granted' | 'refused' | 'reused' | 'done' | NamedOutcome | number | 'custom' | undefined
  /** By the server's clock. */
  atMs: number
}

/** A request that is being answered. */
export interface Visit {
  request: Request
  entry: AuthServerLogEntry
  /** Those of its own time: what comes late, after a `reset`, is not counted into the next test. */
  counts: AuthServerCounts
}

export type Visits = ReturnType<typeof createVisits>

export function createVisits(clock: ManualClock) {
  const holds = createHolds<AuthServerLogEntry>()
  const log: AuthServerLogEntry[] = []
  let epoch = createEpoch()
  return {
    log,
    hold: holds.add,
    counts: (): AuthServerCounts => ({ ...epoch.counts }),

    /** The handler of an endpoint: its answer goes out once no hold wants it any more; a `reset` ends it before. */
    endpoint<T extends Response | undefined>(
      endpoint: AuthServerLogEntry['endpoint'],
      answer: (visit: Visit) => Promise<T | 'never'>,
    ) {
      return async ({ request }: { request: Request }): Promise<T | Response> => {
        const { counts, over } = epoch
        const asked = { endpoint, method: request.method, path: pathOf(request), atMs: clock.nowMs() }
        const entry = { ...asked, token: undefined, user: undefined, outcome: undefined }
        log.push(entry)
        const ready = answer({ request, entry, counts }).then(async (response) => {
          await holds.pass(entry)
          return response === 'never' ? over : response
        })
        return Promise.race([ready, over])
      }
    },

    reset(): void {
      epoch.end()
      epoch = createEpoch()
      holds.endAll()
      log.length = 0
    },
  }
}

/** What lasts until `reset`: the counters, and a promise of the network error that then ends what is still open. */
function createEpoch(): { counts: AuthServerCounts; over: Promise<Response>; end(): void } {
  let end = () => {}
  const over = new Promise<Response>((resolve) => {
    end = () => resolve(HttpResponse.error())
  })
  const counts = { logins: 0, logouts: 0, refreshes: 0, granted: 0, reuses: 0, served: 0, refused: 0 }
  return { counts, over, end }
}
