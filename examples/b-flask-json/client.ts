import { createFlaskJsonApi } from '../recipes/b-flask-json.js'

/** The recipe, and how its app signs in and out. Every request of a user is a POST: see the README. */
export function createApp(baseURL: string) {
  const { api, auth } = createFlaskJsonApi(baseURL)

  async function signIn(username: string, password: string) {
    const { data } = await api.post('/login', new URLSearchParams({ username, password }))
    await auth.signIn({ accessToken: data.access_token, refreshToken: data.refresh_token })
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
