// G1 to G5: one refresh at a time, for whom it is made and who waits for it, which tokens never go out again, and a
// refresh that uses the very instance it serves. Races are made by delaying answers and releasing them in a shuffled
// order; what was sent is read off the server's log.

import axios, { type AxiosInstance, type AxiosRequestConfig, type InternalAxiosRequestConfig } from 'axios'
import axios027 from 'axios-0.27'
import axios12 from 'axios-1.2'
import { describe, expect, it } from 'vitest'
import {
  type AuthClient,
  type AuthClientOptions,
  type AxiosLike,
  authErrorOf,
  createAuthClient,
  type Grant,
  type RefreshContext,
  refreshWithBearer,
  refreshWithBody,
} from '../../src/index.js'
import { type AdapterName, adapterAsFunction, adapterNamed } from '../support/adapters.js'
import { json } from '../support/auth-server/answer.js'
import type {
  AuthServer,
  Echo,
  Hold,
  LoginAnswer,
  ReceivedRequest,
  RefreshBehaviour,
} from '../support/auth-server.js'
import {
  createWatchedClock,
  eventsOf,
  failureOf,
  landed,
  outcomeOf,
  outcomesOf,
  type SetUpOptions,
  setUp,
  startServer,
  tokensOf,
  untilHeld,
  type World,
} from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import { createRandom, shuffled } from '../support/shuffle.js'
import {
  changedElsewhere,
  createHandStore,
  createOpenStore,
  keptRefreshToken,
  keptToken,
  rotatedElsewhere,
} from '../support/stores.js'

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]
const NO_RETRY = { limit: 0, baseDelayMs: 300 }

interface Attached extends World {
  /** The instance that the client was made for, and two that were attached to it. */
  instances: [AxiosInstance, AxiosInstance, AxiosInstance]
}

async function setUpAttached(options: SetUpOptions & { adapter?: AdapterName } = {}): Promise<Attached> {
  const { adapter, ...rest } = options
  const world = await setUp(rest)
  const second = axios.create({ baseURL: world.server.url })
  const third = axios.create({ baseURL: world.server.url })
  world.auth.attach(second)
  world.auth.attach(third)
  const instances: Attached['instances'] = [world.api, second, third]
  for (const { defaults } of instances) if (adapter) defaults.adapter = adapterNamed(adapter)
  return { ...world, instances }
}

/** `count` requests, dealt out to the instances in turn. */
function fire(instances: readonly AxiosInstance[], count: number, path = '/api/item'): Promise<unknown>[] {
  return Array.from({ length: count }, (_, i) =>
    lookedAt(instances[i % instances.length]!.get<Echo>(`${path}/${i}`).then(({ data }) => data.path)),
  )
}

/** A promise that the test awaits in the end, and that may well reject before. */
function lookedAt<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

const pathsOf = (count: number, path = '/api/item'): string[] =>
  Array.from({ length: count }, (_, i) => `${path}/${i}`)

const bearerOf = ({ headers }: ReceivedRequest): string | undefined => headers.authorization?.slice(7)

/** The access tokens that came with the requests to `/api/*`, in order of arrival. */
function tokensAt(server: AuthServer, path = '/api/*'): (string | undefined)[] {
  return server.requestsTo(path).map(bearerOf)
}

/** The refresh tokens that came with the refresh calls, in order of arrival. */
function refreshTokensAt(server: AuthServer): unknown[] {
  return server.requestsTo('/auth/refresh').map(({ body }) => (body as LoginAnswer).refresh_token)
}

/** The access token that the server gave last. */
const latestToken = ({ server }: World): string | undefined => server.sessions.at(-1)?.accessToken

/** A round trip that has nothing to do with the session: what was sent before it has arrived after it. */
async function roundTrip({ server }: Pick<World, 'server'>): Promise<void> {
  // Several, because one alone may overtake what was sent before it.
  for (let trips = 0; trips < 4; trips++) await axios.get(`${server.url}/public/ping`)
}

function values(results: readonly PromiseSettledResult<unknown>[]): unknown[] {
  return results.map((result) => (result.status === 'fulfilled' ? result.value : outcomeOf(result)))
}

/** One request whose answer, a 401 about the token of now, is on its way and stays there until it is released. */
async function straggler(
  world: World,
  path = '/api/straggler',
): Promise<{ late: Promise<Echo>; hold: Hold }> {
  const hold = world.server.hold(path, { at: 'answer', first: 1 })
  const late = lookedAt(world.api.get<Echo>(path).then(({ data }) => data))
  await hold.waiting(1)
  return { late, hold }
}

/** What a refresh of one's own makes of an answer. */
const grantOf = ({ data }: { data: LoginAnswer }): Grant => tokensOf(data)

