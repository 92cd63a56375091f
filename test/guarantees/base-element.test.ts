// @vitest-environment jsdom
// @vitest-environment-options { "url": "http://localhost:3000/app/page.html" }

// G20: trust does not move with the page. A <base> element, which takes no script to bring in, changes where relative
// URLs lead, and never what counts as home. In jsdom, whose XMLHttpRequest follows it and follows redirects.

import axios, { type AxiosInstance } from 'axios'
import {
  type AuthClientOptions,
  createAuthClient,
  noCredential,
  type RefreshStrategy,
  refreshWithBearer,
  refreshWithBody,
  refreshWithCookie,
  refreshWithOAuth2,
  tokenFromHeader,
} from 'axios-auth-client'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { failureOf, startServer, tokensOf } from '../support/client.js'

afterEach(() => {
  for (const element of document.querySelectorAll('base, img')) element.remove()
})

/** What an injected `<base href>` does. */
function addBase(href: string): void {
  document.head.append(Object.assign(document.createElement('base'), { href }))
}

const EVIL = 'https://evil.example'
const HOME = location.origin

/** An instance whose adapter sends nothing and notes what would have gone where, with what. */
function recorder(defaults: object = {}) {
  const sent: string[] = []
  const api = axios.create({
    ...defaults,
    adapter: async (config) => {
      const reached = new URL(axios.getUri(config), document.baseURI)
      const credentials = JSON.stringify([config.headers.Authorization, config.data, config.params])
      sent.push(`${reached.origin} ${credentials.includes('secret') ? 'with a token' : 'bare'}`)
      const status = reached.pathname.includes('/refused') ? 401 : 200
      const response = { data: { access_token: 'secret-2' }, status, statusText: '', headers: {}, config }
      if (status === 200) return response
      throw new axios.AxiosError('', 'ERR_BAD_REQUEST', config, undefined, response)
    },
  })
  return { api, sent }
}

async function signedIn(api: AxiosInstance, options: AuthClientOptions = {}) {
  const auth = createAuthClient(api, options)
  onTestFinished(() => auth.dispose())
  const tokens = { accessToken: 'secret-1', refreshToken: 'secret-refresh' }
  await auth.signIn(options.place?.tokenless ? undefined : tokens)
  return auth
}

