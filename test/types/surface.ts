// What the public types allow and refuse, checked by `npm run types`: nothing here is run.
// Each @ts-expect-error fails the build when the line below it becomes legal.
import type { AxiosInstance } from 'axios'
import {
  type AuthClient,
  basicUser,
  bearerHeader,
  createAuthClient,
  type Grant,
  jsonBodyField,
  localStorageStore,
  memoryStore,
  noCredential,
  refreshWithBearer,
  refreshWithBody,
  refreshWithCookie,
  refreshWithOAuth2,
  sessionStorageStore,
  type TokenStore,
} from 'axios-auth-client'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <Claim extends true>(): Claim | undefined => undefined

export function everyOption(api: AxiosInstance, async: TokenStore): AuthClient {
  return createAuthClient(api, {
    refresh: async ({ refreshToken, accessToken, signal, http, reason }) => {
      if (!refreshToken || reason === 'stale') return null
      const { data } = await http.post<Grant>('/auth/refresh', { refreshToken, accessToken }, { signal })
      return data
    },
    tokens: { accessToken: 'a', refreshToken: 'r', expiresAtMs: 1, subject: 'me' },
    store: async,
    place: bearerHeader({ header: 'X-Token', scheme: 'Token' }),
    readResponse: (response) => {
      const accessToken: unknown = response.headers['x-new-token']
      return typeof accessToken === 'string' ? { accessToken } : undefined
    },
    origins: ['https://api.example.com'],
    shouldRefresh: async ({ response, config, expired }) => {
      holds<Equal<typeof expired, boolean | undefined>>()
      return response.status === 401 && config.url !== '/open'
    },
    isFinal: (error) => error instanceof RangeError,
    refreshAheadMs: 1000,
    refreshTimeoutMs: 1000,
    refreshRetry: { limit: 0, baseDelayMs: 1 },
    beforeReplay: async (config) => void config.url,
    onSessionEnd: ({ reason, error }) => void [reason, error?.code],
    clock: { nowMs: () => 0, setTimer: () => () => undefined },
  })
}

export function undefinedIsTheDefault(api: AxiosInstance): AuthClient[] {
  return [
    createAuthClient(api, {}),
    createAuthClient(api, {
      refresh: undefined,
      store: undefined,
      place: undefined,
      refreshAheadMs: undefined,
    }),
  ]
}

export function everyBackend(api: AxiosInstance): AuthClient[] {
  const readGrant = (body: unknown): Grant | null | undefined =>
    body === null ? null : typeof body === 'string' ? { accessToken: body } : undefined
  return [
    createAuthClient(api, {
      refresh: refreshWithBody({
        url: '/r',
        method: 'PUT',
        field: 'token',
        extra: { client: 'web' },
        readGrant,
      }),
      store: memoryStore(),
    }),
    createAuthClient(api, {
      refresh: refreshWithBody({ url: '/r', extra: ({ accessToken }) => ({ accessToken }) }),
      store: sessionStorageStore({ key: 'k', importFrom: () => undefined }),
      place: basicUser(),
    }),
    createAuthClient(api, {
      refresh: refreshWithBearer({ url: '/r', method: 'GET' }),
      store: localStorageStore({ key: 'k', importFrom: () => ({ accessToken: 'a' }) }),
      place: jsonBodyField('token'),
    }),
    createAuthClient(api, {
      refresh: refreshWithCookie({ url: '/r', csrf: { cookie: 'csrf', header: 'X-CSRF' } }),
      place: noCredential(),
    }),
    createAuthClient(api, { refresh: refreshWithOAuth2({ url: '/token', clientId: 'c', scope: 'a b' }) }),
  ]
}

export async function everyMethod(api: AxiosInstance, other: AxiosInstance): Promise<void> {
  const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/r' }) })
  await auth.ready
  await auth.signIn({ accessToken: 'a' })
  await auth.updateTokens({ accessToken: 'b', refreshToken: 'r' })
  const token = await auth.getAccessToken({ minValidityMs: 1000, signal: new AbortController().signal })
  holds<Equal<typeof token, string | undefined>>()
  const { status, refreshing } = await auth.refresh()
  holds<Equal<typeof status, 'pending' | 'signed-out' | 'signed-in'>>()
  holds<Equal<typeof refreshing, boolean>>()
  const unsubscribe: () => void = auth.subscribe(() => undefined)
  unsubscribe()
  const detach: () => void = auth.attach(other)
  detach()
  const { refreshes, replays } = auth.stats()
  holds<Equal<typeof refreshes, number>>()
  holds<Equal<typeof replays, number>>()
  await auth.signOut()
  auth.dispose()

  // @ts-expect-error the snapshot is frozen
  auth.getServerSnapshot().refreshing = true
  // @ts-expect-error a listener is needed
  auth.on('held')
  // @ts-expect-error no event holds a token
  auth.on('refreshed', (event) => event.accessToken)
  // @ts-expect-error seconds are a number
  await auth.signIn({ accessToken: 'a', expiresInSeconds: '60' })
}

export function refused(api: AxiosInstance): void {
  // @ts-expect-error a url is needed
  refreshWithBody({})
  // @ts-expect-error a key is needed
  localStorageStore({})
  // @ts-expect-error not an axios instance
  createAuthClient(fetch, {})
  // @ts-expect-error a refresh returns a grant
  createAuthClient(api, { refresh: async () => 'token' })
}