describe('G1: many requests, one refresh', () => {
  it.each(['http', 'fetch'] as const)(
    'G1: sends one refresh when a hundred requests on three instances meet a 401 together (%s adapter)',
    async (adapter) => {
      const world = await setUpAttached({ adapter })
      const { server, instances, events, auth, login } = world
      server.killAccessTokens()
      const hold = server.hold('/api/*', { at: 'answer', first: 100 })
      const all = fire(instances, 100)
      await hold.waiting(100)
      hold.releaseAll()
      expect(values(await settleAll(all))).toEqual(pathsOf(100))
      expect(server.counts).toMatchObject({
        requests: 201,
        refreshes: 1,
        granted: 1,
        reuses: 0,
        answered401: 100,
        protectedOk: 100,
      })
      const tokens = tokensAt(server)
      expect(new Set(tokens.slice(0, 100))).toEqual(new Set([login.access_token]))
      expect(new Set(tokens.slice(100))).toEqual(new Set([latestToken(world)]))
      expect(eventsOf(events, 'refreshStart')).toEqual([{ reason: 'refused' }])
      expect(eventsOf(events, 'refreshed')).toHaveLength(1)
      expect(auth.stats()).toMatchObject({ refreshes: 1, replays: 100, heldNow: 0, refused: 100 })
    },
  )

  for (const seed of SEEDS) {
    const adapter = seed % 2 ? 'http' : 'fetch'
    it(`G1: one refresh answers all requests, in any order of answers and requests (seed ${seed}, ${adapter} adapter)`, async () => {
      const random = createRandom(seed)
      const world = await setUpAttached({ adapter })
      const { server, instances } = world
      server.killAccessTokens()
      const before = 30
      const hold = server.hold('/api/item/*', { at: 'answer', first: before })
      const refresh = server.holdRefresh({ at: seed % 3 ? 'arrival' : 'answer' })
      const all = fire(instances, before)
      await hold.waiting(before)

      const moves = shuffled(
        [...Array<'401'>(before).fill('401'), ...Array<'new'>(10).fill('new'), 'refresh', 'call'] as const,
        seed,
      )
      let released = 0
      let over = false
      for (const move of moves) {
        if (move === '401') {
          hold.releaseAt(Math.floor(random() * hold.count))
          released++
        } else if (move === 'new') {
          all.push(...fire([instances[Math.floor(random() * 3)]!], 1, '/api/new'))
        } else if (move === 'call') {
          // Once the refresh is over, refresh() would start another one.
          all.push(lookedAt<unknown>(over ? world.auth.getAccessToken() : world.auth.refresh()))
        } else if (released > 0) {
          await refresh.waiting(1)
          refresh.releaseAll()
          over = true
        }
        // Sometimes the answer arrives before the next move, sometimes with it.
        if (random() < 0.4) await roundTrip(world)
        else if (random() < 0.5) await microtasksDone()
      }
      refresh.releaseAll()
      hold.releaseAll()
      expect(outcomesOf(await settleAll(all))).toEqual(all.map(() => 'ok'))
      expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0, protectedOk: before + 10 })
      expect(server.counts.answered401).toBe(world.auth.stats().replays)
      expect(world.auth.stats()).toMatchObject({ refreshes: 1, heldNow: 0 })
    })
  }

  const endings: [string, string, (world: Attached) => unknown, string[]][] = [
    ['refused', 'SESSION_EXPIRED', ({ server }) => server.refresh.always(401), ['refused']],
    ['unavailable', 'REFRESH_FAILED', ({ server }) => server.refresh.always(503), []],
    ['rejected', 'REFRESH_FAILED', ({ server }) => server.refresh.always(404), []],
    ['answered with a page', 'BAD_GRANT', ({ server }) => server.refresh.always('html'), []],
    ['cut off', 'REFRESH_FAILED', ({ server }) => server.refresh.always('drop-before'), []],
    ['ended by a sign-out', 'SIGNED_OUT', ({ auth }) => auth.signOut(), ['signed-out']],
    ['ended by dispose', 'DISPOSED', ({ auth }) => auth.dispose(), []],
    [
      'ended by another sign-in',
      'SESSION_CHANGED',
      ({ auth, server }) => auth.signIn(tokensOf(server.login('grace'))),
      ['replaced'],
    ],
  ]
  for (const [name, code, act, ends] of endings) {
    it(`G1: every request rejects with ${code} when the shared refresh is ${name}`, async () => {
      const world = await setUpAttached({ refreshRetry: NO_RETRY })
      const { server, instances, auth } = world
      server.killAccessTokens()
      const hold = server.hold('/api/item/*', { at: 'answer', first: 20 })
      const refresh = server.holdRefresh()
      const all = fire(instances, 20)
      await hold.waiting(20)
      hold.release(10)
      await refresh.waiting(1)
      // Before they were sent, as far as they are held here at all.
      all.push(...fire(instances, 9, '/api/held'), auth.refresh(), auth.getAccessToken())
      await untilHeld(world.auth, 10)
      await act(world)
      refresh.releaseAll()
      // The other half of the 401s comes when all is over.
      const first = await settleAll([...all.slice(0, 10), ...all.slice(20)])
      hold.releaseAll()
      const others = await settleAll(all.slice(10, 20))
      expect(outcomesOf(first)).toEqual(first.map(() => code))
      // A client that is gone has no say any more: the 401 is the caller's.
      if (code !== 'DISPOSED') expect(outcomesOf(others)).toEqual(others.map(() => code))
      expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 0 })
      expect(tokensAt(server, '/api/held*')).toEqual([])
      expect(world.ends.map(({ reason }) => reason)).toEqual(ends)
      expect(auth.stats().heldNow).toBe(0)
    })
  }

  it('G1: every request settles when the server goes down during it and comes back', async () => {
    const world = await setUpAttached()
    const { server, instances, clock } = world
    server.killAccessTokens()
    const hold = server.hold('/api/item/*', { at: 'answer', first: 20 })
    const refresh = server.holdRefresh({ first: 1 })
    const all = fire(instances, 20)
    await hold.waiting(20)
    hold.release(10)
    await refresh.waiting(1)
    await untilHeld(world.auth, 10)
    await server.restart()
    // One timer bounds the refresh, the other is the pause before it is tried again; more than once, if a connection that
    // was kept alive proves to be closed as well.
    do {
      await clock.until(() => clock.pending !== 1)
      await clock.advance(clock.nextInMs ?? 0)
    } while (clock.pending > 0)
    const results = await settleAll(all)
    expect(outcomesOf(results.filter(({ status }) => status === 'fulfilled'))).toHaveLength(10)
    // These lost their connection, which is no 401.
    for (const result of results) {
      if (result.status === 'fulfilled') continue
      expect(result.reason).toMatchObject({ code: 'ECONNRESET' })
      expect(authErrorOf(result.reason)).toBeUndefined()
    }
    expect(server.counts).toMatchObject({ refreshes: 2, granted: 1, reuses: 0, protectedOk: 10 })
  })

  it('G1: every other request is answered when the first one aborts', async () => {
    const world = await setUpAttached()
    const { server, instances, api } = world
    server.killAccessTokens()
    const refresh = server.holdRefresh()
    const abort = new AbortController()
    const first = api.get('/api/first', { signal: abort.signal })
    await refresh.waiting(1)
    const all = fire(instances, 9)
    await untilHeld(world.auth, 10)
    abort.abort()
    expect(axios.isCancel(await failureOf(first))).toBe(true)
    refresh.releaseAll()
    expect(values(await settleAll(all))).toEqual(pathsOf(9))
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 9 })
    expect(server.requestsTo('/api/first')).toHaveLength(1)
  })

  it('G1: sends one refresh, and nothing before it, when a hundred requests find the token expired', async () => {
    const world = await setUpAttached()
    const { server, instances, clock, login } = world
    server.clock.advance(300_000)
    clock.jump(300_000)
    expect(values(await settleAll(fire(instances, 100)))).toEqual(pathsOf(100))
    expect(server.counts).toMatchObject({ requests: 101, refreshes: 1, answered401: 0, protectedOk: 100 })
    expect(tokensAt(server)).not.toContain(login.access_token)
    expect(world.auth.stats()).toMatchObject({ heldPeak: 100, heldNow: 0, replays: 0 })
  })

  it('G1: refresh() and getAccessToken() join the refresh that a 401 started, and vice versa', async () => {
    const world = await setUpAttached()
    const { server, auth, api } = world
    for (const first of ['request', 'refresh', 'token'] as const) {
      server.killAccessTokens()
      const hold = server.holdRefresh()
      const starts = {
        request: () => api.get('/api/one'),
        refresh: () => auth.refresh(),
        token: () => auth.getAccessToken({ minValidityMs: 86_400_000 }),
      }
      const all: Promise<unknown>[] = [starts[first]()]
      await hold.waiting(1)
      all.push(auth.refresh(), auth.refresh(), auth.getAccessToken({ minValidityMs: 86_400_000 }))
      all.push(api.get('/api/two'), api.get('/api/three'))
      hold.releaseAll()
      expect(outcomesOf(await settleAll(all))).toEqual(all.map(() => 'ok'))
    }
    expect(server.counts).toMatchObject({ refreshes: 3, reuses: 0 })
  })

  it('G1: instances of three axios versions share one refresh', async () => {
    const { server, api, auth } = await setUp()
    const old = axios027.create({ baseURL: server.url })
    const middle = axios12.create({ baseURL: server.url })
    auth.attach(old)
    auth.attach(middle)
    server.killAccessTokens()
    const hold = server.hold('/api/*', { at: 'answer', first: 9 })
    const all = [0, 1, 2].flatMap((i) => [
      api.get(`/api/new/${i}`),
      old.get(`/api/old/${i}`),
      middle.get(`/api/middle/${i}`),
    ])
    await hold.waiting(9)
    for (const index of shuffled([0, 0, 0, 0, 0, 0, 0, 0, 0], 1)) hold.releaseAt(index)
    expect(outcomesOf(await settleAll<unknown>(all))).toEqual(all.map(() => 'ok'))
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 9, protectedOk: 9 })
  })

  it('G1: an attached instance refreshes through the instance that the client was made for', async () => {
    const { server, api, instances } = await setUpAttached()
    api.defaults.headers.common['x-app'] = 'first'
    server.killAccessTokens()
    await instances[2].get('/api/me')
    expect(server.requestsTo('/auth/refresh').map(({ headers }) => headers['x-app'])).toEqual(['first'])
  })

  it('G1: requests of an instance that is detached while they wait settle', async () => {
    const { server, auth, api } = await setUp()
    const other = axios.create({ baseURL: server.url })
    const detach = auth.attach(other)
    server.killAccessTokens()
    const hold = server.holdRefresh()
    const all = [api.get('/api/1'), other.get('/api/2'), other.get('/api/3')]
    await hold.waiting(1)
    await untilHeld(auth, 3)
    detach()
    hold.releaseAll()
    const [mine] = await settleAll(all)
    expect(outcomeOf(mine!)).toBe('ok')
    expect(server.counts.refreshes).toBe(1)
    expect(auth.stats().heldNow).toBe(0)
  })

  it('G1: a new batch after the refresh starts a new one', async () => {
    const { server, instances } = await setUpAttached()
    for (const round of [1, 2, 3, 4]) {
      server.killAccessTokens()
      expect(values(await settleAll(fire(instances, 12)))).toEqual(pathsOf(12))
      expect(server.counts).toMatchObject({ refreshes: round, reuses: 0 })
    }
  })
})

describe('G1: an instance belongs to one client', () => {
  const message = /a live auth client holds this axios instance already/

  async function thrownBy(act: () => unknown): Promise<unknown> {
    return failureOf((async () => act())())
  }

  it('G1: attaching an instance of another live client is rejected at once with a message that says so', async () => {
    const { server, api, auth } = await setUp()
    const other = axios.create({ baseURL: server.url })
    const theirs = axios.create({ baseURL: server.url })
    const another = createAuthClient(theirs)
    auth.attach(other)
    const attempts: [AuthClient | undefined, AxiosLike][] = [
      [auth, api],
      [auth, other],
      [auth, theirs],
      [another, api],
      [another, other],
      [undefined, api],
      [undefined, other],
    ]
    for (const [client, instance] of attempts) {
      const error = await thrownBy(() => (client ? client.attach(instance) : createAuthClient(instance)))
      expect(error).toMatchObject({ code: 'BAD_OPTION', message: expect.stringMatching(message) })
    }
    another.dispose()
  })

  it('G1: a rejected attachment changes nothing: one interceptor pair, one refresh, one replay', async () => {
    const { server, api, auth } = await setUp()
    await thrownBy(() => auth.attach(api))
    await thrownBy(() => createAuthClient(api))
    server.killAccessTokens()
    await api.get('/api/me')
    expect(server.counts).toMatchObject({ requests: 3, refreshes: 1 })
  })

  it('G1: an instance can be attached again once it is detached or its client disposed', async () => {
    const { server, auth } = await setUp()
    const other = axios.create({ baseURL: server.url })
    auth.attach(other)()
    const second = createAuthClient(other)
    expect((await thrownBy(() => auth.attach(other))) as Error).toMatchObject({
      message: expect.stringMatching(message),
    })
    second.dispose()
    const detach = auth.attach(other)
    server.killAccessTokens()
    await other.get('/api/me')
    expect(server.counts).toMatchObject({ requests: 3, refreshes: 1 })
    detach()
    detach()
    // Detached twice is detached once: what was attached anew in between stays.
    auth.attach(other)
    expect(await thrownBy(() => createAuthClient(other))).toMatchObject({ code: 'BAD_OPTION' })
  })

  it('G1: an old detach does not undo a newer attachment', async () => {
    const { server, auth } = await setUp()
    const other = axios.create({ baseURL: server.url })
    const detach = auth.attach(other)
    detach()
    auth.attach(other)
    detach()
    await other.get('/api/me')
    expect(server.counts).toMatchObject({ requests: 1, protectedOk: 1 })
  })
})

