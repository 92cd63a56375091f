// What axios itself offers beyond headers and bodies: other ways to the server, other ways to call, and options of its
// adapters. Catches a first sending, a refresh or a replay that goes without what the user has set.
import { getEventListeners, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios'
import { describe, expect, it, onTestFinished } from 'vitest'
import { realClock } from '../../src/clock.js'
import {
  type AuthClient,
  type AxiosLike,
  bearerHeader,
  createAuthClient,
  refreshWithBody,
} from '../../src/index.js'
import { adapterNamed } from '../support/adapters.js'
import type { AuthServer } from '../support/auth-server.js'
import { failureOf, setUp, startServer, tokensOf } from '../support/client.js'
import { settleAll } from '../support/settle-all.js'

const LIMIT_MS = 30_000

describe('a way to the server that axios offers', () => {
  const ways: [string, (server: AuthServer, relay: Relay) => Promise<AxiosRequestConfig>][] = [
    [
      'HTTP/2',
      async (_, relay) => {
        const port = await listen(http2.createServer(relay))
        return { baseURL: `http://127.0.0.1:${port}`, httpVersion: 2 }
      },
    ],
    [
      'a proxy',
      async ({ url }, relay) => {
        const port = await listen(http.createServer(relay))
        return { baseURL: url, proxy: { protocol: 'http', host: '127.0.0.1', port } }
      },
    ],
    [
      'a Unix socket',
      async (_, relay) => {
        const folder = mkdtempSync(path.join(tmpdir(), 'socket-'))
        onTestFinished(() => rmSync(folder, { recursive: true }))
        const socketPath = path.join(folder, 'server')
        await listen(http.createServer(relay), socketPath)
        return { baseURL: 'http://localhost', socketPath }
      },
    ],
  ]

  it.each(ways)(
    '%s is used for the first sending, the refresh and the replay of a burst',
    async (_, open) => {
      const server = await startServer()
      let relayed = 0
      const relay = relayTo(server)
      const api = axios.create(
        await open(server, (message, response) => {
          relayed++
          relay(message, response)
        }),
      )
      await signedIn(api, server)
      server.killAccessTokens()
      const burst = [1, 2, 3].map((item) => api.post(`/api/item/${item}`, { item }))
      const results = await settleAll(burst)
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
      expect(server.counts.refreshes).toBe(1)
      expect(relayed).toBe(server.counts.requests)
    },
    LIMIT_MS,
  )

  it(
    'HTTP/2 leaves no stream of a 401 and no connection behind',
    async () => {
      const server = await startServer()
      const gateway = http2.createServer(relayTo(server))
      const connected = once(gateway, 'session')
      const port = await listen(gateway)
      const api = axios.create({
        baseURL: `http://127.0.0.1:${port}`,
        httpVersion: 2,
        // It is kept until nothing has been sent for so long: a stream that is left open would keep it for good.
        http2Options: { sessionTimeout: 1 },
      })
      await signedIn(api, server)
      server.killAccessTokens()
      const refused = server.hold('/api/x', { at: 'body', first: 1 })
      const answer = api.get<Readable>('/api/x', { responseType: 'stream' })
      const [session] = await connected
      const closed = once(session, 'close')
      const { status, data } = await answer
      expect([status, refused.gone]).toEqual([200, 1])
      for await (const _chunk of data);
      await closed
    },
    LIMIT_MS,
  )
})

describe('a way to call that axios offers', () => {
  const calls: [string, (api: AxiosInstance) => Promise<{ status: number }>][] = [
    ['instance(url)', (api) => api('/api/x')],
    ['instance(url, config)', (api) => api('/api/x', { method: 'POST', data: { a: 1 } })],
    ['instance(config)', (api) => api({ url: '/api/x' })],
    [
      'instance.request(url, config)',
      // Not in the types of axios.
      (api) => (api.request as unknown as AxiosInstance)('/api/x', { params: { a: 1 } }),
    ],
    ['instance.query(url, data), with its body', (api) => api.query('/api/x', { a: 1 })],
  ]

  it.each(calls)('%s is refreshed and replayed like any other', async (_, call) => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    const { status } = await call(api)
    const [first, second, ...more] = server.requestsTo('/api/x')
    expect([status, server.counts.refreshes, more]).toEqual([200, 1, []])
    expect([second?.method, second?.bodyBytes]).toEqual([first?.method, first?.bodyBytes])
  })

  it('a subclass of axios.Axios has its own request method called once per call', async () => {
    const calls: unknown[] = []
    class Api extends axios.Axios {
      override request(config: AxiosRequestConfig): Promise<never> {
        calls.push(config.url)
        return super.request<never, never>(config)
      }
    }
    const server = await startServer()
    const api = new Api({ ...(axios.defaults as AxiosRequestConfig), baseURL: server.url })
    await signedIn(api, server)
    server.killAccessTokens()
    const { status } = await api.get('/api/x')
    expect([status, server.requestsTo('/api/x').length, calls]).toEqual([200, 2, ['/api/x']])
  })

  it('an instance created from ours has no session until it is attached', async () => {
    const { server, api, auth } = await setUp()
    const child = api.create()
    expect(await failureOf(child.get('/api/before'))).toMatchObject({ response: { status: 401 } })
    auth.attach(child)
    await child.get('/api/after')
    const [before, after] = server.log
    expect([before?.accessToken, server.counts.refreshes]).toEqual([undefined, 0])
    expect(after?.user).toBe('ada')
  })

  it('synchronous interceptors keep a request in the turn of its call, and runWhen is respected', async () => {
    const { api } = await setUp()
    const ran: string[] = []
    for (const method of ['get', 'post']) {
      api.interceptors.request.use(
        (config) => {
          ran.push(`interceptor of ${method}`)
          return config
        },
        undefined,
        { synchronous: true, runWhen: (config) => config.method === method },
      )
    }
    const answer = api.get('/api/x', {
      adapter: (config) => {
        ran.push(String(config.headers?.Authorization).slice(0, 6))
        return Promise.resolve({ status: 200, statusText: '', data: '', headers: {}, config })
      },
    })
    expect(ran).toEqual(['interceptor of get', 'Bearer'])
    await answer
  })
})

