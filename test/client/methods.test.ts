// What the client returns and does: tokens, snapshots, events, counters, further instances.

import axios from 'axios'
import { describe, expect, it } from 'vitest'
import { type AuthSnapshot, createAuthClient, noCredential } from '../../src/index.js'
import {
  eventsOf,
  landed,
  outcomesOf,
  type SetUpOptions,
  setUp,
  tokensOf,
  untilHeld,
} from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { jwtOf } from '../support/jwt.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import { changedElsewhere, createHandStore, createOpenStore, rotatedElsewhere } from '../support/stores.js'

describe('getAccessToken', () => {
  it('gives the current token without a request', async () => {
    const { auth, server, login } = await setUp()
    expect(await auth.getAccessToken()).toBe(login.access_token)
    expect(server.counts.requests).toBe(0)
  })

  it('resolves with undefined when nobody is signed in, and where the credential is a cookie', async () => {
    const { auth } = await setUp({ signedIn: false })
    expect(await auth.getAccessToken({ minValidityMs: 1000 })).toBeUndefined()
    const cookies = await setUp({ place: noCredential(), signedIn: false })
    await cookies.auth.signIn()
    expect(await cookies.auth.getAccessToken()).toBeUndefined()
  })

  it('refreshes a token that was rejected, has expired or is valid too briefly, once for all callers', async () => {
    for (const kind of ['refused', 'expired', 'short'] as const) {
      const { api, auth, clock, server, login } = await setUp()
      const hold = server.holdRefresh()
      const waiting: Promise<unknown>[] = []
      if (kind === 'refused') {
        server.killAccessTokens()
        waiting.push(api.get('/api/x'))
        await hold.waiting(1)
      }
      if (kind === 'expired') clock.jump(300_000)
      const minValidityMs = kind === 'short' ? 300_001 : 0
      const tokens = [1, 2, 3].map(() => auth.getAccessToken({ minValidityMs }))
      await hold.waiting(1)
      hold.releaseAll()
      const given = await Promise.all(tokens)
      expect(new Set(given)).toEqual(new Set([server.sessions[0]?.accessToken]))
      expect(given).not.toContain(login.access_token)
      await settleAll(waiting)
      expect(server.counts.refreshes).toBe(1)
    }
  })

  it.each([
    [0, false],
    [99_999, false],
    [100_001, true],
    [300_000, true],
  ])('with a minValidityMs of %i and 100 s left refreshes: %s', async (minValidityMs, refreshes) => {
    const { auth, clock, server } = await setUp()
    clock.jump(200_000)
    await auth.getAccessToken({ minValidityMs })
    expect(server.counts.refreshes).toBe(refreshes ? 1 : 0)
  })

  it('resolves with the refreshed token, even if it is not valid long enough', async () => {
    const { auth, server } = await setUp()
    const token = await auth.getAccessToken({ minValidityMs: 10 ** 9 })
    expect(token).toBe(server.sessions[0]?.accessToken)
    expect(server.counts.refreshes).toBe(1)
  })

  it('refreshes also when another tab’s token is valid too briefly', async () => {
    const store = createOpenStore()
    const { auth, server, clock } = await setUp({ store })
    rotatedElsewhere(store, { accessToken: 'of-another-tab' }, { expiresAtMs: clock.nowMs() + 10_000 })
    const token = await auth.getAccessToken({ minValidityMs: 10 ** 9 })
    expect(token).toBe(server.sessions[0]?.accessToken)
    expect(server.counts.refreshes).toBe(1)
  })

  it('refreshes with another tab’s refresh token when only that is newer', async () => {
    const store = createOpenStore()
    const hand = createHandRefresh()
    const { auth } = await setUp({ store, refresh: hand.refresh })
    changedElsewhere(store, { refreshToken: 'newer' })
    const token = auth.getAccessToken({ minValidityMs: 10 ** 9 })
    const call = await hand.call(1)
    expect(call.context.refreshToken).toBe('newer')
    call.answer({ accessToken: 'fresh' })
    expect(await token).toBe('fresh')
  })

  it('resolves with a token of unknown lifetime', async () => {
    const { auth, server } = await setUp({ signedIn: false })
    await auth.signIn({ accessToken: 'opaque' })
    expect(await auth.getAccessToken({ minValidityMs: 10 ** 9 })).toBe('opaque')
    expect(server.counts.requests).toBe(0)
  })

  it('resolves with a stale token at once, and refreshes it in the background', async () => {
    const { auth, clock, server, login } = await setUp()
    clock.jump(280_000)
    expect(await auth.getAccessToken()).toBe(login.access_token)
    await landed(auth)
    expect(await auth.getAccessToken()).toBe(server.sessions[0]?.accessToken)
    expect(server.counts.refreshes).toBe(1)
  })

  it('rejects with the reason when there is none', async () => {
    for (const [behaviour, code] of [
      [401, 'SESSION_EXPIRED'],
      [404, 'REFRESH_FAILED'],
      ['html', 'BAD_GRANT'],
    ] as const) {
      const { auth, clock, server } = await setUp()
      clock.jump(300_000)
      server.refresh.next(behaviour)
      await expect(auth.getAccessToken()).rejects.toMatchObject({ name: 'AuthClientError', code })
    }
  })

  it('without `refresh`, resolves with the token whatever the clock says', async () => {
    const { auth, clock, login } = await setUp({ refresh: undefined })
    clock.jump(10 ** 9)
    expect(await auth.getAccessToken({ minValidityMs: 1000 })).toBe(login.access_token)
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'BAD_OPTION' })
  })

  it('waits for an asynchronous store', async () => {
    const kept = { v: 1, sessionId: 'one', version: 1, tokens: { accessToken: 'kept' } }
    const store = createHandStore(kept)
    store.hold('load')
    const { auth } = await setUp({ store, signedIn: false })
    const token = auth.getAccessToken()
    store.releaseAll()
    expect(await token).toBe('kept')
  })
})

