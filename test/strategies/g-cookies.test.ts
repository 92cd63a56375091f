// @vitest-environment jsdom
// @vitest-environment-options { "url": "http://127.0.0.1/" }

// Row G at a server that speaks it, in a page: HttpOnly cookies in the page's own jar, and a double-submit CSRF token.
// Script holds no token at all, so any 2xx is a grant; a reload restores the session; the logout is the last to touch
// the cookies.

import type { AxiosResponse } from 'axios'
import {
  authErrorOf,
  bearerHeader,
  createAuthClient,
  noCredential,
  type ReadGrant,
  refreshWithCookie,
  SessionRefused,
} from 'axios-auth-client'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { cookiesOf } from '../support/auth-server/request.js'
import { type Echo, type RefreshBehaviour, type StartOptions, tampered } from '../support/auth-server.js'
import {
  eventsOf,
  failureOf,
  listenTo,
  outcomesOf,
  passBackOffs,
  type SetUpOptions,
  setUp,
  untilHeld,
  type World,
} from '../support/client.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import { createOpenStore, keptToken } from '../support/stores.js'

const REFRESH = '/cookie/refresh'
const CSRF = { cookie: 'csrf_refresh', header: 'X-CSRF-Token' }

/** What vitest's jsdom environment puts beside `window`. */
declare const jsdom: {
  cookieJar: {
    removeAllCookiesSync(): void
    getCookiesSync(url: string): object[]
    setCookieSync(cookie: string, url: string): void
  }
}

// The cookies of one test are no business of the next: all servers are one site.
beforeEach(() => jsdom.cookieJar.removeAllCookiesSync())

/** A page with cookies; nobody is signed in. */
async function open(options: SetUpOptions = {}): Promise<World> {
  const world = await setUp({
    refresh: refreshWithCookie({ url: REFRESH, csrf: CSRF }),
    place: noCredential(),
    signedIn: false,
    ...options,
  })
  world.api.defaults.withCredentials = true
  return world
}

async function login({ api }: World, user: string): Promise<Record<string, string>> {
  const { data } = await api.post('/cookie/login', { user, password: 'secret' }, { authClient: false })
  return data
}

/** Signed in over HTTP, the counters at zero. */
async function signedIn(options?: SetUpOptions): Promise<World> {
  const world = await open(options)
  await login(world, 'ada')
  await world.auth.signIn()
  world.server.forget()
  return world
}

/** A page that was reloaded: the cookies are there, and nothing else. */
async function reloaded(options?: SetUpOptions): Promise<World> {
  const world = await open(options)
  await login(world, 'ada')
  world.server.forget()
  return world
}

function burst({ api }: World, count: number): Promise<AxiosResponse<Echo>>[] {
  return Array.from({ length: count }, (_, number) => api.get<Echo>(`/cookie/orders/${number}`))
}
/** What another tab, or the server, may do at any time. */
function setCookie(name: string, value: string): void {
  jsdom.cookieJar.setCookieSync(`${name}=${value}; Path=/`, location.href)
}

/** A cookie as script sees it. */
function cookieOf(name: string): string | undefined {
  return new RegExp(`(?:^|; )${name}=([^;]*)`).exec(document.cookie)?.[1]
}

const jarFor = ({ server }: World) =>
  jsdom.cookieJar.getCookiesSync(`${server.url}${REFRESH}`).map((cookie) => String(cookie).split('=')[0])

const csrfSent = ({ server }: World) =>
  server.requestsTo(REFRESH).map(({ headers }) => headers['x-csrf-token'])

const all = (count: number, outcome: string) => Array.from({ length: count }, () => outcome)

