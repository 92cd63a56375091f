// G19: how long a token lives is measured from its receipt, so a wrong clock costs nothing, and nothing ticks while
// nobody asks. Real servers with a clock of their own; the client's clock is moved by hand.

import axios, { type AxiosInstance } from 'axios'
import {
  type AuthClientOptions,
  authErrorOf,
  createAuthClient,
  refreshWithBody,
  type Tokens,
} from 'axios-auth-client'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.js'
import {
  type AuthServer,
  type LoginAnswer,
  type StartOptions,
  startAuthServer,
} from '../support/auth-server.js'
import { encodePart, jwtOf } from '../support/jwt.js'
import { settleAll } from '../support/settle-all.js'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const YEAR = 365 * 24 * 60 * MINUTE

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

async function startServer(options: StartOptions = {}): Promise<AuthServer> {
  const server = await startAuthServer(options)
  endings.push(() => server.stop())
  return server
}

/** A client of that server, whose clock is off by `aheadMs` and stands still. */
async function setUp(options: StartOptions = {}, aheadMs = 0, more: AuthClientOptions = {}) {
  const server = await startServer(options)
  const clock = createManualClock(server.clock.nowMs + aheadMs)
  const api = axios.create({ baseURL: server.url })
  const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }), clock, ...more })
  endings.push(() => auth.dispose())
  /** Time goes by on both sides. */
  const pass = (ms: number) => {
    server.clock.advance(ms)
    clock.jump(ms)
  }
  return { server, clock, api, auth, pass }
}

function tokensOf({ access_token, refresh_token, expires_in }: LoginAnswer) {
  return { accessToken: access_token, refreshToken: refresh_token, expiresInSeconds: expires_in }
}

/** A client without a server: every request is answered 200, the refresh is counted and answers with `grants`. */
function setUpOffline(clock: ManualClock, more: AuthClientOptions = {}) {
  const sent: (string | undefined)[] = []
  let refreshes = 0
  const api = axios.create({
    baseURL: 'https://api.example.com',
    adapter: async (config) => {
      sent.push(config.headers.Authorization?.toString())
      return { data: {}, status: 200, statusText: 'OK', headers: {}, config }
    },
  })
  const auth = createAuthClient(api, {
    refresh: async () => {
      refreshes++
      return { accessToken: `renewed-${refreshes}` }
    },
    clock,
    ...more,
  })
  endings.push(() => auth.dispose())
  return { api, auth, sent, refreshes: () => refreshes }
}

