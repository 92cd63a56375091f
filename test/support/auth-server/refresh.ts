// Owns the refresh endpoints: one honest answer per dialect, and the ways in which a test makes them misbehave.
// Promise: a behaviour that spends the refresh token says so here; all the others leave it good.

import { type Answer, html, json, type Reply, trickled } from './answer.js'
import type { Families, Grant } from './families.js'
import { answerGrant, type Dialect, isReply } from './refresh-dialects.js'
import type { ReceivedRequest } from './request.js'
import type { AuthServerSettings, Counts } from './settings.js'

/** A failure made to measure; the refresh token stays good. */
export interface RefreshFailure {
  status: number
  /** OAuth's `error`, in the dialect's error body. */
  error?: string
  /** Seconds, or `'http-date'`: a date two seconds ahead by the server's clock. */
  retryAfter?: number | 'http-date'
  /** Where a redirect leads. Default `/public/login-page`. */
  location?: string
  headers?: Record<string, string>
  /** JSON, instead of the dialect's error body. */
  body?: unknown
}

/**
 * How one refresh call is answered. A number is a status.
 * Refresh token left good: `'drop-before'` (connection destroyed), `'never'` (no answer at all), `{ code: 0 }` (200,
 * refused as backend A does), `'empty'` (200, no body), `'html'` (a captive portal's page), `'line-break-token'`,
 * `'same-token'` (the access token issued last, no refresh token), `'two-megabytes-of-rubbish'`.
 * Refresh token spent: `'drop-after'`, `'same-token-rotated'`, `'slow-body'`, `'huge'` (2 MB around a good grant),
 * `'envelope'` (`{ data: grant }`), and `'honest'`, which is no misbehaviour.
 */
export type RefreshBehaviour =
  | number
  | RefreshFailure
  | { code: 0; message?: string }
  | 'honest'
  | 'drop-before'
  | 'drop-after'
  | 'never'
  | 'empty'
  | 'html'
  | 'line-break-token'
  | 'same-token'
  | 'same-token-rotated'
  | 'slow-body'
  | 'huge'
  | 'two-megabytes-of-rubbish'
  | 'envelope'

export interface RefreshControl {
  /** The next calls behave like this, one each. */
  next(...behaviours: RefreshBehaviour[]): void
  /** All calls behave like this once the queue is empty; `undefined` ends it. */
  always(behaviour: RefreshBehaviour | undefined): void
  /** How many queued behaviours are left. */
  readonly queued: number
}

export interface RefreshEndpoint {
  control: RefreshControl
  /** Whether the request is a refresh call, whatever will come of it. */
  owns(request: ReceivedRequest): boolean
  answer(request: ReceivedRequest): Answer
}

const TWO_MEGABYTES = 2 * 1024 * 1024

