// G6 and G7: what a replay sends, what of the user's runs for it, and what is never sent twice. What was sent is
// compared byte by byte at the server.

import { Agent } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import axios, {
  type AxiosError,
  type AxiosInstance,
  type AxiosRequestConfig,
  type AxiosResponse,
} from 'axios'
import axios027 from 'axios-0.27'
import axios12 from 'axios-1.2'
import FormDataPackage from 'form-data'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type AuthClientOptions, authErrorOf, createAuthClient, refreshWithBody } from '../../src/index.js'
import { adapterNamed } from '../support/adapters.js'
import type { ReceivedRequest, RefreshBehaviour } from '../support/auth-server.js'
import {
  createWatchedClock,
  failureOf,
  outcomesOf,
  setUp,
  startServer,
  tokensOf,
  untilHeld,
  type World,
} from '../support/client.js'
import { settleAll } from '../support/settle-all.js'

const ADAPTERS = ['http', 'fetch'] as const
const NO_RETRY = { limit: 0, baseDelayMs: 300 }

/** Like `setUp`, for an instance that somebody has prepared before the client comes. */
async function setUpAround(prepare: (api: AxiosInstance) => unknown, options: AuthClientOptions = {}) {
  const server = await startServer()
  const clock = createWatchedClock()
  const api = axios.create({ baseURL: server.url })
  await prepare(api)
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    clock,
    ...options,
  })
  onTestFinished(() => auth.dispose())
  await auth.signIn(tokensOf(server.login()))
  return { server, clock, api, auth }
}

interface Sent {
  method: string
  url: string
  headers: Record<string, string>
  body: string
}

/** A request as the server saw it, but for the credential and the name of a multipart boundary. */
function sentOf({ method, path, search, headers, bodyBytes }: ReceivedRequest): Sent {
  const { authorization, ...rest } = headers
  const body = bodyBytes.toString('latin1')
  // Read off the body: axios's fetch adapter can leave it out of the header.
  const boundary = /^--(\S{10,}?)(--)?\r\n/.exec(body)?.[1]
  const blank = (text: string): string => (boundary ? text.replaceAll(boundary, 'BOUNDARY') : text)
  return {
    method,
    url: path + search,
    headers: Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, blank(value)])),
    body: blank(body),
  }
}

/** Sends one request whose token is refused, and returns what the server saw of it, the first time and the second. */
async function refusedOnce(
  { server, api, auth }: Pick<World, 'server' | 'api' | 'auth'>,
  config: AxiosRequestConfig,
): Promise<{ first: ReceivedRequest; second: ReceivedRequest; response: AxiosResponse }> {
  const { replays } = auth.stats()
  server.forget()
  server.killAccessTokens()
  const response: AxiosResponse = await api.request({ url: '/api/item', ...config })
  const [first, second, ...others] = server.requestsTo('/api/*')
  expect(others).toEqual([])
  expect(server.counts).toMatchObject({ refreshes: 1, answered401: 1, protectedOk: 1 })
  expect(auth.stats().replays - replays).toBe(1)
  expect(first?.headers.authorization).not.toBe(second?.headers.authorization)
  return { first: first!, second: second!, response }
}

/** What arrives when axios sends the same without a client. */
async function sentAlone({ server }: Pick<World, 'server'>, config: AxiosRequestConfig): Promise<Sent> {
  server.forget()
  await axios.request({ baseURL: server.url, url: '/api/item', validateStatus: () => true, ...config })
  const [alone] = server.requestsTo('/api/*')
  return sentOf(alone!)
}

/** A request to `/api/item` that is refused twice: its own refresh does not help, somebody else's does. */
async function refusedTwice<T>({ server, api, auth }: World, request: () => Promise<T>): Promise<T> {
  server.killAccessTokens()
  const replay = server.hold(({ path }) => path === '/api/item' && server.counts.granted === 1, { first: 1 })
  const sent = request()
  await replay.waiting(1)
  server.killAccessTokens()
  const refresh = server.holdRefresh()
  const other = api.get('/api/other')
  await refresh.waiting(1)
  replay.releaseAll()
  await untilHeld(auth, 2)
  refresh.releaseAll()
  await other
  return sent
}

