// The token in the JSON body: over every kind of body, what arrives at the server, and what of it is ours.

import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import axios, { type AxiosError, type AxiosInstance, type AxiosRequestConfig } from 'axios'
import {
  type AuthClientOptions,
  authErrorOf,
  createAuthClient,
  jsonBodyField,
  refreshWithBody,
} from 'axios-auth-client'
import { afterEach, describe, expect, it } from 'vitest'
import { startAuthServer } from '../support/auth-server.js'

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** `before`: what is done to the instance before the client is made. */
async function setUp(options: AuthClientOptions = {}, before?: (api: AxiosInstance) => void) {
  const home = await startAuthServer()
  const api = axios.create({ baseURL: home.url })
  before?.(api)
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    place: jsonBodyField('token'),
    ...options,
  })
  endings.push(
    () => home.stop(),
    () => auth.dispose(),
  )
  const login = home.login()
  await auth.signIn({ accessToken: login.access_token, refreshToken: login.refresh_token })
  return { home, api, auth, token: login.access_token }
}

class Point {
  x = 1
}

const JSON_TYPE = { 'Content-Type': 'application/json' }

describe('jsonBodyField', () => {
  const carried: [string, AxiosRequestConfig, object][] = [
    ['an object', { data: { a: 1 } }, { a: 1 }],
    ['an empty object', { data: {} }, {}],
    ['an object without a prototype', { data: Object.assign(Object.create(null), { a: 1 }) }, { a: 1 }],
    [
      'nested fields',
      { data: { a: { token: 'not this one' }, b: [1, null] } },
      { a: { token: 'not this one' }, b: [1, null] },
    ],
    ['an instance of a class', { data: new Point() }, { x: 1 }],
    ['no body', {}, {}],
    ['null', { data: null }, {}],
    ['JSON as a text', { data: '{"a":1}', headers: JSON_TYPE }, { a: 1 }],
    [
      'JSON as a text, under a type in capitals',
      { data: '{"a":1}', headers: { 'Content-Type': 'APPLICATION/JSON' } },
      { a: 1 },
    ],
    [
      'JSON as a text, under a JSON type of another name',
      { data: '{"a":1}', headers: { 'Content-Type': 'application/vnd.api+json' } },
      { a: 1 },
    ],
  ]

  it.each(
    carried.flatMap(([name, config, rest]) =>
      ['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => [method, name, config, rest] as const),
    ),
  )('puts the token into a %s with %s, and the new one into its replay', async (method, _, config, rest) => {
    const { home, api, auth, token } = await setUp()
    home.killAccessTokens()
    expect((await api.request({ url: '/api/json-body', method, ...config })).status).toBe(200)
    const renewed = await auth.getAccessToken()
    expect(home.requestsTo('/api/json-body').map(({ body }) => body)).toEqual([
      { ...rest, token },
      { ...rest, token: renewed },
    ])
    expect(home.counts).toMatchObject({ refreshes: 1, answered401: 1, protectedOk: 1 })
  })

  const bytes = Buffer.from('[1,2,3]')
  const bare: [string, () => AxiosRequestConfig][] = [
    ['a list', () => ({ data: [{ a: 1 }] })],
    [
      'a native FormData',
      () => {
        const data = new FormData()
        data.set('a', '1')
        return { data }
      },
    ],
    ['URLSearchParams', () => ({ data: new URLSearchParams({ a: '1' }) })],
    ['a Buffer', () => ({ data: Buffer.from(bytes) })],
    ['a Buffer of JSON', () => ({ data: Buffer.from('{"a":1}'), headers: JSON_TYPE })],
    ['JSON as plain text', () => ({ data: '{"a":1}', headers: { 'Content-Type': 'text/plain' } })],
    ['an ArrayBuffer', () => ({ data: new Uint8Array(bytes).buffer })],
    ['a view', () => ({ data: new Uint8Array(bytes) })],
    ['a stream', () => ({ data: Readable.from([bytes]) })],
    ['a text', () => ({ data: 'plain', headers: { 'Content-Type': 'text/plain' } })],
    [
      'form data as a text',
      () => ({ data: 'a=1&b=2', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
    ],
    ['a JSON list as a text', () => ({ data: '[1,2]', headers: JSON_TYPE })],
    ['a JSON text as a text', () => ({ data: '"hello"', headers: JSON_TYPE })],
    ['broken JSON', () => ({ data: '{"a":', headers: JSON_TYPE })],
    ['a number', () => ({ data: 42, headers: JSON_TYPE })],
    ['false', () => ({ data: false, headers: JSON_TYPE })],
    ["a caller's own field", () => ({ data: { token: 'mine', a: 1 } })],
    ["a caller's own empty field", () => ({ data: { token: null } })],
    ["a caller's own field in a text", () => ({ data: '{"token":"mine"}', headers: JSON_TYPE })],
  ]

  it.each(bare)('sends %s as it is, and leaves its 401 alone', async (_, configOf) => {
    const { home, api, auth } = await setUp()
    const error = (await api.request({ url: '/api/json-body', method: 'POST', ...configOf() }).then(
      () => undefined,
      (caught: AxiosError) => caught,
    )) as AxiosError
    expect(error.response?.status).toBe(401)
    expect(authErrorOf(error)).toBeUndefined()
    expect(home.tokensSeen()).toEqual([])
    expect(home.counts).toMatchObject({ requests: 1, refreshes: 0 })
    expect(auth.getSnapshot().status).toBe('signed-in')

    // The same bytes as without us.
    await axios.request({ baseURL: home.url, url: '/public/x', method: 'POST', ...configOf() })
    const [ours, plain] = home.log
    const digest = (data?: Buffer) =>
      createHash('sha256')
        .update(data ?? '')
        .digest('hex')
    if (!ours?.headers['content-type']?.startsWith('multipart/')) {
      expect(digest(ours?.bodyBytes)).toBe(digest(plain?.bodyBytes))
    }
    expect(ours?.headers['content-length']).toBe(plain?.headers['content-length'])
  })

  it.each(['GET', 'HEAD', 'get', 'head'])(
    'sends a %s without a token, also one with data, and leaves its 401 alone',
    async (method) => {
      const { home, api } = await setUp()
      for (const data of [undefined, { a: 1 }]) {
        await expect(api.request({ url: '/api/json-body', method, data })).rejects.toMatchObject({
          response: { status: 401 },
        })
      }
      await expect(api.get('/api/json-body')).rejects.toMatchObject({ response: { status: 401 } })
      expect(home.tokensSeen()).toEqual([])
      expect(home.counts).toMatchObject({ requests: 3, refreshes: 0 })
    },
  )

  it('sends a GET while a refresh runs, because it has nothing to wait for', async () => {
    const { home, api } = await setUp()
    home.killAccessTokens()
    const refresh = home.holdRefresh()
    const held = api.post('/api/json-body')
    await refresh.waiting(1)
    expect((await api.get('/public/x')).status).toBe(200)
    refresh.releaseAll()
    expect((await held).status).toBe(200)
  })

  it("leaves the caller's object, and the caller's config, as they were", async () => {
    const { home, api } = await setUp()
    const data = Object.freeze({ a: 1 })
    home.killAccessTokens()
    const { config } = await api.post('/api/json-body', data)
    expect(data).toEqual({ a: 1 })
    expect(config.data).toBe('{"a":1}')
  })

  it('is out of the config of an error again', async () => {
    const { home, api, token } = await setUp()
    home.route('/api/json-body', () => ({ status: 500 }))
    const error = (await api
      .post('/api/json-body', { a: 1 })
      .catch((caught: AxiosError) => caught)) as AxiosError
    expect(error.config?.data).toBe('{"a":1}')
    expect(JSON.stringify(error.config)).not.toContain(token)
  })

  it('uses the field it is given, `token` without one', async () => {
    for (const [place, field] of [
      [jsonBodyField(), 'token'],
      [jsonBodyField('access_token'), 'access_token'],
      [jsonBodyField('__proto__x'), '__proto__x'],
    ] as const) {
      const { home, api, token } = await setUp({ place })
      await api.post('/public/x', { a: 1 })
      expect(home.log[0]?.body).toEqual({ a: 1, [field]: token })
    }
  })

  it('says the length of the body that it sends, also when the new token is longer', async () => {
    const renewed = 'x'.repeat(300)
    const { home, api, token } = await setUp({ refresh: async () => ({ accessToken: renewed }) })
    home.route('/api/json-body', ({ body }) =>
      (body as { token?: string } | undefined)?.token === renewed ? { status: 200 } : { status: 401 },
    )
    expect((await api.post('/api/json-body', { text: 'ä'.repeat(1000) })).status).toBe(200)
    const arrived = home.requestsTo('/api/json-body')
    expect(arrived.map(({ body }) => (body as { token: string }).token)).toEqual([token, renewed])
    for (const { headers, bodyBytes } of arrived) {
      expect(Number(headers['content-length'])).toBe(bodyBytes.length)
    }
  })

  it('says it also where a plug-in sends the config of an error again, with a longer token', async () => {
    const { home, api, auth } = await setUp()
    let failures = 1
    home.route('/public/x', () => ({ status: failures-- > 0 ? 500 : 200 }))
    const { config } = (await api
      .post('/public/x', { a: 1 })
      .catch((error: AxiosError) => error)) as AxiosError
    await auth.updateTokens({ accessToken: 'x'.repeat(1000) })
    expect((await api.request(config as AxiosRequestConfig)).status).toBe(200)
    expect(home.log.map(({ body }) => (body as { token: string }).token.length)).toContain(1000)
  })

  it.each<[string, AxiosRequestConfig]>([
    ['a caller', { data: '{"id":12345678901234567890}' }],
    [
      'a transform',
      {
        data: { id: 0 },
        // As json-bigint does.
        transformRequest: [(data) => JSON.stringify(data).replace(':0', ':12345678901234567890')],
      },
    ],
  ])(
    'sends integers that JavaScript would round as %s has written them, the replay too',
    async (_, config) => {
      const { home, api } = await setUp()
      home.killAccessTokens()
      await api.request({ url: '/api/json-body', method: 'post', headers: JSON_TYPE, ...config })
      const sent = home.requestsTo('/api/json-body').map(({ bodyBytes }) => bodyBytes.toString())
      expect(sent).toHaveLength(2)
      for (const text of sent) expect(text).toContain('"id":12345678901234567890,')
    },
  )

  it.each<[string, (body: string) => string, left: string]>([
    ['put a field behind it', (body) => body.replace('}', ',"signed":"by me"}'), '{"a":1,"signed":"by me"}'],
    ['laid it out anew', (body) => JSON.stringify(JSON.parse(body), null, 2), '{"a":1}'],
    ['taken it away', () => '{"id":12345678901234567890}', '{"id":12345678901234567890}'],
  ])('is taken off again where beforeReplay has %s', async (_, rewrite, left) => {
    const { home, api } = await setUp({
      beforeReplay: (config) => Object.assign(config, { data: rewrite(config.data) }),
    })
    home.route('/api/json-body', () => ({ status: home.counts.refreshes ? 200 : 401 }))
    expect((await api.post('/api/json-body', { a: 1 })).config.data).toBe(left)
    expect(home.counts.refreshes).toBe(1)
  })

  it("leaves a caller's own field where it is in a copy of the config that a plug-in sends again", async () => {
    const copies: AxiosRequestConfig[] = []
    const { home, api } = await setUp({}, (instance) => {
      instance.interceptors.request.use((config) => {
        copies.push({ ...config })
        return config
      })
    })
    const text = '{"token":"mine","a":1}'
    await api.post('/public/x', text, { headers: JSON_TYPE })
    await api.request(copies[0] as AxiosRequestConfig)
    expect(home.log.map(({ bodyBytes }) => bodyBytes.toString())).toEqual([text, text])
  })

  it("leaves a caller's own field on the replay of a request that asks for no token", async () => {
    const { home, api } = await setUp()
    home.route('/api/json-body', () => ({ status: home.counts.refreshes ? 200 : 401 }))
    await api.post('/api/json-body', { token: 'mine' }, { authClient: { place: false } })
    const sent = home.requestsTo('/api/json-body').map(({ body }) => body)
    expect(sent).toEqual([{ token: 'mine' }, { token: 'mine' }])
  })

  it('keeps the type that the caller has given the JSON', async () => {
    const { home, api } = await setUp()
    const type = 'application/vnd.api+json'
    await api.post('/public/x', { a: 1 }, { headers: { 'Content-Type': type } })
    expect(home.log.map(({ headers }) => headers['content-type'])).toEqual([type])
  })

  it.each([
    ['url-encoded', 'application/x-www-form-urlencoded'],
    ['multipart', 'multipart/form-data'],
  ])(
    'puts nothing into an object that axios sends as a %s form, and leaves its 401 alone',
    async (_, type) => {
      const { home, api, token } = await setUp()
      const error = (await api.post('/api/json-body', { a: 1 }, { headers: { 'Content-Type': type } }).then(
        () => undefined,
        (caught: AxiosError) => caught,
      )) as AxiosError
      expect(error.response?.status).toBe(401)
      expect(home.counts).toMatchObject({ requests: 1, refreshes: 0 })
      expect(home.tokensSeen()).toEqual([])
      expect(JSON.stringify(error.config)).not.toContain(token)
    },
  )

  it('puts nothing into a form posted with postForm', async () => {
    const { home, api } = await setUp()
    await api.postForm('/public/x', { a: 1 })
    expect(home.tokensSeen()).toEqual([])
  })

  it.each(['POST', 'PUT', 'DELETE'])(
    'lets a %s without a body through that an interceptor after ours leads home',
    async (method) => {
      const { home, api, auth, token } = await setUp()
      auth.dispose()
      api.interceptors.request.use((config) => {
        config.baseURL = home.url
        return config
      })
      const later = createAuthClient(api, { place: jsonBodyField('token'), tokens: { accessToken: token } })
      endings.push(() => later.dispose())
      const { status } = await api.request({ method, url: '/public/x', baseURL: 'https://elsewhere.example' })
      expect(status).toBe(200)
      // Without a token or with one, but not broken.
      const { body, bodyBytes } = home.log.at(-1) ?? {}
      if (bodyBytes?.length) expect(body).toEqual({ token })
    },
  )

  describe('beside an app that wraps its bodies', () => {
    const wrapper = (api: AxiosInstance, more: AxiosRequestConfig = {}) =>
      // Registered before us, so that it runs after ours.
      api.interceptors.request.use((config) =>
        Object.assign(config, { data: { payload: config.data } }, more),
      )
    const transformers: [string, (data: object) => string][] = [
      ['JSON', (data) => JSON.stringify({ payload: data })],
      ['a form', (data) => new URLSearchParams({ ...data }).toString()],
    ]

    it('puts the token on top of the body that is sent, and the new one into its replay', async () => {
      const { home, api, auth, token } = await setUp({}, wrapper)
      await api.post('/api/json-body', { a: 1 })
      home.killAccessTokens()
      await api.post('/api/json-body', { a: 1 })
      const renewed = await auth.getAccessToken()
      expect(home.requestsTo('/api/json-body').map(({ body }) => body)).toEqual(
        [token, token, renewed].map((expected) => ({ payload: { a: 1 }, token: expected })),
      )
      expect(home.counts).toMatchObject({ refreshes: 1, answered401: 1, protectedOk: 2 })
    })

    it('puts it into a body that is another one by then', async () => {
      const { home, api, token } = await setUp({}, (instance) => {
        instance.interceptors.request.use((config) => Object.assign(config, { data: { b: 2 } }))
      })
      await api.post('/api/json-body', { a: 1 })
      await api.post('/api/json-body', { toJSON: () => ({ a: 1 }) })
      expect(home.requestsTo('/api/json-body').map(({ body }) => body)).toEqual(
        Array(2).fill({ b: 2, token }),
      )
    })

    it.each<[string, AxiosRequestConfig | 'foreign']>([
      ['leads the request to another origin', 'foreign'],
      ['asks for none', { authClient: { place: false } }],
      ['switches us off', { authClient: false }],
    ])('G20: sends none where an interceptor after ours %s', async (_, option) => {
      const foreign = await startAuthServer()
      endings.push(() => foreign.stop())
      const change = option === 'foreign' ? { baseURL: foreign.url } : option
      const { home, api, token } = await setUp({}, (instance) => wrapper(instance, change))
      await api.post('/public/x', { a: 1 })
      await api.post('/public/x')
      const arrived = [...home.log, ...foreign.log].map(({ bodyBytes }) => bodyBytes.toString())
      expect(arrived).toEqual(['{"payload":{"a":1}}', '{}'])
      expect(arrived.join()).not.toContain(token)
    })

    it.each(transformers)(
      'G9: leaves none in the config of an error where a transform makes %s',
      async (_, transform) => {
        const { home, api, token } = await setUp()
        home.route('/api/json-body', () => ({ status: 500 }))
        const request = api.post(
          '/api/json-body',
          { a: 1 },
          { transformRequest: [transform], headers: JSON_TYPE },
        )
        const error = (await request.catch((caught: AxiosError) => caught)) as AxiosError
        expect(error.response?.status).toBe(500)
        expect(JSON.stringify(error.config)).not.toContain(token)
      },
    )
  })

  it('leaves a request without a body as it is where an interceptor after ours switches us off', async () => {
    const { home, api } = await setUp({}, (instance) => {
      instance.interceptors.request.use((config) => Object.assign(config, { authClient: false }))
    })
    await api.post('/public/x')
    expect(home.log[0]?.bodyBytes.toString()).toBe('')
  })

  it("leaves a caller's own Authorization alone, and sends no token beside it", async () => {
    const { home, api } = await setUp()
    await expect(
      api.post('/api/json-body', {}, { headers: { authorization: 'Bearer mine' } }),
    ).rejects.toMatchObject({
      response: { status: 401 },
    })
    expect(home.tokensSeen()).toEqual([])
    expect(home.counts.refreshes).toBe(0)
  })
})
