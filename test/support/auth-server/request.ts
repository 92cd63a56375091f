// Owns what arrived: reads one HTTP request whole and keeps it, bytes included, for assertions.
// Checks nothing.

import type { IncomingMessage } from 'node:http'
// Not the global one, in whose place a test may put a worse.
import { URLSearchParams } from 'node:url'

/** One request as the server received it; the last fields fill up while it is answered. */
export interface ReceivedRequest {
  readonly seq: number
  /** By the server's clock. */
  readonly atMs: number
  readonly method: string
  readonly path: string
  /** The raw query string with its question mark, or ''. */
  readonly search: string
  readonly query: Readonly<Record<string, string>>
  /** Names in lower case, repeated headers joined. */
  readonly headers: Readonly<Record<string, string>>
  bodyBytes: Buffer
  /** Parsed when JSON or form-encoded, otherwise `undefined`. */
  body: unknown
  /** The whole body has arrived. */
  complete: boolean
  /** The access token it carried, valid or not, if the route looked for one. */
  accessToken: string | undefined
  /** Whose token it was, when the server knew it. */
  user: string | undefined
  /** What was answered; `undefined` until the answer is sent. */
  status: number | undefined
  /** The connection closed before the answer was out. */
  aborted: boolean
}

export function receiveHead(message: IncomingMessage, seq: number, atMs: number): ReceivedRequest {
  const target = (message.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '')
  const mark = target.indexOf('?')
  const search = mark < 0 ? '' : target.slice(mark)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return {
    seq,
    atMs,
    method: message.method ?? 'GET',
    path: mark < 0 ? target : target.slice(0, mark),
    search,
    query: Object.fromEntries(new URLSearchParams(search)),
    headers,
    bodyBytes: Buffer.alloc(0),
    body: undefined,
    complete: false,
    accessToken: undefined,
    user: undefined,
    status: undefined,
    aborted: false,
  }
}

/** Fills in the body; `false` when the client went away in the middle of it. */
export async function receiveBody(message: IncomingMessage, request: ReceivedRequest): Promise<boolean> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of message) chunks.push(chunk as Buffer)
  } catch {
    return false
  } finally {
    request.bodyBytes = Buffer.concat(chunks)
  }
  request.body = parseBody(request)
  request.complete = true
  return true
}

function parseBody({ headers, bodyBytes }: ReceivedRequest): unknown {
  const type = headers['content-type'] ?? ''
  const text = bodyBytes.toString('utf8')
  if (type.includes('x-www-form-urlencoded')) return Object.fromEntries(new URLSearchParams(text))
  if (!type.toLowerCase().includes('json')) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A text field of a parsed body. */
export function bodyField(request: ReceivedRequest, name: string): string | undefined {
  const { body } = request
  if (typeof body !== 'object' || body === null) return undefined
  const value: unknown = (body as Record<string, unknown>)[name]
  return typeof value === 'string' ? value : undefined
}

/** The token after `Bearer`. */
export function bearerOf(request: ReceivedRequest): string | undefined {
  return /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1]
}

/** User name and password of HTTP Basic. */
export function basicOf(request: ReceivedRequest): { user: string; password: string } | undefined {
  const encoded = /^Basic +(.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (encoded === undefined) return undefined
  const decoded = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  if (colon < 0) return undefined
  return { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) }
}

export function cookiesOf(request: ReceivedRequest): Record<string, string> {
  const cookies: Record<string, string> = {}
  for (const pair of (request.headers.cookie ?? '').split(/; */)) {
    const equals = pair.indexOf('=')
    if (equals > 0) cookies[pair.slice(0, equals)] = decoded(pair.slice(equals + 1))
  }
  return cookies
}

/** Everything in which a credential could hide, in the clear: for "no token came this way". */
export function everythingIn(request: ReceivedRequest): string {
  const { path, search, headers, bodyBytes } = request
  const basic = basicOf(request)
  const raw = [path, search, ...Object.values(headers), bodyBytes.toString('utf8')].join('\n')
  return [raw, decoded(raw), basic?.user, basic?.password].join('\n')
}

function decoded(text: string): string {
  // Per escape, because one stray percent sign must not hide the rest.
  return text.replace(/(%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes)
    } catch {
      return escapes
    }
  })
}
