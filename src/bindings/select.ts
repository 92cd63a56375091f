// What the bindings share: one part of the snapshot, kept as long as nothing in it changed. Knows no framework.
import type { AuthSnapshot, Claims } from '../index.js'

/** The snapshot with the claims of your tokens. Not verified: show them, never decide on rights by them. */
export type TypedSnapshot<C extends object = Claims> = Omit<AuthSnapshot, 'claims'> & {
  readonly claims?: C | undefined
}

/** Picks what a component needs. */
export type Selector<T, C extends object = Claims> = (snapshot: TypedSnapshot<C>) => T

/**
 * A look at what `selector` picks: the same value, the same object too, until something in it is different. `shown`: what
 * was picked before, by another selector perhaps.
 */
export function selecting<T, C extends object>(
  read: () => AuthSnapshot,
  selector: Selector<T, C> | undefined,
  shown?: () => T | undefined,
): () => T {
  let last: { snapshot: AuthSnapshot; selected: T } | undefined
  return () => {
    const snapshot = read()
    if (last?.snapshot === snapshot) return last.selected
    const selected = (selector ? selector(snapshot as TypedSnapshot<C>) : snapshot) as T
    const before = last ? last.selected : shown?.()
    last = { snapshot, selected: isSame(before, selected) ? (before as T) : selected }
    return last.selected
  }
}

/** Whether two selected values show the same; objects and arrays by their own entries, one level deep. */
function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (!one || !other) return false
  const prototype = Object.getPrototypeOf(one)
  const entries = Object.entries(one)
  return (
    // What else there is (a text, a Date, a Set) does not show in its entries what it holds.
    [Object.prototype, Array.prototype].includes(prototype) &&
    prototype === Object.getPrototypeOf(other) &&
    entries.length === Object.keys(other).length &&
    entries.every(
      ([key, value]) =>
        Object.hasOwn(other, key) && Object.is(value, (other as Record<string, unknown>)[key]),
    )
  )
}
