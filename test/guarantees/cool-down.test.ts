// G10 and G12: after a refresh that failed. Who fails fast and for how long, what ends it, and who is not concerned.

import type { Readable } from 'node:stream'
import axios, { type AxiosError } from 'axios'
import { describe, expect, it, vi } from 'vitest'
import { authErrorOf } from '../../src/index.js'
import type { RefreshBehaviour } from '../support/auth-server.js'
import {
  eventsOf,
  failureOf,
  landed,
  outcomesOf,
  type SetUpOptions,
  setUp,
  tokensOf,
  type World,
} from '../support/client.js'
import { settleAll } from '../support/settle-all.js'
import { createOpenStore, rotatedElsewhere } from '../support/stores.js'

/** A client whose token is refused and whose refresh has just failed. */
async function failed(behaviour: RefreshBehaviour = 404, options: SetUpOptions = {}): Promise<World> {
  const world = await setUp({ refreshRetry: { limit: 0 }, ...options })
  world.server.killAccessTokens()
  world.server.refresh.next(behaviour)
  await settleAll([world.api.get('/api/first')])
  expect(eventsOf(world.events, 'refreshFailed')).toHaveLength(1)
  world.server.forget()
  return world
}

describe('G10: during the cool-down', () => {
  it.each<[RefreshBehaviour, string]>([
    [404, 'REFRESH_FAILED'],
    [503, 'REFRESH_FAILED'],
    ['html', 'BAD_GRANT'],
  ])(
    'G10: after %j, requests whose token was rejected fail at once with %s and are not sent',
    async (behaviour, code) => {
      const { server, api, auth, clock } = await failed(behaviour)
      const results = await settleAll<unknown>([
        api.get('/api/x'),
        api.post('/api/y', {}),
        auth.getAccessToken(),
      ])
      expect(outcomesOf(results)).toEqual([code, code, code])
      const [get] = results as [PromiseRejectedResult]
      expect(axios.isAxiosError(get.reason)).toBe(true)
      expect(get.reason).toMatchObject({ code, config: { url: '/api/x' } })
      expect(get.reason.response).toBeUndefined()
      expect(server.counts.requests).toBe(0)
      expect(clock.pending).toBe(0)
    },
  )

  it('G10: requests whose token has expired by the clock fail at once too', async () => {
    const { server, api, clock } = await setUp({ refreshRetry: { limit: 0 } })
    clock.jump(300_000)
    server.refresh.next(404)
    expect(outcomesOf(await settleAll([api.get('/api/x')]))).toEqual(['REFRESH_FAILED'])
    expect(outcomesOf(await settleAll([api.get('/api/x'), api.get('/api/y')]))).toEqual([
      'REFRESH_FAILED',
      'REFRESH_FAILED',
    ])
    expect(server.counts).toMatchObject({ requests: 1, refreshes: 1 })
  })

  it('G10: a 401 that was on the wire is passed on unchanged, with the refresh failure as its cause', async () => {
    const world = await setUp({ refreshRetry: { limit: 0 } })
    const { server, api } = world
    server.killAccessTokens()
    server.refresh.next(404)
    const late = server.hold('/api/late', { at: 'answer' })
    const straggler = api.get('/api/late')
    await late.waiting(1)
    await settleAll([api.get('/api/first')])
    late.releaseAll()
    const [result] = await settleAll([straggler])
    expect(result).toMatchObject({
      status: 'rejected',
      reason: { response: { status: 401 }, cause: { code: 'REFRESH_FAILED' } },
    })
    expect(server.counts.refreshes).toBe(1)
  })

  it('G10: requests that opted out of the refresh or the token are sent, without the expired token', async () => {
    const { server, api } = await failed()
    const results = await settleAll([
      api.get('/public/x', { authClient: false }),
      api.get('/public/y', { authClient: { refresh: false } }),
    ])
    expect(outcomesOf(results)).toEqual(['ok', 'ok'])
    expect(server.tokensSeen()).toEqual([])
  })

  it('G10: the session and its tokens are kept, also across a reload', async () => {
    const store = createOpenStore()
    const { auth, login, ends } = await failed(503, { store })
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'ada' })
    expect(store.kept).toMatchObject({
      tokens: { accessToken: login.access_token, refreshToken: login.refresh_token },
    })
    expect(ends).toEqual([])
  })
})

