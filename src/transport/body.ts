// Whether a body may go twice, and what has to be done so that it can.
import type { Clock } from '../clock.js'

interface Streamlike {
  pipe?: unknown
  getReader?: unknown
  getBuffer?(): unknown
  getHeaders?(): Record<string, string>
  [Symbol.asyncIterator]?: unknown
}

/**
 * Whether sending this body again sends the same bytes. Streams and iterators are empty the second time, and the
 * server would answer 200 to an empty body.
 */
export function isReplayable(data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return true
  const { pipe, getReader, [Symbol.asyncIterator]: iterate } = data as Streamlike
  // A native Blob or FormData has neither; a Response or Request body is a stream.
  return !pipe && !getReader && !iterate
}

/**
 * The bytes and headers of a form of the `form-data` package, which is a stream: axios's `postForm` makes one in Node.
 * `undefined` for any other body, and for a form with a stream in it.
 */
export function snapshotForm(data: unknown): { bytes: unknown; headers: Record<string, string> } | undefined {
  const form = data as Required<Streamlike> | null | undefined
  if (typeof form?.getBuffer !== 'function') return undefined
  try {
    return { bytes: form.getBuffer(), headers: form.getHeaders() }
  } catch {
    return undefined
  }
}

/** Lets a stream break while it waits: an error that nobody listens to ends a Node process. */
export function expectBreak(data: unknown): void {
  const { on } = (data ?? {}) as { on?: unknown }
  if (typeof on === 'function') on.call(data, 'error', () => {})
}

/** Discards a streamed answer that nobody will read: it would hold its socket while the request waits. */
export function discard({ data, request }: { data?: unknown; request?: unknown }): void {
  const body = data as { destroy?(): unknown; cancel(): PromiseLike<unknown> }
  try {
    if (body.destroy) {
      body.destroy()
      // With `maxContentLength`, what Node's adapter hands out may know nothing of the socket's stream yet.
      ;(request as { destroy(): unknown }).destroy()
    } else body.cancel().then(undefined, () => {})
  } catch {
    // It is no stream, or its lock was released before.
  }
}

/** A refusal is a few hundred bytes long, and there by the time that its head is. */
const KEPT_BYTES = 65_536
const KEPT_MS = 1_000

/**
 * Reads in the answer of Node's http adapter whose caller will get it after a wait: unread it would hold its socket, and
 * where there is only one, the refresh needs it. A stream of what was read takes the place of the body; of one that is
 * too long or too slow, it ends in an error. The pools of fetch have room for both.
 */
export async function keepBody(response: { data?: unknown; request?: unknown }, clock: Clock): Promise<void> {
  const body = response.data as (AsyncIterable<Uint8Array> & { destroy?: unknown }) | null | undefined
  // Node's, which this file cannot import: it is that of every stream's class.
  const Source = body?.constructor as { from?(chunks: unknown, options: object): unknown } | undefined
  if (!body?.destroy || !Source?.from) return
  const chunks: Uint8Array[] = []
  let room = KEPT_BYTES
  let fault: unknown
  const stop = () => {
    fault = new Error('The body was too long to be kept, or too slow.')
    discard(response)
  }
  const cancel = clock.setTimer(stop, KEPT_MS)
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      room -= chunk.length
      if (room < 0) stop()
    }
  } catch (error) {
    fault ??= error
  }
  cancel()
  async function* play() {
    yield* chunks
    if (fault) throw fault
  }
  response.data = Source.from(play(), { objectMode: false })
}