describe('G2: an answer about an older token', () => {
  it.each(['http', 'fetch'] as const)(
    'G2: a 401 about an older token is replayed at once without a refresh (%s adapter)',
    async (adapter) => {
      const world = await setUp()
      const { server, api, auth, events, login } = world
      api.defaults.adapter = adapterNamed(adapter)
      server.killAccessTokens()
      const { late, hold } = await straggler(world)
      await api.get('/api/first')
      hold.releaseAll()
      await late
      expect(server.counts).toMatchObject({ refreshes: 1, answered401: 2, protectedOk: 2 })
      expect(tokensAt(server, '/api/straggler')).toEqual([login.access_token, latestToken(world)])
      expect(eventsOf(events, 'held').map(({ url }) => url)).toEqual(['/api/first'])
      expect(eventsOf(events, 'replay').at(-1)).toEqual({ method: 'get', url: '/api/straggler', heldMs: 0 })
      expect(auth.stats()).toMatchObject({ refreshes: 1, replays: 2 })
    },
  )

  it('G2: it is replayed even after hours and several tokens', async () => {
    const world = await setUp({ server: { accessLifetimeSeconds: 7 * 86_400 } })
    const { server, api, clock } = world
    server.killAccessTokens()
    const { late, hold } = await straggler(world)
    for (const round of [1, 2, 3, 4, 5]) {
      await api.get('/api/first')
      expect(server.counts.refreshes).toBe(round)
      if (round < 5) server.killAccessTokens()
      clock.jump(3_600_000)
      server.clock.advance(3_600_000)
    }
    hold.releaseAll()
    await late
    expect(server.counts).toMatchObject({ refreshes: 5, reuses: 0 })
    expect(tokensAt(server, '/api/straggler')).toEqual([expect.anything(), latestToken(world)])
  })

  for (const seed of SEEDS.slice(0, 4)) {
    it(`G2: a hundred late 401s for three tokens start no refresh, in any order (seed ${seed})`, async () => {
      const world = await setUpAttached()
      const { server, instances, api } = world
      const all: Promise<unknown>[] = []
      const holds: Hold[] = []
      for (const age of [3, 2, 1]) {
        server.killAccessTokens()
        const hold = server.hold(`/api/age-${age}/*`, { at: 'answer', first: 33 })
        all.push(...fire(instances, 33, `/api/age-${age}`))
        await hold.waiting(33)
        holds.push(hold)
        await api.get('/api/next')
      }
      for (const turn of shuffled(
        Array.from({ length: 99 }, (_, i) => i % 3),
        seed,
      )) {
        const hold = holds[turn]!
        hold.releaseAt((seed * 7) % hold.count)
      }
      expect(outcomesOf(await settleAll(all))).toEqual(all.map(() => 'ok'))
      expect(server.counts).toMatchObject({ refreshes: 3, protectedOk: 99 + 3 })
      expect(tokensAt(server).slice(-99)).toEqual(Array(99).fill(latestToken(world)))
    })
  }

  it('G2: it is replayed with tokens that updateTokens or an answer brought', async () => {
    const world = await setUp({
      readResponse: ({ headers }) =>
        headers['x-token'] ? { accessToken: String(headers['x-token']) } : undefined,
    })
    const { server, api, auth } = world
    server.killAccessTokens()
    const one = await straggler(world, '/api/one')
    const two = await straggler(world, '/api/two')
    await auth.updateTokens(tokensOf(server.login()))
    one.hold.releaseAll()
    expect((await one.late).user).toBe('ada')
    const pushed = server.login().access_token
    server.route('/api/push', () => ({ status: 200, headers: { 'x-token': pushed } }))
    await api.get('/api/push')
    two.hold.releaseAll()
    await two.late
    expect(server.requestsTo('/api/two').at(-1)?.accessToken).toBe(pushed)
    expect(server.counts.refreshes).toBe(0)
  })

  it('G2: it is replayed at once while a stale token is refreshed', async () => {
    const world = await setUp()
    const { server, api, clock } = world
    server.killAccessTokens()
    const { late, hold } = await straggler(world)
    await api.get('/api/first')
    clock.jump(275_000)
    const refresh = server.holdRefresh()
    await api.get('/api/renews-ahead')
    await refresh.waiting(1)
    hold.releaseAll()
    await late
    expect(refresh.count).toBe(1)
    refresh.releaseAll()
    await server.idle()
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
  })

  it('G2: it waits for the refresh under way when the current token was rejected too', async () => {
    const world = await setUp()
    const { server, api } = world
    server.killAccessTokens()
    const { late, hold } = await straggler(world)
    await api.get('/api/first')
    server.killAccessTokens()
    const refresh = server.holdRefresh()
    const second = api.get('/api/second')
    await refresh.waiting(1)
    hold.releaseAll()
    await untilHeld(world.auth, 2)
    refresh.releaseAll()
    expect(outcomesOf(await settleAll<unknown>([late, second]))).toEqual(['ok', 'ok'])
    expect(server.counts.refreshes).toBe(2)
    expect(tokensAt(server, '/api/straggler')).toHaveLength(2)
  })

  it('G2: a refusal is remembered: late 401s get it too, without a refresh', async () => {
    const world = await setUp()
    const { server, api, clock, ends } = world
    server.killAccessTokens()
    const first = await straggler(world, '/api/one')
    const second = await straggler(world, '/api/two')
    server.refresh.next(401)
    const failure = authErrorOf(await failureOf(api.get('/api/first')))
    expect(failure).toMatchObject({ code: 'SESSION_EXPIRED' })
    first.hold.releaseAll()
    expect(authErrorOf(await failureOf(first.late))).toBe(failure)
    clock.jump(86_400_000)
    second.hold.releaseAll()
    expect(await failureOf(second.late)).toMatchObject({ response: { status: 401 }, cause: failure })
    expect(server.counts.refreshes).toBe(1)
    expect(ends.map(({ reason }) => reason)).toEqual(['refused'])
  })

  it('G2: a refusal is remembered after a new sign-in', async () => {
    const world = await setUp()
    const { server, api, auth } = world
    server.killAccessTokens()
    const { late, hold } = await straggler(world)
    server.refresh.next(401)
    await failureOf(api.get('/api/first'))
    await auth.signIn(tokensOf(server.login('grace')))
    hold.releaseAll()
    expect(authErrorOf(await failureOf(late))).toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 0 })
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  const failures: [string, RefreshBehaviour, string][] = [
    ['503', 503, 'REFRESH_FAILED'],
    ['404', 404, 'REFRESH_FAILED'],
    ['a broken connection', 'drop-before', 'REFRESH_FAILED'],
    ["a captive portal's page", 'html', 'BAD_GRANT'],
    ['the token that was refused', 'same-token', 'BAD_GRANT'],
    ['no answer', 'never', 'REFRESH_TIMEOUT'],
  ]
  it.each(failures)(
    'G2: the failure after %s is remembered for late 401s until its cool-down ends',
    async (_, behaviour, code) => {
      const world = await setUp({ refreshRetry: NO_RETRY })
      const { server, api, clock } = world
      server.killAccessTokens()
      const early = await straggler(world, '/api/early')
      const alsoEarly = await straggler(world, '/api/also-early')
      const afterwards = await straggler(world, '/api/afterwards')
      server.refresh.next(behaviour)
      const first = failureOf(api.get('/api/first'))
      if (behaviour === 'never') {
        await server.until(() => server.counts.refreshes === 1)
        await clock.advance(15_000)
      }
      const failure = authErrorOf(await first)
      expect(failure).toMatchObject({ code })

      early.hold.releaseAll()
      expect(authErrorOf(await failureOf(early.late))).toBe(failure)
      clock.jump(999)
      alsoEarly.hold.releaseAll()
      expect(authErrorOf(await failureOf(alsoEarly.late))).toBe(failure)
      // A request that was not sent yet is no different.
      expect(authErrorOf(await failureOf(api.get('/api/later')))).toBe(failure)
      expect(server.counts.refreshes).toBe(1)

      clock.jump(1)
      afterwards.hold.releaseAll()
      await afterwards.late
      expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0, protectedOk: 1 })
      expect(server.requestsTo('/api/later')).toEqual([])
    },
  )

  it('G2: a failure applies to its own token only: with newer tokens, late 401s are replayed', async () => {
    const world = await setUp({ refreshRetry: NO_RETRY })
    const { server, api, auth } = world
    server.killAccessTokens()
    const { late, hold } = await straggler(world)
    server.refresh.next(503)
    await failureOf(api.get('/api/first'))
    await auth.updateTokens(tokensOf(server.login()))
    hold.releaseAll()
    await late
    await api.get('/api/next')
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 2 })
  })

  it('G2: the failure of a background refresh applies to requests whose stale token is rejected after it', async () => {
    const world = await setUpAttached({ refreshRetry: NO_RETRY })
    const { server, clock, auth, events } = world
    server.killAccessTokens()
    clock.jump(275_000)
    server.refresh.next(503)
    const [first, second] = world.instances
    const hold = server.hold('/api/*', { at: 'answer' })
    const during = [first.get('/api/starts-it'), second.get('/api/meanwhile')]
    await hold.waiting(2)
    await landed(auth)
    const after = first.get('/api/in-the-cool-down')
    await hold.waiting(3)
    hold.releaseAll()
    const results = await settleAll([...during, after])
    expect(outcomesOf(results)).toEqual(Array(3).fill('REFRESH_FAILED'))
    const [failed] = eventsOf(events, 'refreshFailed')
    for (const result of results) {
      expect(authErrorOf((result as PromiseRejectedResult).reason)).toBe(failed?.error)
    }
    expect(server.counts.refreshes).toBe(1)
  })

  it('G2: when that failure is forgotten, a rejected request that has started no refresh starts one', async () => {
    const world = await setUp({ refreshRetry: NO_RETRY })
    const { server, clock, api, auth } = world
    clock.jump(275_000)
    server.refresh.next(503)
    await api.get('/api/starts-it')
    await landed(auth)
    expect(server.counts.refreshes).toBe(1)
    server.killAccessTokens()
    // Sent with the stale token during the cool-down, answered after it.
    const { late, hold } = await straggler(world)
    clock.jump(1_000)
    hold.releaseAll()
    await late
    expect(server.counts).toMatchObject({ refreshes: 2, protectedOk: 2 })
  })

  it('G2: a clock that is set back extends no failure beyond 30 s', async () => {
    const { server, clock, api } = await setUp({ refreshRetry: NO_RETRY })
    server.killAccessTokens()
    server.refresh.next(503)
    await failureOf(api.get('/api/first'))
    clock.jump(-3_600_000)
    clock.jump(30_000)
    await api.get('/api/next')
    expect(server.counts).toMatchObject({ refreshes: 2, protectedOk: 1 })
  })

  it('G2: a 401 about an older token of an attached instance is replayed there', async () => {
    const { server, instances } = await setUpAttached()
    server.killAccessTokens()
    const hold = server.hold('/api/late', { at: 'answer', first: 1 })
    const late = instances[2].get('/api/late')
    await hold.waiting(1)
    await instances[1].get('/api/first')
    hold.releaseAll()
    await late
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 2 })
  })
})

