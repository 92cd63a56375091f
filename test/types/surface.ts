// What the public types allow and refuse, checked by `npm run types`: nothing here is run.
// Each @ts-expect-error fails the build when the line below it becomes legal.
import type { AxiosInstance, AxiosRequestConfig } from 'axios'
import {
  type AppStoreOptions,
  type AuthClient,
  type AuthClientOptions,
  type AuthRequestOptions,
  appStore,
  type BearerHeaderOptions,
  basicUser,
  bearerHeader,
  createAuthClient,
  readGrant as defaultReading,
  type Grant,
  isRefusal,
  jsonBodyField,
  type KeyValueStorage,
  type KeyValueStoreOptions,
  keyValueStore,
  localStorageStore,
  type MemoryStoreOptions,
  memoryStore,
  noCredential,
  type Placement,
  type RefreshStrategy,
  type RefreshWithBearerOptions,
  type RefreshWithBodyOptions,
  type RefreshWithCookieOptions,
  type RefreshWithOAuth2Options,
  refreshWithBearer,
  refreshWithBody,
  refreshWithCookie,
  refreshWithOAuth2,
  type StoredRecord,
  sessionStorageStore,
  type TokenStore,
  type Tokens,
  type WebStoreOptions,
  type WriteOptions,
  webLock,
} from 'axios-auth-client'

export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
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

export function ownSayOverFailures(api: AxiosInstance, failure: unknown): AuthClient[] {
  const is: boolean = isRefusal(failure)
  return [
    createAuthClient(api, { isFinal: isRefusal }),
    createAuthClient(api, { isFinal: (error) => (error instanceof RangeError ? is : undefined) }),
    createAuthClient(api, { isFinal: (error) => isRefusal(error) && !(error instanceof RangeError) }),
    // @ts-expect-error an answer that comes later is none
    createAuthClient(api, { isFinal: async () => true }),
  ]
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

/** The optional properties of T that refuse `undefined`: none may, under `exactOptionalPropertyTypes` (tsconfig.json). */
export type Refusing<T> = {
  [Key in keyof T]-?: { [Name in Key]: undefined } extends Pick<T, Key>
    ? never
    : { [Name in Key]?: T[Name] } extends Pick<T, Key>
      ? Key
      : never
}[keyof T]

export async function undefinedIsTheDefaultEverywhere(api: AxiosInstance, auth: AuthClient): Promise<void> {
  holds<Equal<Refusing<AuthClientOptions>, never>>()
  holds<Equal<Refusing<NonNullable<AuthClientOptions['refreshRetry']>>, never>>()
  holds<Equal<Refusing<Tokens>, never>>()
  holds<Equal<Refusing<Grant>, never>>()
  holds<Equal<Refusing<StoredRecord>, never>>()
  holds<Equal<Refusing<StoredRecord['tokens']>, never>>()
  holds<Equal<Refusing<TokenStore>, never>>()
  holds<Equal<Refusing<Placement>, never>>()
  holds<Equal<Refusing<RefreshStrategy>, never>>()
  holds<Equal<Refusing<BearerHeaderOptions>, never>>()
  holds<Equal<Refusing<WebStoreOptions>, never>>()
  holds<Equal<Refusing<MemoryStoreOptions>, never>>()
  holds<Equal<Refusing<WriteOptions>, never>>()
  holds<Equal<Refusing<AppStoreOptions>, never>>()
  holds<Equal<Refusing<KeyValueStoreOptions>, never>>()
  holds<Equal<Refusing<RefreshWithBodyOptions>, never>>()
  holds<Equal<Refusing<RefreshWithBearerOptions>, never>>()
  holds<Equal<Refusing<RefreshWithCookieOptions>, never>>()
  holds<Equal<Refusing<RefreshWithOAuth2Options>, never>>()
  holds<Equal<Refusing<AuthRequestOptions>, never>>()
  holds<Equal<Refusing<Pick<AxiosRequestConfig, 'authClient'>>, never>>()
  // The same as an app writes it.
  const accessToken = 'a'
  const refreshToken: string | undefined = undefined
  createAuthClient(api, {
    tokens: { accessToken, refreshToken },
    refresh: async () => ({ accessToken, refreshToken }),
  })
  localStorageStore({ key: 'k', importFrom: () => ({ accessToken, refreshToken }) })
  refreshWithBody({ url: '/r', readGrant: () => ({ accessToken, refreshToken }) })
  await auth.signIn({ accessToken, refreshToken })
  await auth.getAccessToken({ minValidityMs: undefined, signal: undefined })
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
    createAuthClient(api, {
      refresh: refreshWithCookie({
        url: '/r',
        csrf: { header: 'X-CSRF', token: async ({ http }) => (await http.get<string>('/csrf')).data },
        headers: { 'X-Tenant': 't1', 'X-Off': undefined },
      }),
    }),
    createAuthClient(api, {
      refresh: refreshWithBearer({
        url: '/r',
        withCredentials: true,
        headers: async ({ reason, accessToken }) => ({ 'X-Why': reason, 'X-Old': accessToken }),
        readGrant: (body, { headers }) => ({
          ...defaultReading(body),
          accessToken: String(headers['x-token']),
        }),
      }),
    }),
    createAuthClient(api, { refresh: refreshWithOAuth2({ url: '/token', clientId: 'c', scope: 'a b' }) }),
  ]
}

