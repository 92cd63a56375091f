// How a client begins: an empty store, a stored session, known tokens, an older scheme's, a cookie after a reload.

import { describe, expect, it, vi } from 'vitest'
import {
  authErrorOf,
  localStorageStore,
  noCredential,
  refreshWithBody,
  refreshWithCookie,
  sessionStorageStore,
  type Tokens,
} from '../../src/index.js'
import { FakeStorage } from '../contracts/fake-storage.js'
import {
  eventsOf,
  failureOf,
  outcomesOf,
  passBackOffs,
  type SetUpOptions,
  setUp,
  tokensOf,
  untilHeld,
  type World,
} from '../support/client.js'
import { giveCookies } from '../support/cookie-jar.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import { createHandStore, createOpenStore, keptToken } from '../support/stores.js'

const kept = { v: 1, sessionId: 'one', version: 3, tokens: { accessToken: 'kept', refreshToken: 'kept-too' } }

describe('ready', () => {
  it('resolves when the store has been read, and the tokens known at the start are in it', async () => {
    const store = createHandStore()
    store.hold('load', 'save')
    const { auth } = await setUp({ store, signedIn: false, tokens: { accessToken: 'known' } })
    let ready = false
    const done = auth.ready.then(() => {
      ready = true
    })
    ;(await store.waiting('load')).release()
    const save = await store.waiting('save')
    await microtasksDone()
    expect(ready).toBe(false)
    save.release()
    await done
    expect(keptToken(store)).toBe('known')
  })

  it('resolves at once with a synchronous store, and never rejects', async () => {
    const store = createOpenStore(kept)
    const { auth } = await setUp({ store, signedIn: false })
    expect(auth.getSnapshot().status).toBe('signed-in')
    await settleAll([auth.ready])
    store.faults.set('load', new Error('blocked'))
    const failing = await setUp({ store, signedIn: false })
    await failing.auth.ready
    expect(failing.auth.getSnapshot().status).toBe('signed-out')
    expect(eventsOf(failing.events, 'storeError')).toMatchObject([{ operation: 'load' }])
  })

  it('does not delay requests that never wait', async () => {
    const store = createHandStore()
    store.hold('load')
    const { server, api, auth } = await setUp({ store, signedIn: false })
    await api.get('/public/x', { authClient: { refresh: false } })
    expect(server.counts.requests).toBe(1)
    expect(auth.getSnapshot().status).toBe('pending')
    store.releaseAll()
    await auth.ready
  })

  it('resolves before requests made during the read are sent, and they carry the stored token', async () => {
    const store = createHandStore()
    const { auth, server, login } = await setUp({ store })
    auth.dispose()
    store.hold('load')
    const again = await setUp({ store, signedIn: false, origins: [server.url] })
    const requests = [1, 2].map((i) => again.api.get(`${server.url}/api/${i}`))
    await untilHeld(again.auth, 2)
    expect(server.counts.requests).toBe(0)
    store.releaseAll()
    expect(outcomesOf(await settleAll(requests))).toEqual(['ok', 'ok'])
    expect(server.tokensSeen()).toEqual([login.access_token])
  })
})