describe('G19: a lifetime is known', () => {
  it.each([
    ['jwt', false],
    ['jwt', true],
    ['opaque', true],
  ] as const)(
    'G19: a %s token (expires_in: %s) lives as long as its server says',
    async (tokens, expiresIn) => {
      const { server, auth, clock, api, pass } = await setUp({ tokens, expiresIn, accessLifetimeSeconds: 60 })
      await auth.signIn(tokensOf(server.login()))
      expect(auth.getSnapshot().expiresAtMs).toBe(clock.nowMs() + 60 * SECOND)
      pass(50 * SECOND)
      await api.get('/api/me')
      expect(server.counts).toMatchObject({ refreshes: 0, answered401: 0 })
      pass(10 * SECOND)
      await api.get('/api/me')
      expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0, protectedOk: 2 })
    },
  )

  it.each([
    ['ten years ahead', 10 * YEAR],
    ['one hour ahead', 60 * MINUTE],
    ['one hour behind', -60 * MINUTE],
    ['ten years behind', -10 * YEAR],
  ])(
    'G19: a client clock that is %s neither refreshes before every request nor sends expired tokens',
    async (_, aheadMs) => {
      const { server, auth, api, pass } = await setUp(
        { expiresIn: false, accessLifetimeSeconds: 60 },
        aheadMs,
      )
      await auth.signIn(tokensOf(server.login()))
      for (let i = 0; i < 5; i++) {
        await api.get('/api/me')
        pass(10 * SECOND)
      }
      expect(server.counts).toMatchObject({ refreshes: 0, answered401: 0, protectedOk: 5 })
      pass(10 * SECOND)
      await settleAll(Array.from({ length: 5 }, () => api.get('/api/me')))
      expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0, protectedOk: 10 })
    },
  )

  it('G19: expires_in wins over the claims of the token and over expiresAtMs', async () => {
    const clock = createManualClock()
    const { auth } = setUpOffline(clock)
    const now = clock.nowMs()
    const accessToken = jwtOf({ iat: now / 1000, exp: now / 1000 + 3600 })
    await auth.signIn({ accessToken, expiresInSeconds: 60, expiresAtMs: now + 5 * MINUTE })
    expect(auth.getSnapshot().expiresAtMs).toBe(now + 60 * SECOND)
  })

  it('G19: a JWT’s exp less iat wins over expiresAtMs, which wins over an exp without iat', async () => {
    const clock = createManualClock()
    const { auth } = setUpOffline(clock)
    const now = clock.nowMs()
    const expiresAtMs = now + 5 * MINUTE
    await auth.signIn({ accessToken: jwtOf({ iat: 0, exp: 3600 }), expiresAtMs })
    expect(auth.getSnapshot().expiresAtMs).toBe(now + 60 * MINUTE)
    await auth.signIn({ accessToken: jwtOf({ exp: now / 1000 + 3600 }), expiresAtMs })
    expect(auth.getSnapshot().expiresAtMs).toBe(expiresAtMs)
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
    'G19: an expires_in of %s is ignored, and the claims count',
    async (expiresInSeconds) => {
      const clock = createManualClock()
      const { auth } = setUpOffline(clock)
      await auth.signIn({ accessToken: jwtOf({ iat: 1000, exp: 1060 }), expiresInSeconds })
      expect(auth.getSnapshot().expiresAtMs).toBe(clock.nowMs() + 60 * SECOND)
    },
  )

  it.each([60, '60', '60.0 s'])('G19: an expires_in of %j is 60 s', async (expiresInSeconds) => {
    const clock = createManualClock()
    const { auth } = setUpOffline(clock)
    await auth.signIn({ accessToken: 'opaque', expiresInSeconds: expiresInSeconds as never })
    expect(auth.getSnapshot().expiresAtMs).toBe(clock.nowMs() + 60 * SECOND)
  })

  it('G19: without iat, exp counts by the clock of the client', async () => {
    const clock = createManualClock()
    const { auth, api, refreshes } = setUpOffline(clock)
    const exp = clock.nowMs() / 1000 + 100
    await auth.signIn({ accessToken: jwtOf({ exp }), refreshToken: 'r' })
    expect(auth.getSnapshot().expiresAtMs).toBe(exp * 1000)
    await api.get('/')
    expect(refreshes()).toBe(0)
    clock.jump(100 * SECOND)
    await api.get('/')
    expect(refreshes()).toBe(1)
  })

  it('G19: without iat, a token that is expired on arrival shows that the clock is wrong, and is sent', async () => {
    const clock = createManualClock()
    const { auth, api, sent, refreshes } = setUpOffline(clock)
    const accessToken = jwtOf({ exp: clock.nowMs() / 1000 - 10 * 365 * 86_400 })
    await auth.signIn({ accessToken, refreshToken: 'r' })
    for (let i = 0; i < 3; i++) await api.get('/')
    expect(auth.getSnapshot().expiresAtMs).toBeUndefined()
    expect(sent).toEqual(Array(3).fill(`Bearer ${accessToken}`))
    expect(refreshes()).toBe(0)
  })

  it('G19: the lifetime of a renewed token counts from the receipt of its own answer', async () => {
    const { server, auth, api, clock, pass } = await setUp(
      { expiresIn: false, accessLifetimeSeconds: 60 },
      YEAR,
    )
    await auth.signIn(tokensOf(server.login()))
    pass(90 * SECOND)
    await api.get('/api/me')
    expect(auth.getSnapshot().expiresAtMs).toBe(clock.nowMs() + 60 * SECOND)
    pass(50 * SECOND)
    await api.get('/api/me')
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0 })
  })

  it('G19: a reload keeps the moment of expiry that was measured at receipt', async () => {
    const kept = new Map<string, unknown>()
    const store = {
      load: () => kept.get('session'),
      save: (record: unknown) => void kept.set('session', record),
      clear: () => void kept.clear(),
    }
    const { server, auth, clock } = await setUp({ expiresIn: false, accessLifetimeSeconds: 60 }, -10 * YEAR, {
      store,
    })
    await auth.signIn(tokensOf(server.login()))
    const { expiresAtMs } = auth.getSnapshot()
    clock.jump(20 * SECOND)
    const reloaded = createAuthClient(axios.create({ baseURL: server.url }), { store, clock })
    endings.push(() => reloaded.dispose())
    expect(reloaded.getSnapshot()).toMatchObject({ status: 'signed-in', expiresAtMs })
  })
})

