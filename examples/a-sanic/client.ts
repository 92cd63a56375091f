import { createSanicApi } from '../recipes/a-sanic.js'

export interface Rights {
  permissions: string[]
  roles: string[]
}

/** The recipe, and how its app signs in and out. */
export function createApp(baseURL: string, goTo: (path: string) => void, currentPath: () => string) {
  const { api, auth, signOut: signOutHere } = createSanicApi(baseURL, goTo, currentPath)

  async function signIn(username: string, password: string) {
    const { data } = await api.post(
      '/api/v1/system/login/',
      { username, password },
      // Nothing to do with the session there may be.
      { authClient: false },
    )
    // The server says no in a 200: to axios that is a success.
    if (data.code !== 1) throw new Error(data.message)
    const rights: Rights = { permissions: data.permissions, roles: data.roles }
    localStorage.setItem('rights', JSON.stringify(rights))
    await auth.signIn({ accessToken: data.token, refreshToken: data.refresh_token })
  }

  /** Calls the server first, while there is a token for it; then signs out here in any case, storage included. */
  async function signOut() {
    try {
      await api.post('/api/v1/system/logout/')
    } finally {
      await signOutHere()
    }
  }

  /** What to show. What the user may do is for the server to say, each time. */
  function rights(): Rights {
    return JSON.parse(localStorage.getItem('rights') ?? '{"permissions":[],"roles":[]}') as Rights
  }

  return { api, auth, signIn, signOut, rights }
}
