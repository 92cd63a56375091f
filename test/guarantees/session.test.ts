// G14 and G16: whose request, whose tokens, and what happens right behind a refresh. Other sign-outs are in
// sign-out.test.ts, stores in stores.test.ts.

import axios from 'axios'
import { describe, expect, it } from 'vitest'
import { type AuthClient, noCredential, refreshWithBody, tokenFromHeader } from '../../src/index.js'
import type { AuthServer, Hold, RefreshBehaviour } from '../support/auth-server.js'
import {
  eventsOf,
  failureOf,
  landed,
  outcomesOf,
  type SetUpOptions,
  setUp,
  tokensOf,
  untilHeld,
  type World,
} from '../support/client.js'
import { createHandRefresh, type HandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import { createRandom } from '../support/shuffle.js'
import { createHandStore, createOpenStore, keptRefreshToken, keptToken } from '../support/stores.js'

/** The tokens that came with the requests to a path, in order. */
function tokensTo(server: AuthServer, path: string): (string | undefined)[] {
  return server.requestsTo(path).map(({ accessToken }) => accessToken)
}

/** Ada's client in the middle of a refresh that the server holds, with everybody who can wait for it. */
async function refreshing(options: SetUpOptions = {}) {
  const world = await setUp(options)
  const { server, api, auth } = world
  const hold = server.holdRefresh({ at: 'answer', first: 1 })
  server.killAccessTokens()
  const requests = [1, 2].map((i) => api.get(`/api/refused/${i}`))
  await hold.waiting(1)
  requests.push(api.get('/api/held'))
  return {
    ...world,
    hold,
    waiting: [...requests, auth.getAccessToken(), auth.refresh()] as Promise<unknown>[],
  }
}

describe('G14: signIn during a refresh', () => {
  it('G14: waiting requests reject with SESSION_CHANGED, and none is sent with the new token', async () => {
    const store = createOpenStore()
    const { server, api, auth, hold, waiting, login, ends, events, clock } = await refreshing({ store })
    const settled = settleAll(waiting)
    const bob = tokensOf(server.login('bob'))
    const signedIn = auth.signIn(bob)
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'bob', refreshing: false })
    const results = await settled
    expect(outcomesOf(results)).toEqual(Array(5).fill('SESSION_CHANGED'))
    await signedIn
    expect(ends).toEqual([
      { reason: 'replaced', error: expect.objectContaining({ code: 'SESSION_CHANGED' }) },
    ])
    expect(eventsOf(events, 'sessionEnd')).toEqual(ends)

    const [refused, , held] = results as PromiseRejectedResult[]
    expect(refused?.reason).toMatchObject({ response: { status: 401 }, config: { url: '/api/refused/1' } })
    expect(held?.reason).toMatchObject({ code: 'SESSION_CHANGED', config: { url: '/api/held' } })
    expect(axios.isAxiosError(held?.reason)).toBe(true)

    // The new session does not wait for the refresh of the old one.
    expect((await api.get('/api/new')).data.user).toBe('bob')
    hold.releaseAll()
    await server.idle()
    await clock.advance(20_000)
    expect(tokensTo(server, '/api/refused/1')).toEqual([login.access_token])
    expect(tokensTo(server, '/api/held')).toEqual([])
    expect(keptToken(store)).toBe(bob.accessToken)
    expect(await auth.getAccessToken()).toBe(bob.accessToken)
    expect(clock.pending).toBe(0)
  })

  it.each(Array.from({ length: 14 }, (_, ticks) => ticks))(
    'G14: a sign-in %i ticks after the refresh’s answer does not mix sessions',
    async (ticks) => {
      for (const store of [createOpenStore(), createHandStore()]) {
        const hand = createHandRefresh()
        const { server, api, auth, clock } = await setUp({ refresh: hand.refresh, store })
        server.killAccessTokens()
        const settled = settleAll([1, 2, 3].map((i) => api.get(`/api/ada/${i}`)))
        const call = await hand.call(1)
        await server.until(() => server.counts.answered401 === 3)
        const bob = tokensOf(server.login('bob'))
        call.answer(tokensOf(server.login('ada')))
        for (let i = 0; i < ticks; i++) await undefined
        await auth.signIn(bob)
        for (const outcome of outcomesOf(await settled)) expect(['ok', 'SESSION_CHANGED']).toContain(outcome)
        expect(server.requestsTo('/api/ada/*').map(({ user }) => user)).not.toContain('bob')
        await clock.advance(20_000)
        expect((await api.get('/api/bob')).data.user).toBe('bob')
        expect(keptToken(store)).toBe(bob.accessToken)
      }
    },
  )

  it('G14: a request made in the turn of a sign-in belongs to the session before it', async () => {
    const { server, api, auth } = await setUp()
    const made = api.get('/api/made')
    await auth.signIn(tokensOf(server.login('grace')))
    await made
    expect(server.log.map(({ user }) => user)).toEqual(['ada'])
  })

  it('G14: a session of the same user is another session', async () => {
    const { server, auth, waiting, ends } = await refreshing()
    const settled = settleAll(waiting)
    await auth.signIn(tokensOf(server.login('ada')))
    expect(outcomesOf(await settled)).toEqual(Array(5).fill('SESSION_CHANGED'))
    expect(ends).toMatchObject([{ reason: 'replaced' }])
  })

  it('G14: a 401 that arrives after the sign-in is passed on with its cause, and does not affect the new token', async () => {
    const { server, api, auth, login } = await setUp()
    const hold = server.hold('/api/ada', { at: 'answer' })
    server.killAccessTokens()
    const settled = settleAll([api.get('/api/ada')])
    await hold.waiting(1)
    await auth.signIn(tokensOf(server.login('bob')))
    hold.releaseAll()
    expect(await settled).toMatchObject([
      { status: 'rejected', reason: { response: { status: 401 }, cause: { code: 'SESSION_CHANGED' } } },
    ])
    expect((await api.get('/api/bob')).data.user).toBe('bob')
    expect(tokensTo(server, '/api/ada')).toEqual([login.access_token])
    expect(server.counts.refreshes).toBe(0)
  })

  it('G14: an answer to the old session reaches its caller', async () => {
    const { server, api, auth } = await setUp()
    const hold = server.hold('/api/ada', { at: 'answer' })
    const request = api.get('/api/ada')
    await hold.waiting(1)
    await auth.signIn(tokensOf(server.login('bob')))
    hold.releaseAll()
    expect((await request).data.user).toBe('ada')
  })

  it('G14: tokens pushed in the answer to an old request do not enter the new session', async () => {
    const store = createOpenStore()
    const { server, api, auth } = await setUp({ store, readResponse: tokenFromHeader('x-new-token') })
    server.route('/api/ada', () => ({ status: 200, headers: { 'x-new-token': 'pushed-to-ada' }, body: '' }))
    const hold = server.hold('/api/ada', { at: 'answer' })
    const request = api.get('/api/ada')
    await hold.waiting(1)
    const bob = tokensOf(server.login('bob'))
    await auth.signIn(bob)
    hold.releaseAll()
    await request
    expect(await auth.getAccessToken()).toBe(bob.accessToken)
    expect(keptToken(store)).toBe(bob.accessToken)
  })

  it('G14: a request that is still in an interceptor of the app when another user signs in is not sent', async () => {
    const { server, api, auth } = await setUp()
    const gate: (() => void)[] = []
    // Registered before the client takes the next instance: it runs after ours.
    const other = axios.create({ baseURL: server.url })
    other.interceptors.request.use(async (config) => {
      await new Promise<void>((resolve) => gate.push(resolve))
      return config
    })
    auth.attach(other)
    const settled = settleAll([other.get('/api/ada')])
    await microtasksDone()
    expect(gate).toHaveLength(1)
    await auth.signIn(tokensOf(server.login('bob')))
    gate[0]?.()
    expect(outcomesOf(await settled)).toEqual(['SESSION_CHANGED'])
    expect(server.counts.requests).toBe(0)
    expect((await api.get('/api/bob')).data.user).toBe('bob')
  })

  it('G14: a replay that waits for its hook when another user signs in is not sent', async () => {
    let enter = (_: () => void): void => {}
    const inHook = new Promise<() => void>((resolve) => {
      enter = resolve
    })
    const { server, api, auth } = await setUp({
      beforeReplay: () => new Promise<void>((leave) => enter(leave)),
    })
    server.killAccessTokens()
    const settled = settleAll([api.get('/api/ada')])
    const leave = await inHook
    await auth.signIn(tokensOf(server.login('bob')))
    leave()
    expect(outcomesOf(await settled)).toEqual(['SESSION_CHANGED'])
    expect(server.requestsTo('/api/ada').map(({ user }) => user)).toEqual(['ada'])
  })

  it('G14: a rejected request is not sent later, even when the app sends its config through another instance', async () => {
    const { server, api, auth, clock } = await setUp()
    const other = axios.create({ baseURL: server.url })
    auth.attach(other)
    clock.jump(300_000)
    server.holdRefresh()
    const turnedAway = failureOf(api.post('/api/ada'))
    await untilHeld(auth, 1)
    await auth.signIn(tokensOf(server.login('bob')))
    const { config } = (await turnedAway) as { config: object }
    expect(outcomesOf(await settleAll([other.request(config)]))).toEqual(['SESSION_CHANGED'])
    expect(server.requestsTo('/api/ada')).toEqual([])
  })

  it.each<[string, (auth: AuthClient, hand: HandRefresh) => Promise<unknown>]>([
    [
      'a refresh',
      async (auth, hand) => {
        const refreshed = auth.refresh()
        const call = await hand.call(1)
        call.answer({ accessToken: 'ada-2', refreshToken: 'ada-r2' })
        return refreshed
      },
    ],
    ['updateTokens', (auth) => auth.updateTokens({ accessToken: 'ada-2', refreshToken: 'ada-r2' })],
  ])(
    'G14: tokens of %s that reach a slow store after the sign-in do not affect the next refresh',
    async (_, renew) => {
      const hand = createHandRefresh()
      const store = createHandStore()
      const { auth } = await setUp({ store, refresh: hand.refresh })
      store.hold('save')
      const before = settleAll([renew(auth, hand)])
      await store.waiting('save')
      const asked = hand.calls.length
      const signedIn = auth.signIn({ accessToken: 'bob-1', refreshToken: 'bob-r1' })
      const refreshed = auth.refresh()
      store.releaseAll()
      await Promise.all([before, signedIn])
      const call = await hand.call(asked + 1)
      expect(auth.getSnapshot().refreshing).toBe(true)
      call.answer({ accessToken: 'bob-2', refreshToken: 'bob-r2' })
      await settleAll([refreshed])
      expect(call.context).toMatchObject({ refreshToken: 'bob-r1' })
      expect(hand.calls).toHaveLength(asked + 1)
      expect(keptToken(store)).toBe('bob-2')
    },
  )

  it('G14: a session that begins in onSessionEnd stays, while waiting requests reject with the end of theirs', async () => {
    for (const store of [createOpenStore(), createHandStore()]) {
      const { server, api, auth, ends } = await setUp({
        store,
        onSessionEnd: ({ reason }) => {
          if (reason === 'refused') return auth.signIn(tokensOf(server.login('guest')))
          return undefined
        },
      })
      server.refresh.next(401)
      server.killAccessTokens()
      const results = await settleAll([api.get('/api/x'), api.get('/api/y')])
      expect(outcomesOf(results)).toEqual(['SESSION_EXPIRED', 'SESSION_EXPIRED'])
      expect((await api.get('/api/z')).data.user).toBe('guest')
      expect(store.kept).toMatchObject({ subject: 'guest' })
      expect(ends).toHaveLength(1)
    }
  })

  it('G14: a sign-in without a usable token rejects, and changes neither session nor refresh', async () => {
    const { auth, hold, waiting, ends } = await refreshing()
    for (const accessToken of [undefined, null, '', 'line\nbreak', 42]) {
      await expect(auth.signIn({ accessToken } as never)).rejects.toMatchObject({ code: 'BAD_OPTION' })
    }
    await expect(auth.signIn(undefined)).rejects.toMatchObject({ code: 'BAD_OPTION' })
    hold.releaseAll()
    expect(outcomesOf(await settleAll(waiting))).toEqual(Array(5).fill('ok'))
    expect(ends).toEqual([])
  })

  it('G14: with cookies, a sign-in aborts the refresh, whose answer would set the old session’s cookies', async () => {
    const hand = createHandRefresh(true)
    const { auth } = await setUp({ refresh: hand.refresh, place: noCredential(), signedIn: false })
    await auth.signIn()
    const settled = settleAll([auth.refresh()])
    const call = await hand.call(1)
    await auth.signIn()
    expect(call.context.signal.aborted).toBe(true)
    expect(outcomesOf(await settled)).toEqual(['SESSION_CHANGED'])
  })

  it('G14: waiting requests reject as soon as another tab’s sign-in is noticed', async () => {
    const store = createOpenStore()
    const { server, api, auth, waiting, ends, login } = await refreshing({ store })
    const settled = settleAll(waiting)
    const bob = tokensOf(server.login('bob'))
    store.kept = { v: 1, sessionId: 'of-bob', version: 1, tokens: bob, subject: 'bob' }
    store.hint()
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'bob', refreshing: false })
    expect(outcomesOf(await settled)).toEqual(Array(5).fill('SESSION_CHANGED'))
    expect(ends).toMatchObject([{ reason: 'replaced-elsewhere', error: { code: 'SESSION_CHANGED' } }])
    expect((await api.get('/api/bob')).data.user).toBe('bob')
    expect(tokensTo(server, '/api/refused/*')).toEqual([login.access_token, login.access_token])
    expect(keptToken(store)).toBe(bob.accessToken)
  })
})

