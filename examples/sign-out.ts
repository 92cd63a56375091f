import { api, auth } from './quick-start.js'

/** Tells the server first, while there are tokens to tell it with: with an expired one it could revoke nothing. */
export async function signOut() {
  try {
    await api.post('/auth/logout', undefined, { signal: AbortSignal.timeout(3_000) })
  } catch {
    // It cannot be reached: there, the session ends when its refresh token does.
  }
  await auth.signOut()
}
