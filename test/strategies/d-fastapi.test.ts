// Row D at a server that speaks it: FastAPI with the OAuth2 password form. The refresh is a GET with the refresh token as
// its Bearer, or a POST of JSON, distinguished by the strategy alone.

import { localStorageStore, refreshWithBearer, refreshWithBody } from 'axios-auth-client'
import { describe, expect, it, vi } from 'vitest'
import { FakeStorage } from '../contracts/fake-storage.js'
import { bearerOf, bodyField, everythingIn } from '../support/auth-server/request.js'
import { fastapi } from '../support/backends/fastapi.js'
import { failureOf } from '../support/client.js'
import { callIn, describeBackend, open, type Row, signedIn, signIn, usualTokens } from './backend-suite.js'

const row: Omit<Row, 'client' | 'refreshCall'> = {
  server: { backend: fastapi },
  login: (api, username, password) =>
    api.post('/token', new URLSearchParams({ username, password, grant_type: 'password' }), {
      authClient: false,
    }),
  tokens: usualTokens,
  wrongPassword: { status: 400, data: { detail: 'Incorrect username or password' } },
  app: '/orders*',
  request: (number) => ({ url: `/orders/${number}` }),
  noToken: { status: 401, data: { detail: 'Not authenticated' } },
  refreshTokenIn: (request) =>
    request.path === '/refresh_token'
      ? (bearerOf(request) ?? bodyField(request, 'refresh_token'))
      : undefined,
  rotates: false,
  refusals: [
    ['a session that was revoked', ({ server }) => server.revoke('ada'), /answered 401/],
    [
      'a refresh token that has expired',
      ({ server }) => server.clock.advance(31 * 86_400_000),
      /answered 401/,
    ],
    ['a 422 (a body that does not fit)', ({ server }) => server.refresh.always(422), /answered 422/],
  ],
  malformed: [['an envelope', 'envelope']],
  tampered: { status: 401, refreshes: 1 },
}

const byGet: Row = {
  ...row,
  client: () => ({ refresh: refreshWithBearer({ url: '/refresh_token', method: 'GET' }) }),
  refreshCall: ({ refreshToken }) => ({
    method: 'GET',
    url: '/refresh_token',
    authorization: `Bearer ${refreshToken}`,
    contentType: undefined,
    body: '',
  }),
}

const byPost: Row = {
  ...row,
  client: () => ({ refresh: refreshWithBody({ url: '/refresh_token' }) }),
  refreshCall: ({ refreshToken }) => ({
    method: 'POST',
    url: '/refresh_token',
    authorization: undefined,
    contentType: 'application/json',
    body: JSON.stringify({ refresh_token: refreshToken }),
  }),
}

describeBackend('D. FastAPI, refresh by GET', byGet)
describeBackend('D. FastAPI, refresh by POST', byPost)

describe('D. FastAPI: an app', () => {
  it('signs in by a form, as OAuth2PasswordRequestForm wants it', async () => {
    const world = await open(byGet)
    await signIn(world, byGet, 'ada')
    expect(world.server.requestsTo('/token').map(callIn)).toEqual([
      {
        method: 'POST',
        url: '/token',
        authorization: undefined,
        contentType: expect.stringContaining('application/x-www-form-urlencoded'),
        body: 'username=ada&password=secret&grant_type=password',
      },
    ])
  })

  it('the refresh token stands in no URL, where a log would keep it', async () => {
    const { server, auth } = await signedIn(byGet)
    await auth.refresh()
    expect(server.log[0]?.search).toBe('')
    expect(everythingIn(server.log[0] as never)).toContain(server.sessions.at(-1)?.refreshToken)
  })

  it('a refresh by a method that the server does not know fails, and keeps the session', async () => {
    const { auth, server, ends } = await signedIn(byPost, {
      refresh: refreshWithBody({ url: '/refresh_token', method: 'PUT' }),
    })
    expect(await failureOf(auth.refresh())).toMatchObject({ code: 'REFRESH_FAILED' })
    expect(server.log).toMatchObject([{ method: 'PUT', status: 405 }])
    expect(ends).toEqual([])
  })

  it('is kept in the local storage until the refusal', async () => {
    const storage = new FakeStorage()
    vi.stubGlobal('localStorage', storage)
    const { auth, server, tokens } = await signedIn(byGet, { store: localStorageStore({ key: 'session' }) })
    await auth.refresh()
    expect(storage.getItem('session')).toContain(tokens.refreshToken)
    server.revoke()
    expect(await failureOf(auth.refresh())).toMatchObject({ code: 'SESSION_EXPIRED' })
    // No token is left, but the word that says why to a sleeping tab when it wakes.
    expect([storage.length, storage.getItem('session')]).toEqual([1, '"refused"'])
  })
})