describe('G10: the length of the cool-down', () => {
  it('G10: the cool-down grows from 1 s to 30 s, and one refresh is tried after each', async () => {
    const { server, api, clock, events } = await setUp({ refreshRetry: { limit: 0 } })
    server.killAccessTokens()
    server.refresh.always(503)
    const spans = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]
    for (const [i, span] of spans.entries()) {
      await settleAll([api.get('/api/x'), api.get('/api/y'), api.get('/api/z')])
      expect(server.counts.refreshes).toBe(i + 1)
      await clock.advance(span - 1)
      await settleAll([api.get('/api/x')])
      expect(server.counts.refreshes).toBe(i + 1)
      await clock.advance(1)
    }
    expect(eventsOf(events, 'refreshFailed').map(({ coolDownMs }) => coolDownMs)).toEqual(spans)
    expect(clock.pending).toBe(0)
  })

  it('G10: the cool-down starts at 1 s again after a successful refresh', async () => {
    const { server, api, clock, events } = await failed()
    await clock.advance(1000)
    server.refresh.next(404)
    await settleAll([api.get('/api/x')])
    await clock.advance(2000)
    expect((await api.get('/api/x')).status).toBe(200)
    server.killAccessTokens()
    server.refresh.next(404)
    await settleAll([api.get('/api/x')])
    expect(eventsOf(events, 'refreshFailed').map(({ coolDownMs }) => coolDownMs)).toEqual([1000, 2000, 1000])
  })

  it('G10: when the cool-down ends, one refresh answers every request', async () => {
    const { server, api, clock } = await failed()
    await clock.advance(1000)
    const results = await settleAll([1, 2, 3, 4].map((i) => api.get(`/api/${i}`)))
    expect(outcomesOf(results)).toEqual(['ok', 'ok', 'ok', 'ok'])
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 4, answered401: 0 })
  })
})

