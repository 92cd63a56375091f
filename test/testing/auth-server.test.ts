// The kit's backend as HTTP sees it: what it grants, what it refuses, what it counts and logs.
// Promise: it is as strict as a real one, and everything a test asks for is in its counters and its log.

import axios from 'axios'
import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  noCredential,
  refreshWithBearer,
  refreshWithBody,
  refreshWithCookie,
  refreshWithOAuth2,
} from '../../src/index.js'
import { type AuthServerOptions, createAuthServer } from '../../src/testing/index.js'
import { bearer, plainHttp, startApp, startBackend } from './kit.js'

const noCounts = { logins: 0, logouts: 0, refreshes: 0, granted: 0, reuses: 0, served: 0, refused: 0 }

describe('login', () => {
  it('answers a name and a password with tokens that the protected routes accept', async () => {
    const backend = startBackend()
    const api = plainHttp(backend)
    const { data, status } = await api.post('/auth/login', { username: 'grace', password: 'any' })
    expect(status).toBe(200)
    expect(data).toEqual({
      access_token: expect.any(String),
      refresh_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 300,
    })
    const me = await api.get('/me', bearer(data.access_token))
    expect(me.data).toEqual({ method: 'GET', path: '/me', user: 'grace' })
    expect(backend.counts).toEqual({ ...noCounts, logins: 1, served: 1 })
  })

  it.each(['JSON', 'a URL-encoded form', 'a multipart form'])('reads %s', async (kind) => {
    const backend = startBackend({ users: { ada: 'secret' } })
    const fields = { username: 'ada', password: 'secret' }
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.set(name, value)
    const bodies = {
      JSON: fields,
      'a URL-encoded form': new URLSearchParams(fields),
      'a multipart form': form,
    }
    const body = bodies[kind as keyof typeof bodies]
    expect((await axios.post(`${backend.origin}/auth/login`, body)).status).toBe(200)
  })

  it.each(['username', 'user', 'email', 'name'])('finds the name in the field %s', async (field) => {
    const backend = startBackend()
    const body = { username: '', [field]: 'grace' }
    const { data } = await plainHttp(backend).post('/auth/login', body)
    expect((await plainHttp(backend).get('/me', bearer(data.access_token))).data.user).toBe('grace')
  })

  it('says what was wrong', async () => {
    const backend = startBackend({ users: { ada: 'secret' } })
    const api = plainHttp(backend)
    const answers = [
      await api.post('/auth/login', { password: 'secret' }),
      await api.post('/auth/login', { username: 'ada', password: 'wrong' }),
      await api.get('/me', { headers: { Authorization: `NotBearer ${backend.login('ada').accessToken}` } }),
      await api.post('/auth/refresh', { refresh_token: 'nobody was given this' }),
    ]
    expect(answers.map(({ status, data }) => [status, data.error])).toEqual([
      [400, 'expected a field username, user, email or name'],
      [401, 'wrong name or password'],
      [401, 'invalid_token'],
      [401, 'invalid_grant'],
    ])
  })

  it('refuses a wrong password where users are given, and names that only an object has', async () => {
    const backend = startBackend({ users: { ada: 'lovelace' } })
    const api = plainHttp(backend)
    const logins = [
      { email: 'ada', password: 'lovelace' },
      { email: 'ada', password: 'wrong' },
      { email: 'ada' },
      { email: 'toString', password: 'any' },
      { password: 'lovelace' },
    ]
    const statuses = []
    for (const body of logins) statuses.push((await api.post('/auth/login', body)).status)
    expect(statuses).toEqual([200, 401, 401, 401, 400])
    expect(backend.counts.logins).toBe(1)
  })

  it('starts a session without HTTP, with tokens as signIn takes them', async () => {
    const backend = startBackend({ accessLifetimeSeconds: 60 })
    const { api, auth } = startApp(backend)
    const tokens = backend.login('grace')
    expect(tokens).toEqual({
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
      expiresInSeconds: 60,
    })
    await auth.signIn(tokens)
    expect((await api.get('/me')).data.user).toBe('grace')
    expect(auth.getSnapshot().subject).toBe('grace')
    expect(backend.counts).toEqual({ ...noCounts, served: 1 })
  })
})

