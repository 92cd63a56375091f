// G10: what each answer of a refresh means for the session and for those who wait. The cool-down that follows a
// failure is in cool-down.test.ts, a refresh that takes too long in late-answers.test.ts.

import axios from 'axios'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  AuthClientError,
  authErrorOf,
  type RefreshContext,
  type RefreshStrategy,
  refreshWithBody,
  refreshWithOAuth2,
  SessionRefused,
} from '../../src/index.js'
import type { RefreshBehaviour } from '../support/auth-server.js'
import {
  eventsOf,
  failureOf,
  outcomesOf,
  passBackOffs,
  setUp,
  untilSnapshot,
  type World,
} from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import { createRandom } from '../support/shuffle.js'
import { createOpenStore, keptToken } from '../support/stores.js'

/** Everybody who can wait for a refresh: requests with a 401, requests that wait before they are sent, the two calls. */
async function crowd({ server, api, auth }: World): Promise<{ all: Promise<unknown>[]; release(): void }> {
  const hold = server.holdRefresh()
  server.killAccessTokens()
  const refused = [1, 2, 3].map((i) => api.get(`/api/refused/${i}`))
  await hold.waiting(1)
  const held = [1, 2].map((i) => api.post(`/api/held/${i}`, { i }))
  return {
    all: [...refused, ...held, auth.getAccessToken(), auth.refresh()],
    release: () => hold.releaseAll(),
  }
}

const CROWD = 7
const everybody = (word: string): string[] => Array(CROWD).fill(word)

/** A strategy of one's own that can be held: it asks the endpoint for the pause, and answers what the test wants. */
function ownRefresh(answer: (context: RefreshContext) => unknown): RefreshStrategy {
  return async (context) => {
    await context.http.post('/auth/refresh', {}, { validateStatus: () => true, signal: context.signal })
    return answer(context) as null
  }
}

function httpError(status: number, data: unknown = {}): Error {
  return Object.assign(new Error(`status ${status}`), { response: { status, data, headers: {} } })
}

describe('G10: a grant', () => {
  it('G10: a grant answers every waiting request with one refresh, and is stored', async () => {
    const store = createOpenStore()
    const world = await setUp({ store })
    const { all, release } = await crowd(world)
    release()
    expect(outcomesOf(await settleAll(all))).toEqual(everybody('ok'))
    expect(world.server.counts).toMatchObject({ refreshes: 1, granted: 1, reuses: 0, protectedOk: 5 })
    expect(keptToken(store)).toBe(world.server.sessions[0]?.accessToken)
    expect(world.ends).toEqual([])
    expect(world.clock.pending).toBe(0)
  })

  it.each<[string, RefreshStrategy]>([
    ['a promise', async () => ({ accessToken: 'new' })],
    ['a value', () => ({ accessToken: 'new' })],
    [
      'a thenable that is no promise',
      // biome-ignore lint/suspicious/noThenProperty: that is what is tested
      () => ({ then: (resolve: (grant: object) => void) => resolve({ accessToken: 'new' }) }) as never,
    ],
    [
      'a grant with empty fields',
      () => ({ accessToken: 'new', refreshToken: null, expiresInSeconds: null }) as never,
    ],
    [
      'a grant with fields of its own',
      () => ({ accessToken: 'new', scope: 'all', refreshToken: '' }) as never,
    ],
  ])('G10: %s is a grant', async (_, refresh) => {
    const { auth, server } = await setUp({ refresh })
    await expect(auth.refresh()).resolves.toMatchObject({ status: 'signed-in', refreshing: false })
    expect(await auth.getAccessToken()).toBe('new')
    expect(server.counts.requests).toBe(0)
  })
})

