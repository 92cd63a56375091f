// What was true a moment ago, and has to be looked at again where it is used: the header as the request goes out, the
// store before something is written to it, the refresh token at each attempt.

import axios, { type InternalAxiosRequestConfig } from 'axios'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type AuthClient,
  authErrorOf,
  bearerHeader,
  createAuthClient,
  type StoredRecord,
  type TokenStore,
  tokenFromHeader,
} from '../../src/index.js'
import { json } from '../support/auth-server/answer.js'
import {
  createWatchedClock,
  failureOf,
  landed,
  outcomesOf,
  setUp,
  startServer,
  tokensOf,
  type WatchedClock,
} from '../support/client.js'
import { createHandRefresh, type HandCall } from '../support/hand-refresh.js'
import { headersLike } from '../support/headers.js'
import { jwtOf } from '../support/jwt.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import {
  changedElsewhere,
  createOpenStore,
  keptToken,
  type OpenStore,
  rotatedElsewhere,
} from '../support/stores.js'

const UNAVAILABLE = Object.assign(new Error('unavailable'), { response: { status: 503 } })

describe('the header on the wire', () => {
  const rebuilds: [string, (config: InternalAxiosRequestConfig) => object][] = [
    ['a plain object', () => ({ 'X-App': '1' })],
    ['headers of axios', ({ headers }) => headersLike(headers, { 'X-App': '1' })],
    [
      'a copy without it',
      ({ headers }) => {
        const { Authorization: _, ...others } = { ...headers }
        return { ...others, 'X-App': '1' }
      },
    ],
  ]

  it.each(rebuilds)(
    'G22: carries the token although an interceptor after ours rebuilds the headers as %s',
    async (_, rebuild) => {
      const server = await startServer()
      const api = axios.create({ baseURL: server.url })
      // axios runs what was registered first last.
      api.interceptors.request.use((config) => Object.assign(config, { headers: rebuild(config) }))
      const hand = createHandRefresh()
      const auth = createAuthClient(api, { refresh: hand.refresh })
      onTestFinished(() => auth.dispose())
      const login = server.login()
      await auth.signIn(tokensOf(login))

      await api.get('/api/me')
      await api.post('/api/echo', { a: 1 })
      expect(server.log.map(({ headers }) => [headers.authorization, headers['x-app']])).toEqual(
        Array(2).fill([`Bearer ${login.access_token}`, '1']),
      )
      expect(hand.calls).toEqual([])
    },
  )

  it('G22: carries it also in a header of another name', async () => {
    const server = await startServer()
    const api = axios.create({ baseURL: server.url })
    api.interceptors.request.use((config) => Object.assign(config, { headers: headersLike(config.headers) }))
    const auth = createAuthClient(api, { place: bearerHeader({ header: 'X-Token', scheme: '' }) })
    onTestFinished(() => auth.dispose())
    const { access_token: accessToken } = server.login()
    server.route('/open', () => ({ status: 200, headers: {}, body: '' }))
    await auth.signIn({ accessToken })
    await api.get('/open')
    expect(server.log.map(({ headers }) => headers['x-token'])).toEqual([accessToken])
  })
})

describe('the store before it is written to', () => {
  /** Answers a look at once, and takes its time to write: a cache in memory before a disk. */
  function writesLate(open: OpenStore, loads: (stored: unknown) => unknown = (stored) => stored): TokenStore {
    return {
      load: () => loads(open.load()),
      save: async (record) => open.save(record),
      clear: async () => open.clear(),
    }
  }

  /** Its first look is asynchronous: a database has to be opened. */
  function opensLate(open: OpenStore): TokenStore {
    let opened = false
    return writesLate(open, (stored) => {
      if (opened) return stored
      opened = true
      return Promise.resolve(stored)
    })
  }

  /** The second one looks into the store while the first one writes. */
  const updateTwice = ({ updateTokens }: AuthClient) =>
    Promise.all([1, 2].map((n) => updateTokens({ accessToken: `access-${n}`, refreshToken: `refresh-${n}` })))
  const theirs = { accessToken: 'their-access', refreshToken: 'their-refresh' }

  it.each<[string, (open: OpenStore) => TokenStore]>([
    ['writes asynchronously', writesLate],
    ['was asynchronous when it was opened', opensLate],
  ])('G4: a grant does not overwrite what another tab has stored, in a store that %s', async (_, kind) => {
    const open = createOpenStore()
    const hand = createHandRefresh()
    const { auth } = await setUp({ store: kind(open), refresh: hand.refresh })
    await updateTwice(auth)
    const refreshed = auth.refresh()
    const call = await hand.call(1)
    rotatedElsewhere(open, theirs)
    call.answer({ accessToken: 'ours', refreshToken: 'our-refresh' })
    await refreshed
    expect(await auth.getAccessToken()).toBe(theirs.accessToken)
    expect((open.kept as StoredRecord).tokens).toEqual(theirs)
  })

  it('G4: updateTokens keeps the refresh token that another tab has stored, in a store that writes asynchronously', async () => {
    const open = createOpenStore()
    const { auth } = await setUp({ store: writesLate(open) })
    await updateTwice(auth)
    rotatedElsewhere(open, theirs)
    await auth.updateTokens({ accessToken: 'newest' })
    expect((open.kept as StoredRecord).tokens).toEqual({ ...theirs, accessToken: 'newest' })
  })

  it('G15: updateTokens does not bring back a session that ended in another tab, in a store that writes asynchronously', async () => {
    const open = createOpenStore()
    const { auth, ends } = await setUp({ store: writesLate(open) })
    await updateTwice(auth)
    open.kept = undefined
    expect(authErrorOf(await failureOf(auth.updateTokens({ accessToken: 'newest' })))?.code).toBe(
      'SIGNED_OUT',
    )
    expect(open.kept).toBeUndefined()
    expect(ends).toMatchObject([{ reason: 'signed-out-elsewhere' }])
  })
})

