// Sanic + PyJWT, run for real: its `code: 0` in a 200, its 401s that are no expiry, and where its app sends the user.
import axios from 'axios'
import { authErrorOf } from 'axios-auth-client'
import { describe, expect, it } from 'vitest'
import { tampered } from '../../test/support/auth-server.js'
import { failureOf, outcomesOf } from '../../test/support/client.js'
import { startPython, USERS } from '../backends/python.js'
import {
  all,
  burst,
  describeBackend,
  giveStorages,
  onOneBackend,
  open,
  openApp,
  type Row,
  refreshesIn,
  settled,
  signedIn,
} from '../backends/suite.js'
import { createApp } from './client.js'

const API = '/api/v1/system'

function openPage(url: string, path = '/orders') {
  const visits: string[] = []
  const app = createApp(
    url,
    (to) => visits.push(to),
    () => path,
  )
  return {
    ...app,
    whoAmI: async () => (await app.api.get<{ name: string }>(`${API}/me/`)).data.name,
    visits,
  }
}

const row: Row = {
  start: (changes) => startPython('a-sanic', { ADMINS: 'ada', ...changes }),
  open: openPage,
  refresh: `POST ${API}/refresh_token/`,
  wrongPassword: { message: 'Wrong user name or password' },
  // A 401 to a token that has not expired is no expiry.
  noticedBy: ['client'],
  tampered: { status: 401, refreshes: 0 },
  visitsAtEnd: ['/login?redirect=%2Forders'],
  refusal: /^The refresh token has expired$/,
  survivesReload: true,
}

describeBackend('Sanic + PyJWT', row)

describe('Sanic + PyJWT: its answers', () => {
  giveStorages()
  const shared = onOneBackend(row)

  it('ends the session for a refusal in a 200, and every waiting request gets its message', async () => {
    const world = await signedIn(shared)
    const { app, backend, ends } = world
    await revokedElsewhere(backend.url)
    const results = await settled([app.auth.refresh(), ...all(5, undefined).map(() => app.auth.refresh())])
    expect(outcomesOf(results)).toEqual(all(6, 'SESSION_EXPIRED'))
    for (const result of results) {
      expect(result.status === 'rejected' && authErrorOf(result.reason)?.message).toBe('You have signed out')
    }
    const log = await backend.answered()
    expect(log.filter(({ path }) => path.includes('refresh'))).toMatchObject([{ status: 200 }])
    expect(ends).toMatchObject([{ reason: 'refused', error: { message: 'You have signed out' } }])
  })

  it('passes the 401 { message } of a session that ended elsewhere to the caller, who stays signed in until the token expires', async () => {
    const world = await signedIn(shared)
    const { app, backend, ends } = world
    await revokedElsewhere(backend.url)
    for (const reason of await Promise.all(burst(world, 5).map(failureOf))) {
      expect(reason).toMatchObject({ response: { status: 401, data: { message: 'You have signed out' } } })
    }
    expect(refreshesIn(row, await backend.answered()).refreshes).toBe(0)
    expect(app.auth.getSnapshot().status).toBe('signed-in')
    expect(ends).toEqual([])
  })

  it('passes the 401 { message } of a forged token on in the caller’s own error', async () => {
    const { app } = await signedIn(shared)
    await app.auth.updateTokens({ accessToken: tampered((await app.auth.getAccessToken()) ?? '') })
    expect(await failureOf(app.whoAmI())).toMatchObject({
      isAxiosError: true,
      response: { status: 401, data: { message: 'The access token is not valid' } },
    })
  })

  it('passes the 403 { message } of a missing permission on without a refresh, and keeps the session', async () => {
    const { app, backend, ends } = await open(shared)
    await app.signIn('bob', USERS.bob)
    expect(await failureOf(app.api.get(`${API}/audit/`))).toMatchObject({
      response: { status: 403, data: { message: 'You may not see this' } },
    })
    expect(await app.whoAmI()).toBe('bob')
    expect(refreshesIn(row, await backend.answered()).refreshes).toBe(0)
    expect(ends).toEqual([])
  })

  it('sends the user’s permissions and roles with the tokens', async () => {
    const page = openApp(openPage, (await open(shared)).backend.url).app as ReturnType<typeof openPage>
    await page.signIn('ada', USERS.ada)
    expect(page.rights()).toEqual({ permissions: ['audit:read', 'orders:read'], roles: ['user', 'admin'] })
    expect((await page.api.get(`${API}/audit/`)).data).toEqual({ code: 1, entries: [] })
    await page.signIn('bob', USERS.bob)
    expect(page.rights()).toEqual({ permissions: ['orders:read'], roles: ['user'] })
  })
})