export function createRefreshEndpoint(
  families: Families,
  settings: AuthServerSettings,
  counts: () => Counts,
  nowMs: () => number,
  dialects: readonly Dialect[],
): RefreshEndpoint {
  const queue: RefreshBehaviour[] = []
  let standing: RefreshBehaviour | undefined

  const dialectOf = (request: ReceivedRequest): Dialect | undefined =>
    dialects.find(({ path }) => path === request.path)

  type Shape = {
    grant?: (grant: Grant) => Grant
    body?: (body: Record<string, unknown>) => Record<string, unknown>
  }

  function honest(dialect: Dialect, request: ReceivedRequest, shape: Shape = {}): Reply {
    const read = dialect.read(request)
    if (isReply(read) || read === undefined) {
      counts().refused++
      return read ?? dialect.refuse('refresh token missing')
    }
    const spent = families.spend(read, dialect.rotates)
    if ('refused' in spent) {
      counts().refused++
      return dialect.refuse(spent.refused)
    }
    counts().granted++
    request.user = spent.grant.user
    const grant = shape.grant?.(spent.grant) ?? spent.grant
    const body = dialect.body(grant)
    return answerGrant(dialect, grant, shape.body?.(body ?? {}) ?? body)
  }

  /** A grant in the dialect's words that costs the refresh token nothing. */
  function unspent(dialect: Dialect, request: ReceivedRequest, accessToken?: string): Reply {
    const read = dialect.read(request)
    const family = typeof read === 'string' ? families.ofRefreshToken(read) : undefined
    if (typeof read !== 'string' || !family) return honest(dialect, request)
    return answerGrant(dialect, {
      user: family.user,
      accessToken: accessToken ?? family.accessToken,
      refreshToken: undefined,
      lifetimeSeconds: settings.accessLifetimeSeconds,
      csrf: families.csrfOf(read) ?? '',
    })
  }

  function sameTokenRotated(dialect: Dialect, request: ReceivedRequest): Reply {
    const read = dialect.read(request)
    const family = typeof read === 'string' ? families.ofRefreshToken(read) : undefined
    const before = family?.accessToken
    if (!family || before === undefined) return honest(dialect, request)
    const reply = honest(dialect, request, { grant: (grant) => ({ ...grant, accessToken: before }) })
    family.accessToken = before
    return reply
  }

  function failure(dialect: Dialect, behaviour: RefreshFailure): Reply {
    const { status, error, retryAfter, location, body } = behaviour
    const headers: Record<string, string> = { ...behaviour.headers }
    if (retryAfter !== undefined) {
      // The date of an answer is by the clock of who sends it.
      headers.date = new Date(nowMs()).toUTCString()
      headers['retry-after'] =
        retryAfter === 'http-date' ? new Date(nowMs() + 2_000).toUTCString() : String(retryAfter)
    }
    if (status >= 300 && status < 400) headers.location = location ?? '/public/login-page'
    return json(status, body ?? dialect.failure('made to fail by the test', error), headers)
  }

  function behave(dialect: Dialect, request: ReceivedRequest, behaviour: RefreshBehaviour): Answer {
    if (typeof behaviour === 'number') return failure(dialect, { status: behaviour })
    if (typeof behaviour === 'object') {
      if ('status' in behaviour) return failure(dialect, behaviour)
      return json(200, { code: 0, message: behaviour.message ?? 'please sign in again' })
    }
    switch (behaviour) {
      case 'honest':
        return honest(dialect, request)
      case 'drop-before':
        return 'drop'
      case 'drop-after':
        honest(dialect, request)
        return 'drop'
      case 'never':
        return 'never'
      case 'empty':
        return { status: 200 }
      case 'html':
        return html(200, 'Welcome to the hotel network')
      case 'line-break-token':
        return unspent(dialect, request, 'line\r\nX-Break: 1')
      case 'same-token':
        return unspent(dialect, request)
      case 'same-token-rotated':
        return sameTokenRotated(dialect, request)
      case 'slow-body':
        return trickled(honest(dialect, request), 8, 10)
      case 'huge':
        return honest(dialect, request, { body: (body) => ({ ...body, padding: 'x'.repeat(TWO_MEGABYTES) }) })
      case 'two-megabytes-of-rubbish':
        return {
          status: 200,
          headers: { 'content-type': 'application/json' },
          body: '{"rubbish":'.padEnd(TWO_MEGABYTES, '['),
        }
      case 'envelope':
        return honest(dialect, request, { body: (body) => ({ data: body }) })
    }
  }

  return {
    control: {
      next(...behaviours) {
        queue.push(...behaviours)
      },
      always(behaviour) {
        standing = behaviour
      },
      get queued() {
        return queue.length
      },
    },
    owns: (request) => dialectOf(request) !== undefined,
    answer(request) {
      const dialect = dialectOf(request)
      if (!dialect) throw new Error(`${request.path} is not a refresh endpoint`)
      if (!dialect.methods.includes(request.method)) {
        return json(405, { message: `not ${request.method}` }, { allow: dialect.methods.join(', ') })
      }
      return behave(dialect, request, queue.shift() ?? standing ?? 'honest')
    },
  }
}
