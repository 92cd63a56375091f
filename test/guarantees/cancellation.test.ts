// G18: a request that is given up while it waits. The refresh is held by the server, so that everything here happens
// before it ends.

import { getEventListeners } from 'node:events'
import axios, { type AxiosRequestConfig } from 'axios'
import axios027 from 'axios-0.27'
import { describe, expect, it } from 'vitest'
import { noCredential } from '../../src/index.js'
import { adapterAsFunction, refusing } from '../support/adapters.js'
import { eventsOf, failureOf, outcomesOf, setUp, untilHeld, type World } from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import { createRandom, shuffled } from '../support/shuffle.js'
import { createHandStore } from '../support/stores.js'

/** The two ways in which axios lets a caller give up. */
const WAYS: [string, () => { by: AxiosRequestConfig; cancel(): void }][] = [
  [
    'signal',
    () => {
      const controller = new AbortController()
      return { by: { signal: controller.signal }, cancel: () => controller.abort() }
    },
  ],
  [
    'CancelToken',
    () => {
      const { token, cancel } = axios.CancelToken.source()
      return { by: { cancelToken: token }, cancel: () => cancel('given up') }
    },
  ],
]

/** A refresh under way that the server holds; `first` met the 401. */
async function refreshing(world: World, by: AxiosRequestConfig = {}) {
  const { server, api } = world
  const hold = server.holdRefresh()
  server.killAccessTokens()
  const first = api.post('/api/first', { n: 1 }, by)
  first.catch(() => {})
  await hold.waiting(1)
  return { hold, first }
}

/** What was cancelled, as axios does it, for this request. */
function expectCancelled(error: unknown, url: string): void {
  expect(axios.isCancel(error)).toBe(true)
  expect(error).toBeInstanceOf(axios.CanceledError)
  expect(error).toMatchObject({ code: 'ERR_CANCELED' })
  const { config } = error as { config?: AxiosRequestConfig }
  if (config) expect(config.url).toBe(url)
  expect(JSON.stringify(config?.headers ?? {})).not.toContain('Bearer')
}