describe('G. cookies: signing in', () => {
  it('the login sets cookies that script cannot read, and they open the door', async () => {
    const { api, auth, server } = await signedIn()
    expect(document.cookie).toMatch(/^csrf_refresh=[^;]+$/)
    const { data } = await api.get<Echo>('/cookie/me')
    expect(data.user).toBe('ada')
    const { accessToken, refreshToken } = server.sessions.at(-1) ?? {}
    expect(cookiesOf(server.log[0] as never)).toMatchObject({ access: accessToken, refresh: refreshToken })
    expect(server.log[0]?.headers.authorization).toBeUndefined()
    expect(auth.getSnapshot()).toEqual({ status: 'signed-in', refreshing: false })
    expect(await auth.getAccessToken()).toBeUndefined()
  })

  it('the answer to a wrong password is the caller’s, and costs a live session nothing', async () => {
    const { api, auth, server, ends } = await signedIn()
    const wrong = api.post('/cookie/login', { user: 'bob', password: 'wrong' }, { authClient: false })
    const error = await failureOf(wrong)
    expect(error).toMatchObject({ response: { status: 401, data: { message: 'wrong password' } } })
    expect(authErrorOf(error)).toBeUndefined()
    expect(server.counts).toMatchObject({ requests: 1, refreshes: 0 })
    expect((await api.get<Echo>('/cookie/me')).data.user).toBe('ada')
    expect(auth.getSnapshot().status).toBe('signed-in')
    expect(ends).toEqual([])
  })

  it('nothing that is kept, shown or emitted holds a token', async () => {
    const store = createOpenStore()
    const world = await signedIn({ store })
    const { server, auth, events } = world
    server.killAccessTokens()
    await Promise.all(burst(world, 5))
    const shown = JSON.stringify([store.kept, auth.getSnapshot(), events])
    expect(server.issuedTokens().filter((token) => shown.includes(token))).toEqual([])
    expect(keptToken(store)).toBe('')
  })
})

