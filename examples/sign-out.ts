import { api, auth } from './quick-start.js'

/** Tells the server first, while there is still a token to tell it with. */
export async function signOut() {
  try {
    await api.post('/auth/logout', undefined, { authClient: { refresh: false } })
  } finally {
    await auth.signOut()
  }
}