interface Note {
  what: 'sent' | 'refused' | 'expired'
  token: string
}

/** Notes what an instance sends and what the answers say of it, in the order in which the client learns of it. */
function observe(instance: AxiosInstance, notes: Note[]): void {
  const http = adapterAsFunction('http')
  instance.defaults.adapter = async (config: InternalAxiosRequestConfig) => {
    const token = String(config.headers.Authorization ?? '').slice(7)
    notes.push({ what: 'sent', token })
    try {
      return await http(config)
    } catch (error) {
      if (axios.isAxiosError(error) && error.response?.status === 401) notes.push({ what: 'refused', token })
      throw error
    }
  }
}

describe('G3: what goes out while a refresh runs', () => {
  it('G3: new requests wait while a rejected token is refreshed', async () => {
    const world = await setUpAttached()
    const { server, api, instances, events, auth } = world
    server.killAccessTokens()
    const hold = server.holdRefresh()
    const first = api.get('/api/first')
    await hold.waiting(1)
    const all = [first, ...fire(instances, 30)]
    await roundTrip(world)
    expect(server.requestsTo('/api/item/*')).toEqual([])
    expect(auth.stats()).toMatchObject({ heldNow: 31, heldPeak: 31 })
    hold.releaseAll()
    expect(outcomesOf(await settleAll(all))).toEqual(all.map(() => 'ok'))
    expect(tokensAt(server, '/api/item/*')).toEqual(Array(30).fill(latestToken(world)))
    // They waited before they were sent, so there was nothing to replay.
    expect(eventsOf(events, 'replay').map(({ url }) => url)).toEqual(['/api/first'])
    expect(eventsOf(events, 'held')).toHaveLength(31)
  })

  it('G3: new requests wait while an expired token is refreshed, and it is never sent', async () => {
    const world = await setUp()
    const { server, api, clock, login } = world
    clock.jump(300_000)
    const hold = server.holdRefresh()
    const all = fire([api], 10)
    await hold.waiting(1)
    all.push(...fire([api], 10, '/api/more'))
    await roundTrip(world)
    expect(server.requestsTo('/api/*')).toEqual([])
    hold.releaseAll()
    expect(outcomesOf(await settleAll(all))).toEqual(all.map(() => 'ok'))
    expect(server.tokensSeen()).not.toContain(login.access_token)
  })

  it('G3: new requests also wait where a token is its own refresh token', async () => {
    const { server, api, auth } = await setUp({
      signedIn: false,
      refresh: refreshWithBearer({ url: '/own/refresh' }),
    })
    let alive = 'none'
    server.route('/own/refresh', () => {
      alive = 'second-token'
      return json(200, { access_token: alive, refresh_token: alive })
    })
    server.route('/own/item/*', ({ headers }) =>
      json(headers.authorization === `Bearer ${alive}` ? 200 : 401, {}),
    )
    await auth.signIn({ accessToken: 'first-token', refreshToken: 'first-token' })
    const hold = server.hold('/own/refresh')
    const all = fire([api], 1, '/own/item')
    await hold.waiting(1)
    all.push(...fire([api], 1, '/own/item/more'))
    await untilHeld(auth, 2)
    hold.releaseAll()
    expect(outcomesOf(await settleAll(all))).toEqual(['ok', 'ok'])
    expect(tokensAt(server, '/own/item/*')).toEqual(['first-token', 'second-token', 'second-token'])
  })

  it('G3: new requests wait until the new tokens are in the store', async () => {
    const store = createHandStore()
    const world = await setUp({ store })
    const { server, api, login } = world
    server.killAccessTokens()
    store.hold('save')
    const first = api.get('/api/first')
    const save = await store.waiting('save')
    const second = api.get('/api/second')
    await roundTrip(world)
    expect(server.requestsTo('/api/second')).toEqual([])
    expect(tokensAt(server)).toEqual([login.access_token])
    save.release()
    expect(outcomesOf(await settleAll([first, second]))).toEqual(['ok', 'ok'])
    expect(server.counts.refreshes).toBe(1)
  })

  it('G3: requests keep using a stale token while it is refreshed in the background', async () => {
    const world = await setUpAttached()
    const { server, clock, instances, login, auth, events } = world
    clock.jump(300_000 - 30_000)
    const hold = server.holdRefresh()
    expect(values(await settleAll(fire(instances, 20)))).toEqual(pathsOf(20))
    await hold.waiting(1)
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: true })
    expect(values(await settleAll(fire(instances, 20, '/api/more')))).toEqual(pathsOf(20, '/api/more'))
    expect(tokensAt(server)).toEqual(Array(40).fill(login.access_token))
    expect(auth.stats()).toMatchObject({ heldPeak: 0, refreshes: 1 })
    hold.releaseAll()
    await server.idle()
    await auth.refresh()
    await settleAll(fire(instances, 3, '/api/after'))
    expect(tokensAt(server, '/api/after/*')).toEqual(Array(3).fill(latestToken(world)))
    expect(eventsOf(events, 'refreshStart')[0]).toEqual({ reason: 'stale' })
  })

  it('G3: the next request uses the token of a successful background refresh', async () => {
    const world = await setUp()
    const { server, clock, api, auth, login } = world
    clock.jump(300_000 - 30_000)
    const renewed = new Promise<void>((resolve) => void auth.on('refreshed', () => resolve()))
    await api.get('/api/one')
    await renewed
    await api.get('/api/two')
    expect(tokensAt(server)).toEqual([login.access_token, latestToken(world)])
    expect(server.counts.refreshes).toBe(1)
  })

  it('G3: a token that is rejected during its background refresh is not sent again', async () => {
    const world = await setUp()
    const { server, clock, api, login } = world
    clock.jump(300_000 - 30_000)
    const hold = server.holdRefresh()
    await api.get('/api/fine')
    await hold.waiting(1)
    server.killAccessTokens()
    const refused = api.get('/api/refused')
    await untilHeld(world.auth, 1)
    const all = [refused, ...fire([api], 10)]
    await roundTrip(world)
    expect(server.requestsTo('/api/item/*')).toEqual([])
    hold.releaseAll()
    expect(outcomesOf(await settleAll(all))).toEqual(all.map(() => 'ok'))
    expect(server.counts.refreshes).toBe(1)
    expect(tokensAt(server, '/api/item/*')).not.toContain(login.access_token)
  })

  it('G3: a token that expires during its background refresh is not sent again', async () => {
    const world = await setUp()
    const { server, clock, api, login } = world
    clock.jump(300_000 - 10_000)
    const hold = server.holdRefresh()
    await api.get('/api/fine')
    await hold.waiting(1)
    await clock.advance(10_000)
    const all = fire([api], 10)
    await roundTrip(world)
    expect(server.requestsTo('/api/item/*')).toEqual([])
    hold.releaseAll()
    expect(outcomesOf(await settleAll(all))).toEqual(all.map(() => 'ok'))
    expect(tokensAt(server, '/api/item/*')).not.toContain(login.access_token)
    expect(server.counts.refreshes).toBe(1)
  })

  it('G3: a token that expires while an interceptor after ours delays its request is not sent', async () => {
    const server = await startServer()
    const clock = createWatchedClock()
    const api = axios.create({ baseURL: server.url })
    let open = (): void => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    // Registered first, so axios runs it last: the token is on the request by then.
    const seen: unknown[] = []
    api.interceptors.request.use(async (config) => {
      seen.push(config.headers.Authorization)
      await opened
      return config
    })
    const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }), clock })
    const login = server.login()
    await auth.signIn(tokensOf(login))
    const limited = api.get('/api/limited')
    await microtasksDone()
    expect(seen).toEqual([`Bearer ${login.access_token}`])
    clock.jump(300_000)
    open()
    await limited
    expect(server.tokensSeen()).not.toContain(login.access_token)
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0, protectedOk: 1 })
  })

  it('G3: after a failed refresh no request is sent with the rejected token during the cool-down', async () => {
    const world = await setUp({ refreshRetry: NO_RETRY })
    const { server, api, auth } = world
    server.killAccessTokens()
    server.refresh.always(503)
    const all = fire([api], 5)
    expect(outcomesOf(await settleAll(all))).toEqual(all.map(() => 'REFRESH_FAILED'))
    const sent = server.requestsTo('/api/*').length
    const more: Promise<unknown>[] = [...fire([api], 5), auth.getAccessToken()]
    expect(outcomesOf(await settleAll(more))).toEqual(more.map(() => 'REFRESH_FAILED'))
    expect(server.requestsTo('/api/*')).toHaveLength(sent)
  })

  it('G3: requests that opt out of the refresh neither wait nor start one', async () => {
    const world = await setUp()
    const { server, api } = world
    server.killAccessTokens()
    const hold = server.holdRefresh()
    const first = api.get('/api/first')
    await hold.waiting(1)
    const free: AxiosRequestConfig[] = [{ authClient: false }, { authClient: { refresh: false } }]
    for (const config of free) {
      expect(await failureOf(api.get('/api/free', config))).toMatchObject({ response: { status: 401 } })
    }
    // Without a wait there is no better token, and the rejected one is not sent.
    expect(tokensAt(server, '/api/free')).toEqual([undefined, undefined])
    hold.releaseAll()
    await first
    expect(server.counts.refreshes).toBe(1)
  })

  for (const seed of SEEDS) {
    it(`G3: no token is sent after it was rejected or has expired, in random sequences (seed ${seed})`, async () => {
      const random = createRandom(seed)
      const world = await setUpAttached()
      const { server, instances, clock } = world
      const notes: Note[] = []
      for (const instance of instances) observe(instance, notes)
      let made = 0
      let rounds = 0
      for (let round = 0; round < 12; round++) {
        const kind = Math.floor(random() * 4)
        if (kind === 0) server.killAccessTokens()
        if (kind === 1) {
          notes.push({ what: 'expired', token: latestToken(world) ?? '' })
          clock.jump(300_000)
          server.clock.advance(300_000)
        }
        if (kind < 2) rounds++
        const count = 1 + Math.floor(random() * 12)
        const hold = server.hold('/api/*', { at: 'answer', first: count })
        const refresh = server.holdRefresh({ at: random() < 0.5 ? 'arrival' : 'answer' })
        const all = fire(instances, count)
        made += count
        for (let move = 0; move < 20; move++) {
          const dice = random()
          if (dice < 0.4 && hold.count > 0) hold.releaseAt(Math.floor(random() * hold.count))
          else if (dice < 0.5) refresh.release()
          else if (dice < 0.7) {
            all.push(...fire([instances[move % 3]!], 1))
            made++
          } else if (dice < 0.85) await roundTrip(world)
          else await microtasksDone()
        }
        hold.releaseAll()
        refresh.releaseAll()
        expect(outcomesOf(await settleAll(all))).toEqual(all.map(() => 'ok'))
      }
      expect(server.counts).toMatchObject({ refreshes: rounds, reuses: 0, protectedOk: made })
      const unusable = new Set<string>()
      const sentUnusable = notes.filter(({ what, token }) => {
        if (what !== 'sent') unusable.add(token)
        return what === 'sent' && unusable.has(token)
      })
      expect(sentUnusable).toEqual([])
    })
  }
})