const bytes = (length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + 13) % 256)

function nativeForm(): FormData {
  const form = new FormData()
  form.append('name', 'Ada & Co. ü')
  form.append('file', new Blob([bytes(3_000)], { type: 'image/png' }), 'a "quoted" name.png')
  form.append('name', 'twice')
  return form
}

function packageForm(boundary?: string): FormDataPackage {
  const form = new FormDataPackage()
  // Before the first part: each begins with it.
  if (boundary) form.setBoundary(boundary)
  form.append('name', 'Ada & Co. ü')
  form.append('file', Buffer.from(bytes(3_000)), { filename: 'a.bin', contentType: 'application/x-thing' })
  form.append('empty', '')
  return form
}

const type = (contentType: string): AxiosRequestConfig => ({ headers: { 'Content-Type': contentType } })

/** Bodies that can be sent again, each made anew for each request. */
const bodies: [string, () => AxiosRequestConfig][] = [
  ['no body', () => ({})],
  [
    'a JSON object',
    () => ({ data: { text: 'ü \u2028 "', list: [1, [2]], nothing: null, when: new Date(0) } }),
  ],
  ['a JSON array', () => ({ data: [1, { two: 2 }] })],
  ['a JSON text', () => ({ data: '{"a": 1}', ...type('application/json') })],
  ['a number', () => ({ data: 42, ...type('application/json') })],
  ['null', () => ({ data: null, ...type('application/json') })],
  ['null without a type', () => ({ data: null })],
  ['a text', () => ({ data: 'plain ü text', ...type('text/plain') })],
  ['an empty text', () => ({ data: '' })],
  [
    'URLSearchParams',
    () => ({
      data: new URLSearchParams([
        ['a', '1 2'],
        ['a', 'ü&'],
        ['b', ''],
      ]),
    }),
  ],
  [
    'an object sent as a form',
    () => ({ data: { a: '1 2', b: ['x', 'y'] }, ...type('application/x-www-form-urlencoded') }),
  ],
  ['a Buffer', () => ({ data: Buffer.from(bytes(5_000)) })],
  ['an ArrayBuffer', () => ({ data: bytes(5_000).buffer })],
  ['an empty ArrayBuffer', () => ({ data: new ArrayBuffer(0) })],
  ['a Buffer of a megabyte', () => ({ data: Buffer.from(bytes(1 << 20)) })],
]

/** Bodies that axios knows since 1.0 or later. */
const newerBodies: [string, () => AxiosRequestConfig][] = [
  ['a typed array', () => ({ data: new Float64Array([1.5, -2, Number.NaN]) })],
  ['a view into a larger buffer', () => ({ data: bytes(5_000).subarray(1_000, 2_000) })],
  ['a DataView', () => ({ data: new DataView(bytes(64).buffer, 8, 16) })],
  ['a Blob', () => ({ data: new Blob([bytes(5_000)], { type: 'image/png' }) })],
  ['a Blob of no type', () => ({ data: new Blob(['a', 'b']) })],
  ['a native FormData', () => ({ data: nativeForm() })],
  ['a native FormData sent as multipart', () => ({ data: nativeForm(), ...type('multipart/form-data') })],
  ['an empty native FormData', () => ({ data: new FormData() })],
]

/** These go through the form-data package, which axios's fetch adapter alone would send as `[object FormData]`. */
const packageForms: [string, () => AxiosRequestConfig][] = [
  ['a form-data form without streams', () => ({ data: packageForm() })],
  [
    'a form-data form with a boundary of its own',
    () => {
      const form = packageForm('my-own-boundary')
      return { data: form, headers: form.getHeaders() }
    },
  ],
  [
    'what postForm makes',
    () => ({
      data: { name: 'ü', list: ['a', 'b'], file: Buffer.from(bytes(100)) },
      ...type('multipart/form-data'),
    }),
  ],
]

