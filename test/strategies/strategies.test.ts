// What the strategies have in common, side by side: the check of their options, the bytes that they send, redirects,
// and the ways in which an answer is read. One table per promise; the rows of the backends have files of their own.

import axios027 from 'axios-0.27'
import {
  authErrorOf,
  createAuthClient,
  type Grant,
  noCredential,
  type ReadGrant,
  type RefreshContext,
  type RefreshStrategy,
  readGrant,
  refreshWithBearer,
  refreshWithBody,
  refreshWithCookie,
  refreshWithOAuth2,
  SessionRefused,
  type StrategyOptions,
} from 'axios-auth-client'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { adapterAsFunction, adapterNamed } from '../support/adapters.js'
import { json } from '../support/auth-server/answer.js'
import { failureOf, outcomesOf, passBackOffs, setUp, startServer } from '../support/client.js'
import { settleAll } from '../support/settle-all.js'
import { createOpenStore, keptRefreshToken } from '../support/stores.js'
import { callIn } from './backend-suite.js'

type Make = (options: StrategyOptions) => RefreshStrategy

const strategies: [name: string, make: Make][] = [
  ['refreshWithBody', refreshWithBody],
  ['refreshWithBearer', refreshWithBearer],
  ['refreshWithCookie', refreshWithCookie],
  ['refreshWithOAuth2', (options) => refreshWithOAuth2({ clientId: 'spa', ...options })],
]

const all = (count: number, outcome: string) => Array.from({ length: count }, () => outcome)

describe('the options of a strategy', () => {
  const url = '/auth/refresh'
  const common = {
    url: [undefined, null, '', 5, {}],
    method: [null, '', 5],
    headers: [null, '', 'X-Tenant: 1', 5],
    withCredentials: [null, 'include', 1],
    readGrant: [null, 'a text', {}],
  }
  const csrf = [
    null,
    'a text',
    {},
    { cookie: 'c' },
    { header: 'H' },
    { cookie: '', header: 'H' },
    { header: 'H', token: 'a text' },
    { token: () => 'a' },
    { header: 'H', cookie: 'c', token: () => 'a' },
    { header: 'H', cookie: 'c', Header: 'H' },
  ]

  const bad: [strategy: string, make: (options: never) => unknown, good: object, options: object][] = [
    [
      'refreshWithBody',
      refreshWithBody,
      { url },
      { ...common, field: [null, '', 5], extra: [null, 'a text', 5] },
    ],
    ['refreshWithBearer', refreshWithBearer, { url }, common],
    ['refreshWithCookie', refreshWithCookie, { url }, { ...common, csrf }],
    [
      'refreshWithOAuth2',
      refreshWithOAuth2,
      { url, clientId: 'spa' },
      {
        ...common,
        clientId: [undefined, null, '', 5],
        clientSecret: [null, 5, {}],
        scope: [null, 5, ['read', 'write']],
      },
    ],
  ]

  const cases = bad.flatMap(([strategy, make, good, options]) =>
    Object.entries(options).map(
      ([option, values]: [string, unknown[]]) =>
        [
          `${strategy}: ${option}`,
          values,
          (value: unknown) => make({ ...good, [option]: value } as never),
        ] as const,
    ),
  )

  it.each(cases)(
    '%s is refused at creation unless it fits, by a message that names both',
    (name, values, create) => {
      expect(values.map((value) => codeAndMessageOf(() => create(value)))).toEqual(
        values.map(() => ['BAD_OPTION', expect.stringContaining(name)]),
      )
    },
  )

  it.each(bad)('%s without options is refused at creation, by its name', (strategy, make) => {
    expect(codeAndMessageOf(() => make(undefined as never))).toEqual([
      'BAD_OPTION',
      expect.stringContaining(strategy),
    ])
  })

  it.each(bad)('%s takes undefined for every default', (_, make, good, options) => {
    const undefineds = Object.fromEntries(Object.keys(options).map((option) => [option, undefined]))
    expect(make({ ...undefineds, ...good } as never)).toBeInstanceOf(Function)
  })

  it.each(bad)(
    '%s refuses a key that it does not know, naming it, itself and what it knows',
    (owner, make, good, options) => {
      for (const key of ['readgrant', 'feild', 'body', '__proto_', 'timeout']) {
        const [code, message] = codeAndMessageOf(() => make({ ...good, [key]: 5 } as never))
        expect(code).toBe('BAD_OPTION')
        expect(message).toMatch(
          new RegExp(`^${owner}: ${key}: .*${Object.keys(options).join('.*|.*')}.*, got 5$`),
        )
        expect(make({ ...good, [key]: undefined } as never)).toBeInstanceOf(Function)
      }
    },
  )

  it('the text under an unknown key is not shown: with its right name it would be a secret', () => {
    const options = { url, clientId: 'web', client_secret: 's3cret' }
    const [code, message] = codeAndMessageOf(() => refreshWithOAuth2(options))
    expect([code, message]).toEqual(['BAD_OPTION', expect.stringContaining('client_secret')])
    expect(message).not.toContain('s3cret')
  })

  it('is read once: changing the object later changes nothing', async () => {
    const csrf = { header: 'X-CSRF', token: () => 'first' }
    const options = { url: '/r', headers: { 'X-A': '1' }, csrf }
    const refresh = refreshWithCookie(options)
    Object.assign(options, { url: '/evil', method: 'PUT', withCredentials: 'no' })
    csrf.token = () => 'second'
    const { server, auth } = await setUp({ refresh })
    server.route('/r', () => json(200, { access_token: 'new' }))
    await auth.refresh()
    expect(server.log).toMatchObject([
      { method: 'POST', path: '/r', headers: { 'x-csrf': 'first', 'x-a': '1' } },
    ])
  })

  it('takes what an object inherits, such as the getters of a class', async () => {
    class Options {
      get url() {
        return '/r'
      }
      get field() {
        return 'rt'
      }
      get readGrant() {
        return (body: unknown): Grant => ({ accessToken: (body as { mine: string }).mine })
      }
    }
    class Csrf {
      get header() {
        return 'X-CSRF'
      }
      get token() {
        return () => 'proof'
      }
    }
    const { server, auth, login } = await setUp({ refresh: refreshWithBody(new Options()) })
    server.route('/r', () => json(200, { mine: 'new' }))
    await auth.refresh()
    expect(server.log).toMatchObject([{ path: '/r', body: { rt: login.refresh_token } }])
    const csrf = new Csrf() as { header: string; token: () => string }
    const other = await setUp({ refresh: refreshWithCookie({ url: '/r', csrf }) })
    other.server.route('/r', () => json(200, { access_token: 'new' }))
    await other.auth.refresh()
    expect(other.server.log[0]?.headers['x-csrf']).toBe('proof')
  })

  it('a bad clientSecret is not shown', () => {
    const [, message] = codeAndMessageOf(() =>
      refreshWithOAuth2({ url, clientId: '', clientSecret: 's3cret' }),
    )
    expect(message).not.toContain('s3cret')
  })
})

