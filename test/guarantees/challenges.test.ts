// G29: a 401 whose challenge no newer token can answer is passed on to the caller, at once and untouched.

import {
  type AuthClientOptions,
  authErrorOf,
  basicUser,
  bearerHeader,
  jsonBodyField,
  noCredential,
  refreshWithCookie,
} from 'axios-auth-client'
import { describe, expect, it, vi } from 'vitest'
import { failureOf, type SetUpOptions, setUp } from '../support/client.js'

/** A client whose server answers `/guarded` with a 401 and this challenge, whatever the token. */
async function challenged(challenge: string | string[], options: SetUpOptions = {}) {
  const world = await setUp(options)
  world.server.route('/guarded', () => ({ status: 401, headers: { 'www-authenticate': challenge } }))
  return world
}

const PASSED_ON: [string, string | string[], AuthClientOptions?][] = [
  ['insufficient_scope', 'Bearer error="insufficient_scope", scope="admin"'],
  ['insufficient_scope in another spelling', 'bearer realm="a, b",ERROR = insufficient_scope'],
  [
    'insufficient_user_authentication (RFC 9470)',
    'Bearer error="insufficient_user_authentication", acr_values="myACR", max_age="5"',
  ],
  [
    'insufficient_claims',
    'Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="',
  ],
  ['claims', 'Bearer error="invalid_token", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'],
  ['invalid_request', 'Bearer error="invalid_request"'],
  ['it beside another scheme', 'Basic realm="x", Bearer error="insufficient_scope", Negotiate'],
  ['it in a header of its own', ['Basic realm="error=x, y"', 'Bearer error="insufficient_scope"']],
  [
    'it for a scheme of the placement',
    'Bearer, Token error="insufficient_scope"',
    { place: bearerHeader({ scheme: 'Token' }) },
  ],
  ['it for Basic', 'Basic error="insufficient_scope", Bearer', { place: basicUser() }],
  [
    'it for a bare token',
    'Bearer error="insufficient_scope"',
    { place: bearerHeader({ header: 'X-Token', scheme: '' }) },
  ],
  ['it for a token in the body', 'Bearer error="insufficient_scope"', { place: jsonBodyField() }],
]

describe.each(PASSED_ON)('G29: a 401 with %s', (_, challenge, options) => {
  it('starts no refresh and no second request', async () => {
    const { server, api, auth } = await challenged(challenge, options)
    const error = await failureOf(api.post('/guarded'))
    expect(error).toMatchObject({ isAxiosError: true, response: { status: 401 } })
    expect(authErrorOf(error)).toBeUndefined()
    expect(server.requestsTo('/guarded')).toHaveLength(1)
    expect(server.counts.refreshes).toBe(0)
    expect(auth.stats()).toMatchObject({ refused: 0, replays: 0 })
  })

  it('ends no session without `refresh`', async () => {
    const { api, auth, ends } = await challenged(challenge, { ...options, refresh: undefined })
    await failureOf(api.post('/guarded'))
    expect(auth.getSnapshot().status).toBe('signed-in')
    expect(ends).toEqual([])
  })
})

describe.each<[string, string | string[], AuthClientOptions?]>([
  ['invalid_token', 'Bearer error="invalid_token"'],
  ['no challenge', []],
  ['no error', 'Bearer realm="api"'],
  ['a challenge that nobody can read', '="", ,,"'],
  [
    'invalid_token beside what another scheme lacks',
    'Bearer error="invalid_token", DPoP error="insufficient_scope"',
  ],
  [
    'a second challenge that a newer token answers',
    'Bearer error="insufficient_scope", Bearer error="invalid_token"',
  ],
  ['the error quoted in a realm', 'Bearer realm="error=\\"insufficient_scope\\", x", error="invalid_token"'],
  ['what only Bearer lacks', 'Bearer error="insufficient_scope", Basic realm="x"', { place: basicUser() }],
])('G29: a 401 with %s', (_, challenge, options) => {
  it('is refreshed and replayed', async () => {
    const { server, api } = await challenged(challenge, options)
    await failureOf(api.get('/guarded'))
    expect(server.requestsTo('/guarded')).toHaveLength(2)
    expect(server.counts.refreshes).toBe(1)
  })
})

it('G29: a cookie session is not refreshed for a missing permission, and is for anything else', async () => {
  const { server, api, auth } = await challenged('Bearer error="insufficient_scope"', {
    signedIn: false,
    place: noCredential(),
    refresh: refreshWithCookie({ url: '/refresh' }),
  })
  server.route('/refresh', () => ({ status: 204 }))
  await auth.signIn()
  await failureOf(api.get('/guarded'))
  expect(server.requestsTo('/refresh')).toHaveLength(0)
  server.route('/guarded', () => ({ status: 401, headers: { 'www-authenticate': 'Session realm="x"' } }))
  await failureOf(api.get('/guarded'))
  expect(server.requestsTo('/refresh')).toHaveLength(1)
})

it('G29: while the refresh endpoint is down, a 401 that asks for more affects no other request', async () => {
  const { server, api } = await challenged('Bearer error="insufficient_claims", claims="e30="')
  server.refresh.always(503)
  await failureOf(api.get('/guarded'))
  expect((await api.get('/api/me')).status).toBe(200)
  expect(server.counts.refreshes).toBe(0)
})

it("G29: the challenge is also read from the platform's Headers, which a custom adapter may return", async () => {
  const { server, api } = await setUp()
  const headers = new Headers({ 'WWW-Authenticate': 'Bearer error="insufficient_scope"' })
  const adapter = async (config: object) => ({ status: 401, data: '', headers, config }) as never
  expect((await api.get('/x', { adapter })).status).toBe(401)
  expect(server.counts.refreshes).toBe(0)
})

it('G29: a 401 that validateStatus accepts resolves unchanged', async () => {
  const { server, api } = await challenged('Bearer error="insufficient_scope"')
  const { status, config } = await api.get('/guarded', { validateStatus: () => true })
  expect([status, config.headers.Authorization]).toEqual([401, undefined])
  expect(server.counts.refreshes).toBe(0)
})

it('G29: a shouldRefresh that throws falls back to the challenge', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const { server, api } = await challenged('Bearer error="insufficient_scope"', {
    shouldRefresh() {
      throw new Error('a fault of the app')
    },
  })
  await failureOf(api.get('/guarded'))
  expect(server.counts.refreshes).toBe(0)
})
