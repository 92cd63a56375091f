// G20 to G23: where a token may go, whose it is, who sees it, and what is believed. Two real servers, `home` whose
// tokens these are and `foreign` which must see none; what no server in Node can show runs on a recording adapter that
// finds the address as axios does in a page. The same for thousands of generated addresses: urls.test.ts.

import axios, { type AxiosInstance, type AxiosRequestConfig, type InternalAxiosRequestConfig } from 'axios'
import axios027 from 'axios-0.27'
import {
  type AuthClient,
  type AuthClientOptions,
  authErrorOf,
  basicUser,
  bearerHeader,
  createAuthClient,
  jsonBodyField,
  memoryStore,
  refreshWithBody,
  type StoredRecord,
  type TokenStore,
} from 'axios-auth-client'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type AuthServer,
  type LoginAnswer,
  type StartOptions,
  startAuthServer,
} from '../support/auth-server.js'
import { untilHeld } from '../support/client.js'
import { settleAll } from '../support/settle-all.js'
import { shuffled } from '../support/shuffle.js'

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

async function startServer(options: StartOptions = {}): Promise<AuthServer> {
  const server = await startAuthServer(options)
  endings.push(() => server.stop())
  return server
}

function tokensOf({ access_token, refresh_token, expires_in }: LoginAnswer) {
  return { accessToken: access_token, refreshToken: refresh_token, expiresInSeconds: expires_in }
}

function client(api: AxiosInstance, options: AuthClientOptions = {}): AuthClient {
  const auth = createAuthClient(api, options)
  endings.push(() => auth.dispose())
  return auth
}

/** Two servers and a client that is signed in at `home`. */
async function setUp(options: AuthClientOptions = {}) {
  const [home, foreign] = await Promise.all([startServer(), startServer()])
  const api = axios.create({ baseURL: home.url })
  const auth = client(api, { refresh: refreshWithBody({ url: '/auth/refresh' }), ...options })
  const login = home.login()
  await auth.signIn(tokensOf(login))
  return { home, foreign, api, auth, login }
}

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('It went well, and should not have')
    },
    (error: unknown) => error,
  )
}

interface Sent {
  /** The origin that the request reaches, as axios and the page (or Node) find it; `nowhere` when it does not go out. */
  reaches: string
  authorization: string | undefined
  data: unknown
}

/** An instance whose adapter sends nothing and notes what would have gone where. */
function recorder(defaults: AxiosRequestConfig = {}) {
  const sent: Sent[] = []
  const api = axios.create({
    ...defaults,
    adapter: async (config) => {
      const authorization = config.headers.Authorization?.toString()
      sent.push({ reaches: reachOf(config), authorization, data: config.data })
      return { data: {}, status: 200, statusText: 'OK', headers: {}, config }
    },
  })
  return { api, sent }
}

function reachOf({ url, baseURL, allowAbsoluteUrls }: InternalAxiosRequestConfig): string {
  try {
    const path = axios.getUri({ url, baseURL, allowAbsoluteUrls })
    const { protocol, host } = new URL(path, globalThis.document?.baseURI ?? globalThis.location?.href)
    return `${protocol}//${host}`
  } catch {
    return 'nowhere'
  }
}

function standOnPage(href: string, baseURI = href): void {
  vi.stubGlobal('location', { href })
  vi.stubGlobal('document', { baseURI })
}

const HOME = 'https://api.example.com'
const EVIL = 'https://evil.example'
const KNOWS_ALLOW_ABSOLUTE_URLS = axios
  .getUri({ url: `${HOME}/x`, baseURL: EVIL, allowAbsoluteUrls: false })
  .startsWith(EVIL)

