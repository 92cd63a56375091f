import axios from 'axios'
import { type AuthClientOptions, createAuthClient, refreshWithBody } from 'axios-auth-client'

/** The app under test: one axios instance, one client, and where the user is sent when the session is over. */
export function startApp(options?: AuthClientOptions) {
  const api = axios.create({ baseURL: 'https://api.test' })
  const app = { page: '/orders', api }
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    onSessionEnd: () => {
      app.page = '/login'
    },
    ...options,
  })
  return Object.assign(app, { auth })
}
