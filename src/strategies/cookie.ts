// The refresh token is an HttpOnly cookie that script never sees, guarded by a double-submit CSRF token.
import { checkOptions } from '../checks.js'
import { callEndpoint, type RefreshStrategy, readGrant, type StrategyOptions } from './strategy.js'

export interface RefreshWithCookieOptions extends StrategyOptions {
  /** The readable cookie that holds the CSRF token, and the header it is sent back in. Read anew for each attempt. */
  csrf?: { cookie: string; header: string }
}

/**
 * Lets the browser send the refresh cookie (`withCredentials`). A session can be restored after a page reload by
 * `auth.refresh()`. With `noCredential()` the access token is a cookie as well, and any 2xx is a grant.
 */
export function refreshWithCookie(options: RefreshWithCookieOptions): RefreshStrategy {
  checkOptions('refreshWithCookie', options, {
    url: 'text',
    csrf: 'object or undefined',
    readGrant: 'function or undefined',
  })
  if (options.csrf) checkOptions('refreshWithCookie: csrf', options.csrf, { cookie: 'text', header: 'text' })
  const { url, csrf, readGrant: read = readGrant } = options
  const strategy: RefreshStrategy = async (context) => {
    const token = csrf && readCookie(csrf.cookie)
    const headers = csrf && token !== undefined ? { [csrf.header]: token } : {}
    return callEndpoint(context, read, {
      url,
      method: 'POST',
      withCredentials: true,
      headers,
      // Or axios would write the instance's own XSRF token over ours, where both use the same header.
      ...(csrf && { xsrfCookieName: '' }),
    })
  }
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
