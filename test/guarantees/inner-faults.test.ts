// G17: nothing that throws inside the client keeps those who wait, whatever it is and wherever it strikes: everybody is
// answered, no rejection is left unhandled, and what comes next works again.

import axios from 'axios'
import { type AuthClientOptions, type Clock, createAuthClient, refreshWithBody } from 'axios-auth-client'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createWatchedClock, setUp, startServer, tokensOf } from '../support/client.js'
import { jwtOf } from '../support/jwt.js'
import { microtasksDone } from '../support/real-time.js'
import { createHandStore, createOpenStore } from '../support/stores.js'

const fault = new Error('a fault inside')

const unhandled: unknown[] = []
const note = (reason: unknown) => void unhandled.push(reason)
beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
  vi.spyOn(console, 'error').mockReturnValue()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await microtasksDone()
  process.off('unhandledRejection', note)
  process.off('uncaughtException', note)
})

type Part = 'nowMs' | 'setTimer' | 'cancel'

/** A clock of the app's own, one call of which throws: the `nth` since `arm`. */
function brittleClock() {
  const inner = createWatchedClock()
  let armed: Part | undefined
  let left = 0
  const strike = (part: Part) => {
    if (armed !== part || left-- !== 0) return
    armed = undefined
    throw fault
  }
  const clock: Clock = {
    nowMs() {
      strike('nowMs')
      return inner.nowMs()
    },
    setTimer(callback, delayMs) {
      strike('setTimer')
      const cancel = inner.setTimer(callback, delayMs)
      return () => {
        cancel()
        strike('cancel')
      }
    },
  }
  return {
    clock,
    inner,
    /** Whether the fault has not struck yet. */
    pending: () => armed !== undefined,
    arm(part: Part, nth: number) {
      armed = part
      left = nth
    },
    disarm() {
      armed = undefined
    },
  }
}

/** Waits for all of them; fails with what is still open instead of hanging. */
async function allSettled(promises: Record<string, Promise<unknown>>): Promise<void> {
  const open = new Set(Object.keys(promises))
  const all = Object.entries(promises).map(([name, promise]) =>
    promise.catch(() => {}).then(() => void open.delete(name)),
  )
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 3000)
  })
  await Promise.race([Promise.all(all), late])
  clearTimeout(timer)
  expect([...open]).toEqual([])
}

const scenarios: [string, Partial<AuthClientOptions>, (world: World) => Record<string, Promise<unknown>>][] =
  [
    [
      'requests that wait for an expired token',
      {},
      ({ api, auth, inner }) => {
        inner.jump(400_000)
        return { a: api.get('/api/a'), b: api.post('/api/b', { b: 1 }), token: auth.getAccessToken() }
      },
    ],
    [
      'requests whose token is refused',
      {},
      ({ api, auth, server }) => {
        server.killAccessTokens()
        return { a: api.get('/api/a'), b: api.get('/api/b'), refresh: auth.refresh() }
      },
    ],
    [
      'a refresh that fails',
      { refreshRetry: { limit: 0 } },
      ({ api, auth, server }) => {
        server.killAccessTokens()
        server.refresh.always(503)
        return { a: api.get('/api/a'), b: api.get('/api/b'), refresh: auth.refresh() }
      },
    ],
    [
      'a refresh that is refused',
      {},
      ({ api, auth, server }) => {
        server.killAccessTokens()
        server.refresh.always(401)
        return { a: api.get('/api/a'), b: api.get('/api/b'), refresh: auth.refresh() }
      },
    ],
    [
      'tokens that come meanwhile',
      {},
      ({ api, auth, server }) => {
        server.killAccessTokens()
        const a = api.get('/api/a')
        return { a, refresh: auth.refresh(), update: auth.updateTokens(tokensOf(server.login())) }
      },
    ],
    [
      'a sign-out',
      {},
      ({ api, auth, server }) => {
        server.killAccessTokens()
        return { a: api.get('/api/a'), refresh: auth.refresh(), out: auth.signOut() }
      },
    ],
    [
      'another sign-in',
      {},
      ({ api, auth, server }) => {
        server.killAccessTokens()
        return {
          a: api.get('/api/a'),
          refresh: auth.refresh(),
          in: auth.signIn(tokensOf(server.login('bob'))),
        }
      },
    ],
  ]

async function openWorld(options: Partial<AuthClientOptions> = {}) {
  const server = await startServer()
  const brittle = brittleClock()
  const api = axios.create({ baseURL: server.url })
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    clock: brittle.clock,
    ...options,
  })
  onTestFinished(() => auth.dispose())
  await auth.signIn(tokensOf(server.login()))
  return { server, api, auth, ...brittle }
}
type World = Awaited<ReturnType<typeof openWorld>>

