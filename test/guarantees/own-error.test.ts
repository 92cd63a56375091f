// G9: what the caller catches is their own error, and nothing that the client makes or hands on holds a token. Errors,
// causes, configs and events are searched to their last corner for every token that the server has issued.

import { inspect } from 'node:util'
import axios, { type AxiosAdapter, AxiosError, type AxiosRequestConfig } from 'axios'
import axios027 from 'axios-0.27'
import { describe, expect, it, vi } from 'vitest'
import {
  AuthClientError,
  authErrorOf,
  basicUser,
  createAuthClient,
  isAuthClientError,
  jsonBodyField,
  type RefreshContext,
  refreshWithBearer,
  refreshWithBody,
  refreshWithOAuth2,
  SessionRefused,
} from '../../src/index.js'
import { adapterAsFunction, adapterNamed } from '../support/adapters.js'
import type { Answer, AuthServer, ReceivedRequest } from '../support/auth-server.js'
import { eventsOf, failureOf, landed, setUp, startServer, tokensOf, type World } from '../support/client.js'
import { createOpenStore } from '../support/stores.js'

const NO_RETRY = { limit: 0, baseDelayMs: 300 }

function attempt(act: () => unknown): unknown {
  try {
    return act()
  } catch {
    return undefined
  }
}

/** Every text that can be reached from a value; not past `request`, which is axios's own. */
function textsIn(value: unknown, seen = new Set<unknown>()): string[] {
  if (typeof value === 'string') return [value]
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value))
    return []
  seen.add(value)
  if (value instanceof ArrayBuffer) return [Buffer.from(value).toString('latin1')]
  if (ArrayBuffer.isView(value)) {
    return [Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')]
  }
  const texts: string[] = []
  for (const key of Reflect.ownKeys(value)) {
    // `prototype`: a class says nothing of this request.
    if (key === 'request' || key === 'prototype') continue
    const found = Reflect.getOwnPropertyDescriptor(value, key)
    const get = found?.get
    texts.push(String(key), ...textsIn(get ? attempt(() => get.call(value)) : found?.value, seen))
  }
  if (value instanceof Map || value instanceof Set)
    for (const entry of value) texts.push(...textsIn(entry, seen))
  return texts
}

/** The fetch adapter of axios 1.7 makes an AxiosError the cause of another one; its `request` is axios's own too. */
function withoutRequest(cause: unknown): unknown {
  if (!axios.isAxiosError(cause)) return cause
  return { ...cause, request: undefined, response: { ...cause.response, request: undefined } }
}

/** The places in which a secret was found, plain or in one of its usual disguises; none is what we want. */
function leaksIn(secrets: readonly string[], things: Record<string, unknown>): string[] {
  const leaks: string[] = []
  const sought = secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    Buffer.from(`${secret}:`).toString('base64'),
  ])
  const look = (where: string, text: string | undefined): void => {
    if (sought.some((secret) => text?.includes(secret))) leaks.push(where)
  }
  for (const [name, thing] of Object.entries(things)) {
    look(`${name}, deep inside`, textsIn(thing).join('\n'))
    const { config, message, cause, response } = (thing ?? {}) as Partial<AxiosError>
    for (const [part, value] of Object.entries({
      config,
      message,
      cause: withoutRequest(cause),
      'response.config': response?.config,
    })) {
      look(
        `${name}.${part}, inspected`,
        inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
      )
      look(`${name}.${part} as JSON`, JSON.stringify(value))
    }
    // Not every config can be made a text: newer ones have no prototype.
    look(`${name} as text`, attempt(() => String(thing)) as string | undefined)
    // What came back is the server's to say; what was sent is not in it.
    look(
      `${name} as JSON`,
      JSON.stringify(thing, (key, value) => (key === 'request' ? undefined : value)),
    )
  }
  return leaks
}

/** Everything that the client has reported in this world, together with what its callers caught. */
function handedOut({ events, ends, auth }: World, caught: readonly unknown[]): Record<string, unknown> {
  return {
    ...Object.fromEntries(caught.map((error, i) => [`error ${i}`, error])),
    ...Object.fromEntries(events.map(({ name, event }, i) => [`event ${i} ${name}`, event])),
    ...Object.fromEntries(ends.map((end, i) => [`end ${i}`, end])),
    snapshot: auth.getSnapshot(),
    stats: auth.stats(),
  }
}

