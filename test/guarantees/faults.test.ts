// G17: what a listener, hook or placement of the app throws stays its own. (A failing store: stores.test.ts.)

import { beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest'
import {
  type AuthClientOptions,
  type AuthEvents,
  bearerHeader,
  type Placement,
  refreshWithBody,
} from '../../src/index.js'
import { eventsOf, outcomesOf, setUp } from '../support/client.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import { createOpenStore } from '../support/stores.js'

const fault = new Error('a slip of the app')

/** How code of the app can fail. */
const WAYS: [string, () => never][] = [
  [
    'throws',
    () => {
      throw fault
    },
  ],
  ['rejects', () => Promise.reject(fault) as never],
  [
    'throws nothing',
    () => {
      // biome-ignore lint/style/useThrowOnlyError: that is what is tested
      throw undefined
    },
  ],
]

let shown: MockInstance
beforeEach(() => {
  shown = vi.spyOn(console, 'error').mockReturnValue()
})

describe.each(WAYS)('G17: a listener that %s', (how, fail) => {
  it.each<keyof AuthEvents>(['refreshStart', 'refreshed', 'held', 'replay'])(
    `G17: of %s that ${how} breaks no request and no other listener`,
    async (name) => {
      const { server, api, auth, clock } = await setUp()
      const seen: string[] = []
      auth.on(name, () => void seen.push('before'))
      auth.on(name, fail)
      auth.on(name, () => void seen.push('after'))
      server.killAccessTokens()
      const results = await settleAll([1, 2, 3].map((i) => api.get(`/api/${i}`)))
      expect(outcomesOf(results)).toEqual(['ok', 'ok', 'ok'])
      expect(seen.length).toBeGreaterThan(0)
      expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => (i % 2 ? 'after' : 'before')))
      expect(server.counts.refreshes).toBe(1)
      await microtasksDone()
      expect(shown).toHaveBeenCalled()
      expect(clock.pending).toBe(0)
    },
  )

  it(`G17: a listener of refreshFailed or sessionEnd that ${how} affects no request and no other listener`, async () => {
    const { server, api, auth, events } = await setUp({ refreshRetry: { limit: 0 } })
    auth.on('refreshFailed', fail)
    auth.on('sessionEnd', fail)
    const seen: string[] = []
    auth.on('refreshFailed', () => void seen.push('refreshFailed'))
    auth.on('sessionEnd', () => void seen.push('sessionEnd'))
    server.killAccessTokens()
    server.refresh.next(404, 401)
    expect(outcomesOf(await settleAll([api.get('/api/x')]))).toEqual(['REFRESH_FAILED'])
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(seen).toEqual(['refreshFailed', 'refreshFailed', 'sessionEnd'])
    expect(eventsOf(events, 'sessionEnd')).toHaveLength(1)
    await microtasksDone()
  })

  it(`G17: a listener of storeError that ${how} affects nothing`, async () => {
    const store = createOpenStore()
    const { api, auth, server, events } = await setUp({ store })
    store.faults.set('save', new Error('full'))
    auth.on('storeError', fail)
    server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
    await microtasksDone()
    expect(eventsOf(events, 'storeError')).toHaveLength(1)
  })

  it(`G17: a subscriber that ${how} affects no request and no other subscriber`, async () => {
    const { server, api, auth } = await setUp()
    const seen: boolean[] = []
    auth.subscribe(fail)
    auth.subscribe(() => seen.push(auth.getSnapshot().refreshing))
    server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
    expect(seen[0]).toBe(true)
    expect(seen.at(-1)).toBe(false)
    await auth.signOut()
    expect(auth.getSnapshot().status).toBe('signed-out')
    await microtasksDone()
    expect(shown).toHaveBeenCalled()
  })
})

describe.each(WAYS)('G17: a hook that %s', (how, fail) => {
  it(`G17: onSessionEnd that ${how} neither keeps the session nor leaves a request waiting`, async () => {
    const store = createOpenStore()
    const { server, api, auth, events } = await setUp({ store, onSessionEnd: fail })
    server.killAccessTokens()
    server.refresh.next(401)
    const results = await settleAll([api.get('/api/x'), api.get('/api/y')])
    expect(outcomesOf(results)).toEqual(['SESSION_EXPIRED', 'SESSION_EXPIRED'])
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(store.kept).toBeUndefined()
    expect(eventsOf(events, 'sessionEnd')).toHaveLength(1)
    await microtasksDone()
    expect(shown).toHaveBeenCalled()
  })

  it(`G17: onSessionEnd that ${how} affects neither signOut nor signIn`, async () => {
    const { server, api, auth } = await setUp({ onSessionEnd: fail })
    const { access_token: accessToken } = server.login('bob')
    await auth.signIn({ accessToken })
    expect((await api.get('/api/x')).data.user).toBe('bob')
    await auth.signOut()
    expect(auth.getSnapshot().status).toBe('signed-out')
    await microtasksDone()
  })

  it(`G17: shouldRefresh that ${how} falls back to the status`, async () => {
    const { server, api } = await setUp({ shouldRefresh: fail })
    expect((await api.get('/api/x')).status).toBe(200)
    server.killAccessTokens()
    const results = await settleAll([api.get('/api/x'), api.get('/api/y')])
    expect(outcomesOf(results)).toEqual(['ok', 'ok'])
    const [forbidden] = await settleAll([api.get('/api/forbidden-scope')])
    expect(forbidden).toMatchObject({ reason: { response: { status: 401 } } })
    expect(server.counts.refreshes).toBe(1)
    await microtasksDone()
    expect(shown).toHaveBeenCalled()
  })

  it(`G17: readResponse that ${how} fails no request`, async () => {
    const { server, api, login, auth } = await setUp({ readResponse: fail })
    expect((await api.get('/api/x')).status).toBe(200)
    expect(await auth.getAccessToken()).toBe(login.access_token)
    server.killAccessTokens()
    expect((await api.get('/api/y')).status).toBe(200)
    expect(server.counts.refreshes).toBe(1)
    await microtasksDone()
    expect(shown).toHaveBeenCalled()
  })

  it(`G17: beforeReplay that ${how} does not prevent the replay`, async () => {
    const { server, api } = await setUp({ beforeReplay: fail })
    server.killAccessTokens()
    const results = await settleAll([api.get('/api/x'), api.post('/api/y', { a: 1 })])
    expect(outcomesOf(results)).toEqual(['ok', 'ok'])
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 2 })
    await microtasksDone()
    expect(shown).toHaveBeenCalled()
  })
})

