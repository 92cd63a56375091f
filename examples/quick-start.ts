import axios from 'axios'
import { createAuthClient, localStorageStore, readGrant, refreshWithBody } from 'axios-auth-client'

export const api = axios.create({ baseURL: 'https://api.example.com' })

export const auth = createAuthClient(api, {
  refresh: refreshWithBody({ url: '/auth/refresh' }),
  store: localStorageStore({ key: 'my-app' }),
  onSessionEnd({ reason }) {
    // Not after an explicit sign-out (the app navigates itself), nor when another user has just signed in.
    if (reason !== 'refused' && reason !== 'signed-out-elsewhere') return
    location.assign(`/login?redirect=${encodeURIComponent(location.pathname + location.search)}`)
  },
})

export async function signIn(form: { email: string; password: string }) {
  // Send the login request without the current session's token.
  const { data } = await api.post('/auth/login', form, { authClient: false })
  // Reads access_token, refresh_token and expires_in, or accessToken, refreshToken and expiresIn.
  await auth.signIn(readGrant(data))
}

// From here on: `await api.get('/me')`. The token is attached; a 401 is refreshed and replayed; the caller never knows.
