// Section 1, `origins`: a client whose home is not known yet. A module that `next build` loads makes one, and so does a
// blob: worker; no token leaves before the app has said where it may go.

import axios, { type AxiosRequestConfig } from 'axios'
import {
  type AuthClientOptions,
  authErrorOf,
  createAuthClient,
  memoryStore,
  noCredential,
  refreshWithCookie,
} from 'axios-auth-client'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { failureOf } from '../support/client.js'

const API = 'https://api.example.com'

/** A client whose adapter sends nothing and notes what would have gone out. */
function recorded(defaults: AxiosRequestConfig = {}, options: AuthClientOptions = {}) {
  const sent: string[] = []
  const api = axios.create({
    ...defaults,
    adapter: async (config) => {
      sent.push(`${config.baseURL ?? ''}${config.url} ${config.headers.Authorization ?? 'bare'}`)
      return { data: '', status: 200, statusText: '', headers: {}, config }
    },
  })
  const auth = createAuthClient(api, options)
  onTestFinished(() => auth.dispose())
  return { api, auth, sent }
}

async function expectBadOption(request: Promise<unknown>): Promise<void> {
  const error = await failureOf(request)
  expect(error).toMatchObject({ isAxiosError: true, code: 'BAD_OPTION', config: { url: expect.anything() } })
  expect(authErrorOf(error)?.message).toMatch(/^origins\b.*baseURL/)
  expect(JSON.stringify(error)).not.toContain('secret')
}

const blobWorker = () =>
  vi.stubGlobal('location', { href: 'blob:https://app.example/0b1f', origin: 'https://app.example' })
const server = () => {}
/** As React Native has it up to 0.79. */
const reactNative = () => {
  class HalfBuilt {
    get host(): never {
      throw new Error('URL.host is not implemented')
    }
  }
  vi.stubGlobal('URL', HalfBuilt)
  vi.stubGlobal('navigator', { product: 'ReactNative' })
}

