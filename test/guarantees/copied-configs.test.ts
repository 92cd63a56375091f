// G9: a config that the app has copied, frozen, stored or made reactive is a config: it goes where bare axios would send
// it, is refreshed and replayed while its adapter is on it, and what comes back holds no token.

import { inspect } from 'node:util'
import axios, { type AxiosInstance, type InternalAxiosRequestConfig } from 'axios'
import axios027 from 'axios-0.27'
import { produce, setAutoFreeze } from 'immer'
import lodash from 'lodash'
import { observable } from 'mobx'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { markRaw, reactive, readonly, ref, shallowReactive, toRaw } from 'vue'
import { authErrorOf, createAuthClient, refreshWithBody } from '../../src/index.js'
import { eventsOf, failureOf, listenTo, setUp, startServer, tokensOf } from '../support/client.js'

type Config = InternalAxiosRequestConfig
type Copy = (config: Config) => Config

beforeEach(() => setAutoFreeze(true))

const copies: [string, Copy][] = [
  ['lodash cloneDeep', (config) => lodash.cloneDeep(config)],
  ['lodash clone', (config) => lodash.clone(config)],
  ['lodash merge', (config) => lodash.merge({}, config)],
  ['spread', (config) => ({ ...config })],
  ['spread, headers too', (config) => ({ ...config, headers: { ...config.headers } as never })],
  ['Object.create', (config) => Object.assign(Object.create(null), config)],
  ['Vue reactive', (config) => reactive(config) as Config],
  ['Vue shallowReactive', (config) => shallowReactive(config)],
  ['Vue ref', (config) => ref(config).value as Config],
  ['Vue reactive, raw again', (config) => toRaw(reactive(config)) as Config],
  ['MobX observable', (config) => observable({ ...config })],
  ['MobX observable.shallow', (config) => observable({ ...config }, {}, { deep: false })],
  ['a proxy', (config) => new Proxy(config, {})],
  ['a deep proxy', deepProxy],
  ['rfdc and its like', plainCopy],
]

/** Those that only newer axioses take: dispatch writes to the config in older ones. */
const closed: [string, Copy][] = [
  ['immer produce', (config) => produce(config, (draft) => void (draft.timeout = 5_000))],
  ['Object.freeze', (config) => Object.freeze({ ...config })],
  ['Object.seal', (config) => Object.seal({ ...config })],
  [
    'frozen plain headers',
    (config) => ({ ...config, headers: Object.freeze({ ...config.headers }) as never }),
  ],
]

function deepProxy<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, key) {
      const value = Reflect.get(object, key)
      return typeof value === 'object' && value !== null && !(value instanceof AbortSignal)
        ? deepProxy(value)
        : value
    },
  })
}

function plainCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plainCopy) as T
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plainCopy(entry)])) as T
}

/** A client whose instance copies each config, before ours or after. */
async function copying(
  copy: Copy,
  place: 'before' | 'after',
  instance: { create(config: object): unknown } = axios,
) {
  const server = await startServer()
  const api = instance.create({ baseURL: server.url }) as AxiosInstance
  const install = () => api.interceptors.request.use(copy)
  // The last one to be installed runs first.
  if (place === 'after') install()
  const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }) })
  onTestFinished(() => auth.dispose())
  if (place === 'before') install()
  await auth.signIn(tokensOf(server.login()))
  return { server, api, auth, events: listenTo(auth) }
}

async function expectReplayed({
  server,
  api,
}: {
  server: Awaited<ReturnType<typeof startServer>>
  api: AxiosInstance
}) {
  expect((await api.get('/api/x')).status).toBe(200)
  server.killAccessTokens()
  const { config, status } = await api.post('/api/x', { a: 1 })
  expect(status).toBe(200)
  expect(server.requestsTo('/api/x').map(({ body }) => body)).toEqual([undefined, { a: 1 }, { a: 1 }])
  expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 2 })
  expectNothingIn(config, server.issuedTokens())
}

function expectNothingIn(config: unknown, tokens: string[]): void {
  const texts = [inspect(config, { depth: 9, showHidden: true }), JSON.stringify(config)]
  for (const token of tokens) for (const text of texts) expect(text).not.toContain(token)
}

describe.each(['before', 'after'] as const)('a config that an interceptor %s ours copies', (place) => {
  it.each([...copies, ...closed])('G9: is sent, refreshed and replayed: %s', async (_, copy) => {
    await expectReplayed(await copying(copy, place))
  })

  it.each(copies.filter(([name]) => !/MobX|proxy/.test(name)))(
    'G9: is sent, refreshed and replayed by axios 0.27: %s',
    async (_, copy) => {
      await expectReplayed(await copying(copy, place, axios027 as never))
    },
  )

  it('G9: is sent as a read-only view where bare axios can send one', async () => {
    // Vue says there what it does not write.
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const { server, api } = await copying((config) => readonly(config) as Config, place)
    expect((await api.get('/public/x')).status).toBe(200)
    server.killAccessTokens()
    await api.get('/api/x', { validateStatus: () => true })
    expect(server.requestsTo('/api/x').length).toBeGreaterThan(0)
  })

  it('G9: is sent after a JSON round trip as bare axios sends it, and comes back without a token', async () => {
    const { server, api } = await copying((config) => {
      const { transformRequest, transformResponse, validateStatus } = config
      return { ...JSON.parse(JSON.stringify(config)), transformRequest, transformResponse, validateStatus }
    }, place)
    const { config, status } = await api.get('/api/x')
    expect(status).toBe(200)
    expectNothingIn(config, server.issuedTokens())
    server.killAccessTokens()
    const result = await api.get('/api/x').catch((error) => error)
    expectNothingIn(result.config, server.issuedTokens())
  })
})

