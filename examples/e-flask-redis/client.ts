import { createSlidingApi } from '../recipes/e-sliding.js'

/** The recipe, and how its app signs in and out. */
export function createApp(baseURL: string, goTo: (path: string) => void) {
  const { api, auth } = createSlidingApi(baseURL, goTo)

  async function signIn(username: string, password: string) {
    const { data } = await api.post('/login', { username, password }, { authClient: false })
    await auth.signIn({ accessToken: data.token })
  }

  /** Calls the server first, while there is a token for it; then signs out here in any case. */
  async function signOut() {
    try {
      await api.post('/logout')
    } finally {
      await auth.signOut()
    }
  }

  return { api, auth, signIn, signOut }
}
