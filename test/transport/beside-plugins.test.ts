// What the README says about other plug-ins, each before us and after.
import axios, { type AxiosInstance } from 'axios'
import { setupCache } from 'axios-cache-interceptor'
import MockAdapter from 'axios-mock-adapter'
import axiosRetry from 'axios-retry'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AuthClient, createAuthClient, refreshWithBody } from '../../src/index.js'
import { type AuthServer, startAuthServer } from '../support/auth-server.js'
import { settleAll } from '../support/settle-all.js'

let server: AuthServer
let auth: AuthClient | undefined

beforeEach(async () => {
  server = await startAuthServer()
})

afterEach(async () => {
  auth?.dispose()
  await server.stop()
})

async function setUp(order: 'before' | 'after', install: (api: AxiosInstance) => void, defaults = {}) {
  const api = axios.create({ baseURL: server.url, ...defaults })
  if (order === 'before') install(api)
  auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }) })
  if (order === 'after') install(api)
  await signIn('ada')
  return api
}

async function signIn(user: string) {
  const { access_token, refresh_token } = server.login(user)
  await auth?.signIn({ accessToken: access_token, refreshToken: refresh_token })
}

describe.each(['before', 'after'] as const)('installed %s us', (order) => {
  it('axios-retry sends again what failed for another reason, with the token', async () => {
    const api = await setUp(order, (api) => axiosRetry(api, { retries: 2 }))
    let failures = 1
    server.route('/api/flaky', () => (failures-- > 0 ? { status: 503 } : undefined))
    server.killAccessTokens()
    await api.get('/api/flaky').catch(() => undefined)
    const { status } = await api.get('/api/flaky')
    expect(status).toBe(200)
    expect(server.counts.refreshes).toBe(1)
  })

  it('axios-mock-adapter answers in place of the server, and its 401 is healed', async () => {
    let mock: MockAdapter | undefined
    const api = await setUp(order, (api) => {
      mock = new MockAdapter(api)
    })
    const seen: unknown[] = []
    mock?.onPost('/auth/refresh').reply(200, { access_token: 'fresh' })
    mock?.onGet('/x').reply((config) => {
      seen.push(config.headers?.Authorization)
      return config.headers?.Authorization === 'Bearer fresh' ? [200, 'ok'] : [401]
    })
    const results = await settleAll(Array.from({ length: 5 }, () => api.get('/x')))
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill('fulfilled'))
    expect(new Set(seen).size).toBe(2)
  })

  it('a limiter with one slot never deadlocks with the refresh', async () => {
    let tail: Promise<unknown> = Promise.resolve()
    const api = await setUp(order, (api) => {
      api.interceptors.request.use((config) => {
        const inner = axios.getAdapter(config.adapter)
        config.adapter = (sent) => {
          const mine = tail.then(() => inner(sent))
          tail = mine.catch(() => undefined)
          return mine
        }
        return config
      })
    })
    server.killAccessTokens()
    // Before us, such a limiter replaces the adapter after we have wrapped it: the request is out of our hands, and
    // its 401 is judged above the wire.
    const results = await settleAll(Array.from({ length: 10 }, (_, index) => api.get(`/api/${index}`)))
    expect(results.map(({ status }) => status)).toEqual(Array(10).fill('fulfilled'))
    expect(server.counts.refreshes).toBe(1)
  })

  it('an interceptor that unwraps the body unwraps the healed answer', async () => {
    const api = await setUp(order, (api) => {
      api.interceptors.response.use((response) => response.data)
    })
    server.killAccessTokens()
    expect(await api.get('/api/x')).toMatchObject({ user: 'ada' })
  })

  it('validateStatus as an instance default hides no 401', async () => {
    const api = await setUp(order, () => {}, { validateStatus: () => true })
    server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
    expect(server.counts.refreshes).toBe(1)
  })
})

it('axios-cache-interceptor, set up before us, keeps two users apart by Vary', async () => {
  const api = await setUp('before', (api) => void setupCache(api as never))
  const asAda = await api.get('/api/cached')
  const again = await api.get('/api/cached')
  await signIn('grace')
  const asGrace = await api.get('/api/cached')
  expect([asAda.data.user, again.data.user, asGrace.data.user]).toEqual(['ada', 'ada', 'grace'])
  // It stores the answer's config, from which the token is gone again: what varies by it is fetched each time.
  expect(server.requestsTo('/api/cached')).toHaveLength(3)
})
