// What a TypeScript user writes against the package. Compiled here against src/, and by packed.test.ts against the
// packed package, once for each way TypeScript can resolve modules and each end of the range of axios versions.
// Types only: axios 0.27 cannot be called through its default import where Node's own rules decide.
import type { AxiosInstance, AxiosRequestConfig } from 'axios'
import {
  type AuthClient,
  type AuthErrorCode,
  authErrorOf,
  createAuthClient,
  isAuthClientError,
  localStorageStore,
  refreshWithBody,
  SessionRefused,
  type TokenStore,
} from 'axios-auth-client'

export async function use(api: AxiosInstance): Promise<string | undefined> {
  const store: TokenStore = localStorageStore({ key: 'my-app' })
  const auth: AuthClient = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    store,
    onSessionEnd: ({ reason }) => {
      const known: 'refused' | 'signed-out' | 'signed-out-elsewhere' | 'replaced' | 'replaced-elsewhere' =
        reason
      return known
    },
  })
  createAuthClient(api, {
    refresh: async ({ refreshToken, signal }) => {
      if (!refreshToken || signal.aborted) throw new SessionRefused('gone')
      return { accessToken: refreshToken, expiresInSeconds: 60 }
    },
  }).dispose()
  await auth.signIn({ accessToken: 'a', refreshToken: 'r', expiresInSeconds: 300 })

  // The one key that the package adds to a request.
  await api.get('/x', { authClient: false })
  await api.post('/x', { a: 1 }, { authClient: { place: false } })
  await api.request<{ id: string }>({ url: '/x', authClient: { refresh: false } })
  const config: AxiosRequestConfig<{ a: number }> = { data: { a: 1 }, authClient: false }
  api.defaults.authClient = config.authClient
  // @ts-expect-error a number says nothing
  await api.get('/x', { authClient: 3 })
  // @ts-expect-error there is no such part
  await api.get('/x', { authClient: { replay: false } })
  // @ts-expect-error there is no such option
  createAuthClient(api, { refreshAhead: 3 })
  // @ts-expect-error an access token is needed
  await auth.signIn({ refreshToken: 'r' })

  const stop = auth.on('refreshed', ({ durationMs }) => durationMs.toFixed())
  stop()
  // @ts-expect-error there is no such event
  auth.on('refresh', () => undefined)
  const { status, refreshing, expiresAtMs, subject } = auth.getSnapshot()
  const known: 'pending' | 'signed-out' | 'signed-in' = status
  // @ts-expect-error no token in the snapshot
  void auth.getSnapshot().accessToken
  return (
    `${known} ${refreshing} ${expiresAtMs?.toFixed()} ${subject?.trim()}` && (await auth.getAccessToken())
  )
}

export function explain(error: unknown): AuthErrorCode | undefined {
  if (isAuthClientError(error)) return error.code
  return authErrorOf(error)?.code
}
