// Row C at a server that speaks it: Flask-JWT-Extended with header tokens. The refresh token is the Bearer of an empty
// POST and stays what it is; a refusal sends the user to the login page.

import { localStorageStore, refreshWithBearer } from 'axios-auth-client'
import { describe, expect, it, vi } from 'vitest'
import { FakeStorage } from '../contracts/fake-storage.js'
import { bearerOf } from '../support/auth-server/request.js'
import { flaskHeader } from '../support/backends/flask-header.js'
import { settleAll } from '../support/settle-all.js'
import { burst, describeBackend, open, type Row, signedIn, usualTokens } from './backend-suite.js'

const row: Row = {
  server: { backend: flaskHeader },
  client: () => ({ refresh: refreshWithBearer({ url: '/auth/refresh' }) }),
  login: (api, email, password) => api.post('/auth/login', { email, password }, { authClient: false }),
  tokens: usualTokens,
  wrongPassword: { status: 401, data: { msg: 'Bad email or password' } },
  app: '/orders*',
  request: (number) => ({ url: `/orders/${number}` }),
  noToken: { status: 401, data: { msg: 'Missing Authorization Header' } },
  refreshCall: ({ refreshToken }) => ({
    method: 'POST',
    url: '/auth/refresh',
    authorization: `Bearer ${refreshToken}`,
    // axios's own, for a POST without a body.
    contentType: 'application/x-www-form-urlencoded',
    body: '',
  }),
  refreshTokenIn: (request) => (request.path === '/auth/refresh' ? bearerOf(request) : undefined),
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

describeBackend('C. Flask-JWT-Extended, header', row)

describe('C. Flask-JWT-Extended, header: an app', () => {
  it('signs in with what Google says, and asks who it is', async () => {
    const world = await open(row)
    const { api, auth, server } = world
    const { data } = await api.post('/auth/login', { id_token: 'google-ada' }, { authClient: false })
    await auth.signIn(row.tokens(data))
    expect((await api.get('/auth/me')).data.user).toBe('ada')
    expect(server.requestsTo('/auth/login')[0]?.headers.authorization).toBeUndefined()
    expect(server.counts).toMatchObject({ requests: 2, refreshes: 0 })
  })

  it('asks with the access token for itself and with the refresh token for a new one, never the other way', async () => {
    const world = await signedIn(row)
    const { server, api, auth, tokens } = world
    server.killAccessTokens()
    await api.get('/auth/me')
    expect(server.log.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/auth/me', `Bearer ${tokens.accessToken}`],
      ['/auth/refresh', `Bearer ${tokens.refreshToken}`],
      ['/auth/me', `Bearer ${await auth.getAccessToken()}`],
    ])
  })

  it('clears the data of the user and goes to the login page, once, when the refresh is refused', async () => {
    vi.stubGlobal('localStorage', new FakeStorage())
    const visits: string[] = []
    const world = await signedIn(row, {
      store: localStorageStore({ key: 'session' }),
      onSessionEnd({ reason }) {
        localStorage.removeItem('user')
        visits.push(`${reason}: /signin`)
      },
    })
    localStorage.setItem('user', 'ada')
    world.server.killAccessTokens()
    world.server.revoke()
    await settleAll(burst(world, row, 10))
    expect(visits).toEqual(['refused: /signin'])
    // No token is left, but the word that says why to a sleeping tab when it wakes.
    expect([localStorage.length, localStorage.getItem('session')]).toEqual([1, '"refused"'])
    expect(world.server.counts.refreshes).toBe(1)
  })
})
