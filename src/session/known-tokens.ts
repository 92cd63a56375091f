// Recognises the tokens of this client, however long ago they were replaced: an app's old interceptor may write the access
// token of the sign-in for ever. Of the recent ones it also knows how they look wherever they may be quoted.
// Promise: an access token is recognised until 10,000 others have come after it. Of old ones a number is kept, no token.
import { encodingsOf, isUsableToken } from '../tokens.js'

const LIMIT = 10_000

/** A plug-in that sends a request again hours later, when the device is back online, holds a token of long ago. */
const RECENT = 20

export interface KnownTokens {
  add(accessToken: unknown, refreshToken: unknown): void
  /** Whether this was an access token of ours, however long ago. */
  has(token: unknown): boolean
  /** The access tokens of late, of ended sessions too. */
  recent(): readonly string[]
  /** What must not be in anything that is handed out: refresh tokens too, spent ones as well, however they are encoded. */
  redactions(): readonly string[]
}

export function createKnownTokens(): KnownTokens {
  const prints = new Set<number>()
  let accessTokens: readonly string[] = []
  let refreshTokens: readonly string[] = []
  /** Made when they are asked for, until there is a new token. */
  let redactions: string[] | undefined
  return {
    add(accessToken, refreshToken) {
      redactions = undefined
      refreshTokens = withRecent(refreshTokens, refreshToken)
      accessTokens = withRecent(accessTokens, accessToken)
      if (!isUsableToken(accessToken)) return
      prints.add(printOf(accessToken))
      // The oldest: a set keeps the order of its entries.
      if (prints.size > LIMIT) prints.delete(prints.values().next().value as number)
    },
    has: (token) => typeof token === 'string' && prints.has(printOf(token)),
    recent: () => accessTokens,
    redactions: () => (redactions ??= [...accessTokens, ...refreshTokens].flatMap(encodingsOf)),
  }
}

function withRecent(tokens: readonly string[], token: unknown): readonly string[] {
  return isUsableToken(token) && !tokens.includes(token) ? [token, ...tokens].slice(0, RECENT) : tokens
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