describe('G. cookies: refreshing', () => {
  it('sends the cookies and the CSRF token in an empty POST', async () => {
    const { auth, server } = await signedIn()
    const { refreshToken } = server.sessions.at(-1) ?? {}
    const csrf = cookieOf('csrf_refresh')
    await auth.refresh()
    expect(server.log).toHaveLength(1)
    expect(server.log[0]).toMatchObject({ method: 'POST', path: REFRESH, search: '' })
    expect(server.log[0]?.bodyBytes.toString()).toBe('')
    expect(server.log[0]?.headers).toMatchObject({ 'x-csrf-token': csrf })
    expect(server.log[0]?.headers).not.toHaveProperty('authorization')
    expect(cookiesOf(server.log[0] as never)).toMatchObject({ refresh: refreshToken, csrf_refresh: csrf })
  })

  it('sends the cookies of another origin on an instance that does not ask for them itself', async () => {
    const world = await reloaded()
    world.api.defaults.withCredentials = undefined
    await expect(world.auth.refresh()).resolves.toMatchObject({ status: 'signed-in' })
    expect(world.server.counts).toMatchObject({ refreshes: 1, granted: 1 })
  })

  it('sends one refresh when thirty requests meet a 401 together, and answers them all', async () => {
    const world = await signedIn()
    const { server, ends } = world
    server.killAccessTokens()
    const refusals = server.hold('/cookie/orders/*', { at: 'answer', first: 30 })
    const settled = settleAll(burst(world, 30))
    await refusals.waiting(30)
    refusals.releaseAll()
    expect(outcomesOf(await settled)).toEqual(all(30, 'ok'))
    expect(server.counts).toMatchObject({
      requests: 61,
      refreshes: 1,
      granted: 1,
      answered401: 30,
      protectedOk: 30,
      reuses: 0,
    })
    expect(ends).toEqual([])
  })

  it('goes on through the server’s rotation, with the CSRF token of each new cookie', async () => {
    const world = await signedIn()
    const { server } = world
    const refreshTokens: (string | undefined)[] = []
    for (let round = 0; round < 4; round++) {
      refreshTokens.push(server.sessions.at(-1)?.refreshToken)
      server.killAccessTokens()
      expect(outcomesOf(await settleAll(burst(world, 5)))).toEqual(all(5, 'ok'))
    }
    expect(server.requestsTo(REFRESH).map((request) => cookiesOf(request).refresh)).toEqual(refreshTokens)
    expect(new Set(refreshTokens).size).toBe(4)
    expect(new Set(csrfSent(world)).size).toBe(4)
    expect(server.counts).toMatchObject({ refreshes: 4, granted: 4, reuses: 0 })
  })

  it('refreshes ahead of fifty requests when the server has said how long its cookie lives', async () => {
    const world = await signedIn({ server: { cookieAnswer: 'json' } })
    const { server, clock, auth } = world
    await auth.refresh()
    expect(auth.getSnapshot().expiresAtMs).toBe(clock.nowMs() + 300_000)
    server.clock.advance(300_000)
    clock.jump(300_000)
    server.forget()
    expect(outcomesOf(await settleAll(burst(world, 50)))).toEqual(all(50, 'ok'))
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0, protectedOk: 50 })
  })

  it.each<[string, StartOptions]>([
    ['204', { cookieAnswer: 'no-content' }],
    ['200 with JSON', { cookieAnswer: 'json' }],
  ])('a %s is a grant', async (_, server) => {
    const world = await signedIn({ server })
    world.server.killAccessTokens()
    expect(outcomesOf(await settleAll(burst(world, 5)))).toEqual(all(5, 'ok'))
    expect(world.server.counts).toMatchObject({ refreshes: 1, granted: 1 })
  })

  it.each(['empty', 'html'] as const)(
    'a 200 that is %s counts as a grant too: who is refused all the same gets their own 401, and the session stays',
    async (behaviour) => {
      const world = await signedIn()
      const { server, ends, auth, clock, api } = world
      server.killAccessTokens()
      server.refresh.always(behaviour)
      const results = await settleAll(burst(world, 5))
      expect(results.map((one) => one.status === 'rejected' && one.reason.response.status)).toEqual(
        Array(5).fill(401),
      )
      expect(server.counts.refreshes).toBeLessThanOrEqual(3)
      expect(auth.getSnapshot().status).toBe('signed-in')
      expect(ends).toEqual([])

      server.refresh.always(undefined)
      clock.jump(30_000)
      expect((await api.get<Echo>('/cookie/me')).data.user).toBe('ada')
    },
  )

  it.each<[string, ReadGrant, string]>([
    ['returns null', () => null, 'SESSION_EXPIRED'],
    [
      'throws SessionRefused',
      () => {
        throw new SessionRefused('the account is disabled')
      },
      'SESSION_EXPIRED',
    ],
    ['returns undefined', () => undefined, 'ok'],
  ])('a readGrant that %s decides all the same', async (_, readGrant, outcome) => {
    const { auth, ends } = await signedIn({
      refresh: refreshWithCookie({ url: REFRESH, csrf: CSRF, readGrant }),
    })
    expect(outcomesOf(await settleAll([auth.refresh()]))).toEqual([outcome])
    expect(ends).toHaveLength(outcome === 'ok' ? 0 : 1)
  })
})