describe('an option of an adapter', () => {
  it("reaches Node's transport on the replay as on the first sending, as with axios alone", async () => {
    const { server, api } = await setUp()
    const agent = new http.Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    const handed: http.RequestOptions[] = []
    const config: AxiosRequestConfig = {
      transport: {
        request(options: http.RequestOptions, callback: (answer: IncomingMessage) => void) {
          handed.push({ ...options, headers: { ...options.headers } })
          return http.request(options, callback)
        },
      },
      httpAgent: agent,
      family: 4,
      insecureHTTPParser: true,
      maxBodyLength: 1_000,
      decompress: false,
      params: { list: [1, 2] },
      headers: { 'X-List': ['a', 'b'] as never },
    }
    const axiosAlone = axios.create({ baseURL: server.url })
    expect(await failureOf(axiosAlone.post('/api/x', { a: 1 }, config))).toMatchObject({
      response: { status: 401 },
    })
    server.killAccessTokens()
    await api.post('/api/x', { a: 1 }, config)
    const [alone, first, replay, ...more] = handed.map((options) => {
      const { Authorization: _token, ...headers } = options.headers as Record<string, unknown>
      // The hooks for redirects are functions of each sending.
      return { ...options, headers, beforeRedirect: undefined, beforeRedirects: undefined }
    })
    expect(more).toEqual([])
    expect(first).toEqual(alone)
    expect(replay).toEqual(first)
  })

  it('`env.fetch` and `fetchOptions` apply to the first sending, the refresh and the replay (fetch adapter)', async () => {
    const { server, api } = await setUp()
    const sent: unknown[][] = []
    api.defaults.adapter = adapterNamed('fetch')
    api.defaults.fetchOptions = { cache: 'no-store' }
    api.defaults.env = {
      fetch(input, init) {
        const { url, cache } = input as Request
        sent.push([new URL(url).pathname, cache, init?.cache])
        return fetch(input, init)
      },
    }
    server.killAccessTokens()
    await api.get('/api/x')
    expect(sent).toEqual(['/api/x', '/auth/refresh', '/api/x'].map((name) => [name, 'no-store', 'no-store']))
  })

  it('`sensitiveHeaders` keeps a token in a header of another name from a redirect of the replay to another origin', async () => {
    const { server, api } = await setUp({ place: bearerHeader({ header: 'X-Token' }) })
    const stranger = await startServer()
    const away = { status: 307, headers: { location: `${stranger.url}/landing` } }
    let visits = 0
    server.route('/go', () => (++visits === 1 ? { status: 401 } : away))
    stranger.route('/landing', () => ({ status: 200 }))
    server.route('/home', () => ({ status: 307, headers: { location: '/there' } }))
    server.route('/there', ({ headers }) => ({ status: headers['x-token'] ? 200 : 403 }))
    api.defaults.sensitiveHeaders = ['x-token']
    await api.get('/go')
    expect([visits, stranger.counts.requests]).toEqual([2, 1])
    expect(stranger.leaksFrom(server)).toEqual([])
    expect((await api.get('/home')).status).toBe(200)
  })

  it('`redact` produces the same JSON of an error as with axios alone', async () => {
    const { server, api } = await setUp({ refreshRetry: { limit: 0 } })
    server.killAccessTokens()
    server.refresh.always(404)
    const config = { redact: ['x-secret'], headers: { 'X-Secret': 'secret' } }
    const jsonOf = async (instance: AxiosInstance) => {
      const { stack: _lines, ...json } = JSON.parse(
        JSON.stringify(await failureOf(instance.get('/api/x', config))),
      )
      return json
    }
    const json = await jsonOf(api)
    expect(json).toEqual(await jsonOf(axios.create({ baseURL: server.url })))
    expect(json.config.headers['X-Secret']).toMatch(/REDACTED/)
  })

  it.each(['http', 'fetch'] as const)(
    '`signal` and `timeout` keep no listener once a replayed stream was read (%s adapter)',
    async (name) => {
      const { server, api } = await setUp()
      const { signal } = new AbortController()
      server.killAccessTokens()
      const { data } = await api.get<AsyncIterable<Uint8Array>>('/api/x', {
        adapter: adapterNamed(name),
        responseType: 'stream',
        signal,
        timeout: LIMIT_MS,
      })
      for await (const _chunk of data);
      // axios releases it a moment later.
      await new Promise(setImmediate)
      expect(getEventListeners(signal, 'abort')).toEqual([])
    },
    LIMIT_MS,
  )
})