describe('G6: a replay is the same request', () => {
  for (const adapter of ADAPTERS) {
    for (const [name, make] of [...bodies, ...newerBodies, ...packageForms]) {
      it(`G6: ${name} arrives byte for byte the second time (${adapter} adapter)`, async () => {
        const world = await setUp()
        world.api.defaults.adapter = adapterNamed(adapter)
        const { first, second } = await refusedOnce(world, { method: 'post', ...make() })
        expect(sentOf(second)).toEqual(sentOf(first))
      })
    }
  }

  for (const adapter of ADAPTERS) {
    for (const [name, make] of [...bodies, ...newerBodies, ...(adapter === 'http' ? packageForms : [])]) {
      it(`G6: ${name} goes out as axios alone sends it (${adapter} adapter)`, async () => {
        const { server, api } = await setUp()
        const plain = axios.create({ baseURL: server.url })
        for (const one of [api, plain]) {
          await one.request({
            method: 'post',
            url: '/public/item',
            adapter: adapterNamed(adapter),
            ...make(),
          })
        }
        const [ours, alone] = server.requestsTo('/public/item').map(sentOf)
        if (alone!.headers['transfer-encoding'] && ours!.headers['content-length']) {
          // Old ones send a form in chunks. Of one that is kept for a replay the length is known.
          delete alone!.headers['transfer-encoding']
          delete ours!.headers['content-length']
        }
        expect(ours).toEqual(alone)
      })
    }
  }

  for (const [version, old] of [
    ['0.27', axios027],
    ['1.2', axios12],
  ] as const) {
    it.each(bodies)(`G6: %s arrives byte for byte the second time with axios ${version}`, async (_, make) => {
      const { server, auth } = await setUp()
      const api = old.create({ baseURL: server.url }) as unknown as AxiosInstance
      auth.attach(api)
      const { first, second } = await refusedOnce({ server, api, auth }, { method: 'post', ...make() })
      expect(sentOf(second)).toEqual(sentOf(first))
    })
  }

  it.each(packageForms)('G6: %s arrives byte for byte the third time too', async (_, make) => {
    const world = await setUp()
    await refusedTwice(world, () => world.api.request({ method: 'post', url: '/api/item', ...make() }))
    const [first, second, third] = world.server.requestsTo('/api/item').map(sentOf)
    expect(first?.headers['content-type']).toContain('multipart/form-data')
    expect(second).toEqual(first)
    expect(third).toEqual(first)
  })

  for (const adapter of ADAPTERS) {
    it.each(['get', 'delete', 'head', 'post', 'put', 'patch'])(
      `G6: method, URL, params and headers of a %s are the same (${adapter} adapter)`,
      async (method) => {
        const world = await setUp()
        world.api.defaults.adapter = adapterNamed(adapter)
        const config = {
          method,
          url: "/api/odd%20path/%C3%BC/'x'?in=url",
          params: { list: [1, 2], deep: { a: 'b c' }, gone: undefined, when: new Date(0), sign: '+&=ü' },
          headers: { 'X-Mine': 'yes', 'x-list': 'a, b', Accept: 'application/x-thing', 'If-Match': '"1"' },
          ...(!['get', 'head'].includes(method) && { data: { a: 1 } }),
        }
        const { first, second } = await refusedOnce(world, config)
        expect(sentOf(second)).toEqual(sentOf(first))
        expect(second).toMatchObject({
          method: method.toUpperCase(),
          query: { sign: '+&=ü' },
          headers: { 'x-mine': 'yes', accept: 'application/x-thing', 'if-match': '"1"' },
        })
        expect(sentOf(first)).toEqual(await sentAlone(world, { ...config, adapter: adapterNamed(adapter) }))
      },
    )
  }

  it('G6: a request’s baseURL and params serialiser also apply to the replay', async () => {
    const world = await setUp()
    const serialize = ({ a }: { a: number[] }) => `a=${a.join('.')}`
    const config = {
      baseURL: `${world.server.url}/api/`,
      url: 'versioned',
      params: { a: [1, 2] },
      // The function itself in 0.27; 1.0 and 1.1 have neither.
      paramsSerializer: (axios.VERSION.startsWith('0.') ? serialize : { serialize }) as never,
    }
    const { first, second } = await refusedOnce(world, config)
    expect(sentOf(second)).toEqual(sentOf(first))
    expect(second.path).toBe('/api/versioned')
    expect(sentOf(first)).toEqual(await sentAlone(world, config))
  })

  it('G6: changes to the data after the call have no effect', async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    const data = { n: 1 }
    const hold = server.hold('/api/item', { at: 'answer', first: 1 })
    const sent = api.post('/api/item', data)
    await hold.waiting(1)
    data.n = 2
    hold.releaseAll()
    await sent
    expect(server.requestsTo('/api/item').map(({ body }) => body)).toEqual([{ n: 1 }, { n: 1 }])
  })

  it('G6: changes to the defaults while the request waits have no effect', async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    const hold = server.holdRefresh()
    const sent = api.post('/api/item', { n: 1 })
    await hold.waiting(1)
    api.defaults.headers.common['x-late'] = 'yes'
    api.defaults.params = { late: true }
    hold.releaseAll()
    await sent
    const [first, second] = server.requestsTo('/api/item').map(sentOf)
    expect(second).toEqual(first)
  })

  const types: [AxiosRequestConfig['responseType'], (data: unknown) => unknown][] = [
    ['json', (data) => data],
    // 0.27 parses it all the same.
    ['text', (data) => (typeof data === 'string' ? JSON.parse(data) : data)],
    ['arraybuffer', (data) => JSON.parse(Buffer.from(data as ArrayBuffer).toString())],
    ['stream', async (data) => JSON.parse(await textOf(data as Readable))],
  ]
  for (const adapter of ADAPTERS) {
    it.each(types)(
      `G6: the response type %s is the same (${adapter} adapter)`,
      async (responseType, read) => {
        const world = await setUp()
        const { response } = await refusedOnce(world, { responseType, adapter: adapterNamed(adapter) })
        expect(await read(response.data)).toMatchObject({ user: 'ada', path: '/api/item' })
      },
    )
  }

  it('G6: the response type blob is the same (fetch adapter)', async () => {
    const world = await setUp()
    const { response } = await refusedOnce(world, { responseType: 'blob', adapter: 'fetch' })
    expect(JSON.parse(await (response.data as Blob).text())).toMatchObject({ user: 'ada' })
  })

  it.each([
    ['throws', undefined],
    ['resolves', () => true],
  ])(
    'G6: a streamed 401 that %s releases its socket, so that one socket is enough',
    async (_, validateStatus) => {
      const world = await setUp()
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      world.api.defaults.httpAgent = agent
      const { response } = await refusedOnce(world, {
        url: '/api/stream',
        params: { bytes: 4_000_000 },
        responseType: 'stream',
        ...(validateStatus && { validateStatus }),
      })
      expect((await textOf(response.data)).length).toBeGreaterThan(4_000_000)
    },
  )

  it('G6: a streamed 401 releases its connection (fetch adapter)', async () => {
    const world = await setUp()
    const { first, response } = await refusedOnce(world, {
      url: '/api/stream',
      // More than the sockets in between can hold, or the server would be done before anybody hangs up.
      params: { bytes: 16_000_000 },
      responseType: 'stream',
      adapter: 'fetch',
    })
    await world.server.until(() => first.aborted, 'the connection of the first answer is closed')
    expect((await textOf(response.data)).length).toBeGreaterThan(16_000_000)
  })

  for (const adapter of ADAPTERS) {
    it(`G6: the signal aborts the replay too (${adapter} adapter)`, async () => {
      const { server, api } = await setUp()
      server.killAccessTokens()
      const hold = server.hold(({ path }) => path === '/api/item' && server.counts.granted > 0)
      const abort = new AbortController()
      const failed = failureOf(api.get('/api/item', { signal: abort.signal, adapter: adapterNamed(adapter) }))
      await hold.waiting(1)
      abort.abort()
      expect(axios.isCancel(await failed)).toBe(true)
      await hold.deserted(1)
      expect(server.requestsTo('/api/item')).toHaveLength(2)
    })

    it(`G6: progress is reported for the replay too (${adapter} adapter)`, async () => {
      const world = await setUp()
      const size = 300_000
      const up: number[] = []
      const down: number[] = []
      const reported: boolean[] = []
      await refusedOnce(world, {
        method: 'post',
        url: '/api/stream',
        params: { bytes: size },
        data: Buffer.from(bytes(size)),
        adapter: adapterNamed(adapter),
        onUploadProgress({ loaded, upload }) {
          up.push(loaded)
          reported.push(!!upload)
        },
        onDownloadProgress: ({ loaded }) => void down.push(loaded),
      })
      // Each time it has been sent whole.
      expect(up.filter((loaded) => loaded === size).length).toBeGreaterThanOrEqual(2)
      expect(reported).not.toContain(false)
      expect(Math.max(...down)).toBeGreaterThan(size)
    })
  }
})

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