// Whoever called refresh() gets its result before the waiting requests: what they do about it comes first.
describe('right behind a refresh', () => {
  it.each<[string, string, string, (world: World) => unknown]>([
    ['G13', 'a sign-out', 'SIGNED_OUT', ({ auth }) => auth.signOut()],
    ['G14', 'a sign-in', 'SESSION_CHANGED', ({ auth, server }) => auth.signIn(tokensOf(server.login('bob')))],
    ['G14', 'dispose', 'DISPOSED', ({ auth }) => auth.dispose()],
  ])(
    '%s: %s right after a refresh rejects the requests that waited for it',
    async (_id, _what, code, act) => {
      const world = await setUp()
      const { server, api, auth, clock } = world
      clock.jump(300_000)
      const hold = server.holdRefresh()
      const acted = auth.refresh().then(() => act(world))
      await hold.waiting(1)
      const held = settleAll([api.get('/api/1'), api.get('/api/2')])
      await untilHeld(auth, 2)
      hold.releaseAll()
      await acted
      expect(outcomesOf(await held)).toEqual([code, code])
      expect(server.requestsTo('/api/*')).toEqual([])
    },
  )

  it('G18: a request that is aborted right after a refresh is not sent again', async () => {
    const { server, api, auth } = await setUp()
    server.killAccessTokens()
    const hold = server.holdRefresh()
    const controller = new AbortController()
    const aborted = auth.refresh().then(() => controller.abort())
    await hold.waiting(1)
    const given = settleAll([api.post('/api/1', {}, { signal: controller.signal })])
    await untilHeld(auth, 1)
    hold.releaseAll()
    await aborted
    expect(outcomesOf(await given)).toEqual(['cancelled'])
    await api.get('/api/later')
    expect(server.requestsTo('/api/1')).toHaveLength(1)
  })
})

