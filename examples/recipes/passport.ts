import axios from 'axios'
import { createAuthClient, localStorageStore, refreshWithOAuth2 } from 'axios-auth-client'

/** Laravel Passport. Older versions answer an expired refresh token with 401 `invalid_request`. */
export function createPassportApi(baseURL: string) {
  const api = axios.create({ baseURL })
  const auth = createAuthClient(api, {
    store: localStorageStore({ key: 'session' }),
    refresh: refreshWithOAuth2({ url: '/oauth/token', clientId: '3' }),
    // By RFC 6749, `invalid_request` is a mistake of the app's and would keep the session. `undefined`: the default decides.
    isFinal(error) {
      if (!axios.isAxiosError<{ error?: string }>(error)) return undefined
      const { status, data } = error.response ?? {}
      return status === 401 && data?.error === 'invalid_request' ? true : undefined
    },
  })
  return { api, auth }
}