describe('G20: a token goes only to allowed origins', () => {
  // Whether one goes there at all is axios's affair, and differs from version to version.
  const ways: [string, (foreign: string) => AxiosRequestConfig][] = [
    ['an absolute URL', (foreign) => ({ url: `${foreign}/public/x` })],
    ['an absolute URL in upper case', (foreign) => ({ url: `${foreign}/public/x`.replace('http', 'HTTP') })],
    ['an absolute URL with a query', (foreign) => ({ url: `${foreign}/public/x?y=1`, params: { z: 2 } })],
    ['a baseURL of its own', (foreign) => ({ baseURL: foreign, url: '/public/x' })],
    [
      'a baseURL of its own in upper case',
      (foreign) => ({ baseURL: foreign.replace('http', 'HTTP'), url: '/public/x' }),
    ],
    ['a baseURL of its own and an empty URL', (foreign) => ({ baseURL: `${foreign}/public/x` })],
    [
      'userinfo that looks like home',
      (foreign) => ({ url: foreign.replace('//', '//127.0.0.1:80@').concat('/public/x') }),
    ],
    [
      'userinfo with a backslash',
      (foreign) => ({ url: `${foreign.replace('//', '//127.0.0.1\\@')}/public/x` }),
    ],
    [
      'a baseURL with userinfo',
      (foreign) => ({ baseURL: foreign.replace('//', '//u:p@'), url: '/public/x' }),
    ],
    [
      'back-slashes for slashes after the scheme',
      (foreign) => ({ url: `${foreign.replaceAll('/', '\\')}/public/x`, baseURL: '' }),
    ],
    [
      'one slash after the scheme',
      (foreign) => ({ url: `${foreign.replace('//', '/')}/public/x`, baseURL: '' }),
    ],
    ['allowAbsoluteUrls: true', (foreign) => ({ url: `${foreign}/public/x`, allowAbsoluteUrls: true })],
    [
      'allowAbsoluteUrls: false over a foreign baseURL',
      (foreign) => ({ baseURL: foreign, url: '/public/x', allowAbsoluteUrls: false }),
    ],
    ['the same host and another port', (foreign) => ({ url: `//${new URL(foreign).host}/public/x` })],
    [
      'a tab in the scheme',
      (foreign) => ({ url: `${foreign.replace('http', 'ht\ttp')}/public/x`, baseURL: '' }),
    ],
    ['a newline in the host', (foreign) => ({ url: `${foreign.replace('127', '12\n7')}/public/x` })],
    ['a blank before the scheme', (foreign) => ({ url: ` ${foreign}/public/x`, baseURL: '' })],
  ]

  it.each(ways)('G20: no token is sent to another server by %s', async (_, configOf) => {
    const { home, foreign, api, auth } = await setUp()
    const sendBy = (one: AxiosInstance) => [
      one.request(configOf(foreign.url)),
      one.request({ ...configOf(foreign.url), method: 'POST', data: {} }),
    ]
    await settleAll(sendBy(axios.create({ baseURL: home.url })))
    const alone = foreign.counts.requests
    home.forget()
    foreign.forget()
    await settleAll([...sendBy(api), api.post('/api/x', {})])
    expect(foreign.counts.requests).toBe(alone)
    expect(foreign.leaksFrom(home)).toEqual([])
    expect(home.requestsTo('/api/x')).toHaveLength(1)
    expect(home.counts).toMatchObject({ refreshes: 0, answered401: 0 })
    expect(auth.stats()).toMatchObject({ refused: 0, replays: 0 })
  })

  it.each([
    ['its own path', 'home', {}],
    ['its own absolute URL', 'home', { absolute: true }],
    ['its own absolute URL in upper case', 'home', { absolute: true, upper: true }],
    ['an empty URL', 'home', { empty: true }],
    ['a path that looks like an address', 'home', { url: '/api/https://evil.example/' }],
    ['a path with back-slashes', 'home', { url: '/\\evil.example/api' }],
    ['a path with an at', 'home', { url: '/api/@evil.example' }],
  ] as const)(
    'G20: the token is sent to %s',
    async (_, __, how: { absolute?: boolean; upper?: boolean; empty?: boolean; url?: string }) => {
      const { home, api, login } = await setUp()
      const path = how.empty ? '' : (how.url ?? '/api/me')
      const url = how.absolute ? `${how.upper ? home.url.replace('http', 'HTTP') : home.url}${path}` : path
      await api.get(url, how.empty ? { baseURL: `${home.url}/api/me` } : {}).catch(() => undefined)
      expect(home.log).toHaveLength(1)
      expect(home.log[0]?.headers.authorization).toBe(`Bearer ${login.access_token}`)
    },
  )

  it.each([
    ['a protocol-relative URL', '//evil.example/x', 'https://evil.example'],
    ['a protocol-relative URL with back-slashes', '\\\\evil.example/x', 'https://evil.example'],
    ['a slash and a back-slash', '/\\evil.example/x', 'https://evil.example'],
    ['a back-slash and a slash', '\\/evil.example/x', 'https://evil.example'],
    ['a tab between slashes', '/\t/evil.example/x', 'https://evil.example'],
    ['a newline between slashes', '/\n/evil.example/x', 'https://evil.example'],
    ['blanks before two slashes', '  //evil.example/x', 'https://evil.example'],
    ['three slashes', '///evil.example/x', 'https://evil.example'],
    ['userinfo of home', '//api.example.com@evil.example/x', 'https://evil.example'],
    ['a longer host', '//api.example.com.evil.example/x', 'https://api.example.com.evil.example'],
    ['a Cyrillic letter', '//аpi.example.com/x', 'https://xn--pi-6kc.example.com'],
    ['another port', '//api.example.com:8443/x', 'https://api.example.com:8443'],
    ['plain http', 'http://api.example.com/x', 'http://api.example.com'],
    ['a trailing dot', '//api.example.com./x', 'https://api.example.com.'],
    ['a scheme of its own', 'ws://api.example.com/x', 'ws://api.example.com'],
  ])('G20: in a page, no token is sent by %s', async (_, url, reaches) => {
    standOnPage(`${HOME}/app/`)
    const { api, sent } = recorder()
    await client(api, { tokens: { accessToken: 'secret' } }).ready
    await api.get(url)
    await api.get(url, { allowAbsoluteUrls: false })
    expect(sent).toEqual(Array(2).fill({ reaches, authorization: undefined }))
  })

  it.each([
    '/x',
    'x',
    '../x',
    '',
    '?q',
    '#h',
    '/x//evil.example',
    '/@evil.example',
    'https://api.example.com',
    '//API.example.com/x',
    'https://api.example.com:443/x',
    'https:x',
    'https:/x',
  ])('G20: in a page, the token is sent to %j of the page itself', async (url) => {
    standOnPage(`${HOME}/app/`)
    const { api, sent } = recorder()
    await client(api, { tokens: { accessToken: 'secret' } }).ready
    // axios itself refuses an http address without its two slashes.
    if (url.startsWith('https:') && !url.startsWith('https://')) return expectNoLeak(api.get(url), sent)
    await api.get(url)
    expect(sent).toMatchObject([{ reaches: HOME, authorization: 'Bearer secret' }])
  })

  it.each(
    ['/', '/api', '/api/', '/api//', 'api'].flatMap((baseURL) =>
      ['/x', 'x', ''].map((url) => [baseURL, url]),
    ),
  )('G20: in a page, the token is sent to the base %j with %j', async (baseURL, url) => {
    standOnPage(`${HOME}/app/`)
    const { api, sent } = recorder({ baseURL })
    await client(api, { tokens: { accessToken: 'secret' } }).ready
    await api.get(url)
    expect(sent).toMatchObject([{ reaches: HOME, authorization: 'Bearer secret' }])
  })

  it('G20: a <base> element that redirects relative URLs receives no token', async () => {
    standOnPage(`${HOME}/app/`, `${EVIL}/`)
    const { api, sent } = recorder()
    await client(api, { tokens: { accessToken: 'secret' }, origins: [HOME] }).ready
    await api.get('/x')
    await api.get('x', { baseURL: '/api' })
    await api.get(`${HOME}/x`)
    expect(sent).toEqual([
      { reaches: EVIL, authorization: undefined },
      { reaches: EVIL, authorization: undefined },
      { reaches: HOME, authorization: 'Bearer secret' },
    ])
  })

  it.each([
    ['//evil.example', '/x'],
    ['/', '/evil.example/x'],
    ['/\\evil.example', '/x'],
    ['\\\\evil.example', 'x'],
    ['/\t', '/evil.example/x'],
    ['https:', '//evil.example/x'],
    ['https:/', 'evil.example/x'],
  ])('G20: in a page, a baseURL %j with URL %j sends no token to another origin', async (baseURL, url) => {
    standOnPage(`${HOME}/app/`)
    const { api, sent } = recorder()
    await client(api, { tokens: { accessToken: 'secret' } }).ready
    for (const allowAbsoluteUrls of [undefined, false]) {
      await api.get(url, { baseURL, allowAbsoluteUrls }).catch(() => undefined)
    }
    expect(sent.length).toBeGreaterThan(0)
    for (const { reaches, authorization } of sent) {
      // Newer versions of axios refuse an http address without its two slashes: it goes nowhere.
      const atHome = reaches === HOME || reaches === 'nowhere'
      expect([reaches, atHome ? undefined : authorization]).toEqual([reaches, undefined])
    }
  })

  it('G20: an IDN and its Punycode are one origin', async () => {
    const { api, sent } = recorder({ baseURL: 'https://bücher.example' })
    await client(api, { tokens: { accessToken: 'secret' } }).ready
    for (const url of [
      '/x',
      'https://xn--bcher-kva.example/x',
      'https://BÜCHER.example/x',
      'https://bücher.example:443/x',
    ]) {
      await api.get(url)
    }
    await api.get('https://bucher.example/x')
    expect(sent.map(({ authorization }) => authorization)).toEqual([
      ...Array(4).fill('Bearer secret'),
      undefined,
    ])
  })

  const plain: [home: string, url: string, attached: boolean][] = [
    ['https://api.example.com', 'https://api.example.com:443/x', true],
    ['https://api.example.com:443', 'https://api.example.com/x', true],
    ['http://api.example.com', 'http://api.example.com:80/x', true],
    ['http://api.example.com:80/v1', 'http://API.EXAMPLE.COM/x', true],
    ['https://api.example.com', 'https://api.example.com:80/x', false],
    ['http://api.example.com', 'https://api.example.com/x', false],
    ['http://api.example.com', 'http://api.example.com:443/x', false],
    ['http://[::1]:3000', 'http://[::1]:3000/x', true],
    ['http://[::1]:3000', 'http://[::1]:3001/x', false],
    ['https://api.example.com', 'https://sub.api.example.com/x', false],
    ['https://api.example.com', 'https://example.com/x', false],
  ]
  const platforms: [name: string, stub: () => void][] = [
    ['home', () => undefined],
    [
      'home on a platform that takes no URL apart, as React Native,',
      () => {
        class Whole {
          get host(): never {
            throw new Error('URL.host is not implemented')
          }
        }
        vi.stubGlobal('URL', Whole)
      },
    ],
  ]
  it.each(platforms.flatMap(([platform, stub]) => plain.map((row) => [platform, ...row, stub] as const)))(
    'G20: from %s %s, a token for %s: %s',
    async (_, baseURL, url, attached, stub) => {
      stub()
      const { api, sent } = recorder({ baseURL })
      await client(api, { tokens: { accessToken: 'secret' } }).ready
      await api.get(url)
      expect(sent[0]?.authorization).toBe(attached ? 'Bearer secret' : undefined)
    },
  )

  it('G20: an attached instance without an origin of its own does not allow unreadable addresses', async () => {
    const { api, sent } = recorder({ baseURL: HOME })
    const auth = client(api, { tokens: { accessToken: 'secret' } })
    const withoutOrigin = recorder()
    auth.attach(withoutOrigin.api)
    for (const one of [api, withoutOrigin.api]) await one.get('https://user:pass@evil.example/x')
    expect([...sent, ...withoutOrigin.sent].map(({ authorization }) => authorization)).toEqual([
      undefined,
      undefined,
    ])
  })

  it.each([undefined, false])(
    'G20: a URL object is read like its text (allowAbsoluteUrls: %s)',
    async (allowAbsoluteUrls) => {
      const { api, sent } = recorder()
      await client(api, { tokens: { accessToken: 'secret' }, origins: [HOME] }).ready
      for (const url of ['https://api.example.com/x', 'https://evil.example/x']) {
        await api.request({ url: new URL(url) as never, baseURL: '/app', allowAbsoluteUrls })
      }
      expect(sent.map(({ authorization }) => authorization)).toEqual(
        allowAbsoluteUrls === false ? [undefined, undefined] : ['Bearer secret', undefined],
      )
    },
  )

  it('G20: allowAbsoluteUrls: false sends no token to a foreign baseURL, whichever axios reads it', async () => {
    const { api, sent } = recorder({ baseURL: HOME })
    await client(api, { tokens: { accessToken: 'secret' } }).ready
    await api.get(`${HOME}/x`, { baseURL: EVIL, allowAbsoluteUrls: false })
    await api.get(`${EVIL}/x`, { baseURL: HOME, allowAbsoluteUrls: false })
    await api.get(`${HOME}/x`, { baseURL: EVIL })
    await api.get(`${HOME}/x`, { baseURL: HOME, allowAbsoluteUrls: false })
    // Axios before 1.8 does not know the option and goes to the address itself.
    const [first, second] = KNOWS_ALLOW_ABSOLUTE_URLS ? [EVIL, HOME] : [HOME, EVIL]
    expect(sent).toEqual([
      { reaches: first, authorization: undefined },
      { reaches: second, authorization: undefined },
      { reaches: HOME, authorization: 'Bearer secret' },
      { reaches: HOME, authorization: 'Bearer secret' },
    ])
  })

  it('G20: `origins` allows further origins, and only those', async () => {
    const { api, sent } = recorder({ baseURL: HOME })
    const auth = client(api, { origins: ['https://one.example', 'https://two.example:8443/path'] })
    await auth.signIn({ accessToken: 'secret' })
    for (const url of [
      'https://one.example/x',
      'https://two.example:8443/x',
      '/x',
      'https://two.example/x',
    ]) {
      await api.get(url)
    }
    expect(sent.map(({ authorization }) => authorization)).toEqual([
      'Bearer secret',
      'Bearer secret',
      undefined,
      undefined,
    ])
  })

  it('G20: an attached instance adds its origin, and removes it when it is detached', async () => {
    const { api, sent } = recorder({ baseURL: HOME })
    const auth = client(api, { tokens: { accessToken: 'secret' } })
    const files = 'https://files.example'
    const send = () => api.get('/x', { baseURL: files })
    await send()
    const detach = auth.attach(axios.create({ baseURL: files }))
    await send()
    detach()
    await send()
    expect(sent.map(({ authorization }) => authorization)).toEqual([undefined, 'Bearer secret', undefined])
  })

  it('G20: a detached origin gets no token, even right after it was allowed', async () => {
    const { api, sent } = recorder({ baseURL: HOME })
    const auth = client(api, { tokens: { accessToken: 'secret' } })
    const detach = auth.attach(axios.create({ baseURL: EVIL }))
    await api.get('/x', { baseURL: EVIL })
    detach()
    await api.get('/x', { baseURL: EVIL })
    expect(sent.map(({ authorization }) => authorization)).toEqual(['Bearer secret', undefined])
  })

  it('G20: an origin that is detached while a request to it waits gets no token', async () => {
    const { home, foreign, api, auth } = await setUp()
    const other = axios.create({ baseURL: foreign.url })
    const detach = auth.attach(other)
    home.killAccessTokens()
    const hold = home.holdRefresh()
    const mine = api.get('/api/me')
    await hold.waiting(1)
    const theirs = other.get('/api/me')
    await untilHeld(auth, 2)
    detach()
    hold.releaseAll()
    const [replayed] = await settleAll([mine, theirs])
    expect(replayed).toMatchObject({ value: { status: 200 } })
    expect(foreign.log.map(({ headers }) => headers.authorization)).toEqual([undefined])
  })

  it('G20: an app shell with a scheme of its own is an origin like any other', async () => {
    standOnPage('capacitor://localhost/index.html')
    const { api, sent } = recorder()
    await client(api, { tokens: { accessToken: 'secret' } }).ready
    await api.get('/x')
    await api.get('capacitor://evil/x')
    await api.get('ionic://localhost/x')
    expect(sent.map(({ authorization }) => authorization)).toEqual(['Bearer secret', undefined, undefined])
  })
})