export function everyAppOwnedStore(storage: Storage, mapped: KeyValueStorage): TokenStore[] {
  let kept: Tokens | undefined
  return [
    appStore({
      read: () => kept,
      write(tokens) {
        kept = tokens
      },
      subscribe: () => () => undefined,
      exclusively: (work) => work(),
    }),
    // What an app returns from its own `write` does not matter; a promise is waited for.
    appStore({ read: () => null, write: (tokens) => tokens?.accessToken }),
    appStore({ read: () => kept, write: async () => undefined, subscribe: undefined }),
    keyValueStore(storage, { key: 'k' }),
    keyValueStore(mapped, { key: 'k' }),
    keyValueStore(
      {
        getItem: async (_key: string): Promise<string | null> => null,
        setItem: async (_key: string, _value: string): Promise<void> => undefined,
        removeItem: async (_key: string): Promise<void> => undefined,
      },
      { key: 'k' },
    ),
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

/** A store of one's own, as short and as long as it may be. */
export function storesOfOnesOwn(api: AxiosInstance, kept: Map<string, StoredRecord>): void {
  const short: TokenStore = {
    load: () => kept.get('app'),
    save: (record) => void kept.set('app', record),
    clear: () => void kept.delete('app'),
  }
  const long: TokenStore = {
    load: async () => kept.get('app'),
    async save(record, { replaces } = {}) {
      if (replaces === null && kept.has('app')) return false
      kept.set(record.sessionId, record)
      return true
    },
    async clear(reason, { replaces } = {}) {
      return reason !== 'refused' || replaces?.version !== 1
    },
    subscribe: async (listener) => {
      listener()
      return () => {}
    },
    exclusively: webLock('app'),
  }
  createAuthClient(api, { store: short })
  createAuthClient(api, { store: long })
  createAuthClient(api, { store: memoryStore({ name: 'app' }) })
  createAuthClient(api, {
    store: {
      ...short,
      exclusively: async (work, { signal, timeoutMs, clock }) => {
        clock.setTimer(() => signal.throwIfAborted(), timeoutMs)
        return work()
      },
    },
  })
  // @ts-expect-error what it names is its turns, not itself
  createAuthClient(api, { store: { ...short, name: 'app' } })
}

export function refused(api: AxiosInstance): void {
  // @ts-expect-error a url is needed
  refreshWithBody({})
  // @ts-expect-error no strategy knows this
  refreshWithBody({ url: '/r', timeout: 1000 })
  // @ts-expect-error from a cookie or from a function, not from both
  refreshWithCookie({ url: '/r', csrf: { header: 'H', cookie: 'c', token: () => 't' } })
  // @ts-expect-error nor from nowhere
  refreshWithCookie({ url: '/r', csrf: { header: 'H' } })
  // @ts-expect-error a key is needed
  localStorageStore({})
  // @ts-expect-error nor without one
  keyValueStore(sessionStorage, {})
  // @ts-expect-error all three methods are needed
  keyValueStore({ getItem: () => null, setItem: () => undefined }, { key: 'k' })
  // @ts-expect-error the app's tokens are there at once
  appStore({ read: async () => ({ accessToken: 'a' }), write: () => undefined })
  // @ts-expect-error what is read must be written too
  appStore({ read: () => undefined })
  // @ts-expect-error not an axios instance
  createAuthClient(fetch, {})
  // @ts-expect-error a refresh returns a grant
  createAuthClient(api, { refresh: async () => 'token' })
}