describe('refresh', () => {
  it('starts one refresh for all callers, and resolves with the snapshot', async () => {
    const { auth, server } = await setUp()
    const snapshots = await Promise.all([auth.refresh(), auth.refresh(), auth.refresh()])
    expect(snapshots).toEqual(Array(3).fill(auth.getSnapshot()))
    expect(snapshots[0]).toMatchObject({ status: 'signed-in', refreshing: false, subject: 'ada' })
    expect(server.counts.refreshes).toBe(1)
  })

  it('joins a refresh that requests wait for', async () => {
    const { api, auth, server } = await setUp()
    const hold = server.holdRefresh()
    server.killAccessTokens()
    const request = api.get('/api/x')
    await hold.waiting(1)
    const refreshed = auth.refresh()
    hold.releaseAll()
    await settleAll<unknown>([request, refreshed])
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 1 })
  })

  it('still refreshes when it finds an expired token of another tab', async () => {
    const store = createOpenStore()
    const { auth, server, clock } = await setUp({ store })
    rotatedElsewhere(store, { accessToken: 'of-another-tab' }, { expiresAtMs: clock.nowMs() - 10_000 })
    const { expiresAtMs } = await auth.refresh()
    expect(expiresAtMs).toBe(clock.nowMs() + 300_000)
    expect(server.counts.refreshes).toBe(1)
  })

  it('rejects with SIGNED_OUT when nobody is signed in and there is no cookie to restore from', async () => {
    const { auth, server } = await setUp({ signedIn: false })
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'SIGNED_OUT' })
    expect(server.counts.requests).toBe(0)
  })
})

