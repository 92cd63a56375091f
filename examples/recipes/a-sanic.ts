import axios from 'axios'
import { createAuthClient, localStorageStore, refreshWithBody, SessionRefused } from 'axios-auth-client'

/** Sanic + PyJWT: failures come as HTTP 200 with `code: 0`; a 401 for a token that has not expired starts no refresh. */
export function createSanicApi(baseURL: string, goTo: (path: string) => void, currentPath: () => string) {
  const api = axios.create({ baseURL })
  // Pages that need no session. The last one stands for those of your app.
  const open = ['/login', '/refresh_token', '/403', '/404', '/help']
  const auth = createAuthClient(api, {
    store: localStorageStore({ key: 'session' }),
    refresh: refreshWithBody({
      url: '/api/v1/system/refresh_token/',
      readGrant(body) {
        const { code, token, refresh_token, message } = body as Record<string, string> & { code?: unknown }
        if (code === 0) throw new SessionRefused(message)
        return code === 1 ? { accessToken: token as string, refreshToken: refresh_token } : undefined
      },
    }),
    shouldRefresh: ({ response, expired }) => response.status === 401 && expired !== false,
    onSessionEnd({ reason }) {
      // Not after an explicit sign-out (the app navigates itself), nor when another user has just signed in.
      if (reason === 'signed-out' || reason.startsWith('replaced')) return
      const path = currentPath()
      const [page = ''] = path.split(/[?#]/)
      if (page === '/oauth/callback') goTo('/login')
      else if (!open.includes(page)) goTo(`/login?redirect=${encodeURIComponent(path)}`)
    },
  })

  async function signOut() {
    await auth.signOut()
    const locale = localStorage.getItem('locale')
    localStorage.clear()
    if (locale !== null) localStorage.setItem('locale', locale)
  }

  return { api, auth, signOut }
}