type Runs = Record<string, number>

const ONCE_EACH: Runs = {
  'request before': 1,
  'request after': 1,
  'response before': 1,
  'response after': 1,
  transformRequest: 1,
  transformResponse: 1,
}

function count(runs: Runs, what: string): void {
  runs[what] = (runs[what] ?? 0) + 1
}

/** Interceptors that count what they see; `when` says whether the client was there. */
function countInterceptors(api: AxiosInstance, runs: Runs, when: 'before' | 'after'): void {
  api.interceptors.request.use((config) => {
    count(runs, `request ${when}`)
    return config
  })
  api.interceptors.response.use(
    (response) => {
      count(runs, `response ${when}`)
      return response
    },
    (error: AxiosError) => {
      count(runs, `failure ${error.response?.status} ${when}`)
      throw error
    },
  )
}

function countTransforms(api: AxiosInstance, runs: Runs): void {
  const list = <T>(value: T | T[] | undefined): T[] => (value === undefined ? [] : ([value].flat() as T[]))
  const counting = (what: string) => (data: unknown) => {
    count(runs, what)
    return data
  }
  const { transformRequest, transformResponse } = api.defaults
  api.defaults.transformRequest = [counting('transformRequest'), ...list(transformRequest)]
  api.defaults.transformResponse = [...list(transformResponse), counting('transformResponse')]
}