describe('G10: what ends the cool-down', () => {
  it('G10: an online event ends the cool-down', async () => {
    const page = new EventTarget()
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page))
    const { server, api } = await failed()
    expect(outcomesOf(await settleAll([api.get('/api/x')]))).toEqual(['REFRESH_FAILED'])
    page.dispatchEvent(new Event('online'))
    // It does not refresh by itself: the next request does.
    expect(server.counts.requests).toBe(0)
    expect(outcomesOf(await settleAll([api.get('/api/x'), api.get('/api/y')]))).toEqual(['ok', 'ok'])
    expect(server.counts.refreshes).toBe(1)
  })

  it('G10: an online event does nothing when nobody is signed in', async () => {
    const listeners: EventListener[] = []
    vi.stubGlobal('addEventListener', (_: string, listener: EventListener) => listeners.push(listener))
    vi.stubGlobal('removeEventListener', () => {})
    await setUp({ signedIn: false })
    expect(listeners.length).toBeGreaterThan(0)
    for (const listener of listeners) expect(() => listener(new Event('online'))).not.toThrow()
  })

  it('G10: waiting requests reject with the failure, although a listener starts another refresh at once', async () => {
    const { server, api, auth } = await setUp({ refreshRetry: { limit: 0 } })
    server.killAccessTokens()
    const hold = server.holdRefresh()
    const waiting = settleAll([api.get('/api/x')])
    await hold.waiting(1)
    let again: Promise<unknown> | undefined
    auth.on('refreshFailed', () => {
      again ??= auth.refresh()
    })
    server.refresh.next(503)
    hold.release()
    expect(outcomesOf(await waiting)).toEqual(['REFRESH_FAILED'])
    hold.releaseAll()
    await again
  })

  it.each([
    ['a failure is known', ({ server }: World) => server.refresh.next(404), 'REFRESH_FAILED'],
    ['its session is over', ({ server }: World) => server.refresh.next(401), 'SESSION_EXPIRED'],
  ])('G10: a streamed 401 can be read where no refresh follows: %s', async (_, prepare, code) => {
    const world = await setUp({ refreshRetry: { limit: 0 } })
    const { server, api, auth } = world
    server.killAccessTokens()
    const hold = server.hold('/api/late', { at: 'answer', first: 1 })
    const late = failureOf(api.get('/api/late', { responseType: 'stream' }))
    await hold.waiting(1)
    prepare(world)
    await failureOf(auth.refresh())
    hold.releaseAll()
    const error = (await late) as AxiosError<Readable>
    expect(authErrorOf(error)?.code).toBe(code)
    expect((await error.response?.data.toArray())?.join('')).toContain('{')
  })

  it('G10: refresh() ignores the cool-down, and ends it when it succeeds', async () => {
    const { server, auth, api } = await failed()
    await expect(auth.refresh()).resolves.toMatchObject({ status: 'signed-in' })
    expect((await api.get('/api/x')).status).toBe(200)
    expect(server.counts.refreshes).toBe(1)
  })

  it('G10: requests wait for the refresh that refresh() started in the cool-down', async () => {
    const { server, auth, api } = await failed()
    const hold = server.holdRefresh()
    const asked = auth.refresh()
    const requests = [api.get('/api/x'), api.get('/api/y')]
    await hold.waiting(1)
    expect(server.counts.requests).toBe(1)
    hold.releaseAll()
    expect(outcomesOf(await settleAll<unknown>([asked, ...requests]))).toEqual(['ok', 'ok', 'ok'])
    expect(server.counts.refreshes).toBe(1)
  })

  it('G6: a streamed 401 that waits for that refresh keeps no connection open', async () => {
    const { server, auth, api } = await setUp({ refreshRetry: { limit: 0 } })
    server.killAccessTokens()
    server.refresh.next(404)
    const late = server.hold('/api/stream', { at: 'answer' })
    // More than the sockets in between can hold.
    const params = { bytes: 16_000_000 }
    const straggler = api.get<Readable>('/api/stream', { params, responseType: 'stream' })
    await late.waiting(1)
    await settleAll([api.get('/api/first')])
    const refresh = server.holdRefresh()
    const asked = auth.refresh()
    await refresh.waiting(1)
    late.releaseAll()
    const [refused] = server.requestsTo('/api/stream')
    await server.until(() => !!refused?.aborted, 'the connection of the first answer is closed')
    refresh.releaseAll()
    const [{ data, status }] = await Promise.all([straggler, asked])
    data.destroy()
    expect(status).toBe(200)
  })

  it('G10: refresh() that fails again makes the cool-down longer', async () => {
    const { server, auth, events } = await failed()
    server.refresh.next(404)
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'REFRESH_FAILED' })
    expect(eventsOf(events, 'refreshFailed').map(({ coolDownMs }) => coolDownMs)).toEqual([1000, 2000])
  })

  it('G10: updateTokens ends the cool-down, also for the next refusal', async () => {
    const { server, auth, api } = await failed()
    await auth.updateTokens(tokensOf(server.login()))
    expect((await api.get('/api/x')).status).toBe(200)
    expect(server.counts.refreshes).toBe(0)
    server.killAccessTokens()
    expect((await api.get('/api/y')).status).toBe(200)
    expect(server.counts.refreshes).toBe(1)
  })

  it('G10: signIn ends the cool-down', async () => {
    const { server, auth, api } = await failed()
    await auth.signIn(tokensOf(server.login('bob')))
    expect((await api.get<{ user: string }>('/api/x')).data.user).toBe('bob')
    server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
    expect(server.counts.refreshes).toBe(1)
  })

  it('G10: newer tokens found in the store end the cool-down', async () => {
    const store = createOpenStore()
    const { server, api } = await failed(404, { store })
    const { access_token } = server.login()
    rotatedElsewhere(store, { accessToken: access_token })
    store.hint()
    expect((await api.get('/api/x')).status).toBe(200)
    expect(server.counts.refreshes).toBe(0)
  })

  it('G10: the failure of a refresh does not affect tokens that came during it', async () => {
    const { server, api, auth } = await setUp({ refreshRetry: { limit: 0 } })
    const hold = server.holdRefresh()
    server.killAccessTokens()
    const first = api.get('/api/first')
    await hold.waiting(1)
    // Without a refresh token: the refresh under way goes on, and fails.
    await auth.updateTokens({ accessToken: server.login().access_token })
    expect((await first).status).toBe(200)
    server.refresh.next(404)
    hold.releaseAll()
    await landed(auth)
    server.killAccessTokens()
    expect(outcomesOf(await settleAll([api.get('/api/x')]))).toEqual(['ok'])
    expect(server.counts.refreshes).toBe(2)
  })
})