describe('G6: a streamed 401 is released before the request waits', () => {
  it('G6: with maxContentLength too, because the refresh may have no other connection', async () => {
    const { server, api } = await setUp({ clock: realClock(), refreshTimeoutMs: 2_000 })
    const agent = new http.Agent({ maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    server.killAccessTokens()
    const { status, data } = await api.get('/api/x', {
      responseType: 'stream',
      maxContentLength: 1_000,
      httpAgent: agent,
    })
    expect(status).toBe(200)
    data.resume()
    await once(data, 'end')
  })

  it('G6: with maxContentLength too, its connection is free', async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    const refused = server.hold('/api/x', { at: 'body', first: 1 })
    await api.get('/api/x', { responseType: 'stream', maxContentLength: 1_000 })
    await server.until(() => refused.gone === 1, 'the stream of the 401 is released')
  })
})

describe('G5: a refresh through http', () => {
  const options: [string, Partial<AxiosRequestConfig>][] = [
    ['decompress: false', { decompress: false }],
    ['responseEncoding', { responseEncoding: 'base64' }],
    ['parseReviver', { parseReviver: (_, value) => (typeof value === 'string' ? { text: value } : value) }],
  ]
  it.each(options)("G5: uses axios's default instead of the instance's %s", async (name, option) => {
    const { server, api } = await setUp({ refreshRetry: { limit: 0 } })
    if (name.startsWith('decompress')) {
      server.route('/auth/refresh', () => ({
        status: 200,
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
        body: gzipSync(JSON.stringify(server.login())),
      }))
    }
    Object.assign(api.defaults, option)
    server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
  })

  it('G5: keeps a default header that is a list', async () => {
    const { server, api } = await setUp()
    Object.assign(api.defaults.headers, { 'X-List': ['a', 'b'] })
    server.killAccessTokens()
    await api.get('/api/x')
    const lists = server.log.map(({ headers }) => String(headers['x-list']).split(/, ?/))
    expect(lists).toEqual(Array(3).fill(['a', 'b']))
  })
})

describe('G5: a refresh through the wrapped instance', () => {
  it('G5: a call after an await is recognised by the refresh token in URLSearchParams as params', async () => {
    let api: AxiosInstance | undefined
    const world = await setUp({
      clock: realClock(),
      refreshTimeoutMs: 2_000,
      refreshRetry: { limit: 0 },
      refresh: async ({ refreshToken }) => {
        await Promise.resolve()
        const params = new URLSearchParams({ refresh_token: String(refreshToken) })
        const { data } = await (api as AxiosInstance).get('/renew', { params })
        return { accessToken: data.access_token, refreshToken: data.refresh_token }
      },
    })
    api = world.api
    const { server } = world
    server.route('/renew', () => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(server.login()),
    }))
    server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
  })

  it('G5: an instance created by a refresh is like any other once it is attached', async () => {
    let child: AxiosInstance | undefined
    let parent: AxiosInstance | undefined
    const { server, api, auth } = await setUp({
      refresh: async ({ refreshToken, http }) => {
        child = parent?.create()
        const { data } = await http.post('/auth/refresh', { refresh_token: refreshToken })
        return { accessToken: data.access_token, refreshToken: data.refresh_token }
      },
    })
    parent = api
    await auth.refresh()
    auth.attach(child as AxiosInstance)
    expect((await (child as AxiosInstance).get('/api/x')).status).toBe(200)
    expect(server.counts.refreshes).toBe(1)
  })
})

