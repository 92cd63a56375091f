// Row B at a server that speaks it: Flask-JWT-Extended with tokens in the JSON body. No token ever travels in a header,
// so a GET goes out without one; a refresh takes both; an access token lives for 5 seconds.

import { jsonBodyField, refreshWithBody, sessionStorageStore } from 'axios-auth-client'
import { describe, expect, it, vi } from 'vitest'
import { FakeStorage } from '../contracts/fake-storage.js'
import { bodyField } from '../support/auth-server/request.js'
import type { Echo } from '../support/auth-server.js'
import { flaskJson } from '../support/backends/flask-json.js'
import { answerOf, burst, describeBackend, type Row, signedIn, usualTokens } from './backend-suite.js'

const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE']

const row: Row = {
  server: { backend: flaskJson, accessLifetimeSeconds: 5 },
  client: () => ({
    place: jsonBodyField('token'),
    refresh: refreshWithBody({ url: '/refresh', extra: ({ accessToken }) => ({ token: accessToken }) }),
  }),
  login: (api, username, password) =>
    api.post('/login', new URLSearchParams({ username, password }), { authClient: false }),
  tokens: usualTokens,
  wrongPassword: { status: 401, data: { msg: 'Bad username or password' } },
  app: '/orders*',
  request: (number) => ({
    url: `/orders/${number}`,
    method: METHODS[number % METHODS.length],
    // Every third has no body of its own.
    data: number % 3 === 0 ? undefined : { number },
  }),
  noToken: { status: 401, data: { msg: 'Missing "token" key in json data.' } },
  refreshCall: ({ accessToken, refreshToken }) => ({
    method: 'POST',
    url: '/refresh',
    authorization: undefined,
    contentType: 'application/json',
    body: JSON.stringify({ token: accessToken, refresh_token: refreshToken }),
  }),
  refreshTokenIn: (request) =>
    request.path === '/refresh' ? bodyField(request, 'refresh_token') : undefined,
  rotates: false,
  refusals: [
    ['a session that was revoked', ({ server }) => server.revoke('ada'), /answered 401/],
    [
      'a refresh token that has expired',
      ({ server }) => server.clock.advance(31 * 86_400_000),
      /answered 401/,
    ],
    [
      'a 422 (a refresh token that cannot be proven)',
      ({ server }) => server.refresh.always(422),
      /answered 422/,
    ],
  ],
  malformed: [['an envelope', 'envelope']],
  tampered: { status: 422, refreshes: 0 },
}

describeBackend('B. Flask-JWT-Extended, JSON', row)

describe('B. Flask-JWT-Extended, JSON: an app', () => {
  it('carries tokens in JSON bodies only: in no header, no URL, and nowhere else', async () => {
    const world = await signedIn(row)
    const { server, api } = world
    for (let round = 0; round < 3; round++) {
      server.killAccessTokens()
      await Promise.all(burst(world, row, 8))
      await api.get('/public/prices')
      await api.post('/public/upload', new Blob(['x']))
    }
    const secrets = server.issuedTokens()
    for (const { path, search, headers } of server.log) {
      const outside = [path, search, JSON.stringify(headers)].join('\n')
      expect(secrets.filter((secret) => outside.includes(secret))).toEqual([])
      expect(headers.authorization).toBeUndefined()
    }
    expect(server.requestsTo('/public/*').flatMap(({ bodyBytes }) => bodyBytes.toString())).not.toEqual(
      expect.arrayContaining([expect.stringContaining('token')]),
    )
    expect(server.counts.refreshes).toBe(3)
  })

  it('the caller’s own body arrives whole beside the token, on the first sending and on the replay', async () => {
    const { server, api, auth, tokens } = await signedIn(row)
    server.killAccessTokens()
    const order = { items: ['ä', 2], note: null }
    const { config } = await api.put<Echo>('/orders/7', order)
    expect(server.requestsTo('/orders/7').map(({ body }) => body)).toEqual([
      { ...order, token: tokens.accessToken },
      { ...order, token: await auth.getAccessToken() },
    ])
    expect(order).toEqual({ items: ['ä', 2], note: null })
    expect(JSON.parse(config.data)).toEqual(order)
  })

  it('a GET goes out without a token, even while a refresh runs, and its 401 is not ours', async () => {
    const world = await signedIn(row)
    const { server, api, ends } = world
    server.killAccessTokens()
    const hold = server.hold('/refresh')
    const waiting = burst(world, row, 3)
    await hold.waiting(1)
    const answer = await answerOf(api.get('/orders/1'))
    expect(answer).toMatchObject(row.noToken)
    expect(server.log.at(-1)).toMatchObject({ method: 'GET', accessToken: undefined })
    hold.releaseAll()
    await Promise.all(waiting)
    expect(server.counts.refreshes).toBe(1)

    expect(await answerOf(api.get('/orders/2'))).toMatchObject(row.noToken)
    expect(server.counts.refreshes).toBe(1)
    expect(ends).toEqual([])
  })

  it('renews a token of 5 seconds in its last 750 ms, not on every request', async () => {
    const world = await signedIn(row)
    const { server, clock, api } = world
    for (let tick = 0; tick < 4; tick++) {
      clock.jump(1_000)
      server.clock.advance(1_000)
      await api.request(row.request(1))
    }
    expect(server.counts).toMatchObject({ refreshes: 0, answered401: 0, protectedOk: 4 })
    clock.jump(300)
    const hold = server.hold('/refresh')
    await api.request(row.request(1))
    await hold.waiting(1)
    hold.releaseAll()
    await server.idle()
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0, protectedOk: 5 })
  })

  it('keeps a user busy for a minute, with one refresh for each token that ran out', async () => {
    const world = await signedIn(row)
    const { server, clock, ends } = world
    for (let round = 1; round <= 12; round++) {
      clock.jump(5_000)
      server.clock.advance(5_000)
      await Promise.all(burst(world, row, 6))
      expect(server.counts).toMatchObject({ refreshes: round, answered401: 0, protectedOk: 6 * round })
    }
    expect(ends).toEqual([])
  })

  it('refreshes with the tokens of one session: those that belong together', async () => {
    const world = await signedIn(row)
    const { server, auth } = world
    server.killAccessTokens()
    await Promise.all(burst(world, row, 4))
    const first = await auth.getAccessToken()
    server.killAccessTokens()
    await Promise.all(burst(world, row, 4))
    expect(server.requestsTo('/refresh').map((request) => bodyField(request, 'token'))).toEqual([
      world.tokens.accessToken,
      first,
    ])
  })

  it('is kept in the session storage', async () => {
    const storage = new FakeStorage()
    vi.stubGlobal('sessionStorage', storage)
    const { auth, tokens } = await signedIn(row, { store: sessionStorageStore({ key: 'session' }) })
    expect(storage.getItem('session')).toContain(tokens.refreshToken)
    await auth.signOut()
    expect(storage.length).toBe(0)
  })
})