describe('G14: users sign in and out', () => {
  const behaviours: RefreshBehaviour[] = ['honest', 'honest', 'honest', 503, 404, 401, 'html', 'drop-before']

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'G14: in any order of events, no request carries another session’s token (seed %i)',
    async (seed) => {
      const random = createRandom(seed)
      const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
      const store = seed % 2 ? createOpenStore() : createHandStore()
      let inside: string | undefined
      const world = await setUp({
        store,
        signedIn: false,
        refreshRetry: { limit: 1, baseDelayMs: 10 },
        onSessionEnd: ({ reason }) => {
          if (reason === 'refused') inside = undefined
        },
      })
      const { server, api, auth, clock } = world
      await auth.ready
      const holds: Hold[] = []
      const all: Promise<unknown>[] = []
      let users = 0
      const keep = (promise: Promise<unknown>): void => {
        promise.catch(() => {})
        all.push(promise)
      }
      const request = () => {
        keep(api.get(`/api/${all.length}`, { params: { by: inside ?? 'nobody' } }))
      }
      const signIn = () => {
        inside = `user-${++users}`
        keep(auth.signIn(tokensOf(server.login(inside))))
      }
      const actions: (() => unknown)[] = [
        request,
        request,
        request,
        request,
        signIn,
        () => {
          if (random() < 0.3) {
            inside = undefined
            keep(auth.signOut())
          }
        },
        () => server.killAccessTokens(),
        () => server.killAccessTokens(),
        () => inside && keep(auth.refresh()),
        () => keep(auth.getAccessToken()),
        () => holds.push(server.holdRefresh({ at: pick(['arrival', 'answer'] as const), first: 1 })),
        () => holds.push(server.hold('/api/*', { at: 'answer', first: 2 })),
        () => holds.shift()?.releaseAll(),
        () => server.refresh.next(pick(behaviours)),
        () => clock.advance(pick([1, 10, 1000, 15_000])),
        microtasksDone,
      ]
      signIn()
      for (let i = 0; i < 60; i++) {
        await pick(actions)()
        if (random() < 0.5) await microtasksDone()
      }
      for (const hold of holds) hold.releaseAll()
      const settled = settleAll(all)
      while (auth.getSnapshot().refreshing) await clock.advance(15_000)
      let over = false
      void settled.then(() => {
        over = true
      })
      while (!over) await clock.advance(15_000)
      await settled
      for (const { query, user, path } of server.requestsTo('/api/*')) {
        if (user !== undefined) expect({ path, user }).toEqual({ path, user: query.by })
      }
      // An answer that nobody could wait for any longer has spent its token unread.
      const unread = eventsOf(world.events, 'refreshFailed').some(
        ({ error }) => error.code === 'REFRESH_TIMEOUT',
      )
      if (!unread) expect(server.counts.reuses).toBe(0)
      expect(auth.stats().heldNow).toBe(0)
      expect(clock.pending).toBe(0)
      const snapshot = auth.getSnapshot()
      expect([snapshot.status, snapshot.subject]).toEqual([inside ? 'signed-in' : 'signed-out', inside])
      expect((store.kept as { subject?: string } | undefined)?.subject).toBe(inside)
    },
  )
})

