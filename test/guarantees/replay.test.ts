// G6 to G9: a replay is the same request, and what the caller catches is their own error.
import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import axios, { type AxiosError, type AxiosRequestConfig } from 'axios'
import MockAdapter from 'axios-mock-adapter'
import FormDataPackage from 'form-data'
import { describe, expect, it } from 'vitest'
import { authErrorOf } from '../../src/index.js'
import { adapterNamed } from '../support/adapters.js'
import { json } from '../support/auth-server/answer.js'
import { eventsOf, failureOf, setUp } from '../support/client.js'
import { settleAll } from '../support/settle-all.js'

describe('G6: a replay is the same request', () => {
  const bytes = new Uint8Array([0, 1, 2, 250, 255])
  const bodies: [string, () => unknown][] = [
    ['an object', () => ({ a: 1, b: ['x'] })],
    ['a text', () => 'plain text'],
    ['URLSearchParams', () => new URLSearchParams({ a: '1', b: 'ü' })],
    ['a Buffer', () => Buffer.from(bytes)],
    ['an ArrayBuffer', () => bytes.slice().buffer],
    ['a typed array', () => bytes.slice()],
    ['a Blob', () => new Blob([bytes])],
  ]

  describe.each(['http', 'fetch'] as const)('by the %s adapter', (adapter) => {
    it.each(bodies)('G6: sends %s byte for byte', async (_name, body) => {
      const { server, api } = await setUp()
      server.killAccessTokens()
      await api.put('/api/x', body(), {
        adapter: adapterNamed(adapter),
        params: { q: 'a b' },
        headers: { 'X-Id': '7' },
      })
      const [first, second] = server.requestsTo('/api/x')
      expect(first?.bodyBytes.length).toBeGreaterThan(0)
      expect(second?.bodyBytes).toEqual(first?.bodyBytes)
      for (const field of ['method', 'path', 'search'] as const) expect(second?.[field]).toBe(first?.[field])
      const { authorization: before, ...headers } = first?.headers ?? {}
      const { authorization: after, ...replayed } = second?.headers ?? {}
      expect(replayed).toEqual(headers)
      expect([typeof before, typeof after, before === after]).toEqual(['string', 'string', false])
    })

    it('G6: sends a native FormData with the same parts', async () => {
      const { server, api } = await setUp()
      server.killAccessTokens()
      const form = new FormData()
      form.append('a', '1')
      form.append('file', new Blob(['content']), 'f.txt')
      await api.post('/api/x', form, { adapter: adapterNamed(adapter) })
      const texts = server.requestsTo('/api/x').map(({ bodyBytes }) => {
        const text = bodyBytes.toString()
        return text.replaceAll(text.slice(2, text.indexOf('\r\n')), 'BOUNDARY')
      })
      expect(texts).toHaveLength(2)
      expect(texts[1]).toBe(texts[0])
      expect(texts[0]).toContain('content')
    })
  })

  it("G6: sends a form of axios's postForm byte for byte", async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    await api.postForm('/api/x', { a: 1, b: 'two' })
    const [first, second] = server.requestsTo('/api/x')
    expect(first?.bodyBytes.toString()).toContain('two')
    expect(second?.bodyBytes).toEqual(first?.bodyBytes)
    expect(second?.headers['content-type']).toBe(first?.headers['content-type'])
  })

  it('G6: runs interceptors and transforms once, registered before or after the client', async () => {
    const ran: string[] = []
    const { server, api } = await setUp()
    api.interceptors.request.use((config) => {
      ran.push('request')
      return config
    })
    api.interceptors.response.use((response) => {
      ran.push('response')
      return response
    })
    server.killAccessTokens()
    const { data } = await api.post(
      '/api/x',
      { a: 1 },
      {
        transformRequest: (data) => {
          ran.push('transformRequest')
          return JSON.stringify(data)
        },
        transformResponse: (text: string) => {
          ran.push('transformResponse')
          return JSON.parse(text)
        },
        headers: { 'Content-Type': 'application/json' },
      },
    )
    expect(data.user).toBe('ada')
    expect(server.requestsTo('/api/x')).toHaveLength(2)
    expect(ran).toEqual(['request', 'transformRequest', 'transformResponse', 'response'])
  })

  it('G6: refreshes and replays a 401 that validateStatus accepted', async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    const { status } = await api.get('/api/x', { validateStatus: () => true })
    expect(status).toBe(200)
  })

  it('G6: resolves such a 401 unchanged when no refresh can answer it', async () => {
    const { server, api, auth } = await setUp({ refreshRetry: { limit: 0 } })
    server.killAccessTokens()
    server.refresh.always(404)
    const { status, config } = await api.get('/api/x', { validateStatus: () => true })
    expect(status).toBe(401)
    expect(config.headers.Authorization).toBeUndefined()
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  describe.each(['http', 'fetch', 'mock'] as const)(
    'G6: an answer in which only shouldRefresh sees a refusal, with the %s adapter',
    (kind) => {
      const body = { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }
      /** A GraphQL server: it refuses with a 200. */
      async function graphql(config: AxiosRequestConfig = {}, status = 200) {
        const world = await setUp({
          shouldRefresh: ({ response }) => response.status === 401 || !!response.data?.errors,
        })
        const { server, api } = world
        if (kind === 'mock') {
          const mock = new MockAdapter(api)
          mock.onPost('/graphql').reply(status, body)
          mock.onAny().passThrough()
        } else server.route('/graphql', () => json(status, body))
        const adapter = kind === 'mock' ? {} : { adapter: adapterNamed(kind) }
        const query = () => api.post('/graphql', { query: '{ me }' }, { ...adapter, ...config })
        return { ...world, query }
      }

      it.each([
        [401, 'SESSION_EXPIRED'],
        [404, 'REFRESH_FAILED'],
      ])('rejects when the refresh does not succeed: answered %i (%s)', async (status, code) => {
        const { server, query, login } = await graphql()
        server.refresh.always(status)
        const error = (await failureOf(query())) as AxiosError
        expect(error).toMatchObject({ isAxiosError: true, response: { status: 200, data: body } })
        expect(error.config?.url).toBe('/graphql')
        expect(authErrorOf(error)?.code).toBe(code)
        expect(inspect([error.config, error.response?.config], { depth: 9 })).not.toContain(
          login.access_token,
        )
      })

      it('rejects when the replay is refused as well', async () => {
        const { server, query } = await graphql()
        const error = await failureOf(query())
        expect(error).toMatchObject({ isAxiosError: true, response: { status: 200, data: body } })
        expect(server.counts.refreshes).toBe(1)
      })

      it('rejects with a status that validateStatus accepts, and resolves with a 401', async () => {
        const all = { validateStatus: () => true }
        for (const status of [401, 403]) {
          const { server, query } = await graphql(all, status)
          server.refresh.always(404)
          const response =
            status === 401 ? await query() : ((await failureOf(query())) as AxiosError).response
          expect(response).toMatchObject({ status, data: body })
        }
      })
    },
  )

  it('G6: reads the response type that was asked for', async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    const { data } = await api.get('/api/x', { responseType: 'arraybuffer' })
    expect(JSON.parse(Buffer.from(data).toString()).user).toBe('ada')
  })
})

