// Recognises the access tokens of this client however long ago they were replaced: an app's old interceptor may write
// the one of the sign-in for ever. Keeps a number for each, not the token.
// Promise: what was added is recognised until 10,000 others have come after it.

const LIMIT = 10_000

export interface KnownTokens {
  add(token: string): void
  has(token: unknown): boolean
}

export function createKnownTokens(): KnownTokens {
  const prints = new Set<number>()
  return {
    add(token) {
      if (!token) return
      prints.add(printOf(token))
      // The oldest: a set keeps the order of its entries.
      if (prints.size > LIMIT) prints.delete(prints.values().next().value as number)
    },
    has: (token) => typeof token === 'string' && prints.has(printOf(token)),
  }
}

// The largest prime below 2 ** 45: times the base, a number is still an exact integer.
const PRIME = 2 ** 45 - 55
const BASE = 131

/** 45 bits of a text: one number of 32 bits alone meets its like among a few ten thousand. */
function printOf(text: string): number {
  let print = 0
  for (let at = 0; at < text.length; at++) print = (print * BASE + text.charCodeAt(at)) % PRIME
  return print
}
