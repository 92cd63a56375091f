import axios, { type AxiosInstance } from 'axios'
import { type AuthClient, createAuthClient, localStorageStore, refreshWithBody } from 'axios-auth-client'
import { createFastApi } from '../recipes/d-fastapi.js'

/** The recipe, which says how its app signs in, and how it signs out. */
export function createApp(baseURL: string) {
  const { api, auth, signIn } = createFastApi(baseURL)
  return { api, auth, signIn, signOut: () => signOut(api, auth) }
}

/** The other way: the refresh token in the JSON of a POST. */
export function createPostApp(baseURL: string) {
  const api = axios.create({ baseURL })
  const auth = createAuthClient(api, {
    store: localStorageStore({ key: 'session' }),
    refresh: refreshWithBody({ url: '/refresh_token' }),
  })

  async function signIn(username: string, password: string) {
    const form = new URLSearchParams({ username, password })
    const { data } = await api.post('/token', form, { authClient: false })
    await auth.signIn({ accessToken: data.access_token, refreshToken: data.refresh_token })
  }

  return { api, auth, signIn, signOut: () => signOut(api, auth) }
}

/** Calls the server first, while there is a token for it; then signs out here in any case. */
async function signOut(api: AxiosInstance, auth: AuthClient) {
  try {
    await api.post('/logout')
  } finally {
    await auth.signOut()
  }
}