describe('G20: the address is checked when the request is sent', () => {
  /** Registered first, so that axios runs it after ours. */
  async function withLaterInterceptor(change: (config: InternalAxiosRequestConfig, foreign: string) => void) {
    const [home, foreign] = await Promise.all([startServer(), startServer()])
    const api = axios.create({ baseURL: home.url })
    api.interceptors.request.use((config) => {
      change(config, foreign.url)
      return config
    })
    const auth = client(api, { refresh: refreshWithBody({ url: '/auth/refresh' }) })
    await auth.signIn(tokensOf(home.login()))
    return { home, foreign, api, auth }
  }

  it.each([
    [
      'the URL',
      (config: InternalAxiosRequestConfig, foreign: string) => {
        config.url = `${foreign}/public/x`
      },
    ],
    [
      'the baseURL',
      (config: InternalAxiosRequestConfig, foreign: string) => {
        config.baseURL = foreign
      },
    ],
  ])('G20: an interceptor after ours that changes %s gets no token sent elsewhere', async (_, change) => {
    const { home, foreign, api } = await withLaterInterceptor(change)
    await api.get('/public/x')
    expect(foreign.counts.requests).toBe(1)
    expect(foreign.leaksFrom(home)).toEqual([])
    expect(home.counts.requests).toBe(0)
  })

  it('G20: an interceptor after ours that sets allowAbsoluteUrls gets no token sent elsewhere', async () => {
    const { api, sent } = recorder()
    api.interceptors.request.use((config) => {
      config.allowAbsoluteUrls = false
      return config
    })
    await client(api, { tokens: { accessToken: 'secret' }, origins: [HOME] }).ready
    await api.get(`${HOME}/x`, { baseURL: EVIL })
    expect(sent).toMatchObject([
      { reaches: KNOWS_ALLOW_ABSOLUTE_URLS ? EVIL : HOME, authorization: undefined },
    ])
  })

  it('G20: an interceptor after ours that redirects a request to our origin gets the token attached', async () => {
    const { api, sent } = recorder({ baseURL: HOME })
    api.interceptors.request.use((config) => {
      config.url = '/x'
      return config
    })
    await client(api, { tokens: { accessToken: 'secret' } }).ready
    await api.get(`${EVIL}/x`)
    expect(sent).toMatchObject([{ reaches: HOME, authorization: 'Bearer secret' }])
  })

  it('G20: a transformRequest that changes the URL gets no token sent elsewhere', async () => {
    const { api, sent } = recorder({ baseURL: HOME })
    await client(api, { tokens: { accessToken: 'secret' } }).ready
    await api.post(
      '/x',
      {},
      {
        transformRequest: [
          function (this: InternalAxiosRequestConfig, data: unknown) {
            this.url = `${EVIL}/x`
            return JSON.stringify(data)
          },
        ],
      },
    )
    expect(sent).toMatchObject([{ reaches: EVIL, authorization: undefined }])
  })

  it('G20: a beforeReplay hook that changes the replay’s origin gets no token sent there', async () => {
    const foreign = await startServer()
    const { home, api } = await setUp({
      beforeReplay: (config) => {
        config.url = `${foreign.url}/public/x`
      },
    })
    home.killAccessTokens()
    await settleAll([api.get('/api/me')])
    expect(foreign.leaksFrom(home)).toEqual([])
  })

  it('G20: a body field attached before an interceptor changed the URL is not sent elsewhere', async () => {
    const [home, foreign] = await Promise.all([startServer(), startServer()])
    const api = axios.create({ baseURL: home.url })
    api.interceptors.request.use((config) => {
      config.baseURL = foreign.url
      return config
    })
    const auth = client(api, { place: jsonBodyField('token') })
    await auth.signIn(tokensOf(home.login()))
    await api.post('/public/x', { a: 1 })
    expect(foreign.requestsTo('/public/x')[0]?.body).toEqual({ a: 1 })
    expect(foreign.leaksFrom(home)).toEqual([])
  })
})