describe('G7: a body that can be read only once', () => {
  const readable = () => Readable.from([Buffer.from('once')])
  const form = () => {
    const data = new FormDataPackage()
    data.append('file', readable(), { filename: 'f.txt' })
    return data
  }
  const webStream = () => new Blob(['once']).stream()

  it.each([
    ['a Node stream', 'http', readable],
    ['a form with a stream in it', 'http', form],
    ['a web stream (fetch adapter)', 'fetch', webStream],
  ] as const)('G7: never sends %s a second time', async (_name, adapter, body) => {
    const { server, api, auth } = await setUp()
    server.killAccessTokens()
    const error = await failureOf(api.post('/api/x', body(), { adapter: adapterNamed(adapter) }))
    expect(error).toMatchObject({ response: { status: 401 } })
    expect(authErrorOf(error)?.code).toBe('BODY_NOT_REPLAYABLE')
    expect(server.requestsTo('/api/x')).toHaveLength(1)
    expect(server.counts.refreshes).toBe(1)
    expect((await api.get('/api/y')).status).toBe(200)
    expect(auth.getSnapshot().status).toBe('signed-in')
  })
})

describe('G8: excessive refreshes', () => {
  it('G8: one request starts at most one refresh', async () => {
    const { server, api } = await setUp()
    await expect(api.get('/api/always-401')).rejects.toMatchObject({ response: { status: 401 } })
    expect(server.counts.refreshes).toBe(1)
    expect(server.requestsTo('/api/always-401')).toHaveLength(2)
  })

  it('G8: a burst that is rejected with any token stops after three refreshes, and every request settles', async () => {
    const { server, api, clock } = await setUp()
    const results = await settleAll(Array.from({ length: 30 }, () => api.get('/api/always-401')))
    expect(results.every(({ status }) => status === 'rejected')).toBe(true)
    expect(server.counts.refreshes).toBe(3)
    await settleAll([api.get('/api/always-401')])
    expect(server.counts.refreshes).toBe(3)
    clock.jump(30_000)
    await settleAll([api.get('/api/always-401')])
    expect(server.counts.refreshes).toBe(4)
  })

  it('G8: a grant that repeats the refused token is BAD_GRANT', async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    server.refresh.always('same-token')
    expect(authErrorOf(await failureOf(api.get('/api/x')))?.code).toBe('BAD_GRANT')
    expect(server.requestsTo('/api/x')).toHaveLength(1)
  })
})

