import axios from 'axios'
import { createAuthClient, localStorageStore, refreshWithBody } from 'axios-auth-client'

export const api = axios.create({ baseURL: 'https://api.example.com' })

export const auth = createAuthClient(api, {
  refresh: refreshWithBody({ url: '/auth/refresh' }),
  store: localStorageStore({ key: 'my-app' }),
  onSessionEnd({ reason }) {
    // Who signed out here is led on by the app, and who was replaced is signed in.
    if (reason !== 'refused' && reason !== 'signed-out-elsewhere') return
    location.assign(`/login?redirect=${encodeURIComponent(location.pathname + location.search)}`)
  },
})

export async function signIn(form: { email: string; password: string }) {
  // A login is no request of the session that there may still be.
  const { data } = await api.post('/auth/login', form, { authClient: false })
  await auth.signIn({
    accessToken: data.access_token,
    refreshToken: data.refresh_token,
    expiresInSeconds: data.expires_in,
  })
}

// From here on: `await api.get('/me')`. The token is attached; a 401 is refreshed and replayed; the caller never knows.
