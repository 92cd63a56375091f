// What may be shown of somebody else's error: a copy of its kind with the few fields that explain it.
// Pure. Refuses bodies, request headers and cookies as a whole; a text is kept only if it quotes no secret.
// Promise: never throws, and nothing that it returns leads back to the original.
import { isObject } from './errors.js'
import { encodingsOf } from './tokens.js'

/** What is read of an error, whoever threw it: axios, another HTTP client, a store, a hook. */
export interface Thrown {
  name?: unknown
  message?: unknown
  stack?: unknown
  code?: unknown
  status?: unknown
  isAxiosError?: unknown
  error?: unknown
  data?: unknown
  /** A strategy's own mark: its 403 is about a CSRF token. */
  csrf?: boolean
  /** Another: it failed before the endpoint was asked. */
  unasked?: boolean
  config?: Record<string, unknown>
  response?: { status?: unknown; data?: unknown; headers?: unknown; config?: Record<string, unknown> }
}

const LONGEST_TEXT = 300

/** Headers of an answer that explain a failure and hold nobody's secret. */
const KEPT_HEADER = /^(content-type|date|retry-after|allow|server|via|cf-ray|x-.*(request|correlation)-?id)$/i

/** Fields of requests and answers that hold no secret, and whose values are quoted in many an innocent message. */
const OPEN_FIELD =
  /^(error|message|status|code$|accept|content|user-agent)|type|scope|client_?id|ur[il]$|time|trace|correlation/i

/** A user name or password in an address, after what stands before it. */
export const USERINFO = /^([^/\\?#]*[/\\]{2})[^/\\?#]*@/

/** An address without its query and without a user's name or password. */
export function bareAddress(url: unknown): string {
  return String(url ?? '')
    .replace(/[?#].*/s, '')
    .replace(USERINFO, '$1')
}

/** What `run` returns; `otherwise` if it throws. */
function orElse<T>(run: () => T, otherwise: T): T {
  try {
    return run()
  } catch {
    return otherwise
  }
}

/** A body as data: JSON and forms may arrive as texts. */
export function readBody(body: unknown): unknown {
  if (typeof body !== 'string') return body
  // By hand: the URLSearchParams of React Native cannot read. A `=` at the end is padding of base64.
  const isForm = /^[\w.-]+=[^=]/.test(body)
  const pairs = isForm && body.split('&').map((pair) => pair.split(/=(.*)/s, 2).map(decodeForm))
  return orElse<unknown>(() => JSON.parse(body), pairs ? Object.fromEntries(pairs) : body)
}

function decodeForm(text: string): string {
  return orElse(() => decodeURIComponent(text.replace(/\+/g, ' ')), text)
}

/** Every text in `value` that may be a token, cookie or password, in each of its encodings: all but the open fields. */
export function redactionsIn(value: unknown, depth = 6): string[] {
  if (typeof value === 'string') {
    const [, scheme = '', credential = value] = /^(basic|bearer|dpop|token) +(\S+)$/i.exec(value) ?? []
    // RFC 6749 section 2.3.1: the client's secret, form-encoded, follows its id.
    const pair = /basic/i.test(scheme) ? orElse(() => atob(credential), '') : ''
    const secret = pair.replace(/^[^:]*:?/, '')
    // Half a character has no encoding in a URL.
    return [credential, secret, decodeForm(secret)].flatMap((text) => orElse(() => encodingsOf(text), [text]))
  }
  if (!depth || !isPlain(value)) return []
  return Object.entries(value).flatMap(([key, field]) =>
    OPEN_FIELD.test(key) ? [] : redactionsIn(field, depth - 1),
  )
}

/** Data, and not a stream, bytes or a class of somebody's. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  const prototype = isObject(value) && Object.getPrototypeOf(value)
  return prototype === null || [Object.prototype, Array.prototype].includes(prototype)
}

/** A text without anything that looks like a token; `undefined` if it quotes one of `secrets`. */
export function safeText(text: unknown, redactions: readonly string[]): string | undefined {
  // Nobody knows all tokens: those in an answer that could not be read are new.
  return quotable(text, redactions)
    ?.replace(/[^\s"'`,;:(){}<>[\]/?&=]{16,}/g, (run) =>
      (/\d/.test(run) && !/^[A-Z\d]+(_[A-Z\d]+)+$/.test(run)) || run.length > 40 ? '…' : run,
    )
    .slice(0, LONGEST_TEXT)
}

function quotable(text: unknown, redactions: readonly string[]): string | undefined {
  return typeof text === 'string' && !redactions.some((secret) => text.includes(secret)) ? text : undefined
}

/**
 * A copy of an error that may be handed on and shown, with where it came from; `undefined` for what is no object.
 * @param known secrets that must not be in it, beside those that the error itself holds in its request and answer
 */
export function redactError(error: unknown, known: readonly string[]): Error | undefined {
  if (!isObject(error)) return undefined
  return orElse(() => copyOf(error, known), new Error('It cannot be read.'))
}

function copyOf(error: Thrown, known: readonly string[]): Error {
  const { name, message, code, status, isAxiosError, config, response } = error
  const body = readBody(response?.data)
  const redactions = [
    ...known,
    ...redactionsIn(body),
    ...redactionsOf(config ?? {}),
    ...redactionsOf(response?.config ?? {}),
  ]
  const safe = (text: unknown) => safeText(text, redactions)
  const short = (text: unknown) => quotable(text, redactions)?.slice(0, LONGEST_TEXT)
  const request = config && {
    method: short(config.method),
    url: short(bareAddress(config.url)),
    baseURL: short(bareAddress(config.baseURL)),
  }
  const answer = isPlain(body) ? body : undefined
  const headers: Record<string, unknown> = {}
  for (const [key, value] of Object.entries((response?.headers ?? {}) as object))
    if (KEPT_HEADER.test(key)) headers[key] = short(String(value))
  // Also takes off what is absent.
  const kept = JSON.parse(
    JSON.stringify({
      isAxiosError: isAxiosError === true || undefined,
      code: typeof code === 'number' ? code : safe(code),
      status: Number(status) || undefined,
      config: request,
      response: response && {
        status: Number(response.status),
        headers,
        // RFC 6749 section 5.2.
        data: answer && { error: safe(answer.error), error_description: safe(answer.error_description) },
      },
    }),
  )
  if (request && response) kept.response.config = kept.config
  const copy: Error = Object.assign(new Error(safe(message) ?? ''), kept)
  // Not enumerable, as everywhere.
  Object.defineProperty(copy, 'name', { value: safe(name) ?? 'Error', configurable: true, writable: true })
  copy.stack = [copy, ...framesOf(error, redactions)].join('\n')
  return error instanceof Error ? Object.setPrototypeOf(copy, Object.getPrototypeOf(error)) : copy
}

/** What a request may have held of tokens, cookies and passwords. */
function redactionsOf({ url, params, data, headers, auth }: Record<string, unknown>): string[] {
  const [, query] = String(url).split('?')
  const texts = [query, String(params ?? ''), data].map(readBody)
  return redactionsIn([...texts, params, { ...(headers as object) }, auth])
}

/** The lines of a stack that look like one and are no part of the message: where the app's own code is found. */
function framesOf({ stack, message }: Thrown, redactions: readonly string[]): string[] {
  return String(stack ?? '')
    .replace(String(message), '')
    .split('\n')
    .filter((line) => /^\s*at .*[\d>e]\)?$|@.*:\d+$/.test(line) && !!quotable(line, redactions))
}