describe("G9: the error is the caller's own", () => {
  it.each([
    ['is as short as a word', 'lost', 'connection lost', 'connection lost'],
    ['has eight characters', 'lost8888', 'not lost8888', 'REFRESH_FAILED'],
  ])(
    'G9: the error has the refresh’s message, unless it contains a token; one that %s',
    async (_, token, said, seen) => {
      const { auth } = await setUp({
        refresh: async () => {
          throw new Error(said)
        },
        refreshRetry: { limit: 0 },
        signedIn: false,
      })
      await auth.signIn({ accessToken: 'access', refreshToken: token })
      const { code, cause } = (await failureOf(auth.refresh())) as Error & { code: string; cause?: Error }
      expect(code).toBe('REFRESH_FAILED')
      expect(cause?.message || code).toBe(seen)
    },
  )

  it('G9: each caller of many catches the AxiosError of their own request, with their own config', async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    const alone = (await failureOf(axios.get(`${server.url}/api/alone`))) as AxiosError
    server.refresh.always(404)
    const hold = server.hold('/api/*', { at: 'answer' })
    const all = Array.from({ length: 10 }, (_, i) => {
      const config: AxiosRequestConfig & { meta: object } = {
        method: 'post',
        url: `/api/item/${i}`,
        data: { i },
        params: { i },
        headers: { 'x-i': `${i}` },
        meta: { i },
      }
      return failureOf(api.request(config))
    })
    await hold.waiting(10)
    hold.releaseAll()
    const errors = (await Promise.all(all)) as AxiosError[]
    expect(new Set(errors).size).toBe(10)
    expect(new Set(errors.map(({ config }) => config)).size).toBe(10)
    for (const [i, error] of errors.entries()) {
      expect(error).toBeInstanceOf(AxiosError)
      expect(error).toMatchObject({
        message: 'Request failed with status code 401',
        code: 'ERR_BAD_REQUEST',
        response: { status: 401, data: { message: 'token missing, expired or unknown' } },
        config: { method: 'post', url: `/api/item/${i}`, data: `{"i":${i}}`, params: { i }, meta: { i } },
      })
      expect(error.config?.headers['x-i']).toBe(String(i))
      expect(error.status).toBe(alone.status)
      expect(error.response?.config).toBe(error.config)
      expect(error.request).toBeDefined()
      expect(isAuthClientError(error)).toBe(false)
      expect(isAuthClientError(error.cause)).toBe(true)
      expect(authErrorOf(error)).toBe(error.cause)
      expect(authErrorOf(error.cause)).toBe(error.cause)
    }
  })

  it('G9: the config is as interceptors and caller made it: adapter, own key, nothing of ours', async () => {
    const server = await startServer()
    const api = axios.create({ baseURL: server.url })
    const configs: unknown[] = []
    // Registered first, so axios runs it last.
    api.interceptors.request.use((config) => {
      configs.push(config)
      return config
    })
    const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }) })
    await auth.signIn(tokensOf(server.login()))
    const adapter = adapterAsFunction('http')
    server.killAccessTokens()
    server.refresh.next(404)
    const sent = api.get('/api/item', { adapter, authClient: { place: true } })
    const error = (await failureOf(sent)) as AxiosError
    expect(error.config?.adapter).toBe(adapter)
    expect(error.config?.authClient).toEqual({ place: true })
    await auth.refresh()
    const failed = (await failureOf(api.get('/api/status/500'))) as AxiosError
    expect(failed.config?.adapter).toEqual(axios.defaults.adapter)
    expect(failed.config?.authClient).toBeUndefined()
    expect([error.config, failed.config]).toEqual(configs)
    auth.dispose()
  })

  it('G9: a replay that fails otherwise rejects with its own error, without a cause of ours', async () => {
    const { server, api } = await setUp()
    for (const status of [403, 404, 409, 500, 503]) {
      server.killAccessTokens()
      const error = await failureOf(api.get(`/api/status/${status}`))
      expect(error).toMatchObject({ response: { status }, config: { url: `/api/status/${status}` } })
      expect(authErrorOf(error)).toBeUndefined()
    }
    expect(server.counts.refreshes).toBe(5)
  })

  it('G9: a replay whose connection breaks rejects with a network error', async () => {
    const { server, api } = await setUp()
    server.route('/api/item', () => (server.counts.granted > 0 ? 'drop' : undefined))
    server.killAccessTokens()
    const error = (await failureOf(api.get('/api/item'))) as AxiosError
    expect(error).toMatchObject({ code: 'ECONNRESET', config: { url: '/api/item' } })
    expect(error.response).toBeUndefined()
    expect(authErrorOf(error)).toBeUndefined()
  })

  function untilRefresh(server: AuthServer): Promise<void> {
    return server.holdRefresh().waiting(1)
  }

  const unsent: [string, (world: World) => unknown][] = [
    ['SESSION_EXPIRED', ({ server }) => server.refresh.always(401)],
    ['REFRESH_FAILED', ({ server }) => server.refresh.always(404)],
    ['BAD_GRANT', ({ server }) => server.refresh.always('html')],
    ['REFRESH_TIMEOUT', ({ server }) => server.refresh.always('never')],
    ['SIGNED_OUT', ({ server, auth }) => untilRefresh(server).then(() => auth.signOut())],
    ['DISPOSED', ({ server, auth }) => untilRefresh(server).then(() => auth.dispose())],
    [
      'SESSION_CHANGED',
      ({ server, auth }) => untilRefresh(server).then(() => auth.signIn(tokensOf(server.login('grace')))),
    ],
  ]
  it.each(unsent)(
    'G9: a request that was never sent rejects with an AxiosError of code %s',
    async (code, act) => {
      const world = await setUp()
      const { server, api, clock } = world
      clock.jump(300_000)
      const acted = act(world)
      const all = Array.from({ length: 3 }, (_, i) =>
        failureOf(api.post(`/api/item/${i}`, { i }, { headers: { 'x-i': `${i}` }, params: { i } })),
      )
      if (code === 'REFRESH_TIMEOUT') {
        await server.until(() => server.counts.refreshes === 1)
        await clock.advance(15_000)
      }
      await acted
      const errors = (await Promise.all(all)) as AxiosError[]
      for (const [i, error] of errors.entries()) {
        expect(axios.isAxiosError(error)).toBe(true)
        expect(error).toBeInstanceOf(AxiosError)
        expect(error).toMatchObject({
          code,
          config: { method: 'post', url: `/api/item/${i}`, data: `{"i":${i}}`, params: { i } },
          cause: { code, name: 'AuthClientError' },
        })
        expect(error.config?.headers['x-i']).toBe(String(i))
        expect(error.response).toBeUndefined()
        expect(error.message).toBe(authErrorOf(error)?.message)
        expect(authErrorOf(error)).toBe(error.cause)
        expect(error.toJSON()).toMatchObject({ code, message: error.message })
      }
      expect(new Set(errors).size).toBe(3)
      expect(server.requestsTo('/api/*')).toEqual([])
      expect(leaksIn(server.issuedTokens(), handedOut(world, errors))).toEqual([])
    },
  )

  it('G9: an older axios recognises the error of a request that was never sent', async () => {
    const { server, auth, clock } = await setUp()
    const old = axios027.create({ baseURL: server.url })
    auth.attach(old)
    clock.jump(300_000)
    server.refresh.next(401)
    const error = await failureOf(old.get('/api/item'))
    expect(axios027.isAxiosError(error)).toBe(true)
    expect(authErrorOf(error)?.code).toBe('SESSION_EXPIRED')
  })

  it('G9: a request that fails at once has its own option on the config, as the caller set it', async () => {
    const { server, api } = await setUp({ refreshRetry: NO_RETRY })
    server.killAccessTokens()
    server.refresh.next(404)
    await failureOf(api.get('/api/first'))
    const authClient = { place: true } as object
    const error = await failureOf(api.get('/api/item', { authClient }))
    expect(authErrorOf(error)?.code).toBe('REFRESH_FAILED')
    expect((error as AxiosError).config?.authClient).toEqual(authClient)
  })

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a text', 'no'],
    ['a frozen error', Object.freeze(new Error('no'))],
  ])('G9: the caller catches %s that a custom adapter rejects with', async (_, thrown) => {
    const { api } = await setUp()
    expect(await failureOf(api.get('/x', { adapter: () => Promise.reject(thrown) }))).toBe(thrown)
    const error = await failureOf(
      api.get('/x', {
        adapter() {
          throw thrown
        },
      }),
    )
    expect(error).toBe(thrown)
  })

  it.each([undefined, 401])(
    'G9: the caller catches a frozen error with a config and a status of %s',
    async (status) => {
      const { server, api } = await setUp()
      server.refresh.always(401)
      const response = status && { status, headers: {}, data: '' }
      const thrown: Error[] = []
      const adapter: AxiosAdapter = async (config) => {
        thrown.push(Object.freeze(Object.assign(new Error('no'), { config, response })))
        throw thrown[0]
      }
      expect(await failureOf(api.get('/x', { adapter }))).toBe(thrown[0])
      expect(JSON.stringify(thrown)).not.toContain(server.issuedTokens()[0])
    },
  )

  it('G9: a custom adapter that answers with nothing fails as with axios alone', async () => {
    const { api } = await setUp()
    const adapter = (async () => undefined) as never
    const bare = (await failureOf(axios.get('/x', { adapter }))) as Error
    expect(await failureOf(api.get('/x', { adapter }))).toMatchObject({ message: bare.message })
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'no'],
    ['any error', new Error('no')],
    ['an error with another cause', new Error('no', { cause: new Error('why') })],
  ])('G9: authErrorOf finds nothing of ours in %s', (_, value) => {
    expect(authErrorOf(value)).toBeUndefined()
  })
})

