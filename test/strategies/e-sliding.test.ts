// Row E at a server that speaks it: Flask + Redis, where the server renews an expired token by itself and pushes the new
// one in a header. The client has no `refresh`: it takes what is pushed, and past the window a 401 ends the session.

import {
  type AuthClientOptions,
  authErrorOf,
  basicUser,
  createAuthClient,
  tokenFromHeader,
} from 'axios-auth-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { basicOf } from '../support/auth-server/request.js'
import { type Echo, type StartOptions, tampered } from '../support/auth-server.js'
import { failureOf, outcomesOf, setUp } from '../support/client.js'
import { settleAll } from '../support/settle-all.js'
import { createOpenStore, keptToken } from '../support/stores.js'

/** Just over the 300 seconds that a token lives; its window lasts 600 more. */
const EXPIRED_MS = 301_000
const PAST_THE_WINDOW_MS = 901_000

const configured = (): AuthClientOptions => ({
  refresh: undefined,
  place: basicUser(),
  readResponse: tokenFromHeader('authorization'),
})

async function open(server: StartOptions = {}, options: AuthClientOptions = {}) {
  const store = createOpenStore()
  // As the row has it, the new token comes as a cookie too.
  const slidingHeaders = (token: string) => ({ authorization: token, 'set-cookie': `token=${token}; Path=/` })
  const world = await setUp({
    server: { slidingHeaders, ...server },
    signedIn: false,
    store,
    ...configured(),
    ...options,
  })
  const me = () => world.api.get<Echo>('/sliding/me')
  /** Time passes at the server and here alike. */
  function pass(ms: number): void {
    world.server.clock.advance(ms)
    world.clock.jump(ms)
  }
  async function signIn(user: string): Promise<string> {
    const { data } = await world.api.post(
      '/sliding/login',
      { user, password: 'secret' },
      { authClient: false },
    )
    await world.auth.signIn({ accessToken: data.token })
    return data.token
  }
  return { ...world, store, me, pass, signIn }
}

async function signedIn(server?: StartOptions, options?: AuthClientOptions) {
  const world = await open(server, options)
  const token = await world.signIn('ada')
  world.server.forget()
  return { ...world, token }
}

type Slid = Awaited<ReturnType<typeof signedIn>>

const tokensSent = ({ server }: Slid) =>
  server.requestsTo('/sliding/me').map(({ accessToken }) => accessToken)

describe('E. sliding: signing in', () => {
  it('the token goes out as the user name of HTTP Basic, with an empty password', async () => {
    const { server, token, me } = await signedIn()
    expect((await me()).data.user).toBe('ada')
    expect(server.log.map(basicOf)).toEqual([{ user: token, password: '' }])
  })

  it('the token is opaque: its `exp` sits where nobody looks, and the clock decides nothing', async () => {
    const { auth, clock, me, token, server } = await signedIn()
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
    expect(auth.getSnapshot().expiresAtMs).toBeUndefined()
    // Ten years by this clock, no time at all by the server's.
    clock.jump(10 * 365 * 86_400_000)
    await me()
    expect(await auth.getAccessToken()).toBe(token)
    expect(server.counts).toMatchObject({ requests: 1, protectedOk: 1 })
    expect(clock.pending).toBe(0)
  })

  it('the answer to a wrong password is the caller’s, and costs a live session nothing', async () => {
    const { api, auth, ends, me } = await signedIn()
    const wrong = api.post('/sliding/login', { user: 'ada', password: 'wrong' }, { authClient: false })
    expect(await failureOf(wrong)).toMatchObject({
      response: { status: 401, data: { msg: 'wrong password' } },
    })
    expect(auth.getSnapshot().status).toBe('signed-in')
    await me()
    expect(ends).toEqual([])
  })
})

