import { createFlaskHeaderApi } from '../recipes/c-flask-header.js'

export interface User {
  id: string
  name: string
}

/** The recipe, and how its app signs in and out. What it knows of the user lives as long as the session. */
export function createApp(baseURL: string, goTo: (path: string) => void) {
  const { api, auth } = createFlaskHeaderApi(baseURL, goTo)
  let user: User | undefined
  auth.on('sessionEnd', () => {
    user = undefined
  })

  /** After a sign-in, and at the start of a page that finds a session in its storage. */
  async function loadUser() {
    user = (await api.get<User>('/auth/me')).data
    return user
  }

  async function start({ access_token, refresh_token }: { access_token: string; refresh_token: string }) {
    await auth.signIn({ accessToken: access_token, refreshToken: refresh_token })
    await loadUser()
  }

  async function signIn(username: string, password: string) {
    // Nothing to do with the session there may be: its token stays home, and a 401 is about the password.
    const { data } = await api.post('/auth/login', { username, password }, { authClient: false })
    await start(data)
  }

  /** @param idToken what Google's button hands to its callback, as `credential` */
  async function signInWithGoogle(idToken: string) {
    const { data } = await api.post('/auth/google', { id_token: idToken }, { authClient: false })
    await start(data)
  }

  /** Calls the server first, while there is a token for it; then signs out here in any case. */
  async function signOut() {
    try {
      await api.post('/auth/logout')
    } finally {
      await auth.signOut()
    }
  }

  return { api, auth, signIn, signInWithGoogle, signOut, loadUser, user: () => user }
}