describe('Sanic + PyJWT: its tokens', () => {
  giveStorages()
  const shared = onOneBackend(row)
  const refresh = async (url: string, refresh_token: string) =>
    (await axios.post(`${url}${API}/refresh_token/`, { refresh_token })).data as Record<string, unknown>

  it('are both replaced by each refresh, and a refresh token is accepted once', async () => {
    const { app, backend } = await signedIn(shared)
    const first = storedTokens()
    await app.auth.refresh()
    const second = storedTokens()
    expect([second.accessToken, second.refreshToken]).not.toContain(first.accessToken)
    expect(second.refreshToken).not.toBe(first.refreshToken)
    expect(await refresh(backend.url, first.refreshToken)).toEqual({
      code: 0,
      message: 'The refresh token has been used',
    })
    await app.auth.refresh()
    expect(await app.whoAmI()).toBe('ada')
  })

  it('are issued once when several requests bring the same refresh token at the same moment', async () => {
    const { backend } = await signedIn(shared)
    let { refreshToken } = storedTokens()
    // Round after round, over connections that are open already: so they do come at the same moment, most times.
    for (let round = 0; round < 30; round++) {
      const answers = await Promise.all(all(8, undefined).map(() => refresh(backend.url, refreshToken)))
      const [granted, ...others] = answers.filter(({ code }) => code === 1)
      expect([typeof granted?.refresh_token, others]).toEqual(['string', []])
      refreshToken = String(granted?.refresh_token)
    }
  })

  it('are not accepted in place of each other', async () => {
    const { backend } = await signedIn(shared)
    const { accessToken, refreshToken } = storedTokens()
    expect(await refresh(backend.url, accessToken)).toEqual({
      code: 0,
      message: 'This is no refresh token',
    })
    expect(await failureOf(me(backend.url, refreshToken))).toMatchObject({
      response: { status: 401, data: { message: 'This is no access token' } },
    })
  })

  it('are not accepted without a signature', async () => {
    const { backend } = await signedIn(shared)
    const [, payload] = storedTokens().accessToken.split('.')
    const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.`
    expect(await failureOf(me(backend.url, unsigned))).toMatchObject({ response: { status: 401 } })
  })
})

describe('Sanic + PyJWT: its app', () => {
  giveStorages()
  const shared = onOneBackend(row)

  async function signedInAt(path: string) {
    const { backend } = await open(shared)
    const { app } = openApp((url) => openPage(url, path), backend.url)
    await app.signIn('ada', USERS.ada)
    return { app, backend }
  }

  it.each([
    ['/orders/7?tab=items', ['/login?redirect=%2Forders%2F7%3Ftab%3Ditems']],
    ['/oauth/callback?code=1', ['/login']],
    ['/login?redirect=%2Forders', []],
    ['/refresh_token', []],
    ['/403', []],
    ['/404', []],
    ['/help#sign-in', []],
  ])('sends a user on %s whose session is over to %j', async (path, visits) => {
    const { app, backend } = await signedInAt(path)
    await revokedElsewhere(backend.url)
    expect(await failureOf(app.auth.refresh())).toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(app.visits).toEqual(visits)
  })

  it('redirects nobody who signs in over a live session', async () => {
    const { app } = await signedInAt('/orders')
    await app.signIn('bob', USERS.bob)
    expect(await app.whoAmI()).toBe('bob')
    expect(app.visits).toEqual([])
  })

  it('empties the storage but for the locale at sign-out, and does not navigate', async () => {
    const { app } = await signedInAt('/orders')
    localStorage.setItem('locale', 'de')
    localStorage.setItem('draft', 'of ada')
    await app.signOut()
    expect([localStorage.length, localStorage.getItem('locale')]).toEqual([1, 'de'])
    expect(app.visits).toEqual([])
  })

  it('empties the storage also when the server cannot be reached', async () => {
    const { app, backend } = await signedInAt('/orders')
    await backend.stop()
    await expect(app.signOut()).rejects.toMatchObject({ isAxiosError: true })
    expect(localStorage.length).toBe(0)
  })
})

/** The session that the storage holds is signed out by somebody who has its token, and not by this app. */
async function revokedElsewhere(url: string): Promise<void> {
  await axios.post(`${url}${API}/logout/`, undefined, { headers: bearer(storedTokens().accessToken) })
}

function me(url: string, token: string) {
  return axios.get(`${url}${API}/me/`, { headers: bearer(token) })
}

function bearer(token: string) {
  return { Authorization: `Bearer ${token}` }
}

function storedTokens(): { accessToken: string; refreshToken: string } {
  return (JSON.parse(localStorage.getItem('session') ?? '{}') as { tokens: ReturnType<typeof storedTokens> })
    .tokens
}