describe('the snapshot', () => {
  it('is the same frozen object while nothing in it changes', async () => {
    const { api, auth, server } = await setUp()
    const before = auth.getSnapshot()
    expect(Object.isFrozen(before)).toBe(true)
    let seen = 0
    auth.subscribe(() => seen++)
    await Promise.all([1, 2, 3].map((i) => api.get(`/api/${i}`)))
    await auth.getAccessToken()
    expect(auth.getSnapshot()).toBe(before)
    expect(seen).toBe(0)
    expect(server.counts.requests).toBe(3)
  })

  it('is a new object whenever subscribers are called, and they are called for every new one', async () => {
    const { auth, clock } = await setUp()
    const seen: AuthSnapshot[] = [auth.getSnapshot()]
    auth.subscribe(() => seen.push(auth.getSnapshot()))
    clock.jump(1000)
    await auth.refresh()
    await auth.signOut()
    expect(seen.map(({ status, refreshing }) => `${status} ${refreshing}`)).toEqual([
      'signed-in false',
      'signed-in true',
      'signed-in false',
      'signed-out false',
    ])
    expect(new Set(seen).size).toBe(4)
    expect(auth.getSnapshot()).toBe(seen.at(-1))
    expect(seen.every(Object.isFrozen)).toBe(true)
  })

  it('shows subject, expiry and claims, and no token', async () => {
    const { auth, clock, server } = await setUp()
    expect(auth.getSnapshot()).toEqual({
      status: 'signed-in',
      refreshing: false,
      expiresAtMs: clock.nowMs() + 300_000,
      subject: 'ada',
      claims: expect.objectContaining({ sub: 'ada' }),
    })
    await auth.refresh()
    const text = JSON.stringify(auth.getSnapshot())
    for (const token of server.issuedTokens()) expect(text).not.toContain(token)
    await auth.signIn({ accessToken: 'opaque', subject: 'bob' })
    expect(auth.getSnapshot()).toEqual({ status: 'signed-in', refreshing: false, subject: 'bob' })
    await auth.signIn({ accessToken: 'opaque' })
    expect(Object.keys(auth.getSnapshot())).toEqual(['status', 'refreshing'])
  })

  it('follows the claims of newer tokens where the app did not name a subject', async () => {
    const { auth } = await setUp({ signedIn: false })
    await auth.signIn({ accessToken: jwtOf({ sub: 'ada' }) })
    await auth.updateTokens({ accessToken: jwtOf({ sub: 'ada@example.com' }) })
    expect(auth.getSnapshot().subject).toBe('ada@example.com')
  })

  it.each([
    ['a number', 42, '42'],
    ['a text', 'ada', 'ada'],
    ['neither', { id: 42 }, undefined],
  ])('shows a subject that is %s as text, or not at all', async (_, sub, subject) => {
    const { auth } = await setUp({ signedIn: false })
    await auth.signIn({ accessToken: jwtOf({ sub }) })
    expect(auth.getSnapshot().subject).toBe(subject)
    await auth.signIn({ accessToken: 'opaque', subject: sub as string })
    expect(auth.getSnapshot().subject).toBe(subject)
  })

  it('keeps showing the subject passed to signIn, whatever a refreshed token says', async () => {
    const { auth, login } = await setUp({ signedIn: false })
    await auth.signIn({ ...tokensOf(login), subject: 'Ada Lovelace' })
    await auth.refresh()
    expect(auth.getSnapshot()).toMatchObject({ subject: 'Ada Lovelace', claims: { sub: 'ada' } })
  })

  it('is pending only until an asynchronous store has been read', async () => {
    const store = createHandStore()
    store.hold('load')
    const { auth } = await setUp({ store, signedIn: false })
    const seen: string[] = []
    auth.subscribe(() => seen.push(auth.getSnapshot().status))
    expect(auth.getSnapshot()).toEqual({ status: 'pending', refreshing: false })
    store.releaseAll()
    await auth.ready
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    expect(seen).toEqual(['signed-out'])
  })

  it('is correct before ready when somebody signs in or out meanwhile, overruling the store', async () => {
    const kept = { v: 1, sessionId: 'old', version: 9, tokens: { accessToken: 'old' } }
    for (const what of ['in', 'out']) {
      const store = createHandStore(kept)
      store.hold('load')
      const { auth } = await setUp({ store, signedIn: false })
      const done = what === 'in' ? auth.signIn({ accessToken: 'new' }) : auth.signOut()
      expect(auth.getSnapshot().status).toBe(`signed-${what}`)
      store.releaseAll()
      await settleAll([done, auth.ready])
      expect(auth.getSnapshot().status).toBe(`signed-${what}`)
      expect(await auth.getAccessToken()).toBe(what === 'in' ? 'new' : undefined)
      expect(store.kept).toEqual(what === 'in' ? expect.objectContaining({ version: 1 }) : undefined)
    }
  })

  it('for the server is always the same object', async () => {
    const { auth } = await setUp()
    const server = auth.getServerSnapshot()
    await auth.refresh()
    await auth.signOut()
    expect(auth.getServerSnapshot()).toBe(server)
    expect(Object.isFrozen(server)).toBe(true)
    expect(server).toEqual({ status: 'pending', refreshing: false })
  })

  it('can be read without `this`', async () => {
    const { getSnapshot, getServerSnapshot, subscribe, stats, on } = (await setUp()).auth
    expect(getSnapshot().status).toBe('signed-in')
    expect(getServerSnapshot()).toBeDefined()
    expect(stats().refreshes).toBe(0)
    subscribe(() => {})()
    on('held', () => {})()
  })
})

