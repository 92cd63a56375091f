import axios from 'axios'
import { createAuthClient, jsonBodyField, refreshWithBody, sessionStorageStore } from 'axios-auth-client'

/** Flask-JWT-Extended with tokens in the JSON body. A GET has no body, so the server cannot protect one. */
export function createFlaskJsonApi(baseURL: string) {
  const api = axios.create({ baseURL })
  const auth = createAuthClient(api, {
    store: sessionStorageStore({ key: 'session' }),
    place: jsonBodyField('token'),
    refresh: refreshWithBody({
      url: '/refresh',
      extra: ({ accessToken }) => ({ token: accessToken }),
    }),
  })
  return { api, auth }
}
