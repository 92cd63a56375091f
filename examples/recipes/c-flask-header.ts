import axios from 'axios'
import { createAuthClient, localStorageStore, refreshWithBearer } from 'axios-auth-client'

/** Flask-JWT-Extended with header tokens: the refresh token is the Bearer of an empty POST. */
export function createFlaskHeaderApi(baseURL: string, goTo: (path: string) => void) {
  const api = axios.create({ baseURL })
  const auth = createAuthClient(api, {
    store: localStorageStore({ key: 'session' }),
    refresh: refreshWithBearer({ url: '/auth/refresh' }),
    onSessionEnd({ reason }) {
      // Not when another user has just signed in.
      if (!reason.startsWith('replaced')) goTo('/signin')
    },
  })
  return { api, auth }
}
