// The contract suite of a backend with refresh tokens in script (rows A to D and F): each row says how it speaks, and
// the tests show at its server what a client gets from it. Every test ends with everybody answered.

import type { AxiosInstance, AxiosRequestConfig, AxiosResponse } from 'axios'
import { type AuthClientOptions, authErrorOf, createAuthClient, type Tokens } from 'axios-auth-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { everythingIn } from '../support/auth-server/request.js'
import {
  type Echo,
  type ReceivedRequest,
  type RefreshBehaviour,
  type StartOptions,
  tampered,
} from '../support/auth-server.js'
import {
  failureOf,
  listenTo,
  outcomesOf,
  passBackOffs,
  type SetUpOptions,
  setUp,
  tokensOf,
  type World,
} from '../support/client.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import { createOpenStore, keptRefreshToken, keptToken, type OpenStore } from '../support/stores.js'

/** What the refresh endpoint receives, to the byte. */
export interface Call {
  method: string
  url: string
  authorization: string | undefined
  contentType: string | undefined
  body: string
}

export interface Row {
  server: StartOptions
  /** How the row's apps configure the client. */
  client(): AuthClientOptions
  /** The call that signs in, as an app makes it. */
  login(api: AxiosInstance, user: string, password: string): Promise<AxiosResponse>
  /** What `signIn` takes of its answer. */
  tokens(data: Record<string, string>): Tokens
  wrongPassword: { status: number; data: unknown }
  /** Where protected requests go; a prefix that ends in `*`. */
  app: string
  /** A request that needs the token. */
  request(number: number): AxiosRequestConfig
  /** How a signed-out user is answered there. */
  noToken: { status: number; data: unknown }
  /** The refresh call for these tokens. */
  refreshCall(tokens: { accessToken: string; refreshToken: string }): Call
  refreshTokenIn(request: ReceivedRequest): string | undefined
  rotates: boolean
  /** The access token dies at the server while the client's clock lets it out. Default: all tokens are killed. */
  expire?(world: World): void
  /** Ways in which this server refuses, and the words that reach the caller. */
  refusals: readonly (readonly [what: string, arrange: (world: World) => void, message: RegExp])[]
  /** Answers with status 200 that are no grant here, beside those of any backend. */
  malformed: readonly (readonly [what: string, behaviour: RefreshBehaviour])[]
  /** What becomes of a request whose access token was tampered with. */
  tampered: { status: number; refreshes: number }
}

export interface RowWorld extends World {
  store: OpenStore
}

export const IS_REFRESH = (row: Row) => (request: ReceivedRequest) =>
  row.refreshTokenIn(request) !== undefined

/** A server that speaks the row, and its client; nobody is signed in. */
export async function open(row: Row, options: SetUpOptions = {}): Promise<RowWorld> {
  const store = createOpenStore()
  const world = await setUp({ server: row.server, signedIn: false, store, ...row.client(), ...options })
  world.server.forget()
  return { ...world, store }
}

export async function signIn({ api, auth }: World, row: Row, user: string): Promise<Tokens> {
  const { data } = await row.login(api, user, 'secret')
  const tokens = row.tokens(data)
  await auth.signIn(tokens)
  return tokens
}

/** Signed in over HTTP, the counters at zero. */
export async function signedIn(row: Row, options?: SetUpOptions, user = 'ada') {
  const world = await open(row, options)
  const tokens = await signIn(world, row, user)
  world.server.forget()
  return { ...world, tokens }
}

export function expire(row: Row, world: World): void {
  if (row.expire) row.expire(world)
  else world.server.killAccessTokens()
}

export function burst({ api }: World, row: Row, count: number): Promise<AxiosResponse<Echo>>[] {
  return Array.from({ length: count }, (_, number) => api.request<Echo>(row.request(number)))
}

export function callIn(request: ReceivedRequest | undefined): Call | undefined {
  return (
    request && {
      method: request.method,
      url: request.path + request.search,
      authorization: request.headers.authorization,
      contentType: request.headers['content-type'],
      body: request.bodyBytes.toString(),
    }
  )
}

const all = (count: number, outcome: string) => Array.from({ length: count }, () => outcome)

