// Decides what a failed refresh means: the one table of it. Pure: no state, no clock, no network.
// Promise: only a refusal ends a session; everything else keeps the user signed in.
import { AuthClientError, isAuthClientError, isObject } from '../errors.js'
import { readHeader } from '../headers.js'
import { isPlain, readBody, redactError, type Thrown } from '../redact.js'
import { isUsableToken } from '../tokens.js'

/**
 * - `refused`: the session is over.
 * - `unavailable`: the endpoint cannot do it now, or a gateway answered in its place; it may work in a moment.
 * - `malformed`: a success without a token that names no error.
 * - `set-up`: the app, the client registration or the address is wrong; asking again helps nobody.
 */
export type FailureKind = 'refused' | 'unavailable' | 'malformed' | 'set-up'

/** Why there is no grant. */
export interface RefreshFailure {
  error: AuthClientError
  /** It may work in a moment. */
  mayTryAgain?: boolean
  /** How long the server asked to be left alone. */
  pauseMs?: number
}

// RFC 6749 section 5.2 and OpenID Connect Core 1.0 section 3.1.2.6: the user has to sign in.
const REFUSED = /(invalidgrant|(login|interaction|consent|accountselection)required)(exception|error)?$/

// RFC 6749 section 5.2: the other codes.
const SET_UP = /(invalid(client|request|scope)|unauthorizedclient|unsupportedgranttype)(exception|error)?$/

// RFC 6749 section 4.1.2.1, RFC 8628 section 3.5, and how vendors speak of throttling and quotas. Not "session limit
// exceeded" or "too many devices": they end a session.
const BUSY =
  /throttl|ratelimit|rate(is)?exceed|quota|toomany\w*(request|attempt|call|tries)|((^|request|api|call|usage|daily|attempt)limit|throughput)(exceed|reach)|resourceexhausted|slowdown|(temporarily|service)unavailable|(server|internal)error/

/** What a failed refresh means, read of whatever was thrown. */
export function classifyFailure(error: unknown): FailureKind {
  try {
    return kindOf(Object(error))
  } catch {
    // It cannot be read, so it says nothing.
    return 'unavailable'
  }
}

/**
 * The default of the option `isFinal`: whether a failed refresh ends the session. So it does when it was
 * refused: by a thrown {@link SessionRefused}; by an OAuth or OIDC error that says so, such as `invalid_grant`, with a
 * status below 500; by a 400, 401, 403 or 422 that is no fault of the set-up (`invalid_client`), no throttling and no
 * gateway's page; and by a 2xx that names such an error.
 * @see RFC 6749 section 5.2, OpenID Connect Core 1.0 section 3.1.2.6
 */
export function isRefusal(error: unknown): boolean {
  return classifyFailure(error) === 'refused'
}

function kindOf(thrown: Thrown): FailureKind {
  // By name, so that the class of another copy of the package counts too.
  if (thrown.name === 'SessionRefused') return 'refused'
  if (thrown.unasked) return 'unavailable'
  const { data, headers } = thrown.response ?? {}
  const { errors, codes, sentences } = namesIn(readBody(data ?? thrown.data ?? thrown))
  const names = errors.length > 0 || codes.length > 0 ? [...errors, ...codes] : sentences
  // A sentence is no code: "Invalid request, sign in again".
  const isCode = (code: RegExp) => names.some((name) => !/\s/.test(name) && code.test(compact(name)))
  const isBusy = names.some((name) => BUSY.test(compact(name)))
  const named = isCode(REFUSED) ? 'refused' : isBusy ? 'unavailable' : isCode(SET_UP) ? 'set-up' : undefined

  const status = statusOf(thrown)
  // An OAuth library may throw the error alone.
  if (!status) return (typeof thrown.error === 'string' && named) || 'unavailable'
  if (isSuccess(status)) return named ?? (errors.length > 0 ? 'refused' : 'malformed')
  if (status < 500 && named === 'refused') return named
  if (status >= 500 || [408, 425, 429].includes(status)) return 'unavailable'
  if (named) return named
  if (![400, 401, 403, 422].includes(status)) return 'set-up'
  if (status === 403 && isPage(data, headers)) return 'unavailable'
  if (status === 403 && thrown.csrf) return 'set-up'
  return status === 401 && isOfProxy(headers) ? 'unavailable' : 'refused'
}

/**
 * What a body calls its error: `errors` where there can be no success (RFC 6749, Google, AWS, GraphQL), `codes` in
 * fields that a success may have as well; and `sentences`, which count where nothing names it.
 */
function namesIn(body: unknown): Record<'errors' | 'codes' | 'sentences', string[]> {
  const fields = fieldsOf(body)
  const first = [fields.error ?? fields.errors].flat()[0]
  const { status, code, message, error, extensions } = fieldsOf(first)
  const texts = (...values: unknown[]) =>
    values.filter((value): value is string => typeof value === 'string' && value !== '')
  return {
    errors: texts(first, status, code, message, error, fieldsOf(extensions).code, fields.__type),
    codes: texts(fields.code, fields.error_code, fields.errorCode),
    sentences: texts(fields.message, fields.msg),
  }
}

