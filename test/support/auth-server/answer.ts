// Owns what goes out: the answers a route may give, and putting them on the wire.
// Routes describe answers and never touch the socket, so that any answer can be held, dropped or trickled.

import type { ServerResponse } from 'node:http'
import { realMs } from '../real-time.js'

export interface Reply {
  status: number
  headers?: Record<string, string | string[]> | undefined
  /** Sent at once, with its length. */
  body?: string | Buffer
  /** Streamed instead of `body`, without a length. */
  chunks?: Iterable<string | Buffer>
  /** Real milliseconds before each chunk. */
  chunkEveryMs?: number
}

/** `'drop'` destroys the connection; `'never'` leaves it open without an answer. */
export type Answer = Reply | 'drop' | 'never'

export function json(status: number, value: unknown, headers: Reply['headers'] = {}): Reply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) }
}

export function noContent(headers: Reply['headers'] = {}): Reply {
  return { status: 204, headers }
}

export function html(status: number, title: string): Reply {
  const body = `<!doctype html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body }
}

/** The same reply in `pieces` pieces, `everyMs` real milliseconds apart. */
export function trickled(reply: Reply, pieces: number, everyMs: number): Reply {
  const bytes = Buffer.from(reply.body ?? '')
  const size = Math.max(1, Math.ceil(bytes.length / pieces))
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
  return { status: reply.status, headers: reply.headers, chunks, chunkEveryMs: everyMs }
}

/**
 * Sends a reply; returns early when the client has gone.
 * @param midBody awaited when the head (and half of a plain body) is out; `false` stops there
 */
export async function send(
  response: ServerResponse,
  reply: Reply,
  bodiless: boolean,
  midBody: (() => Promise<boolean>) | undefined,
): Promise<void> {
  const { status, headers = {}, chunks, chunkEveryMs } = reply
  if (response.destroyed) return
  if (bodiless || status === 204 || status === 304) {
    response.writeHead(status, headers).end()
    return
  }
  if (chunks) {
    response.writeHead(status, headers).flushHeaders()
    if (midBody && !(await midBody())) return
    for (const chunk of chunks) {
      if (chunkEveryMs !== undefined) await realMs(chunkEveryMs)
      if (response.destroyed) return
      if (!response.write(chunk)) await drained(response)
    }
    response.end()
    return
  }
  const bytes = Buffer.from(reply.body ?? '')
  response.writeHead(status, { ...headers, 'content-length': String(bytes.length) })
  if (!midBody) {
    response.end(bytes)
    return
  }
  const half = Math.floor(bytes.length / 2)
  response.flushHeaders()
  response.write(bytes.subarray(0, half))
  if (await midBody()) response.end(bytes.subarray(half))
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    function done(): void {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}