describe('subscribe and on', () => {
  it('call a listener until it unsubscribes, and twice if it was added twice', async () => {
    const { auth } = await setUp()
    let subscribed = 0
    let calls = 0
    const subscriber = () => void subscribed++
    const listener = () => void calls++
    const stops = [
      auth.subscribe(subscriber),
      auth.subscribe(subscriber),
      auth.on('refreshStart', listener),
      auth.on('refreshStart', listener),
    ]
    await auth.refresh()
    expect([subscribed, calls]).toEqual([4, 2])
    stops[0]?.()
    stops[0]?.()
    stops[2]?.()
    await auth.refresh()
    expect([subscribed, calls]).toEqual([6, 3])
    for (const stop of stops) stop()
    await auth.refresh()
    expect([subscribed, calls]).toEqual([6, 3])
  })

  it('do not call a listener that was removed during the event, nor any after dispose', async () => {
    for (const away of ['one', 'all'] as const) {
      const { auth } = await setUp()
      let stop = (): void => {}
      let calls = 0
      auth.on('sessionEnd', () => (away === 'one' ? stop() : auth.dispose()))
      stop = auth.on('sessionEnd', () => void calls++)
      await auth.signOut()
      expect(calls).toBe(0)
    }
  })

  it('report each step of a rejected request, with durations by the clock', async () => {
    const { server, api, auth, clock, events } = await setUp()
    const hold = server.holdRefresh()
    server.killAccessTokens()
    const first = api.get('/api/first?secret=1')
    await hold.waiting(1)
    await clock.advance(200)
    const second = api.post('/api/second')
    await untilHeld(auth, 2)
    await clock.advance(300)
    hold.releaseAll()
    await settleAll([first, second])
    expect(events.map(({ name }) => name)).toEqual(
      ['held', 'refreshStart', 'held', 'refreshed', 'replay'].sort(byOrder),
    )
    expect(eventsOf(events, 'refreshStart')).toEqual([{ reason: 'refused' }])
    expect(eventsOf(events, 'refreshed')).toEqual([{ reason: 'refused', durationMs: 500, adopted: false }])
    expect(eventsOf(events, 'held')).toMatchObject([
      { method: 'get' },
      { method: 'post', url: '/api/second' },
    ])
    // The second one had not been sent before: that is no replay.
    expect(eventsOf(events, 'replay')).toMatchObject([{ method: 'get', heldMs: 500 }])

    function byOrder(a: string, b: string): number {
      const order = events.map(({ name }) => name as string)
      return order.indexOf(a) - order.indexOf(b)
    }
  })

  it.each([
    ['expired', 300_000],
    ['stale', 280_000],
  ])('say that a refresh was started because the token is %s', async (reason, afterMs) => {
    const { api, auth, clock, events } = await setUp()
    clock.jump(afterMs)
    await api.get('/api/x')
    await landed(auth)
    expect(eventsOf(events, 'refreshStart')).toEqual([{ reason }])
    expect(eventsOf(events, 'refreshed')).toMatchObject([{ reason }])
  })

  it('say that a refresh was asked for', async () => {
    const { auth, events } = await setUp()
    await auth.refresh()
    await auth.getAccessToken({ minValidityMs: 10 ** 9 })
    expect(eventsOf(events, 'refreshStart')).toEqual([{ reason: 'asked' }, { reason: 'asked' }])
  })

  it('expose no token in any event', async () => {
    const { server, api, auth, events } = await setUp({ refreshRetry: { limit: 0 } })
    server.killAccessTokens()
    await api.get('/api/x')
    server.refresh.next(503, 'html', 401)
    for (let i = 0; i < 3; i++) await settleAll([auth.refresh()])
    const text = JSON.stringify(events, (_, value) =>
      value instanceof Error
        ? { ...value, message: value.message, stack: value.stack, cause: value.cause }
        : value,
    )
    expect(eventsOf(events, 'refreshFailed')).toHaveLength(3)
    expect(eventsOf(events, 'sessionEnd')).toHaveLength(1)
    for (const token of server.issuedTokens()) expect(text).not.toContain(token)
  })
})

