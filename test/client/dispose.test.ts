// dispose(): everybody comes back, nothing is left, and the instance is the app's own again.

import axios from 'axios'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  type AuthClient,
  createAuthClient,
  localStorageStore,
  memoryStore,
  noCredential,
  refreshWithBody,
  type TokenStore,
} from '../../src/index.js'
import { deferred } from '../../src/wait.js'
import {
  eventsOf,
  outcomesOf,
  type SetUpOptions,
  setUp,
  startServer,
  tokensOf,
  untilHeld,
} from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import {
  createHandStore,
  createOpenStore,
  keptRefreshToken,
  keptToken,
  type OpenStore,
} from '../support/stores.js'

describe('dispose', () => {
  it('rejects waiting requests with DISPOSED, sends none of them, and stores the late answer silently', async () => {
    const store = createOpenStore()
    const hand = createHandRefresh()
    const { server, api, auth, clock, login, ends } = await setUp({ refresh: hand.refresh, store })
    server.killAccessTokens()
    const requests = [1, 2].map((i) => api.get(`/api/refused/${i}`))
    const call = await hand.call(1)
    requests.push(api.get('/api/held'))
    const settled = settleAll<unknown>([...requests, auth.getAccessToken(), auth.refresh()])
    await untilHeld(auth, 3)
    auth.dispose()
    const results = await settled
    expect(outcomesOf(results)).toEqual(Array(5).fill('DISPOSED'))
    expect(results[0]).toMatchObject({ reason: { response: { status: 401 }, cause: { code: 'DISPOSED' } } })
    expect(results[2]).toMatchObject({ reason: { isAxiosError: true, code: 'DISPOSED' } })
    expect(call.context.signal.aborted).toBe(false)
    expect(keptToken(store)).toBe(login.access_token)
    call.answer({ accessToken: 'late', refreshToken: 'late-too' })
    await microtasksDone()
    expect(server.counts.requests).toBe(2)
    expect([keptToken(store), keptRefreshToken(store)]).toEqual(['late', 'late-too'])
    expect(ends).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('leaves no real timer that would keep a process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = timers()
    const hand = createHandRefresh()
    const api = axios.create({ baseURL: 'https://api.example.com' })
    const auth = createAuthClient(api, { refresh: hand.refresh, tokens: { accessToken: 'a' } })
    const waiting = settleAll([auth.refresh()])
    const call = await hand.call(1)
    expect(timers()).toBeGreaterThan(before)
    auth.dispose()
    expect(outcomesOf(await waiting)).toEqual(['DISPOSED'])
    // Until the refresh under way is in the store, or its time is over.
    call.fail(new Error('down'))
    await microtasksDone()
    expect(timers()).toBeLessThanOrEqual(before)
  })

  it('logs nothing where there is no page', async () => {
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { auth } = await setUp({ store: localStorageStore({ key: 'app' }) })
    auth.dispose()
    expect(shown).not.toHaveBeenCalled()
  })

  it('passes answers on the wire through unchanged', async () => {
    const { server, api, auth } = await setUp()
    const hold = server.hold('/api/*', { at: 'answer' })
    const good = api.get('/api/good')
    await hold.waiting(1)
    server.killAccessTokens()
    const bad = api.get('/api/bad')
    await hold.waiting(2)
    auth.dispose()
    hold.releaseAll()
    const results = await settleAll([good, bad])
    expect(results[0]?.status).toBe('fulfilled')
    expect(results[1]).toMatchObject({ status: 'rejected', reason: { response: { status: 401 } } })
    expect(server.counts.refreshes).toBe(0)
  })

  it('does not send a replay that waits for beforeReplay', async () => {
    let enter = (_: () => void): void => {}
    const inHook = new Promise<() => void>((resolve) => {
      enter = resolve
    })
    const { server, api, auth } = await setUp({
      beforeReplay: () => new Promise<void>((leave) => enter(leave)),
    })
    server.killAccessTokens()
    const settled = settleAll([api.get('/api/x')])
    const leave = await inHook
    auth.dispose()
    leave()
    expect(outcomesOf(await settled)).toEqual(['DISPOSED'])
    expect(server.requestsTo('/api/x')).toHaveLength(1)
  })

  it('does not send a request without its token that is still in an interceptor of the app', async () => {
    const server = await startServer()
    const api = axios.create({ baseURL: server.url })
    const gate = deferred()
    // Registered first, so axios runs it last.
    api.interceptors.request.use((config) => gate.promise.then(() => config))
    const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }) })
    await auth.signIn(tokensOf(server.login()))
    const settled = settleAll([api.post('/public/x', {})])
    await microtasksDone()
    auth.dispose()
    gate.resolve()
    expect(outcomesOf(await settled)).toEqual(['DISPOSED'])
    expect(server.log).toEqual([])
  })

  it('rejects requests that wait for an asynchronous store, and starts nothing for them', async () => {
    const store = createHandStore()
    store.hold('load')
    const hand = createHandRefresh(true)
    const { server, api, auth, clock } = await setUp({ store, refresh: hand.refresh, signedIn: false })
    const settled = settleAll<unknown>([
      api.get('/public/x'),
      auth.getAccessToken(),
      auth.refresh(),
      auth.updateTokens({ accessToken: 'x' }),
    ])
    await store.waiting('load')
    await untilHeld(auth, 1)
    auth.dispose()
    expect(outcomesOf(await settled)).toEqual(Array(4).fill('DISPOSED'))
    await settleAll([auth.ready])
    store.releaseAll()
    await microtasksDone()
    expect(hand.calls).toEqual([])
    expect(server.counts.requests).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it('rejects requests that wait for a session to be restored', async () => {
    const hand = createHandRefresh(true)
    const { server, api, auth, clock } = await setUp({
      refresh: hand.refresh,
      place: noCredential(),
      signedIn: false,
    })
    const settled = settleAll<unknown>([auth.refresh(), api.get('/public/x')])
    const call = await hand.call(1)
    await untilHeld(auth, 1)
    auth.dispose()
    expect(outcomesOf(await settled)).toEqual(['DISPOSED', 'DISPOSED'])
    call.answer({} as never)
    await microtasksDone()
    expect(server.counts.requests).toBe(0)
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(clock.pending).toBe(0)
  })

  it('settles signIn, signOut and updateTokens calls that wait for the store', async () => {
    const store = createHandStore()
    const { auth, clock, server } = await setUp({ store })
    store.hold('save', 'clear')
    const settled = settleAll([
      auth.updateTokens({ accessToken: 'newer' }),
      auth.signIn(tokensOf(server.login('bob'))),
      auth.signOut(),
    ])
    await store.waiting('save')
    auth.dispose()
    await settled
    expect(clock.pending).toBe(0)
  })

  it('still lets a sign-out in the same turn empty a store that is being read', async () => {
    const store = createHandStore()
    const { auth } = await setUp({ store })
    store.hold('load')
    store.hint()
    await store.waiting('load')
    const signedOut = settleAll([auth.signOut()])
    auth.dispose()
    await signedOut
    store.releaseAll()
    await microtasksDone()
    expect(store.kept).toBeUndefined()
  })

  it('still lets a sign-in in the same turn reach a store that has not been read yet', async () => {
    const store = createHandStore()
    store.hold('load')
    const { auth } = await setUp({ store, signedIn: false })
    const signedIn = settleAll([auth.signIn({ accessToken: 'mine' })])
    auth.dispose()
    await signedIn
    store.releaseAll()
    await microtasksDone()
    expect(keptToken(store)).toBe('mine')
  })

  it('leaves no timer during a back-off, in a cool-down or after reading a slow store', async () => {
    const backOff = await setUp()
    backOff.server.refresh.always(503)
    const waiting = settleAll([backOff.auth.refresh()])
    await backOff.clock.until(() => backOff.clock.pending === 2)
    backOff.auth.dispose()
    expect(outcomesOf(await waiting)).toEqual(['DISPOSED'])
    await microtasksDone()
    expect(backOff.clock.pending).toBe(0)
    await backOff.clock.advance(20_000)
    expect(backOff.server.counts.refreshes).toBe(1)

    const coolDown = await setUp()
    coolDown.server.refresh.next(404)
    await settleAll([coolDown.auth.refresh()])
    coolDown.auth.dispose()
    expect(coolDown.clock.pending).toBe(0)

    const store = createHandStore()
    const slow = await setUp({ store })
    store.hold('load')
    const refreshed = settleAll([slow.auth.refresh()])
    await store.waiting('load')
    slow.auth.dispose()
    expect(outcomesOf(await refreshed)).toEqual(['DISPOSED'])
    expect(slow.clock.pending).toBe(0)
    expect(slow.server.counts.requests).toBe(0)
  })

  it('stops a refresh that began in the same turn from reading the store', async () => {
    const store = createHandStore()
    const { auth, clock, server } = await setUp({ store })
    store.hold('load')
    const refreshed = settleAll([auth.refresh()])
    auth.dispose()
    expect(outcomesOf(await refreshed)).toEqual(['DISPOSED'])
    await microtasksDone()
    expect(store.held).toEqual([])
    expect(clock.pending).toBe(0)
    expect(server.counts.requests).toBe(0)
  })

  it('is idempotent, also from inside a listener', async () => {
    const { server, api, auth, clock } = await setUp()
    auth.on('refreshStart', () => {
      auth.dispose()
      auth.dispose()
    })
    server.killAccessTokens()
    expect(outcomesOf(await settleAll([api.get('/api/x'), api.get('/api/y')]))).toEqual([
      'DISPOSED',
      expect.stringMatching(/DISPOSED|401/),
    ])
    auth.dispose()
    expect(clock.pending).toBe(0)
    expect(server.counts.refreshes).toBe(0)
  })

  it('makes every later call reject with DISPOSED, while reading stays possible', async () => {
    const { auth } = await setUp()
    auth.dispose()
    const calls = [
      auth.signIn({ accessToken: 'x' }),
      auth.signOut(),
      auth.updateTokens({ accessToken: 'x' }),
      auth.refresh(),
      auth.getAccessToken(),
    ]
    expect(outcomesOf(await settleAll<unknown>(calls))).toEqual(Array(5).fill('DISPOSED'))
    expect(() => auth.attach(axios.create({ baseURL: 'https://other.example' }))).toThrow(
      expect.objectContaining({ code: 'DISPOSED' }),
    )
    await auth.ready
    expect(auth.getSnapshot()).toBe(auth.getSnapshot())
    expect(auth.stats()).toMatchObject({ heldNow: 0 })
    auth.subscribe(() => {})()
    auth.on('held', () => {})()
  })

  it('emits no event: the session continues in the store', async () => {
    const store = createOpenStore()
    const { server, auth, ends, events, login } = await setUp({ store })
    auth.dispose()
    await microtasksDone()
    expect(ends).toEqual([])
    expect(eventsOf(events, 'sessionEnd')).toEqual([])
    expect(keptToken(store)).toBe(login.access_token)
    expect(store.listeners).toBe(0)
    const again = await setUp({ store, signedIn: false, origins: [server.url] })
    expect(again.auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'ada' })
    expect(await again.auth.getAccessToken()).toBe(login.access_token)
    expect(server.counts.requests).toBe(0)
  })

  it('stops listening to the page and to the store', async () => {
    const page = new EventTarget()
    const listeners = new Set<EventListener>()
    vi.stubGlobal('addEventListener', (type: string, listener: EventListener) => {
      listeners.add(listener)
      page.addEventListener(type, listener)
    })
    vi.stubGlobal('removeEventListener', (type: string, listener: EventListener) => {
      listeners.delete(listener)
      page.removeEventListener(type, listener)
    })
    const { auth } = await setUp({ store: localStorageStore({ key: 'app' }) })
    expect(listeners.size).toBeGreaterThan(0)
    auth.dispose()
    expect(listeners.size).toBe(0)

    const store = createOpenStore()
    const other = await setUp({ store })
    const seen: unknown[] = []
    other.auth.subscribe(() => seen.push('subscriber'))
    other.auth.on('sessionEnd', () => seen.push('listener'))
    const { hint } = store
    other.auth.dispose()
    seen.length = 0
    store.kept = undefined
    hint()
    await microtasksDone()
    expect(seen).toEqual([])
  })
})