/** The fields of anything: `Object` makes an object of what is none. */
const fieldsOf = (value: unknown): Record<string, unknown> => Object(value)

/** One encoding for `RATE_LIMIT`, `rate-limit` and `rateLimit`; AWS puts a namespace before a `#`. */
function compact(name: string): string {
  return name.replace(/.*#|[^a-z\d]/gi, '').toLowerCase()
}

/** A page of a CDN or firewall, and no answer of the endpoint. */
function isPage(data: unknown, headers: unknown): boolean {
  if (typeof data === 'string') return /^\s*(<|error code: \d)/i.test(data)
  // Bytes do not show what they are; data has been read, whatever its type says.
  return isObject(data) && !isPlain(data) && /html/i.test(headerOf(headers, 'Content-Type'))
}

/** The challenge of a proxy (RFC 9110 section 11.6.1), and of nobody who takes tokens. */
function isOfProxy(headers: unknown): boolean {
  const challenges = headerOf(headers, 'WWW-Authenticate').replace(/"(\\.|[^"\\])*"/g, '')
  const offers = (schemes: string) => RegExp(`(^|,)\\s*(${schemes})\\b(?!\\s*=)`, 'i').test(challenges)
  return offers('basic|negotiate|ntlm') && !offers('bearer|dpop')
}

const isSuccess = (status: number) => status >= 200 && status < 300

function statusOf({ response, status }: Thrown): number {
  return Number(response?.status ?? status) || 0
}

/** A header in any letter case, of axios or of fetch; '' when it is absent. */
function headerOf(headers: unknown, name: string): string {
  const { get } = fieldsOf(headers)
  const value = typeof get === 'function' ? get.call(headers, name) : readHeader(headers, name)
  return String(value ?? '')
}

const LONGEST_PAUSE_MS = 300_000

/**
 * What the server's `Retry-After` asks for (RFC 9110 section 10.2.3), in milliseconds; five minutes at the most. A date
 * is read against the answer's own `Date`, where that can be read: clocks differ.
 */
export function retryAfterMs(error: unknown, nowMs: number): number {
  const { headers } = fieldsOf(fieldsOf(error).response)
  const value = headerOf(headers, 'Retry-After').trim()
  // Of a list, as a proxy may make it, the first.
  const [seconds] = /^\d+(?=\s*(,|$))/.exec(value) ?? []
  const [date = ''] = /^[^,]*,?[^,]*\d:\d[^,]*/.exec(value) ?? []
  const waitMs = seconds
    ? Number(seconds) * 1000
    : Date.parse(date) - (Date.parse(headerOf(headers, 'Date')) || nowMs)
  return waitMs > 0 ? Math.min(waitMs, LONGEST_PAUSE_MS) : 0
}

/** The failure in an answer that names an error in the place of a token; `undefined` where it does not. */
export function failureIn(answer: unknown): Error | undefined {
  try {
    const { accessToken, response = { data: answer } } = fieldsOf(answer)
    if (isUsableToken(accessToken)) return undefined
    const failure = Object.assign(new Error('The answer is an error.'), {
      response: { status: 200, ...(response as object) },
    })
    return classifyFailure(failure) === 'malformed' ? undefined : failure
  } catch {
    // It cannot be read: whoever commits it will see.
    return undefined
  }
}

/** What it means that a refresh threw this, in words that hold none of `secrets`. `SESSION_EXPIRED`: it was refused. */
export function describeFailure(
  failure: unknown,
  isFinal: (error: unknown) => boolean,
  redactions: readonly string[],
  nowMs: number,
): RefreshFailure {
  const kind = classifyFailure(failure)
  const isOurs = isAuthClientError(failure)
  const cause = redactError(failure, redactions) as (Error & Thrown) | undefined
  const isSaid = cause?.name === 'SessionRefused'
  const isOver = isSaid || (!isOurs && isFinal(failure))
  const status = cause && statusOf(cause)
  const name = fieldsOf(cause?.response?.data).error
  const why = status
    ? `its endpoint answered ${status}${name ? ` (${name})` : ''}`
    : cause?.message || 'its endpoint did not answer'
  return {
    error: new AuthClientError(
      isOver
        ? 'SESSION_EXPIRED'
        : isOurs
          ? failure.code
          : kind === 'malformed'
            ? 'BAD_GRANT'
            : 'REFRESH_FAILED',
      // What a strategy says itself is meant for the user; it is left out where it quotes a token.
      ((isSaid || isOurs) && cause?.message) || `The refresh ${isOver ? 'was refused' : 'failed'}: ${why}.`,
      cause,
    ),
    mayTryAgain: !isOver && !isOurs && kind === 'unavailable',
    pauseMs: retryAfterMs(failure, nowMs),
  }
}