describe('G17: a clock of the app that throws once', () => {
  const places: [Part, string, () => AuthClientOptions['store']][] = [
    ['nowMs', 'a store', createOpenStore],
    ['nowMs', 'a slow store', createHandStore],
    ['setTimer', 'a store', createOpenStore],
    ['setTimer', 'a slow store', createHandStore],
    ['cancel', 'a store', createOpenStore],
  ]
  for (const [part, storeName, createStore] of places) {
    it.each(scenarios)(
      `G17: at any call of ${part}, with ${storeName}: %s: every request settles, and the next one too`,
      async (_, options, act) => {
        for (let nth = 0; ; nth++) {
          const world = await openWorld({ store: createStore(), ...options })
          const { api, auth, server, arm, disarm, pending, inner } = world
          arm(part, nth)
          await allSettled(act(world))
          const hasStruck = !pending()
          disarm()
          server.refresh.always(undefined)
          // Whatever cool-down there is.
          inner.jump(60_000)
          await auth.signIn(tokensOf(server.login()))
          server.killAccessTokens()
          await allSettled({ next: api.get('/api/next') })
          expect((await api.get('/api/next')).status).toBe(200)
          expect(auth.stats().heldNow).toBe(0)
          auth.dispose()
          if (!hasStruck) break
        }
        expect(unhandled).toEqual([])
      },
      30_000,
    )
  }

  it.each([createOpenStore, createHandStore])(
    'G17: while the store is read: the client still starts (%#)',
    async (createStore) => {
      for (let nth = 0; nth < 6; nth++) {
        const server = await startServer()
        const { clock, arm } = brittleClock()
        const { access_token: accessToken } = server.login()
        const store = createStore({ v: 1, sessionId: 's', version: 1, tokens: { accessToken } })
        const api = axios.create({ baseURL: server.url })
        arm('nowMs', nth)
        const auth = createAuthClient(api, {
          refresh: refreshWithBody({ url: '/auth/refresh' }),
          clock,
          store,
        })
        onTestFinished(() => auth.dispose())
        const request = api.get('/public/x')
        await allSettled({ ready: auth.ready, request })
        await expect(auth.ready).resolves.toBeUndefined()
        expect(auth.getSnapshot().status).not.toBe('pending')
        await allSettled({ hint: Promise.resolve(store.hint()) })
      }
      await microtasksDone()
      expect(unhandled).toEqual([])
    },
  )

  it.each([createOpenStore, createHandStore])(
    'G17: while another tab’s session is read: the next load finds it (%#)',
    async (createStore) => {
      const store = createStore()
      const { auth, server, arm, api } = await openWorld({ store })
      const { access_token: accessToken } = server.login('bob')
      store.kept = { v: 1, sessionId: 'another', version: 1, tokens: { accessToken } }
      arm('nowMs', 0)
      expect(() => store.hint()).not.toThrow()
      await microtasksDone()
      store.hint()
      await microtasksDone()
      expect(auth.getSnapshot().subject).toBe('bob')
      expect((await api.get('/api/x')).data.user).toBe('bob')
      expect(unhandled).toEqual([])
    },
  )
})

describe('G17: a snapshot that cannot be made', () => {
  it.each(['stringify', 'freeze'] as const)('G17: because of %s: no request is left waiting', async (how) => {
    const { server, api, auth } = await setUp()
    server.killAccessTokens()
    const stringify = JSON.stringify.bind(JSON)
    const freeze = Object.freeze.bind(Object)
    const isSnapshot = (value: unknown) => typeof value === 'object' && !!value && 'refreshing' in value
    const fail = (value: unknown) => {
      if (isSnapshot(value)) throw new RangeError('Maximum call stack size exceeded')
    }
    if (how === 'stringify')
      vi.spyOn(JSON, 'stringify').mockImplementation(((value: unknown, ...rest: []) => {
        fail(value)
        return stringify(value, ...rest)
      }) as never)
    else
      vi.spyOn(Object, 'freeze').mockImplementation(((value: unknown) => {
        fail(value)
        return freeze(value)
      }) as never)
    await allSettled({
      a: api.get('/api/a'),
      b: api.get('/api/b'),
      token: auth.getAccessToken(),
      refresh: auth.refresh(),
    })
    expect((await api.get('/api/c')).status).toBe(200)
    expect(server.counts.refreshes).toBe(1)
    await auth.signOut()
    vi.restoreAllMocks()
    await microtasksDone()
    expect(unhandled).toEqual([])
  })
})

describe('G17: an event that cannot be emitted', () => {
  it('G17: where even the console throws, no request is left waiting', async () => {
    const { server, api, auth } = await setUp()
    for (const name of ['refreshStart', 'refreshed', 'held', 'replay'] as const) {
      auth.on(name, () => {
        throw fault
      })
    }
    vi.spyOn(console, 'error').mockImplementation(() => {
      throw fault
    })
    server.killAccessTokens()
    await allSettled({ a: api.get('/api/a'), b: api.get('/api/b'), refresh: auth.refresh() })
    expect((await api.get('/api/c')).status).toBe(200)
    expect(server.counts.refreshes).toBe(1)
  })

  it('G17: a store that throws an unreadable value affects nothing', async () => {
    const store = createOpenStore()
    const { api, auth, server } = await setUp({ store })
    store.faults.set('save', {
      get message() {
        throw fault
      },
      get name() {
        throw fault
      },
    })
    server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
    await auth.refresh()
    await microtasksDone()
    expect(unhandled).toEqual([])
  })

  it('G17: an unreadable token leaves no request waiting', async () => {
    const deep = jwtOf(`{"deep":${'['.repeat(5000)}${']'.repeat(5000)}}`)
    const { server, api, auth } = await setUp({ refresh: async () => ({ accessToken: deep }) })
    server.killAccessTokens()
    server.settings.readAccessToken = () => deep
    await allSettled({ a: api.get('/public/a'), refresh: auth.refresh() })
    expect(auth.getSnapshot()).toEqual({ status: 'signed-in', refreshing: false, subject: 'ada' })
    await microtasksDone()
    expect(unhandled).toEqual([])
  })
})

describe('G17: a pushed grant that cannot be read', () => {
  it('G17: fails no request', async () => {
    const pushed = Object.defineProperty({}, 'accessToken', {
      get() {
        throw fault
      },
    })
    const { api, auth, login } = await setUp({ readResponse: () => pushed as never })
    expect((await api.get('/api/x')).status).toBe(200)
    expect(await auth.getAccessToken()).toBe(login.access_token)
  })
})