describe('E. sliding: an expired token within its window', () => {
  it.each([
    ['without a scheme', (token: string) => ({ authorization: token })],
    ['after "Bearer"', (token: string) => ({ authorization: `Bearer ${token}` })],
  ])('is answered, and the token pushed %s is used from then on', async (_, slidingHeaders) => {
    const world = await signedIn({ slidingHeaders })
    const { auth, me, pass, token, store, server } = world
    pass(EXPIRED_MS)
    await me()
    const pushed = await auth.getAccessToken()
    expect(pushed).not.toBe(token)
    expect(keptToken(store)).toBe(pushed)
    await me()
    expect(tokensSent(world)).toEqual([token, pushed])
    expect(server.counts).toMatchObject({ slid: 1, answered401: 0, protectedOk: 2 })
  })

  it.each([
    ['every one of them gets the new token', true],
    ['only the first gets the new token', false],
  ])('lets fifty requests pass at once when %s', async (_, slidingRepeats) => {
    const world = await signedIn({ slidingRepeats })
    const { server, me, pass, auth, ends, token } = world
    pass(EXPIRED_MS)
    const answers = server.hold('/sliding/me', { at: 'answer', first: 50 })
    const settled = settleAll(Array.from({ length: 50 }, me))
    await answers.waiting(50)
    answers.releaseAll()
    expect(outcomesOf(await settled)).toEqual(Array(50).fill('ok'))
    expect(server.counts).toMatchObject({ requests: 50, slid: 1, answered401: 0 })
    await me()
    expect(tokensSent(world)).toEqual([...Array(50).fill(token), await auth.getAccessToken()])
    expect(server.counts).toMatchObject({ slid: 1, answered401: 0 })
    expect(ends).toEqual([])
  })

  it('slides on from token to token for as long as somebody asks', async () => {
    const world = await signedIn()
    const { server, me, pass, ends } = world
    for (let round = 0; round < 10; round++) {
      pass(EXPIRED_MS)
      await me()
    }
    expect(new Set(tokensSent(world)).size).toBe(10)
    expect(server.counts).toMatchObject({ slid: 10, answered401: 0, protectedOk: 10 })
    expect(ends).toEqual([])
  })

  it('an old answer that comes late does not bring back its token over a newer one', async () => {
    const world = await signedIn()
    const { server, me, pass, auth, store } = world
    pass(EXPIRED_MS)
    const late = server.hold('/sliding/me', { at: 'answer', first: 1 })
    const first = settleAll([me()])
    await late.waiting(1)
    // Its answer carries the second token. The others get there before it: to the second, and on to the third.
    await me()
    const second = await auth.getAccessToken()
    pass(EXPIRED_MS)
    await me()
    const third = await auth.getAccessToken()
    expect(new Set([world.token, second, third]).size).toBe(3)
    late.releaseAll()
    const [result] = await first
    expect(result).toMatchObject({ status: 'fulfilled', value: { headers: { authorization: second } } })
    expect(await auth.getAccessToken()).toBe(third)
    expect(keptToken(store)).toBe(third)
  })

  it('a token pushed to one user is not taken over by the next', async () => {
    const { server, me, pass, auth, signIn, ends } = await signedIn()
    pass(EXPIRED_MS)
    const late = server.hold('/sliding/me', { at: 'answer', first: 1 })
    const ofAda = settleAll([me()])
    await late.waiting(1)
    await auth.signOut()
    const ofBob = await signIn('bob')
    late.releaseAll()
    await ofAda
    expect(await auth.getAccessToken()).toBe(ofBob)
    expect((await me()).data.user).toBe('bob')
    expect(ends.map(({ reason }) => reason)).toEqual(['signed-out'])
  })

  it('a token pushed after the sign-out signs nobody in', async () => {
    const { server, me, pass, auth, store, api } = await signedIn()
    pass(EXPIRED_MS)
    const late = server.hold('/sliding/me', { at: 'answer', first: 1 })
    const answer = settleAll([me()])
    await late.waiting(1)
    await auth.signOut()
    late.releaseAll()
    await answer
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    expect(store.kept).toBeUndefined()
    expect(await failureOf(api.get('/sliding/me'))).toMatchObject({
      response: { status: 401, data: { error_code: 1003 } },
    })
    expect(server.log.at(-1)?.headers.authorization).toBeUndefined()
  })
})