describe('stats', () => {
  it('count refreshes, replays, waiting requests, rejecting answers and adopted tokens', async () => {
    const { server, api, auth } = await setUp()
    expect(auth.stats()).toEqual({
      refreshes: 0,
      replays: 0,
      heldNow: 0,
      heldPeak: 0,
      refused: 0,
      adopted: 0,
      skipped: 0,
    })
    const hold = server.holdRefresh()
    server.killAccessTokens()
    const refused = [1, 2, 3].map((i) => api.get(`/api/${i}`))
    await hold.waiting(1)
    const held = [1, 2].map((i) => api.get(`/api/held/${i}`))
    await untilHeld(auth, 5)
    expect(auth.stats()).toMatchObject({ heldNow: 5, heldPeak: 5, refused: 3, replays: 0, refreshes: 1 })
    hold.releaseAll()
    await settleAll([...refused, ...held])
    expect(auth.stats()).toEqual({
      refreshes: 1,
      replays: 3,
      heldNow: 0,
      heldPeak: 5,
      refused: 3,
      adopted: 0,
      skipped: 0,
    })
    expect(server.counts.requests).toBe(3 + 1 + 3 + 2)
  })

  it('are a copy', async () => {
    const { auth } = await setUp()
    const stats = auth.stats()
    stats.refreshes = 99
    expect(auth.stats().refreshes).toBe(0)
  })
})