describe('G. cookies: the CSRF token', () => {
  it('is read anew for each attempt', async () => {
    const world = await signedIn()
    const { server, clock } = world
    const good = cookieOf('csrf_refresh') ?? ''
    setCookie('csrf_refresh', 'of-yesterday')
    server.killAccessTokens()
    server.refresh.next('drop-before')
    const settled = settleAll(burst(world, 5))
    await clock.until(() => clock.pending >= 2, 'the back-off is set')
    // Another tab has got a new one.
    setCookie('csrf_refresh', good)
    await passBackOffs(world, 1)
    expect(outcomesOf(await settled)).toEqual(all(5, 'ok'))
    expect(csrfSent(world)).toEqual(['of-yesterday', good])
    expect(server.counts).toMatchObject({ refreshes: 2, granted: 1 })
  })

  it('that is wrong is refused by the server, and ends the session', async () => {
    const world = await signedIn()
    setCookie('csrf_refresh', 'forged')
    world.server.killAccessTokens()
    const results = await settleAll(burst(world, 5))
    expect(outcomesOf(results)).toEqual(all(5, 'SESSION_EXPIRED'))
    expect(world.server.counts).toMatchObject({ refreshes: 1, granted: 0 })
    expect(world.ends.map(({ reason }) => reason)).toEqual(['refused'])
  })

  it('is the refresh’s own where the instance sends another in the same header', async () => {
    // One CSRF cookie for requests and one for the refresh, as Flask-JWT-Extended has them; axios sends the first.
    const world = await signedIn()
    const { api, auth, server } = world
    Object.assign(api.defaults, {
      xsrfCookieName: 'csrf_access',
      xsrfHeaderName: CSRF.header,
      withXSRFToken: true,
    })
    setCookie('csrf_access', 'of-requests')
    await api.get('/cookie/me')
    expect(server.log.at(-1)?.headers['x-csrf-token']).toBe('of-requests')
    const csrf = cookieOf('csrf_refresh')
    expect(outcomesOf(await settleAll([auth.refresh()]))).toEqual(['ok'])
    expect(csrfSent(world)).toEqual([csrf])
  })

  it('is not needed where the strategy has no `csrf`: the call goes out without', async () => {
    const world = await signedIn({ refresh: refreshWithCookie({ url: REFRESH }) })
    await settleAll([world.auth.refresh()])
    expect(csrfSent(world)).toEqual([undefined])
  })
})

describe('G. cookies: a refresh that fails', () => {
  it.each<[string, (world: World) => void]>([
    ['a session that was revoked', ({ server }) => server.revoke('ada')],
    ['a refresh cookie that has expired', ({ server }) => server.clock.advance(31 * 86_400_000)],
  ])('ends the session once for %s', async (_, arrange) => {
    const world = await signedIn()
    const { server, ends, auth, api } = world
    server.killAccessTokens()
    arrange(world)
    expect(outcomesOf(await settleAll(burst(world, 10)))).toEqual(all(10, 'SESSION_EXPIRED'))
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 0 })
    expect(ends).toMatchObject([{ reason: 'refused', error: { code: 'SESSION_EXPIRED' } }])
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    const error = await failureOf(api.get('/cookie/me'))
    expect(error).toMatchObject({ response: { status: 401 } })
    expect(authErrorOf(error)).toBeUndefined()
    expect(server.counts.refreshes).toBe(1)
  })

  it('keeps the session over a 403, which may be about the CSRF token', async () => {
    const world = await signedIn()
    const { server, ends, auth } = world
    server.killAccessTokens()
    server.refresh.next(403)
    expect(outcomesOf(await settleAll(burst(world, 10)))).toEqual(all(10, 'REFRESH_FAILED'))
    expect(server.counts.refreshes).toBe(1)
    expect(ends).toEqual([])
    await expect(auth.refresh()).resolves.toMatchObject({ status: 'signed-in' })
  })

  it.each([
    ['answers 503', 503],
    ['drops the connection', 'drop-before'],
  ] as const)('keeps the session when the endpoint %s', async (_, behaviour) => {
    const world = await signedIn()
    const { server, ends, auth, clock, api } = world
    server.killAccessTokens()
    server.refresh.always(behaviour)
    const settled = settleAll(burst(world, 10))
    await passBackOffs(world, 2)
    expect(outcomesOf(await settled)).toEqual(all(10, 'REFRESH_FAILED'))
    expect(server.counts).toMatchObject({ refreshes: 3, protectedOk: 0 })
    expect(auth.getSnapshot().status).toBe('signed-in')
    expect(ends).toEqual([])
    server.refresh.always(undefined)
    clock.jump(1_000)
    expect((await api.get<Echo>('/cookie/me')).data.user).toBe('ada')
  })
})