function codeAndMessageOf(make: () => unknown): unknown[] {
  try {
    make()
  } catch (error) {
    return [authErrorOf(error)?.code, (error as Error).message]
  }
  return ['no error', '']
}

describe('what a strategy sends', () => {
  const context = (name: string) => `context-${name}`
  const FORM = 'application/x-www-form-urlencoded'

  const calls: [string, RefreshStrategy, (login: { access: string; refresh: string }) => object][] = [
    [
      'refreshWithBody: JSON',
      refreshWithBody({ url: '/r' }),
      ({ refresh }) => ({
        method: 'POST',
        contentType: 'application/json',
        body: `{"refresh_token":"${refresh}"}`,
      }),
    ],
    [
      'refreshWithBody: another method and field',
      refreshWithBody({ url: '/r', method: 'PUT', field: 'rt' }),
      ({ refresh }) => ({ method: 'PUT', contentType: 'application/json', body: `{"rt":"${refresh}"}` }),
    ],
    [
      'refreshWithBody: further fields',
      refreshWithBody({ url: '/r', extra: { device: 'd1', n: 1 } }),
      ({ refresh }) => ({
        method: 'POST',
        contentType: 'application/json',
        body: `{"device":"d1","n":1,"refresh_token":"${refresh}"}`,
      }),
    ],
    [
      'refreshWithBody: fields made of the context',
      refreshWithBody({
        url: '/r',
        extra: ({ accessToken, reason, refreshToken }) => ({
          old: accessToken,
          reason: context(reason),
          again: refreshToken,
        }),
      }),
      ({ access, refresh }) => ({
        method: 'POST',
        contentType: 'application/json',
        body: `{"old":"${access}","reason":"context-asked","again":"${refresh}","refresh_token":"${refresh}"}`,
      }),
    ],
    [
      'refreshWithBody: no field of `extra` takes the place of the refresh token',
      refreshWithBody({ url: '/r', extra: { refresh_token: 'mine' } }),
      ({ refresh }) => ({
        method: 'POST',
        contentType: 'application/json',
        body: `{"refresh_token":"${refresh}"}`,
      }),
    ],
    [
      'refreshWithBearer: an empty POST',
      refreshWithBearer({ url: '/r' }),
      // The content type is axios's own for a POST without a body.
      ({ refresh }) => ({ method: 'POST', authorization: `Bearer ${refresh}`, contentType: FORM, body: '' }),
    ],
    [
      'refreshWithBearer: a GET',
      refreshWithBearer({ url: '/r', method: 'GET' }),
      ({ refresh }) => ({
        method: 'GET',
        authorization: `Bearer ${refresh}`,
        contentType: undefined,
        body: '',
      }),
    ],
    [
      'refreshWithCookie: an empty POST',
      refreshWithCookie({ url: '/r' }),
      () => ({ method: 'POST', contentType: FORM, body: '' }),
    ],
    [
      'refreshWithOAuth2: a public client',
      refreshWithOAuth2({ url: '/r', clientId: 'spa', scope: 'a b' }),
      ({ refresh }) => ({
        method: 'POST',
        contentType: FORM,
        body: `grant_type=refresh_token&refresh_token=${refresh}&scope=a+b&client_id=spa`,
      }),
    ],
    [
      'refreshWithOAuth2: a confidential client',
      refreshWithOAuth2({ url: '/r', clientId: 'web', clientSecret: 's3cret' }),
      ({ refresh }) => ({
        method: 'POST',
        authorization: `Basic ${Buffer.from('web:s3cret').toString('base64')}`,
        contentType: FORM,
        body: `grant_type=refresh_token&refresh_token=${refresh}`,
      }),
    ],
  ]

  describe.each(['http', 'fetch'] as const)('with the %s adapter', (adapter) => {
    it.each(calls)('%s', async (_, refresh, expected) => {
      const { server, api, auth, login } = await setUp({ refresh })
      api.defaults.adapter = adapterNamed(adapter)
      server.route('/r', () => json(200, { access_token: 'new' }))
      await auth.refresh()
      const tokens = { access: login.access_token, refresh: login.refresh_token }
      expect(server.log.map(callIn)).toEqual([{ url: '/r', authorization: undefined, ...expected(tokens) }])
      expect(await auth.getAccessToken()).toBe('new')
    })
  })

  it('takes the defaults that the instance has at that moment, and none of its interceptors', async () => {
    const { server, api, auth } = await setUp({ refresh: refreshWithBody({ url: 'r' }) })
    api.interceptors.request.use((config) => {
      config.headers['X-Intercepted'] = 'yes'
      return config
    })
    api.defaults.baseURL = `${server.url}/v2/`
    api.defaults.headers.common['X-Tenant'] = 't1'
    api.defaults.params = { lang: 'de' }
    server.route('/v2/r', () => json(200, { access_token: 'new' }))
    await auth.refresh()
    expect(server.log).toMatchObject([{ path: '/v2/r', search: '?lang=de', headers: { 'x-tenant': 't1' } }])
    expect(server.log[0]?.headers).not.toHaveProperty('x-intercepted')
  })

  it('refreshWithBody sends JSON, whatever type the instance posts by default', async () => {
    const { server, api, auth } = await setUp()
    api.defaults.headers.post['Content-Type'] = 'application/x-www-form-urlencoded'
    await auth.refresh()
    expect(server.log.map(({ headers }) => headers['content-type'])).toEqual(['application/json'])
    expect(server.counts.granted).toBe(1)
  })

  it('refreshWithOAuth2 sends a form and asks for JSON, whatever the instance has by default', async () => {
    const { server, api, auth } = await setUp({ refresh: refreshWithOAuth2({ url: '/r', clientId: 'spa' }) })
    api.defaults.headers.post['Content-Type'] = 'text/plain'
    api.defaults.headers.common.Accept = 'text/html'
    server.route('/r', () => json(200, { access_token: 'new' }))
    await auth.refresh()
    expect(server.log.map(({ headers }) => [headers['content-type'], headers.accept])).toEqual([
      ['application/x-www-form-urlencoded', 'application/json'],
    ])
  })

  it('refreshWithCookie sends no header where its CSRF cookie is missing, with axios 0.27 neither', async () => {
    const server = await startServer()
    server.route('/r', () => json(200, { access_token: 'new' }))
    const auth = createAuthClient(axios027.create({ baseURL: server.url }), {
      refresh: refreshWithCookie({ url: '/r', csrf: { cookie: 'csrf', header: 'X-CSRF' } }),
    })
    onTestFinished(() => auth.dispose())
    await auth.refresh()
    expect(server.log.map(({ headers }) => 'x-csrf' in headers)).toEqual([false])
  })

  it.each([undefined, false])(
    'goes to the origin of an absolute URL, which need not be that of the API (allowAbsoluteUrls: %s)',
    async (allowAbsoluteUrls) => {
      const authority = await startServer()
      const { access_token, refresh_token } = authority.login('ada')
      const { server, api, auth } = await setUp({
        refresh: refreshWithBody({ url: `${authority.url}/auth/refresh` }),
        signedIn: false,
      })
      api.defaults.allowAbsoluteUrls = allowAbsoluteUrls
      await auth.signIn({ accessToken: access_token, refreshToken: refresh_token })
      await auth.refresh()
      expect(authority.counts).toMatchObject({ refreshes: 1, granted: 1 })
      expect(server.counts.requests).toBe(0)
    },
  )

  it.each(strategies.filter(([name]) => name !== 'refreshWithCookie'))(
    '%s sends nothing without a refresh token: the session ends, in words',
    async (_, make) => {
      const world = await setUp({ refresh: make({ url: '/r' }), signedIn: false })
      const { server, auth, api, ends, login } = world
      await auth.signIn({ accessToken: login.access_token })
      server.killAccessTokens()
      const results = await settleAll([api.get('/api/1'), api.get('/api/2')])
      expect(outcomesOf(results)).toEqual(all(2, 'SESSION_EXPIRED'))
      expect(server.requestsTo('/r')).toEqual([])
      expect(ends).toMatchObject([{ reason: 'refused', error: { message: 'There is no refresh token.' } }])
    },
  )

  it.each(strategies)('%s takes another method, headers and withCredentials', async (_, make) => {
    const credentials: unknown[] = []
    const { server, api, auth } = await setUp({
      refresh: make({
        url: '/r',
        method: 'PUT',
        withCredentials: false,
        headers: { 'X-Tenant': 't1', accept: 'application/vnd.mine+json', 'X-Off': null, 'X-Not': undefined },
      }),
    })
    api.defaults.withCredentials = true
    const send = adapterAsFunction(api.defaults.adapter)
    api.defaults.adapter = (config) => {
      credentials.push(config.withCredentials)
      return send(config)
    }
    server.route('/r', () => json(200, { access_token: 'new' }))
    await auth.refresh()
    const [call] = server.log
    expect(call).toMatchObject({
      method: 'PUT',
      headers: { 'x-tenant': 't1', accept: 'application/vnd.mine+json' },
    })
    expect(Object.keys(call?.headers ?? {}).filter((name) => /^x-(off|not)$/.test(name))).toEqual([])
    expect(credentials).toEqual([false])
  })

  it.each(strategies)(
    '%s asks a function for headers before each attempt, with the context',
    async (_, make) => {
      const seen: unknown[] = []
      const headers = async (given: RefreshContext) => {
        seen.push([given.refreshToken, given.accessToken, given.reason, given.signal.aborted])
        return { 'X-Attempt': `${seen.length}` }
      }
      const { server, auth, clock, login } = await setUp({ refresh: make({ url: '/r', headers }) })
      const answers = [json(503, {}), json(200, { access_token: 'new' })]
      server.route('/r', () => answers.shift())
      const refreshed = auth.refresh()
      await passBackOffs({ clock }, 1)
      await refreshed
      expect(server.log.map((call) => call.headers['x-attempt'])).toEqual(['1', '2'])
      expect(seen).toEqual(Array(2).fill([login.refresh_token, login.access_token, 'asked', false]))
    },
  )

  it.each([
    [
      'refreshWithBearer: the refresh token',
      refreshWithBearer({ url: '/r', headers: { authorization: 'Bearer mine' } }),
      'authorization',
      /^Bearer (?!mine)/,
    ],
    [
      'refreshWithOAuth2: the secret',
      refreshWithOAuth2({ url: '/r', clientId: 'w', clientSecret: 's', headers: { authorization: 'mine' } }),
      'authorization',
      /^Basic dzpz$/,
    ],
    [
      'refreshWithCookie: the CSRF token',
      refreshWithCookie({
        url: '/r',
        csrf: { header: 'X-CSRF', token: () => 'ours' },
        headers: { 'x-csrf': 'mine' },
      }),
      'x-csrf',
      /^ours$/,
    ],
  ])(
    'no header of the option takes the place of the credential, in any case: %s',
    async (_, refresh, name, value) => {
      const { server, auth } = await setUp({ refresh })
      server.route('/r', () => json(200, { access_token: 'new' }))
      await auth.refresh()
      expect(server.log[0]?.headers[name]).toMatch(value)
    },
  )

  it.each<[string, unknown]>([
    ['a Headers', new Headers({ 'X-Tenant': 'a' })],
    ['a Map', new Map([['X-Tenant', 'a']])],
    ['a function with a Headers', () => new Headers({ 'X-Tenant': 'a' })],
    ['a promise of a Headers', async () => new Headers({ 'X-Tenant': 'a' })],
  ])('headers may be %s', async (_, headers) => {
    const refresh = refreshWithBody({ url: '/r', headers: headers as never })
    const { server, auth } = await setUp({ refresh })
    server.route('/r', () => json(200, { access_token: 'new' }))
    await auth.refresh()
    expect(server.log[0]?.headers['x-tenant']).toBe('a')
  })

  it('refreshWithBody sends a form where its headers say so', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const { server, auth, login } = await setUp({
      refresh: refreshWithBody({ url: '/r', headers, extra: async () => ({ a: 'b c' }) }),
    })
    server.route('/r', () => json(200, { access_token: 'new' }))
    await auth.refresh()
    expect(server.log[0]?.headers['content-type']).toContain('x-www-form-urlencoded')
    expect(server.log[0]?.bodyBytes.toString()).toBe(`a=b+c&refresh_token=${login.refresh_token}`)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no tenant')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no tenant'))],
  ])('a function for headers that %s fails the refresh, and the session stays', async (_, headers) => {
    const { server, auth, ends } = await setUp({
      refreshRetry: { limit: 0 },
      refresh: refreshWithBody({ url: '/r', headers }),
    })
    expect(await failureOf(auth.refresh())).toMatchObject({ code: 'REFRESH_FAILED' })
    expect(server.counts.requests).toBe(0)
    expect(ends).toEqual([])
  })

  it('an `extra` that throws fails the refresh, and the session stays', async () => {
    const { server, auth, ends } = await setUp({
      refreshRetry: { limit: 0 },
      refresh: refreshWithBody({
        url: '/r',
        extra() {
          throw new Error('no device id')
        },
      }),
    })
    expect(await failureOf(auth.refresh())).toMatchObject({ code: 'REFRESH_FAILED' })
    expect(server.counts.requests).toBe(0)
    expect(ends).toEqual([])
  })
})