describe('G10: a refusal', () => {
  const refusals: [string, RefreshBehaviour, RefreshStrategy?][] = [
    ['401', 401],
    ['403', 403],
    ['422', 422],
    ['400', 400],
    ['400 invalid_grant', { status: 400, error: 'invalid_grant' }],
    ['400 with a text for an error', { status: 400, body: { error: 'Bad Request' } }],
    ['400 with a text that ends like a code', { status: 400, body: { error: 'Unknown refresh_token' } }],
    ['400 with a text that begins like a code', { status: 400, body: { error: 'refresh_token unknown' } }],
    ['400 with an error that is no text', { status: 400, body: { error: { code: 7 } } }],
    ['400 with an error that cannot become a text', { status: 400, body: { error: { toString: 7 } } }],
    ['400 with a detail', { status: 400, body: { detail: 'expired' } }],
    ['400 with a body that is a text', { status: 400, body: 'invalid_client' }],
    ['400 with a body that is null', { status: 400, body: null }],
    ['null', 'honest', ownRefresh(() => null)],
    [
      'a thrown SessionRefused',
      'honest',
      ownRefresh(() => {
        throw new SessionRefused('Please sign in again.')
      }),
    ],
    [
      'an error with a status, of another HTTP client',
      'honest',
      ownRefresh(() => {
        throw Object.assign(new Error('Unauthorized'), { status: 401 })
      }),
    ],
    [
      'an error with a 400 and nothing else, of another HTTP client',
      'honest',
      ownRefresh(() => {
        throw Object.assign(new Error('Bad Request'), { response: { status: 400 } })
      }),
    ],
    [
      'a refusal whose body holds a BigInt',
      'honest',
      ownRefresh(() => {
        throw Object.assign(new Error('x'), { response: { status: 401, data: { id: 2n ** 60n } } })
      }),
    ],
    [
      'a refusal whose body holds itself',
      'honest',
      ownRefresh(() => {
        const data: Record<string, unknown> = {}
        data.data = data
        throw Object.assign(new Error('x'), { response: { status: 401, data } })
      }),
    ],
    [
      'null from readGrant',
      { code: 0 },
      refreshWithBody({
        url: '/auth/refresh',
        readGrant: (body) => ((body as { code: number }).code === 0 ? null : undefined),
      }),
    ],
    [
      'SessionRefused from readGrant',
      { code: 0, message: 'gone' },
      refreshWithBody({
        url: '/auth/refresh',
        readGrant(body) {
          throw new SessionRefused((body as { message: string }).message)
        },
      }),
    ],
    ['an honest refusal of a spent refresh token', 'honest'],
  ]

  it.each(refusals)(
    'G10: %s ends the session once and rejects every request with SESSION_EXPIRED',
    async (name, behaviour, refresh) => {
      const store = createOpenStore()
      const world = await setUp({ store, ...(refresh && { refresh }) })
      const { server, api, auth, ends, events, clock } = world
      if (name.startsWith('an honest')) server.revoke()
      const { all, release } = await crowd(world)
      server.refresh.next(behaviour)
      release()
      const results = await settleAll(all)
      expect(outcomesOf(results)).toEqual(everybody('SESSION_EXPIRED'))
      const reasons = results.map((result) => (result as PromiseRejectedResult).reason)
      expect(reasons.slice(0, 5).every(axios.isAxiosError)).toBe(true)
      expect(reasons.slice(0, 5).map((error) => error.response?.status)).toEqual([
        401,
        401,
        401,
        undefined,
        undefined,
      ])
      expect(ends).toEqual([
        { reason: 'refused', error: expect.objectContaining({ code: 'SESSION_EXPIRED' }) },
      ])
      expect(eventsOf(events, 'sessionEnd')).toEqual(ends)
      expect(eventsOf(events, 'refreshFailed')).toEqual([
        { reason: 'refused', durationMs: 0, error: ends[0]?.error },
      ])
      expect(store.kept).toBeUndefined()
      expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
      expect(server.counts).toMatchObject({ refreshes: 1, answered401: 3 })
      expect(clock.pending).toBe(0)

      expect(await auth.getAccessToken()).toBeUndefined()
      await expect(auth.refresh()).rejects.toMatchObject({ code: 'SIGNED_OUT' })
      await api.get('/public/after')
      expect(server.log.at(-1)?.headers.authorization).toBeUndefined()
      expect(server.counts.refreshes).toBe(1)
    },
  )

  it('G10: 400 invalid_grant of an OAuth 2.0 server ends the session', async () => {
    const { server, auth, ends } = await setUp({
      refresh: refreshWithOAuth2({ url: '/oauth/token', clientId: 'spa' }),
    })
    server.revoke()
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(ends).toHaveLength(1)
    expect(server.counts.refreshes).toBe(1)
  })

  it('G10: the error has the message of SessionRefused', async () => {
    const { auth, ends } = await setUp({
      refresh: () => Promise.reject(new SessionRefused('Your seat was given away.')),
    })
    await expect(auth.refresh()).rejects.toThrow('Your seat was given away.')
    expect(ends[0]?.error?.message).toBe('Your seat was given away.')
  })

  it('G10: a refused background refresh also ends the session once, and fails no request on the wire', async () => {
    const { server, api, auth, clock, ends } = await setUp()
    const flying = server.hold('/api/*')
    clock.jump(280_000)
    server.refresh.next(401)
    const request = api.get('/api/x')
    await flying.waiting(1)
    await untilSnapshot(auth, ({ status }) => status === 'signed-out')
    flying.releaseAll()
    expect((await request).status).toBe(200)
    expect(ends).toMatchObject([{ reason: 'refused' }])
  })
})