describe('the instance after dispose', () => {
  it('sends no token, starts no refresh, and has no mark and unchanged defaults', async () => {
    const { server, api, auth } = await setUp()
    server.killAccessTokens()
    await api.get('/api/x')
    auth.dispose()
    server.forget()
    const [refused] = await settleAll([api.get('/api/x')])
    expect(refused).toMatchObject({ reason: { response: { status: 401 } } })
    expect(server.tokensSeen()).toEqual([])
    expect(server.counts).toMatchObject({ requests: 1, refreshes: 0 })
    const fresh = axios.create({ baseURL: server.url })
    expect(Object.getOwnPropertySymbols(api)).toEqual(Object.getOwnPropertySymbols(fresh))
    expect(JSON.stringify(api.defaults)).toBe(JSON.stringify(fresh.defaults))
    expect(Reflect.ownKeys(api.defaults)).toEqual(Reflect.ownKeys(fresh.defaults))
  })

  it('keeps the app’s interceptors, and runs none of ours', async () => {
    const { server, api, auth } = await setUp()
    const seen: unknown[] = []
    api.interceptors.request.use((config) => {
      seen.push(config.adapter, config.authClient)
      return config
    })
    auth.dispose()
    await api.get('/public/x')
    expect(seen).toEqual([api.defaults.adapter, undefined])
    expect(server.counts.requests).toBe(1)
  })

  it('can be given to a new client, as hot module reload does, again and again', async () => {
    const { server, api, auth, login, clock } = await setUp()
    let last: AuthClient = auth
    for (let i = 0; i < 5; i++) {
      last.dispose()
      last = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }), clock })
      await last.signIn(tokensOf(i === 0 ? login : server.login()))
      server.killAccessTokens()
      expect((await api.get('/api/x')).status).toBe(200)
      expect(server.counts.refreshes).toBe(i + 1)
    }
    // One token, not five: nothing of the earlier clients runs.
    expect(server.log.at(-1)?.headers.authorization?.split(',')).toHaveLength(1)
    last.dispose()
  })

  it('is free again together with every attached one', async () => {
    const { server, auth } = await setUp()
    const others = [1, 2].map(() => axios.create({ baseURL: server.url }))
    for (const other of others) auth.attach(other)
    auth.dispose()
    for (const other of others) {
      const [refused] = await settleAll([other.get('/api/x')])
      expect(refused).toMatchObject({ reason: { response: { status: 401 } } })
      expect(() => createAuthClient(other).dispose()).not.toThrow()
    }
    expect(server.tokensSeen()).toEqual([])
  })
})

