// The words for tokens: what a login or a refresh hands over, and when a token is fit for use.
import { formEncode } from './encode.js'

/** What a login answered: pass it to `signIn`. */
export interface Tokens {
  /** The short-lived token that is attached to requests. A JWT or any opaque text of visible ASCII characters. */
  accessToken: string
  /** The long-lived token that only the refresh endpoint sees. An answer without one keeps the old one. */
  refreshToken?: string | undefined
  /**
   * Lifetime of the access token in seconds, counted from now (RFC 6749 section 5.1, `expires_in`). Its text is read too,
   * as servers send it: `"3600"`, `"3600s"`. Another notation (`"1h"`), or 0 or less, counts as unknown.
   */
  expiresInSeconds?: number | undefined
  /**
   * End of the access token's life: milliseconds, seconds (below 1e11), a `Date` or ISO text. Of tokens that were just
   * received, `expiresInSeconds` and the span of a JWT (`exp` less `iat`) win over it, because they need no clock; one
   * that has passed on arrival counts as unknown, since the two clocks differ. What cannot be read is named on the
   * console, once, and counts as unknown.
   */
  expiresAtMs?: number | string | Date | undefined
  /** Who this is, for the snapshot. Default: the `sub` claim of a JWT. */
  subject?: string | undefined
}

/** What a refresh answered: the same as {@link Tokens}. */
export type Grant = Tokens

// Visible ASCII: what RFC 6750 section 2.1 allows and a little more, and nothing that could break out of a header.
const USABLE = /^[\x21-\x7e]+$/

/** Whether `value` is a token that can be sent in a header. */
export function isUsableToken(value: unknown): value is string {
  return typeof value === 'string' && USABLE.test(value)
}

/** A token without the `Bearer` that some servers put before it; anything else comes back as it is. */
export function stripBearer<T>(value: T): T | string {
  return typeof value === 'string' ? value.replace(/^Bearer(\s+|$)/i, '') : value
}

/**
 * How a token may be written where it is a secret to keep, or a mark to look for: as it is, in JSON, in a URL, in a form.
 * None for one that is so short that it is part of many an innocent word, and guards nothing.
 */
export function encodingsOf(token: string | undefined): string[] {
  if (!token || token.length < 8) return []
  const inJson = JSON.stringify(token).slice(1, -1)
  return [token, inJson, encodeURIComponent(token), formEncode(token)]
}

/** Why `tokens` cannot be used, in words; `undefined` when they can. `tokenless`: the credential is a cookie. */
export function flawOf(tokens: unknown, tokenless?: boolean): string | undefined {
  if (typeof tokens !== 'object' || tokens === null) return tokenless ? undefined : 'no tokens'
  const { accessToken, refreshToken } = tokens as Partial<Record<keyof Tokens, unknown>>
  if (!isUsableToken(accessToken) && !(tokenless && !accessToken)) {
    return accessToken ? 'an accessToken that a header cannot hold' : 'no accessToken'
  }
  // null and '' are how servers say "no new one".
  if (refreshToken && !isUsableToken(refreshToken)) return 'a refreshToken that a header cannot hold'
  return undefined
}