describe('G20: a redirect', () => {
  it('G20: to another origin loses the Bearer', async () => {
    const { home, foreign, api } = await setUp()
    const { data } = await api.get('/api/redirect', { params: { to: `${foreign.url}/public/x` } })
    expect(data).toMatchObject({ path: '/public/x' })
    expect(home.requestsTo('/api/redirect')[0]?.user).toBe('ada')
    expect(foreign.counts.requests).toBe(1)
    expect(foreign.leaksFrom(home)).toEqual([])
  })

  it('G20: to another origin loses HTTP Basic', async () => {
    const { home, foreign, api, login } = await setUp({ place: basicUser() })
    await api.get('/public/redirect', { params: { to: `${foreign.url}/public/x` } })
    expect(home.requestsTo('/public/redirect')[0]?.headers.authorization).toBe(
      `Basic ${btoa(`${login.access_token}:`)}`,
    )
    expect(foreign.counts.requests).toBe(1)
    expect(foreign.leaksFrom(home)).toEqual([])
  })

  it('G20: keeps a header of another name and a body field, as documented', async () => {
    for (const place of [bearerHeader({ header: 'X-Token' }), jsonBodyField('token')]) {
      const { home, foreign, api, auth, login } = await setUp({ place })
      await api.post('/public/redirect', {}, { params: { to: `${foreign.url}/public/x`, status: 307 } })
      expect(foreign.leaksFrom(home)).toEqual([login.access_token])
      auth.dispose()
    }
  })

  it('G20: within our origin keeps the token', async () => {
    const { home, api } = await setUp()
    await api.get('/api/redirect', { params: { to: '/api/me' } })
    expect(home.requestsTo('/api/me')[0]?.user).toBe('ada')
  })
})

