// The app of the page: an axios instance, an auth client on it, and what its user can do. What a real app would have,
// and an observer beside it.
import axios from 'axios'
import { type AuthClient, createAuthClient, localStorageStore, refreshWithBody } from 'axios-auth-client'
import { watchCaller, watchClient, watchWire } from './observe.js'
import type { Report } from './timeline/events.js'

export interface App {
  auth: AuthClient
  signIn(user: string): Promise<void>
  signOut(): Promise<void>
  /** Makes requests at once, numbered from `firstId`. */
  fire(count: number, firstId: number): void
  /** Aborts the request that was made first and is still open. */
  abortOne(): void
}

const REQUESTS = [
  ['GET', '/orders'],
  ['GET', '/profile'],
  ['POST', '/notes'],
  ['GET', '/messages'],
] as const

export function createApp(report: Report, refreshTimeoutMs: number): App {
  const api = axios.create()
  watchWire(api, report)
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    store: localStorageStore({ key: 'playground' }),
    refreshTimeoutMs,
  })
  watchClient(auth, report)
  const open = new Map<number, AbortController>()

  function send(id: number, isSlow: boolean): void {
    const [method, path] = isSlow ? (['GET', '/report'] as const) : REQUESTS[id % REQUESTS.length]!
    const aborter = new AbortController()
    open.set(id, aborter)
    report({ what: 'made', id, name: `${method} ${path}`, note: isSlow ? 'slow' : '' })
    const data = method === 'POST' ? { text: `note ${id}` } : undefined
    const request = api.request({ method, url: `/api${path}?id=${id}`, data, signal: aborter.signal })
    void watchCaller(id, request, report).finally(() => open.delete(id))
  }

  return {
    auth,
    async signIn(user) {
      const { data } = await api.post('/auth/login', { user, password: 'secret' }, { authClient: false })
      await auth.signIn({
        accessToken: data.access_token,
        refreshToken: data.refresh_token,
        expiresInSeconds: data.expires_in,
      })
    },
    async signOut() {
      // The server first, while there are tokens for the call; it must not wait for new ones.
      await api.post('/auth/logout', undefined, { authClient: { refresh: false } }).catch(() => {})
      await auth.signOut()
    },
    fire(count, firstId) {
      for (let index = 0; index < count; index++) {
        send(firstId + index, count >= 4 && index === count - 1)
      }
    },
    abortOne: () => open.values().next().value?.abort(),
  }
}
