// @vitest-environment jsdom
// The app owns its tokens, in the libraries that apps use for that: what it does by itself counts without a word to the
// client, what the client does lands in the app, and neither takes the other's writes for its own. Against a server that
// ends a session whose refresh token is used twice.

import axios from 'axios'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type AuthClientOptions,
  createAuthClient,
  refreshWithBody,
  type SessionEnd,
  type Tokens,
} from '../../src/index.js'
import type { AuthServer, LoginAnswer, StartOptions } from '../support/auth-server.js'
import { eventsOf, listenTo, outcomesOf, startServer, tokensOf, untilHeld } from '../support/client.js'
import { bareCookieOwner, cookieOwner } from './owners/cookie.js'
import type { CreateOwner, Owner } from './owners/owner.js'
import { latePiniaOwner, piniaOwner } from './owners/pinia.js'
import { reduxOwner, silentReduxOwner } from './owners/redux.js'
import { zustandOwner } from './owners/zustand.js'

const OWNERS: Record<string, CreateOwner> = {
  'Redux Toolkit': reduxOwner,
  'Redux Toolkit, without subscribe': silentReduxOwner,
  Zustand: zustandOwner,
  Pinia: piniaOwner,
  'Pinia, read late': latePiniaOwner,
  'a cookie': cookieOwner,
  'a cookie with nothing but the two tokens': bareCookieOwner,
}

/** A page of the app: its client, and what happened to it. */
function load(server: AuthServer, owner: Owner, options: AuthClientOptions = {}) {
  const api = axios.create({ baseURL: server.url, adapter: 'http' })
  const ends: SessionEnd['reason'][] = []
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    store: owner.open(),
    onSessionEnd: ({ reason }) => void ends.push(reason),
    ...options,
  })
  onTestFinished(() => auth.dispose())
  return { api, auth, ends, events: listenTo(auth) }
}

async function setUp(create: CreateOwner, start?: StartOptions) {
  const server = await startServer(start)
  const owner = create(onTestFinished)
  const login = server.login()
  return { server, owner, login, ...load(server, owner) }
}

/** As a login answer, without a lifetime: this is what the app itself may know of it. */
function given(answer: LoginAnswer): Tokens {
  return { accessToken: answer.access_token, refreshToken: answer.refresh_token }
}

/** Renews ada's tokens beside the client, as code of the app's own may do it. */
async function renewByApp(server: AuthServer, refreshToken: string): Promise<Tokens> {
  const { data } = await axios.post<LoginAnswer>(
    `${server.url}/auth/refresh`,
    { refresh_token: refreshToken },
    { adapter: 'http' },
  )
  return given(data)
}

const bearersTo = (server: AuthServer, path: string) =>
  server.requestsTo(path).map(({ headers }) => headers.authorization)