describe('protected routes', () => {
  it('answer 401 without a token, with an unknown one and with a modified one', async () => {
    const backend = startBackend()
    const api = plainHttp(backend)
    const { accessToken } = backend.login()
    const other = createAuthServer().login().accessToken
    const none = await api.get('/orders')
    const foreign = await api.get('/orders', bearer(other))
    const changed = await api.get('/orders', bearer(`${accessToken}x`))
    expect([none, foreign, changed].map(({ status }) => status)).toEqual([401, 401, 401])
    expect(none.headers['www-authenticate']).toBe('Bearer')
    expect(foreign.headers['www-authenticate']).toContain('invalid_token')
    expect(backend.counts).toEqual({ ...noCounts, refused: 3 })
  })

  it.each([{ tokens: 'jwt' }, { tokens: 'opaque' }] as const)(
    'answer 401 after the lifetime by the server’s clock ($tokens)',
    async ({ tokens }) => {
      const backend = startBackend({ tokens, accessLifetimeSeconds: 60 })
      const api = plainHttp(backend)
      const { accessToken = '' } = backend.login()
      await backend.clock.advance(59_999)
      expect((await api.get('/me', bearer(accessToken))).status).toBe(200)
      await backend.clock.advance(1)
      expect((await api.get('/me', bearer(accessToken))).status).toBe(401)
    },
  )

  it('are those of the patterns only, and count a request once where two patterns match', async () => {
    const backend = startBackend({
      protected: ['/api/*', '/api/orders/:id'],
      handlers: [http.get('https://api.test/api/orders/:id', ({ params }) => HttpResponse.json(params))],
    })
    const api = plainHttp(backend)
    const { accessToken } = backend.login()
    expect((await api.get('/api/orders/7')).status).toBe(401)
    expect((await api.get('/api/orders/7', bearer(accessToken))).data).toEqual({ id: '7' })
    expect((await api.get('/api/else', bearer(accessToken))).data.user).toBe('ada')
    expect(backend.counts).toMatchObject({ refused: 1, served: 2 })
    // Not ours: msw's own rule for unknown requests refuses it, and says so.
    vi.spyOn(console, 'error').mockImplementation(() => {})
    await expect(api.get('/health')).rejects.toThrow()
    expect(backend.counts).toMatchObject({ refused: 1, served: 2 })
  })

  it('let a test add a handler behind the 401', async () => {
    const backend = createAuthServer()
    const server = setupServer(...backend.handlers)
    server.listen({ onUnhandledRequest: 'error' })
    onTestFinished(() => server.close())
    server.use(
      ...backend.guards,
      http.get('https://api.test/orders', () => HttpResponse.json(['mine'])),
    )
    const api = plainHttp(backend)
    expect((await api.get('/orders')).status).toBe(401)
    expect((await api.get('/orders', bearer(backend.login().accessToken))).data).toEqual(['mine'])
    expect((await api.get('/else', bearer(backend.login().accessToken))).data.user).toBe('ada')
    expect(backend.counts).toMatchObject({ refused: 1, served: 2 })
  })

  it('read the token from where the app puts it', async () => {
    const backend = startBackend({ readAccessToken: ({ headers }) => headers.get('x-token') ?? undefined })
    const { accessToken } = backend.login()
    const { status } = await plainHttp(backend).get('/me', { headers: { 'X-Token': accessToken } })
    expect(status).toBe(200)
  })
})