describe('G16: the refresh token of a grant', () => {
  /** The refresh tokens that came to the endpoint, in order. */
  function spent(server: AuthServer): unknown[] {
    return server
      .requestsTo('/auth/refresh')
      .map(({ body }) => (body as { refresh_token: unknown }).refresh_token)
  }

  it('G16: an answer with a new one replaces it, in memory and in the store', async () => {
    const store = createOpenStore()
    const { server, auth, login } = await setUp({ store })
    const kept: unknown[] = []
    for (let i = 0; i < 3; i++) {
      await auth.refresh()
      kept.push(keptRefreshToken(store))
    }
    expect(spent(server)).toEqual([login.refresh_token, kept[0], kept[1]])
    expect(new Set(kept).size).toBe(3)
    expect(server.counts).toMatchObject({ granted: 3, reuses: 0 })
  })

  it('G16: an answer without one keeps it, in memory and in the store', async () => {
    const store = createOpenStore()
    const { server, auth, login } = await setUp({ store, server: { rotate: false } })
    for (let i = 0; i < 3; i++) {
      await auth.refresh()
      expect(keptRefreshToken(store)).toBe(login.refresh_token)
    }
    expect(spent(server)).toEqual(Array(3).fill(login.refresh_token))
  })

  it('G16: an answer that repeats it keeps it', async () => {
    const { server, auth, login } = await setUp({ server: { rotate: 'echo' } })
    await auth.refresh()
    await auth.refresh()
    expect(spent(server)).toEqual(Array(2).fill(login.refresh_token))
  })

  it.each([null, '', undefined])('G16: %j for a refresh token keeps the old one', async (refreshToken) => {
    const store = createOpenStore()
    const { auth, login } = await setUp({
      store,
      refresh: () => ({ accessToken: 'new', refreshToken }) as never,
    })
    await auth.refresh()
    expect(keptToken(store)).toBe('new')
    expect(keptRefreshToken(store)).toBe(login.refresh_token)
  })

  it('G16: answers with and without one may alternate', async () => {
    const { server, auth } = await setUp()
    for (const rotate of [true, false, true, 'echo', true] as const) {
      server.settings.rotate = rotate
      await auth.refresh()
    }
    expect(server.counts).toMatchObject({ granted: 5, reuses: 0 })
  })

  it('G16: a new one in an answer without a usable access token still replaces the used one', async () => {
    const store = createOpenStore()
    const { server, auth } = await setUp({ store })
    server.refresh.next({ status: 200, body: { access_token: '', refresh_token: 'rotated' } })
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'BAD_GRANT' })
    expect(keptRefreshToken(store)).toBe('rotated')
    server.refresh.next(404)
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'REFRESH_FAILED' })
    expect(spent(server)[1]).toBe('rotated')
  })

  it('G16: tokens from elsewhere keep or replace it in the same way', async () => {
    const store = createOpenStore()
    const { server, auth, login } = await setUp({ store })
    await auth.updateTokens({ accessToken: 'newer' })
    expect(keptRefreshToken(store)).toBe(login.refresh_token)
    const other = tokensOf(server.login())
    await auth.updateTokens(other)
    expect(keptRefreshToken(store)).toBe(other.refreshToken)
    await auth.refresh()
    expect(spent(server)).toEqual([other.refreshToken])
  })

  it('G16: a token that the server pushes keeps it', async () => {
    const store = createOpenStore()
    const { server, api, login } = await setUp({ store, readResponse: tokenFromHeader('x-new-token') })
    server.route('/api/push', () => ({ status: 200, headers: { 'x-new-token': 'pushed' }, body: '' }))
    await api.get('/api/push')
    expect(keptToken(store)).toBe('pushed')
    expect(keptRefreshToken(store)).toBe(login.refresh_token)
  })

  it('G16: a sign-in without one does not inherit the previous session’s', async () => {
    const store = createOpenStore()
    const { server, auth } = await setUp({ store, refresh: refreshWithBody({ url: '/auth/refresh' }) })
    await auth.signIn({ accessToken: 'of-bob' })
    expect(keptRefreshToken(store)).toBeUndefined()
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(server.counts.refreshes).toBe(0)
  })

  it('G16: a background refresh replaces it too', async () => {
    const store = createOpenStore()
    const { server, api, auth, clock, login } = await setUp({ store })
    clock.jump(280_000)
    await api.get('/api/x')
    await landed(auth)
    expect(keptRefreshToken(store)).not.toBe(login.refresh_token)
    expect(keptRefreshToken(store)).toBe(server.sessions[0]?.refreshToken)
  })
})