/** Nobody is signed in: a request goes out without a token, and the answer is the caller's. */
async function expectSignedOut(world: RowWorld, row: Row): Promise<void> {
  const { auth, api, server, store } = world
  expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
  expect(store.kept).toBeUndefined()
  server.forget()
  const error = await failureOf(api.request(row.request(0)))
  expect(error).toMatchObject({ response: row.noToken })
  expect(authErrorOf(error)).toBeUndefined()
  // Whole requests, so that one too many says where it came from.
  expect(server.log).toMatchObject([{ accessToken: undefined, status: row.noToken.status }])
  expect(server.counts.refreshes).toBe(0)
}

export function describeBackend(name: string, row: Row): void {
  describe(`${name}: signing in`, () => {
    it('the login opens the door, in one request each', async () => {
      const world = await open(row)
      const { accessToken } = await signIn(world, row, 'ada')
      const { data } = await world.api.request<Echo>(row.request(0))
      expect(data.user).toBe('ada')
      expect(world.server.requestsTo(row.app).map((request) => request.accessToken)).toEqual([accessToken])
      expect(world.server.counts).toMatchObject({ login: 1, answered401: 0 })
      expect(world.server.requestsTo(IS_REFRESH(row))).toEqual([])
    })

    it('the answer to a wrong password is the caller’s, and nobody is signed in', async () => {
      const world = await open(row)
      const answer = await answerOf(row.login(world.api, 'ada', 'wrong'))
      expect(answer).toMatchObject(row.wrongPassword)
      expect(world.auth.getSnapshot().status).toBe('signed-out')
      expect(world.server.requestsTo(IS_REFRESH(row))).toEqual([])
    })

    it('the answer to a wrong password costs a live session nothing', async () => {
      const world = await signedIn(row)
      expect(await answerOf(row.login(world.api, 'bob', 'wrong'))).toMatchObject(row.wrongPassword)
      expect(world.server.requestsTo(IS_REFRESH(row))).toEqual([])
      expect(world.server.tokensSeen()).toEqual([])
      expect(world.auth.getSnapshot().status).toBe('signed-in')
      expect(world.ends).toEqual([])
    })
  })

  describe(`${name}: refreshing`, () => {
    it('asks for new tokens in exactly the words of this backend', async () => {
      const { auth, server, tokens } = await signedIn(row)
      const { accessToken, refreshToken = '' } = tokens
      await auth.refresh()
      expect(server.log.map(callIn)).toEqual([row.refreshCall({ accessToken, refreshToken })])
    })

    it('sends one refresh when fifty requests meet a 401 together, and answers them all', async () => {
      const world = await signedIn(row)
      const { server, ends } = world
      expire(row, world)
      const refusals = server.hold(row.app, { at: 'answer', first: 50 })
      const settled = settleAll(burst(world, row, 50))
      await refusals.waiting(50)
      refusals.releaseAll()
      expect(outcomesOf(await settled)).toEqual(all(50, 'ok'))
      expect(server.counts).toMatchObject({
        refreshes: 1,
        granted: 1,
        answered401: 50,
        protectedOk: 50,
        requests: 101,
      })
      expect(ends).toEqual([])
    })

    it('sends one refresh before fifty requests whose token has expired by the clock', async () => {
      const world = await signedIn(row)
      const { server, clock, auth } = world
      // A token whose lifetime nobody knows does not expire by the clock.
      const aheadMs = (auth.getSnapshot().expiresAtMs ?? Number.NaN) - clock.nowMs()
      expect(aheadMs).toBe(server.settings.accessLifetimeSeconds * 1000)
      server.clock.advance(aheadMs)
      clock.jump(aheadMs)
      expect(outcomesOf(await settleAll(burst(world, row, 50)))).toEqual(all(50, 'ok'))
      expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0, protectedOk: 50, requests: 51 })
    })

    it(
      row.rotates
        ? 'sends each refresh token once, and keeps the one that came last'
        : 'sends the same refresh token each time, because no answer brings another (G16)',
      async () => {
        const world = await signedIn(row)
        const { server, store, tokens } = world
        const granted: (string | undefined)[] = [tokens.refreshToken]
        for (let round = 0; round < 4; round++) {
          expire(row, world)
          expect(outcomesOf(await settleAll(burst(world, row, 5)))).toEqual(all(5, 'ok'))
          granted.push(keptRefreshToken(store))
        }
        const sent = server.requestsTo(IS_REFRESH(row)).map((request) => row.refreshTokenIn(request))
        expect(sent).toEqual(granted.slice(0, 4))
        expect(new Set(sent).size).toBe(row.rotates ? 4 : 1)
        expect(granted.at(-1)).toBe(server.sessions.at(-1)?.refreshToken)
        expect(keptToken(store)).toBe(server.sessions.at(-1)?.accessToken)
        expect(server.counts).toMatchObject({ refreshes: 4, granted: 4, reuses: 0 })
      },
    )

    it('shows the refresh token to the refresh endpoint alone', async () => {
      const world = await signedIn(row)
      const { server, tokens, store } = world
      expire(row, world)
      await Promise.all(burst(world, row, 5))
      const secrets = [tokens.refreshToken ?? '', keptRefreshToken(store) ?? '']
      const seenBy = server.log.filter((request) =>
        secrets.some((secret) => everythingIn(request).includes(secret)),
      )
      expect(seenBy).toEqual(server.requestsTo(IS_REFRESH(row)))
      expect(seenBy).toHaveLength(1)
    })

    it('goes on after a reload with the session that was stored', async () => {
      const world = await signedIn(row)
      const { server, store, clock, api, auth, tokens } = world
      auth.dispose()
      const next = createAuthClient(api, { store, clock, ...row.client() })
      onTestFinished(() => next.dispose())
      const events = listenTo(next)
      expect(next.getSnapshot().status).toBe('signed-in')
      expire(row, world)
      expect((await api.request<Echo>(row.request(0))).data.user).toBe('ada')
      expect(server.requestsTo(IS_REFRESH(row)).map((request) => row.refreshTokenIn(request))).toEqual([
        tokens.refreshToken,
      ])
      expect(events.some((one) => one.name === 'refreshed')).toBe(true)
    })
  })

  describe(`${name}: a refresh that fails`, () => {
    it.each(row.refusals)('ends the session once for %s', async (_, arrange, message) => {
      const world = await signedIn(row)
      const { server, ends } = world
      expire(row, world)
      arrange(world)
      const results = await settleAll(burst(world, row, 10))
      expect(outcomesOf(results)).toEqual(all(10, 'SESSION_EXPIRED'))
      for (const result of results) {
        const reason: unknown = result.status === 'rejected' ? result.reason : undefined
        expect(authErrorOf(reason)?.message).toMatch(message)
      }
      expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 0, reuses: 0 })
      expect(ends).toMatchObject([{ reason: 'refused', error: { code: 'SESSION_EXPIRED' } }])
      expect(ends[0]?.error?.message).toMatch(message)
      await expectSignedOut(world, row)
      expect(ends).toHaveLength(1)
    })

    it.each([
      ['answers 503', 503],
      ['drops the connection', 'drop-before'],
    ] as const)('keeps the session when the endpoint %s', async (_, behaviour) => {
      const world = await signedIn(row)
      const { server, ends, store, auth, api, clock, tokens } = world
      expire(row, world)
      server.refresh.always(behaviour)
      const settled = settleAll(burst(world, row, 10))
      await passBackOffs(world, 2)
      expect(outcomesOf(await settled)).toEqual(all(10, 'REFRESH_FAILED'))
      expect(server.counts).toMatchObject({ refreshes: 3, granted: 0, protectedOk: 0 })
      expect(ends).toEqual([])
      expect(auth.getSnapshot().status).toBe('signed-in')
      expect(keptRefreshToken(store)).toBe(tokens.refreshToken)

      server.refresh.always(undefined)
      clock.jump(1_000)
      expect((await api.request<Echo>(row.request(0))).data.user).toBe('ada')
    })

    it('asks again when the connection broke after the server had granted', async () => {
      // A server that rotates has to allow for it.
      const world = await signedIn(row, { server: { ...row.server, graceMs: 10_000 } })
      const { server, ends, store } = world
      expire(row, world)
      server.refresh.next('drop-after')
      const settled = settleAll(burst(world, row, 10))
      await passBackOffs(world, 1)
      expect(outcomesOf(await settled)).toEqual(all(10, 'ok'))
      expect(server.counts).toMatchObject({ refreshes: 2, granted: 2, reuses: 0 })
      expect(keptRefreshToken(store)).toBe(server.sessions.at(-1)?.refreshToken)
      expect(ends).toEqual([])
    })

    it.each([
      ['the page of a captive portal', 'html'],
      ['nothing', 'empty'],
      ['two megabytes of rubbish', 'two-megabytes-of-rubbish'],
      ['a token with a line break', 'line-break-token'],
      ...row.malformed,
    ] as const)('keeps the session when a 200 brings %s: BAD_GRANT', async (_, behaviour) => {
      const world = await signedIn(row)
      const { server, ends, auth, store, tokens, clock, api } = world
      expire(row, world)
      server.refresh.next(behaviour)
      expect(outcomesOf(await settleAll(burst(world, row, 10)))).toEqual(all(10, 'BAD_GRANT'))
      expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 0 })
      expect(ends).toEqual([])
      expect(auth.getSnapshot().status).toBe('signed-in')
      expect(keptToken(store)).toBe(tokens.accessToken)

      clock.jump(1_000)
      expect((await api.request<Echo>(row.request(0))).data.user).toBe('ada')
      expect(server.counts.refreshes).toBe(2)
    })
  })

  describe(`${name}: tokens and users`, () => {
    it(
      row.tampered.refreshes === 0
        ? `passes the ${row.tampered.status} of a tampered token on, without a refresh`
        : 'renews a tampered token, with one refresh',
      async () => {
        const world = await signedIn(row)
        const { server, auth, tokens, ends } = world
        await auth.updateTokens({ accessToken: tampered(tokens.accessToken) })
        const results = await settleAll(burst(world, row, 5))
        const recovers = row.tampered.refreshes > 0
        expect(results.map(({ status }) => status)).toEqual(all(5, recovers ? 'fulfilled' : 'rejected'))
        for (const result of results) {
          const status: unknown =
            result.status === 'fulfilled' ? result.value.status : result.reason.response.status
          expect(status).toBe(recovers ? 200 : row.tampered.status)
        }
        expect(server.counts).toMatchObject({ refreshes: row.tampered.refreshes })
        expect(ends).toEqual([])
        expect(auth.getSnapshot().status).toBe('signed-in')
      },
    )

    it.each([
      ['after a sign-out', true, 'SIGNED_OUT', ['signed-out']],
      ['over the live session', false, 'SESSION_CHANGED', ['replaced']],
    ] as const)('keeps two users apart who sign in one %s', async (_, signsOut, code, reasons) => {
      const world = await signedIn(row)
      const { server, auth, ends } = world
      expire(row, world)
      const refusals = server.hold(row.app, { at: 'answer', first: 3 })
      const late = settleAll(burst(world, row, 3))
      await refusals.waiting(3)
      if (signsOut) await auth.signOut()
      const { accessToken } = await signIn(world, row, 'bob')
      server.forget()
      refusals.releaseAll()
      expect(outcomesOf(await late)).toEqual(all(3, code))
      // What ada had asked for is not asked again by bob.
      expect(server.requestsTo(row.app)).toEqual([])

      const { data } = await world.api.request<Echo>(row.request(0))
      expect(data.user).toBe('bob')
      expect(server.log.at(-1)?.accessToken).toBe(accessToken)
      expire(row, world)
      const results = await settleAll(burst(world, row, 5))
      expect(results.map((one) => one.status === 'fulfilled' && one.value.data.user)).toEqual(all(5, 'bob'))
      expect(server.counts.granted).toBe(1)
      expect(new Set(server.log.map(({ user }) => user))).toEqual(new Set(['bob']))
      expect(ends.map(({ reason }) => reason)).toEqual(reasons)
    })

    it('a sign-out during a refresh wins: who waits is rejected, and the late grant is dropped', async () => {
      const world = await signedIn(row)
      const { server, auth, ends } = world
      const grant = server.hold(IS_REFRESH(row), { at: 'answer' })
      expire(row, world)
      const settled = settleAll(burst(world, row, 5))
      await grant.waiting(1)
      await auth.signOut()
      expect(outcomesOf(await settled)).toEqual(all(5, 'SIGNED_OUT'))
      grant.releaseAll()
      await server.idle()
      await microtasksDone()
      expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 0 })
      expect(ends.map(({ reason }) => reason)).toEqual(['signed-out'])
      await expectSignedOut(world, row)
    })
  })
}

/** The answer, whether axios took it for a success or not. */
export async function answerOf(promise: Promise<AxiosResponse>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    return (error as { response?: AxiosResponse }).response
  }
}

/** What `signIn` takes of an answer with the usual names. */
export function usualTokens({
  access_token = '',
  refresh_token = '',
  ...rest
}: Record<string, string>): Tokens {
  return tokensOf({ access_token, refresh_token, ...rest })
}