describe('refresh', () => {
  const spend = (backend: ReturnType<typeof startBackend>, refreshToken: unknown) =>
    plainHttp(backend).post('/auth/refresh', { refresh_token: refreshToken })

  it('gives a new refresh token for the old one, and ends the whole session when the old one comes again', async () => {
    const backend = startBackend()
    const { refreshToken } = backend.login()
    const first = await spend(backend, refreshToken)
    expect(first.data.refresh_token).not.toBe(refreshToken)
    const again = await spend(backend, refreshToken)
    expect([again.status, again.data]).toEqual([401, { error: 'invalid_grant' }])
    // The honest holder is out as well: the server cannot know who the thief is.
    expect((await spend(backend, first.data.refresh_token)).status).toBe(401)
    expect((await plainHttp(backend).get('/me', bearer(first.data.access_token))).status).toBe(401)
    expect(backend.counts).toEqual({ ...noCounts, refreshes: 3, granted: 1, reuses: 1, refused: 1 })
  })

  it('keeps other sessions when one is revoked for reuse', async () => {
    const backend = startBackend()
    const other = backend.login('grace')
    const { refreshToken } = backend.login('ada')
    await spend(backend, refreshToken)
    await spend(backend, refreshToken)
    expect((await spend(backend, other.refreshToken)).status).toBe(200)
  })

  it('keeps the refresh token without rotation, and does not repeat it', async () => {
    const backend = startBackend({ rotation: false })
    const { refreshToken } = backend.login()
    expect((await spend(backend, refreshToken)).data).not.toHaveProperty('refresh_token')
    expect((await spend(backend, refreshToken)).status).toBe(200)
    expect(backend.counts).toMatchObject({ granted: 2, reuses: 0 })
  })

  it('refuses a token that was never issued, and an expired one', async () => {
    const backend = startBackend({ refreshLifetimeSeconds: 10 })
    const { refreshToken } = backend.login()
    expect((await spend(backend, 'made-up')).status).toBe(401)
    expect((await spend(backend, undefined)).status).toBe(401)
    await backend.clock.advance(10_000)
    expect((await spend(backend, refreshToken)).status).toBe(401)
    expect(backend.counts).toMatchObject({ granted: 0, reuses: 0 })
  })

  const strategies = [
    { name: 'in a JSON body', refresh: refreshWithBody({ url: '/auth/refresh' }), server: {} },
    {
      name: 'in a field of another name',
      refresh: refreshWithBody({ url: '/auth/refresh', field: 'refreshToken' }),
      server: { refreshField: 'refreshToken' },
    },
    { name: 'as the Bearer', refresh: refreshWithBearer({ url: '/auth/refresh' }), server: {} },
    {
      name: 'as the Bearer of a GET',
      refresh: refreshWithBearer({ url: '/auth/refresh', method: 'GET' }),
      server: {},
    },
    {
      name: 'in an OAuth form',
      refresh: refreshWithOAuth2({ url: '/auth/refresh', clientId: 'app' }),
      server: {},
    },
    {
      name: 'in a cookie',
      refresh: refreshWithCookie({ url: '/auth/refresh' }),
      server: { cookies: 'refresh' } as AuthServerOptions,
    },
    {
      name: 'at a path and in an envelope of the app’s own',
      refresh: refreshWithBody({
        url: '/v1/token',
        readGrant: (body) => ({
          accessToken: (body as { data: { jwt: string; next: string } }).data.jwt,
          refreshToken: (body as { data: { jwt: string; next: string } }).data.next,
        }),
      }),
      server: {
        paths: { refresh: '/v1/token' },
        grantBody: ({ accessToken, refreshToken }) => ({ data: { jwt: accessToken, next: refreshToken } }),
      } as AuthServerOptions,
    },
  ]
  it.each(strategies)('reads the refresh token $name', async ({ refresh, server }) => {
    const backend = startBackend(server)
    const { api, auth } = startApp(backend, { refresh })
    await auth.signIn(backend.login())
    for (let round = 1; round <= 2; round++) {
      backend.expireAccessTokens()
      expect((await api.get('/me')).data.user).toBe('ada')
      expect(backend.counts).toMatchObject({ refreshes: round, granted: round, reuses: 0 })
    }
  })

  it('finds no access token in a cookie where only the refresh token is in one', async () => {
    const backend = startBackend({ cookies: 'refresh' })
    const api = plainHttp(backend)
    await api.post('/auth/login', { username: 'ada' })
    expect((await api.get('/me')).status).toBe(401)
    expect((await api.post('/auth/refresh')).status).toBe(200)
    expect((await api.get('/me')).status).toBe(401)
  })

  it('reads both tokens from cookies for an app that sees neither', async () => {
    const backend = startBackend({ cookies: 'both' })
    const { api, auth } = startApp(backend, {
      refresh: refreshWithCookie({ url: '/auth/refresh' }),
      place: noCredential(),
    })
    const { data } = await plainHttp(backend).post('/auth/login', { username: 'ada', password: '-' })
    expect(data).toEqual({ expires_in: 300 })
    await auth.signIn()
    expect((await api.get('/me')).data.user).toBe('ada')
    backend.expireAccessTokens()
    expect((await api.get('/me')).data.user).toBe('ada')
    expect(backend.counts).toMatchObject({ refreshes: 1, granted: 1 })
    await plainHttp(backend).post('/auth/logout')
    expect((await plainHttp(backend).get('/me')).status).toBe(401)
  })
})