describe('the CSRF cookie', () => {
  const csrf = { cookie: 'csrf', header: 'X-CSRF' }

  async function headerFor(cookie: string | undefined): Promise<string | undefined> {
    if (cookie !== undefined) vi.stubGlobal('document', { cookie })
    const { server, auth } = await setUp({ refresh: refreshWithCookie({ url: '/r', csrf }) })
    server.route('/r', () => json(200, { access_token: 'new' }))
    await auth.refresh()
    return server.log[0]?.headers['x-csrf']
  }

  it.each([
    ['alone', 'csrf=abc', 'abc'],
    ['among others', 'a=1; csrf=abc; b=2', 'abc'],
    ['after names that contain it', 'xcsrf=1; csrf2=2; x-csrf=3; csrf=abc', 'abc'],
    ['with equals signs in it', 'csrf=abc==', 'abc=='],
    ['encoded', 'csrf=a%2Fb%20c', 'a/b c'],
    ['with a percent sign that encodes nothing', 'csrf=100%', '100%'],
    ['empty', 'csrf=; a=1', ''],
  ])('is found %s', async (_, cookie, value) => {
    expect((await headerFor(cookie)) ?? '').toBe(value)
  })

  it.each([
    ['there is none', 'a=1; xcsrf=2'],
    ['there are no cookies', ''],
    ['its name stands without a value', 'csrf'],
    ['there is no document (a server, React Native)', undefined],
  ])('is left out when %s', async (_, cookie) => {
    expect(await headerFor(cookie)).toBeUndefined()
  })
})