describe('G19: a lifetime is not known', () => {
  const broken: [string, string][] = [
    ['an opaque token', 'f7a1-opaque~token+/=='],
    ['two dots and no JSON', 'a.b.c'],
    ['a payload that is not JSON', `${encodePart({ alg: 'none' })}.${encodePart('{"exp":')}.x`],
    ['a payload that is not base64', 'aaa.$$$.ccc'],
    ['a payload that is text', jwtOf('"just text"')],
    ['a payload that is null', jwtOf('null')],
    ['a payload that is a list', jwtOf([1, 2, 3])],
    ['a payload that is a number', jwtOf('42')],
    ['exp as rubbish', jwtOf({ iat: 0, exp: 'tomorrow' })],
    ['exp before iat', jwtOf({ iat: 2000, exp: 1000 })],
    ['exp as null', jwtOf({ iat: 0, exp: null })],
    ['exp as an object', jwtOf({ iat: 0, exp: { at: 5 } })],
    ['exp as an object that cannot become a number', jwtOf({ iat: 0, exp: { valueOf: 1, toString: 1 } })],
    ['iat as an object that cannot become a number', jwtOf({ iat: { valueOf: 1, toString: 1 }, exp: 5 })],
    ['a subject that is no text', jwtOf({ sub: { toString: 1 } })],
    ['an endless exp', jwtOf('{"iat":0,"exp":1e999}')],
    ['too many dots', 'a.b.c.d.e'],
    ['exp in the header, as a JWS has it', jwtOf({ id: 1 }, { alg: 'HS512', iat: 0, exp: 1 })],
  ]

  it.each(broken)('G19: %s is sent until the server rejects it', async (_, accessToken) => {
    const clock = createManualClock()
    const { auth, api, sent, refreshes } = setUpOffline(clock)
    await auth.signIn({ accessToken, refreshToken: 'r' })
    clock.jump(10 * YEAR)
    await api.get('/')
    expect(sent).toEqual([`Bearer ${accessToken}`])
    expect(refreshes()).toBe(0)
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
    expect(auth.getSnapshot().expiresAtMs).toBeUndefined()
  })

  it('G19: signing in and sending succeed with any payload', async () => {
    const payload = fc.oneof(
      fc.object({ maxDepth: 2 }),
      fc.jsonValue({ maxDepth: 2 }),
      fc.record({ iat: fc.jsonValue({ maxDepth: 1 }), exp: fc.jsonValue({ maxDepth: 1 }) }),
      fc.record({ iat: fc.double(), exp: fc.double(), sub: fc.anything() }),
    )
    await fc.assert(
      fc.asyncProperty(payload, async (claims) => {
        const text = safeJson(claims)
        fc.pre(text !== undefined)
        const clock = createManualClock()
        const { auth, api, sent } = setUpOffline(clock)
        const accessToken = jwtOf(text)
        await auth.signIn({ accessToken, refreshToken: 'r' })
        const { expiresAtMs } = auth.getSnapshot()
        expect(expiresAtMs === undefined || Number.isFinite(expiresAtMs)).toBe(true)
        expect(expiresAtMs ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(clock.nowMs())
        await api.get('/')
        expect(sent).toHaveLength(1)
        expect(clock.pending).toBe(0)
      }),
      { seed: 19, numRuns: 500 },
    )
  })

  it('G19: opaque tokens without a lifetime are refreshed when the server rejects them', async () => {
    const { server, auth, api, pass } = await setUp({
      tokens: 'opaque',
      expiresIn: false,
      accessLifetimeSeconds: 60,
    })
    await auth.signIn(tokensOf(server.login()))
    await api.get('/api/me')
    pass(60 * SECOND)
    await api.get('/api/me')
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 1, protectedOk: 2 })
  })
})