describe('G4: a refresh token that was replaced', () => {
  it('G4: each refresh sends the newest refresh token, and each only once', async () => {
    const { server, instances, login } = await setUpAttached()
    for (let round = 0; round < 5; round++) {
      server.killAccessTokens()
      await settleAll(fire(instances, 5))
    }
    const sent = refreshTokensAt(server)
    expect(sent[0]).toBe(login.refresh_token)
    expect(new Set(sent).size).toBe(5)
    expect(server.counts).toMatchObject({ refreshes: 5, granted: 5, reuses: 0 })
  })

  it('G4: the new refresh token of an answer without a usable access token is kept', async () => {
    const { server, api, clock } = await setUp()
    for (const access_token of [undefined, '', 'line\r\nbreak', 42]) {
      server.killAccessTokens()
      const undo = server.route('/auth/refresh', (request) => {
        undo()
        // The endpoint has spent the token and then spoils its answer.
        const { refresh_token } = spend(server, request)
        return {
          status: 200,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ access_token, refresh_token }),
        }
      })
      expect(authErrorOf(await failureOf(api.get('/api/me')))).toMatchObject({ code: 'BAD_GRANT' })
      clock.jump(30_000)
      await api.get('/api/me')
    }
    expect(new Set(refreshTokensAt(server)).size).toBe(8)
    expect(server.counts).toMatchObject({ refreshes: 8, reuses: 0 })
  })

  it('G4: the new refresh token of an answer that repeats the refused access token is kept', async () => {
    const store = createOpenStore()
    const { server, api, clock, login } = await setUp({ store })
    server.killAccessTokens()
    server.refresh.next('same-token-rotated')
    expect(authErrorOf(await failureOf(api.get('/api/me')))).toMatchObject({ code: 'BAD_GRANT' })
    expect(keptRefreshToken(store)).toBe(server.sessions[0]?.refreshToken)
    expect(keptRefreshToken(store)).not.toBe(login.refresh_token)
    clock.jump(1_000)
    await api.get('/api/me')
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
  })

  it('G4: a grant that was read too late provides the refresh token for the next refresh', async () => {
    const hand = createHandRefresh()
    const { server, api, clock, auth } = await setUp({ refresh: hand.refresh })
    server.killAccessTokens()
    const first = failureOf(api.get('/api/me'))
    const call = await hand.call(1)
    await clock.advance(15_000)
    expect(authErrorOf(await first)).toMatchObject({ code: 'REFRESH_TIMEOUT' })
    const later = server.login()
    call.answer(tokensOf(later))
    await microtasksDone()
    await api.get('/api/me')
    const asked = auth.refresh()
    const second = await hand.call(2)
    expect(second.context).toMatchObject({
      refreshToken: later.refresh_token,
      accessToken: later.access_token,
    })
    second.answer(tokensOf(server.login()))
    await asked
  })

  it('G4: an attempt sends a refresh token that came since the first, and its grant counts', async () => {
    const store = createOpenStore()
    const hand = createHandRefresh()
    const { server, api, clock, login, ends } = await setUp({ store, refresh: hand.refresh })
    server.killAccessTokens()
    const sent = settleAll([api.get('/api/item')])
    ;(await hand.call(1)).fail(new Error('network down'))
    await clock.until(() => clock.pending === 2)
    changedElsewhere(store, { refreshToken: 'newer-refresh-token' })
    await clock.advance(clock.nextInMs ?? 0)
    const second = await hand.call(2)
    expect(second.context.refreshToken).toBe('newer-refresh-token')
    const fresh = { ...tokensOf(server.login()), refreshToken: 'newest-refresh-token' }
    second.answer(fresh)
    expect(outcomesOf(await sent)).toEqual(['ok'])
    expect(keptRefreshToken(store)).toBe('newest-refresh-token')
    expect(keptToken(store)).not.toBe(login.access_token)
    expect(ends).toEqual([])
  })

  it('G8: tokens adopted between two attempts do not use up the refresh of a request', async () => {
    const store = createOpenStore()
    const { server, api, clock, login } = await setUp({ store })
    server.killAccessTokens()
    server.refresh.next(503)
    const sent = settleAll([api.get('/api/item')])
    await clock.until(() => clock.pending === 2)
    const { data } = await axios.post(`${server.url}/auth/refresh`, { refresh_token: login.refresh_token })
    server.killAccessTokens()
    rotatedElsewhere(store, { accessToken: data.access_token, refreshToken: data.refresh_token })
    await clock.advance(clock.nextInMs ?? 0)
    expect(outcomesOf(await sent)).toEqual(['ok'])
    expect(server.counts.reuses).toBe(0)
    expect(server.requestsTo('/api/item')).toHaveLength(3)
  })

  it('G4: a second attempt of a refresh sends a token that came since the first', async () => {
    const hand = createHandRefresh()
    const { server, api, clock } = await setUp({ refresh: hand.refresh })
    server.killAccessTokens()
    const first = failureOf(api.get('/api/me'))
    const late = await hand.call(1)
    await clock.advance(15_000)
    await first
    await clock.advance(1_000)
    const second = api.get('/api/me')
    const failing = await hand.call(2)
    // The answer to the first refresh is read while the second one pauses before another attempt.
    failing.fail(new Error('network'))
    await clock.until(() => clock.pending === 2)
    const tokens = tokensOf(server.login())
    late.answer(tokens)
    await microtasksDone()
    await clock.advance(1_000)
    await microtasksDone()
    for (const { context } of hand.calls.slice(2)) expect(context.refreshToken).toBe(tokens.refreshToken)
    // Whether it asks once more or is content with what came in: the old token does not go out.
    hand.calls[2]?.answer(tokensOf(server.login()))
    await second
  })

  it('G4: with a store that fails, the new refresh token is kept in memory', async () => {
    const store = createOpenStore()
    const { server, api } = await setUp({ store })
    store.faults.set('save', new Error('quota exceeded'))
    for (let round = 0; round < 3; round++) {
      server.killAccessTokens()
      await api.get('/api/me')
    }
    // Spent, so it is not left there.
    expect(keptRefreshToken(store)).toBeUndefined()
    expect(new Set(refreshTokensAt(server)).size).toBe(3)
    expect(server.counts).toMatchObject({ refreshes: 3, reuses: 0 })
  })

  it('G4: with a store that hangs, the new refresh token is kept in memory', async () => {
    const store = createHandStore()
    const world = await setUp({ store })
    const { server, api, clock } = world
    store.hold('save')
    server.killAccessTokens()
    const first = api.get('/api/me')
    await store.waiting('save')
    await clock.advance(15_000)
    await first
    server.killAccessTokens()
    await api.get('/api/me')
    expect(new Set(refreshTokensAt(server)).size).toBe(2)
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
  })

  it('G4: tabs that share a store never send a token that one of them has replaced', async () => {
    const { server, clients, apis } = await setUpTabs(3)
    for (let round = 0; round < 4; round++) {
      server.killAccessTokens()
      // One after the other: each finds what the one before has left in the store.
      for (const api of shuffled(apis, round)) await api.get('/api/me')
    }
    expect(server.counts).toMatchObject({ refreshes: 4, granted: 4, reuses: 0 })
    expect(new Set(refreshTokensAt(server)).size).toBe(4)
    expect(clients.map((client) => client.stats().refreshes + client.stats().adopted)).toEqual([4, 4, 4])
  })

  it('G4: a tab does not let the others use a refresh token that a malformed answer replaced', async () => {
    const { server, apis, clock } = await setUpTabs(2)
    server.killAccessTokens()
    server.refresh.next('same-token-rotated')
    expect(authErrorOf(await failureOf(apis[0]!.get('/api/me')))).toMatchObject({ code: 'BAD_GRANT' })
    clock.jump(1_000)
    await apis[1]!.get('/api/me')
    await apis[0]!.get('/api/me')
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
    expect(new Set(refreshTokensAt(server)).size).toBe(2)
  })

  it('G4: a new refresh token that was read counts, though another tab has changed the access token meanwhile', async () => {
    const { server, apis, clients, store } = await setUpTabs(2)
    server.killAccessTokens()
    const hold = server.holdRefresh({ at: 'answer' })
    const first = apis[0]!.get('/api/me')
    await hold.waiting(1)
    await clients[1]!.updateTokens({ accessToken: server.login().access_token })
    store.hint()
    hold.releaseAll()
    await first
    server.killAccessTokens()
    // One after the other: without Web Locks nothing keeps two tabs from refreshing in the same moment.
    const outcomes = []
    for (const api of apis) outcomes.push(...(await settleAll([api.get('/api/me')])))
    expect(outcomesOf(outcomes)).toEqual(['ok', 'ok'])
    expect(new Set(refreshTokensAt(server)).size).toBe(server.counts.refreshes)
    expect(server.counts.reuses).toBe(0)
  })

  it('G4: a new refresh token that was read counts, though updateTokens has changed the access token meanwhile', async () => {
    const { server, api, auth } = await setUp()
    server.killAccessTokens()
    const hold = server.holdRefresh({ at: 'answer' })
    const first = api.get('/api/me')
    await hold.waiting(1)
    await auth.updateTokens({ accessToken: server.login().access_token })
    hold.releaseAll()
    await first
    server.killAccessTokens()
    await auth.refresh()
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
  })

  it('G4: a new refresh token that was read counts, though an answer has pushed an access token meanwhile', async () => {
    const { server, api, auth, clock } = await setUp({
      readResponse: ({ headers }) =>
        headers['x-token'] ? { accessToken: String(headers['x-token']) } : undefined,
    })
    clock.jump(275_000)
    const hold = server.holdRefresh({ at: 'answer' })
    const pushed = server.login().access_token
    server.route('/api/push', () => ({ status: 200, headers: { 'x-token': pushed } }))
    await api.get('/api/push')
    await hold.waiting(1)
    const landed = new Promise<void>((resolve) => void auth.on('refreshed', () => resolve()))
    hold.releaseAll()
    await landed
    await auth.refresh()
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
  })
})