describe('the end of a session', () => {
  it.each([
    { by: 'the access token', body: () => undefined, withBearer: true },
    { by: 'the refresh token', body: (refresh_token?: string) => ({ refresh_token }), withBearer: false },
  ])('comes with a logout that names it by $by', async ({ body, withBearer }) => {
    const backend = startBackend()
    const { accessToken, refreshToken } = backend.login()
    const api = plainHttp(backend)
    const logout = await api.post('/auth/logout', body(refreshToken), withBearer ? bearer(accessToken) : {})
    expect(logout.status).toBe(204)
    expect((await api.get('/me', bearer(accessToken))).status).toBe(401)
    expect((await api.post('/auth/refresh', { refresh_token: refreshToken })).status).toBe(401)
    expect(backend.counts).toMatchObject({ logouts: 1, reuses: 0 })
  })

  it('comes with revokeSessions, for one user or for everybody', async () => {
    const backend = startBackend()
    const [ada, grace] = [backend.login('ada'), backend.login('grace')]
    const api = plainHttp(backend)
    const statuses = async () => [
      (await api.get('/me', bearer(ada.accessToken))).status,
      (await api.get('/me', bearer(grace.accessToken))).status,
    ]
    backend.revokeSessions('ada')
    expect(await statuses()).toEqual([401, 200])
    backend.revokeSessions()
    expect(await statuses()).toEqual([401, 401])
  })

  it('does not come with expireAccessTokens: the refresh token stays valid', async () => {
    const backend = startBackend()
    const { accessToken, refreshToken } = backend.login()
    backend.expireAccessTokens()
    const api = plainHttp(backend)
    expect((await api.get('/me', bearer(accessToken))).status).toBe(401)
    const { data } = await api.post('/auth/refresh', { refresh_token: refreshToken })
    expect((await api.get('/me', bearer(data.access_token))).status).toBe(200)
  })
})

describe('the log', () => {
  it('lists every request in order, with its token and outcome', async () => {
    const backend = startBackend()
    const { api, auth } = startApp(backend)
    const tokens = backend.login()
    await auth.signIn(tokens)
    backend.expireAccessTokens()
    await api.get('/orders', { params: { page: 2 } })
    const at = { atMs: backend.clock.nowMs(), method: 'GET', path: '/orders' }
    expect(backend.log).toEqual([
      { ...at, endpoint: 'protected', token: tokens.accessToken, user: undefined, outcome: 'refused' },
      {
        ...at,
        endpoint: 'refresh',
        method: 'POST',
        path: '/auth/refresh',
        token: tokens.refreshToken,
        user: 'ada',
        outcome: 'granted',
      },
      {
        ...at,
        endpoint: 'protected',
        token: await auth.getAccessToken(),
        user: 'ada',
        outcome: 'served',
      },
    ])
  })
})