describe('attach', () => {
  it('gives another instance the same session and the same refresh', async () => {
    const { server, api, auth } = await setUp()
    const other = axios.create({ baseURL: server.url })
    auth.attach(other)
    server.killAccessTokens()
    const results = await settleAll([api.get('/api/x'), other.get('/api/y'), other.get('/api/z')])
    expect(outcomesOf(results)).toEqual(['ok', 'ok', 'ok'])
    expect(server.counts.refreshes).toBe(1)
  })

  it('is undone by the function it returns, which is idempotent, and can be repeated', async () => {
    const { server, api, auth, login } = await setUp()
    const other = axios.create({ baseURL: server.url })
    const detach = auth.attach(other)
    detach()
    detach()
    const [refused] = await settleAll([other.get('/api/x')])
    expect(refused).toMatchObject({ reason: { response: { status: 401 } } })
    expect(server.tokensSeen()).toEqual([])
    expect(Object.getOwnPropertySymbols(other)).toEqual([])
    auth.attach(other)
    await other.get('/api/x')
    expect(server.tokensSeen()).toEqual([login.access_token])
    // The first detach is over: it does not reach the second attachment.
    detach()
    await other.get('/api/y')
    expect((await api.get('/api/z')).status).toBe(200)
  })

  it('settles a waiting request when its instance is detached', async () => {
    const { server, auth } = await setUp()
    const other = axios.create({ baseURL: server.url })
    const detach = auth.attach(other)
    const hold = server.holdRefresh()
    server.killAccessTokens()
    const requests = [other.get('/api/x')]
    await hold.waiting(1)
    requests.push(other.get('/api/y'))
    await untilHeld(auth, 2)
    detach()
    hold.releaseAll()
    expect(await settleAll(requests)).toHaveLength(2)
    expect(auth.stats().heldNow).toBe(0)
    await auth.getAccessToken()
    expect(server.counts.refreshes).toBe(1)
  })

  it('attaches no token to a request that waits for the store when its instance is detached', async () => {
    const store = createHandStore({ v: 1, sessionId: 'old', version: 9, tokens: { accessToken: 'kept' } })
    store.hold('load')
    const { server, auth } = await setUp({ store, signedIn: false })
    const other = axios.create({ baseURL: server.url })
    const seen: unknown[] = []
    // Registered before ours, so it runs after it.
    other.interceptors.request.use((config) => {
      seen.push(config.headers.get('Authorization'))
      return config
    })
    const detach = auth.attach(other)
    const request = settleAll([other.get('/api/x')])
    await untilHeld(auth, 1)
    detach()
    store.releaseAll()
    expect(await request).toMatchObject([{ reason: { response: { status: 401 } } }])
    expect(seen).toEqual([undefined])
    expect(server.tokensSeen()).toEqual([])
  })

  it('can detach another instance without disturbing the refresh', async () => {
    const { server, api, auth } = await setUp()
    const other = axios.create({ baseURL: 'https://other.example' })
    const detach = auth.attach(other)
    detach()
    server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
    expect(() => createAuthClient(other).dispose()).not.toThrow()
  })
})

