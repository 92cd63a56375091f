// Decides what a failed refresh means, and cleans its error. Pure: no state, no clock, no network.
// Promise: only a refusal ends a session; everything else keeps the user signed in.
import { isAuthClientError, isObject, type SessionRefused } from '../errors.js'
import { readHeader } from '../headers.js'

export type Failure =
  /** The server will never renew this session. */
  | 'refused'
  /** It may work in a moment: try again. */
  | 'unavailable'
  /** Trying again would bring the same answer. */
  | 'rejected'

/** What is read of an error, whoever threw it: axios, another HTTP client, a strategy. */
interface Thrown {
  name?: unknown
  message?: unknown
  stack?: unknown
  status?: unknown
  config?: Record<string, unknown> | undefined
  request?: unknown
  response?: { status?: unknown; data?: unknown; headers?: unknown; config?: unknown; request?: unknown }
}

const asThrown = (error: unknown): Thrown => (isObject(error) ? error : {})

function statusOf(error: unknown): number {
  const { response, status } = asThrown(error)
  return Number(response?.status ?? status) || 0
}

/** What `isFinal` is by default: whether the refresh endpoint's answer ends the session. */
export function isRefusal(error: unknown): boolean {
  const status = statusOf(error)
  if (status !== 400) return status === 401 || status === 403 || status === 422
  const code = (asThrown(error).response?.data as { error?: unknown } | undefined)?.error
  // RFC 6749 section 5.2: `invalid_grant` is final, the other codes are faults of the set-up. Texts that are no such
  // code ("Bad Request") say nothing beyond the 400 itself.
  return code === 'invalid_grant' || !/^[a-z]+(_[a-z]+)+$/.test(String(code))
}

/** By name, so that the class of another copy of the package counts too. */
export function isSessionRefused(error: unknown): error is SessionRefused {
  return asThrown(error).name === 'SessionRefused'
}

export function judgeFailure(error: unknown, isFinal: (error: unknown) => boolean): Failure {
  if (isSessionRefused(error)) return 'refused'
  if (isAuthClientError(error)) return 'rejected'
  if (isFinal(error)) return 'refused'
  const status = statusOf(error)
  return !status || status >= 500 || [408, 425, 429].includes(status) ? 'unavailable' : 'rejected'
}

/** What the server's `Retry-After` asks for (RFC 9110 section 10.2.3), in milliseconds. */
export function retryAfterMs(error: unknown, nowMs: number): number | undefined {
  const value = readHeader(asThrown(error).response?.headers, 'Retry-After')
  if (value === undefined) return undefined
  const waitMs = Number(value) * 1000 || Date.parse(String(value)) - nowMs
  return waitMs > 0 ? waitMs : undefined
}

/** What happened, in words that hold no secret. `quotable`: the error's own message was found to hold none. */
export function describeFailure(error: unknown, quotable: boolean): string {
  const status = statusOf(error)
  if (status) return `the refresh endpoint answered ${status}`
  const { message } = asThrown(error)
  return quotable && message ? String(message) : 'no answer from the refresh endpoint'
}

/**
 * Takes out of a refresh's error what must not travel: the request with its tokens. Whatever still holds one of
 * `secrets` after that is left out altogether, so what comes back can be kept as a `cause`.
 */
export function cleanCause(error: unknown, secrets: readonly (string | undefined)[]): unknown {
  const thrown = asThrown(error)
  const { response, config } = thrown
  try {
    if (config) thrown.config = { method: config.method, url: config.url, baseURL: config.baseURL }
    delete thrown.request
    if (response) {
      response.config = thrown.config
      delete response.request
      if (mentions(response.data, secrets)) response.data = undefined
      if (mentions(response.headers, secrets)) response.headers = {}
    }
    return mentions([thrown.message, thrown.stack, thrown], secrets) ? undefined : error
  } catch {
    // Frozen, or not to be written out: it cannot be cleared of suspicion.
    return undefined
  }
}

function mentions(value: unknown, secrets: readonly (string | undefined)[]): boolean {
  const text = JSON.stringify(value) ?? ''
  return secrets.some(
    (secret) => secret && (text.includes(secret) || text.includes(encodeURIComponent(secret))),
  )
}
