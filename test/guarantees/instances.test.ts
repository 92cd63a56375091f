// G5 and section 1: what an app does to its instance, before or after there is a client: other defaults, frozen ones, a
// frozen instance. A refresh through it never waits for itself, and a client that cannot be made leaves nothing behind.

import axios, { type AxiosInstance } from 'axios'
import axios027 from 'axios-0.27'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createAuthClient, type RefreshStrategy, refreshWithBody } from '../../src/index.js'
import { failureOf, setUp, startServer, tokensOf } from '../support/client.js'
import { createOpenStore } from '../support/stores.js'

type Change = (api: AxiosInstance) => void

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.values(Object.freeze(value)).forEach(deepFreeze)
  return value
}

const changes: [string, Change][] = [
  ['replaced by a copy', (api) => void (api.defaults = { ...api.defaults })],
  ['replaced by an empty object', (api) => void (api.defaults = {} as never)],
  ['frozen', (api) => void Object.freeze(api.defaults)],
  ['deeply frozen', (api) => void deepFreeze(api.defaults)],
  ['sealed', (api) => void Object.seal(api.defaults)],
]

const libraries = [
  ['axios', axios],
  ['axios 0.27', axios027],
] as const

async function start(
  library: unknown,
  refresh: (api: AxiosInstance) => RefreshStrategy,
  change: Change,
  when: string,
) {
  const server = await startServer()
  const api = (library as typeof axios).create({ baseURL: server.url, headers: { 'X-App': '1' } })
  if (when === 'before') change(api)
  const auth = createAuthClient(api, { refresh: refresh(api) })
  onTestFinished(() => auth.dispose())
  await auth.signIn(tokensOf(server.login()))
  if (when === 'after') change(api)
  return { server, api, auth }
}

const throughInstance =
  (api: AxiosInstance): RefreshStrategy =>
  async ({ refreshToken }) => {
    // Not carried as it is, so that only its turn says whose call it is.
    const body = { refresh_token: refreshToken?.split('').reverse().join('') }
    const { data } = await api.post('/auth/reversed', body)
    return { accessToken: data.access_token, refreshToken: data.refresh_token }
  }

const rows = libraries.flatMap(([name, library]) =>
  (['before', 'after'] as const).flatMap((when) =>
    changes.map(([how, change]) => [how, when, name, change, library] as const),
  ),
)

describe('G5: defaults of the instance', () => {
  it.each(rows)(
    'G5: that are %s %s the client is created let a refresh through the instance pass (%s)',
    async (_, when, __, change, library) => {
      const { server, api } = await start(library, throughInstance, change, when)
      server.route('/auth/reversed', () => ({
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(server.login()),
      }))
      server.killAccessTokens()
      expect((await api.get('/api/x')).status).toBe(200)
      expect(server.requestsTo('/auth/reversed')).toHaveLength(1)
    },
  )

  it.each(rows)(
    'G5: that are %s %s the client is created give http the current ones (%s)',
    async (_, when, __, change, library) => {
      const { server, api } = await start(
        library,
        () => refreshWithBody({ url: '/auth/refresh' }),
        change,
        when,
      )
      server.killAccessTokens()
      expect((await api.get('/api/x')).status).toBe(200)
      expect(server.counts.refreshes).toBe(1)
      expect(server.requestsTo('/auth/refresh').map(({ headers }) => headers['x-app'])).toEqual(['1'])
    },
  )

  it('G5: of an object of the class Axios are used after they are replaced', async () => {
    const server = await startServer()
    const api = new axios.Axios({ ...axios.defaults, headers: {}, baseURL: server.url })
    const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }) })
    onTestFinished(() => auth.dispose())
    await auth.signIn(tokensOf(server.login()))
    api.defaults = { ...api.defaults, headers: { common: { 'X-App': 'late' } } as never }
    server.killAccessTokens()
    expect((await api.request({ url: '/api/x' })).status).toBe(200)
    expect(server.requestsTo('/auth/refresh').map(({ headers }) => headers['x-app'])).toEqual(['late'])
  })

  it('G5: are not modified', async () => {
    let during: string[] = []
    const refresh = refreshWithBody({ url: '/auth/refresh' })
    const { server, api } = await setUp({
      refresh(context) {
        during = Object.keys(api.defaults)
        return refresh(context)
      },
    })
    const before = Object.keys(api.defaults)
    server.killAccessTokens()
    await api.get('/api/x')
    expect([during, Object.keys(api.defaults)]).toEqual([before, before])
  })
})

interface Handlers {
  handlers: unknown[]
}

/** How many interceptors there are. */
function installed({ interceptors }: AxiosInstance): number {
  const { request, response } = interceptors as unknown as { request: Handlers; response: Handlers }
  return [...request.handlers, ...response.handlers].filter(Boolean).length
}

describe('an instance that cannot have a client', () => {
  const closed: [string, (api: AxiosInstance) => unknown][] = [
    ['frozen', (api) => Object.freeze(api)],
    ['sealed', (api) => Object.seal(api)],
    ['not extensible', (api) => Object.preventExtensions(api)],
    ['without a way to add response interceptors', (api) => refuseUse(api.interceptors.response)],
    ['without a way to add request interceptors', (api) => refuseUse(api.interceptors.request)],
  ]

  function refuseUse(manager: { use: unknown }): void {
    manager.use = () => {
      throw new TypeError('Cannot add property 0, object is not extensible')
    }
  }

  it.each(closed)('is rejected and left unchanged: %s', (_, close) => {
    const api = axios.create({ baseURL: 'https://api.example.com' })
    close(api)
    const store = createOpenStore()
    expect(() => createAuthClient(api, { store })).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringContaining('instance') }),
    )
    expect(installed(api)).toBe(0)
    expect(Object.getOwnPropertySymbols(api)).toEqual([])
    expect(store.listeners).toBe(0)
  })

  it.each(closed)('is rejected by attach, and the client keeps working: %s', async (_, close) => {
    const { server, api, auth } = await setUp()
    const other = axios.create({ baseURL: server.url })
    close(other)
    expect(() => auth.attach(other)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
    expect(installed(other)).toBe(0)
    expect(Object.getOwnPropertySymbols(other)).toEqual([])
    server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
  })

  it('may be frozen later: the client works and can be disposed', async () => {
    const { server, api, auth } = await setUp()
    Object.freeze(api)
    server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
    auth.dispose()
    server.forget()
    await failureOf(api.get('/api/x'))
    expect(server.tokensSeen()).toEqual([])
  })
})
