import axios from 'axios'
import { createAuthClient, localStorageStore, noCredential, refreshWithCookie } from 'axios-auth-client'

/** HttpOnly cookies and a double-submit CSRF token: script never sees a token. */
export function createCookieApi(baseURL: string) {
  const api = axios.create({
    baseURL,
    withCredentials: true,
    xsrfCookieName: 'csrf_access_token',
    xsrfHeaderName: 'X-CSRF-TOKEN',
  })
  const auth = createAuthClient(api, {
    place: noCredential(),
    // Holds no token. It lets tabs take turns with the cookie, and learn of each other's sign-out.
    store: localStorageStore({ key: 'session' }),
    refresh: refreshWithCookie({
      url: '/auth/refresh',
      csrf: { cookie: 'csrf_refresh_token', header: 'X-CSRF-TOKEN' },
    }),
  })

  /** At the start of the page: signed in again if the cookies are still good. Rejects if the server cannot be asked. */
  const restore = () => auth.refresh()

  return { api, auth, restore }
}