describe('G10: isFinal', () => {
  it('G10: isFinal makes any failure final, without a retry', async () => {
    const asked: unknown[] = []
    const { server, auth, ends } = await setUp({
      isFinal(error) {
        asked.push((error as { response: { status: number } }).response.status)
        return true
      },
    })
    server.refresh.always(503)
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(asked).toEqual([503])
    expect(ends).toMatchObject([{ reason: 'refused' }])
    expect(server.counts.refreshes).toBe(1)
  })

  it.each([401, 403, 422, 400])(
    'G10: isFinal keeps the session over a %i, which is not retried',
    async (status) => {
      const store = createOpenStore()
      const { server, auth, ends, login } = await setUp({ store, isFinal: () => false })
      server.refresh.always(status)
      await expect(auth.refresh()).rejects.toMatchObject({ code: 'REFRESH_FAILED' })
      expect(server.counts.refreshes).toBe(1)
      expect(ends).toEqual([])
      expect(keptToken(store)).toBe(login.access_token)
    },
  )

  it('G10: isFinal is not asked about null and SessionRefused', async () => {
    for (const refresh of [() => null, () => Promise.reject(new SessionRefused('no'))]) {
      const { auth, ends } = await setUp({ refresh, isFinal: () => false })
      await expect(auth.refresh()).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
      expect(ends).toHaveLength(1)
    }
  })

  it.each([
    ['undefined', () => undefined],
    ['with a promise', async () => true],
    ['with a promise that rejects', () => Promise.reject(new Error('mine'))],
  ])('G10: isFinal that returns %s falls back to the default', async (_, isFinal) => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    const { server, auth } = await setUp({ isFinal: isFinal as never })
    server.refresh.next(404, 401)
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'REFRESH_FAILED' })
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
  })
})

