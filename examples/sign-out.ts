import { api, auth } from './quick-start.js'

/** Calls the server first, while the request can still carry the session's token. */
export async function signOut() {
  // Not AbortSignal.timeout, which React Native lacks before 0.82.
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(), 3_000)
  try {
    await api.post('/auth/logout', undefined, { signal: limit.signal })
  } catch {
    // The server cannot be reached: its side of the session ends when the refresh token expires.
  } finally {
    clearTimeout(timer)
  }
  await auth.signOut()
}
