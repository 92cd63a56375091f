import axios from 'axios'
import { createAuthClient, localStorageStore, refreshWithBody } from 'axios-auth-client'

export const api = axios.create({ baseURL: 'https://api.example.com' })

export const auth = createAuthClient(api, {
  refresh: refreshWithBody({ url: '/auth/refresh' }),
  store: localStorageStore({ key: 'my-app' }),
  onSessionEnd: ({ reason }) => {
    if (reason !== 'signed-out') location.assign(`/login?redirect=${encodeURIComponent(location.pathname)}`)
  },
})

export async function signIn(form: { email: string; password: string }) {
  const { data } = await api.post('/auth/login', form)
  await auth.signIn({
    accessToken: data.access_token,
    refreshToken: data.refresh_token,
    expiresInSeconds: data.expires_in,
  })
}

// From here on: `await api.get('/me')`. The token is attached; a 401 is refreshed and replayed; the caller never knows.