describe('E. sliding: past the window', () => {
  it('a 401 with error_code 1004 ends the session once, for everybody', async () => {
    const { server, me, pass, ends, auth, store } = await signedIn()
    pass(PAST_THE_WINDOW_MS)
    const refusals = server.hold('/sliding/me', { at: 'answer', first: 10 })
    const settled = settleAll(Array.from({ length: 10 }, me))
    await refusals.waiting(10)
    refusals.releaseAll()
    const results = await settled
    expect(outcomesOf(results)).toEqual(Array(10).fill('SESSION_EXPIRED'))
    for (const result of results) {
      // The answer itself is there as well: it is what the caller's own code looks into.
      expect(result).toMatchObject({
        reason: { response: { status: 401, data: { msg: 'token expired', error_code: 1004 } } },
      })
    }
    expect(ends).toMatchObject([{ reason: 'refused', error: { code: 'SESSION_EXPIRED' } }])
    expect(server.counts).toMatchObject({ requests: 10, answered401: 10, refreshes: 0 })
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    expect(store.kept).toBeUndefined()
  })

  it('the next request goes out without a token, and its 401 is passed on', async () => {
    const { server, me, pass, ends } = await signedIn()
    pass(PAST_THE_WINDOW_MS)
    await settleAll([me()])
    server.forget()
    const error = await failureOf(me())
    expect(error).toMatchObject({ response: { status: 401, data: { error_code: 1003 } } })
    expect(authErrorOf(error)).toBeUndefined()
    expect(server.log.map(({ headers }) => headers.authorization)).toEqual([undefined])
    expect(ends).toHaveLength(1)
  })

  it('a 401 to an old token, when a newer one is there, is sent again with that one', async () => {
    const world = await signedIn()
    const { server, me, pass, ends, token, auth } = world
    const late = server.hold('/sliding/me', { first: 1 })
    const slow = me()
    await late.waiting(1)
    pass(EXPIRED_MS)
    await me()
    // The first token is past its window now; the one that was pushed is not.
    pass(PAST_THE_WINDOW_MS - EXPIRED_MS)
    late.releaseAll()
    expect((await slow).status).toBe(200)
    const [second] = tokensSent(world).slice(2)
    expect(tokensSent(world)).toEqual([token, token, second])
    expect(second).not.toBe(token)
    // Which had expired itself, and has been renewed in turn.
    expect(await auth.getAccessToken()).not.toBe(second)
    expect(server.counts).toMatchObject({ answered401: 1, slid: 2 })
    expect(ends).toEqual([])
  })

  it('a tampered token ends the session as well: there is no way to renew it', async () => {
    const { auth, me, token, ends } = await signedIn()
    await auth.updateTokens({ accessToken: tampered(token) })
    expect(authErrorOf(await failureOf(me()))?.code).toBe('SESSION_EXPIRED')
    expect(ends.map(({ reason }) => reason)).toEqual(['refused'])
  })

  it('another user signs in after the end, and is served', async () => {
    const { me, pass, signIn, ends } = await signedIn()
    pass(PAST_THE_WINDOW_MS)
    await settleAll([me()])
    await signIn('bob')
    expect((await me()).data.user).toBe('bob')
    expect(ends).toHaveLength(1)
  })
})

describe('E. sliding: a server that fails', () => {
  it.each([
    ['a 503', { status: 503 }],
    ['a dropped connection', 'drop'],
    ['a 403', { status: 403 }],
  ] as const)('%s is the caller’s, and the session stays', async (_, answer) => {
    const { server, me, auth, ends } = await signedIn()
    const mended = server.route('/sliding/me', () => answer)
    expect(authErrorOf(await failureOf(me()))).toBeUndefined()
    mended()
    expect((await me()).status).toBe(200)
    expect(auth.getSnapshot().status).toBe('signed-in')
    expect(server.counts.requests).toBe(2)
    expect(ends).toEqual([])
  })

  it.each([
    ['empty', ''],
    ['a scheme without a token', 'Bearer'],
    ['two words', 'not a token'],
    ['a challenge of its own', 'Basic realm="x"'],
  ])('a pushed header that is %s is no token, and the old one stays', async (_, authorization) => {
    const { server, me, auth, token } = await signedIn({ slidingHeaders: () => ({ authorization }) })
    server.clock.advance(EXPIRED_MS)
    expect((await me()).status).toBe(200)
    expect(await auth.getAccessToken()).toBe(token)
  })

  it('refresh() says that there is no way to refresh, and asks nobody', async () => {
    const { auth, server, ends } = await signedIn()
    expect(await failureOf(auth.refresh())).toMatchObject({ code: 'BAD_OPTION' })
    expect(server.counts.requests).toBe(0)
    expect(ends).toEqual([])
  })

  it('goes on after a reload with the token that was pushed last', async () => {
    const { auth, api, store, clock, me, pass, server } = await signedIn()
    pass(EXPIRED_MS)
    await me()
    const pushed = keptToken(store)
    auth.dispose()
    const next = createAuthClient(api, { store, clock, ...configured() })
    onTestFinished(() => next.dispose())
    expect((await me()).data.user).toBe('ada')
    expect(server.log.at(-1)?.accessToken).toBe(pushed)
  })
})
