// The tests of the transport with all that can send a request in Node: axios's adapters by name, by list and as
// functions, set on the instance and on the request, on instances of every make, with interceptors already on them.

import axios, { type AxiosAdapter, type AxiosInstance, type AxiosRequestConfig } from 'axios'
import { describe, expect, it } from 'vitest'
import type { Scene, Stage } from '../contracts/transport-setup.js'
import { describeTransport, describeTransportCore } from '../contracts/transport-suite.js'
import { adapterAsFunction, adapterNamed } from '../support/adapters.js'
import { failureOf, setUp } from '../support/client.js'

/** First come, first served: request interceptors run in the order of their registration. */
const ordered: AxiosRequestConfig = { transitional: { legacyInterceptorReqResOrdering: false } }

const onlyTheRefresh = 'An adapter was used that is for the refresh call only'

/** What a user writes who wants to look at each sending. */
function ownAdapter(): AxiosAdapter {
  const send = adapterAsFunction('http')
  return async (config) => ({ ...(await send(config)) })
}

/** An instance of the user's; `each` is what they say with every request. */
function scene(
  name: string,
  defaults: AxiosRequestConfig,
  { each, change }: { each?: AxiosRequestConfig; change?: (api: AxiosInstance) => void } = {},
): Scene {
  return made(name, ({ url }) => {
    const instance = axios.create({ baseURL: url, ...defaults })
    change?.(instance)
    return { instance, each }
  })
}

function made(name: string, open: (server: { url: string }) => Stage): Scene {
  return { name, open, streams: 'node' }
}

describeTransport(scene('the http adapter', { adapter: adapterNamed('http') }))
describeTransport({ ...scene('the fetch adapter', { adapter: 'fetch' }), streams: 'web' })
describeTransport(scene('a function adapter', { adapter: ownAdapter() }))

const adapters = [
  scene('the default adapters', {}),
  scene('the fetch adapter with a fetch of its own', {
    adapter: 'fetch',
    env: { fetch: (...call: Parameters<typeof fetch>) => fetch(...call) },
  }),
  scene('a list of adapters, the first of which is not to be had here', { adapter: ['xhr', 'http'] }),
  scene('a list with a function in it', { adapter: ['xhr', ownAdapter()] }),
  scene(
    'an adapter set per request by its name',
    {
      adapter(config) {
        if (config.url !== '/auth/refresh') throw new Error(onlyTheRefresh)
        return adapterAsFunction('http')(config)
      },
    },
    { each: { adapter: 'http' } },
  ),
  scene(
    'an adapter set per request by a list',
    { adapter: 'http' },
    { each: { adapter: ['fetch', 'http'] } },
  ),
  scene('a function adapter set per request', { adapter: 'fetch' }, { each: { adapter: ownAdapter() } }),
]

const instances = [
  made('the default axios export', ({ url }) => {
    axios.defaults.baseURL = url
    return { instance: axios, close: () => delete axios.defaults.baseURL }
  }),
  made('an instance made with new axios.Axios, which cannot create others', ({ url }) => ({
    instance: new axios.Axios({ ...(axios.defaults as AxiosRequestConfig), baseURL: url }),
  })),
  made('an instance made of another instance', ({ url }) => ({
    instance: axios
      .create({ baseURL: 'http://127.0.0.1:9', adapter: adapterNamed('http') })
      .create({ baseURL: url }),
  })),
  scene('legacyInterceptorReqResOrdering: false', ordered),
]

/** Interceptors as apps have them: one that says who is asking, one that looks at answers. */
function intercept(api: AxiosInstance, synchronous: boolean): void {
  api.interceptors.request.use(
    synchronous
      ? (config) => {
          config.headers['X-Trace'] = 'on'
          return config
        }
      : async (config) => {
          await null
          config.headers['X-Trace'] = 'on'
          return config
        },
    null,
    { synchronous },
  )
  api.interceptors.response.use(
    (response) => response,
    async (error: unknown) => {
      await null
      throw error
    },
  )
}

const intercepted = [
  ['', {}] as const,
  [', with legacyInterceptorReqResOrdering: false', ordered] as const,
].flatMap(([suffix, defaults]) => [
  scene(`synchronous interceptors registered before${suffix}`, defaults, {
    change: (api) => intercept(api, true),
  }),
  scene(`asynchronous interceptors registered before${suffix}`, defaults, {
    change: (api) => intercept(api, false),
  }),
  scene(`interceptors of both kinds registered before${suffix}`, defaults, {
    change(api) {
      for (const synchronous of [true, false, true]) intercept(api, synchronous)
    },
  }),
])

for (const one of [...adapters, ...instances, ...intercepted]) describeTransportCore(one)

describe('the adapter of a request', () => {
  it('sends the request and its replay, and nothing else', async () => {
    const { server, api } = await setUp()
    const sent: (string | undefined)[] = []
    const own: AxiosAdapter = (config) => {
      sent.push(config.url)
      return adapterAsFunction('http')(config)
    }
    server.killAccessTokens()
    await api.get('/api/me', { adapter: own })
    expect(sent).toEqual(['/api/me', '/api/me'])
    expect(server.counts.refreshes).toBe(1)
  })

  it('is restored on the config of the answer and of an error', async () => {
    const { server, api } = await setUp({ refreshRetry: { limit: 0 } })
    const own: AxiosAdapter = (config) => adapterAsFunction('http')(config)
    server.killAccessTokens()
    expect((await api.get('/api/me', { adapter: own })).config.adapter).toBe(own)
    expect((await api.get('/api/me')).config.adapter).toEqual(api.defaults.adapter)
    server.killAccessTokens()
    server.refresh.next(503)
    expect(await failureOf(api.get('/api/me', { adapter: own }))).toMatchObject({ config: { adapter: own } })
  })

  it.each([
    ['a name that axios does not know', { adapter: 'pigeon' as 'http' }],
    ['an empty list', { adapter: [] }],
    ['one that is not to be had here', { adapter: 'xhr' as const }],
  ])("rejects with axios's own error when it is %s, and the session goes on", async (_, config) => {
    const { server, api, auth } = await setUp()
    const bare = await failureOf(axios.get(`${server.url}/api/me`, config))
    const ours = await failureOf(api.get('/api/me', config))
    expect(ours).toMatchObject({ name: (bare as Error).name, message: (bare as Error).message })
    expect(auth.stats().heldNow).toBe(0)
    expect((await api.get('/api/me')).status).toBe(200)
  })

  it.each([
    ['throws', (): never => raise()],
    ['rejects', () => Promise.reject(new Error('the pigeon is lost'))],
  ])('that %s with its own error rejects the caller with that error', async (_, adapter) => {
    const { api, auth } = await setUp()
    await expect(api.get('/api/me', { adapter })).rejects.toThrow('the pigeon is lost')
    expect((await api.get('/api/me')).status).toBe(200)
    expect(auth.stats()).toMatchObject({ heldNow: 0, refreshes: 0 })
  })

  it('may answer with a 401 as a plain object, with any kind of headers', async () => {
    const { server, api } = await setUp()
    let answers = 0
    const adapter: AxiosAdapter = async (config) => ({
      data: {},
      status: answers++ === 0 ? 401 : 200,
      statusText: '',
      headers: {},
      config,
    })
    expect((await api.get('/api/me', { adapter })).status).toBe(200)
    expect(answers).toBe(2)
    expect(server.counts.refreshes).toBe(1)
  })
})

function raise(): never {
  throw new Error('the pigeon is lost')
}