/** What the honest endpoint would answer to this refresh. */
function spend(server: AuthServer, request: ReceivedRequest): LoginAnswer {
  const { refresh_token } = request.body as LoginAnswer
  const family = server.sessions.find((one) => one.refreshToken === refresh_token)
  if (!family) throw new Error('A refresh token that is not good any more was sent')
  // A login of the same user stands for the rotation: its tokens are as good.
  family.revoked = true
  return server.login(family.user)
}

/** Clients that share one synchronous store, as tabs without Web Locks do. All are signed in. */
async function setUpTabs(count: number) {
  const server = await startServer()
  const clock = createWatchedClock()
  const store = Object.assign(createOpenStore(), { name: 'tabs' })
  const apis = Array.from({ length: count }, () => axios.create({ baseURL: server.url }))
  const clients = apis.map((api) =>
    createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }), store, clock }),
  )
  await clients[0]!.signIn(tokensOf(server.login()))
  store.hint()
  return { server, clock, store, apis, clients }
}

describe('G5: a refresh through `http`', () => {
  const through = async ({ http, refreshToken, signal }: RefreshContext): Promise<Grant> =>
    grantOf(await http.post('/auth/refresh', { refresh_token: refreshToken }, { signal }))

  it("G5: http has the instance's defaults at the time of the refresh", async () => {
    const { server, api } = await setUp({ refresh: through })
    api.defaults.headers.common['x-app'] = 'v2'
    api.defaults.params = { tenant: 'acme' }
    api.defaults.headers.post['x-post'] = 'yes'
    server.killAccessTokens()
    await api.get('/api/me')
    const [refresh] = server.requestsTo('/auth/refresh')
    expect(refresh).toMatchObject({ query: { tenant: 'acme' }, headers: { 'x-app': 'v2', 'x-post': 'yes' } })
    api.defaults.headers.common['x-app'] = 'v3'
    server.killAccessTokens()
    await api.get('/api/me')
    expect(server.requestsTo('/auth/refresh').at(-1)?.headers['x-app']).toBe('v3')
  })

  it("G5: http follows the instance's baseURL and adapter", async () => {
    const other = await startServer()
    const { server, api, auth } = await setUp({ refresh: through })
    await auth.signIn(tokensOf(other.login()))
    api.defaults.baseURL = other.url
    let sent = 0
    const http = adapterAsFunction('http')
    api.defaults.adapter = (config) => {
      sent++
      return http(config)
    }
    await auth.refresh()
    expect(sent).toBe(1)
    expect(other.counts.refreshes).toBe(1)
    expect(server.counts.requests).toBe(0)
  })

  it("G5: http runs none of the instance's interceptors, and carries no access token", async () => {
    const seen: string[] = []
    const { server, api } = await setUp({ refresh: through })
    api.interceptors.request.use((config) => {
      seen.push(`request ${config.url}`)
      return config
    })
    api.interceptors.response.use((response) => {
      seen.push(`response ${response.config.url}`)
      return response
    })
    server.killAccessTokens()
    await api.get('/api/me')
    expect(seen).toEqual(['request /api/me', 'response /api/me'])
    expect(server.requestsTo('/auth/refresh').map(({ headers }) => headers.authorization)).toEqual([
      undefined,
    ])
  })

  it('G5: what a refresh sets on the defaults of http stays off the instance', async () => {
    const { server, api } = await setUp({
      refresh(context) {
        context.http.defaults.headers.common.Authorization = `Bearer ${context.refreshToken}`
        return through(context)
      },
    })
    server.killAccessTokens()
    expect((await api.get('/api/me')).status).toBe(200)
    expect(refreshTokensAt(server)).toEqual([bearerOf(server.requestsTo('/auth/refresh')[0]!)])
    expect(api.defaults.headers.common.Authorization).toBeUndefined()
  })

  const mangled: [string, (defaults: AxiosInstance['defaults']) => void][] = [
    ['transformResponse', (defaults) => void (defaults.transformResponse = [() => 'mangled'])],
    ['transformRequest', (defaults) => void (defaults.transformRequest = [() => '{"mangled":true}'])],
    ['responseType (arraybuffer)', (defaults) => void (defaults.responseType = 'arraybuffer')],
    ['responseType (stream)', (defaults) => void (defaults.responseType = 'stream')],
    ['parsing of JSON', (defaults) => void (defaults.transitional = { forcedJSONParsing: false })],
    ['validateStatus', (defaults) => void (defaults.validateStatus = () => false)],
  ]
  it.each(mangled)("G5: http uses axios's own %s instead of the instance's", async (_, set) => {
    const { server, api, auth } = await setUp({ refresh: through })
    set(api.defaults)
    server.killAccessTokens()
    await auth.refresh()
    expect(server.counts).toMatchObject({ refreshes: 1, granted: 1 })
  })

  it('G5: http sees a refusal even when the instance accepts every status', async () => {
    const { server, api, auth } = await setUp({ refresh: through })
    api.defaults.validateStatus = () => true
    server.refresh.next(401)
    expect(await failureOf(auth.refresh())).toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(server.counts.refreshes).toBe(1)
  })

  it('G5: http does not wait for a limiter that has used every slot of the instance', async () => {
    const { server, api } = await setUp()
    let busy = false
    const queue: (() => void)[] = []
    // One slot: the request in it is the one that needs the refresh.
    api.interceptors.request.use(async (config) => {
      if (busy) await new Promise<void>((resolve) => queue.push(resolve))
      busy = true
      return config
    })
    const free = (): void => {
      busy = false
      queue.shift()?.()
    }
    api.interceptors.response.use(
      (response) => {
        free()
        return response
      },
      (error) => {
        free()
        throw error
      },
    )
    server.killAccessTokens()
    expect(outcomesOf(await settleAll(fire([api], 5)))).toEqual(Array(5).fill('ok'))
    expect(server.counts.refreshes).toBe(1)
  })
})

