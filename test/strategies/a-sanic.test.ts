// Row A at a server that speaks it: Sanic + PyJWT. A refusal is a 200 with `code: 0`, which `readGrant` makes final;
// both tokens are new with each refresh; a 401 of a token that has not expired is none of ours.

import { type Grant, localStorageStore, refreshWithBody, SessionRefused } from 'axios-auth-client'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createSanicApi } from '../../examples/recipes/a-sanic.js'
import { FakeStorage } from '../contracts/fake-storage.js'
import { bodyField } from '../support/auth-server/request.js'
import { failureOf, outcomesOf, startServer } from '../support/client.js'
import { settleAll } from '../support/settle-all.js'
import { answerOf, burst, describeBackend, open, type Row, signedIn } from './backend-suite.js'

const REFRESH = '/api/v1/system/refresh_token/'

function readGrant(body: unknown): Grant | undefined {
  const { code, token = '', refresh_token, message } = body as Record<string, string> & { code?: unknown }
  if (code === 0) throw new SessionRefused(message)
  return code === 1 ? { accessToken: token, refreshToken: refresh_token } : undefined
}

const row: Row = {
  server: {},
  client: () => ({
    refresh: refreshWithBody({ url: REFRESH, readGrant }),
    shouldRefresh: ({ response, expired }) => response.status === 401 && expired !== false,
  }),
  login: (api, username, password) =>
    api.post('/api/v1/system/login/', { username, password }, { authClient: false }),
  tokens: ({ token = '', refresh_token }) => ({ accessToken: token, refreshToken: refresh_token }),
  wrongPassword: { status: 200, data: { code: 0, message: 'wrong password' } },
  app: '/api/v1/orders/*',
  request: (number) => ({ url: `/api/v1/orders/${number}/` }),
  noToken: { status: 401, data: { message: 'token missing, expired or unknown' } },
  refreshCall: ({ refreshToken }) => ({
    method: 'POST',
    url: REFRESH,
    authorization: undefined,
    contentType: 'application/json',
    body: JSON.stringify({ refresh_token: refreshToken }),
  }),
  refreshTokenIn: (request) => (request.path === REFRESH ? bodyField(request, 'refresh_token') : undefined),
  rotates: true,
  // A token counts as expired from the moment it is stale. The server's clock is ahead of the client's.
  expire({ server, clock }) {
    server.clock.advance(301_000)
    clock.jump(275_000)
  },
  refusals: [
    ['a session that was revoked', ({ server }) => server.revoke('ada'), /^session revoked$/],
    [
      'a refresh token that has expired',
      ({ server }) => server.clock.advance(31 * 86_400_000),
      /^refresh token expired$/,
    ],
    [
      'code 0 with a reason',
      ({ server }) => server.refresh.always({ code: 0, message: 'the account is disabled' }),
      /^the account is disabled$/,
    ],
  ],
  malformed: [
    ['code 1 without a token', { status: 200, body: { code: 1 } }],
    ['a list', { status: 200, body: [] }],
    ['another code', { status: 200, body: { code: 2, token: 'x' } }],
  ],
  tampered: { status: 401, refreshes: 0 },
}

describeBackend('A. Sanic', row)

describe('A. Sanic: an app', () => {
  it('gets permissions and roles with the tokens', async () => {
    const { api } = await open(row)
    const { data } = await row.login(api, 'ada', 'secret')
    expect(data).toEqual({
      code: 1,
      token: expect.any(String),
      refresh_token: expect.any(String),
      permissions: ['read'],
      roles: ['user'],
    })
  })

  it('sees the 401 of a token that was killed before its time, body and all, and stays signed in', async () => {
    const world = await signedIn(row)
    const { server, auth, ends } = world
    server.killAccessTokens()
    const answers = await Promise.all(burst(world, row, 5).map(answerOf))
    for (const answer of answers) expect(answer).toMatchObject({ status: 401, data: row.noToken.data })
    expect(server.counts).toMatchObject({ requests: 5, refreshes: 0 })
    expect(auth.getSnapshot().status).toBe('signed-in')
    expect(ends).toEqual([])
  })

  it('ends the session by the refusal of a refresh that nobody waits for', async () => {
    const world = await signedIn(row)
    const { server, clock, ends, auth } = world
    server.refresh.always({ code: 0, message: 'the account is disabled' })
    // Stale for the client, still good for the server: renewed in the background.
    clock.jump(275_000)
    const refusal = server.hold(REFRESH)
    expect(outcomesOf(await settleAll(burst(world, row, 5)))).toEqual(Array(5).fill('ok'))
    await refusal.waiting(1)
    const waiting = settleAll([auth.refresh()])
    refusal.releaseAll()
    expect(outcomesOf(await waiting)).toEqual(['SESSION_EXPIRED'])
    expect(ends).toMatchObject([{ reason: 'refused', error: { message: 'the account is disabled' } }])
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0 })
  })

  it('leaves nothing but the locale in the storage at the sign-out', async () => {
    vi.stubGlobal('localStorage', new FakeStorage())
    const { auth, server } = await signedIn(row, { store: localStorageStore({ key: 'session' }) })
    localStorage.setItem('locale', 'de')
    localStorage.setItem('permissions', '["read"]')
    expect(localStorage.length).toBe(3)
    await auth.signOut()
    const locale = localStorage.getItem('locale') ?? ''
    localStorage.clear()
    localStorage.setItem('locale', locale)
    expect([localStorage.length, localStorage.getItem('locale')]).toEqual([1, 'de'])
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(server.counts.refreshes).toBe(0)
  })
})

describe('A. Sanic: the recipe', () => {
  async function app(path: string) {
    vi.stubGlobal('localStorage', new FakeStorage())
    const server = await startServer()
    const visits: string[] = []
    const made = createSanicApi(
      server.url,
      (to) => visits.push(to),
      () => path,
    )
    onTestFinished(() => made.auth.dispose())
    const { data } = await row.login(made.api, 'ada', 'secret')
    await made.auth.signIn(row.tokens(data))
    return { ...made, server, visits }
  }

  it.each([
    ['/orders', ['/login?redirect=%2Forders']],
    ['/oauth/callback', ['/login']],
    ['/login', []],
    ['/refresh_token', []],
    ['/403', []],
    ['/404', []],
  ])('takes a user on %s whose session is over to %j', async (path, visits) => {
    const world = await app(path)
    world.server.revoke()
    expect(await failureOf(world.auth.refresh())).toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(world.visits).toEqual(visits)
  })

  it('keeps the session when the page of a captive portal answers in the place of the server', async () => {
    const { auth, server, visits } = await app('/orders')
    server.refresh.next('html')
    expect(await failureOf(auth.refresh())).toMatchObject({ code: 'BAD_GRANT' })
    expect(auth.getSnapshot().status).toBe('signed-in')
    expect(visits).toEqual([])
  })
})