describe('G12: a proactive refresh that fails', () => {
  const STALE_MS = 280_000

  it.each<[string, RefreshBehaviour]>([
    ['answers 503', 503],
    ['answers 404', 404],
    ['is a captive portal', 'html'],
    ['cannot be reached', 'drop-before'],
  ])(
    'G12: requests are sent with the token that is still valid when the endpoint %s',
    async (_, behaviour) => {
      const { server, api, auth, clock, login } = await setUp({ refreshRetry: { limit: 0 } })
      server.refresh.always(behaviour)
      clock.jump(STALE_MS)
      for (let i = 0; i < 3; i++) expect((await api.get('/api/x')).status).toBe(200)
      expect(await auth.getAccessToken()).toBe(login.access_token)
      await landed(auth)
      expect(outcomesOf(await settleAll([api.get('/api/y'), api.get('/api/z')]))).toEqual(['ok', 'ok'])
      expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 5, answered401: 0 })
    },
  )

  it('G12: requests do not wait for a proactive refresh that hangs', async () => {
    const { server, api, auth, clock, login } = await setUp()
    const hold = server.holdRefresh()
    clock.jump(STALE_MS)
    expect(outcomesOf(await settleAll([api.get('/api/x'), api.get('/api/y')]))).toEqual(['ok', 'ok'])
    await hold.waiting(1)
    expect(await auth.getAccessToken()).toBe(login.access_token)
    await clock.advance(15_000)
    expect(auth.getSnapshot().refreshing).toBe(false)
    expect((await api.get('/api/z')).status).toBe(200)
    expect(server.counts.refreshes).toBe(1)
  })

  it('G12: a request that gets a 401 nevertheless waits for a refresh', async () => {
    const { server, api, clock, auth } = await setUp({ refreshRetry: { limit: 0 } })
    server.refresh.next(503)
    clock.jump(STALE_MS)
    await api.get('/api/x')
    await landed(auth)
    await clock.advance(1000)
    server.killAccessTokens()
    expect((await api.get('/api/y')).status).toBe(200)
    expect(server.counts).toMatchObject({ granted: 1, protectedOk: 2 })
  })

  it('G12: requests fail at once only after the token has expired during the cool-down', async () => {
    const { server, api, clock, auth } = await setUp({ refreshRetry: { limit: 0 } })
    server.refresh.always(503)
    clock.jump(299_500)
    await api.get('/api/x')
    await landed(auth)
    await clock.advance(499)
    expect((await api.get('/api/y')).status).toBe(200)
    await clock.advance(1)
    expect(outcomesOf(await settleAll([api.get('/api/z')]))).toEqual(['REFRESH_FAILED'])
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 2 })
  })

  it('G12: the refresh is tried again in the background after the cool-down', async () => {
    const { server, api, clock, auth } = await setUp({ refreshRetry: { limit: 0 } })
    server.refresh.next(503)
    clock.jump(STALE_MS)
    await api.get('/api/x')
    await landed(auth)
    await clock.advance(1000)
    await api.get('/api/y')
    await landed(auth)
    await api.get('/api/z')
    expect(server.log.at(-1)?.accessToken).toBe(server.sessions[0]?.accessToken)
    expect(server.counts.refreshes).toBe(2)
  })
})