describe.each(WAYS)('G18: by %s', (name, way) => {
  it(`G18: a request aborted by ${name} while it waits before its first sending rejects at once, and is never sent`, async () => {
    const world = await setUp()
    const { server, api, auth, clock } = world
    const { hold, first } = await refreshing(world)
    const { by, cancel } = way()
    const given = failureOf(api.get('/api/given-up', by))
    const other = api.get('/api/other')
    await untilHeld(auth, 3)
    cancel()
    expectCancelled(await given, '/api/given-up')
    // The refresh has not ended, and does not know.
    expect(hold.count).toBe(1)
    expect(auth.stats().heldNow).toBe(2)
    expect(auth.getSnapshot().refreshing).toBe(true)
    hold.releaseAll()
    expect(outcomesOf(await settleAll([first, other]))).toEqual(['ok', 'ok'])
    await server.idle()
    expect(server.requestsTo('/api/given-up')).toEqual([])
    expect(server.counts).toMatchObject({ refreshes: 1, granted: 1 })
    expect(auth.stats().heldNow).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it(`G18: a request aborted by ${name} while it waits after a 401 rejects at once, and is not sent again`, async () => {
    const world = await setUp()
    const { server, api, auth } = world
    const { by, cancel } = way()
    const { hold, first } = await refreshing(world, by)
    const other = api.get('/api/other')
    await untilHeld(auth, 2)
    cancel()
    const error = await failureOf(first)
    expectCancelled(error, '/api/first')
    expect(hold.count).toBe(1)
    hold.releaseAll()
    // It had started the refresh, which goes on for the others.
    expect((await other).status).toBe(200)
    await server.idle()
    expect(server.requestsTo('/api/first')).toHaveLength(1)
    expect(server.counts).toMatchObject({ refreshes: 1, granted: 1 })
    expect(auth.stats()).toMatchObject({ heldNow: 0, replays: 0 })
  })

  it(`G18: when every request is aborted by ${name}, the refresh continues and its grant counts`, async () => {
    const world = await setUp()
    const { server, api, auth } = world
    const { by, cancel } = way()
    const { hold, first } = await refreshing(world, by)
    const all = [first, ...[1, 2, 3].map((i) => api.get(`/api/${i}`, by))]
    await untilHeld(auth, 4)
    cancel()
    expect(outcomesOf(await settleAll(all))).toEqual(Array(4).fill('cancelled'))
    hold.releaseAll()
    const later = await api.get('/api/later')
    expect(later.status).toBe(200)
    expect(server.counts).toMatchObject({ refreshes: 1, granted: 1, protectedOk: 1 })
  })

  it(`G18: a request aborted by ${name} while an asynchronous store is read is never sent`, async () => {
    const store = createHandStore()
    store.hold('load')
    const { server, api, auth } = await setUp({ store, signedIn: false })
    const { by, cancel } = way()
    const given = failureOf(api.get('/public/given-up', by))
    const other = api.get('/public/other')
    await store.waiting('load')
    await microtasksDone()
    cancel()
    expectCancelled(await given, '/public/given-up')
    store.releaseAll()
    await other
    expect(server.requestsTo('/public/given-up')).toEqual([])
    expect(auth.stats().heldNow).toBe(0)
  })

  it(`G18: a request aborted by ${name} while a session is restored is never sent`, async () => {
    const hand = createHandRefresh(true)
    const { server, api, auth } = await setUp({
      refresh: hand.refresh,
      place: noCredential(),
      signedIn: false,
    })
    const restored = auth.refresh()
    const call = await hand.call(1)
    const { by, cancel } = way()
    const given = failureOf(api.get('/public/given-up', by))
    const other = api.get('/public/other')
    await microtasksDone()
    cancel()
    expectCancelled(await given, '/public/given-up')
    call.answer({} as never)
    expect((await restored).status).toBe('signed-in')
    await other
    expect(server.requestsTo('/public/given-up')).toEqual([])
  })

  it(`G18: a request aborted by ${name} while its hook is awaited is not sent again`, async () => {
    let enter = (_: () => void): void => {}
    const inHook = new Promise<() => void>((resolve) => {
      enter = resolve
    })
    const { server, api } = await setUp({ beforeReplay: () => new Promise<void>((leave) => enter(leave)) })
    server.killAccessTokens()
    const { by, cancel } = way()
    const given = failureOf(api.get('/api/given-up', by))
    const leave = await inHook
    cancel()
    expectCancelled(await given, '/api/given-up')
    leave()
    await server.idle()
    expect(server.requestsTo('/api/given-up')).toHaveLength(1)
  })

  it(`G18: a request aborted by ${name} while shouldRefresh is pending rejects at once`, async () => {
    let ask = (): void => {}
    const asked = new Promise<void>((resolve) => {
      ask = resolve
    })
    const { server, api } = await setUp({
      shouldRefresh() {
        ask()
        return new Promise<boolean>(() => {})
      },
    })
    server.killAccessTokens()
    const { by, cancel } = way()
    const given = failureOf(api.get('/api/given-up', by))
    await asked
    cancel()
    expectCancelled(await given, '/api/given-up')
    expect(server.counts.refreshes).toBe(0)
  })

  it(`G18: a request aborted by ${name} beforehand is not sent and waits for nothing`, async () => {
    const world = await setUp()
    const { hold, first } = await refreshing(world)
    const { by, cancel } = way()
    cancel()
    expect(axios.isCancel(await failureOf(world.api.get('/api/given-up', by)))).toBe(true)
    hold.releaseAll()
    await first
    expect(world.server.requestsTo('/api/given-up')).toEqual([])
  })

  it.each([0, 1, 2, 3, 4, 5, 6, 7])(
    `G18: a request aborted by ${name} %i ticks after the refresh was answered is answered or cancelled, never both`,
    async (ticks) => {
      const hand = createHandRefresh()
      const { server, api, auth } = await setUp({ refresh: hand.refresh })
      server.killAccessTokens()
      const { by, cancel } = way()
      const refused = api.get('/api/refused', by)
      const call = await hand.call(1)
      const held = api.get('/api/held', by)
      const other = api.get('/api/other')
      const settled = settleAll([refused, held, other])
      const { access_token: accessToken } = server.login()
      call.answer({ accessToken })
      for (let i = 0; i < ticks; i++) await undefined
      cancel()
      const outcomes = outcomesOf(await settled)
      expect(outcomes).toEqual(['cancelled', 'cancelled', 'ok'])
      await server.idle()
      // Whatever had left by then was broken off; nothing left later.
      for (const request of server.requestsTo('/api/held')) expect(request.aborted).toBe(true)
      expect(auth.stats().heldNow).toBe(0)
    },
  )

  it.each([1, 2, 3, 4, 5])(
    `G18: of fifty requests, those aborted by ${name} in any order are cancelled, all others answered (seed %i)`,
    async (seed) => {
      const world = await setUp()
      const { server, api, auth } = world
      const { hold, first } = await refreshing(world)
      const requests = Array.from({ length: 50 }, (_, i) => {
        const { by, cancel } = way()
        return { cancel, promise: api.get(`/api/${i}`, by) }
      })
      const settled = settleAll(requests.map(({ promise }) => promise))
      await untilHeld(auth, 51)
      const random = createRandom(seed)
      const given = new Set(shuffled([...requests.keys()], seed).slice(0, 20))
      for (const i of given) {
        requests[i]?.cancel()
        if (random() < 0.3) await undefined
      }
      await microtasksDone()
      expect(auth.stats().heldNow).toBe(31)
      hold.releaseAll()
      const outcomes = outcomesOf(await settled)
      expect(outcomes).toEqual(requests.map((_, i) => (given.has(i) ? 'cancelled' : 'ok')))
      expect((await first).status).toBe(200)
      for (const i of given) expect(server.requestsTo(`/api/${i}`)).toEqual([])
      expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 31 })
    },
  )
})

