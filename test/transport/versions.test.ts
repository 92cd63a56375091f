// The tests of the transport on the older kinds of axios that the peer range allows: 0.27 knows function adapters only,
// 1.2 knows lists without a way to resolve them. The library runs on the same axios as the instance. Then two copies of
// axios in one tree, the library on one and the instance on the other.

import type { AxiosRequestConfig } from 'axios'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AxiosLike } from '../../src/index.js'
import { loadRelease, ownAdapter, type Release, type Version } from '../contracts/axios-versions.js'
import type { Scene, Stage } from '../contracts/transport-setup.js'
import { describeTransport, describeTransportCore } from '../contracts/transport-suite.js'
import type { AuthServer } from '../support/auth-server.js'
import { failureOf, startServer, tokensOf } from '../support/client.js'
import { settleAll } from '../support/settle-all.js'

const VERSIONS: Version[] = ['0.27.2', '1.2.6', '1.21.1']
const releases = new Map<Version, Release>()
for (const version of VERSIONS) releases.set(version, await loadRelease(version))
const releaseOf = (version: Version): Release => releases.get(version)!

type Open = (release: Release, server: AuthServer) => Stage

const create =
  (config: AxiosRequestConfig = {}, change?: (api: AxiosLike) => void): Open =>
  ({ axios }, { url }) => {
    const instance = axios.create({ baseURL: url, ...config })
    change?.(instance)
    return { instance }
  }

/** As apps have them. */
function intercept(api: AxiosLike, synchronous: boolean): void {
  const trace = (config: { headers: Record<string, string> }) => {
    config.headers['X-Trace'] = 'on'
    return config
  }
  const traceLater = async (config: { headers: Record<string, string> }) => {
    await null
    return trace(config)
  }
  api.interceptors.request.use(synchronous ? trace : traceLater, undefined, { synchronous })
  api.interceptors.response.use((response: unknown) => response)
}

const scenes: [string, Open][] = [
  [
    'a function adapter of its own',
    (release, { url }) => ({
      instance: release.axios.create({ baseURL: url, adapter: ownAdapter(release) }),
    }),
  ],
  [
    'a function adapter set per request',
    (release, { url }) => ({
      instance: release.axios.create({ baseURL: url }),
      each: { adapter: ownAdapter(release) },
    }),
  ],
  ['synchronous interceptors registered before', create({}, (api) => intercept(api, true))],
  ['asynchronous interceptors registered before', create({}, (api) => intercept(api, false))],
  [
    'the default export',
    ({ axios }, { url }) => {
      axios.defaults.baseURL = url
      return { instance: axios, close: () => delete axios.defaults.baseURL }
    },
  ],
  [
    'an instance that cannot create others',
    ({ axios }, { url }) => ({ instance: new axios.Axios({ ...axios.defaults, baseURL: url }) }),
  ],
]

const listed: [string, Open][] = [
  ['a list of adapters by name', create({ adapter: ['xhr', 'http'] })],
  ['one adapter by its name', create({ adapter: 'http' })],
  [
    'a list with a function in it',
    (release, { url }) => ({
      instance: release.axios.create({ baseURL: url, adapter: ['xhr', ownAdapter(release)] }),
    }),
  ],
  [
    'a list set per request',
    ({ axios }, { url }) => ({
      instance: axios.create({ baseURL: url }),
      each: { adapter: ['xhr', 'http'] },
    }),
  ],
]

// The newest is tested in adapters.test.ts.
for (const version of ['0.27.2', '1.2.6'] as const) {
  const release = releaseOf(version)
  const scene = (name: string, open: Open): Scene => ({
    name,
    open: (server) => open(release, server),
    library: release.library,
    streams: 'node',
    // Node's FormData came to axios's http adapter with 1.3.
    forms: false,
  })

  describe(`axios ${version}`, () => {
    describeTransport(scene('an instance with its default adapters', create()))
    for (const [name, open] of version === '0.27.2' ? scenes : [...scenes, ...listed]) {
      describeTransportCore(scene(name, open))
    }
  })
}

describe.each(VERSIONS)('axios %s', (version) => {
  it('is what instance and library both use', async () => {
    const { axios, library } = releaseOf(version)
    const instance = axios.create({ baseURL: 'http://127.0.0.1:9' })
    const auth = library.createAuthClient(instance, {
      tokens: { accessToken: 'expired', expiresAtMs: 1 },
      refresh: async () => null,
    })
    onTestFinished(() => auth.dispose())
    expect(axios.VERSION).toBe(version)
    expect(await failureOf(instance.request({ url: '/' }))).toBeInstanceOf(axios.AxiosError)
  })
})

// Two copies of axios in one tree: what an app has that was not deduplicated.
describe.each(
  VERSIONS.flatMap((theirs) =>
    VERSIONS.filter((ours) => ours !== theirs).map((ours) => [theirs, ours] as const),
  ),
)('an instance of axios %s with a library on axios %s', (theirs, ours) => {
  async function setUp() {
    const { axios } = releaseOf(theirs)
    const { library } = releaseOf(ours)
    const server = await startServer()
    const instance = axios.create({ baseURL: server.url })
    const auth = library.createAuthClient(instance, {
      refresh: library.refreshWithBody({ url: '/auth/refresh' }),
      refreshRetry: { limit: 0 },
    })
    onTestFinished(() => auth.dispose())
    await auth.signIn(tokensOf(server.login()))
    return { server, instance, auth }
  }

  it('answers a burst of 401s with one refresh', async () => {
    const { server, instance } = await setUp()
    server.killAccessTokens()
    const burst = [1, 2, 3].map((i) =>
      instance.request({ url: `/api/${i}`, method: 'POST', data: { text: `body ${i}` } }),
    )
    const results = await settleAll(burst)
    expect(results.map((result) => result.status === 'fulfilled' || String(result.reason.cause))).toEqual([
      true,
      true,
      true,
    ])
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 3 })
    for (const i of [1, 2, 3]) {
      const bodies = server.requestsTo(`/api/${i}`).map(({ body }) => body)
      expect(new Set(bodies.map((body) => JSON.stringify(body)))).toEqual(new Set([`{"text":"body ${i}"}`]))
    }
  })

  it('rejects a request that is aborted while it waits', async () => {
    const { server, instance } = await setUp()
    server.killAccessTokens()
    const hold = server.holdRefresh()
    const controller = new AbortController()
    const aborted = instance.request({ url: '/api/aborted', signal: controller.signal })
    const other = instance.request({ url: '/api/other' })
    for (const request of [aborted, other]) request.catch(() => {})
    await hold.waiting(1)
    controller.abort()
    expect(await failureOf(aborted)).toMatchObject({ name: 'CanceledError', __CANCEL__: true })
    hold.releaseAll()
    expect((await other).status).toBe(200)
    expect(server.requestsTo('/api/aborted')).toHaveLength(1)
  })
})