describe("G20: a 401 that is not about our token is the caller's", () => {
  it.each([
    ['an absolute URL', (foreign: string) => ({ url: `${foreign}/api/me` })],
    ['a baseURL of its own', (foreign: string) => ({ baseURL: foreign, url: '/api/me' })],
  ])('G20: a 401 of another server, reached by %s, is passed on untouched', async (_, configOf) => {
    const { home, foreign, api, auth } = await setUp()
    const error = await failureOf(api.request(configOf(foreign.url)))
    expect(error).toMatchObject({ isAxiosError: true, response: { status: 401 } })
    expect(authErrorOf(error)).toBeUndefined()
    expect(foreign.counts.requests).toBe(1)
    expect(home.counts.requests).toBe(0)
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  it('G20: a 401 of another server ends no session without `refresh`', async () => {
    const { foreign, api, auth } = await setUp({ refresh: undefined })
    await failureOf(api.get(`${foreign.url}/api/me`))
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  it('G20: a 401 of a redirect target elsewhere costs at most one refresh and no session', async () => {
    const { home, foreign, api, auth } = await setUp()
    const error = await failureOf(api.get('/public/redirect', { params: { to: `${foreign.url}/api/me` } }))
    expect(error).toMatchObject({ response: { status: 401 } })
    expect(home.counts.refreshes).toBeLessThanOrEqual(1)
    expect(foreign.leaksFrom(home)).toEqual([])
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  const own: [string, AxiosRequestConfig | (() => AxiosRequestConfig), string][] = [
    ['an Authorization header', { headers: { Authorization: 'Bearer mine' } }, 'Bearer mine'],
    ['an authorization header in lower case', { headers: { authorization: 'Bearer mine' } }, 'Bearer mine'],
    ['an AUTHORIZATION header in upper case', { headers: { AUTHORIZATION: 'Bearer mine' } }, 'Bearer mine'],
    ['an Authorization header of another scheme', { headers: { Authorization: 'Digest x' } }, 'Digest x'],
    [
      'an AxiosHeaders object',
      () => ({ headers: new axios.AxiosHeaders({ aUTHORIZATION: 'Bearer mine' }) }),
      'Bearer mine',
    ],
    ['auth', { auth: { username: 'u', password: 'p' } }, `Basic ${btoa('u:p')}`],
  ]

  it.each(own)(
    "G20: a caller's own credential by %s is left unchanged, and so is its 401",
    async (_, config, arrives) => {
      const { home, api, auth, login } = await setUp()
      const error = await failureOf(api.get('/api/me', typeof config === 'function' ? config() : config))
      expect(authErrorOf(error)).toBeUndefined()
      expect(home.log.map(({ headers }) => headers.authorization)).toEqual([arrives])
      expect(home.tokensSeen()).toEqual([])
      expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
      // The session itself is as it was.
      await api.get('/api/me')
      expect(home.log.at(-1)?.accessToken).toBe(login.access_token)
      expect(home.counts.refreshes).toBe(0)
    },
  )

  it("G20: a caller's userinfo is left unchanged, and so is its 401", async () => {
    const { home, api } = await setUp()
    const error = await failureOf(api.get(`${home.url.replace('//', '//u:p@')}/api/me`))
    expect(authErrorOf(error)).toBeUndefined()
    expect(home.log.map(({ headers }) => headers.authorization)).toEqual([`Basic ${btoa('u:p')}`])
    expect(home.counts.refreshes).toBe(0)
  })

  it("G20: a caller's own credential is sent while a refresh runs, without waiting for it", async () => {
    const { home, api } = await setUp()
    home.killAccessTokens()
    const refresh = home.holdRefresh()
    const held = api.get('/api/held')
    await refresh.waiting(1)
    await failureOf(api.get('/api/own', { headers: { Authorization: 'Bearer mine' } }))
    expect(home.requestsTo('/api/own')).toHaveLength(1)
    refresh.releaseAll()
    expect((await held).status).toBe(200)
  })

  const interceptors = [axios, axios027 as unknown as typeof axios].flatMap((library) =>
    (['before', 'after'] as const).flatMap((order) =>
      (['Authorization', 'authorization'] as const).map((name) => ({
        library,
        version: library.VERSION,
        order,
        name,
      })),
    ),
  )

  it.each(interceptors)(
    "G20: a credential that an interceptor attaches $order ours counts as the caller's ($name, axios $version)",
    async ({ library, order, name }) => {
      const home = await startServer()
      const api = library.create({ baseURL: home.url })
      const own = () =>
        api.interceptors.request.use((config) => {
          config.headers[name] = 'Bearer mine'
          return config
        })
      // The last one to be installed runs first.
      if (order === 'after') own()
      const auth = client(api, { refresh: refreshWithBody({ url: '/auth/refresh' }) })
      if (order === 'before') own()
      await auth.signIn(tokensOf(home.login()))
      const error = await failureOf(api.get('/api/me'))
      expect(authErrorOf(error)).toBeUndefined()
      expect(home.log.map(({ headers }) => headers.authorization)).toEqual(['Bearer mine'])
      const { headers } = (error as { config: InternalAxiosRequestConfig }).config
      const credentials = Object.entries(headers).filter(([key]) => /authorization/i.test(key))
      expect(credentials).toEqual([[expect.anything(), 'Bearer mine']])
    },
  )

  it.each(['Authorization', 'x-token'])(
    "G20: with a header of another name, the caller's own %s is left unchanged",
    async (header) => {
      const { home, api } = await setUp({ place: bearerHeader({ header: 'X-Token', scheme: '' }) })
      await failureOf(api.get('/api/me', { headers: { [header]: 'mine' } }))
      expect(home.tokensSeen()).toEqual([])
      expect(home.log[0]?.headers[header.toLowerCase()]).toBe('mine')
      expect(home.counts.refreshes).toBe(0)
    },
  )

  it('G20: with authClient: false, the 401 is passed on untouched', async () => {
    const { home, api } = await setUp()
    const error = await failureOf(api.get('/api/me', { authClient: false }))
    expect(authErrorOf(error)).toBeUndefined()
    expect(home.tokensSeen()).toEqual([])
    expect(home.counts.refreshes).toBe(0)
  })
})

describe('G20: an Authorization of ours is recognised when a plug-in sends it again', () => {
  /** A plug-in that keeps a copy of each config as it was after our interceptor, credential and all. */
  async function withKeeper(copy: (config: InternalAxiosRequestConfig) => AxiosRequestConfig) {
    const home = await startServer()
    const api = axios.create({ baseURL: home.url })
    const kept: AxiosRequestConfig[] = []
    api.interceptors.request.use((config) => {
      kept.push(copy(config))
      return config
    })
    const auth = client(api, { refresh: refreshWithBody({ url: '/auth/refresh' }) })
    await auth.signIn(tokensOf(home.login()))
    return { home, api, auth, kept }
  }

  const withKey = (config: InternalAxiosRequestConfig): AxiosRequestConfig => ({
    ...config,
    headers: { ...config.headers },
  })
  const withoutKey = ({ method, url, baseURL, headers }: InternalAxiosRequestConfig): AxiosRequestConfig => ({
    method,
    url,
    baseURL,
    headers: { ...headers },
  })

  it.each([
    ['with our key on it', withKey],
    ['without our key on it', withoutKey],
  ])('G20: a copy %s is sent with the current token, and its 401 is refreshed', async (_, copy) => {
    const { home, api, auth, kept } = await withKeeper(copy)
    await api.get('/api/me')
    expect(kept[0]?.headers).toHaveProperty('Authorization')
    await auth.refresh()
    home.forget()
    expect((await api.request(kept[0] as AxiosRequestConfig)).status).toBe(200)
    expect(home.log.map(({ accessToken }) => accessToken)).toEqual([await auth.getAccessToken()])
    home.killAccessTokens()
    expect((await api.request(kept[0] as AxiosRequestConfig)).status).toBe(200)
    expect(home.counts).toMatchObject({ refreshes: 1, answered401: 1, protectedOk: 2 })
  })

  it('G20: a copy with our key and a credential of the plug-in is sent with that credential', async () => {
    const { home, api, kept } = await withKeeper(withKey)
    await api.get('/api/me')
    home.forget()
    const headers = { ...kept[0]?.headers, Authorization: 'Bearer of-the-plug-in' } as never
    await failureOf(api.request({ ...kept[0], headers }))
    expect(home.log.map(({ headers }) => headers.authorization)).toEqual(['Bearer of-the-plug-in'])
    expect(home.counts.refreshes).toBe(0)
  })

  it.each([
    ['with our key on it', withKey],
    ['without our key on it', withoutKey],
  ])('G20: a copy %s that is several tokens old is sent with the current token', async (_, copy) => {
    const { home, api, auth, kept } = await withKeeper(copy)
    await api.get('/api/me')
    for (let i = 0; i < 3; i++) await auth.refresh()
    home.forget()
    await settleAll([api.request(kept[0] as AxiosRequestConfig)])
    expect(home.log.map(({ accessToken }) => accessToken)).toEqual([await auth.getAccessToken()])
  })

  it.each([
    ['with our key on it', withKey],
    ['without our key on it', withoutKey],
  ])('G20: a copy %s is sent without a token after sign-out', async (_, copy) => {
    const { home, api, auth, kept } = await withKeeper(copy)
    await api.get('/api/me')
    await auth.signOut()
    home.forget()
    await settleAll([api.request(kept[0] as AxiosRequestConfig)])
    expect(home.log).toHaveLength(1)
    expect(home.tokensSeen()).toEqual([])
  })

  it.each([
    ['with our key on it', withKey],
    ['without our key on it', withoutKey],
  ])('G20: a copy %s carries no token of the previous user in the next session', async (_, copy) => {
    const { home, api, auth, kept } = await withKeeper(copy)
    const adas = await auth.getAccessToken()
    await api.get('/api/me')
    await auth.signIn(tokensOf(home.login('bob')))
    home.forget()
    await settleAll([api.request(kept[0] as AxiosRequestConfig)])
    expect(home.log).toHaveLength(1)
    expect(home.tokensSeen()).not.toContain(adas)
  })

  it('G20: a copy sent to another origin carries no token', async () => {
    const foreign = await startServer()
    for (const copy of [withKey, withoutKey]) {
      const { home, api, kept } = await withKeeper(copy)
      await api.get('/public/x')
      await api.request({ ...kept[0], baseURL: foreign.url })
      expect(foreign.leaksFrom(home)).toEqual([])
    }
    expect(foreign.counts.requests).toBe(2)
  })

  it('G20: the config of an error, sent again as a retry plug-in does, is like a new request', async () => {
    const { home, api } = await setUp()
    const undo = home.route('/api/flaky', () => ({ status: 503 }))
    const error = (await failureOf(api.get('/api/flaky'))) as { config: InternalAxiosRequestConfig }
    expect(JSON.stringify(error.config)).not.toContain(home.issuedTokens()[0])
    undo()
    home.killAccessTokens()
    expect((await api.request(error.config)).status).toBe(200)
    expect(home.counts).toMatchObject({ refreshes: 1, answered401: 1, protectedOk: 1 })
  })
})

describe('G20: a token that a header cannot contain', () => {
  const unsafe: [string, string][] = [
    ['a line break', 'a\nb'],
    ['a carriage return and a header', 'a\r\nX-Admin: 1'],
    ['a NUL', 'a\0b'],
    ['a blank', 'a b'],
    ['a tab', 'a\tb'],
    ['a trailing newline', 'abc\n'],
    ['a letter beyond ASCII', 'tökén'],
    ['an emoji', 'a🔑'],
    ['a control character', 'a\x7f'],
    ['nothing', ''],
  ]

  it.each(unsafe)(
    'G20: an access token with %s is rejected by signIn, and the previous session stays',
    async (_, accessToken) => {
      const { api, sent } = recorder({ baseURL: HOME })
      const auth = client(api)
      await auth.signIn({ accessToken: 'before' })
      const error = (await failureOf(auth.signIn({ accessToken }))) as Error
      expect(error).toMatchObject({ code: 'BAD_OPTION', message: expect.stringContaining('accessToken') })
      if (accessToken.length > 1) expect(error.message).not.toContain(accessToken)
      await expect(auth.updateTokens({ accessToken })).rejects.toMatchObject({ code: 'BAD_OPTION' })
      expect(() => client(recorder({ baseURL: HOME }).api, { tokens: { accessToken } })).toThrow(/tokens/)
      await api.get('/x')
      expect(sent).toMatchObject([{ reaches: HOME, authorization: 'Bearer before' }])
    },
  )

  it.each(unsafe.filter(([, token]) => token !== ''))(
    'G20: a refresh token with %s is rejected by signIn',
    async (_, refreshToken) => {
      const { api } = recorder({ baseURL: HOME })
      const auth = client(api)
      await expect(auth.signIn({ accessToken: 'good', refreshToken })).rejects.toMatchObject({
        code: 'BAD_OPTION',
        message: expect.stringContaining('refreshToken'),
      })
      expect(auth.getSnapshot().status).toBe('signed-out')
    },
  )

  it('G20: a text is accepted as a token only if a header can contain every character', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.anything()),
        async (accessToken) => {
          const { api, sent } = recorder({ baseURL: HOME })
          const auth = client(api)
          const good = typeof accessToken === 'string' && /^[!-~]+$/.test(accessToken)
          const [settled] = await settleAll([auth.signIn({ accessToken } as never)])
          expect(settled?.status).toBe(good ? 'fulfilled' : 'rejected')
          await api.get('/x')
          expect(sent[0]?.authorization).toBe(good ? `Bearer ${accessToken}` : undefined)
        },
      ),
      { seed: 20, numRuns: 500 },
    )
  })
})

describe('G21: two clients never see each other', () => {
  it('G21: two clients in one page use their own tokens, refreshes and ends', async () => {
    const server = await startServer()
    const users = ['ada', 'bob'].map((user) => {
      const api = axios.create({ baseURL: server.url })
      const ends: string[] = []
      const auth = client(api, {
        refresh: refreshWithBody({ url: '/auth/refresh' }),
        onSessionEnd: ({ reason }) => ends.push(reason),
      })
      return { user, api, auth, ends }
    })
    const [ada, bob] = users as [(typeof users)[number], (typeof users)[number]]
    await Promise.all(users.map(({ user, auth }) => auth.signIn(tokensOf(server.login(user)))))
    server.killAccessTokens()
    const answers = await Promise.all([ada, bob, ada, bob].map(({ api }) => api.get('/api/me')))
    expect(answers.map(({ data }) => data.user)).toEqual(['ada', 'bob', 'ada', 'bob'])
    expect(server.counts.refreshes).toBe(2)
    await ada.auth.signOut()
    expect([ada.ends, bob.ends]).toEqual([['signed-out'], []])
    expect((await bob.api.get('/api/me')).data.user).toBe('bob')
    await failureOf(ada.api.get('/api/me'))
    expect(server.log.at(-1)?.headers.authorization).toBeUndefined()
  })

  it('G21: a server with one client per request never mixes up users, in any order of answers', async () => {
    const server = await startServer()
    const names = Array.from({ length: 25 }, (_, i) => `user${i}`)
    const clients = names.map((user) => {
      const api = axios.create({ baseURL: server.url })
      const auth = client(api, {
        refresh: refreshWithBody({ url: '/auth/refresh' }),
        tokens: tokensOf(server.login(user)),
      })
      return { user, api, auth }
    })
    server.killAccessTokens()
    const refresh = server.holdRefresh()
    const asked = clients.flatMap(({ api }) => [api.get('/api/a'), api.post('/api/b', {})])
    await refresh.waiting(names.length)
    for (const order of shuffled(names, 21)) {
      const at = refresh.requests.findIndex(
        ({ body }) =>
          server.sessions.find(({ user }) => user === order)?.refreshToken ===
          (body as { refresh_token: string }).refresh_token,
      )
      refresh.releaseAt(Math.max(0, at))
    }
    const answers = await Promise.all(asked)
    expect(answers.map(({ data }) => data.user)).toEqual(names.flatMap((user) => [user, user]))
    expect(server.counts).toMatchObject({ refreshes: names.length, reuses: 0 })
    expect(clients.map(({ auth }) => auth.getSnapshot().subject)).toEqual(names)
  })

  it('G21: two memory stores, strategies and placements created alike share nothing', async () => {
    const [one, two] = [recorder({ baseURL: HOME }), recorder({ baseURL: HOME })]
    const a = client(one.api, { store: memoryStore(), place: bearerHeader() })
    const b = client(two.api, { store: memoryStore(), place: bearerHeader() })
    await a.signIn({ accessToken: 'a' })
    expect(b.getSnapshot().status).toBe('signed-out')
    await two.api.get('/x')
    expect(two.sent[0]?.authorization).toBeUndefined()
    expect(a.stats()).not.toBe(a.stats())
  })

  it('G21: one placement and one strategy object may serve two clients', async () => {
    const server = await startServer()
    const place = bearerHeader()
    const refresh = refreshWithBody({ url: '/auth/refresh' })
    const apis = await Promise.all(
      ['ada', 'bob'].map(async (user) => {
        const api = axios.create({ baseURL: server.url })
        await client(api, { place, refresh }).signIn(tokensOf(server.login(user)))
        return api
      }),
    )
    server.killAccessTokens()
    const answers = await Promise.all(apis.map((api) => api.get('/api/me')))
    expect(answers.map(({ data }) => data.user)).toEqual(['ada', 'bob'])
  })

  it('G21: a config that one client has seen means nothing to another', async () => {
    const server = await startServer()
    const kept: InternalAxiosRequestConfig[] = []
    const [ada, bob] = await Promise.all(
      ['ada', 'bob'].map(async (user) => {
        const api = axios.create({ baseURL: server.url })
        api.interceptors.request.use((config) => {
          kept.push({ ...config, headers: { ...config.headers } as never })
          return config
        })
        await client(api, { refresh: refreshWithBody({ url: '/auth/refresh' }) }).signIn(
          tokensOf(server.login(user)),
        )
        return api
      }),
    )
    await ada?.get('/api/me')
    const adas = kept[0] as InternalAxiosRequestConfig
    // Another client's key is no option of ours, and another client's token is the caller's own.
    const { data } = await (bob as AxiosInstance).request({ ...adas, adapter: undefined })
    expect(data.user).toBe('ada')
  })
})

describe('G22: interceptors after ours see the credential', () => {
  const modern = { transitional: { legacyInterceptorReqResOrdering: false } } as AxiosRequestConfig

  it.each([
    ['registered before us', {}, 'before'],
    ['registered after us, in the order of registration', modern, 'after'],
  ] as const)('G22: an interceptor %s sees the Bearer', async (_, defaults, order) => {
    const { api, sent } = recorder({ baseURL: HOME, ...defaults })
    const seen: unknown[] = []
    const look = () =>
      api.interceptors.request.use((config) => {
        seen.push(config.headers.Authorization)
        return config
      })
    if (order === 'before') look()
    const auth = client(api)
    if (order === 'after') look()
    await auth.signIn({ accessToken: 'secret' })
    await api.get('/x')
    await auth.updateTokens({ accessToken: 'newer' })
    await api.get('/x')
    expect(seen).toEqual(['Bearer secret', 'Bearer newer'])
    expect(sent.map(({ authorization }) => authorization)).toEqual(seen)
  })

  it.each([
    ['basicUser', basicUser(), { Authorization: `Basic ${btoa('secret:')}` }],
    ['a header of another name', bearerHeader({ header: 'X-Token', scheme: '' }), { 'X-Token': 'secret' }],
  ])('G22: they also see %s', async (_, place, headers) => {
    const { api } = recorder({ baseURL: HOME })
    const seen: InternalAxiosRequestConfig[] = []
    api.interceptors.request.use((config) => {
      seen.push({ ...config, headers: { ...config.headers } as never })
      return config
    })
    await client(api, { place, tokens: { accessToken: 'secret' } }).ready
    await api.post('/x')
    expect(seen[0]?.headers).toMatchObject(headers)
  })

  it('G22: a token in a body is attached after them, because one that wraps the body would include it', async () => {
    const { api, sent } = recorder({ baseURL: HOME })
    const seen: unknown[] = []
    api.interceptors.request.use((config) => {
      seen.push({ ...config.data })
      return config
    })
    await client(api, { place: jsonBodyField('token'), tokens: { accessToken: 'secret' } }).ready
    await api.post('/x', { a: 1 })
    expect(seen).toEqual([{ a: 1 }])
    expect(sent[0]?.data).toBe('{"a":1,"token":"secret"}')
  })

  it('G22: an asynchronous interceptor sees it as well', async () => {
    const { api } = recorder({ baseURL: HOME })
    const seen: unknown[] = []
    api.interceptors.request.use(async (config) => {
      await Promise.resolve()
      seen.push(config.headers.Authorization)
      return config
    })
    await client(api, { tokens: { accessToken: 'secret' } }).ready
    await api.get('/x')
    expect(seen).toEqual(['Bearer secret'])
  })

  it('G22: the answer and the error they see no longer contain it', async () => {
    const { home, api, login } = await setUp()
    const { config } = await api.get('/api/me')
    expect(JSON.stringify(config.headers)).not.toMatch(/authorization/i)
    const error = (await failureOf(api.get('/api/status/418'))) as { config: InternalAxiosRequestConfig }
    expect(JSON.stringify(error.config)).not.toContain(login.access_token)
    expect(home.counts.protectedOk).toBe(2)
  })
})

describe('G23: what a store returns is checked before use', () => {
  const good: StoredRecord = {
    v: 1,
    sessionId: 's1',
    version: 3,
    tokens: { accessToken: 'stored', refreshToken: 'r' },
    expiresAtMs: 4_000_000_000_000,
    subject: 'ada',
  }

  function storeOf(stored: unknown, later = false): TokenStore & { saved: unknown[] } {
    const saved: unknown[] = []
    return {
      saved,
      load: () => (later ? Promise.resolve(stored) : stored),
      save: (record) => void saved.push(record),
      clear: () => void saved.push(undefined),
    }
  }

  /** A new page over that store: what it shows, what it reports, what it sends. */
  async function open(store: TokenStore) {
    const { api, sent } = recorder({ baseURL: HOME })
    const auth = client(api, { store })
    const reports: string[] = []
    auth.on('storeError', ({ operation, error }) => reports.push(`${operation}: ${error.message}`))
    await auth.ready
    await Promise.resolve()
    await api.get('/x')
    return { auth, reports, status: auth.getSnapshot().status, authorization: sent[0]?.authorization }
  }

  it('G23: a valid record signs in', async () => {
    expect(await open(storeOf(good))).toMatchObject({
      status: 'signed-in',
      reports: [],
      authorization: 'Bearer stored',
    })
  })

  it.each([undefined, null])('G23: %s is an empty store, and nothing to report', async (stored) => {
    expect(await open(storeOf(stored))).toMatchObject({ status: 'signed-out', reports: [] })
  })

  const damaged: [string, unknown][] = [
    ['a text', 'secret'],
    ['a number', 42],
    ['false', false],
    ['an empty text', ''],
    ['zero', 0],
    ['a list', [good]],
    ['a function', () => good],
    ['a symbol', Symbol('x')],
    ['an empty object', {}],
    ['a record without a format', { ...good, v: undefined }],
    ['a record with a format as text', { ...good, v: '1' }],
    ['a record of a future version', { ...good, v: 2 }],
    ['a record of version zero', { ...good, v: 0 }],
    ['no session id', { ...good, sessionId: undefined }],
    ['an empty session id', { ...good, sessionId: '' }],
    ['a session id that is no text', { ...good, sessionId: 7 }],
    ['no version', { ...good, version: undefined }],
    ['version zero', { ...good, version: 0 }],
    ['a negative version', { ...good, version: -1 }],
    ['half a version', { ...good, version: 1.5 }],
    ['a version as text', { ...good, version: '3' }],
    ['an endless version', { ...good, version: Number.POSITIVE_INFINITY }],
    ['a version beyond counting', { ...good, version: 2 ** 53 }],
    ['no tokens', { ...good, tokens: undefined }],
    ['tokens that are null', { ...good, tokens: null }],
    ['tokens as text', { ...good, tokens: 'secret' }],
    ['no access token', { ...good, tokens: { refreshToken: 'r' } }],
    ['an empty access token', { ...good, tokens: { accessToken: '' } }],
    ['an access token with a line break', { ...good, tokens: { accessToken: 'a\r\nX-Admin: 1' } }],
    ['an access token that is no text', { ...good, tokens: { accessToken: { toString: () => 'a' } } }],
    ['an access token in a list', { ...good, tokens: { accessToken: ['a'] } }],
    ['a refresh token with a line break', { ...good, tokens: { accessToken: 'a', refreshToken: 'r\n' } }],
    ['a refresh token that is no text', { ...good, tokens: { accessToken: 'a', refreshToken: 7 } }],
    ['an expiry as text', { ...good, expiresAtMs: '4000000000000' }],
    ['an expiry that is no number', { ...good, expiresAtMs: Number.NaN }],
    ['an endless expiry', { ...good, expiresAtMs: Number.POSITIVE_INFINITY }],
    ['an expiry that is null', { ...good, expiresAtMs: null }],
    ['a subject that is no text', { ...good, subject: { toString: () => 'ada' } }],
    [
      'a getter that throws',
      Object.defineProperty({ ...good }, 'tokens', {
        get: () => {
          throw new Error('no')
        },
      }),
    ],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          get: (_, name) => {
            if (name === 'then') return undefined
            throw new Error('no')
          },
        },
      ),
    ],
  ]

  it.each(
    damaged.flatMap(
      ([name, stored]) =>
        [
          [name, 'now', stored],
          [name, 'later', stored],
        ] as const,
    ),
  )('G23: %s, read %s, means signed out and is reported', async (_, when, stored) => {
    const store = storeOf(stored, when === 'later')
    const { status, reports, authorization } = await open(store)
    expect({ status, authorization }).toEqual({ status: 'signed-out', authorization: undefined })
    expect(reports).toHaveLength(1)
    expect(reports[0]).toMatch(/^load: /)
    expect(reports[0]).not.toContain('secret')
    // Left where it is: it may be of use to somebody else.
    expect(store.saved).toEqual([])
  })

  it('G23: after an invalid record, signing in works as usual', async () => {
    const store = storeOf({ rubbish: true })
    const { auth } = await open(store)
    await auth.signIn({ accessToken: 'new' })
    expect(auth.getSnapshot().status).toBe('signed-in')
    expect(store.saved).toHaveLength(1)
  })

  it('G23: a stored JWT with unusable claims still signs in', async () => {
    const claims = Buffer.from('{"exp":{"toString":1,"valueOf":1},"iat":1,"sub":{"a":1}}').toString(
      'base64url',
    )
    const accessToken = `eyJhbGciOiJub25lIn0.${claims}.x`
    const { status, authorization } = await open(
      storeOf({ ...good, expiresAtMs: undefined, tokens: { accessToken } }),
    )
    expect({ status, authorization }).toEqual({ status: 'signed-in', authorization: `Bearer ${accessToken}` })
  })

  it('G23: of whatever a store returns, only valid records sign in, and the rest is reported', async () => {
    const junk = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSparseArray: true,
    })
    const field = <T>(value: T) => fc.oneof({ weight: 20, arbitrary: fc.constant(value as unknown) }, junk)
    const mostly = <T>(arbitrary: fc.Arbitrary<T>) => ({ weight: 6, arbitrary })
    const nearly = fc.record(
      {
        v: field(1),
        sessionId: fc.oneof(mostly(field('s')), fc.string()),
        version: fc.oneof(mostly(field(1)), fc.integer(), fc.double()),
        tokens: fc.oneof(
          fc.record(
            {
              accessToken: fc.oneof(mostly(field('stored')), fc.string({ unit: 'binary' })),
              refreshToken: fc.oneof(mostly(field('r')), fc.string()),
            },
            { requiredKeys: [] },
          ),
          junk,
        ),
        expiresAtMs: fc.oneof(mostly(field(4_000_000_000_000)), fc.double()),
        subject: fc.oneof(mostly(field('ada')), fc.string()),
      },
      { requiredKeys: [] },
    )
    let soundOnes = 0
    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ weight: 9, arbitrary: nearly }, junk),
        fc.boolean(),
        async (stored, later) => {
          // A promise is how a store says "later".
          fc.pre(typeof (stored as { then?: unknown } | null | undefined)?.then !== 'function')
          const sound = isSound(stored)
          if (sound) soundOnes++
          const { status, reports } = await open(storeOf(stored, later))
          const empty = stored === undefined || stored === null
          expect({ status, reported: reports.length > 0 }).toEqual({
            status: sound ? 'signed-in' : 'signed-out',
            reported: !sound && !empty,
          })
        },
      ),
      { seed: 23, numRuns: 1500 },
    )
    expect(soundOnes).toBeGreaterThan(50)
  })

  it('G23: an invalid record that appears during a session is reported, and nothing of it is sent', async () => {
    let stored: unknown
    let hint = (): void => {}
    const store: TokenStore = {
      load: () => stored,
      save: (record) => {
        stored = record
      },
      clear: () => {
        stored = undefined
      },
      subscribe: (listener) => {
        hint = listener
        return () => {}
      },
    }
    const { api, sent } = recorder({ baseURL: HOME })
    const auth = client(api, { store })
    const reports: string[] = []
    auth.on('storeError', ({ operation }) => reports.push(operation))
    await auth.signIn({ accessToken: 'mine' })
    const { sessionId } = stored as StoredRecord
    stored = { v: 1, sessionId, version: 99, tokens: { accessToken: 'a\nX-Admin: 1' } }
    hint()
    await vi.waitFor(() => expect(reports).toEqual(['load']))
    await api.get('/x')
    expect([undefined, 'Bearer mine']).toContain(sent[0]?.authorization)
    stored = { v: 1, sessionId, version: 100, tokens: { accessToken: 'newer' } }
    hint()
    await vi.waitFor(async () => {
      await api.get('/x')
      expect(sent.at(-1)?.authorization).toBe('Bearer newer')
    })
  })
})

/** The rule of the contract, written down a second time. */
function isSound(stored: unknown): boolean {
  if (typeof stored !== 'object' || stored === null) return false
  const { v, sessionId, version, tokens, expiresAtMs, subject } = stored as Record<string, unknown>
  if (v !== 1 || typeof sessionId !== 'string' || sessionId.length === 0) return false
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) return false
  const { accessToken, refreshToken } = (tokens ?? {}) as Record<string, unknown>
  const usable = (token: unknown) => typeof token === 'string' && /^[!-~]+$/.test(token)
  if (!usable(accessToken) || !(refreshToken === undefined || usable(refreshToken))) return false
  if (!(expiresAtMs === undefined || (typeof expiresAtMs === 'number' && Number.isFinite(expiresAtMs))))
    return false
  return subject === undefined || typeof subject === 'string'
}

async function expectNoLeak(request: Promise<unknown>, sent: Sent[]): Promise<void> {
  await settleAll([request])
  for (const { reaches } of sent) expect(['nowhere', HOME]).toContain(reaches)
}