describe('G19: a stale token', () => {
  /** Signs in with an opaque token and returns after how many ms the first request starts a refresh. */
  async function staleAfterMs(refreshAheadMs: number | undefined, lifetimeSeconds: number): Promise<number> {
    const clock = createManualClock()
    const { auth, api, refreshes } = setUpOffline(clock, { refreshAheadMs })
    await auth.signIn({ accessToken: 'opaque', refreshToken: 'r', expiresInSeconds: lifetimeSeconds })
    const startMs = clock.nowMs()
    for (let ms = 0; ms <= lifetimeSeconds * SECOND; ms += 500) {
      clock.jump(startMs + ms - clock.nowMs())
      await api.get('/')
      if (refreshes() > 0) return ms
    }
    throw new Error('never renewed')
  }

  it.each([
    ['30 s before its end by default', undefined, 300, 270],
    ['15 % before its end when 30 s would be more', undefined, 60, 51],
    ['refreshAheadMs before its end', 10_000, 300, 290],
    ['15 % before its end when refreshAheadMs would be more', 200_000, 300, 255],
    ['15 % before its end when refreshAheadMs is longer than its life', 10_000_000, 20, 17],
    ['only at its end when refreshAheadMs is 0', 0, 60, 60],
  ])('G19: a token is renewed %s', async (_, refreshAheadMs, lifetimeSeconds, staleSeconds) => {
    expect(await staleAfterMs(refreshAheadMs, lifetimeSeconds)).toBe(staleSeconds * SECOND)
  })

  const ways: [string, (nowMs: number) => Tokens, staleSeconds: number][] = [
    ['expiresAtMs', (now) => ({ accessToken: 'opaque', expiresAtMs: now + 100 * SECOND }), 85],
    ['exp without iat', (now) => ({ accessToken: jwtOf({ exp: now / 1000 + 100 }) }), 85],
    [
      'expiresAtMs, of a token that says it has none',
      (now) => ({ accessToken: jwtOf({ iat: 5, exp: 5 }), expiresAtMs: now + 100 * SECOND }),
      85,
    ],
  ]
  it.each(ways)(
    'G19: a lifetime known by %s is refreshed ahead of expiry too',
    async (_, tokensAt, staleSeconds) => {
      const clock = createManualClock()
      const { auth, api, refreshes } = setUpOffline(clock)
      await auth.signIn({ ...tokensAt(clock.nowMs()), refreshToken: 'r' })
      clock.jump(staleSeconds * SECOND - 1)
      await api.get('/')
      expect(refreshes()).toBe(0)
      clock.jump(1)
      await api.get('/')
      expect(refreshes()).toBe(1)
    },
  )

  it.each([{ iat: 5, exp: 5 }, (now: number) => ({ exp: now })])(
    'G19: a lifetime of zero or less is unknown (%#)',
    async (claims) => {
      const clock = createManualClock()
      const { auth, api, refreshes } = setUpOffline(clock)
      const payload = typeof claims === 'function' ? claims(clock.nowMs() / 1000) : claims
      await auth.signIn({ accessToken: jwtOf(payload), refreshToken: 'r' })
      await api.get('/')
      expect([auth.getSnapshot().expiresAtMs, refreshes()]).toEqual([undefined, 0])
    },
  )

  it.each(['null', '5', '"text"'])('G19: a JWT whose payload is %s has no claims', async (payload) => {
    const { auth } = setUpOffline(createManualClock())
    await auth.signIn({ accessToken: `${encodePart('{}')}.${encodePart(payload)}.` })
    expect(auth.getSnapshot()).toEqual({ status: 'signed-in', refreshing: false })
  })

  it('G19: requests use a stale token while it is refreshed in the background', async () => {
    const { server, auth, api, pass } = await setUp({ accessLifetimeSeconds: 100 })
    const login = server.login()
    await auth.signIn(tokensOf(login))
    pass(90 * SECOND)
    const refresh = server.holdRefresh()
    const answers = await Promise.all([api.get('/api/a'), api.get('/api/b'), api.get('/api/c')])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(server.requestsTo('/api/*').map(({ accessToken }) => accessToken)).toEqual(
      Array(3).fill(login.access_token),
    )
    await refresh.waiting(1)
    expect(auth.getSnapshot().refreshing).toBe(true)
    expect(auth.stats()).toMatchObject({ heldNow: 0, heldPeak: 0 })
    const renewed = new Promise((resolve) => auth.on('refreshed', resolve))
    refresh.releaseAll()
    expect(await renewed).toMatchObject({ reason: 'stale' })
    await api.get('/api/d')
    expect(server.requestsTo('/api/d')[0]?.accessToken).not.toBe(login.access_token)
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0, protectedOk: 4 })
  })

  it('G19: requests wait when the token expires during its refresh', async () => {
    const { server, auth, api, pass } = await setUp({ accessLifetimeSeconds: 100 })
    const login = server.login()
    await auth.signIn(tokensOf(login))
    pass(90 * SECOND)
    const refresh = server.holdRefresh()
    await api.get('/api/stale')
    await refresh.waiting(1)
    pass(10 * SECOND)
    let held = 0
    const allHeld = new Promise<void>((resolve) => auth.on('held', () => void (++held === 5 && resolve())))
    const late = Array.from({ length: 5 }, (_, i) => api.get(`/api/late/${i}`))
    await allHeld
    expect(server.requestsTo('/api/late/*')).toEqual([])
    refresh.releaseAll()
    await Promise.all(late)
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0, protectedOk: 6 })
    expect(server.requestsTo('/api/late/*').map(({ accessToken }) => accessToken)).not.toContain(
      login.access_token,
    )
  })

  it('G19: a failed background refresh fails no request', async () => {
    const { server, auth, api, pass } = await setUp({ accessLifetimeSeconds: 100 }, 0, {
      refreshRetry: { limit: 0 },
    })
    await auth.signIn(tokensOf(server.login()))
    pass(90 * SECOND)
    server.refresh.always(503)
    const failed = new Promise((resolve) => auth.on('refreshFailed', resolve))
    expect((await api.get('/api/me')).status).toBe(200)
    await failed
    expect((await api.get('/api/me')).status).toBe(200)
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0, protectedOk: 2 })
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  it('G19: a fresh token is not refreshed, however often it is used', async () => {
    const { server, auth, api, pass } = await setUp({ accessLifetimeSeconds: 20 }, 0, {
      refreshAheadMs: 10 * MINUTE,
    })
    await auth.signIn(tokensOf(server.login()))
    for (let i = 0; i < 16; i++) {
      await api.get('/api/me')
      pass(SECOND)
    }
    expect(server.counts).toMatchObject({ refreshes: 0, answered401: 0, protectedOk: 16 })
  })
})