describe('the tokens option', () => {
  it('begins a session, and keeps it as signIn does', async () => {
    for (const store of [createOpenStore(), createHandStore()]) {
      const { auth, clock, server } = await setUp({
        store,
        signedIn: false,
        tokens: { accessToken: 'known', refreshToken: 'known-too', expiresInSeconds: 60, subject: 'ada' },
      })
      await auth.ready
      expect(store.kept).toEqual({
        v: 1,
        sessionId: expect.any(String),
        version: 1,
        origins: [server.url],
        tokens: { accessToken: 'known', refreshToken: 'known-too' },
        expiresAtMs: clock.nowMs() + 60_000,
        subject: 'ada',
      })
      expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'ada' })
    }
  })

  it('is overruled by a stored session', async () => {
    for (const store of [createOpenStore(kept), createHandStore(kept)]) {
      const { auth } = await setUp({ store, signedIn: false, tokens: { accessToken: 'known' } })
      await auth.ready
      expect(await auth.getAccessToken()).toBe('kept')
      expect(store.kept).toBe(kept)
    }
  })

  it('is used when the store cannot be read', async () => {
    const store = createOpenStore()
    store.faults.set('load', new Error('blocked'))
    const { auth } = await setUp({ store, signedIn: false, tokens: { accessToken: 'known' } })
    expect(await auth.getAccessToken()).toBe('known')
    // What it could not read may be a newer session.
    expect(store.calls).toEqual(['load'])
  })

  it.each(['sync', 'async'])('stays in use when a %s store becomes readable and is empty', async (kind) => {
    const store = kind === 'sync' ? createOpenStore() : createHandStore()
    store.faults.set('load', new Error('locked'))
    const { auth, ends } = await setUp({ store, signedIn: false, tokens: { accessToken: 'known' } })
    await auth.ready
    store.faults.clear()
    store.hint()
    await microtasksDone()
    expect(ends).toEqual([])
    expect(await auth.getAccessToken()).toBe('known')
  })

  it('is what the server snapshot shows, whoever signs in later', async () => {
    const { auth } = await setUp({
      store: createOpenStore(kept),
      signedIn: false,
      tokens: { accessToken: 'known', subject: 'ada', expiresInSeconds: 60 },
    })
    expect(auth.getServerSnapshot()).toEqual({ status: 'signed-in', refreshing: false, subject: 'ada' })
    await auth.signIn({ accessToken: 'other', subject: 'bob' })
    expect(auth.getServerSnapshot()).toEqual({ status: 'signed-in', refreshing: false, subject: 'ada' })
  })

  it('does not come back after a sign-out', async () => {
    const store = createOpenStore()
    const { auth } = await setUp({ store, signedIn: false, tokens: { accessToken: 'known' } })
    await auth.signOut()
    store.hint()
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(await auth.getAccessToken()).toBeUndefined()
    expect(store.kept).toBeUndefined()
  })

  it('sends requests and refreshes like any session', async () => {
    const { server, login } = await setUp({ signedIn: false })
    const again = await setUp({
      signedIn: false,
      origins: [server.url],
      tokens: tokensOf(login),
      refresh: refreshWithBody({ url: `${server.url}/auth/refresh` }),
    })
    server.killAccessTokens()
    expect((await again.api.get(`${server.url}/api/x`)).status).toBe(200)
    expect(server.counts.refreshes).toBe(1)
  })
})

describe.each([
  ['localStorage', localStorageStore],
  ['sessionStorage', sessionStorageStore],
] as const)('importFrom of a %s store', (area, createStore) => {
  /** A page load of an app that used to keep its token under `old`. */
  async function load(options: SetUpOptions = {}) {
    let asked = 0
    const importFrom = (): Tokens | undefined => {
      asked++
      const accessToken = globalThis[area].getItem('old')
      return accessToken ? { accessToken, refreshToken: 'old-too' } : undefined
    }
    const store = createStore({ key: 'app', importFrom })
    const world = await setUp({ store, signedIn: false, ...options })
    return { ...world, asked: () => asked, storage: globalThis[area] }
  }

  it('imports the tokens of an older scheme once', async () => {
    vi.stubGlobal(area, new FakeStorage())
    globalThis[area].setItem('old', 'old-token')
    const first = await load()
    expect(await first.auth.getAccessToken()).toBe('old-token')
    expect(first.storage.getItem('app')).toContain('old-token')
    await first.auth.updateTokens({ accessToken: 'newer' })
    first.auth.dispose()
    const second = await load({ origins: [first.server.url] })
    expect(await second.auth.getAccessToken()).toBe('newer')
    expect(second.asked()).toBe(0)
  })

  it('does not import them again after a sign-out, although they are still there', async () => {
    vi.stubGlobal(area, new FakeStorage())
    globalThis[area].setItem('old', 'old-token')
    const first = await load()
    await first.auth.signOut()
    expect(first.storage.getItem('old')).toBe('old-token')
    first.auth.dispose()
    const second = await load()
    expect(second.auth.getSnapshot().status).toBe('signed-out')
    expect(second.asked()).toBe(0)
    await second.auth.signIn({ accessToken: 'anew' })
    await second.auth.signOut()
    second.auth.dispose()
    expect((await load()).auth.getSnapshot().status).toBe('signed-out')
  })

  it('does not import them again after a refusal', async () => {
    vi.stubGlobal(area, new FakeStorage())
    globalThis[area].setItem('old', 'old-token')
    const first = await load({ refresh: () => null })
    await expect(first.auth.refresh()).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
    first.auth.dispose()
    expect((await load()).auth.getSnapshot().status).toBe('signed-out')
  })

  it('imports nothing when there is nothing, or when it throws', async () => {
    vi.stubGlobal(area, new FakeStorage())
    expect((await load()).auth.getSnapshot().status).toBe('signed-out')
    const store = createStore({
      key: 'other',
      importFrom() {
        throw new Error('the older scheme is broken')
      },
    })
    const { auth, events } = await setUp({ store, signedIn: false })
    expect(auth.getSnapshot().status).toBe('signed-out')
    await microtasksDone()
    expect(eventsOf(events, 'storeError')).toHaveLength(1)
  })
})