describe.each([
  ['a server', '/api', server],
  ['a server', undefined, server],
  ['a server', '//api.example.com', server],
  ['a blob: worker', '/api', blobWorker],
  ['a blob: worker', undefined, blobWorker],
  ['React Native', undefined, reactNative],
])('G20: on %s with the baseURL %s', (_, baseURL, stub) => {
  it('G20: the client is created, and a request that would carry the token is not sent', async () => {
    stub()
    const { api, auth, sent } = recorded({ baseURL })
    await api.get('/public')
    await auth.signIn({ accessToken: 'secret' })
    await expectBadOption(api.get('/x'))
    await expectBadOption(api.get(`${API}/x`))
    await expectBadOption(api.get('/x', { baseURL: API }))
    expect(sent).toHaveLength(1)
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  it('G20: requests without the session are sent as usual', async () => {
    stub()
    const { api, auth, sent } = recorded({ baseURL })
    await auth.signIn({ accessToken: 'secret' })
    await api.get('/a', { authClient: false })
    await api.get('/b', { authClient: { place: false } })
    await api.get('/c', { headers: { Authorization: 'Bearer mine' } })
    await auth.signOut()
    await api.get('/d')
    expect(sent.map((line) => line.split(' ').slice(1).join(' '))).toEqual([
      'bare',
      'bare',
      'Bearer mine',
      'bare',
    ])
  })

  it('G20: `origins` is all that is needed', async () => {
    stub()
    const { api, auth, sent } = recorded({ baseURL }, { origins: [API] })
    await auth.signIn({ accessToken: 'secret' })
    await api.get(`${API}/x`)
    expect(sent.join()).toContain('Bearer secret')
  })

  it('G20: a baseURL that the app sets later is the allowed origin from then on, and no other after it', async () => {
    stub()
    const { api, auth, sent } = recorded({ baseURL })
    await auth.signIn({ accessToken: 'secret' })
    api.defaults.baseURL = API
    await api.get('/x')
    await api.get('https://other.example/x')
    api.defaults.baseURL = 'https://other.example'
    await api.get('/x')
    expect(sent).toEqual([
      `${API}/x Bearer secret`,
      expect.stringMatching(/other.* bare$/),
      'https://other.example/x bare',
    ])
  })

  it('G20: an attached instance with a baseURL adds its origin', async () => {
    stub()
    const { api, auth, sent } = recorded({ baseURL })
    await auth.signIn({ accessToken: 'secret' })
    const detach = auth.attach(axios.create({ baseURL: API }))
    await api.get('/x', { baseURL: API })
    await api.get('/x', { baseURL: 'https://other.example' })
    detach()
    await expectBadOption(api.get('/x', { baseURL: API }))
    expect(sent).toEqual([`${API}/x Bearer secret`, 'https://other.example/x bare'])
  })
})

it('G20: a session from an asynchronous store changes none of that', async () => {
  const store = memoryStore()
  const { auth: first } = recorded({ baseURL: API }, { store })
  await first.signIn({ accessToken: 'secret' })
  const { api, sent } = recorded({}, { store: { ...store, load: async () => store.load() } })
  await expectBadOption(api.get('/x'))
  expect(sent).toEqual([])
})

it('G20: a cookie session without a known origin rejects too', async () => {
  const refresh = refreshWithCookie({ url: `${API}/auth` })
  const { api, auth } = recorded({}, { place: noCredential(), refresh })
  await auth.signIn()
  await expectBadOption(api.get(`${API}/x`))
})

it('G20: after dispose, requests are sent as the caller made them', async () => {
  const { api, auth, sent } = recorded()
  await auth.signIn({ accessToken: 'secret' })
  auth.dispose()
  await api.get('/x')
  expect(sent).toEqual(['/x bare'])
})

it.each(['https://my_api.example.com', 'https://my_api.example.com:8443/v1', 'https://_'])(
  'G20: a host with an underscore is an allowed origin on React Native too: %s',
  async (baseURL) => {
    reactNative()
    const { api, auth, sent } = recorded({ baseURL })
    await auth.signIn({ accessToken: 'secret' })
    await api.get('/x')
    await api.get('https://my-api.example.com/x', { baseURL: '' })
    expect(sent).toEqual([`${baseURL}/x Bearer secret`, expect.stringMatching(/bare$/)])
  },
)

describe('G20: pages of all kinds', () => {
  const stand = (href: string, baseURI = href) => {
    vi.stubGlobal('location', { href })
    vi.stubGlobal('document', { baseURI })
  }

  it.each([
    ['a blob: page whose <base> leads home', 'blob:https://app.example/0b1f', 'https://app.example/', true],
    [
      'a blob: page whose <base> leads elsewhere',
      'blob:https://app.example/0b1f',
      'https://evil.example/',
      false,
    ],
    ['an app shell', 'capacitor://localhost/index.html', undefined, true],
    ['an app shell with a foreign <base>', 'ionic://localhost/', 'https://evil.example/', false],
    ['a page whose <base> holds data', 'https://app.example/', 'data:text/html,x', false],
    ['a page that hides its address', 'https://app.example/', {} as never, false],
  ])(
    'G20: in %s, a relative request carries the token only to the page’s origin',
    async (_, href, baseURI, carried) => {
      stand(href, baseURI)
      const { api, auth, sent } = recorded()
      await auth.signIn({ accessToken: 'secret' })
      await api.get('/x')
      expect(sent).toEqual([`/x ${carried ? 'Bearer secret' : 'bare'}`])
    },
  )

  it.each([
    ['about:srcdoc', 'https://app.example/page'],
    ['about:blank', 'https://app.example/page'],
    ['file:///app/index.html', 'file:///app/index.html'],
    ['data:text/html,x', 'data:text/html,x'],
  ])('G20: %s has no origin of its own, so `origins` has to be given', async (href, baseURI) => {
    stand(href, baseURI)
    expect(() => recorded()).toThrow(/^origins\b/)
    const { api, auth, sent } = recorded({ baseURL: API })
    await auth.signIn({ accessToken: 'secret' })
    await api.get('/x')
    await api.get('/x', { baseURL: '' })
    expect(sent).toEqual([`${API}/x Bearer secret`, '/x bare'])
  })
})

describe('G20: allowAbsoluteUrls', () => {
  // Compared by `== false` from axios 1.8 on, by `=== false` later, and unknown before.
  it.each([false, 0, -0, '', '0', null, Number.NaN, [], { valueOf: () => 0 }])(
    'G20: %o sends no token to a foreign baseURL, however an axios version reads it',
    async (value) => {
      const allowAbsoluteUrls = value as never
      for (const asDefault of [false, true]) {
        const { api, auth, sent } = recorded({ baseURL: API, ...(asDefault && { allowAbsoluteUrls }) })
        const each = asDefault ? {} : { allowAbsoluteUrls }
        await auth.signIn({ accessToken: 'secret' })
        await api.get(`${API}/x`, { ...each, baseURL: 'https://evil.example' })
        await api.get('https://evil.example/x', each)
        expect(sent.filter((line) => line.includes('secret'))).toEqual([])
        await api.get('/x', each)
        await api.get(`${API}/x`, each)
        expect(sent.filter((line) => line.includes('secret'))).toHaveLength(2)
      }
    },
  )

  it.each([undefined, true])('G20: %s means the absolute URL itself', async (allowAbsoluteUrls) => {
    const { api, auth, sent } = recorded({ baseURL: API })
    await auth.signIn({ accessToken: 'secret' })
    await api.get(`${API}/x`, { allowAbsoluteUrls, baseURL: 'https://evil.example' })
    await api.get('https://evil.example/x', { allowAbsoluteUrls, baseURL: API })
    expect(sent.map((line) => line.includes('secret'))).toEqual([true, false])
  })
})