describe('G6: what the user installed runs once per call', () => {
  const versions = [
    ['the latest axios', axios, 'http'],
    ['the latest axios, fetch adapter', axios, 'fetch'],
    ['axios 1.2', axios12, undefined],
    ['axios 0.27', axios027, undefined],
  ] as const
  it.each(versions)(
    'G6: transforms and interceptors run once, installed before the client or after it (%s)',
    async (_, lib, adapter) => {
      const runs: Runs = {}
      const { server, auth } = await setUp()
      const api = lib.create({ baseURL: server.url }) as unknown as AxiosInstance
      if (adapter) api.defaults.adapter = adapterNamed(adapter)
      countInterceptors(api, runs, 'before')
      countTransforms(api, runs)
      auth.attach(api)
      countInterceptors(api, runs, 'after')
      const { second } = await refusedOnce({ server, api, auth }, { method: 'post', data: { n: 1 } })
      expect(second.body).toEqual({ n: 1 })
      expect(runs).toEqual(ONCE_EACH)
    },
  )

  it('G6: they run once for a request that is sent three times', async () => {
    const runs: Runs = {}
    const world = await setUp()
    world.api.interceptors.request.use((config) => {
      if (config.url === '/api/item') count(runs, 'interceptor')
      return config
    })
    await refusedTwice(world, () =>
      world.api.post('/api/item', 'x', {
        transformRequest: (data: string) => {
          count(runs, 'transformRequest')
          return `${data}!`
        },
        transformResponse: (data: unknown) => {
          count(runs, 'transformResponse')
          return data
        },
      }),
    )
    const sent = world.server.requestsTo('/api/item').map(({ bodyBytes }) => String(bodyBytes))
    expect(sent).toEqual(['x!', 'x!', 'x!'])
    expect(runs).toEqual({ interceptor: 1, transformRequest: 1, transformResponse: 1 })
  })

  it('G6: they run once for a request that waited before it was sent', async () => {
    const runs: Runs = {}
    const { server, api, clock } = await setUpAround((instance) => {
      countInterceptors(instance, runs, 'before')
      countTransforms(instance, runs)
    })
    countInterceptors(api, runs, 'after')
    clock.jump(300_000)
    await api.post('/api/item', { n: 1 })
    expect(server.requestsTo('/api/item').map(({ body }) => body)).toEqual([{ n: 1 }])
    expect(runs).toEqual(ONCE_EACH)
  })

  it('G6: what an interceptor changes is changed once, in the request and in the answer', async () => {
    const change = (instance: AxiosInstance): void => {
      instance.interceptors.request.use((config) => {
        config.url = `/api${config.url}`
        config.headers['x-count'] = `${config.headers['x-count'] ?? ''}1`
        config.data = { wrapped: config.data }
        return config
      })
      instance.interceptors.response.use((response) => {
        response.data = { wrapped: response.data }
        return response
      })
    }
    const { server, api } = await setUpAround(change)
    change(api)
    server.killAccessTokens()
    const { data } = await api.post('/item', 1)
    expect(data).toMatchObject({ wrapped: { wrapped: { path: '/api/api/item' } } })
    const requests = server.requestsTo('/api/api/item')
    expect(requests).toHaveLength(2)
    for (const { headers, body } of requests) {
      expect(headers['x-count']).toBe('11')
      expect(body).toEqual({ wrapped: { wrapped: 1 } })
    }
  })

  it('G6: none of them sees a 401 that a refresh answers, and each sees one that it cannot', async () => {
    const runs: Runs = {}
    const { server, api } = await setUpAround((instance) => countInterceptors(instance, runs, 'before'))
    countInterceptors(api, runs, 'after')
    server.killAccessTokens()
    await api.get('/api/item')
    expect(Object.keys(runs).filter((what) => what.startsWith('failure'))).toEqual([])
    server.killAccessTokens()
    server.refresh.next(404)
    await failureOf(api.get('/api/item'))
    expect(runs).toMatchObject({ 'failure 401 before': 1, 'failure 401 after': 1 })
  })
})