describe('G19: time without requests', () => {
  it('G19: no timer runs while idle', async () => {
    const { server, auth, api, clock, pass } = await setUp({ accessLifetimeSeconds: 100 })
    expect(clock.pending).toBe(0)
    await auth.signIn(tokensOf(server.login()))
    expect(clock.pending).toBe(0)
    await api.get('/api/me')
    expect(clock.pending).toBe(0)
    const refresh = server.holdRefresh()
    const refreshing = auth.refresh()
    await refresh.waiting(1)
    expect(clock.pending).toBeGreaterThan(0)
    refresh.releaseAll()
    await refreshing
    expect(clock.pending).toBe(0)
    pass(100 * SECOND)
    await api.get('/api/me')
    expect(clock.pending).toBe(0)
    await auth.signOut()
    expect(clock.pending).toBe(0)
  })

  it('G19: no timer runs after a refresh that failed, was refused or was overtaken by a sign-out', async () => {
    const { server, auth, clock } = await setUp({}, 0, { refreshRetry: { limit: 0 } })
    await auth.signIn(tokensOf(server.login()))
    server.refresh.next(503)
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'REFRESH_FAILED' })
    expect(clock.pending).toBe(0)
    const refresh = server.holdRefresh()
    const refreshing = auth.refresh()
    await refresh.waiting(1)
    await Promise.all([expect(refreshing).rejects.toMatchObject({ code: 'SIGNED_OUT' }), auth.signOut()])
    expect(clock.pending).toBe(0)
    refresh.releaseAll()
    await auth.signIn(tokensOf(server.login()))
    server.refresh.next(401)
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(clock.pending).toBe(0)
  })

  it('G19: a session that is idle for a year sends nothing by itself', async () => {
    const { server, auth, clock } = await setUp({ accessLifetimeSeconds: 10 })
    await auth.signIn(tokensOf(server.login()))
    server.forget()
    await clock.advance(YEAR)
    expect(server.counts.requests).toBe(0)
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
  })

  it('G19: after a night of sleep, one refresh answers every request', async () => {
    const { server, auth, api, pass } = await setUp({ accessLifetimeSeconds: 300 })
    await auth.signIn(tokensOf(server.login()))
    await api.get('/api/me')
    pass(8 * 60 * MINUTE)
    const settled = await settleAll(Array.from({ length: 20 }, (_, i) => api.get(`/api/${i}`)))
    expect(settled.map(({ status }) => status)).toEqual(Array(20).fill('fulfilled'))
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0, protectedOk: 21 })
  })

  it('G19: a machine that slept during a refresh uses the answer when it wakes', async () => {
    const { server, auth, api, clock, pass } = await setUp({ accessLifetimeSeconds: 300 })
    await auth.signIn(tokensOf(server.login()))
    pass(300 * SECOND)
    const refresh = server.holdRefresh({ at: 'answer' })
    const waiting = api.get('/api/me')
    await refresh.waiting(1)
    clock.jump(8 * 60 * MINUTE)
    refresh.releaseAll()
    expect((await waiting).status).toBe(200)
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0 })
  })

  it('G19: a clock that is set back neither loses the session nor keeps an expired token in use', async () => {
    const { server, auth, api, clock } = await setUp({ accessLifetimeSeconds: 60 })
    await auth.signIn(tokensOf(server.login()))
    clock.jump(-YEAR)
    await api.get('/api/me')
    server.clock.advance(60 * SECOND)
    await api.get('/api/me')
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 1, protectedOk: 2 })
    await api.get('/api/me')
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 1, protectedOk: 3 })
  })

  it('G19: a clock that jumps ahead causes one refresh, not one per request', async () => {
    const { server, auth, api, clock } = await setUp({ accessLifetimeSeconds: 60 })
    await auth.signIn(tokensOf(server.login()))
    clock.jump(YEAR)
    for (let i = 0; i < 5; i++) await api.get('/api/me')
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0, protectedOk: 5 })
  })
})

describe('G19: without `refresh`', () => {
  it('G19: the clock decides nothing, and tokens are sent as they are', async () => {
    const { server, auth, api, clock } = await setUp({ accessLifetimeSeconds: 60 }, 0, { refresh: undefined })
    await auth.signIn(tokensOf(server.login()))
    clock.jump(YEAR)
    expect((await api.get('/api/me')).status).toBe(200)
    server.clock.advance(60 * SECOND)
    const refused = await failureOf(api, '/api/me')
    expect(authErrorOf(refused)?.code).toBe('SESSION_EXPIRED')
    expect(auth.getSnapshot().status).toBe('signed-out')
  })
})

function failureOf(api: AxiosInstance, url: string): Promise<unknown> {
  return api.get(url).then(
    () => undefined,
    (error: unknown) => error,
  )
}

function safeJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