/** How a refresh token may travel in a call of the user's own. */
const carriers: [string, (call: AxiosInstance, token: string) => Promise<unknown>][] = [
  ['a JSON body', (call, token) => call.post('/own/refresh', { refresh_token: token })],
  ['a nested JSON body', (call, token) => call.post('/own/refresh', { auth: { tokens: [token] } })],
  [
    'a text',
    (call, token) => call.post('/own/refresh', token, { headers: { 'Content-Type': 'text/plain' } }),
  ],
  [
    'URLSearchParams',
    (call, token) => call.post('/own/refresh', new URLSearchParams({ refresh_token: token })),
  ],
  [
    'a form-encoded text',
    (call, token) =>
      call.post('/own/refresh', `grant_type=refresh_token&refresh_token=${encodeURIComponent(token)}`),
  ],
  ['postForm', (call, token) => call.postForm('/own/refresh', { refresh_token: token })],
  [
    'a native FormData',
    (call, token) => {
      const form = new FormData()
      form.set('refresh_token', token)
      return call.post('/own/refresh', form)
    },
  ],
  ['the query', (call, token) => call.get('/own/refresh', { params: { refresh_token: token } })],
  ['the URL', (call, token) => call.get(`/own/refresh?refresh_token=${encodeURIComponent(token)}`)],
  ['the path', (call, token) => call.get(`/own/refresh/${encodeURIComponent(token)}`)],
  [
    'a Bearer of its own',
    (call, token) => call.post('/own/refresh', {}, { headers: { Authorization: `Bearer ${token}` } }),
  ],
  [
    'a header of its own',
    (call, token) => call.post('/own/refresh', {}, { headers: { 'X-Refresh': token } }),
  ],
  [
    'a cookie',
    (call, token) => call.post('/own/refresh', {}, { headers: { Cookie: `lang=en; rt=${token}` } }),
  ],
]