describe('the CSRF token', () => {
  it('comes from a function, asked before each attempt, at once or later', async () => {
    let count = 0
    const tokens = [() => `t${++count}`, async () => `t${++count}`]
    for (const token of tokens) {
      count = 0
      const { server, auth, clock } = await setUp({
        refresh: refreshWithCookie({ url: '/r', csrf: { header: 'X-CSRF', token } }),
      })
      const answers = [json(503, {}), json(200, { access_token: 'new' })]
      server.route('/r', () => answers.shift())
      const refreshed = auth.refresh()
      await passBackOffs({ clock }, 1)
      await refreshed
      expect(server.log.map(({ headers }) => headers['x-csrf'])).toEqual(['t1', 't2'])
    }
  })

  it('comes from an endpoint, through the `http` of the refresh', async () => {
    const { server, auth } = await setUp({
      refresh: refreshWithCookie({
        url: '/r',
        csrf: {
          header: 'X-CSRF',
          token: async ({ http, signal }) =>
            (await http.get<{ token: string }>('/csrf', { signal })).data.token,
        },
      }),
    })
    server.route('/csrf', () => json(200, { token: 'of-the-server' }))
    server.route('/r', () => json(200, { access_token: 'new' }))
    await auth.refresh()
    expect(server.log.map(({ path, headers }) => [path, headers['x-csrf']])).toEqual([
      ['/csrf', undefined],
      ['/r', 'of-the-server'],
    ])
  })

  it.each([undefined, null, ''])('is left out where the function has none: %j', async (none) => {
    const csrf = { header: 'X-CSRF', token: () => none as undefined }
    const { server, auth } = await setUp({ refresh: refreshWithCookie({ url: '/r', csrf }) })
    server.route('/r', () => json(200, { access_token: 'new' }))
    await auth.refresh()
    expect(server.log.map(({ headers }) => 'x-csrf' in headers)).toEqual([false])
  })
})