describe('the log of logins and logouts', () => {
  it('lists who signed in, who was refused and who signed out', async () => {
    const backend = startBackend({ users: { ada: 'secret' } })
    const api = plainHttp(backend)
    await api.post('/auth/login', { username: 'ada', password: 'wrong' })
    const { data } = await api.post('/auth/login', { username: 'ada', password: 'secret' })
    await api.post('/auth/logout', undefined, bearer(data.access_token))
    expect(backend.log).toMatchObject([
      { endpoint: 'login', user: undefined, outcome: 'refused' },
      { endpoint: 'login', user: 'ada', outcome: 'granted' },
      { endpoint: 'logout', user: 'ada', token: data.access_token, outcome: 'done' },
    ])
  })
})

describe('reset', () => {
  it('forgets sessions, outcomes, counts and log, and issues no token twice', async () => {
    const backend = startBackend({ seed: 7 })
    const before = backend.login()
    const api = plainHttp(backend)
    backend.refresh.next('unavailable')
    backend.refresh.always(404)
    await api.get('/me', bearer(before.accessToken))
    backend.reset()
    expect(backend.counts).toEqual(noCounts)
    expect(backend.log).toEqual([])
    expect((await api.get('/me', bearer(before.accessToken))).status).toBe(401)
    const after = backend.login()
    expect(after.accessToken).not.toBe(before.accessToken)
    const renewed = await api.post('/auth/refresh', { refresh_token: after.refreshToken })
    expect(renewed.data.access_token).toBeDefined()
  })

  it('settles delayed and hanging requests', async () => {
    const backend = startBackend()
    const api = plainHttp(backend)
    const hold = backend.hold('/orders')
    const held = api.get('/orders')
    const refresh = backend.refresh.hold()
    backend.refresh.next('hang')
    const hanging = api.post('/auth/refresh', {})
    await Promise.all([hold.waiting(), refresh.waiting()])
    refresh.release()
    backend.reset()
    const results = await Promise.allSettled([held, hanging])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(axios.isAxiosError((results[0] as PromiseRejectedResult).reason)).toBe(true)
    expect(hold.held).toBe(0)
    expect(() => hold.release()).toThrow('this hold is over')
  })
})

describe('the clock', () => {
  it('of a server that is given none starts now, at a whole second', () => {
    const nowMs = createAuthServer().clock.nowMs()
    expect(Math.abs(Date.now() - nowMs)).toBeLessThan(60_000)
    expect(nowMs % 1000).toBe(0)
  })
})

describe('options', () => {
  it('repeat the same tokens for the same seed', () => {
    const tokensOf = (seed: number) => {
      const backend = createAuthServer({ seed, tokens: 'opaque' })
      return [backend.login('ada'), backend.login('grace'), backend.seed]
    }
    expect(tokensOf(3)).toEqual(tokensOf(3))
    expect(tokensOf(3)).not.toEqual(tokensOf(4))
  })

  it('put claims into the tokens, for the app to read', async () => {
    const backend = startBackend({ claims: (user) => ({ roles: user === 'ada' ? ['admin'] : [] }) })
    const { auth } = startApp(backend)
    await auth.signIn(backend.login('ada'))
    expect(auth.getSnapshot().claims).toMatchObject({ sub: 'ada', roles: ['admin'] })
  })

  it.each([
    {
      options: { origin: 'https://api.test/v1' },
      says: /origin: expected one such as "https:\/\/api.test", got/,
    },
    { options: { origin: 'api.test' }, says: /origin/ },
    { options: { origin: 'https://api.test:443' }, says: /without a default port/i },
    {
      options: { accessLifetimeSeconds: Number.NaN },
      says: /accessLifetimeSeconds: expected seconds, got NaN/,
    },
    { options: { refreshLifetimeSeconds: Infinity }, says: /refreshLifetimeSeconds/ },
    { options: { protected: ['orders'] }, says: /begin with a slash, got "orders"/ },
    { options: { paths: { login: 'https://api.test/login' } }, says: /begin with a slash/ },
    { options: { tokens: 'paseto' as 'jwt' }, says: /expected 'jwt' or 'opaque', got "paseto"/ },
  ])('are refused at once, by name: $options', ({ options, says }) => {
    expect(() => createAuthServer(options)).toThrow(says)
  })
})
