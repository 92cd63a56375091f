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

/** 53 bits of a text. Two hashes of 32 bits in one: one alone meets its like among a few ten thousand. */
function printOf(text: string): number {
  let [high, low] = [text.length, 1]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    high = Math.imul(high ^ code, 0x9e3779b1)
    low = Math.imul(low ^ code, 0x5f356495) ^ (high >>> 15)
  }
  return (high >>> 0) * 2 ** 21 + (low >>> 11)
}
