// Which requests carry the token where the app has a say of its own: a header that is switched off, an old interceptor's
// copy of the token, a credential that is not ours, an address that is not allowed. And that each of them is reported.

import axios, { type AxiosInstance, type AxiosRequestConfig, type InternalAxiosRequestConfig } from 'axios'
import axios027 from 'axios-0.27'
import { transform } from 'esbuild'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  type AuthClientOptions,
  basicUser,
  bearerHeader,
  createAuthClient,
  jsonBodyField,
  noCredential,
  refreshWithBody,
} from '../../src/index.js'
import { json } from '../support/auth-server/answer.js'
import {
  createWatchedClock,
  eventsOf,
  failureOf,
  landed,
  listenTo,
  startServer,
  tokensOf,
} from '../support/client.js'
import { settleAll } from '../support/settle-all.js'

type Act = (config: InternalAxiosRequestConfig) => unknown

/** What axios sends of a header that is `null`; before 1.0 a word. */
const OFF = axios.VERSION.startsWith('0.') ? 'null' : undefined

let shown: string[]
beforeEach(() => {
  shown = []
  vi.spyOn(console, 'warn').mockImplementation((text) => void shown.push(String(text)))
})

interface App extends AuthClientOptions {
  /** An interceptor that axios runs before ours. */
  before?: Act
  /** One that it runs after ours. */
  after?: Act
  library?: { create(config: object): unknown }
}

async function setUp({ before, after, library = axios, ...options }: App = {}) {
  const server = await startServer()
  const api = library.create({ baseURL: server.url }) as AxiosInstance
  const install = (act: Act | undefined) =>
    act &&
    api.interceptors.request.use((config) => {
      act(config)
      return config
    })
  install(after)
  const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }), ...options })
  onTestFinished(() => auth.dispose())
  install(before)
  const login = server.login()
  await auth.signIn(options.place?.tokenless ? undefined : tokensOf(login))
  const events = listenTo(auth)
  const skipped = () => eventsOf(events, 'skipped').map(({ reason }) => reason)
  const sent = (name = 'authorization') => server.log.map(({ headers }) => headers[name])
  return { server, api, auth, login, events, skipped, sent }
}

describe('a header that is switched off', () => {
  const off: [string, AxiosRequestConfig['headers']][] = [
    ['null', { Authorization: null as never }],
    ['false', { Authorization: false as never }],
    ['null in lower case', { authorization: null as never }],
    ['false in upper case', { AUTHORIZATION: false as never }],
  ]
  it.each(off)('sends the request without the credential: %s', async (_, headers) => {
    const { server, api, skipped } = await setUp()
    await api.get('/public/x', { headers: headers as object })
    await failureOf(api.post('/api/x', {}, { headers: headers as object }))
    expect(server.tokensSeen()).toEqual([])
    expect(server.counts.refreshes).toBe(0)
    expect(skipped()).toEqual(['opted-out', 'opted-out'])
  })

  const ways: [string, Act][] = [
    ['headers.Authorization = null', ({ headers }) => void (headers.Authorization = null as never)],
    ['headers.authorization = false', ({ headers }) => void (headers.authorization = false)],
    ["headers.set('Authorization', false)", ({ headers }) => headers.set('Authorization', false)],
    ['headers.set({ authorization: null })', ({ headers }) => headers.set({ authorization: null })],
    ['headers.setAuthorization(null)', ({ headers }) => headers.setAuthorization(null)],
    [
      'plain headers',
      (config) => void (config.headers = { ...config.headers, Authorization: false } as never),
    ],
  ]
  for (const place of ['before', 'after'] as const) {
    it.each(ways)(`does so when an interceptor ${place} ours sets it: %s`, async (_, act) => {
      const { server, api, skipped } = await setUp({ [place]: act })
      await api.get('/public/x')
      expect(server.tokensSeen()).toEqual([])
      expect(skipped()).toEqual(['opted-out'])
    })
  }

  const absent: [string, Act][] = [
    ['is deleted', ({ headers }) => void delete headers.Authorization],
    ['is deleted by headers.delete()', ({ headers }) => headers.delete('Authorization')],
    ['is undefined', ({ headers }) => void (headers.Authorization = undefined as never)],
    ['was not copied', (config) => void (config.headers = { Accept: 'text/plain' } as never)],
  ]
  it.each(absent)('is not a header that %s: that one is attached again', async (_, after) => {
    const { api, login, skipped, sent } = await setUp({ after })
    await api.get('/public/x')
    expect(sent()).toEqual([`Bearer ${login.access_token}`])
    expect(skipped()).toEqual([])
  })

  it('is only the header that the placement writes', async () => {
    const { api, login, skipped, sent } = await setUp({ place: bearerHeader({ header: 'X-Token' }) })
    await api.get('/public/x', { headers: { 'x-token': null as never } })
    await api.get('/public/x', { headers: { Authorization: null as never } })
    expect(sent('x-token')).toEqual([OFF, `Bearer ${login.access_token}`])
    expect(skipped()).toEqual(['opted-out'])
  })

  it.each([
    ['by the caller', {}, { headers: { Authorization: null as never } }],
    ['by an interceptor', { after: ({ headers }) => void (headers.Authorization = null as never) }, {}],
    [
      'by an interceptor in lower case',
      { after: ({ headers }) => void (headers.authorization = null as never) },
      {},
    ],
  ] as [string, App, AxiosRequestConfig][])('works with axios 0.27: %s', async (_, app, config) => {
    const { server, api, skipped } = await setUp({ ...app, library: axios027 as never })
    await settleAll([api.get('/public/x', config)])
    expect(server.tokensSeen()).toEqual([])
    expect(skipped()).toEqual(['opted-out'])
  })

  it('is checked again after beforeReplay', async () => {
    const { server, api, sent } = await setUp({
      beforeReplay: (config) => Object.assign(config.headers as object, { Authorization: null }),
    })
    server.killAccessTokens()
    await failureOf(api.get('/api/x'))
    expect(sent().at(-1)).toBe(OFF)
  })
})