describe('G9: a failed refresh is passed on without what it carried', () => {
  const strategies = [
    [
      'body',
      refreshWithBody({ url: '/auth/refresh', extra: ({ accessToken }) => ({ access: accessToken }) }),
    ],
    ['bearer', refreshWithBearer({ url: '/jwt/refresh' })],
    ['oauth2', refreshWithOAuth2({ url: '/oauth/token', clientId: 'app', clientSecret: 'client-secret' })],
  ] as const
  const isRefresh = ({ path }: ReceivedRequest): boolean =>
    ['/auth/refresh', '/jwt/refresh', '/oauth/token'].includes(path)
  const json = { 'content-type': 'application/json' }

  /** Answers of a refresh endpoint, some of which repeat what was sent. */
  const answers: [string, (request: ReceivedRequest) => Answer][] = [
    ['401', () => ({ status: 401, body: '{}' })],
    ['404', () => ({ status: 404, body: '{}' })],
    ['503', () => ({ status: 503, body: '{}' })],
    ['a broken connection', () => 'drop'],
    ['a page', () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Hotel</h1>' })],
    [
      'a redirect that repeats the token',
      ({ headers, bodyBytes }) => ({
        status: 302,
        headers: {
          location: `/login?${encodeURIComponent(bodyBytes.toString())}&${headers.authorization ?? ''}`,
        },
      }),
    ],
    [
      'a 500 that repeats the request',
      ({ headers, bodyBytes }) => ({
        status: 500,
        headers: { ...json, 'x-debug': headers.authorization ?? 'none' },
        body: JSON.stringify({ trace: { headers, body: bodyBytes.toString() } }),
      }),
    ],
    [
      'a 401 that repeats the token as text',
      ({ headers, bodyBytes }) => ({ status: 401, body: `bad: ${bodyBytes} ${headers.authorization}` }),
    ],
  ]
  for (const [strategy, refresh] of strategies) {
    it.each(answers)(
      `G9: no token is in errors and events after the refresh (${strategy}) was answered with %s`,
      async (_, answer) => {
        const world = await setUp({ refresh, refreshRetry: NO_RETRY })
        const { server, api, auth, clock } = world
        server.killAccessTokens()
        server.route(isRefresh, answer)
        const sent = [failureOf(api.get('/api/item')), failureOf(api.post('/api/item', { n: 1 }))]
        const caught = [...(await Promise.all(sent)), await failureOf(api.get('/api/later'))]
        clock.jump(300_000)
        if (auth.getSnapshot().status === 'signed-in') {
          caught.push(await failureOf(auth.refresh()), await failureOf(auth.getAccessToken()))
        }
        expect(authErrorOf(caught[0])).toBeDefined()
        const secrets = [...server.issuedTokens(), 'client-secret', btoa('app:client-secret')]
        expect(leaksIn(secrets, handedOut(world, caught))).toEqual([])
      },
    )
  }

  it("G9: the refresh call's AxiosError keeps what helps and loses data, headers and request", async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    const oauth = { error: 'invalid_request', error_description: 'refresh_token is missing' }
    server.refresh.next({
      status: 404,
      body: { ...oauth, hint: 'wrong address' },
      headers: { 'set-cookie': 'sid=abcdefgh', 'x-request-id': 'r-1', 'x-debug': 'on' },
    })
    const cause = authErrorOf(await failureOf(api.get('/api/item')))?.cause as AxiosError
    expect(axios.isAxiosError(cause)).toBe(true)
    expect(cause).toMatchObject({
      response: { status: 404 },
      config: { url: '/auth/refresh' },
    })
    expect(cause.response?.data).toEqual(oauth)
    expect(cause.config?.data).toBeUndefined()
    expect(cause.config?.headers).toBeUndefined()
    expect(cause.request).toBeUndefined()
    expect(cause.response?.request).toBeUndefined()
    expect(cause.response?.config).toBe(cause.config)
    expect(cause.response?.headers).toMatchObject({
      'content-type': expect.stringMatching(/json/),
      'x-request-id': 'r-1',
    })
    expect(Object.keys(cause.response?.headers ?? {})).not.toContain('set-cookie')
    expect(Object.keys(cause.response?.headers ?? {})).not.toContain('x-debug')
  })

  it('G9: a binary answer is left out, because it cannot be checked for secrets', async () => {
    const { auth, server } = await setUp({
      refresh: async ({ http }) => http.post('/auth/refresh', {}, { responseType: 'arraybuffer' }) as never,
      refreshRetry: NO_RETRY,
    })
    server.refresh.next({ status: 500, body: { trace: 'of something' } })
    const cause = authErrorOf(await failureOf(auth.refresh()))?.cause as AxiosError
    expect(cause.response?.status).toBe(500)
    expect(cause.response?.data).toBeUndefined()
  })

  const http500 = async ({ http, refreshToken }: RefreshContext): Promise<AxiosError> =>
    (await failureOf(http.post('/api/status/500', { refresh_token: refreshToken }))) as AxiosError
  const failed = (more: object): Error => Object.assign(new Error('failed'), more)
  /** What a refresh of one's own may throw. */
  const thrown: [string, (context: RefreshContext) => unknown][] = [
    ['the AxiosError as it is', http500],
    [
      'an error with the token in its message',
      ({ refreshToken }) => new Error(`no luck with ${refreshToken}`),
    ],
    [
      'an error with the AxiosError as its cause',
      async (context) => new Error('failed', { cause: await http500(context) }),
    ],
    [
      'an error two causes above the AxiosError',
      async (context) => new Error('a', { cause: new Error('b', { cause: await http500(context) }) }),
    ],
    [
      'an AggregateError of it',
      async (context) => new AggregateError([await http500(context)], 'all of them failed'),
    ],
    [
      'an AuthClientError with it as its cause',
      async (context) => new AuthClientError('REFRESH_FAILED', 'mine', await http500(context)),
    ],
    [
      'an AuthClientError with the token in its message',
      ({ refreshToken }) => new AuthClientError('REFRESH_FAILED', `no luck with ${refreshToken}`),
    ],
    [
      'a SessionRefused with the token in its message',
      ({ refreshToken }) => new SessionRefused(`no luck with ${refreshToken}`),
    ],
    [
      'a SessionRefused with the AxiosError as its cause',
      async (context) => Object.assign(new SessionRefused('Sign in.'), { cause: await http500(context) }),
    ],
    ['an error with the context on it', (context) => failed({ context })],
    [
      'an error with a hidden property',
      ({ refreshToken }) => Object.defineProperty(new Error('failed'), 'token', { value: refreshToken }),
    ],
    ['an error with a Map', ({ refreshToken }) => failed({ sent: new Map([['rt', refreshToken]]) })],
    ['an error with a symbol property', ({ refreshToken }) => failed({ [Symbol('rt')]: refreshToken })],
    ['an error with a toJSON of its own', ({ refreshToken }) => failed({ refreshToken, toJSON: () => ({}) })],
    [
      'an error with a function that holds it',
      ({ refreshToken }) => failed({ retry: Object.assign(() => {}, { refreshToken }) }),
    ],
    [
      'an AxiosError with the token in its statusText',
      ({ refreshToken }) =>
        new AxiosError('failed', 'ERR_BAD_RESPONSE', undefined, undefined, {
          status: 500,
          statusText: `bad ${refreshToken}`,
          data: '',
          headers: {},
          config: {} as never,
        }),
    ],
    [
      'an AxiosError with the bytes of an answer that repeats the token',
      ({ http, refreshToken }) =>
        failureOf(
          http.get('/public/echo', {
            validateStatus: () => false,
            responseType: 'arraybuffer',
            headers: { 'x-rt': refreshToken },
          }),
        ),
    ],
    ['the token itself', ({ refreshToken }) => refreshToken],
    ['an object with the access token', ({ accessToken }) => ({ accessToken })],
  ]
  it.each(thrown)('G9: no token is in errors and events when a refresh throws %s', async (_, make) => {
    const world = await setUp({
      async refresh(context) {
        throw await make(context)
      },
      refreshRetry: NO_RETRY,
    })
    const { server, api } = world
    server.killAccessTokens()
    const caught = [await failureOf(api.get('/api/item')), await failureOf(api.get('/api/later'))]
    expect(authErrorOf(caught[0])).toBeDefined()
    expect(leaksIn(server.issuedTokens(), handedOut(world, caught))).toEqual([])
  })

  const readers: [string, (body: { access_token: string }) => never][] = [
    ['undefined', () => undefined as never],
    ['null', () => null as never],
    ['a token with a blank', ({ access_token }) => ({ accessToken: `${access_token} ` }) as never],
    [
      'nothing, and throws the answer',
      (body) => {
        throw new Error(`unexpected answer ${JSON.stringify(body)}`)
      },
    ],
  ]
  it.each(readers)('G9: no new token is in errors and events when readGrant returns %s', async (_, read) => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    const refresh = refreshWithBody({ url: '/auth/refresh', readGrant: (body) => read(body as never) })
    const world = await setUp({ refresh, refreshRetry: NO_RETRY })
    const { server, api } = world
    server.killAccessTokens()
    const caught = [await failureOf(api.get('/api/item')), await failureOf(api.get('/api/later'))]
    expect(server.counts.granted).toBe(1)
    expect(leaksIn(server.issuedTokens(), handedOut(world, caught))).toEqual([])
  })

  it('G9: an error that quotes a token as JSON escapes it contains no token', async () => {
    const refreshToken = 'a"refresh\\token'
    const { api, auth } = await setUp({
      async refresh() {
        throw new SessionRefused(`no luck with ${refreshToken}`)
      },
    })
    await auth.signIn({ accessToken: 'opaque-access', refreshToken })
    const { code, message } = authErrorOf(await failureOf(api.get('/api/item'))) as AuthClientError
    expect(code).toBe('SESSION_EXPIRED')
    expect(message).not.toContain('refresh\\token')
  })

  it('G9: a store error that quotes the record shows no listener the tokens', async () => {
    const store = createOpenStore()
    const world = await setUp({ store })
    const { server, api } = world
    const { save } = store
    store.save = (record) => {
      void save(record)
      throw new Error(`QuotaExceededError: ${JSON.stringify(record)}`)
    }
    server.killAccessTokens()
    await api.get('/api/item')
    expect(eventsOf(world.events, 'storeError')).toHaveLength(1)
    expect(leaksIn(server.issuedTokens(), handedOut(world, []))).toEqual([])
  })
})

