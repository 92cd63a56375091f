import axios from 'axios'
import { createAuthClient, localStorageStore, noCredential, refreshWithCookie } from 'axios-auth-client'

/** HttpOnly cookies, and a CSRF token that an endpoint hands out (csrf-csrf, Django, Spring Security). */
export function createCsrfApi(baseURL: string) {
  const api = axios.create({ baseURL, withCredentials: true })
  const auth = createAuthClient(api, {
    place: noCredential(),
    store: localStorageStore({ key: 'session' }),
    refresh: refreshWithCookie({
      url: '/auth/refresh',
      csrf: {
        header: 'X-CSRF-Token',
        // Asked before each attempt. `http`, not `api`: a request through `api` would wait for this refresh.
        token: async ({ http, signal }) =>
          (await http.get<{ csrfToken: string }>('/auth/csrf', { signal, withCredentials: true })).data
            .csrfToken,
      },
    }),
  })
  return { api, auth }
}