describe('G. cookies: a reload', () => {
  it('refresh() restores the session of the cookies, and requests made meanwhile wait for it', async () => {
    const world = await reloaded()
    const { auth, server, events, ends } = world
    server.killAccessTokens()
    const restore = server.holdRefresh()
    const restored = auth.refresh()
    const requests = burst(world, 3)
    await restore.waiting(1)
    await untilHeld(auth, 3)
    restore.releaseAll()
    expect(await restored).toEqual({ status: 'signed-in', refreshing: false })
    expect((await Promise.all(requests)).map(({ data }) => data.user)).toEqual(all(3, 'ada'))
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0 })
    expect(eventsOf(events, 'refreshed')).toMatchObject([{ reason: 'restore' }])
    expect(ends).toEqual([])
  })

  it('refresh() that is refused leaves it signed out, and no end is reported', async () => {
    const world = await open()
    const { auth, server, ends, events } = world
    await expect(auth.refresh()).resolves.toEqual({ status: 'signed-out', refreshing: false })
    expect(server.counts).toMatchObject({ refreshes: 1, refused: 1 })
    expect(ends).toEqual([])
    expect(eventsOf(events, 'sessionEnd')).toEqual([])
  })

  it('refresh() that cannot reach the server says so, and may be tried again', async () => {
    const world = await reloaded()
    const { auth, server, ends } = world
    server.refresh.always(503)
    const settled = settleAll([auth.refresh()])
    await passBackOffs(world, 2)
    expect(outcomesOf(await settled)).toEqual(['REFRESH_FAILED'])
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    server.refresh.always(undefined)
    await expect(auth.refresh()).resolves.toMatchObject({ status: 'signed-in' })
    expect(ends).toEqual([])
  })

  it('a page that keeps its session in memory has forgotten it, and asks nobody by itself', async () => {
    const { api, auth, server, clock } = await signedIn()
    auth.dispose()
    const next = createAuthClient(api, {
      refresh: refreshWithCookie({ url: REFRESH, csrf: CSRF }),
      place: noCredential(),
      clock,
    })
    onTestFinished(() => next.dispose())
    const events = listenTo(next)
    expect(next.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    // The cookies speak for themselves: no refresh was needed.
    expect((await api.get<Echo>('/cookie/me')).data.user).toBe('ada')
    expect(server.counts.refreshes).toBe(0)
    await next.refresh()
    expect(next.getSnapshot().status).toBe('signed-in')
    expect(eventsOf(events, 'refreshStart')).toEqual([{ reason: 'restore' }])
  })
})

describe('G. cookies: users', () => {
  it('keeps two users apart who sign in one after the other', async () => {
    const world = await signedIn()
    const { server, api, auth, ends } = world
    server.killAccessTokens()
    const refusals = server.hold('/cookie/orders/*', { at: 'answer', first: 3 })
    const late = settleAll(burst(world, 3))
    await refusals.waiting(3)
    await auth.signOut()
    await api.post('/cookie/logout')
    await login(world, 'bob')
    await auth.signIn()
    server.forget()
    refusals.releaseAll()
    expect(outcomesOf(await late)).toEqual(all(3, 'SIGNED_OUT'))
    expect(server.counts.requests).toBe(0)

    expect((await api.get<Echo>('/cookie/me')).data.user).toBe('bob')
    server.killAccessTokens()
    const answers = await Promise.all(burst(world, 5))
    expect(answers.map(({ data }) => data.user)).toEqual(all(5, 'bob'))
    expect(server.counts.granted).toBe(1)
    expect(new Set(server.log.map(({ user }) => user))).toEqual(new Set(['bob']))
    expect(ends.map(({ reason }) => reason)).toEqual(['signed-out'])
  })

  it('signOut during a refresh waits until it has ended, so that the logout is the last to touch the cookies', async () => {
    const world = await signedIn()
    const { server, api, auth, ends } = world
    const grant = server.holdRefresh({ at: 'answer' })
    server.killAccessTokens()
    const waiting = settleAll(burst(world, 5))
    await grant.waiting(1)
    const order: string[] = []
    const signOut = auth.signOut().then(() => order.push('signed out'))
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    expect(outcomesOf(await waiting)).toEqual(all(5, 'SIGNED_OUT'))
    // The answer has not been sent, so nothing that it sets has come.
    await microtasksDone()
    expect([...order, grant.count]).toEqual([1])
    order.push('answered')
    grant.releaseAll()
    await signOut
    expect(order).toEqual(['answered', 'signed out'])
    // What it set is in the jar by now, and the logout takes it out again.
    expect(cookieOf('csrf_refresh')).toBeDefined()
    await api.post('/cookie/logout')
    expect(jarFor(world)).toEqual([])
    expect(server.sessions.at(-1)?.revoked).toBe(true)
    expect(ends.map(({ reason }) => reason)).toEqual(['signed-out'])
    await expect(auth.refresh()).resolves.toEqual({ status: 'signed-out', refreshing: false })
  })

  it('signOut without a refresh under way does not wait, and the logout ends the session at the server', async () => {
    const world = await signedIn()
    const { auth, api, server } = world
    await auth.signOut()
    await api.post('/cookie/logout')
    expect(jarFor(world)).toEqual([])
    expect(document.cookie).toBe('')
    expect(server.counts.requests).toBe(1)
    expect(await failureOf(api.get('/cookie/me'))).toMatchObject({ response: { status: 401 } })
    expect(server.counts.refreshes).toBe(0)
  })
})