describe('the refresh token at each attempt', () => {
  it.each([
    ['before it has been notified', () => {}],
    ['and says so', (store: OpenStore) => store.hint()],
  ])('G4: a retry sends the refresh token that another tab has stored meanwhile, %s', async (_, announce) => {
    const store = createOpenStore()
    const hand = createHandRefresh()
    const clock = createWatchedClock()
    const { auth, login } = await setUp({ store, refresh: hand.refresh, clock })
    const refreshed = auth.refresh()
    const first = await hand.call(1)
    expect(first.context.refreshToken).toBe(login.refresh_token)
    first.fail(UNAVAILABLE)
    // The time limit, and the pause before the next attempt.
    await clock.until(() => clock.pending >= 2)
    changedElsewhere(store, { refreshToken: 'newer' })
    announce(store)
    await clock.advance(300)
    const second = await hand.call(2)
    expect(second.context.refreshToken).toBe('newer')
    second.answer({ accessToken: 'new', refreshToken: 'newest' })
    await refreshed
  })

  it('G4: a retry sends no refresh token that updateTokens has replaced meanwhile', async () => {
    const hand = createHandRefresh()
    const clock = createWatchedClock()
    const { auth, login } = await setUp({ refresh: hand.refresh, clock })
    const refreshed = auth.refresh()
    ;(await hand.call(1)).fail(UNAVAILABLE)
    await clock.until(() => clock.pending >= 2)
    await auth.updateTokens({ accessToken: login.access_token, refreshToken: 'newer' })
    await clock.advance(300)
    await refreshed
    const again = auth.refresh()
    const second = await hand.call(2)
    expect(second.context.refreshToken).toBe('newer')
    second.answer({ accessToken: 'new' })
    await again
  })
})