describe('G10: an endpoint that is unavailable', () => {
  const failures: [string, RefreshBehaviour, RefreshStrategy?][] = [
    ...[408, 425, 429, 500, 501, 502, 503, 504, 599].map((status): [string, number] => [
      String(status),
      status,
    ]),
    ['503 with an OAuth error', { status: 503, error: 'temporarily_unavailable' }],
    ['500 with invalid_grant in it', { status: 500, error: 'invalid_grant' }],
    ['a broken connection', 'drop-before'],
    [
      'an attempt that times out',
      'never',
      ({ http, signal }) => http.post('/auth/refresh', {}, { signal, timeout: 20 }).then(() => null),
    ],
    [
      'an error without a status',
      'honest',
      ownRefresh(() => {
        throw new TypeError('Failed to fetch')
      }),
    ],
  ]

  it.each(failures)(
    'G10: %s is tried twice more, then rejects every request with REFRESH_FAILED',
    async (_, behaviour, refresh) => {
      const store = createOpenStore()
      const world = await setUp({ store, ...(refresh && { refresh }) })
      const { server, auth, ends, login, events, clock } = world
      const { all, release } = await crowd(world)
      server.refresh.always(behaviour)
      const settled = settleAll(all)
      release()
      await passBackOffs(world, 2)
      expect(outcomesOf(await settled)).toEqual(everybody('REFRESH_FAILED'))
      expect(server.counts).toMatchObject({ refreshes: 3, answered401: 3, protectedOk: 0 })
      expect(ends).toEqual([])
      expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
      expect(keptToken(store)).toBe(login.access_token)
      expect(eventsOf(events, 'refreshFailed')).toMatchObject([
        { reason: 'refused', coolDownMs: 1000, error: { code: 'REFRESH_FAILED' } },
      ])
      expect(auth.stats()).toMatchObject({ refreshes: 1, heldNow: 0 })
      expect(clock.pending).toBe(0)
    },
  )

  it('G10: a grant that was lost on the way is requested again within the server’s grace time', async () => {
    const world = await setUp({ server: { graceMs: 60_000 } })
    const { server, auth, ends } = world
    server.refresh.next('drop-after')
    const refreshed = auth.refresh()
    await passBackOffs(world, 1)
    await expect(refreshed).resolves.toMatchObject({ status: 'signed-in' })
    expect(ends).toEqual([])
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
  })

  it('G10: a successful retry answers every request', async () => {
    const world = await setUp()
    const { all, release } = await crowd(world)
    world.server.refresh.next(503, 'drop-before')
    release()
    await passBackOffs(world, 2)
    expect(outcomesOf(await settleAll(all))).toEqual(everybody('ok'))
    expect(world.server.counts).toMatchObject({ refreshes: 3, granted: 1, protectedOk: 5 })
    expect(eventsOf(world.events, 'refreshFailed')).toEqual([])
  })

  it('G10: a retry that is refused ends the session', async () => {
    const world = await setUp()
    const { all, release } = await crowd(world)
    world.server.refresh.next(503, 401)
    release()
    await passBackOffs(world, 1)
    expect(outcomesOf(await settleAll(all))).toEqual(everybody('SESSION_EXPIRED'))
    expect(world.server.counts.refreshes).toBe(2)
  })

  it('G10: back-offs double, each drawn from the whole of its span', async () => {
    const seen: number[][] = []
    for (const drawn of [0, 0.5, 0.75]) {
      const world = await setUp({ refreshRetry: { limit: 4, baseDelayMs: 200 } })
      world.server.refresh.always(503)
      vi.spyOn(Math, 'random').mockReturnValue(drawn)
      const settled = settleAll([world.auth.refresh()])
      seen.push(await passBackOffs(world, 4))
      expect(outcomesOf(await settled)).toEqual(['REFRESH_FAILED'])
      vi.restoreAllMocks()
    }
    expect(seen).toEqual([
      [0, 0, 0, 0],
      [100, 200, 400, 800],
      [150, 300, 600, 1200],
    ])
  })

  it('G10: the default back-offs stay below 300 and 600 ms', async () => {
    const random = createRandom(10)
    vi.spyOn(Math, 'random').mockImplementation(random)
    for (let i = 0; i < 10; i++) {
      const world = await setUp()
      world.server.refresh.always(500)
      const settled = settleAll([world.auth.refresh()])
      const [first = Number.NaN, second = Number.NaN] = await passBackOffs(world, 2)
      await settled
      expect(first).toBeLessThan(300)
      expect(second).toBeLessThan(600)
    }
  })

  it.each([0, 1, 5])('G10: a limit of %i allows as many further attempts', async (limit) => {
    const world = await setUp({ refreshRetry: { limit } })
    world.server.refresh.always(500)
    const settled = settleAll([world.auth.refresh()])
    await passBackOffs(world, limit)
    expect(outcomesOf(await settled)).toEqual(['REFRESH_FAILED'])
    expect(world.server.counts.refreshes).toBe(limit + 1)
  })

  it('G10: waits for a Retry-After in seconds', async () => {
    const world = await setUp()
    world.server.refresh.next({ status: 429, retryAfter: 2 }, { status: 503, retryAfter: 7 })
    const refreshed = world.auth.refresh()
    expect(await passBackOffs(world, 2)).toEqual([2000, 7000])
    await expect(refreshed).resolves.toMatchObject({ status: 'signed-in' })
  })

  it('G10: waits for a Retry-After date', async () => {
    const world = await setUp()
    const { server, clock } = world
    const [date, at] = [0, 5000].map((ms) => new Date(clock.nowMs() + ms).toUTCString()) as [string, string]
    server.refresh.next({ status: 503, headers: { date, 'retry-after': at } })
    const refreshed = world.auth.refresh()
    expect(await passBackOffs(world, 1)).toEqual([5000])
    await expect(refreshed).resolves.toMatchObject({ status: 'signed-in' })
  })

  it.each(['0', '-5', 'soon', '', 'Infinity', '0x10', '1e9', 'Wed, 01 Jan 2020 00:00:00 GMT'])(
    'G10: ignores a Retry-After of "%s"',
    async (retryAfter) => {
      const world = await setUp()
      world.server.refresh.next({ status: 503, headers: { 'retry-after': retryAfter } })
      const refreshed = world.auth.refresh()
      const [delayMs] = await passBackOffs(world, 1)
      expect(delayMs).toBeLessThan(300)
      await expect(refreshed).resolves.toMatchObject({ status: 'signed-in' })
    },
  )

  it.each([
    ['seconds', () => '60'],
    ['a date', (nowMs: number) => new Date(nowMs + 60_000).toUTCString()],
  ])('G10: a Retry-After in %s beyond the limit fails at once and sets the cool-down', async (_, write) => {
    const world = await setUp()
    const { server, api, clock, events } = world
    const { all, release } = await crowd(world)
    const date = new Date(clock.nowMs()).toUTCString()
    server.refresh.next({ status: 429, headers: { date, 'retry-after': write(clock.nowMs()) } })
    release()
    expect(outcomesOf(await settleAll(all))).toEqual(everybody('REFRESH_FAILED'))
    expect(eventsOf(events, 'refreshFailed')).toMatchObject([{ coolDownMs: 60_000, durationMs: 0 }])
    await clock.advance(59_999)
    expect(outcomesOf(await settleAll([api.get('/api/x')]))).toEqual(['REFRESH_FAILED'])
    expect(server.counts.refreshes).toBe(1)
    await clock.advance(1)
    expect((await api.get('/api/x')).status).toBe(200)
    expect(server.counts.refreshes).toBe(2)
  })
})