describe.each(Object.entries(OWNERS))('the app keeps its tokens in %s', (_, create) => {
  it('a sign-in by the client reaches the app, and a login by the app reaches the client', async () => {
    const { server, owner, login, api, auth, ends } = await setUp(create)
    await auth.signIn(tokensOf(login))
    expect(owner.tokens()).toMatchObject(given(login))
    await auth.signOut()
    expect(owner.tokens() ?? undefined).toBeUndefined()
    await owner.flush()
    const next = server.login('grace')
    owner.replace(given(next))
    await owner.flush()
    await api.get('/api/a')
    expect(bearersTo(server, '/api/a')).toEqual([`Bearer ${next.access_token}`])
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'grace' })
    expect(ends).toEqual(['signed-out'])
  })

  it("the app's own logout counts at the next request", async () => {
    const { server, owner, login, api, auth, ends } = await setUp(create)
    await auth.signIn(tokensOf(login))
    await api.get('/api/a')
    owner.logOut()
    await owner.flush()
    expect(outcomesOf(await Promise.allSettled([api.get('/api/b')]))[0]).toMatch('401')
    expect(bearersTo(server, '/api/b')).toEqual([undefined])
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(ends).toEqual(['signed-out-elsewhere'])
    expect(server.counts.refreshes).toBe(0)
  })

  it("the app's own logout counts for getAccessToken, refresh and updateTokens", async () => {
    const { owner, login, auth, ends } = await setUp(create)
    const calls = [
      () => auth.getAccessToken(),
      () => auth.refresh(),
      () => auth.updateTokens({ accessToken: 'other' }),
    ]
    const outcomes: unknown[] = []
    for (const call of calls) {
      await auth.signIn(tokensOf(login))
      owner.logOut()
      await owner.flush()
      outcomes.push(...outcomesOf(await Promise.allSettled([call()])))
      await auth.signOut()
      await owner.flush()
    }
    expect(outcomes).toEqual(['ok', 'SIGNED_OUT', 'SIGNED_OUT'])
    expect(ends).toEqual(['signed-out-elsewhere', 'signed-out-elsewhere', 'signed-out-elsewhere'])
  })

  it.each(['jwt', 'opaque'] as const)(
    'G24: a login as another user in the app rejects waiting requests, and none is sent with the new token (%s)',
    async (tokens) => {
      const { server, owner, login, api, auth, ends } = await setUp(create, { tokens })
      await auth.signIn(tokensOf(login))
      await owner.flush()
      server.killAccessTokens()
      const refresh = server.holdRefresh()
      const waiting = Promise.allSettled([api.get('/api/a'), api.post('/api/b', { of: 'ada' })])
      await untilHeld(auth, 2)
      await server.until(() => refresh.count === 1, 'the refresh is held')
      const next = server.login('grace')
      owner.replace(given(next))
      await owner.flush()
      const answer = await api.get<{ user: string }>('/api/c')
      expect(outcomesOf(await waiting)).toEqual(['SESSION_CHANGED', 'SESSION_CHANGED'])
      refresh.release()
      await server.idle()
      expect(answer.data.user).toBe('grace')
      for (const path of ['/api/a', '/api/b'])
        expect(bearersTo(server, path)).toEqual([`Bearer ${login.access_token}`])
      expect(owner.tokens()).toMatchObject(given(next))
      expect(ends).toEqual(['replaced-elsewhere'])
    },
  )

  it('G24: a login as another user counts when the previous user’s refresh is answered', async () => {
    const { server, owner, login, api, auth, ends } = await setUp(create, { tokens: 'opaque' })
    await auth.signIn(tokensOf(login))
    await owner.flush()
    server.killAccessTokens()
    const refresh = server.holdRefresh({ at: 'answer' })
    const waiting = Promise.allSettled([api.get('/api/a')])
    await untilHeld(auth, 1)
    await server.until(() => refresh.count === 1, 'the refresh is held')
    const next = server.login('grace')
    owner.replace(given(next))
    await owner.flush()
    refresh.release()
    expect(outcomesOf(await waiting)).toEqual(['SESSION_CHANGED'])
    expect(owner.tokens()).toMatchObject(given(next))
    expect((await api.get<{ user: string }>('/api/c')).data.user).toBe('grace')
    expect(bearersTo(server, '/api/a')).toHaveLength(1)
    expect(ends).toEqual(['replaced-elsewhere'])
  })

  it('tokens refreshed by the app count at the next request, and their refresh token at the next refresh', async () => {
    const { server, owner, login, api, auth, ends } = await setUp(create)
    await auth.signIn(tokensOf(login))
    await api.get('/api/a')
    const renewed = await renewByApp(server, login.refresh_token)
    owner.replace(renewed)
    await owner.flush()
    await api.get('/api/b')
    expect(bearersTo(server, '/api/b')).toEqual([`Bearer ${renewed.accessToken}`])
    server.killAccessTokens()
    await api.get('/api/c')
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
    expect(ends).toEqual([])
  })

  it('tokens refreshed by the app with the same refresh token belong to the same session, opaque ones too', async () => {
    const { server, owner, login, api, auth, ends } = await setUp(create, { tokens: 'opaque', rotate: false })
    await auth.signIn(tokensOf(login))
    await api.get('/api/a')
    const { accessToken } = await renewByApp(server, login.refresh_token)
    owner.replace({ accessToken, refreshToken: login.refresh_token })
    await owner.flush()
    await api.get('/api/b')
    expect(bearersTo(server, '/api/b')).toEqual([`Bearer ${accessToken}`])
    expect(ends).toEqual([])
  })

  it('tokens refreshed by the app release waiting requests', async () => {
    const { server, owner, login, api, auth } = await setUp(create)
    await auth.signIn(tokensOf(login))
    await owner.flush()
    server.killAccessTokens()
    // It never arrives, so that the app may use the refresh token.
    const refresh = server.holdRefresh({ first: 1 })
    const waiting = Promise.allSettled([api.get('/api/a')])
    await server.until(() => refresh.count === 1, 'the refresh is held')
    owner.replace(await renewByApp(server, login.refresh_token))
    await owner.flush()
    await api.get('/api/b')
    expect(outcomesOf(await waiting)).toEqual(['ok'])
    expect(server.counts).toMatchObject({ granted: 1, reuses: 0 })
  })

  it.each(['jwt', 'opaque'] as const)(
    'each refresh by the client reaches the app, one per expiry, and does not count as a change by the app (%s)',
    async (tokens) => {
      const { server, owner, login, api, auth, ends, events } = await setUp(create, { tokens })
      await auth.signIn(tokensOf(login))
      for (const round of [1, 2, 3]) {
        server.killAccessTokens()
        // Without a flush: what was written a moment ago may not be visible yet.
        const paths = ['/api/a', '/api/b', '/api/c', '/api/d', '/api/e']
        const results = await Promise.allSettled(paths.map((path) => api.get(path)))
        expect(outcomesOf(results)).toEqual(Array(5).fill('ok'))
        expect(server.counts).toMatchObject({ refreshes: round, reuses: 0 })
        const [{ accessToken, refreshToken } = { accessToken: '' }] = server.sessions
        expect(owner.tokens()).toMatchObject({ accessToken, refreshToken })
      }
      await owner.flush()
      await api.get('/api/f')
      expect(ends).toEqual([])
      expect(auth.stats()).toMatchObject({ refreshes: 3, adopted: 0 })
      expect(eventsOf(events, 'storeError')).toEqual([])
    },
  )

  it('a logout in the app while a refresh is under way is final', async () => {
    const { server, owner, login, api, auth, ends } = await setUp(create)
    await auth.signIn(tokensOf(login))
    await owner.flush()
    server.killAccessTokens()
    const refresh = server.holdRefresh({ at: 'answer' })
    const waiting = Promise.allSettled([api.get('/api/a'), api.get('/api/b')])
    await untilHeld(auth, 2)
    await server.until(() => refresh.count === 1, 'the refresh is held')
    owner.logOut()
    await owner.flush()
    refresh.release()
    expect(outcomesOf(await waiting)).toEqual(['SIGNED_OUT', 'SIGNED_OUT'])
    await owner.flush()
    expect(owner.tokens() ?? undefined).toBeUndefined()
    expect(ends).toEqual(['signed-out-elsewhere'])
    expect(bearersTo(server, '/api/a')).toHaveLength(1)
  })

  it('a sign-out by the client empties the app, and reports one end', async () => {
    const { server, owner, login, api, auth, ends } = await setUp(create)
    await auth.signIn(tokensOf(login))
    await auth.signOut()
    // Before the app shows it.
    await Promise.allSettled([api.get('/api/a')])
    await owner.flush()
    await Promise.allSettled([api.get('/api/b')])
    expect(owner.tokens() ?? undefined).toBeUndefined()
    expect([...bearersTo(server, '/api/a'), ...bearersTo(server, '/api/b')]).toEqual([undefined, undefined])
    expect(ends).toEqual(['signed-out'])
  })

  it('a session whose refresh is refused is removed from the app', async () => {
    const { server, owner, login, api, auth, ends } = await setUp(create)
    await auth.signIn(tokensOf(login))
    server.revoke()
    expect(outcomesOf(await Promise.allSettled([api.get('/api/a')]))).toEqual(['SESSION_EXPIRED'])
    expect(owner.tokens() ?? undefined).toBeUndefined()
    await owner.flush()
    const again = server.login()
    owner.replace(given(again))
    await owner.flush()
    await api.get('/api/b')
    expect(ends).toEqual(['refused'])
  })

  it('a reload restores the session from the app, and keeps refreshing it', async () => {
    const { server, owner, login, auth } = await setUp(create)
    await auth.signIn(tokensOf(login))
    await auth.refresh()
    auth.dispose()
    await owner.flush()
    const next = load(server, owner)
    expect(next.auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'ada' })
    server.killAccessTokens()
    await next.api.get('/api/a')
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
    await next.auth.signOut()
    await owner.flush()
    expect(load(server, owner).auth.getSnapshot().status).toBe('signed-out')
  })
})

it.each([
  ['Redux Toolkit', reduxOwner],
  ['Zustand', zustandOwner],
  ['Pinia', piniaOwner],
])('changes by the app count at once with subscribe (%s)', async (_, create) => {
  const { server, owner, login, auth, ends } = await setUp(create)
  await auth.signIn(tokensOf(login))
  owner.logOut()
  await owner.flush()
  expect(auth.getSnapshot().status).toBe('signed-out')
  owner.replace(given(server.login('grace')))
  await owner.flush()
  expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'grace' })
  expect(ends).toEqual(['signed-out-elsewhere'])
})