describe('G17: further hooks', () => {
  it.each([
    [503, 404, 'REFRESH_FAILED'],
    [404, 404, 'REFRESH_FAILED'],
    [401, 401, 'SESSION_EXPIRED'],
  ])('G17: isFinal that throws falls back to the default for a %i', async (first, second, code) => {
    const { server, auth, clock } = await setUp({
      isFinal() {
        throw fault
      },
      refreshRetry: { baseDelayMs: 0 },
    })
    server.refresh.next(first, second)
    const settled = settleAll([auth.refresh()])
    if (first === 503) {
      await clock.until(() => clock.pending === 2)
      await clock.advance(0)
    }
    expect(outcomesOf(await settled)).toEqual([code])
    expect(shown).toHaveBeenCalledWith(expect.any(String), fault)
  })

  it('G17: a placement that throws sends the request without a token', async () => {
    const place: Placement = {
      place() {
        throw fault
      },
      remove() {},
    }
    const { server, api } = await setUp({ place })
    expect((await api.get('/public/x')).status).toBe(200)
    expect(server.tokensSeen()).toEqual([])
    const [refused] = await settleAll([api.get('/api/x')])
    expect(refused).toMatchObject({ reason: { response: { status: 401 } } })
    expect(server.counts.refreshes).toBe(0)
    expect(shown).toHaveBeenCalledWith(expect.any(String), fault)
  })

  it('G17: a placement whose remove throws fails no request', async () => {
    const place: Placement = {
      ...bearerHeader(),
      remove() {
        throw fault
      },
    }
    const { server, api } = await setUp({ place })
    expect((await api.get('/api/x')).status).toBe(200)
    server.killAccessTokens()
    expect((await api.get('/api/y')).status).toBe(200)
    expect(server.counts.refreshes).toBe(1)
  })

  it('G17: `extra` that throws is a failed refresh, and every request settles', async () => {
    const { server, api, auth } = await setUp({
      refreshRetry: { limit: 0 },
      refresh: refreshWithBody({
        url: '/auth/refresh',
        extra() {
          throw fault
        },
      }),
    })
    server.killAccessTokens()
    expect(outcomesOf(await settleAll([api.get('/api/x'), api.get('/api/y')]))).toEqual([
      'REFRESH_FAILED',
      'REFRESH_FAILED',
    ])
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  it('G17: all of them together affect nothing', async () => {
    const rejects = (): never => Promise.reject(fault) as never
    const options: AuthClientOptions = {
      shouldRefresh: rejects,
      readResponse: rejects,
      beforeReplay: rejects,
      onSessionEnd: rejects,
      isFinal: () => {
        throw fault
      },
    }
    const { server, api, auth, clock } = await setUp(options)
    for (const name of ['refreshStart', 'refreshed', 'held', 'replay', 'sessionEnd'] as const) {
      auth.on(name, rejects)
      auth.on(name, () => {
        throw fault
      })
    }
    auth.subscribe(rejects)
    server.killAccessTokens()
    const results = await settleAll(Array.from({ length: 20 }, (_, i) => api.get(`/api/${i}`)))
    expect(outcomesOf(results)).toEqual(Array(20).fill('ok'))
    expect(server.counts.refreshes).toBe(1)
    await auth.signOut()
    await microtasksDone()
    expect(clock.pending).toBe(0)
  })

  it('G17: a listener can remove itself or another listener', async () => {
    const { server, api, auth } = await setUp()
    const seen: string[] = []
    const stops = [
      auth.on('held', () => {
        seen.push('first')
        for (const stop of stops) stop()
      }),
      auth.on('held', () => void seen.push('second')),
    ]
    const stop = auth.subscribe(() => {
      seen.push('changed')
      stop()
    })
    server.killAccessTokens()
    await settleAll([api.get('/api/x'), api.get('/api/y')])
    expect(seen.filter((word) => word === 'first')).toHaveLength(1)
    expect(seen.filter((word) => word === 'changed')).toHaveLength(1)
  })

  it('G17: a listener can send more requests and start refreshes', async () => {
    const { server, api, auth } = await setUp()
    const more: Promise<unknown>[] = []
    auth.on('refreshStart', () => void more.push(api.get('/api/from-start'), auth.refresh()))
    auth.on('refreshed', () => void more.push(api.get('/api/from-refreshed'), auth.getAccessToken()))
    server.killAccessTokens()
    const first = await settleAll([api.get('/api/x')])
    expect(outcomesOf([...first, ...(await settleAll(more))])).toEqual(Array(5).fill('ok'))
    expect(server.counts.refreshes).toBe(1)
  })
})