describe('G6: a 401 that validateStatus accepts', () => {
  const accepting: [string, AxiosRequestConfig][] = [
    ['() => true', { validateStatus: () => true }],
    ['null', { validateStatus: null }],
    ['below 500', { validateStatus: (status) => status < 500 }],
  ]
  for (const adapter of ADAPTERS) {
    it.each(accepting)(
      `G6: is refreshed and replayed like any other: %s (${adapter} adapter)`,
      async (_, config) => {
        const world = await setUp()
        const { response } = await refusedOnce(world, { ...config, adapter: adapterNamed(adapter) })
        expect(response).toMatchObject({ status: 200, data: { user: 'ada' } })
      },
    )
  }

  const hopeless: [string, AuthClientOptions, RefreshBehaviour, () => AxiosRequestConfig][] = [
    ['the refresh is refused', {}, 401, () => ({})],
    ['the refresh fails', { refreshRetry: NO_RETRY }, 503, () => ({})],
    ['the refresh answers rubbish', {}, 'html', () => ({})],
    ['there is no way to refresh', { refresh: undefined }, 'honest', () => ({})],
    ['the fresh token is refused too', {}, 'honest', () => ({ url: '/api/always-401' })],
    [
      'the body can be read only once',
      {},
      'honest',
      () => ({ method: 'post', data: Readable.from(['x']), maxRedirects: 0 }),
    ],
    ['the request wants no refresh', {}, 'honest', () => ({ authClient: { refresh: false } })],
  ]
  it.each(hopeless)(
    'G6: resolves unchanged where no refresh can answer it: %s',
    async (_, options, behaviour, make) => {
      const { server, api } = await setUp(options)
      server.killAccessTokens()
      server.refresh.next(behaviour)
      const config = make()
      const response = await api.request({ url: '/api/item', validateStatus: () => true, ...config })
      expect(response).toMatchObject({
        status: 401,
        data: { message: 'token missing, expired or unknown' },
        headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
        config: { url: config.url ?? '/api/item' },
      })
      expect(JSON.stringify(response.config.headers)).not.toMatch(/authorization/i)
    },
  )

  it('G6: resolves when streamed and not answered by a refresh, and can be read to its end', async () => {
    const { server, api } = await setUp({ refreshRetry: NO_RETRY })
    server.killAccessTokens()
    server.refresh.next(503)
    const response = await api.get('/api/item', { validateStatus: () => true, responseType: 'stream' })
    expect(response.status).toBe(401)
    expect(await settleAll([textOf(response.data)])).toHaveLength(1)
  })
})