describe('tokens that come between', () => {
  const pushed = { readResponse: tokenFromHeader('x-new-token') }

  it('G4: a pushed token does not overwrite what another tab has stored', async () => {
    const store = createOpenStore()
    const { server, api, auth } = await setUp({ store, ...pushed })
    const theirs = { accessToken: server.login().access_token, refreshToken: 'their-refresh' }
    server.route('/api/push', () => {
      rotatedElsewhere(store, theirs)
      return json(200, {}, { 'x-new-token': 'pushed' })
    })
    await api.get('/api/push')
    expect((store.kept as StoredRecord).tokens).toEqual(theirs)
    expect(await auth.getAccessToken()).toBe(theirs.accessToken)
  })

  it('G2: a pushed token that was replaced meanwhile is not adopted again from a cached answer', async () => {
    const { server, api, auth, login } = await setUp(pushed)
    const accessToken = server.login().access_token
    await auth.updateTokens({ accessToken })
    server.route('/api/push', () => json(200, {}, { 'x-new-token': login.access_token }))
    await api.get('/api/push')
    expect(await auth.getAccessToken()).toBe(accessToken)
  })

  it.each<[string, (call: HandCall, clock: WatchedClock) => unknown]>([
    ['brings no token', (call) => call.answer({ accessToken: '' })],
    ['runs out of time', (_, clock) => clock.advance(15_000)],
  ])('G2: a refresh that %s does not affect tokens that came meanwhile', async (_, end) => {
    const hand = createHandRefresh()
    const { server, api, auth, clock } = await setUp({ refresh: hand.refresh })
    const refreshed = settleAll([auth.refresh()])
    const call = await hand.call(1)
    await auth.updateTokens({ accessToken: server.login().access_token })
    await end(call, clock)
    await refreshed
    await landed(auth)
    server.killAccessTokens()
    // No cool-down keeps it from a refresh of its own.
    const answer = api.get('/api/me')
    ;(await hand.call(2)).answer({ accessToken: server.login().access_token })
    expect((await answer).status).toBe(200)
  })

  it('G4: a grant that comes after another tab’s tokens does not replace them, also with cookies', async () => {
    const store = createOpenStore()
    const hand = createHandRefresh(true)
    const { auth, login } = await setUp({ store, refresh: hand.refresh, signedIn: false })
    await auth.signIn({ accessToken: login.access_token })
    const refreshed = auth.refresh()
    const call = await hand.call(1)
    rotatedElsewhere(store, { accessToken: 'theirs' })
    store.hint()
    call.answer({ accessToken: 'ours' })
    await refreshed
    await microtasksDone()
    expect([await auth.getAccessToken(), keptToken(store)]).toEqual(['theirs', 'theirs'])
  })

  it('G4: a used refresh token is never sent again, although others have been used since', async () => {
    const store = createOpenStore()
    const hand = createHandRefresh()
    const { auth, login } = await setUp({ store, refresh: hand.refresh })
    for (const number of [1, 2]) {
      const refreshed = auth.refresh()
      const call = await hand.call(number)
      call.answer({ accessToken: `access-${number}`, refreshToken: `refresh-${number}` })
      await refreshed
    }
    // A tab that was notified of neither.
    rotatedElsewhere(store, { accessToken: 'theirs', refreshToken: login.refresh_token })
    store.hint()
    const last = auth.refresh()
    const call = await hand.call(3)
    expect(call.context.refreshToken).toBe('refresh-2')
    call.answer({ accessToken: 'access-3' })
    await last
  })

  it('refresh() refreshes tokens found in the store that have expired too', async () => {
    const store = createOpenStore()
    const hand = createHandRefresh()
    const { auth, clock } = await setUp({ store, refresh: hand.refresh })
    const over = { expiresAtMs: clock.nowMs() - 1 }
    rotatedElsewhere(store, { accessToken: 'theirs', refreshToken: 'their-refresh' }, over)
    const refreshed = auth.refresh()
    const call = await hand.call(1)
    expect(call.context.refreshToken).toBe('their-refresh')
    call.answer({ accessToken: 'new' })
    await refreshed
    expect(await auth.getAccessToken()).toBe('new')
  })

  it('G17: a sign-out in a refreshFailed listener rejects waiting requests with SIGNED_OUT, not with the failure', async () => {
    const { server, api, auth } = await setUp()
    auth.on('refreshFailed', () => void auth.signOut())
    server.refresh.always(404)
    server.killAccessTokens()
    const outcomes = await settleAll([api.get('/api/1'), api.get('/api/2')])
    expect(outcomesOf(outcomes)).toEqual(['SIGNED_OUT', 'SIGNED_OUT'])
  })
})

describe('what the previous token said', () => {
  it('G19: a successor of unknown lifetime does not end when the token before it would have', async () => {
    const { server, api, auth, clock } = await setUp({ server: { tokens: 'opaque' } })
    await auth.updateTokens({ accessToken: server.login().access_token })
    expect(auth.getSnapshot()).not.toHaveProperty('expiresAtMs')
    await clock.advance(3_600_000)
    await api.get('/api/me')
    expect(server.counts).toMatchObject({ refreshes: 0, protectedOk: 1 })
  })

  it('an opaque successor has no claims, and the subject is still known', async () => {
    const { auth } = await setUp({ signedIn: false })
    await auth.signIn({ accessToken: jwtOf({ sub: 'ada', role: 'admin' }) })
    expect(auth.getSnapshot()).toMatchObject({ subject: 'ada', claims: { role: 'admin' } })
    await auth.updateTokens({ accessToken: 'opaque' })
    expect(auth.getSnapshot()).toMatchObject({ subject: 'ada' })
    expect(auth.getSnapshot()).not.toHaveProperty('claims')
  })
})

describe('a custom refresh', () => {
  it('G5: is recognised by the refresh token it got, although another tab has stored a newer one', async () => {
    const store = createOpenStore()
    const hand = createHandRefresh()
    const world = await setUp({
      store,
      // Through the wrapped instance, and not at once.
      refresh: async (context) => {
        await hand.refresh(context)
        const { data } = await world.api.post('/auth/refresh', { refresh_token: context.refreshToken })
        return { accessToken: data.access_token, refreshToken: data.refresh_token }
      },
    })
    world.server.killAccessTokens()
    const answer = settleAll([world.api.get('/api/me')])
    const call = await hand.call(1)
    changedElsewhere(store, { refreshToken: 'newer' })
    store.hint()
    call.answer(undefined)
    // It does not wait for itself.
    await world.server.until(() => world.server.counts.granted === 1)
    world.auth.dispose()
    await answer
  })
})
