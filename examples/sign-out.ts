import { api, auth } from './quick-start.js'

/** Tells the server first, while there are tokens to tell it with: with an expired one it could revoke nothing. */
export async function signOut() {
  // Not AbortSignal.timeout, which React Native lacks before 0.82.
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(), 3_000)
  try {
    await api.post('/auth/logout', undefined, { signal: limit.signal })
  } catch {
    // It cannot be reached: there, the session ends when its refresh token does.
  } finally {
    clearTimeout(timer)
  }
  await auth.signOut()
}