async function* letters(): AsyncGenerator<Uint8Array> {
  for (const letter of ['a', 'b', 'c']) yield Buffer.from(letter)
}

function webStream(): ReadableStream {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes(1_000))
      controller.close()
    },
  })
}

function formWithStream(): FormDataPackage {
  const form = packageForm()
  form.append('upload', Readable.from([bytes(100)]), { filename: 'u.bin', knownLength: 100 })
  return form
}

/** For the fetch adapter, with nothing that would turn the body into JSON. */
const fetched = (data: unknown): AxiosRequestConfig => ({
  data,
  adapter: 'fetch',
  transformRequest: [(same) => same],
})

/** Bodies that are empty when they are read again. */
const once: [string, () => AxiosRequestConfig][] = [
  ['a Node stream', () => ({ data: Readable.from([bytes(1_000)]) })],
  ['a PassThrough', () => ({ data: new PassThrough().end(bytes(1_000)) })],
  ['a form-data form with a stream', () => ({ data: formWithStream() })],
  [
    'a stream that transformRequest made',
    () => ({ data: 'x', transformRequest: [() => Readable.from(['xyz'])] }),
  ],
  ['a Node stream (fetch adapter)', () => fetched(Readable.from([bytes(1_000)]))],
  ['a web stream (fetch adapter)', () => fetched(webStream())],
  ["a Blob's stream (fetch adapter)", () => fetched(new Blob(['abc']).stream())],
  ['an async iterator (fetch adapter)', () => fetched(letters())],
  ['an object with an async iterator (fetch adapter)', () => fetched({ [Symbol.asyncIterator]: letters })],
]