describe('restoring by cookie', () => {
  async function reloaded(options: SetUpOptions = {}) {
    const world = await setUp({
      refresh: refreshWithCookie({ url: '/cookie/refresh' }),
      place: noCredential(),
      signedIn: false,
      ...options,
    })
    const jar = giveCookies(world.api)
    return { ...world, jar }
  }

  /** The cookies are there, the page is new. */
  async function withCookies(options: SetUpOptions = {}) {
    const world = await reloaded(options)
    await world.api.post('/cookie/login', { user: 'ada', password: 'secret' })
    world.server.forget()
    return world
  }

  it('refresh() restores the session of the cookie', async () => {
    const { auth, api, ends, events, server } = await withCookies()
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    const [first, second] = await Promise.all([auth.refresh(), auth.refresh()])
    expect(first).toEqual({ status: 'signed-in', refreshing: false })
    expect(second).toBe(first)
    expect(first).toBe(auth.getSnapshot())
    expect(eventsOf(events, 'refreshStart')).toEqual([{ reason: 'restore' }])
    expect(eventsOf(events, 'refreshed')).toMatchObject([{ reason: 'restore' }])
    expect((await api.get('/cookie/me')).data.user).toBe('ada')
    expect(ends).toEqual([])
    expect(server.counts.refreshes).toBe(1)
  })

  it('refresh() that is refused stays signed out and ends no session', async () => {
    const { auth, ends, events, server, clock, api } = await reloaded()
    await expect(auth.refresh()).resolves.toEqual({ status: 'signed-out', refreshing: false })
    expect(ends).toEqual([])
    expect(eventsOf(events, 'sessionEnd')).toEqual([])
    expect(server.counts).toMatchObject({ refreshes: 1, refused: 1 })
    expect(clock.pending).toBe(0)
    // It may be tried again, after a login in another tab for one.
    await api.post('/cookie/login', { user: 'ada', password: 'secret' })
    await expect(auth.refresh()).resolves.toMatchObject({ status: 'signed-in' })
  })

  it('refresh() that fails rejects after its retries and stays signed out', async () => {
    const world = await withCookies()
    const { auth, ends, server } = world
    server.refresh.always(503)
    const settled = settleAll([auth.refresh()])
    await passBackOffs(world, 2)
    expect(outcomesOf(await settled)).toEqual(['REFRESH_FAILED'])
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    expect(ends).toEqual([])
    server.refresh.always(undefined)
    await expect(auth.refresh()).resolves.toMatchObject({ status: 'signed-in' })
  })

  it('refresh() without a usable token rejects, whatever else is in the grant', async () => {
    const hand = createHandRefresh(true)
    const { auth } = await setUp({ refresh: hand.refresh, signedIn: false })
    const failure = failureOf(auth.refresh())
    ;(await hand.call(1)).answer({ accessToken: '', refreshToken: 'rotated' })
    expect(authErrorOf(await failure)?.code).toBe('BAD_GRANT')
  })

  it('requests made meanwhile wait for it and are sent in the restored session', async () => {
    const { auth, api, server } = await withCookies()
    const hold = server.holdRefresh()
    server.killAccessTokens()
    const restored = auth.refresh()
    const requests = [1, 2, 3].map(() => api.get('/cookie/me'))
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: true })
    await hold.waiting(1)
    await untilHeld(auth, 3)
    expect(server.counts.requests).toBe(1)
    hold.releaseAll()
    expect(outcomesOf(await settleAll<unknown>([restored, ...requests]))).toEqual(Array(4).fill('ok'))
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 0 })
  })

  it('requests made meanwhile are sent without a token when it is refused', async () => {
    const { auth, api, server } = await reloaded()
    const restored = auth.refresh()
    const results = await settleAll<unknown>([restored, api.get('/public/x'), api.get('/cookie/me')])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(results[2]).toMatchObject({ reason: { response: { status: 401 } } })
    expect(server.counts.refreshes).toBe(1)
  })

  it('a sign-in meanwhile wins', async () => {
    const { auth, server, ends } = await withCookies()
    const hold = server.holdRefresh({ at: 'answer' })
    const restored = settleAll([auth.refresh()])
    await hold.waiting(1)
    await auth.signIn({ accessToken: 'of-bob', subject: 'bob' })
    hold.releaseAll()
    await restored
    await server.idle()
    await microtasksDone()
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'bob', refreshing: false })
    expect(ends).toEqual([])
  })

  it('a sign-in in the same turn wins', async () => {
    const hand = createHandRefresh(true)
    const { auth, ends } = await setUp({
      store: createOpenStore(),
      refresh: hand.refresh,
      signedIn: false,
    })
    const restored = settleAll([auth.refresh()])
    await auth.signIn({ accessToken: 'of-bob', subject: 'bob' })
    await restored
    expect(ends).toEqual([])
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'bob', refreshing: false })
  })

  it('a sign-out in the same turn wins, also over another tab’s sign-in that was not yet seen', async () => {
    const hand = createHandRefresh(true)
    const store = createOpenStore()
    const { auth } = await setUp({ store, refresh: hand.refresh, signedIn: false })
    store.kept = kept
    const restored = settleAll([auth.refresh()])
    await auth.signOut()
    await restored
    await microtasksDone()
    expect(auth.getSnapshot().status).toBe('signed-out')
  })

  it.each<[string, (world: World) => Promise<unknown>]>([
    ['a request', ({ api, server }) => api.get('/api/me').then(() => server.tokensSeen()[0])],
    ['getAccessToken', ({ auth }) => auth.getAccessToken()],
  ])('%s right after it waits for it with an asynchronous store too', async (_, ask) => {
    const hand = createHandRefresh(true)
    const store = createHandStore()
    store.hold('load')
    const world = await setUp({ store, refresh: hand.refresh, signedIn: false })
    const { auth, login } = world
    const restored = auth.refresh()
    const token = ask(world)
    store.releaseAll()
    const call = await hand.call(1)
    call.answer(tokensOf(login))
    await restored
    expect(await token).toBe(login.access_token)
  })

  it('an access token in the answer is used where one is attached', async () => {
    const { auth, api, server } = await setUp({
      refresh: refreshWithCookie({ url: '/cookie/refresh' }),
      signedIn: false,
    })
    const { access_token } = server.login()
    server.route('/cookie/refresh', () => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ access_token, expires_in: 60 }),
    }))
    await expect(auth.refresh()).resolves.toMatchObject({ status: 'signed-in', subject: 'ada' })
    expect((await api.get('/api/x')).status).toBe(200)
  })
})