describe('G20: an app that still has an interceptor with its own copy of the token', () => {
  const variants: [string, (token: string) => string][] = [
    ['as we write it', (token) => `Bearer ${token}`],
    ['in lower case', (token) => `bearer ${token}`],
    ['with blanks', (token) => `  Bearer   ${token} `],
    ['bare', (token) => token],
    ['with a scheme of its own', (token) => `JWT ${token}`],
    ['as a parameter', (token) => `Token token="${token}"`],
  ]
  const cases = (['before', 'after'] as const).flatMap((place) =>
    variants.flatMap(([name, spell]) =>
      [0, 1, 25].map((renewals) => [place, name, renewals, spell] as const),
    ),
  )
  it.each(cases)(
    'G20: is sent with the current one: %s ours, written %s, %i refreshes ago',
    async (place, _, renewals, spell) => {
      let copy = ''
      const write: Act = ({ headers }) => void (headers.Authorization = copy)
      const { server, api, auth, login, skipped, sent } = await setUp({ [place]: write })
      copy = spell(login.access_token)
      for (let i = 0; i < renewals; i++) await auth.refresh()
      server.forget()
      expect((await api.get('/api/x')).status).toBe(200)
      expect(sent()).toEqual([`Bearer ${await auth.getAccessToken()}`])
      server.killAccessTokens()
      const { config } = await api.get('/api/x')
      expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 2, answered401: 1 })
      expect(JSON.stringify(config.headers)).not.toMatch(/authorization/i)
      expect(skipped()).toEqual([])
    },
  )

  it.each([
    ['axios', axios],
    ['axios 0.27', axios027],
  ])(
    'G20: as is one with a default header set after sign-in, however many refreshes ago (%s)',
    async (_, library) => {
      const { server, api, auth, login, skipped } = await setUp({ library: library as never })
      Object.assign(api.defaults.headers.common, { authorization: `Bearer ${login.access_token}` })
      for (let i = 0; i < 25; i++) await auth.refresh()
      server.forget()
      expect((await api.get('/api/x')).status).toBe(200)
      server.killAccessTokens()
      expect((await api.get('/api/x')).status).toBe(200)
      expect(server.counts).toMatchObject({ refreshes: 1, answered401: 1 })
      expect(skipped()).toEqual([])
    },
  )

  it.each([
    ['axios', axios],
    ['axios 0.27', axios027],
  ])('G20: with a token that is not ours is left unchanged and reported (%s)', async (_, library) => {
    const { server, api, events } = await setUp({ library: library as never })
    Object.assign(api.defaults.headers.common, { Authorization: 'Bearer of-somebody-else' })
    const error = await failureOf(api.get('/api/x'))
    expect(error).toMatchObject({ response: { status: 401 } })
    expect(server.log.map(({ headers }) => headers.authorization)).toEqual(['Bearer of-somebody-else'])
    expect(server.counts.refreshes).toBe(0)
    expect(eventsOf(events, 'skipped')).toEqual([{ method: 'get', url: '/api/x', reason: 'own-credential' }])
  })

  it('G20: with an earlier user’s token sends the current one', async () => {
    let copy = ''
    const { server, api, auth, login, sent } = await setUp({
      after: ({ headers }) => void (headers.Authorization = copy),
    })
    copy = `Bearer ${login.access_token}`
    const bob = server.login('bob')
    await auth.signIn(tokensOf(bob))
    await api.get('/api/x')
    expect(sent()).toEqual([`Bearer ${bob.access_token}`])
  })

  it('G20: is also handled as the user name of Basic', async () => {
    let copy = ''
    const { api, auth, login, sent } = await setUp({
      place: basicUser(),
      after: ({ headers }) => void (headers.Authorization = copy),
    })
    copy = `Basic ${btoa(`${login.access_token}:`)}`
    for (let i = 0; i < 25; i++) await auth.updateTokens({ accessToken: `newer-${i}-token` })
    await api.get('/public/x')
    expect(sent()).toEqual([`Basic ${btoa('newer-24-token:')}`])
  })

  it.each([
    ['axios', axios],
    ['axios 0.27', axios027],
  ])("G20: is also handled as the user name of axios's `auth` (%s)", async (_, library) => {
    let username = ''
    const { server, api, auth, login, sent, skipped } = await setUp({
      library: library as never,
      place: basicUser(),
      after: (config) => void (config.auth = { username, password: '' }),
    })
    username = login.access_token
    for (const token of ['newer-token', 'newest-token']) {
      await auth.updateTokens({ accessToken: token })
      await api.get('/public/x')
    }
    expect(sent()).toEqual(['newer-token', 'newest-token'].map((token) => `Basic ${btoa(`${token}:`)}`))
    username = 'somebody'
    await api.get('/public/x')
    expect(server.log.at(-1)?.headers.authorization).toBe(`Basic ${btoa('somebody:')}`)
    expect(skipped()).toEqual(['own-credential'])
  })

  it('G3: in Authorization sends no old token there when ours is attached elsewhere', async () => {
    let copy = ''
    const { api, auth, login, sent } = await setUp({
      place: bearerHeader({ header: 'X-Token' }),
      after: ({ headers }) => void (headers.Authorization = copy),
    })
    copy = `Bearer ${login.access_token}`
    await auth.refresh()
    await api.get('/public/x')
    expect([sent().at(-1), sent('x-token').at(-1)]).toEqual([
      undefined,
      `Bearer ${await auth.getAccessToken()}`,
    ])
  })

  it('leaves a token that the caller set on a request with place: false', async () => {
    const { api, login, sent } = await setUp()
    const headers = { Authorization: `Bearer ${login.access_token}` }
    await api.get('/public/x', { headers, authClient: { place: false } })
    expect(sent()).toEqual([headers.Authorization])
  })

  it('is not recognised in an empty user name of Basic in a cookie session', async () => {
    const { api, sent, skipped } = await setUp({ place: noCredential() })
    const headers = { Authorization: `Basic ${btoa(':personal')}` }
    await api.get('/public/x', { headers })
    expect(sent()).toEqual([headers.Authorization])
    expect(skipped()).toEqual([])
  })
})