describe('G20: a relative request under a <base> element', () => {
  it.each([
    ['elsewhere', `${EVIL}/`, EVIL, false],
    ['on a sub-domain', 'http://sub.localhost:3000/', 'http://sub.localhost:3000', false],
    ['at another port', 'http://localhost:3001/', 'http://localhost:3001', false],
    ['by another scheme', 'https://localhost:3000/', 'https://localhost:3000', false],
    ['without a scheme', '//evil.example/', 'http://evil.example', false],
    ['in another folder', `${HOME}/other/folder/`, HOME, true],
    ['by a path', '/other/', HOME, true],
  ])('G20: %s is sent there, with the token only at its own origin', async (_, href, reached, isHome) => {
    for (const before of [true, false]) {
      const { api, sent } = recorder()
      if (before) addBase(href)
      await signedIn(api)
      if (!before) addBase(href)
      await api.get('/x')
      await api.get('x', { baseURL: '/api' })
      await api.get(`${HOME}/x`)
      const expected = `${reached} ${isHome ? 'with a token' : 'bare'}`
      expect(sent).toEqual([expected, expected, `${HOME} with a token`])
      for (const element of document.querySelectorAll('base')) element.remove()
    }
  })

  it.each(['//localhost:3000/api', '/api', ''])(
    'G20: with the baseURL %j of the instance too',
    async (baseURL) => {
      const { api, sent } = recorder({ baseURL })
      await signedIn(api)
      await api.get('/x')
      addBase('https://evil.example/')
      await api.get('/x')
      expect(sent[0]).toBe(`${HOME} with a token`)
      expect(sent[1]).toMatch(/ bare$/)
    },
  )

  it('G20: that was redirected elsewhere carries no token, and its 401 starts no refresh', async () => {
    const { api, sent } = recorder()
    const auth = await signedIn(api, { refresh: refreshWithBody({ url: '/auth' }) })
    addBase(EVIL)
    await failureOf(api.get('/refused'))
    expect(sent).toEqual([`${EVIL} bare`])
    expect(auth.stats()).toMatchObject({ refused: 0, refreshes: 0 })
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  it('G20: carries the token to an origin that the app has allowed', async () => {
    const { api, sent } = recorder()
    await signedIn(api, { origins: ['https://api.example'] })
    addBase('https://api.example/v1/')
    await api.get('x')
    expect(sent).toEqual(['https://api.example with a token'])
  })

  it('G20: carries no token where another element shadows document.baseURI', async () => {
    const { api, sent } = recorder()
    await signedIn(api, { refresh: refreshWithBody({ url: '/auth' }) })
    addBase(EVIL)
    document.body.append(Object.assign(document.createElement('img'), { name: 'baseURI' }))
    await api.get('/x').catch(() => undefined)
    expect(sent.join()).not.toContain('token')
  })
})

const strategies: [string, (url: string) => RefreshStrategy][] = [
  ['refreshWithBody', (url) => refreshWithBody({ url })],
  ['refreshWithBearer', (url) => refreshWithBearer({ url })],
  ['refreshWithOAuth2', (url) => refreshWithOAuth2({ url, clientId: 'spa' })],
  ['refreshWithCookie', (url) => refreshWithCookie({ url })],
  [
    'a function with `http`',
    (url) =>
      async ({ http, refreshToken }) => {
        const { data } = await http.post(url, { refreshToken })
        return { accessToken: data.access_token }
      },
  ],
]

describe.each(strategies)('G20: %s under a <base> element', (_, make) => {
  it.each([
    ['/auth', undefined, EVIL],
    ['auth', undefined, EVIL],
    ['/auth', '/api', EVIL],
    ['/auth', 'api', EVIL],
    ['//localhost:3000/auth', undefined, EVIL],
    ['/auth', '//localhost:3000/api', EVIL],
    ['/auth', undefined, 'http://sub.localhost:3000/'],
  ])('G20: sends nothing when %j with the baseURL %j would lead elsewhere', async (url, baseURL, href) => {
    for (const origins of [undefined, [HOME, 'https://api.example']]) {
      const { api, sent } = recorder({ baseURL })
      const auth = await signedIn(api, { refresh: make(url), origins })
      addBase(href)
      const error = await failureOf(auth.refresh())
      expect(error).toMatchObject({
        code: 'REFRESH_FAILED',
        message: expect.stringMatching(/<base>.*absolute/s),
      })
      expect(sent).toEqual([])
      expect(auth.getSnapshot().status).toBe('signed-in')
      for (const element of document.querySelectorAll('base')) element.remove()
    }
  })

  it('G20: refreshes by an absolute URL at its own origin, whatever the page says', async () => {
    const { api, sent } = recorder()
    for (const [url, href] of [
      ['https://id.example/auth', EVIL],
      [`${HOME}/auth`, EVIL],
      ['/auth', '/folder/'],
    ] as const) {
      const auth = await signedIn(api, { refresh: make(url) })
      addBase(href)
      await auth.refresh()
      auth.dispose()
      for (const element of document.querySelectorAll('base')) element.remove()
    }
    expect(sent.map((line) => line.split(' ')[0])).toEqual(['https://id.example', HOME, HOME])
  })

  it('G20: accepts neither a grant nor a refusal from where a redirect has led it', async () => {
    const [home, foreign] = await Promise.all([startServer(), startServer()])
    const api = axios.create({ baseURL: home.url })
    const auth = createAuthClient(api, { refresh: make('/go') })
    onTestFinished(() => auth.dispose())
    const login = home.login()
    await auth.signIn(tokensOf(login))
    const cors = { 'access-control-allow-origin': 'null', 'access-control-allow-credentials': 'true' }
    home.route('/go', () => ({ status: 302, headers: { location: `${foreign.url}/x` } }))
    for (const status of [200, 401]) {
      foreign.route('/x', () => ({
        status,
        headers: { ...cors, 'content-type': 'application/json' },
        body: '{"access_token":"planted"}',
      }))
      const error = await failureOf(auth.refresh())
      expect(error).toMatchObject({
        code: 'REFRESH_FAILED',
        message: expect.stringMatching(/foreign origin/),
      })
      expect(await auth.getAccessToken()).toBe(login.access_token)
    }
    expect(auth.getSnapshot().status).toBe('signed-in')
  })
})

it('G20: with cookies, where any 2xx is a grant, an answer from elsewhere is none', async () => {
  const [home, foreign] = await Promise.all([startServer(), startServer()])
  const auth = createAuthClient(axios.create({ baseURL: home.url }), {
    place: noCredential(),
    refresh: refreshWithCookie({ url: '/go' }),
  })
  onTestFinished(() => auth.dispose())
  await auth.signIn()
  home.route('/go', () => ({ status: 307, headers: { location: `${foreign.url}/public/x` } }))
  await expect(auth.refresh()).rejects.toMatchObject({
    code: 'REFRESH_FAILED',
    message: expect.stringMatching(/foreign origin/),
  })
})

it('G20: an answer that XMLHttpRequest was redirected to brings no token and ends no session', async () => {
  const [home, foreign] = await Promise.all([startServer(), startServer()])
  const api = axios.create({ baseURL: home.url })
  const auth = createAuthClient(api, { readResponse: tokenFromHeader('x-token') })
  onTestFinished(() => auth.dispose())
  const login = home.login()
  await auth.signIn(tokensOf(login))
  home.route('/go', () => ({ status: 302, headers: { location: `${foreign.url}/x` } }))
  const cors = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'x-token' }
  foreign.route('/x', () => ({ status: 200, headers: { ...cors, 'x-token': 'planted' } }))
  expect((await api.get('/go')).headers['x-token']).toBe('planted')
  foreign.route('/x', () => ({ status: 401, headers: cors }))
  expect(await failureOf(api.get('/go'))).toMatchObject({ response: { status: 401 } })
  expect(await auth.getAccessToken()).toBe(login.access_token)
})