describe('a redirect of the refresh endpoint', () => {
  const statuses = [301, 302, 303, 307, 308]

  describe.each(['http', 'fetch'] as const)('with the %s adapter', (adapter) => {
    it.each(strategies.flatMap(([name, make]) => statuses.map((status) => [name, status, make] as const)))(
      '%s does not follow a %i: nothing arrives there, and the session stays',
      async (_, status, make) => {
        const elsewhere = await startServer()
        const store = createOpenStore()
        const world = await setUp({ refresh: make({ url: '/r' }), store })
        const { server, api, auth, ends, login } = world
        api.defaults.adapter = adapterNamed(adapter)
        server.killAccessTokens()
        const target = [`${elsewhere.url}/public/taken`, '/public/taken'][status % 2]
        server.route('/r', () => ({ status, headers: { location: target ?? '' } }))
        const results = await settleAll([api.get('/api/1'), api.get('/api/2')])
        expect(outcomesOf(results)).toEqual(all(2, 'REFRESH_FAILED'))
        expect(server.requestsTo('/r')).toHaveLength(1)
        expect(server.requestsTo('/public/*')).toEqual([])
        expect(elsewhere.log).toEqual([])
        expect(auth.getSnapshot().status).toBe('signed-in')
        expect(keptRefreshToken(store)).toBe(login.refresh_token)
        expect(ends).toEqual([])
      },
    )
  })

  it('is no grant where any 2xx is one and fetch shows nothing of it, as in a page', async () => {
    const { api, auth } = await setUp({
      signedIn: false,
      place: noCredential(),
      refresh: refreshWithCookie({ url: '/r' }),
    })
    // What a browser answers to `redirect: 'manual'`.
    const opaque = Object.defineProperties(new Response(null), {
      status: { value: 0 },
      type: { value: 'opaqueredirect' },
    })
    Object.assign(api.defaults, { adapter: 'fetch', env: { ...api.defaults.env, fetch: async () => opaque } })
    await auth.signIn()
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'REFRESH_FAILED' })
  })
})

