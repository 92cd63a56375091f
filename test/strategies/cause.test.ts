// What a strategy may know of the request that asked for the refresh.
import { describe, expect, it, vi } from 'vitest'
import {
  bearerHeader,
  jsonBodyField,
  type Placement,
  type RefreshCause,
  type RefreshContext,
  refreshWithBody,
} from '../../src/index.js'
import { type SetUpOptions, setUp } from '../support/client.js'

const strategy = refreshWithBody({ url: '/auth/refresh' })

/** Keeps a copy of each cause as it is when the refresh begins. */
async function setUpNoting(options: SetUpOptions = {}) {
  const causes: (RefreshCause | undefined)[] = []
  const world = await setUp({
    server: { accessLifetimeSeconds: 300 },
    refresh(context: RefreshContext) {
      causes.push(context.cause)
      return strategy(context)
    },
    ...options,
  })
  return { ...world, causes }
}

const inSearchParams: Placement = {
  place: (config, token) => (config.params as URLSearchParams).set('token', token),
  remove: (config) => (config.params as URLSearchParams).delete('token'),
}

const inQuery: Placement = {
  place(config, token) {
    config.params = Object.assign(config.params ?? {}, { token })
  },
  remove(config) {
    delete config.params?.token
  },
}

describe('the cause of a refresh', () => {
  it('is the request whose token was rejected, with the answer that said so', async () => {
    const { server, api, causes } = await setUpNoting()
    server.killAccessTokens()
    await api.get('/api/x', { headers: { 'X-Tenant': 'north' }, params: { page: 2 } })
    expect(causes).toHaveLength(1)
    const { config, response } = causes[0] as RefreshCause
    expect(config).toMatchObject({ method: 'get', url: '/api/x', params: { page: 2 } })
    expect(config.headers?.['X-Tenant']).toBe('north')
    expect(response?.status).toBe(401)
    expect(response?.config).toBe(config)
  })

  it('shows the JSON of that answer', async () => {
    const { server, api, causes } = await setUpNoting({
      shouldRefresh: ({ response }) => response.status === 419,
    })
    let asked = 0
    server.route('/api/x', () =>
      asked++ === 0
        ? { status: 419, headers: { 'content-type': 'application/json' }, body: '{"code":7}' }
        : undefined,
    )
    await api.get('/api/x')
    expect(causes[0]?.response?.data).toEqual({ code: 7 })
  })

  it('has no answer when the clock asked for it', async () => {
    const { api, clock, causes } = await setUpNoting()
    clock.jump(300_001)
    await api.get('/api/x')
    expect(causes).toEqual([expect.objectContaining({ response: undefined })])
    expect(causes[0]?.config.url).toBe('/api/x')
  })

  it('is the request that found the token stale, though it did not wait', async () => {
    const { api, auth, clock, causes } = await setUpNoting()
    clock.jump(280_000)
    const refreshed = new Promise((resolve) => auth.on('refreshed', resolve))
    await api.get('/api/x')
    await refreshed
    expect(causes).toEqual([expect.objectContaining({ response: undefined })])
    expect(causes[0]?.config.url).toBe('/api/x')
  })

  it.each<[string, (world: Awaited<ReturnType<typeof setUp>>) => Promise<unknown>]>([
    ['refresh()', ({ auth }) => auth.refresh()],
    [
      'getAccessToken()',
      ({ auth, clock }) => {
        clock.jump(300_001)
        return auth.getAccessToken()
      },
    ],
  ])('is absent when %s asked for it', async (_, ask) => {
    const { causes, ...world } = await setUpNoting()
    await ask(world)
    expect(causes).toEqual([undefined])
  })

  it('is the first of several that wait for one refresh', async () => {
    const { server, api, causes } = await setUpNoting()
    server.killAccessTokens()
    const hold = server.holdRefresh()
    const one = api.get('/api/first')
    await hold.waiting(1)
    const others = ['/api/second', '/api/third'].map((url) => api.get(url))
    hold.release()
    await Promise.all([one, ...others])
    expect(causes.map((cause) => cause?.config.url)).toEqual(['/api/first'])
  })

  it('stays the same when the endpoint is asked again', async () => {
    const { server, api, clock, causes } = await setUpNoting()
    server.killAccessTokens()
    server.refresh.next(503, 503)
    const answer = api.get('/api/x')
    for (const asked of [1, 2]) {
      await clock.until(() => causes.length === asked && clock.pending > 1)
      await clock.advance(1300)
    }
    await answer
    expect(causes.map((cause) => cause?.config.url)).toEqual(['/api/x', '/api/x', '/api/x'])
  })

  it.each<[string, Placement]>([
    ['a header', bearerHeader()],
    ['another header', bearerHeader({ header: 'X-Access', scheme: '' })],
    ['the body', jsonBodyField()],
    ['the query', inQuery],
  ])('holds no token that was attached: %s', async (_, place) => {
    const { server, api, login, causes } = await setUpNoting({
      place,
      server: { readAccessToken: () => undefined },
    })
    let asked = 0
    server.route('/api/x', () => ({ status: asked++ === 0 ? 401 : 200 }))
    const params = { page: 2 }
    const caller = { headers: { 'X-Tenant': 'north' }, params }
    await api.post('/api/x', { a: 1 }, caller)
    const [cause] = causes
    expect(JSON.stringify([cause?.config, cause?.response?.config])).not.toContain(login.access_token)
    expect(cause?.config.params).toEqual({ page: 2 })
    expect(JSON.parse(cause?.config.data)).toEqual({ a: 1 })
    // Nor does it lead to the replay, which carries the next one.
    expect(JSON.stringify(cause?.config)).not.toMatch(/eyJ/)
  })

  it('takes nothing from a request that goes out meanwhile, though its placement changes params in place', async () => {
    const { server, api, auth, clock, login, causes } = await setUpNoting({
      place: inSearchParams,
      server: { accessLifetimeSeconds: 300, readAccessToken: () => undefined },
    })
    server.route('/api/x*', () => ({ status: 200 }))
    clock.jump(280_000)
    const refreshed = new Promise((resolve) => auth.on('refreshed', resolve))
    await api.get('/api/x', { params: new URLSearchParams('page=2') })
    await refreshed
    expect(String(causes[0]?.config.params)).toBe('page=2')
    expect(server.requestsTo('/api/x*')[0]?.query.token).toBe(login.access_token)
  })

  it('is a copy: what a strategy does to it changes no request', async () => {
    const { server, api } = await setUp({
      refresh(context) {
        const { config } = context.cause as RefreshCause
        config.url = '/elsewhere'
        config.headers = {}
        return strategy(context)
      },
    })
    server.killAccessTokens()
    expect((await api.get('/api/x', { headers: { 'X-Tenant': 'north' } })).status).toBe(200)
    expect(server.requestsTo('/api/x').map(({ headers }) => headers['x-tenant'])).toEqual(['north', 'north'])
  })

  it('is absent where a request cannot be copied, which is reported, and the refresh goes on', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    let isLocked = false
    const { server, api, auth, causes } = await setUpNoting({
      shouldRefresh: ({ response }) => (isLocked = response.status === 401),
    })
    auth.on('refreshed', () => {
      isLocked = false
    })
    const params = new Proxy(
      { page: 2 },
      {
        ownKeys(target) {
          if (isLocked) throw new Error('not yours')
          return Reflect.ownKeys(target)
        },
      },
    )
    api.interceptors.request.use((config) => Object.assign(config, { params }))
    server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
    expect(causes).toEqual([undefined])
    expect(String(logged.mock.calls)).toContain('not yours')
    logged.mockRestore()
  })

  it('reaches the headers of a strategy', async () => {
    const { server, api } = await setUp({
      refresh: refreshWithBody({
        url: '/auth/refresh',
        headers: ({ cause }) => ({ 'X-Tenant': cause?.config.headers?.['X-Tenant'] as string }),
      }),
    })
    server.killAccessTokens()
    await api.get('/api/x', { headers: { 'X-Tenant': 'north' } })
    expect(server.requestsTo('/auth/refresh')[0]?.headers['x-tenant']).toBe('north')
  })
})
