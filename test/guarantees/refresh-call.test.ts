// What the refresh call takes along from the instance, and what not: its time limits stay behind, and what is meant for
// the app's own API reaches no other origin, on every kind of axios. Counted and read at the servers.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import axios, { type AxiosInstance, type AxiosRequestConfig, type InternalAxiosRequestConfig } from 'axios'
import {
  type AuthClientOptions,
  type RefreshContext,
  type RefreshStrategy,
  refreshWithBearer,
  refreshWithBody,
  refreshWithCookie,
  refreshWithOAuth2,
} from 'axios-auth-client'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { loadRelease, type Release, type Version } from '../contracts/axios-versions.js'
import { json } from '../support/auth-server/answer.js'
import type { AuthServer, ReceivedRequest } from '../support/auth-server.js'
import { failureOf, setUp, startServer, tokensOf } from '../support/client.js'

const VERSIONS: Version[] = ['0.27.2', '1.2.6', '1.21.1']
const releases = new Map<Version, Release>()
for (const version of VERSIONS) releases.set(version, await loadRelease(version))

const GRANT = { access_token: 'new-access-token', refresh_token: 'new-refresh-token' }

interface Home {
  server: AuthServer
  api: AxiosInstance
  refresh(): Promise<unknown>
}

/** An app of that axios, signed in, with an API of its own and everything that an app sets up for one. */
async function homeOn(
  version: Version,
  refresh: RefreshStrategy,
  defaults: AxiosRequestConfig = {},
  options: AuthClientOptions = {},
): Promise<Home> {
  const { axios: thisAxios, library } = releases.get(version) as Release
  const server = await startServer()
  const api = thisAxios.create({ baseURL: server.url, ...defaults }) as AxiosInstance
  const auth = library.createAuthClient(api, { refreshRetry: { limit: 0 }, ...options, refresh })
  onTestFinished(() => auth.dispose())
  await auth.signIn(tokensOf(server.login()))
  return { server, api, refresh: () => auth.refresh() }
}

/** Set on an instance as apps do: for all methods, for one, and beside both. */
function setUpForHome({ defaults }: AxiosInstance): void {
  defaults.headers.common['X-Api-Key'] = 'home-key'
  defaults.headers.common.Accept = 'application/vnd.home+json'
  defaults.headers.post['X-Posted'] = 'home-post'
  defaults.headers.get['X-Read'] = 'home-get'
  Object.assign(defaults.headers, { 'X-Tenant': 'home-tenant' })
  defaults.params = { key: 'home-param' }
  defaults.withCredentials = true
  defaults.xsrfCookieName = 'home-xsrf'
  Object.assign(defaults, { auth: { username: 'home-user', password: 'home-password' } })
}

/** Whatever of the home's is in a request. */
const homeIn = ({ headers, search, bodyBytes }: ReceivedRequest) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .concat(search, bodyBytes.toString())
    .filter((text) => text.includes('home-') || /authorization: basic aG9t/i.test(text))

const calls: [string, (url: string) => RefreshStrategy][] = [
  ['refreshWithBody', (url) => refreshWithBody({ url })],
  ['refreshWithBearer', (url) => refreshWithBearer({ url })],
  ['refreshWithBearer, a GET', (url) => refreshWithBearer({ url, method: 'GET' })],
  ['refreshWithCookie', (url) => refreshWithCookie({ url })],
  ['refreshWithOAuth2', (url) => refreshWithOAuth2({ url, clientId: 'spa' })],
  ...(
    [
      ['http.post', ({ http, signal }, url) => http.post(url, { a: 1 }, { signal })],
      ['http.get', ({ http, signal }, url) => http.get(url, { signal })],
      ['http.request', ({ http }, url) => http.request({ url, method: 'PUT', data: 'x' })],
      ['http.request with the address before', ({ http }, url) => asAny(http).request(url, {})],
      ['http as a function', ({ http }, url) => http({ url, method: 'post' })],
      ['http as a function of the address', ({ http }, url) => http(url, { method: 'patch' })],
      ['http.patch', ({ http }, url) => http.patch(url, 'x')],
      ['http.delete', ({ http }, url) => http.delete(url)],
      ['http with a baseURL of the call', ({ http }, url) => callByBase(http, url)],
      ['a child of http', ({ http }, url) => http.create({ timeout: 5_000 }).post(url)],
      [
        'a child of http at home there',
        ({ http }, url) => http.create({ baseURL: new URL(url).origin }).post(new URL(url).pathname),
      ],
    ] as [string, (context: RefreshContext, url: string) => Promise<{ data: typeof GRANT }>][]
  ).map(([name, call]): [string, (url: string) => RefreshStrategy] => [
    name,
    (url) => async (context) => ({ accessToken: (await call(context, url)).data.access_token }),
  ]),
]