describe('what is read of an answer', () => {
  // What a readGrant trips over is shown there.
  beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}))

  const readings: [string, ReadGrant, code: string, message: RegExp][] = [
    ['returns null', () => null, 'SESSION_EXPIRED', /refused/],
    ['returns undefined', () => undefined, 'BAD_GRANT', /readGrant/],
    ['returns a text', () => 'new' as never, 'BAD_GRANT', /readGrant/],
    [
      'returns a grant without an access token',
      () => ({ refreshToken: 'x' }) as never,
      'BAD_GRANT',
      /readGrant/,
    ],
    [
      'throws, as one does that expects an envelope',
      (body) => ({ accessToken: (body as { data: { token: string } }).data.token }),
      'BAD_GRANT',
      /readGrant/,
    ],
    [
      'throws nothing that could be named',
      () => {
        // biome-ignore lint/style/useThrowOnlyError: what JavaScript allows
        throw undefined
      },
      'BAD_GRANT',
      /readGrant/,
    ],
    [
      'throws SessionRefused',
      () => {
        throw new SessionRefused('the account is disabled')
      },
      'SESSION_EXPIRED',
      /^the account is disabled$/,
    ],
    [
      'throws the SessionRefused of another copy of the package',
      () => {
        throw Object.assign(new Error('disabled elsewhere'), { name: 'SessionRefused' })
      },
      'SESSION_EXPIRED',
      /^disabled elsewhere$/,
    ],
  ]

  it.each(strategies.flatMap(([name, make]) => readings.map((reading) => [name, ...reading, make] as const)))(
    '%s with a readGrant that %s: %s',
    async (_name, _what, readGrant, code, message, make) => {
      const { server, api, auth, ends } = await setUp({ refresh: make({ url: '/r', readGrant }) })
      server.killAccessTokens()
      server.route('/r', () => json(200, { access_token: 'new', refresh_token: 'newer' }))
      const results = await settleAll([api.get('/api/1'), api.get('/api/2')])
      expect(outcomesOf(results)).toEqual(all(2, code))
      expect(server.requestsTo('/r')).toHaveLength(1)
      const signedIn = code === 'SESSION_EXPIRED' ? 'signed-out' : 'signed-in'
      expect(auth.getSnapshot().status).toBe(signedIn)
      expect(ends).toHaveLength(signedIn === 'signed-out' ? 1 : 0)
      for (const result of results) {
        expect(authErrorOf((result as PromiseRejectedResult).reason)?.message).toMatch(message)
      }
    },
  )

  const fields: [string, unknown, Grant][] = [
    ['access_token', { access_token: 'new' }, { accessToken: 'new' }],
    ['accessToken', { accessToken: 'new' }, { accessToken: 'new' }],
    ['token', { token: 'new' }, { accessToken: 'new' }],
    [
      'refresh_token',
      { access_token: 'new', refresh_token: 'newer' },
      { accessToken: 'new', refreshToken: 'newer' },
    ],
    [
      'refreshToken',
      { accessToken: 'new', refreshToken: 'newer' },
      { accessToken: 'new', refreshToken: 'newer' },
    ],
    ['expires_in', { access_token: 'new', expires_in: 60 }, { accessToken: 'new', expiresInSeconds: 60 }],
    ['expiresIn', { token: 'new', expiresIn: 60 }, { accessToken: 'new', expiresInSeconds: 60 }],
    [
      'access and refresh',
      { access: 'new', refresh: 'newer' },
      { accessToken: 'new', refreshToken: 'newer' },
    ],
    ['a Bearer before the token', { access_token: 'Bearer new' }, { accessToken: 'new' }],
    ['a bearer in any case', { token: 'BEARER  new' }, { accessToken: 'new' }],
    ['null for the refresh token', { token: 'new', refresh_token: null }, { accessToken: 'new' }],
    ['fields that mean nothing here', { token: 'new', user: {}, ok: true }, { accessToken: 'new' }],
  ]

  it.each(strategies.flatMap(([name, make]) => fields.map((field) => [name, ...field, make] as const)))(
    '%s reads %s by default',
    async (_name, _what, body, grant, make) => {
      const store = createOpenStore()
      const { server, auth, clock, login } = await setUp({ refresh: make({ url: '/r' }), store })
      server.route('/r', () => json(200, body))
      await auth.refresh()
      expect(await auth.getAccessToken()).toBe(grant.accessToken)
      expect(keptRefreshToken(store)).toBe(grant.refreshToken ?? login.refresh_token)
      const expiresAtMs = grant.expiresInSeconds && clock.nowMs() + grant.expiresInSeconds * 1000
      expect(auth.getSnapshot().expiresAtMs).toBe(expiresAtMs)
    },
  )

  it.each(strategies)(
    '%s gives its readGrant the response too: a token and a date in headers',
    async (_, make) => {
      const { server, auth, clock } = await setUp({
        refresh: make({
          url: '/r',
          readGrant: (body, { status, headers, data }) => ({
            accessToken: `${headers['x-token']}-${status}`,
            expiresInSeconds: data === body ? Number(headers['x-seconds']) : 0,
          }),
        }),
      })
      server.route('/r', () => json(200, {}, { 'x-token': 'new', 'x-seconds': '60' }))
      await auth.refresh()
      expect(await auth.getAccessToken()).toBe('new-200')
      expect(auth.getSnapshot().expiresAtMs).toBe(clock.nowMs() + 60_000)
    },
  )

  it.each(strategies)('%s waits for a readGrant that needs time', async (_, make) => {
    const store = createOpenStore()
    const readGrant: ReadGrant = async (body) => {
      const { a, r } = body as { a: string; r: string }
      return { accessToken: a, refreshToken: r }
    }
    const { server, auth } = await setUp({ store, refresh: make({ url: '/r', readGrant }) })
    server.route('/r', () => json(200, { a: 'new', r: 'the-newer-refresh-token' }))
    await auth.refresh()
    expect(await auth.getAccessToken()).toBe('new')
    expect(keptRefreshToken(store)).toBe('the-newer-refresh-token')
  })

  it.each([
    [{ access_token: 'a', refresh_token: 'r', expires_in: 60 }],
    [{ accessToken: 'a', refreshToken: 'r', expiresIn: 60 }],
    [{ access: 'Bearer a', refresh: 'r', expires_in: 60 }],
    [{ token: 'bearer a', refresh_token: 'r', expiresIn: 60 }],
    [{ access: 'Bearer a', refresh: 'Bearer r', expires_in: 60 }],
  ])('readGrant reads a login by the same rule: %j', async (body) => {
    expect(readGrant(body)).toEqual({ accessToken: 'a', refreshToken: 'r', expiresInSeconds: 60 })
    const { auth, clock } = await setUp({ signedIn: false })
    await auth.signIn(readGrant(body))
    expect(await auth.getAccessToken()).toBe('a')
    expect(auth.getSnapshot().expiresAtMs).toBe(clock.nowMs() + 60_000)
  })

  it.each([
    [undefined],
    [null],
    [''],
    ['a text'],
    [5],
    [[]],
    [{}],
    [{ data: { access_token: 'a' } }],
    [{ token: 'Bearer' }],
    [{ token: 5 }],
  ])('readGrant finds nothing to sign in with in %j', async (body) => {
    const { auth } = await setUp({ signedIn: false })
    expect(await failureOf(Promise.resolve().then(() => auth.signIn(readGrant(body))))).toMatchObject({
      code: 'BAD_OPTION',
    })
  })

  it('what a readGrant trips over is reported, without a token, and asked once', async () => {
    const { server, auth, login } = await setUp({
      refresh: refreshWithBody({
        url: '/r',
        readGrant: (body) => (body as { data: { grant: Grant } }).data.grant,
      }),
    })
    server.route('/r', () => json(200, { access_token: 'new' }))
    expect(await failureOf(auth.refresh())).toMatchObject({ code: 'BAD_GRANT' })
    expect(console.error).toHaveBeenCalledTimes(1)
    const shown = vi
      .mocked(console.error)
      .mock.calls.flat()
      .map((one) => `${one} ${(one as Error).stack}`)
    expect(shown.join()).toContain('grant')
    expect([login.refresh_token, '"new"'].filter((secret) => shown.join().includes(secret))).toEqual([])
    expect(server.requestsTo('/r')).toHaveLength(1)
  })
})
