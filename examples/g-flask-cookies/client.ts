import { createCookieApi } from '../recipes/g-cookies.js'

/** The recipe, and how its app signs in and out. The server has to be on the page's own origin. */
export function createApp(baseURL: string) {
  const { api, auth, restore } = createCookieApi(baseURL)

  async function signIn(username: string, password: string) {
    await api.post('/auth/login', { username, password }, { authClient: false })
    await auth.signIn()
  }

  /** The server first, while the cookies are good; here in any case. */
  async function signOut() {
    try {
      await api.post('/auth/logout')
    } finally {
      await auth.signOut()
    }
  }

  return { api, auth, restore, signIn, signOut }
}
