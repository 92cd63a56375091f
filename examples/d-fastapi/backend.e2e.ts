// FastAPI with the OAuth2 password form, run for real: the refresh by GET with the Bearer, and by POST with JSON.
import axios from 'axios'
import { describe, expect, it } from 'vitest'
import { failureOf } from '../../test/support/client.js'
import { startPython } from '../backends/python.js'
import {
  type App,
  all,
  answersOf,
  burst,
  describeBackend,
  giveStorages,
  onOneBackend,
  open,
  type Row,
  refreshesIn,
  signedIn,
  testExpiry,
  testRefusal,
} from '../backends/suite.js'
import { createApp, createPostApp } from './client.js'

const openWith =
  (create: typeof createApp) =>
  (url: string): App => {
    const app = create(url)
    return { ...app, whoAmI: async () => (await app.api.get<{ name: string }>('/me')).data.name, visits: [] }
  }

const row: Row = {
  start: (changes) => startPython('d-fastapi', changes),
  open: openWith(createApp),
  refresh: 'GET /refresh_token',
  wrongPassword: { response: { status: 400, data: { detail: 'Incorrect username or password' } } },
  noticedBy: ['client', 'server'],
  // A 401 looks the same for a forged and an expired token, so the forged one is replaced.
  tampered: { status: 200, refreshes: 1 },
  visitsAtEnd: [],
  survivesReload: true,
}

describeBackend('FastAPI with the OAuth2 password form', row)

describe('FastAPI, refreshed by a POST with JSON', () => {
  const postRow: Row = { ...row, open: openWith(createPostApp), refresh: 'POST /refresh_token' }
  const shared = onOneBackend(postRow)
  giveStorages()
  testExpiry(shared)
  testRefusal(shared)
})

describe('FastAPI with the OAuth2 password form: its tokens', () => {
  giveStorages()
  const shared = onOneBackend(row)

  const byBearer = (url: string, token: string) =>
    axios.get(`${url}/refresh_token`, { headers: { Authorization: `Bearer ${token}` } })
  const byBody = (url: string, refresh_token: string) => axios.post(`${url}/refresh_token`, { refresh_token })
  const me = (url: string, token: string) =>
    axios.get(`${url}/me`, { headers: { Authorization: `Bearer ${token}` } })

  it('keep the refresh token: answers bring an access token only, and each refresh sends the same refresh token', async () => {
    const world = await signedIn(shared)
    const { app, backend } = world
    const { refreshToken } = storedTokens()
    for (let turn = 0; turn < 3; turn++) {
      await app.auth.refresh()
      expect(storedTokens().refreshToken).toBe(refreshToken)
      expect(await answersOf(burst(world, 20))).toEqual(all(20, 'ada'))
    }
    expect(refreshesIn(row, await backend.answered())).toEqual({ refreshes: 3, granted: 3 })
  })

  it.each([
    ['a GET with the Bearer', byBearer],
    ['a POST with JSON', byBody],
  ])('are renewed by %s in an answer that no cache keeps', async (_, refresh) => {
    const { backend } = await signedIn(shared)
    const { data, headers } = await refresh(backend.url, storedTokens().refreshToken)
    expect(data).toEqual({ access_token: expect.any(String), token_type: 'bearer' })
    expect(headers['cache-control']).toBe('no-store')
    expect((await me(backend.url, data.access_token)).data).toEqual({ name: 'ada' })
  })

  it.each([
    ['a GET with the Bearer', byBearer],
    ['a POST with JSON', byBody],
  ])('are rejected for %s with a 401 and its detail when they are the wrong ones', async (_, refresh) => {
    const { app, backend } = await signedIn(shared)
    const { accessToken, refreshToken } = storedTokens()
    const says = async (token: string) =>
      ((await failureOf(refresh(backend.url, token))) as { response?: { status: number; data: unknown } })
        .response
    expect(await says(accessToken)).toMatchObject({
      status: 401,
      data: { detail: 'This is no refresh token' },
    })
    expect(await says('nonsense')).toMatchObject({
      status: 401,
      data: { detail: 'The refresh token is not valid' },
    })
    await app.signOut()
    expect(await says(refreshToken)).toMatchObject({
      status: 401,
      data: { detail: 'The session has been signed out' },
    })
  })

  it('are rejected by requests when they are refresh tokens, unsigned, or signed out', async () => {
    const { app, backend } = await signedIn(shared)
    const { accessToken, refreshToken } = storedTokens()
    const [, payload] = accessToken.split('.')
    const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.`
    expect((await me(backend.url, accessToken)).status).toBe(200)
    await app.signOut()
    for (const token of [refreshToken, unsigned, accessToken]) {
      expect(await failureOf(me(backend.url, token))).toMatchObject({ response: { status: 401 } })
    }
  })

  it('are not requested while nobody is signed in: the 401 reaches the caller unchanged', async () => {
    const { app, backend, ends } = await open(shared)
    expect(await failureOf(app.whoAmI())).toMatchObject({
      response: { status: 401, data: { detail: 'Not authenticated' } },
    })
    expect(await backend.answered()).toHaveLength(1)
    expect(ends).toEqual([])
  })
})

function storedTokens(): { accessToken: string; refreshToken: string } {
  return (JSON.parse(localStorage.getItem('session') ?? '{}') as { tokens: ReturnType<typeof storedTokens> })
    .tokens
}