describe('G10: a malformed answer', () => {
  beforeEach(() => {
    // A readGrant that throws is shown there.
    vi.spyOn(console, 'error').mockReturnValue()
  })

  const grants: [string, RefreshBehaviour, RefreshStrategy?][] = [
    ['the page of a captive portal', 'html'],
    ['an empty answer', 'empty'],
    ['204', 204],
    ['rubbish', 'two-megabytes-of-rubbish'],
    ['an envelope', 'envelope'],
    ['a token with a line break', 'line-break-token'],
    ['a number for a token', { status: 200, body: { access_token: 42 } }],
    ['an object for a token', { status: 200, body: { access_token: { value: 'x' } } }],
    ['null for a token', { status: 200, body: { access_token: null, refresh_token: null } }],
    ['an empty token', { status: 200, body: { access_token: '' } }],
    ['a token with a blank', { status: 200, body: { access_token: 'a b' } }],
    ['a token with a letter beyond ASCII', { status: 200, body: { access_token: 'tökèn' } }],
    [
      'a refresh token with a line break',
      { status: 200, body: { access_token: 'ok', refresh_token: 'a\nb' } },
    ],
    ['an array', { status: 200, body: [{ access_token: 'x' }] }],
    ['a text', { status: 200, body: 'access_token' }],
    ['a code that no readGrant reads', { code: 0 }],
    ['another success', { status: 201, body: { ok: true } }],
    ['undefined', 'honest', ownRefresh(() => undefined)],
    ['an empty object', 'honest', ownRefresh(() => ({}))],
    ['a bare token', 'honest', ownRefresh(() => 'a-token')],
    ['true', 'honest', ownRefresh(() => true)],
    ['false', 'honest', ownRefresh(() => false)],
    ['a whole axios response', 'honest', ownRefresh(() => ({ status: 200, data: { access_token: 'x' } }))],
    [
      'undefined from readGrant',
      'honest',
      refreshWithBody({ url: '/auth/refresh', readGrant: () => undefined }),
    ],
    [
      'a readGrant that throws at a good grant',
      'honest',
      refreshWithBody({
        url: '/auth/refresh',
        readGrant() {
          throw new TypeError('a slip of the app')
        },
      }),
    ],
    [
      'a readGrant that trips over a page instead of the envelope it knows',
      'html',
      refreshWithBody({
        url: '/auth/refresh',
        readGrant: (body) => ({
          accessToken: (body as { data: { access_token: string } }).data.access_token,
        }),
      }),
    ],
  ]

  it.each(grants)(
    'G10: %s is BAD_GRANT, is not retried, and keeps the session',
    async (_, behaviour, refresh) => {
      const store = createOpenStore()
      const world = await setUp({ store, ...(refresh && { refresh }) })
      const { server, auth, login, ends, api, events } = world
      const { all, release } = await crowd(world)
      server.refresh.next(behaviour)
      release()
      const results = await settleAll(all)
      expect(outcomesOf(results)).toEqual(everybody('BAD_GRANT'))
      expect(server.counts.refreshes).toBe(1)
      expect(ends).toEqual([])
      expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
      expect(keptToken(store)).toBe(login.access_token)
      expect(eventsOf(events, 'refreshFailed')).toMatchObject([{ coolDownMs: 1000 }])
      // Fails fast, and nothing with a made-up token has gone out.
      expect(outcomesOf(await settleAll([api.get('/api/later')]))).toEqual(['BAD_GRANT'])
      const sent = server.requestsTo('/api/*').map(({ headers }) => headers.authorization)
      expect(new Set(sent)).toEqual(new Set([`Bearer ${login.access_token}`]))
    },
  )

  it('G10: the message of BAD_GRANT names readGrant and holds no token', async () => {
    const { auth, server } = await setUp()
    server.refresh.next('envelope')
    const error = (await failureOf(auth.refresh())) as Error
    expect(error).toBeInstanceOf(AuthClientError)
    expect(error.message).toContain('readGrant')
    for (const token of server.issuedTokens()) expect(String(error.stack)).not.toContain(token)
  })
})

