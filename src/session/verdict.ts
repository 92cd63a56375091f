// Decides what a failed refresh means, and cleans its error. Pure: no state, no clock, no network.
// Promise: only a refusal ends a session; everything else keeps the user signed in.
import { AuthClientError, isAuthClientError, isObject } from '../errors.js'
import { readHeader } from '../headers.js'

/** Why there is no grant. */
export interface Verdict {
  error: AuthClientError
  /** It may work in a moment. */
  mayTryAgain?: boolean
  /** How long the server asked to be left alone. */
  pauseMs?: number
}

/** What is read of an error, whoever threw it: axios, another HTTP client, a strategy. */
interface Thrown {
  name?: unknown
  message?: string
  stack?: string
  code?: unknown
  status?: unknown
  isAxiosError?: unknown
  config?: Record<string, unknown>
  response?: { status?: unknown; data?: unknown; headers?: unknown }
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
  return code === 'invalid_grant' || typeof code !== 'string' || !/^[a-z]+(_[a-z]+)+$/.test(code)
}

/** What it means that a refresh threw this, in words that hold none of `secrets`. `SESSION_EXPIRED`: it was refused. */
export function judgeFailure(
  failure: unknown,
  isFinal: (error: unknown) => boolean,
  secrets: readonly string[],
  nowMs: number,
): Verdict {
  const status = statusOf(failure)
  const isOurs = isAuthClientError(failure)
  // By name, so that the class of another copy of the package counts too.
  const isSaid = asThrown(failure).name === 'SessionRefused'
  const isOver = isSaid || (!isOurs && isFinal(failure))
  const cause = cleanCause(failure, secrets)
  const why = status ? `its endpoint answered ${status}` : cause?.message || 'its endpoint did not answer'
  return {
    error: new AuthClientError(
      isOver ? 'SESSION_EXPIRED' : isOurs ? failure.code : 'REFRESH_FAILED',
      // What a strategy says itself is meant for the user; it is left out where it quotes a token.
      ((isSaid || isOurs) && cause?.message) || `The refresh ${isOver ? 'was refused' : 'failed'}: ${why}.`,
      cause,
    ),
    mayTryAgain: !isOver && !isOurs && (!status || status >= 500 || [408, 425, 429].includes(status)),
    pauseMs: retryAfterMs(failure, nowMs),
  }
}

/** What the server's `Retry-After` asks for (RFC 9110 section 10.2.3), in milliseconds. */
function retryAfterMs(error: unknown, nowMs: number): number {
  const value = String(readHeader(asThrown(error).response?.headers, 'Retry-After'))
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs
  return waitMs > 0 ? waitMs : 0
}

/**
 * What of a refresh's error may be kept as a `cause`: a copy of its kind with the few fields that explain it, and each
 * only if none of `secrets` is in it. What else is on it, the request with its tokens first of all, stays behind.
 */
export function cleanCause(error: unknown, secrets: readonly string[]): Error | undefined {
  if (!isObject(error)) return undefined
  const { name, message, stack, code, status, isAxiosError, config, response } = asThrown(error)
  const request = clean(config && { method: config.method, url: config.url, baseURL: config.baseURL })
  const kept = {
    ...(clean({ name, isAxiosError, code, status }) as object | undefined),
    ...(request && { config: request }),
    ...(response && {
      response: {
        status: response.status,
        headers: clean({ ...(response.headers as object) }),
        data: clean(response.data),
        config: request,
      },
    }),
  }
  const cause = Object.assign(new Error(clean(message) ?? ''), kept)
  cause.stack = clean(stack) ?? cause.message
  return Object.setPrototypeOf(cause, Object.getPrototypeOf(error))

  /** The value as plain data, if no secret is in it; bytes and streams do not show what they hold. */
  function clean<T>(value: T): T | undefined {
    if (isObject(value) && ![Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value)))
      return undefined
    try {
      const text = JSON.stringify(value)
      return secrets.some((secret) => text.includes(secret)) ? undefined : (JSON.parse(text) ?? undefined)
    } catch {
      // Nothing, a cycle, a BigInt: what could not be looked through.
      return undefined
    }
  }
}