describe('G9: what the caller catches', () => {
  it('G9: is their own AxiosError, with their config, ours as its cause, and no token anywhere', async () => {
    const { server, api, login, events } = await setUp({ refreshRetry: { limit: 0 } })
    server.killAccessTokens()
    server.refresh.always(503)
    const error = await failureOf(api.post('/api/x', { mine: true }, { headers: { 'X-Id': '7' } }))
    expect(axios.isAxiosError(error)).toBe(true)
    const { config, response, cause } = error as import('axios').AxiosError
    expect(response?.status).toBe(401)
    expect(config?.data).toBe('{"mine":true}')
    expect(config?.headers['X-Id']).toBe('7')
    expect(authErrorOf(error)?.code).toBe('REFRESH_FAILED')
    expect(authErrorOf(error)?.cause).toMatchObject({ response: { status: 503 } })
    const shown = [
      JSON.stringify(error),
      inspect(config, { depth: 9 }),
      inspect(cause, { depth: 9 }),
      inspect(events, { depth: 9 }),
    ]
    for (const text of shown) {
      expect(text).not.toContain(login.access_token)
      expect(text).not.toContain(login.refresh_token)
    }
    expect(eventsOf(events, 'refreshFailed')).toHaveLength(1)
  })

  it('G9: for a request that never went out, is an AxiosError with our code and their config', async () => {
    const { server, api } = await setUp({ refreshRetry: { limit: 0 } })
    server.killAccessTokens()
    server.refresh.always(503)
    await failureOf(api.get('/api/first'))
    const error = await failureOf(api.get('/api/second', { params: { p: 1 } }))
    expect(axios.isAxiosError(error)).toBe(true)
    expect(error).toMatchObject({ code: 'REFRESH_FAILED', config: { url: '/api/second', params: { p: 1 } } })
    expect(authErrorOf(error)?.code).toBe('REFRESH_FAILED')
    expect(server.requestsTo('/api/second')).toEqual([])
  })
})