describe('G5: a refresh through the wrapped instance', () => {
  /** A world whose refresh is one's own and may use the wrapped instance. */
  async function setUpOwn(
    refresh: (context: RefreshContext, world: Attached) => Promise<Grant>,
    options: AuthClientOptions = {},
  ): Promise<Attached> {
    let world: Attached | undefined
    world = await setUpAttached({ ...options, refresh: (context) => refresh(context, world as Attached) })
    return world
  }

  /** The refresh endpoint of the carriers: it asks for nothing and grants. */
  function openEndpoint({ server }: World): void {
    server.route(
      ({ path }) => path.startsWith('/own/refresh'),
      () => ({
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(server.login()),
      }),
    )
  }

  async function burst({ server, instances, events }: Attached): Promise<string[]> {
    server.killAccessTokens()
    const outcomes = outcomesOf(await settleAll(fire(instances, 12)))
    expect(eventsOf(events, 'refreshStart')).toHaveLength(1)
    return outcomes
  }

  const everybody = (word: string): string[] => Array(12).fill(word)

  const forms: [string, (world: Attached, data: object) => Promise<{ data: LoginAnswer }>][] = [
    ['post()', ({ api }, data) => api.post('/auth/refresh', data)],
    ['request()', ({ api }, data) => api.request({ method: 'post', url: '/auth/refresh', data })],
    ['the instance itself', ({ api }, data) => api({ method: 'post', url: '/auth/refresh', data })],
    ['an attached instance', ({ instances }, data) => instances[1].post('/auth/refresh', data)],
  ]
  it.each(forms)('G5: a call before the first await is recognised: %s', async (_, send) => {
    // What it carries gives nothing away: the endpoint's token goes by a path that only the server understands.
    const world = await setUpOwn((__, inner) => send(inner, {}).then(grantOf))
    const { server } = world
    server.route('/auth/refresh', () => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(server.login()),
    }))
    expect(await burst(world)).toEqual(everybody('ok'))
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 12, protectedOk: 12 })
    expect(server.requestsTo('/auth/refresh').map(({ headers }) => headers.authorization)).toEqual([
      undefined,
    ])
  })

  it('G5: a call before the first await is recognised behind asynchronous interceptors of the user', async () => {
    const world = await setUpOwn((_, { api }) => api.post('/own/refresh', {}).then(grantOf))
    openEndpoint(world)
    for (const instance of world.instances) {
      instance.interceptors.request.use(async (config) => {
        await microtasksDone()
        return { ...config }
      })
    }
    expect(await burst(world)).toEqual(everybody('ok'))
  })

  it('G5: a call before the first await is recognised in every attempt', async () => {
    const world = await setUpOwn(({ refreshToken }, { api }) =>
      api.post('/auth/refresh', { refresh_token: refreshToken }).then(grantOf),
    )
    const { server, instances, clock } = world
    server.refresh.next(503, 'drop-before')
    server.killAccessTokens()
    const all = fire(instances, 12)
    for (const attempt of [1, 2]) {
      await clock.until(() => clock.pending === 2, `attempt ${attempt} has failed`)
      await clock.advance(clock.nextInMs ?? 0)
    }
    expect(outcomesOf(await settleAll(all))).toEqual(everybody('ok'))
    expect(server.counts).toMatchObject({ refreshes: 3, granted: 1 })
  })

  it.each([[{ place: false }], [{ refresh: false }], [{}], [false as const]])(
    'G5: a call before the first await is recognised whatever its own authClient says: %j',
    async (authClient) => {
      const world = await setUpOwn((_, { api }) => api.post('/own/refresh', {}, { authClient }).then(grantOf))
      openEndpoint(world)
      expect(await burst(world)).toEqual(everybody('ok'))
    },
  )

  it('G5: a large binary body that is posted meanwhile is not searched for the refresh token', async () => {
    const { server, api, auth } = await setUp()
    const hold = server.holdRefresh()
    const refreshed = auth.refresh()
    await hold.waiting(1)
    const startedAtMs = performance.now()
    const upload = settleAll([api.post('/public/upload', Buffer.alloc(8_000_000))], 20_000)
    await microtasksDone()
    // Written out as a text it would hold up everybody else for seconds.
    const blockedMs = performance.now() - startedAtMs
    hold.releaseAll()
    expect(outcomesOf([...(await settleAll([refreshed])), ...(await upload)])).toEqual(['ok', 'ok'])
    expect(blockedMs).toBeLessThan(1000)
  }, 30_000)

  it('G5: only the refresh call is recognised: other requests made meanwhile wait as usual', async () => {
    let meanwhile: Promise<unknown>[] = []
    const world = await setUpOwn(async ({ refreshToken, signal }, { api, instances }) => {
      const answer = api.post('/auth/refresh', { refresh_token: refreshToken }, { signal })
      await microtasksDone()
      meanwhile = fire(instances, 6, '/api/meanwhile')
      return grantOf(await answer)
    })
    expect(await burst(world)).toEqual(everybody('ok'))
    expect(outcomesOf(await settleAll(meanwhile))).toEqual(Array(6).fill('ok'))
    expect(tokensAt(world.server, '/api/meanwhile/*')).toEqual(Array(6).fill(latestToken(world)))
  })

  it('G5: a request that a refreshStart listener makes waits like any other', async () => {
    const world = await setUpOwn(({ refreshToken }, { api }) =>
      api.post('/auth/refresh', { refresh_token: refreshToken }).then(grantOf),
    )
    const { auth, api } = world
    const sent: Promise<unknown>[] = []
    auth.on('refreshStart', () => void sent.push(api.get('/api/sent')))
    auth.subscribe(() => void sent.push(api.get('/api/sent')))
    expect(await burst(world)).toEqual(everybody('ok'))
    expect(sent.length).toBeGreaterThan(1)
    expect(outcomesOf(await settleAll(sent))).toEqual(sent.map(() => 'ok'))
    expect(world.server.counts.refreshes).toBe(1)
  })

  for (const [name, send] of carriers) {
    it(`G5: a call after an await is recognised by the refresh token in ${name}`, async () => {
      const world = await setUpOwn(async ({ refreshToken = '' }, { api }) => {
        await microtasksDone()
        return grantOf((await send(api, refreshToken)) as { data: LoginAnswer })
      })
      openEndpoint(world)
      expect(await burst(world)).toEqual(everybody('ok'))
      const [own] = world.server.requestsTo(({ path }) => path.startsWith('/own/'))
      expect(bearerOf(own!)).not.toBe(world.login.access_token)
    })
  }

  for (const [name, send] of carriers.slice(0, 11)) {
    it(`G5: a refresh token with characters that need escaping is recognised in ${name}`, async () => {
      const world = await setUpOwn(async ({ refreshToken = '' }, { api }) => {
        await microtasksDone()
        return grantOf((await send(api, refreshToken)) as { data: LoginAnswer })
      })
      const token = 'a~b+c/d=e*f.g-h_i!j\'k(l)m&n"o\\p'
      await world.auth.updateTokens({ accessToken: world.login.access_token, refreshToken: token })
      openEndpoint(world)
      expect(await burst(world)).toEqual(everybody('ok'))
    })
  }

  it('G5: a request is searched for that token although JSON cannot serialise it', async () => {
    const { server, api, auth } = await setUp()
    const hold = server.holdRefresh()
    const refreshed = auth.refresh()
    await hold.waiting(1)
    expect((await api.get('/api/item', { params: { id: 12345678901234567890n } })).status).toBe(200)
    hold.releaseAll()
    await refreshed
    expect(server.requestsTo('/api/item')[0]?.search).toBe('?id=12345678901234567890')
  })

  it.each(['http', 'fetch'] as const)(
    "G5: a call after an await is recognised by the context's signal (%s adapter)",
    async (adapter) => {
      const world = await setUpOwn(async ({ signal }, { instances }) => {
        await microtasksDone()
        return grantOf(await instances[2].post('/own/refresh', {}, { signal }))
      })
      for (const instance of world.instances) instance.defaults.adapter = adapterNamed(adapter)
      openEndpoint(world)
      expect(await burst(world)).toEqual(everybody('ok'))
    },
  )

  it('G5: a recognised call that gets a 401 ends the session instead of waiting for itself', async () => {
    const world = await setUpOwn(({ refreshToken }, { api }) =>
      api.post('/auth/refresh', { refresh_token: refreshToken }).then(grantOf),
    )
    world.server.refresh.always(401)
    expect(await burst(world)).toEqual(everybody('SESSION_EXPIRED'))
    expect(world.server.counts.refreshes).toBe(1)
    expect(world.ends.map(({ reason }) => reason)).toEqual(['refused'])
  })

  it('G5: a recognised call also refreshes a stale or expired token', async () => {
    const world = await setUpOwn(async ({ refreshToken }, { api }) => {
      await microtasksDone()
      return grantOf(await api.post('/auth/refresh', { refresh_token: refreshToken }))
    })
    const { clock, api, auth, server } = world
    clock.jump(300_000)
    await api.get('/api/me')
    clock.jump(280_000)
    await api.get('/api/me')
    await auth.refresh()
    await api.get('/api/me')
    expect(server.counts).toMatchObject({ refreshes: 2, answered401: 0, reuses: 0 })
  })

  const deadlocks: [string, (context: RefreshContext, world: Attached) => Promise<unknown>][] = [
    [
      'calls the wrapped instance after an await, with nothing to recognise it by',
      (_, { api }) => api.post('/own/refresh', {}),
    ],
    [
      'calls an attached instance after an await',
      (_, { instances }) => instances[1].post('/own/refresh', {}),
    ],
    ['asks for a protected resource first', (_, { api }) => api.get('/api/csrf')],
    ['waits for refresh()', (_, { auth }) => auth.refresh()],
    ['waits for getAccessToken()', (_, { auth }) => auth.getAccessToken()],
  ]
  for (const [name, wait] of deadlocks) {
    it(`G5: a refresh that ${name} ends in time with a message that names \`http\``, async () => {
      const world = await setUpOwn(async (context, inner) => {
        await microtasksDone()
        await wait(context, inner)
        return { accessToken: 'too late' }
      })
      openEndpoint(world)
      const { server, instances, clock, auth } = world
      server.killAccessTokens()
      const all = fire(instances, 12)
      await server.until(() => server.counts.answered401 === 12, 'everybody has a 401')
      await clock.until(() => clock.pending === 1)
      await roundTrip(world)
      await clock.advance(14_999)
      expect(auth.getSnapshot().refreshing).toBe(true)
      await clock.advance(1)
      const results = await settleAll(all)
      expect(outcomesOf(results)).toEqual(everybody('REFRESH_TIMEOUT'))
      const [first] = results
      expect(authErrorOf((first as PromiseRejectedResult).reason)?.message).toContain('`http`')
      expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
      expect(auth.stats().heldNow).toBe(0)
    })
  }

  it('G5: a shorter refreshTimeoutMs ends it sooner', async () => {
    const world = await setUpOwn(
      async (_, { api }) => {
        await microtasksDone()
        return grantOf(await api.post('/own/refresh', {}))
      },
      { refreshTimeoutMs: 500 },
    )
    const { server, api, clock } = world
    server.killAccessTokens()
    const failed = failureOf(api.get('/api/me'))
    await clock.until(() => clock.pending === 1)
    await clock.advance(500)
    expect(authErrorOf(await failed)?.message).toMatch(/within 500 ms.*`http`/)
  })
})