describe('the handle on a config', () => {
  it('G9: shows no token to whoever logs or serialises it', async () => {
    const shown: string[] = []
    const { server, api } = await copying((config) => {
      const { authClient } = config
      shown.push(inspect(authClient, { depth: 9, showHidden: true }), JSON.stringify(authClient))
      return config
    }, 'after')
    await api.get('/api/x')
    expect(shown).toHaveLength(2)
    for (const token of server.issuedTokens()) expect(shown.join()).not.toContain(token)
  })

  it('lets an interceptor add an option to it', async () => {
    const { server, api } = await copying(
      (config) => ({ ...config, authClient: { ...config.authClient, place: false } }) as Config,
      'after',
    )
    const { config } = await api.get('/public/x')
    expect(config.authClient).toEqual({ place: false })
    expect(server.tokensSeen()).toEqual([])
  })

  it("leaves the caller's own option on what they get", async () => {
    const { api } = await copying((config) => lodash.cloneDeep(config), 'after')
    expect((await api.get('/api/x', { authClient: { refresh: false } })).config.authClient).toEqual({
      refresh: false,
    })
    expect((await api.get('/api/x')).config.authClient).toBeUndefined()
  })
})

describe('a config that is sent again', () => {
  const resend: [string, (config: unknown) => unknown][] = [
    ['as it is', (config) => config],
    ['from a Vue store', (config) => reactive({ last: config }).last],
    ['from a read-only Vue store', (config) => readonly(reactive({ last: config as object })).last],
    ['from a Vue store, raw', (config) => toRaw(reactive(config as object))],
    ['marked raw', (config) => reactive({ last: markRaw({ ...(config as object) }) }).last],
    ['from a MobX store', (config) => observable({ last: config }).last],
    ['frozen', (config) => Object.freeze(config)],
    ['cloned by lodash', (config) => lodash.cloneDeep(config)],
    ['as JSON', (config) => JSON.parse(JSON.stringify(config))],
  ]

  it.each(resend)('G9: of an error is sent, refreshed and replayed as any other: %s', async (_, store) => {
    const { server, api, auth } = await setUp({ refreshRetry: { limit: 0 } })
    server.killAccessTokens()
    server.refresh.next(503)
    const { config } = (await failureOf(api.post('/api/x', { a: 1 }))) as { config: object }
    expectNothingIn(config, server.issuedTokens())
    await auth.refresh()
    server.killAccessTokens()
    expect((await api.request(withFunctions(store(config)))).status).toBe(200)
    expect(server.requestsTo('/api/x').at(-1)?.body).toEqual({ a: 1 })
  })

  it.each(resend.filter(([name]) => name !== 'as JSON'))(
    'G14: of an error of an ended session is rejected again: %s',
    async (_, store) => {
      const { server, api, auth, clock } = await setUp()
      clock.jump(301_000)
      const refresh = server.holdRefresh()
      const failed = failureOf(api.get('/api/x', { authClient: {} })) as Promise<{ config: object }>
      await refresh.waiting(1)
      await auth.signIn(tokensOf(server.login('bob')))
      const { config } = await failed
      expectNothingIn(config, server.issuedTokens())
      const again = await failureOf(api.request(store(config) as object))
      expect(authErrorOf(again)?.code).toBe('SESSION_CHANGED')
      expect(server.requestsTo('/api/x')).toEqual([])
    },
  )

  it('G9: an opt-out survives JSON where its request was refused', async () => {
    const { server, api, auth, clock } = await setUp()
    clock.jump(301_000)
    const refresh = server.holdRefresh()
    const failed = failureOf(api.get('/public/x', { authClient: { place: false } })) as Promise<{
      config: object
    }>
    await refresh.waiting(1)
    await auth.signIn(tokensOf(server.login('bob')))
    const { config } = await failed
    await api.request(withFunctions(JSON.parse(JSON.stringify(config))))
    expect(server.requestsTo('/public/x').map(({ headers }) => headers.authorization)).toEqual([undefined])
  })

  it.each([
    ['reactive', reactive],
    ['frozen', Object.freeze],
    ['observable', observable],
  ])('counts an opt-out that is %s', async (_, make) => {
    const { server, api } = await setUp()
    await api.get('/public/x', {
      authClient: (make as (value: object) => object)({ place: false }) as object,
    })
    expect(server.tokensSeen()).toEqual([])
  })

  it('gets an answer for each of two copies that a plug-in sends at once', async () => {
    const { server, api, events } = await copying((config) => {
      const next = config.adapter as (config: Config) => Promise<never>
      return {
        ...config,
        adapter: (sent: Config) =>
          Promise.all([next(sent), next({ ...sent, url: '/api/twin' })]).then(([one]) => one),
      } as Config
    }, 'after')
    server.killAccessTokens()
    const { config } = await api.get('/api/x')
    expect(config.url).toBe('/api/x')
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 2 })
    expect(eventsOf(events, 'replay')).toHaveLength(2)
  })
})

/** JSON keeps no function, with bare axios neither. */
function withFunctions(config: unknown): object {
  const { transformRequest, transformResponse, validateStatus } = axios.defaults
  return { ...(config as object), transformRequest, transformResponse, validateStatus }
}