describe('G6: a request goes out as axios alone sends it', () => {
  it.each([false, ''])('G6: `adapter: %j` is the adapter of axios', async (adapter) => {
    const { api } = await setUp()
    expect((await api.get('/api/x', { adapter: adapter as never })).status).toBe(200)
  })

  it('G6: a caller’s Content-Length on a request without a body is sent on its replay', async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    await api.delete('/api/x', { headers: { 'Content-Length': '0' } })
    expect(server.requestsTo('/api/x').map(({ headers }) => headers['content-length'])).toEqual(['0', '0'])
  })

  it('G6: a config that an interceptor has frozen is accepted, as axios accepts it', async () => {
    const { server, api } = await setUp()
    api.interceptors.request.use((config) => Object.freeze({ ...config }))
    const axiosAlone = axios.create({ baseURL: server.url })
    axiosAlone.interceptors.request.use((config) => Object.freeze({ ...config }))
    expect(await failureOf(axiosAlone.get('/api/x'))).toMatchObject({ response: { status: 401 } })
    expect((await api.get('/api/x')).status).toBe(200)
  })
})

async function signedIn(api: AxiosLike, server: AuthServer): Promise<AuthClient> {
  const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }) })
  onTestFinished(() => auth.dispose())
  await auth.signIn(tokensOf(server.login()))
  return auth
}

type Relay = (
  message: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void

/** Hands requests on to the server, and its answers back. A stream that is given up here is given up there. */
function relayTo(server: AuthServer): Relay {
  return (message, response) => {
    const { pathname, search } = new URL(message.url ?? '/', server.url)
    const options = { method: message.method, headers: passable(message.headers) }
    const onwards = http.request(server.url + pathname + search, options, (answer) => {
      response.writeHead(answer.statusCode ?? 500, passable(answer.headers))
      answer.pipe(response as ServerResponse)
    })
    onwards.on('error', () => response.destroy())
    response.on('close', () => onwards.destroy())
    message.pipe(onwards)
  }
}

/** Without what belongs to one connection. */
function passable(headers: http.IncomingHttpHeaders): http.IncomingHttpHeaders {
  const entries = Object.entries(headers)
  return Object.fromEntries(
    entries.filter(([name]) => !/^(:.*|connection|keep-alive|transfer-encoding)$/.test(name)),
  )
}

/** @returns the port, unless it listens at a path */
async function listen(server: http.Server | http2.Http2Server, place: string | number = 0): Promise<number> {
  const sessions = new Set<{ destroy(): void }>()
  for (const event of ['session', 'connection']) {
    server.on(event, (one: { destroy(): void }) => void sessions.add(one))
  }
  onTestFinished(() => {
    server.close()
    for (const one of sessions) one.destroy()
  })
  if (typeof place === 'string') server.listen(place)
  else server.listen(place, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
