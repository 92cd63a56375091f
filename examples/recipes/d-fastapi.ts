import axios from 'axios'
import { createAuthClient, localStorageStore, refreshWithBearer } from 'axios-auth-client'

/** FastAPI with the OAuth2 password form. For a POST with JSON, take `refreshWithBody({ url: '/refresh_token' })`. */
export function createFastApi(baseURL: string) {
  const api = axios.create({ baseURL })
  const auth = createAuthClient(api, {
    store: localStorageStore({ key: 'session' }),
    refresh: refreshWithBearer({ url: '/refresh_token', method: 'GET' }),
  })

  async function signIn(username: string, password: string) {
    const { data } = await api.post('/token', new URLSearchParams({ username, password }), {
      authClient: false,
    })
    await auth.signIn({ accessToken: data.access_token, refreshToken: data.refresh_token })
  }

  return { api, auth, signIn }
}
