// Runs the configurations that the README shows, against the server that speaks their backends' dialects.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { messageFor } from '../../examples/errors.js'
import { createSanicApi } from '../../examples/recipes/a-sanic.js'
import { createFlaskJsonApi } from '../../examples/recipes/b-flask-json.js'
import { createFlaskHeaderApi } from '../../examples/recipes/c-flask-header.js'
import { createFastApi } from '../../examples/recipes/d-fastapi.js'
import { createSlidingApi } from '../../examples/recipes/e-sliding.js'
import { createOAuthApi } from '../../examples/recipes/f-oauth2.js'
import { FakeStorage } from '../contracts/fake-storage.js'
import { type AuthServer, startAuthServer, tampered } from '../support/auth-server.js'

let server: AuthServer

beforeEach(async () => {
  server = await startAuthServer()
  vi.stubGlobal('localStorage', new FakeStorage())
  vi.stubGlobal('sessionStorage', new FakeStorage())
})

afterEach(() => {
  vi.restoreAllMocks()
  return server.stop()
})

function tokens() {
  const { access_token: accessToken, refresh_token: refreshToken } = server.login('ada')
  return { accessToken, refreshToken }
}

const burst = <T>(send: () => Promise<T>) => Promise.all(Array.from({ length: 20 }, send))

describe('the recipe for Sanic', () => {
  const setUp = async () => {
    const visits: string[] = []
    const app = createSanicApi(
      server.url,
      (path) => visits.push(path),
      () => '/orders',
    )
    await app.auth.signIn(tokens())
    return { ...app, visits }
  }

  it('refreshes once when the token expires', async () => {
    const { api, auth } = await setUp()
    await auth.updateTokens({ ...tokens(), expiresInSeconds: 1 })
    const laterMs = Date.now() + 1000
    vi.spyOn(Date, 'now').mockReturnValue(laterMs)
    await burst(() => api.get('/api/x'))
    expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
  })

  it('sends the user to the login page, with the way back, when the refresh is refused in a 200', async () => {
    const { auth, visits } = await setUp()
    server.refresh.always({ code: 0, message: 'disabled' })
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'SESSION_EXPIRED', message: 'disabled' })
    expect(visits).toEqual(['/login?redirect=%2Forders'])
  })

  it('passes on the 401 of a tampered token without a refresh', async () => {
    const { api, auth } = await setUp()
    const { accessToken } = tokens()
    await auth.updateTokens({ accessToken: tampered(accessToken) })
    await expect(api.get('/api/x')).rejects.toMatchObject({ response: { status: 401 } })
    expect(server.counts.refreshes).toBe(0)
  })

  it('clears the storage but the locale at the sign-out', async () => {
    const { signOut } = await setUp()
    localStorage.setItem('locale', 'de')
    localStorage.setItem('permissions', '[]')
    await signOut()
    expect([localStorage.getItem('locale'), localStorage.length]).toEqual(['de', 1])
  })
})

it('the recipe for Flask with JSON tokens refreshes once, with both tokens in the body', async () => {
  server.route('/refresh', () => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ access_token: server.login('ada').access_token }),
  }))
  const { api, auth } = createFlaskJsonApi(server.url)
  await auth.signIn(tokens())
  server.killAccessTokens()
  await burst(() => api.post('/api/json-body', { a: 1 }))
  expect(server.requestsTo('/refresh')).toHaveLength(1)
  expect(server.requestsTo('/refresh')[0]?.body).toEqual({
    token: expect.any(String),
    refresh_token: expect.any(String),
  })
})

it('the recipe for Flask with header tokens refreshes once with the refresh token as the Bearer', async () => {
  const { api, auth } = createFlaskHeaderApi(`${server.url}`, () => {})
  await auth.signIn(tokens())
  server.route('/auth/refresh', ({ headers }) => ({
    status: headers.authorization?.startsWith('Bearer ') ? 200 : 401,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ access_token: server.login('ada').access_token }),
  }))
  server.killAccessTokens()
  await burst(() => api.get('/api/x'))
  expect(server.requestsTo('/auth/refresh')).toHaveLength(1)
})

it('the recipe for FastAPI signs in by a form', async () => {
  const { auth, signIn } = createFastApi(server.url)
  server.route('/token', ({ body }) => ({
    status: (body as { password?: string }).password === 'secret' ? 200 : 400,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(server.login('ada')),
  }))
  await signIn('ada', 'secret')
  expect(auth.getSnapshot().status).toBe('signed-in')
})

it('the recipe for a sliding server adopts the pushed token and answers every request', async () => {
  const { api, auth } = createSlidingApi(server.url, () => {})
  await auth.signIn({ accessToken: server.slidingLogin('ada') })
  server.clock.advance(301_000)
  await burst(() => api.get('/sliding/me'))
  await api.get('/sliding/me')
  expect(auth.getSnapshot().status).toBe('signed-in')
})

it('the recipe for OAuth 2.0 survives rotation with reuse detection', async () => {
  const { api, auth } = createOAuthApi(server.url, '/oauth/token')
  await auth.signIn(tokens())
  for (let expiry = 0; expiry < 3; expiry++) {
    server.killAccessTokens()
    await burst(() => api.get('/api/x'))
  }
  expect(server.counts).toMatchObject({ refreshes: 3, reuses: 0 })
})

it('the messages distinguish a temporary fault from the end of the session', async () => {
  const { api, auth } = createOAuthApi(server.url, '/oauth/token')
  await auth.signIn(tokens())
  server.killAccessTokens()
  server.refresh.always(404)
  const failure = await api.get('/api/x').catch((error: unknown) => error)
  expect(messageFor(failure)).toMatch(/still signed in/)
})
