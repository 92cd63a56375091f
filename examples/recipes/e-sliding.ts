import axios from 'axios'
import { basicUser, createAuthClient, localStorageStore, tokenFromHeader } from 'axios-auth-client'

/** Flask + Redis: the server renews an expired token by itself and sends the new one in a response header. */
export function createSlidingApi(baseURL: string, goTo: (path: string) => void) {
  const api = axios.create({ baseURL })
  const auth = createAuthClient(api, {
    store: localStorageStore({ key: 'session' }),
    place: basicUser(),
    readResponse: tokenFromHeader('authorization'),
    // No `refresh`: past the server's window its 401 ends the session.
    onSessionEnd({ reason }) {
      // Not when another user has just signed in.
      if (!reason.startsWith('replaced')) goTo('/login')
    },
  })
  return { api, auth }
}