describe('G9: what was attached to a request is removed again', () => {
  function basicNameOf({ headers }: ReceivedRequest): string | undefined {
    const [, encoded] = /^Basic (.+)$/.exec(headers.authorization ?? '') ?? []
    return encoded === undefined ? undefined : atob(encoded).split(':')[0]
  }

  function tokenFieldOf({ body }: ReceivedRequest): string | undefined {
    return (body as { token?: string } | undefined)?.token
  }

  const placements = [
    ['bearerHeader', {}, {}],
    ['basicUser', { place: basicUser() }, { readAccessToken: basicNameOf }],
    ['jsonBodyField', { place: jsonBodyField('token') }, { readAccessToken: tokenFieldOf }],
  ] as const
  for (const [name, options, server] of placements) {
    for (const adapter of ['http', 'fetch'] as const) {
      it(`G9: no token is in configs, errors and answers of requests with ${name} (${adapter} adapter)`, async () => {
        const world = await setUp({ ...options, server, refreshRetry: NO_RETRY })
        const { api, clock } = world
        api.defaults.adapter = adapterNamed(adapter)
        const seen: Record<string, unknown> = {}
        const post = (path: string, config?: AxiosRequestConfig): Promise<unknown> =>
          api.post(path, { n: 1 }, config)

        seen['an answer'] = await post('/api/item')
        seen['a 500'] = await failureOf(post('/api/status/500'))
        world.server.route('/api/broken', () => 'drop')
        seen['a broken connection'] = await failureOf(post('/api/broken'))
        const abort = new AbortController()
        const hold = world.server.hold('/api/aborted')
        const aborted = failureOf(post('/api/aborted', { signal: abort.signal }))
        await hold.waiting(1)
        abort.abort()
        seen['a cancellation'] = await aborted
        const unreadable = (): never => {
          throw new Error('unreadable')
        }
        seen['an answer that cannot be read'] = await failureOf(
          post('/api/item', { transformResponse: unreadable }),
        )
        world.server.killAccessTokens()
        seen['a replayed answer'] = await post('/api/item')
        world.server.killAccessTokens()
        world.server.refresh.next(503)
        seen['a refresh that failed'] = await failureOf(post('/api/item'))
        seen['a request in the cool-down'] = await failureOf(post('/api/item'))
        clock.jump(300_000)
        world.server.refresh.next(401)
        seen['a request that was never sent'] = await failureOf(post('/api/item'))
        expect(leaksIn(world.server.issuedTokens(), { ...seen, ...handedOut(world, []) })).toEqual([])
      })
    }
  }

  it('G9: no token is on the configs passed to hooks, once the request is over', async () => {
    const configs: unknown[] = []
    const { server, api } = await setUp({
      beforeReplay: async (config) => void configs.push(config),
      shouldRefresh({ response, config }) {
        configs.push(config)
        return response.status === 401
      },
    })
    server.killAccessTokens()
    await api.get('/api/item')
    expect(configs).toHaveLength(3)
    expect(leaksIn(server.issuedTokens(), { ...configs })).toEqual([])
  })

  it('G9: no event of a long random session contains a token', async () => {
    const store = createOpenStore()
    const world = await setUp({ store, refreshRetry: NO_RETRY })
    const { server, api, auth, clock, events } = world
    server.killAccessTokens()
    await api.get('/api/item', { params: { q: 1 } })
    clock.jump(275_000)
    await api.get('/api/item')
    await landed(auth)
    store.faults.set('save', new Error('quota exceeded'))
    await auth.refresh()
    server.killAccessTokens()
    server.refresh.next(503)
    await failureOf(api.get('/api/item'))
    await auth.signOut()
    expect(new Set(events.map(({ name }) => name))).toEqual(
      new Set(['refreshStart', 'held', 'refreshed', 'replay', 'refreshFailed', 'sessionEnd', 'storeError']),
    )
    expect(leaksIn(server.issuedTokens(), handedOut(world, []))).toEqual([])
  })
})
