// Waiting that can be given up. Knows no tokens and no requests.
// Promise: whoever waits here comes back at once when aborted, and leaves no listener behind.

/** What can end a wait: an AbortSignal, or an axios CancelToken (read by structure, 0.22 and later). */
export interface Cancellation {
  signal?:
    | {
        readonly aborted: boolean
        addEventListener?(type: 'abort', listener: () => void): void
        removeEventListener?(type: 'abort', listener: () => void): void
      }
    | undefined
  cancelToken?:
    | {
        reason?: unknown
        subscribe?(listener: () => void): void
        unsubscribe?(listener: () => void): void
      }
    | undefined
}

/** Whether whoever made the request has given it up. */
export function isCancelled({ signal, cancelToken }: Cancellation): boolean {
  return !!(signal?.aborted || cancelToken?.reason)
}

/** `promise`, or a rejection with what `reason` makes if the caller gives up first. */
export function hold<T>(promise: Promise<T>, by: Cancellation, reason: () => unknown): Promise<T> {
  const { signal, cancelToken } = by
  if (!signal && !cancelToken) return promise
  return new Promise<T>((resolve, reject) => {
    const leave = () => {
      signal?.removeEventListener?.('abort', leave)
      // A token that is cancelled forgets its listeners itself. axios 0.27 would skip others if one left meanwhile.
      if (!cancelToken?.reason) cancelToken?.unsubscribe?.(leave)
      // Also when it was aborted in the moment of arrival: what the caller would do next must not happen.
      if (isCancelled(by)) reject(reason())
      else resolve(promise)
    }
    signal?.addEventListener?.('abort', leave)
    cancelToken?.subscribe?.(leave)
    if (signal?.aborted) leave()
    promise.then(leave, leave)
  })
}

/** A promise with its handle outside. */
export interface Deferred {
  readonly promise: Promise<void>
  readonly resolve: () => void
}

export function deferred(): Deferred {
  let resolve!: () => void
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