describe('skipped', () => {
  it('reports a baseURL that came later than the client', async () => {
    const [home, later] = await Promise.all([startServer(), startServer()])
    const api = axios.create({ baseURL: home.url })
    const auth = createAuthClient(api, { tokens: { accessToken: 'secret-token' } })
    onTestFinished(() => auth.dispose())
    const events = listenTo(auth)
    api.defaults.baseURL = later.url
    await api.get('/public/x?token=abc#top')
    expect(later.log.map(({ headers }) => headers.authorization)).toEqual([undefined])
    expect(eventsOf(events, 'skipped')).toEqual([{ method: 'get', url: '/public/x', reason: 'origin' }])
    expect(auth.stats().skipped).toBe(1)
  })

  const reasons: [reason: string, App, AxiosRequestConfig][] = [
    ['own-credential', {}, { auth: { username: 'u', password: 'hidden-word' } }],
    ['own-credential', {}, { headers: { Authorization: 'Bearer of-somebody-else' } }],
    ['own-credential', {}, { baseURL: 'http://user:hidden-word@127.0.0.1:1' }],
    ['opted-out', {}, { authClient: { place: false } }],
    ['opted-out', {}, { headers: { Authorization: null as never } }],
    ['opted-out', { after: (config) => void (config.authClient = { place: false }) }, {}],
    ['not-placeable', { place: jsonBodyField() }, {}],
    ['origin', {}, { baseURL: 'http://127.0.0.1:1' }],
    ['origin', {}, { baseURL: 'http://127.0.0.1:1', headers: { Authorization: 'Bearer of-somebody-else' } }],
    ['origin', { after: (config) => void (config.baseURL = 'http://127.0.0.1:1') }, {}],
  ]
  it.each(reasons)('reports %s once for a request (%o, %o)', async (reason, app, config) => {
    const { api, auth, skipped } = await setUp(app)
    await settleAll([api.get('/public/x', config)])
    expect(skipped()).toEqual([reason])
    expect(auth.stats().skipped).toBe(1)
    expect(shown).toHaveLength(1)
    expect(shown[0]).toContain(`GET /public/x went out without the token (${reason})`)
    expect(shown.join()).not.toMatch(/hidden-word|of-somebody-else/)
  })

  it('reports opted-out for a request that does not wait when the token has expired', async () => {
    const clock = createWatchedClock()
    const { api, skipped, sent } = await setUp({ clock })
    clock.jump(301_000)
    await api.get('/public/x', { authClient: { refresh: false } })
    expect(sent()).toEqual([undefined])
    expect(skipped()).toEqual(['opted-out'])
  })

  it('reports a call once, however often it is sent', async () => {
    const { server, api, skipped } = await setUp({ shouldRefresh: ({ response }) => response.status === 401 })
    server.route('/cookie', () => json(server.counts.granted ? 200 : 401, {}))
    expect((await api.get('/cookie', { authClient: { place: false } })).status).toBe(200)
    expect(server.requestsTo('/cookie')).toHaveLength(2)
    expect(skipped()).toEqual(['opted-out'])
  })

  it('reports neither authClient: false, nor its own refresh, nor a cookie session, nor anything while signed out', async () => {
    const own: App = {
      refresh: async ({ refreshToken, http }) => {
        const { data } = await http.post('/auth/refresh', { refresh_token: refreshToken })
        return { accessToken: data.access_token, refreshToken: data.refresh_token }
      },
    }
    const { server, api, auth, skipped } = await setUp(own)
    await api.get('/public/x', { authClient: false })
    server.killAccessTokens()
    await api.get('/api/x')
    await auth.signOut()
    await settleAll([api.get('/public/x', { auth: { username: 'u', password: 'p' } })])
    await settleAll([api.get('/public/x', { headers: { Authorization: null as never } })])
    expect(skipped()).toEqual([])
    const cookie = await setUp({ place: noCredential() })
    await settleAll([
      cookie.api.get('/public/x'),
      cookie.api.get('/public/x', { baseURL: 'http://127.0.0.1:1' }),
    ])
    expect(cookie.skipped()).toEqual([])
    expect(shown).toEqual([])
  })

  it('does not report a refresh through the wrapped instance', async () => {
    let api: AxiosInstance | undefined
    const world = await setUp({
      refresh: async ({ refreshToken, signal }) => {
        await undefined
        const headers = { Authorization: `Bearer ${refreshToken}` }
        const { data } = await (api as AxiosInstance).post('/auth/refresh/bearer', {}, { headers, signal })
        return { accessToken: data.access_token }
      },
    })
    api = world.api
    world.server.route('/auth/refresh/bearer', () =>
      json(200, { access_token: world.server.login().access_token }),
    )
    world.server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
    await landed(world.auth)
    expect(world.skipped()).toEqual([])
  })

  it('logs the first of each reason on the console, for each client', async () => {
    for (const one of [await setUp(), await setUp()]) {
      for (let i = 0; i < 3; i++) {
        await one.api.get('/public/x', { authClient: { place: false } })
        await settleAll([one.api.get('/public/x', { auth: { username: 'u', password: 'p' } })])
      }
      expect(one.auth.stats().skipped).toBe(6)
    }
    expect(shown).toHaveLength(4)
  })

  it.each([
    ['in production', () => vi.stubEnv('NODE_ENV', 'production')],
    ['where there is no process', () => vi.stubGlobal('process', undefined)],
  ])('logs nothing on the console %s, and still emits the event', async (_, stub) => {
    const { api, auth, skipped } = await setUp()
    const request = api.create({
      adapter: async (config) => ({ data: '', status: 200, statusText: '', headers: {}, config }),
    })
    auth.attach(request)
    stub()
    await request.get('/x', { authClient: { place: false } })
    vi.unstubAllGlobals()
    expect(skipped()).toEqual(['opted-out'])
    expect(shown).toEqual([])
  })

  it('leaves no text in a production bundle', async () => {
    const { readFile } = await import('node:fs/promises')
    const source = await readFile(new URL('../../src/transport/skipped.ts', import.meta.url), 'utf8')
    const define = (value: string) => ({ 'process.env.NODE_ENV': JSON.stringify(value) })
    const build = async (value: string) =>
      (await transform(source, { loader: 'ts', minify: true, treeShaking: true, define: define(value) })).code
    expect(await build('development')).toContain('went out without')
    expect(await build('production')).not.toMatch(/went out without|carries a credential|console/)
  })
})