describe('dispose in the middle of a refresh', () => {
  /** A client that is gone, its refresh answered by hand, and the one that came after it on the same store. */
  async function reloaded(store: TokenStore, options: SetUpOptions = {}) {
    const hand = createHandRefresh()
    const before = await setUp({ store, refresh: hand.refresh, ...options })
    const refreshed = settleAll([before.auth.refresh()])
    const call = await hand.call(1)
    before.auth.dispose()
    expect(outcomesOf(await refreshed)).toEqual(['DISPOSED'])
    // Each has a server of its own, and is a client of the same API.
    const origins = [before.server.url]
    const after = await setUp({ store, origins, signedIn: false, refresh: createHandRefresh().refresh })
    await after.auth.ready
    return { before, call, after, hint: () => (store as OpenStore).hint() }
  }

  const stores = { synchronous: createOpenStore, asynchronous: createHandStore }

  it.each(Object.entries(stores))(
    'G4: leaves no spent refresh token for the next client (%s store)',
    async (_, createStore) => {
      const store = createStore()
      const { before, call, after, hint } = await reloaded(store)
      call.answer({ accessToken: 'fresh-token', refreshToken: 'fresh-refresh-token' })
      await microtasksDone()
      hint()
      await microtasksDone()
      expect(keptRefreshToken(store)).toBe('fresh-refresh-token')
      expect(await after.auth.getAccessToken()).toBe('fresh-token')
      expect(before.ends).toEqual([])
      expect(before.auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
      expect(before.clock.pending).toBe(0)
    },
  )

  it('G4: stores a new refresh token also when nothing else in the answer is usable', async () => {
    const store = createOpenStore()
    const { call } = await reloaded(store)
    call.answer({ accessToken: '', refreshToken: 'fresh-refresh-token' })
    await microtasksDone()
    expect(keptRefreshToken(store)).toBe('fresh-refresh-token')
  })

  it('G24: stores an answer of another user as that user’s session', async () => {
    const store = createOpenStore()
    const { call, before } = await reloaded(store)
    const bob = tokensOf(before.server.login('bob'))
    call.answer(bob)
    await microtasksDone()
    const next = await setUp({ store, signedIn: false, origins: [before.server.url] })
    expect(next.auth.getSnapshot().subject).toBe('bob')
    expect(before.ends).toEqual([])
  })

  it.each(['sign-in', 'sign-out', 'newer tokens'])(
    'G13, G14: does not undo a %s of the next client',
    async (what) => {
      const store = createOpenStore()
      const { call, after } = await reloaded(store)
      if (what === 'sign-in') await after.auth.signIn({ accessToken: 'of-bob', refreshToken: 'of-bob-too' })
      if (what === 'sign-out') await after.auth.signOut()
      if (what === 'newer tokens') await after.auth.updateTokens({ accessToken: 'n', refreshToken: 'newer' })
      const { kept } = store
      call.answer({ accessToken: 'late-token', refreshToken: 'late-refresh-token' })
      await microtasksDone()
      expect(store.kept).toEqual(kept)
    },
  )

  it('ends by refreshTimeoutMs if no answer comes', async () => {
    const store = createOpenStore()
    const { before, call } = await reloaded(store)
    expect(call.context.signal.aborted).toBe(false)
    await before.clock.advance(15_000)
    expect(call.context.signal.aborted).toBe(true)
    expect(before.clock.pending).toBe(0)
    expect(keptToken(store)).toBe(before.login.access_token)
  })

  it.each([
    ['a memoryStore', memoryStore],
    ['a store of one’s own', createOpenStore],
    ['an asynchronous store', createHandStore],
    ['a frozen memoryStore', () => Object.freeze(memoryStore())],
  ])('G4: the next client on %s waits for its turn when it refreshes at once', async (_, createStore) => {
    const store = createStore() as TokenStore
    const { server, auth, login } = await setUp({ store })
    const hold = server.holdRefresh({ at: 'answer', first: 1 })
    const first = settleAll([auth.refresh()])
    await hold.waiting(1)
    auth.dispose()
    await first
    const api = axios.create({ baseURL: server.url })
    const next = createAuthClient(api, { store, refresh: refreshWithBody({ url: '/auth/refresh' }) })
    onTestFinished(() => next.dispose())
    server.killAccessTokens()
    const sent = settleAll<unknown>([api.get('/api/me'), next.refresh()])
    await untilHeld(next, 1)
    hold.releaseAll()
    expect(outcomesOf(await sent)).toEqual(['ok', 'ok'])
    expect(await next.getAccessToken()).not.toBe(login.access_token)
    expect(server.counts).toMatchObject({ reuses: 0 })
    expect(next.stats().adopted).toBe(1)
  })

  it('ignores a second dispose', async () => {
    const store = createOpenStore()
    const { before, call } = await reloaded(store)
    before.auth.dispose()
    call.answer({ accessToken: 'fresh-token', refreshToken: 'fresh-refresh-token' })
    await microtasksDone()
    expect(keptToken(store)).toBe('fresh-token')
  })
})