describe('updateTokens', () => {
  /** A refresh that the app has been faster than, with an access token alone: its answer is still open. */
  async function overtakenRefresh(options?: SetUpOptions) {
    const hand = createHandRefresh()
    const world = await setUp({ refresh: hand.refresh, ...options })
    const refreshed = world.auth.refresh()
    const call = await hand.call(1)
    await world.auth.updateTokens({ accessToken: world.server.login().access_token })
    await expect(refreshed).resolves.toMatchObject({ status: 'signed-in' })
    return { ...world, hand, call }
  }

  it('keeps the session and uses the newer tokens for every request', async () => {
    const { server, api, auth, ends } = await setUp()
    const newer = tokensOf(server.login())
    const updated = auth.updateTokens(newer)
    // At once: the next request of the same turn carries them.
    const request = api.get('/api/x')
    await settleAll<unknown>([updated, request])
    expect(server.log[0]?.accessToken).toBe(newer.accessToken)
    expect(ends).toEqual([])
  })

  it('releases waiting requests, and drops the grant of the refresh under way when a refresh token was given', async () => {
    const hand = createHandRefresh()
    const { server, api, auth } = await setUp({ refresh: hand.refresh })
    server.killAccessTokens()
    const waiting = settleAll([api.get('/api/x'), api.get('/api/y')])
    const call = await hand.call(1)
    const newer = tokensOf(server.login())
    await auth.updateTokens(newer)
    expect(outcomesOf(await waiting)).toEqual(['ok', 'ok'])
    call.answer({ accessToken: 'overtaken', refreshToken: 'overtaken' })
    await microtasksDone()
    expect(await auth.getAccessToken()).toBe(newer.accessToken)
    expect(auth.getSnapshot().refreshing).toBe(false)
  })

  it('without a refresh token lets the refresh under way bring its grant', async () => {
    const hand = createHandRefresh()
    const { server, api, auth } = await setUp({ refresh: hand.refresh })
    server.killAccessTokens()
    const waiting = settleAll([api.get('/api/x')])
    const call = await hand.call(1)
    await auth.updateTokens({ accessToken: server.login().access_token })
    expect(outcomesOf(await waiting)).toEqual(['ok'])
    const grant = tokensOf(server.login())
    call.answer(grant)
    await landed(auth)
    expect(await auth.getAccessToken()).toBe(grant.accessToken)
  })

  it('without a refresh token prevents the error and cool-down of a refresh that then fails', async () => {
    const { server, api, auth, events, hand, call } = await overtakenRefresh({ refreshRetry: { limit: 0 } })
    call.fail(new Error('no network'))
    await landed(auth)
    expect(events.map(({ name }) => name)).toEqual(['refreshStart'])
    server.killAccessTokens()
    const request = api.get('/api/x')
    ;(await hand.call(2)).answer(tokensOf(server.login()))
    expect((await request).status).toBe(200)
  })

  it('without a refresh token keeps the session when the refresh is then refused', async () => {
    const { auth, ends, call } = await overtakenRefresh()
    call.answer(null)
    await landed(auth)
    expect(ends).toEqual([])
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  it('without a refresh token prevents the cool-down of a refresh that then times out', async () => {
    const { server, api, auth, clock, hand } = await overtakenRefresh()
    await clock.advance(15_000)
    await landed(auth)
    server.killAccessTokens()
    const request = api.get('/api/x')
    ;(await hand.call(2)).answer(tokensOf(server.login()))
    expect((await request).status).toBe(200)
  })

  it('with the previous refresh token keeps the one that a refresh under way has exchanged it for', async () => {
    const hand = createHandRefresh()
    const { server, auth, login } = await setUp({ refresh: hand.refresh })
    const refreshed = auth.refresh()
    const call = await hand.call(1)
    const accessToken = server.login().access_token
    await auth.updateTokens({ accessToken, refreshToken: login.refresh_token })
    await refreshed
    call.answer({ accessToken: 'overtaken', refreshToken: 'rotated' })
    await microtasksDone()
    expect(await auth.getAccessToken()).toBe(accessToken)
    const next = auth.refresh()
    const second = await hand.call(2)
    expect(second.context.refreshToken).toBe('rotated')
    second.answer({ accessToken: 'fresh' })
    await next
  })

  it('waits for an asynchronous store, and so does refresh()', async () => {
    for (const newer of [{ accessToken: 'newer' }, undefined]) {
      const store = createHandStore({ v: 1, sessionId: 'one', version: 1, tokens: { accessToken: 'kept' } })
      store.hold('load')
      const hand = createHandRefresh()
      const { auth } = await setUp({ store, signedIn: false, refresh: hand.refresh })
      const done = newer ? auth.updateTokens(newer) : auth.refresh()
      store.releaseAll()
      if (!newer) (await hand.call(1)).answer({ accessToken: 'newer' })
      await done
      expect(await auth.getAccessToken()).toBe('newer')
    }
  })

  it('rejects when nobody is signed in, and rejects tokens that a header cannot contain', async () => {
    const { auth, login } = await setUp()
    await expect(auth.updateTokens({ accessToken: 'a\nb' })).rejects.toMatchObject({ code: 'BAD_OPTION' })
    expect(await auth.getAccessToken()).toBe(login.access_token)
    await auth.signOut()
    await expect(auth.updateTokens({ accessToken: 'x' })).rejects.toMatchObject({ code: 'SIGNED_OUT' })
    expect(auth.getSnapshot().status).toBe('signed-out')
  })
})
