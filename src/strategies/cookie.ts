// The refresh token is an HttpOnly cookie that script never sees, guarded by a double-submit CSRF token.
import { badOption, checkOptions } from '../checks.js'
import {
  createStrategy,
  mark,
  type RefreshContext,
  type RefreshStrategy,
  type StrategyOptions,
} from './strategy.js'

export interface RefreshWithCookieOptions extends StrategyOptions {
  /**
   * The header that proves that the call comes from your page, and its value: that of a readable cookie, or what `token`
   * returns (`({ http }) => http.get('/csrf')…`). Read anew for each attempt; without a value the header is left out. With
   * it a 403 may be about that token, and is no refusal.
   */
  csrf?: CsrfOptions | undefined
  /** @default true */
  withCredentials?: boolean | undefined
}

/** Where a CSRF token comes from, and the header it is sent in. */
export type CsrfOptions =
  | { cookie: string; header: string; token?: undefined }
  | {
      header: string
      token: (context: RefreshContext) => string | undefined | PromiseLike<string | undefined>
      cookie?: undefined
    }

/**
 * Lets the browser send the refresh cookie (`withCredentials`). A session can be restored after a page reload by
 * `auth.refresh()`. With `noCredential()` the access token is a cookie as well, and any 2xx is a grant.
 */
export function refreshWithCookie(options: RefreshWithCookieOptions): RefreshStrategy {
  const owner = 'refreshWithCookie'
  const call = createStrategy(owner, options, { csrf: 'object or undefined' }, async (_, context) => {
    const withCredentials = true
    if (!csrf) return { withCredentials }
    const token = csrf.token ? await csrf.token(context) : readCookie(csrf.cookie)
    // Or axios would write the instance's own XSRF token over ours, where both use the same header.
    return { withCredentials, headers: { [csrf.header]: token || undefined }, xsrfCookieName: '' }
  })
  const csrf =
    options.csrf &&
    checkOptions(`${owner}: csrf`, options.csrf, {
      header: 'text',
      cookie: 'text or undefined',
      token: 'function or undefined',
    })
  if (csrf && !csrf.cookie === !csrf.token) throw badOption(`${owner}: csrf`, 'either cookie or token', csrf)
  const strategy: RefreshStrategy = (context) =>
    Promise.resolve(call(context)).catch((error: unknown) => {
      // Its 403 may be about the CSRF token, and so is no refusal.
      throw csrf ? mark(error, { csrf: true }) : error
    })
  return Object.assign(strategy, { cookies: true })
}

function readCookie(name: string): string | undefined {
  const cookies = typeof document === 'undefined' ? '' : document.cookie
  for (const cookie of cookies.split('; ')) {
    const at = cookie.indexOf('=')
    if (cookie.slice(0, at) !== name) continue
    const value = cookie.slice(at + 1)
    try {
      return decodeURIComponent(value)
    } catch {
      return value
    }
  }
  return undefined
}
