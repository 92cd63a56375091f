// Listens to the page and keeps nobody alive by it: a client that nobody refers to any more is collected, disposed or not.
// Promise: a listener is called only while somebody keeps the function that `listen` returned.

/**
 * Calls `listener` on each event until it is stopped, or collected: only the function that stops it refers to it.
 * Does nothing where there are no events.
 */
export function listen(
  target: Partial<EventTarget> | undefined,
  type: string,
  listener: (event: never) => void,
  options?: { capture: boolean },
): () => void {
  const handler = forward(target, type, refer(listener), options)
  target?.addEventListener?.(type, handler, options)
  return Object.assign(() => target?.removeEventListener?.(type, handler, options), { listener })
}

/** A function of its own: V8's closures of one scope all keep what one of them uses. */
function forward(
  target: Partial<EventTarget> | undefined,
  type: string,
  ref: Pick<WeakRef<(event: never) => void>, 'deref'>,
  options: { capture: boolean } | undefined,
): (event: Event) => void {
  return function handler(event) {
    const listener = ref.deref()
    if (listener) listener(event as never)
    else target?.removeEventListener?.(type, handler, options)
  }
}

/** Where there is no WeakRef (React Native before 0.75), it is kept until it is stopped. */
function refer<T extends object>(value: T): Pick<WeakRef<T>, 'deref'> {
  return globalThis.WeakRef ? new WeakRef(value) : { deref: () => value }
}