describe('G. cookies: an access token in script beside the refresh cookie', () => {
  const store = createOpenStore()

  async function signedInByToken(options: SetUpOptions = {}): Promise<World> {
    store.kept = undefined
    const world = await open({ server: { cookieAnswer: 'token' }, place: bearerHeader(), store, ...options })
    const { access_token = '' } = await login(world, 'ada')
    await world.auth.signIn({ accessToken: access_token })
    world.server.forget()
    return world
  }

  const get = ({ api }: World, count: number) =>
    Array.from({ length: count }, (_, i) => api.get<Echo>(`/api/${i}`))

  it('is attached, renewed by the cookie for a whole burst, and kept without a refresh token', async () => {
    const world = await signedInByToken()
    const { server } = world
    server.killAccessTokens()
    expect(outcomesOf(await settleAll(get(world, 10)))).toEqual(all(10, 'ok'))
    expect(server.counts).toMatchObject({ refreshes: 1, granted: 1, protectedOk: 10 })
    expect(server.requestsTo(REFRESH)[0]?.headers.authorization).toBeUndefined()
    const kept = JSON.stringify(store.kept)
    expect(kept).toContain(server.sessions.at(-1)?.accessToken)
    expect(kept).not.toContain(server.sessions.at(-1)?.refreshToken)
  })

  it.each<[string, RefreshBehaviour]>([
    ['the page of a captive portal', 'html'],
    ['empty', 'empty'],
    ['a token with a line break', { status: 200, body: { access_token: 'a\r\nb' } }],
  ])('a 200 that is %s is BAD_GRANT', async (_, behaviour) => {
    const world = await signedInByToken()
    world.server.killAccessTokens()
    world.server.refresh.next(behaviour)
    expect(outcomesOf(await settleAll(get(world, 5)))).toEqual(all(5, 'BAD_GRANT'))
    expect(world.server.counts.refreshes).toBe(1)
    expect(world.auth.getSnapshot().status).toBe('signed-in')
    expect(world.ends).toEqual([])
  })

  it('renews a tampered token, with one refresh', async () => {
    const world = await signedInByToken()
    const token = (await world.auth.getAccessToken()) ?? ''
    await world.auth.updateTokens({ accessToken: tampered(token) })
    expect(outcomesOf(await settleAll(get(world, 5)))).toEqual(all(5, 'ok'))
    expect(world.server.counts.refreshes).toBe(1)
  })

  it('is there again after a reload by refresh()', async () => {
    const world = await open({ server: { cookieAnswer: 'token' }, place: bearerHeader() })
    await login(world, 'ada')
    world.server.forget()
    await expect(world.auth.refresh()).resolves.toMatchObject({ status: 'signed-in', subject: 'ada' })
    expect(outcomesOf(await settleAll(get(world, 3)))).toEqual(all(3, 'ok'))
    expect(world.server.counts).toMatchObject({ refreshes: 1, answered401: 0 })
  })
})
