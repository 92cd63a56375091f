import axios from 'axios'
import { createAuthClient, noCredential, refreshWithCookie } from 'axios-auth-client'

/** HttpOnly cookies and a double-submit CSRF token: there is no token in script at all. */
export function createCookieApi(baseURL: string) {
  const api = axios.create({
    baseURL,
    withCredentials: true,
    xsrfCookieName: 'csrf_access_token',
    xsrfHeaderName: 'X-CSRF-TOKEN',
  })
  const auth = createAuthClient(api, {
    place: noCredential(),
    refresh: refreshWithCookie({
      url: '/auth/refresh',
      csrf: { cookie: 'csrf_refresh_token', header: 'X-CSRF-TOKEN' },
    }),
  })

  /** At the start of the page: signed in again if the cookies are still good. */
  const restore = () => auth.refresh()

  return { api, auth, restore }
}