describe('G7: a body that can be read only once', () => {
  it.each(once)(
    'G7: %s is never sent a second time; the session is renewed and the caller gets the 401',
    async (_, make) => {
      const { server, api, ends, auth } = await setUp()
      server.killAccessTokens()
      const error = await failureOf(api.request({ url: '/api/upload', method: 'post', ...make() }))
      expect(axios.isAxiosError(error)).toBe(true)
      expect(error).toMatchObject({
        response: { status: 401, data: { message: 'token missing, expired or unknown' } },
        config: { url: '/api/upload' },
        cause: { code: 'BODY_NOT_REPLAYABLE' },
      })
      expect(authErrorOf(error)?.code).toBe('BODY_NOT_REPLAYABLE')
      const uploads = server.requestsTo('/api/upload')
      expect(uploads).toHaveLength(1)
      expect(uploads[0]?.bodyBytes.length).toBeGreaterThan(0)
      expect(server.counts).toMatchObject({ refreshes: 1, granted: 1 })
      // Renewed: sending it anew is all it takes.
      await api.request({ url: '/api/upload', method: 'post', ...make() })
      expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 1 })
      expect(auth.stats().replays).toBe(0)
      expect(ends).toEqual([])
    },
  )

  it.each(once)(
    'G7: %s that was not sent yet is sent whole, once the token has been renewed',
    async (_, make) => {
      const { server, api, clock } = await setUp()
      const send = () => api.request({ url: '/api/upload', method: 'post', ...make() })
      await send()
      clock.jump(300_000)
      await send()
      const [plain, held] = server.requestsTo('/api/upload').map(sentOf)
      expect(held).toEqual(plain)
      expect(server.counts).toMatchObject({ requests: 3, refreshes: 1, answered401: 0 })
    },
  )

  it('G7: a stream posted during a refresh arrives complete', async () => {
    const { server, api, auth } = await setUp()
    const hold = server.holdRefresh()
    const refreshed = auth.refresh()
    await hold.waiting(1)
    await api.post('/api/upload', Readable.from(['one,', 'two,', 'three']))
    hold.releaseAll()
    await refreshed
    expect(server.requestsTo('/api/upload')[0]?.bodyBytes.toString()).toBe('one,two,three')
  })

  it('G7: a request whose stream was destroyed during the wait rejects', async () => {
    const { server, api, clock } = await setUp()
    clock.jump(300_000)
    const hold = server.holdRefresh()
    const body = new PassThrough()
    const held = settleAll([api.post('/api/upload', body)])
    await hold.waiting(1)
    body.destroy()
    hold.releaseAll()
    expect(await held).toMatchObject([{ status: 'rejected' }])
  })

  it('G7: a stream that fails during the wait rejects its own request only', async () => {
    const { server, api, clock } = await setUp()
    clock.jump(300_000)
    const hold = server.holdRefresh()
    const body = new PassThrough()
    const held = settleAll([api.post('/api/upload', body), api.get('/api/x')])
    await hold.waiting(1)
    // An error that nobody listens to would end the process; and whoever waits here must not be the one who listens.
    const uncaught = vi.fn()
    process.on('uncaughtException', uncaught)
    onTestFinished(() => void process.off('uncaughtException', uncaught))
    body.destroy(new Error('the disk is gone'))
    await new Promise((closed) => body.on('close', closed))
    hold.releaseAll()
    expect(await held).toMatchObject([{ status: 'rejected' }, { status: 'fulfilled' }])
    expect(uncaught).not.toHaveBeenCalled()
  })

  it('G7: a late 401 about an older token neither sends it again nor starts a refresh', async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    const hold = server.hold('/api/upload', { at: 'answer' })
    const failed = failureOf(api.post('/api/upload', Readable.from(['abc'])))
    await hold.waiting(1)
    await api.get('/api/item')
    hold.releaseAll()
    expect(authErrorOf(await failed)?.code).toBe('BODY_NOT_REPLAYABLE')
    expect(server.requestsTo('/api/upload')).toHaveLength(1)
    expect(server.counts.refreshes).toBe(1)
  })

  it('G7: many of them and many other requests share one refresh, and only the others are replayed', async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    const hold = server.hold('/api/*', { at: 'answer', first: 20 })
    const all = Array.from({ length: 10 }, (_, i): Promise<unknown>[] => [
      api.post(`/api/upload/${i}`, Readable.from(['abc'])),
      api.post(`/api/item/${i}`, { i }),
    ]).flat()
    await hold.waiting(20)
    hold.releaseAll()
    expect(outcomesOf(await settleAll(all))).toEqual(Array(10).fill(['BODY_NOT_REPLAYABLE', 'ok']).flat())
    expect(server.requestsTo('/api/upload/*')).toHaveLength(10)
    expect(server.requestsTo('/api/item/*')).toHaveLength(20)
    expect(server.counts.refreshes).toBe(1)
  })

  it.each([
    [401, 'SESSION_EXPIRED'],
    ['html', 'BAD_GRANT'],
  ] as const)('G7: where the refresh failed (%s), the caller gets that error', async (behaviour, code) => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    server.refresh.next(behaviour)
    const error = await failureOf(api.post('/api/upload', Readable.from(['abc'])))
    expect(error).toMatchObject({ response: { status: 401 }, cause: { code } })
    expect(server.requestsTo('/api/upload')).toHaveLength(1)
  })

  it('G7: a streamed answer to it can be read', async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    const sent = api.post('/api/upload', Readable.from(['abc']), { responseType: 'stream' })
    const { response } = (await failureOf(sent)) as AxiosError
    expect(JSON.parse(await textOf(response?.data as Readable))).toMatchObject({
      message: 'token missing, expired or unknown',
    })
  })
})