// biome-ignore lint/suspicious/noExplicitAny: a form that the types of axios do not have
const asAny = (http: AxiosInstance): any => http

function callByBase(http: AxiosInstance, url: string) {
  const { origin, pathname } = new URL(url)
  return http.post<typeof GRANT>(pathname, {}, { baseURL: origin })
}

describe.each(VERSIONS)('G5: on axios %s, a refresh at another origin', (version) => {
  it.each(calls)('sends nothing that is meant for the API: %s', async (_, make) => {
    const authority = await startServer()
    authority.route('/token', () => json(200, GRANT))
    const { server, api, refresh } = await homeOn(version, make(`${authority.url}/token`))
    setUpForHome(api)
    await refresh()
    expect(authority.log).toHaveLength(1)
    expect(authority.log.flatMap(homeIn)).toEqual([])
    expect(authority.log[0]?.headers.accept).toContain('application/json')
    expect(server.counts.requests).toBe(0)
  })

  it.each(calls.slice(0, -2))('and at its own origin sends it: %s', async (_, make) => {
    let url = ''
    const { server, api, refresh } = await homeOn(version, (context) => make(url)(context))
    url = `${server.url}/token`
    server.route('/token', () => json(200, GRANT))
    setUpForHome(api)
    delete (api.defaults as { auth?: unknown }).auth
    await refresh()
    expect(server.log[0]?.headers).toMatchObject({ 'x-api-key': 'home-key', 'x-tenant': 'home-tenant' })
    expect(server.log[0]?.search).toContain('key=home-param')
  })

  it('sends what the call itself sets, even if it is the same', async () => {
    const authority = await startServer()
    authority.route('/token', () => json(200, GRANT))
    const { api, refresh } = await homeOn(version, async ({ http }) => {
      await http.post(`${authority.url}/token`, 'grant', {
        headers: { 'X-Api-Key': 'home-key', 'X-Posted': 'own' },
        params: { key: 'home-param' },
        auth: { username: 'home-user', password: 'home-password' },
      })
      return { accessToken: 'a' }
    })
    setUpForHome(api)
    await refresh()
    const [call] = authority.log
    expect(call?.headers).toMatchObject({
      'x-api-key': 'home-key',
      'x-posted': 'own',
      authorization: `Basic ${Buffer.from('home-user:home-password').toString('base64')}`,
      'content-type': expect.stringContaining('application/x-www-form-urlencoded'),
    })
    expect(call?.search).toBe('?key=home-param')
    expect(call?.headers).not.toHaveProperty('x-tenant')
  })

  it('sends what the refresh has set on its `http`, and keeps that off the instance', async () => {
    const authority = await startServer()
    authority.route('/token', () => json(200, GRANT))
    const { api, refresh } = await homeOn(version, async ({ http }) => {
      http.defaults.headers.common['X-Client'] = 'mine'
      http.defaults.withCredentials = false
      await http.post(`${authority.url}/token`)
      await http.post(`${authority.url}/token`)
      return { accessToken: 'a' }
    })
    setUpForHome(api)
    await refresh()
    expect(authority.log.map(({ headers }) => headers['x-client'])).toEqual(['mine', 'mine'])
    expect(authority.log.flatMap(homeIn)).toEqual([])
    expect(api.defaults.headers.common).not.toHaveProperty('X-Client')
    expect(api.defaults.headers.common).toHaveProperty('X-Api-Key')
  })

  it.each([
    ['for all of the instance', { 'Content-Type': 'application/json' }],
    ['in small letters', { 'content-type': 'application/json' }],
    ['for all methods', { common: { 'Content-Type': 'application/json' } }],
    ['for one method', { post: { 'Content-Type': 'application/json' } }],
  ])('at its own origin sends an OAuth form as a form, whatever the default type %s', async (_, headers) => {
    const refresh = refreshWithOAuth2({ url: '/token', clientId: 'spa' })
    const home = await homeOn(version, refresh, { headers: headers as never })
    home.server.route('/token', () => json(200, GRANT))
    await home.refresh()
    expect(home.server.log[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded')
    expect(home.server.log[0]?.body).toMatchObject({ grant_type: 'refresh_token' })
  })

  it.each<[string, RefreshStrategy, RegExp]>([
    ['refreshWithBearer', refreshWithBearer({ url: '/token' }), /^Bearer /],
    [
      'refreshWithOAuth2',
      refreshWithOAuth2({ url: '/token', clientId: 'spa', clientSecret: 'a-client-secret' }),
      /^Basic c3Bh/,
    ],
  ])(
    'at its own origin keeps its own credential where the instance has an `auth`: %s',
    async (_, refresh, sent) => {
      const home = await homeOn(version, refresh)
      home.server.route('/token', () => json(200, GRANT))
      setUpForHome(home.api)
      await home.refresh()
      expect(home.server.log[0]?.headers.authorization).toMatch(sent)
    },
  )

  it.each<[string, unknown, unknown, string]>([
    ['of the call', { key: 'home' }, new URLSearchParams({ own: '1', two: '2' }), '?own=1&two=2'],
    ['of the instance', new URLSearchParams({ key: 'home' }), undefined, '?key=home'],
    ['of the instance, and others of the call', new URLSearchParams({ key: 'home' }), { own: 1 }, '?own=1'],
    ['of neither', { key: 'home', own: 0 }, { own: 1 }, '?key=home&own=1'],
  ])('at its own origin joins params as axios does: a URLSearchParams %s', async (_, params, own, search) => {
    const call = async ({ http }: RefreshContext) => ({
      accessToken: (await http.get('/token', { params: own })).data.access_token,
    })
    const home = await homeOn(version, call, { params })
    home.server.route(
      (request) => request.path === '/token',
      () => json(200, GRANT),
    )
    await home.refresh()
    expect(home.server.log[0]?.search).toBe(search)
  })

  it('sends the headers of a strategy, computed for each call', async () => {
    const authority = await startServer()
    authority.route('/token', () => json(200, GRANT))
    let count = 0
    const headers = async ({ reason }: RefreshContext) => ({
      'X-Call': `${reason} ${++count}`,
      'X-Off': undefined,
    })
    const { api, refresh } = await homeOn(
      version,
      refreshWithBody({ url: `${authority.url}/token`, headers }),
    )
    setUpForHome(api)
    await refresh()
    await refresh()
    expect(authority.log.map((request) => request.headers['x-call'])).toEqual(['asked 1', 'asked 2'])
    expect(authority.log.some((request) => 'x-off' in request.headers)).toBe(false)
  })
})

describe.each(VERSIONS)('G5: on axios %s, the limits of the instance', (version) => {
  const read = async ({ http }: RefreshContext) => {
    const { data } = await http.post<typeof GRANT>('/token')
    return { accessToken: data.access_token, refreshToken: data.refresh_token }
  }

  it.each([
    ['refreshWithBody', refreshWithBody({ url: '/token' })],
    ['a function of one’s own', read],
  ] as [string, RefreshStrategy][])(
    'do not cut a refresh short: its timeout, with %s',
    async (_, strategy) => {
      const { server, api, refresh } = await homeOn(version, strategy, { timeout: 40 })
      server.route('/token', () => json(200, GRANT))
      const slow = server.hold('/token')
      const never = server.hold('/public/slow')
      const refreshed = refresh()
      await slow.waiting(1)
      // Asked later, over before: the timeout of the instance has gone by.
      expect(await failureOf(api.get('/public/slow', { authClient: false }))).toMatchObject({
        code: 'ECONNABORTED',
      })
      slow.releaseAll()
      expect(await refreshed).toMatchObject({ status: 'signed-in' })
      expect(server.requestsTo('/token')).toHaveLength(1)
      never.releaseAll()
    },
  )

  it.each([
    ['maxContentLength', { maxContentLength: 5 }],
    ['maxBodyLength', { maxBodyLength: 5 }],
    ['an aborted signal', { signal: AbortSignal.abort() }],
    [
      'a used cancelToken',
      {
        cancelToken: {
          reason: 'over',
          promise: Promise.resolve(),
          throwIfRequested() {
            throw new Error('cancelled')
          },
          subscribe() {},
          unsubscribe() {},
        },
      },
    ],
  ])('do not cut a refresh short: %s', async (_, defaults) => {
    for (const strategy of [refreshWithBody({ url: '/token' }), read]) {
      const { server, api, refresh } = await homeOn(version, strategy)
      server.route('/token', () => json(200, GRANT))
      Object.assign(api.defaults, defaults)
      expect(await refresh()).toMatchObject({ status: 'signed-in' })
    }
  })

  it('apply when the call itself sets them', async () => {
    const { server, refresh } = await homeOn(
      version,
      async ({ http }) => void (await http.post('/token', {}, { timeout: 20 })) as never,
      { timeout: 1_000_000 },
    )
    const never = server.hold('/token')
    expect(await failureOf(refresh())).toMatchObject({
      code: 'REFRESH_FAILED',
      cause: { code: 'ECONNABORTED' },
    })
    never.releaseAll()
  })

  it('leave no listener of progress on a refresh', async () => {
    const seen: InternalAxiosRequestConfig[] = []
    const progress = () => {}
    const { refresh } = await homeOn(version, refreshWithBody({ url: '/token' }), {
      onUploadProgress: progress,
      onDownloadProgress: progress,
      adapter: async (config) => {
        seen.push(config)
        return { data: GRANT, status: 200, statusText: 'OK', headers: {}, config }
      },
    })
    await refresh()
    expect(
      seen.map(({ onUploadProgress, onDownloadProgress }) => [onUploadProgress, onDownloadProgress]),
    ).toEqual([[undefined, undefined]])
  })
})

describe('G5: the instance’s own origin', () => {
  it.each([
    ['another port', (server: AuthServer) => server.url.replace(/\d+$/, '1')],
    ['another scheme', (server: AuthServer) => server.url.replace('http:', 'https:')],
    ['another host', (server: AuthServer) => server.url.replace('127.0.0.1', 'localhost')],
    ['userinfo', (server: AuthServer) => server.url.replace('//', '//user:pass@')],
  ])('does not include %s', async (_, elsewhere) => {
    const sent: InternalAxiosRequestConfig[] = []
    const { server, api, auth } = await setUp({
      refresh: async ({ http }) => {
        await http.post(`${elsewhere(server)}/token`)
        return { accessToken: 'a' }
      },
    })
    setUpForHome(api)
    api.defaults.adapter = async (config) => {
      sent.push(config)
      return { data: {}, status: 200, statusText: 'OK', headers: {}, config }
    }
    await auth.refresh()
    const [config] = sent
    expect(JSON.stringify([config?.headers, config?.params, config?.auth])).not.toContain('home-')
    expect([config?.withCredentials, config?.xsrfCookieName]).toEqual([undefined, undefined])
  })

  it('is the allowed origins where the instance has no baseURL', async () => {
    const api = await startServer()
    const authority = await startServer()
    for (const server of [api, authority]) server.route('/token', () => json(200, GRANT))
    const instance = axios.create({ headers: { common: { 'X-Api-Key': 'home-key' } } as never })
    const { library } = releases.get('1.21.1') as Release
    let url = `${api.url}/token`
    const auth = library.createAuthClient(instance, {
      origins: [api.url],
      tokens: { accessToken: 'a', refreshToken: 'r' },
      refresh: (context) => refreshWithBody({ url })(context),
    })
    onTestFinished(() => auth.dispose())
    await auth.refresh()
    url = `${authority.url}/token`
    await auth.refresh()
    expect(api.log.map(({ headers }) => headers['x-api-key'])).toEqual(['home-key'])
    expect(authority.log.map(({ headers }) => headers['x-api-key'])).toEqual([undefined])
  })
})

describe('G5: no refresh is answered from the HTTP cache', () => {
  const { fetch } = globalThis

  /** What fetch is asked for; the answers come from a server that lets everything be kept. */
  async function asked(refresh: RefreshStrategy, fetchOptions?: object) {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=60' })
      response.end(JSON.stringify(GRANT))
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    onTestFinished(() => void server.close())
    const seen: [string, string, RequestCache][] = []
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { api, auth } = await setUp({ refresh })
    Object.assign(api.defaults, { baseURL: url, adapter: 'fetch', fetchOptions })
    vi.stubGlobal('fetch', (input: Request) => {
      seen.push([input.method, new URL(input.url).search, input.cache])
      return fetch(input)
    })
    await auth.refresh()
    return seen
  }

  const own = ({ http, signal }: RefreshContext) =>
    http.get('/token', { signal, ...({ fetchOptions: { redirect: 'error' } } as object) })

  it.each<[string, RefreshStrategy, unknown]>([
    ['a GET', refreshWithBearer({ url: '/token', method: 'GET' }), ['GET', '', 'no-store']],
    ['a GET in small letters', refreshWithBearer({ url: '/token', method: 'get' }), ['GET', '', 'no-store']],
    [
      'a GET of one’s own',
      async (context) => ({ accessToken: (await own(context)).data.access_token }),
      ['GET', '', 'no-store'],
    ],
    // Some runtimes know no such option, and a cache keeps no POST.
    ['a POST', refreshWithBody({ url: '/token' }), ['POST', '', 'default']],
  ])('that the fetch adapter could use: %s', async (_, refresh, call) => {
    expect(await asked(refresh)).toEqual([call])
    expect(await asked(refresh, { cache: 'force-cache' })).toEqual([
      (call as string[])[0] === 'GET' ? call : ['POST', '', 'force-cache'],
    ])
  })

  it('where a runtime lacks that option (workerd), by an address that no cache knows', async () => {
    vi.stubGlobal('Request', class {})
    onTestFinished(() => void vi.unstubAllGlobals())
    const { server, auth } = await setUp({
      refresh: refreshWithBearer({ url: '/token?a=1#b', method: 'GET' }),
    })
    server.route(
      (request) => request.path === '/token',
      () => json(200, GRANT),
    )
    await auth.refresh()
    expect(server.log.map(({ search }) => search)).toEqual([expect.stringMatching(/^\?a=1&_=\d+$/)])
  })

  it.each<[string, AxiosRequestConfig]>([
    ['a URLSearchParams', { url: '/token', params: new URLSearchParams({ own: '1' }) }],
    [
      'a serializer that knows its own params only',
      {
        url: '/token',
        params: { own: 1 },
        paramsSerializer: (({ own }: { own: number }) => `own=${own}`) as never,
      },
    ],
    ['an address in the baseURL alone', { baseURL: '/token?own=1' }],
  ])('on that runtime, nor without its own params: %s', async (_, call) => {
    vi.stubGlobal('Request', class {})
    onTestFinished(() => void vi.unstubAllGlobals())
    const { server, auth } = await setUp({
      refresh: async ({ http, signal }) => {
        const { baseURL = '' } = call
        const { data } = await http.request({
          ...call,
          ...(baseURL && { baseURL: server.url + baseURL }),
          signal,
        })
        return { accessToken: data.access_token }
      },
    })
    server.route(
      (request) => request.path === '/token',
      () => json(200, GRANT),
    )
    await auth.refresh()
    const search = new URLSearchParams(server.log[0]?.search)
    expect([search.get('own'), Number(search.get('_')) > 0]).toEqual(['1', true])
  })
})