describe('G18: what is left behind', () => {
  it('G18: a signal that many requests share keeps no listener afterwards', async () => {
    const world = await setUp()
    const { api, auth } = world
    const { signal } = new AbortController()
    const { hold, first } = await refreshing(world, { signal })
    const all = [first, ...[1, 2, 3].map((i) => api.get(`/api/${i}`, { signal }))]
    await untilHeld(auth, 4)
    hold.releaseAll()
    await settleAll(all)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('G18: a CancelToken of axios 0.27, whose listener list must not change while it notifies, cancels every request that shares it', async () => {
    const world = await setUp()
    const { hold, first } = await refreshing(world)
    const { token, cancel } = axios027.CancelToken.source()
    const given = settleAll([1, 2, 3].map((i) => world.api.get(`/api/${i}`, { cancelToken: token as never })))
    await untilHeld(world.auth, 4)
    cancel()
    expect(outcomesOf(await given)).toEqual(Array(3).fill('cancelled'))
    expect(world.auth.stats().heldNow).toBe(1)
    hold.releaseAll()
    await first
  })

  it('G18: a CancelToken keeps no listener of ours, answered or aborted', async () => {
    const world = await setUp()
    const listeners = new Set<unknown>()
    const token = {
      reason: undefined as unknown,
      subscribe: (listener: unknown) => void listeners.add(listener),
      unsubscribe: (listener: unknown) => void listeners.delete(listener),
      throwIfRequested() {},
    }
    const { hold, first } = await refreshing(world, { cancelToken: token as never })
    expect(listeners.size).toBeGreaterThan(0)
    hold.releaseAll()
    await first
    expect(listeners.size).toBe(0)
  })

  it.each<[string, () => { by: object; giveUp(): void }]>([
    [
      'signal',
      () => {
        // Of a class: axios copies plain objects.
        const signal = new (class {
          aborted = false
        })()
        return { by: { signal }, giveUp: () => void Object.assign(signal, { aborted: true }) }
      },
    ],
    [
      'CancelToken',
      () => {
        const cancelToken = new (class {
          reason: unknown
          throwIfRequested() {
            if (this.reason) throw this.reason
          }
        })()
        const reason = new axios.CanceledError()
        return { by: { cancelToken }, giveUp: () => void Object.assign(cancelToken, { reason }) }
      },
    ],
  ])('G18: a %s without events is checked when the wait is over', async (_, make) => {
    const { by, giveUp } = make()
    const { server, api, auth } = await setUp()
    const sent: unknown[] = []
    const hold = server.holdRefresh()
    const given = settleAll([
      api.get('/x', {
        ...by,
        adapter(config) {
          sent.push(config.url)
          return refusing(config)
        },
      }),
    ])
    await untilHeld(auth, 1)
    giveUp()
    hold.releaseAll()
    expect(outcomesOf(await given)).toEqual(['cancelled'])
    expect(sent).toEqual(['/x'])
  })

  it('G18: a request whose signal was aborted beforehand does not wait for the store', async () => {
    const store = createHandStore()
    store.hold('load')
    const { api } = await setUp({ store, signedIn: false })
    expect(axios.isCancel(await failureOf(api.get('/x', { signal: AbortSignal.abort() })))).toBe(true)
    store.releaseAll()
  })

  it('G18: an aborted request leaves no listener', async () => {
    const world = await setUp()
    const controller = new AbortController()
    const { hold, first } = await refreshing(world)
    const given = settleAll([world.api.get('/api/x', { signal: controller.signal })])
    await untilHeld(world.auth, 2)
    controller.abort()
    await given
    hold.releaseAll()
    await first
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
  })

  it('G18: a request with both signal and CancelToken is aborted by whichever comes first', async () => {
    for (const first of ['signal', 'token']) {
      const world = await setUp()
      const { hold } = await refreshing(world)
      const controller = new AbortController()
      const source = axios.CancelToken.source()
      const given = failureOf(
        world.api.get('/api/x', { signal: controller.signal, cancelToken: source.token }),
      )
      await untilHeld(world.auth, 2)
      if (first === 'signal') controller.abort()
      else source.cancel()
      expect(axios.isCancel(await given)).toBe(true)
      hold.releaseAll()
    }
  })

  it('G18: the error has the message of the CancelToken', async () => {
    const world = await setUp()
    const { hold } = await refreshing(world)
    const { token, cancel } = axios.CancelToken.source()
    const given = failureOf(world.api.get('/api/x', { cancelToken: token }))
    await untilHeld(world.auth, 2)
    cancel('the user left the page')
    expect(await given).toMatchObject({ message: 'the user left the page' })
    hold.releaseAll()
  })

  it('G18: response interceptors of the app see the cancellation, once', async () => {
    const world = await setUp()
    const seen: unknown[] = []
    world.api.interceptors.response.use(undefined, (error) => {
      seen.push(error)
      throw error
    })
    const controller = new AbortController()
    const { hold, first } = await refreshing(world, { signal: controller.signal })
    controller.abort()
    const error = await failureOf(first)
    expect(seen).toEqual([error])
    hold.releaseAll()
  })

  it('G18: a request can be aborted while its answer is being received', async () => {
    const { server, api } = await setUp()
    const hold = server.hold('/api/x', { at: 'body' })
    const controller = new AbortController()
    const given = failureOf(api.get('/api/x', { signal: controller.signal }))
    await hold.waiting(1)
    controller.abort()
    expect(axios.isCancel(await given)).toBe(true)
    await server.idle()
  })
})

describe('G18: timeout', () => {
  it('G18: applies to each sending in full', async () => {
    const { server, api } = await setUp()
    const seen: unknown[] = []
    const http = adapterAsFunction('http')
    api.defaults.adapter = (config) => {
      seen.push(config.timeout)
      return http(config)
    }
    server.killAccessTokens()
    await api.get('/api/x', { timeout: 4321 })
    expect(seen.filter((timeout) => timeout === 4321)).toHaveLength(2)
  })

  it('G18: does not count the wait for a refresh', async () => {
    const world = await setUp()
    const { server, api } = world
    const { hold, first } = await refreshing(world, { timeout: 250 })
    const held = api.get('/api/held', { timeout: 250 })
    let back = 0
    for (const promise of [first, held]) promise.then(undefined, () => {}).finally(() => back++)
    // A whole timeout later, as a request that started after them shows.
    server.route('/public/never', () => 'never')
    const error = await failureOf(axios.get(`${server.url}/public/never`, { timeout: 300 }))
    expect(error).toMatchObject({ code: 'ECONNABORTED' })
    expect(back).toBe(0)
    hold.releaseAll()
    expect(outcomesOf(await settleAll([first, held]))).toEqual(['ok', 'ok'])
  })

  it('G18: ends a sending that takes longer as the caller’s own timeout, not as a failed refresh', async () => {
    const { server, api, auth } = await setUp()
    server.route('/api/slow', () => 'never')
    const error = await failureOf(api.get('/api/slow', { timeout: 20 }))
    expect(error).toMatchObject({ code: 'ECONNABORTED', config: { url: '/api/slow' } })
    expect(auth.stats()).toMatchObject({ refused: 0, refreshes: 0 })
  })
})

describe('G18: getAccessToken', () => {
  it('G18: it rejects at once with the reason of its signal, and the refresh goes on', async () => {
    const world = await setUp()
    const { hold, first } = await refreshing(world)
    const controller = new AbortController()
    const given = failureOf(world.auth.getAccessToken({ signal: controller.signal }))
    const other = world.auth.getAccessToken()
    const reason = new Error('the socket is not needed any more')
    controller.abort(reason)
    expect(await given).toBe(reason)
    expect(hold.count).toBe(1)
    hold.releaseAll()
    expect(await other).toBe(world.server.sessions[0]?.accessToken)
    expect((await first).status).toBe(200)
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
  })

  it('G18: it rejects while the store is read', async () => {
    const store = createHandStore()
    store.hold('load')
    const { auth } = await setUp({ store, signedIn: false })
    const controller = new AbortController()
    const given = failureOf(auth.getAccessToken({ signal: controller.signal }))
    controller.abort()
    expect(await given).toBe(controller.signal.reason)
    store.releaseAll()
  })

  it('G18: it rejects with a signal that was aborted beforehand, whether it would have to wait or not', async () => {
    const { auth, server, events } = await setUp()
    const signal = AbortSignal.abort(new Error('beforehand'))
    expect(await failureOf(auth.getAccessToken({ signal, minValidityMs: 1_000_000 }))).toBe(signal.reason)
    expect(await failureOf(auth.getAccessToken({ signal }))).toBe(signal.reason)
    await microtasksDone()
    await server.idle()
    expect(eventsOf(events, 'refreshStart')).toEqual([])
    expect(server.counts.requests).toBe(0)
  })
})
