// Owns chance: every random choice in the tests comes from a seed, so that a failure can be run again.
// Promise: the same seed gives the same numbers and the same order, on every machine.

/** Numbers in [0, 1). */
export type Random = () => number

/** The mulberry32 generator: small, fast, good enough for tests, no use for secrets. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A shuffled copy (Fisher-Yates); the given array stays as it was. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = createRandom(seed)
  const copy = [...items]
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const moved = copy[last] as T
    copy[last] = copy[other] as T
    copy[other] = moved
  }
  return copy
}

const URL_SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** `length` characters that may stand in a header, a URL and a cookie. */
export function randomText(random: Random, length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) text += URL_SAFE.charAt(Math.floor(random() * URL_SAFE.length))
  return text
}