describe('G10: any other answer', () => {
  const answers: [string, RefreshBehaviour, RefreshStrategy?][] = [
    ...[300, 302, 303, 307, 308, 402, 404, 405, 406, 409, 410, 413, 415, 418, 431, 451].map(
      (status): [string, number] => [String(status), status],
    ),
    ...[
      'invalid_client',
      'invalid_request',
      'unauthorized_client',
      'unsupported_grant_type',
      'invalid_scope',
    ].map((error): [string, RefreshBehaviour] => [`400 ${error}`, { status: 400, error }]),
    [
      'an error of another HTTP client with a status of 404',
      'honest',
      ownRefresh(() => {
        throw httpError(404)
      }),
    ],
    [
      'an error of another HTTP client with 400 invalid_client',
      'honest',
      ownRefresh(() => {
        throw httpError(400, { error: 'invalid_client' })
      }),
    ],
  ]

  it.each(answers)(
    'G10: %s rejects every request with REFRESH_FAILED at once, and keeps the session',
    async (_, behaviour, refresh) => {
      const store = createOpenStore()
      const world = await setUp({ store, ...(refresh && { refresh }) })
      const { server, auth, login, ends, clock } = world
      const { all, release } = await crowd(world)
      server.refresh.always(behaviour)
      release()
      const results = await settleAll(all)
      expect(outcomesOf(results)).toEqual(everybody('REFRESH_FAILED'))
      expect(server.counts.refreshes).toBe(1)
      // A redirect was not followed: the refresh token stays where it belongs.
      expect(server.requestsTo('/public/*')).toEqual([])
      expect(ends).toEqual([])
      expect(auth.getSnapshot().status).toBe('signed-in')
      expect(keptToken(store)).toBe(login.access_token)
      expect(clock.pending).toBe(0)
    },
  )

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'no'],
    ['a frozen error', Object.freeze(new Error('frozen'))],
    [
      'an error whose fields throw',
      new Proxy(new Error('x'), {
        get() {
          throw new Error('do not look')
        },
      }),
    ],
    [
      'an error with a cause that is itself',
      Object.assign(new Error('round'), {
        get cause() {
          return this
        },
      }),
    ],
  ])('G10: a refresh that throws %s rejects every request with REFRESH_FAILED', async (_, thrown) => {
    const world = await setUp({
      refreshRetry: { limit: 0 },
      refresh: ownRefresh(() => {
        throw thrown
      }),
    })
    const { all, release } = await crowd(world)
    release()
    expect(outcomesOf(await settleAll(all))).toEqual(everybody('REFRESH_FAILED'))
    expect(world.ends).toEqual([])
    expect(world.clock.pending).toBe(0)
  })

  it('G10: a refresh that timed out is not retried, though the clock was set back', async () => {
    const hand = createHandRefresh()
    const { auth, clock } = await setUp({ refresh: hand.refresh })
    const failure = failureOf(auth.refresh())
    const call = await hand.call(1)
    await clock.advance(15_000)
    expect(authErrorOf(await failure)?.code).toBe('REFRESH_TIMEOUT')
    clock.jump(-60_000)
    call.fail(new Error('no network'))
    await microtasksDone()
    await clock.advance(30_000)
    expect(hand.calls).toHaveLength(1)
  })

  it('G10: a refresh that throws before it returns a promise fails like any other', async () => {
    const { auth, api, ends } = await setUp({
      refreshRetry: { limit: 0 },
      refresh: () => {
        throw new Error('not even a promise')
      },
    })
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'REFRESH_FAILED' })
    expect(ends).toEqual([])
    // The mark that stood on the defaults while it ran is off again.
    expect(api.defaults).not.toHaveProperty('authClient')
  })

  it.each<[string, unknown, string]>([
    ['the status of the answer', httpError(404), 'The refresh failed: its endpoint answered 404.'],
    ['the words of the error', new Error('no such host'), 'The refresh failed: no such host.'],
    ['that nothing came', { message: '' }, 'The refresh failed: its endpoint did not answer.'],
    ['that nothing came', undefined, 'The refresh failed: its endpoint did not answer.'],
    ['that it was refused', httpError(401), 'The refresh was refused: its endpoint answered 401.'],
  ])('G10: what a caller catches says %s', async (_, thrown, message) => {
    const { auth } = await setUp({ refreshRetry: { limit: 0 }, refresh: () => Promise.reject(thrown) })
    expect(authErrorOf(await failureOf(auth.refresh()))?.message).toBe(message)
  })
})
