// G15: what is in the store when, and what a store that fails, hangs or is emptied means for the session.

import { describe, expect, it, vi } from 'vitest'
import { localStorageStore, memoryStore, tokenFromHeader, webLock } from '../../src/index.js'
import {
  eventsOf,
  landed,
  outcomesOf,
  setUp,
  tokensOf,
  untilHeld,
  untilSnapshot,
  type World,
} from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import {
  changedElsewhere,
  createHandStore,
  createOpenStore,
  type HandStore,
  type HeldCall,
  keptRefreshToken,
  keptToken,
  rotatedElsewhere,
  type StoreOperation,
} from '../support/stores.js'

/** What a refresh fails with that may go well another time. */
const UNAVAILABLE = Object.assign(new Error('unavailable'), { response: { status: 503 } })

describe('G15: tokens are stored before requests are released', () => {
  it('G15: when a replay arrives at the server, its token is in the store', async () => {
    const store = createOpenStore()
    const { server, api } = await setUp({ store })
    const seen: boolean[] = []
    server.killAccessTokens()
    server.route('/api/*', ({ headers }) => {
      const token = headers.authorization?.slice('Bearer '.length)
      if (token === server.sessions[0]?.accessToken) seen.push(keptToken(store) === token)
      return undefined
    })
    await settleAll([1, 2, 3].map((i) => api.get(`/api/${i}`)))
    expect(seen.slice(-3)).toEqual([true, true, true])
  })

  it('G15: no waiting request is released before a slow store has the tokens', async () => {
    const store = createHandStore()
    const { server, api, auth, events } = await setUp({ store })
    store.hold('save')
    server.killAccessTokens()
    const hold = server.holdRefresh()
    const requests = [1, 2].map((i) => api.get(`/api/refused/${i}`))
    await hold.waiting(1)
    requests.push(api.get('/api/held'))
    const all = [...requests, auth.getAccessToken(), auth.refresh()]
    let back = 0
    for (const promise of all) void Promise.resolve(promise as Promise<unknown>).then(() => back++)
    hold.releaseAll()
    const save = await store.waiting('save')
    await microtasksDone()
    await microtasksDone()
    expect(back).toBe(0)
    expect(server.counts.requests).toBe(3)
    expect(auth.getSnapshot().refreshing).toBe(true)
    expect(eventsOf(events, 'refreshed')).toEqual([])
    save.release()
    expect(outcomesOf(await settleAll<unknown>(all))).toEqual(Array(5).fill('ok'))
    expect(keptToken(store)).toBe(server.sessions[0]?.accessToken)
  })

  it('G15: signIn resolves when the tokens are in the store', async () => {
    const store = createHandStore()
    const { server, auth } = await setUp({ store, signedIn: false })
    await auth.ready
    store.hold('save')
    const tokens = tokensOf(server.login())
    let resolved = false
    const signedIn = auth.signIn(tokens).then(() => {
      resolved = true
    })
    const save = await store.waiting('save')
    await microtasksDone()
    expect(resolved).toBe(false)
    // Signed in at once, though.
    expect(auth.getSnapshot().status).toBe('signed-in')
    save.release()
    await signedIn
    expect(keptToken(store)).toBe(tokens.accessToken)
  })

  it.each<[string, (world: World) => Promise<unknown>]>([
    ['refreshes', ({ auth }) => auth.refresh()],
    ['asks for a token', ({ auth }) => auth.getAccessToken({ minValidityMs: 60_000 })],
    ['sends a request', ({ api }) => api.get('/api/me')],
    ['updates the tokens', ({ auth }) => auth.updateTokens({ accessToken: 'newer' })],
  ])('G15: a subscriber that %s as soon as somebody is signed in finds them in the store', async (_, act) => {
    for (const store of [memoryStore(), createOpenStore()]) {
      const world = await setUp({ store, signedIn: false })
      const { auth, clock, login, ends } = world
      const acted: Promise<unknown>[] = []
      const stop = auth.subscribe(() => {
        stop()
        clock.jump(1000)
        acted.push(act(world))
      })
      await auth.signIn({ ...tokensOf(login), expiresInSeconds: 1 })
      expect(outcomesOf(await settleAll(acted))).toEqual(['ok'])
      expect(ends).toEqual([])
      expect(auth.getSnapshot().status).toBe('signed-in')
      expect(keptToken({ kept: store.load() })).not.toBe(login.access_token)
    }
  })

  it('G15: waiting requests use tokens from updateTokens when these are stored', async () => {
    const store = createHandStore()
    const hand = createHandRefresh()
    const { server, api, auth } = await setUp({ store, refresh: hand.refresh })
    server.killAccessTokens()
    const request = api.get('/api/x')
    await hand.call(1)
    store.hold('save')
    const updated = auth.updateTokens(tokensOf(server.login()))
    const save = await store.waiting('save')
    await microtasksDone()
    expect(server.counts.requests).toBe(1)
    save.release()
    await updated
    expect((await request).status).toBe(200)
    expect(hand.calls[0]?.context.signal.aborted).toBe(true)
  })

  it('G15: waiting requests use them not before that, though the refresh fails meanwhile', async () => {
    const store = createHandStore()
    const hand = createHandRefresh()
    const { server, api, auth } = await setUp({ store, refresh: hand.refresh, refreshRetry: { limit: 0 } })
    server.killAccessTokens()
    const request = api.get('/api/x')
    const call = await hand.call(1)
    store.hold('save')
    const updated = auth.updateTokens({ accessToken: server.login().access_token })
    const save = await store.waiting('save')
    call.fail(UNAVAILABLE)
    await microtasksDone()
    // What was sent before these has arrived as well when they are answered.
    for (let trips = 0; trips < 4; trips++) await api.get('/public/ping', { authClient: false })
    expect(server.requestsTo('/api/x')).toHaveLength(1)
    save.release()
    await updated
    expect((await request).status).toBe(200)
  })

  it('G15: an answer that pushed tokens resolves when these are stored', async () => {
    const store = createHandStore()
    const { server, api } = await setUp({ store, readResponse: tokenFromHeader('x-new-token') })
    server.route('/api/push', () => ({ status: 200, headers: { 'x-new-token': 'pushed' }, body: '' }))
    store.hold('save')
    let answered = false
    const request = api.get('/api/push').then(() => {
      answered = true
    })
    const save = await store.waiting('save')
    await microtasksDone()
    expect(answered).toBe(false)
    save.release()
    await request
    expect(keptToken(store)).toBe('pushed')
  })

  it('G15: the calls of a slow store never overlap', async () => {
    const store = createHandStore()
    const { server, auth } = await setUp({ store, signedIn: false })
    await auth.ready
    store.hold('load', 'save', 'clear')
    const all = [
      auth.signIn(tokensOf(server.login('ada'))),
      auth.updateTokens({ accessToken: 'newer' }),
      auth.signOut(),
      auth.signIn(tokensOf(server.login('bob'))),
    ]
    const order: string[] = []
    const settled = settleAll(all)
    for (let i = 0; i < 4; i++) {
      await microtasksDone()
      expect(store.held).toHaveLength(1)
      order.push(store.held[0]?.operation ?? '')
      store.held[0]?.release()
    }
    await settled
    expect(order).toEqual(['save', 'save', 'clear', 'save'])
    expect(store.kept).toMatchObject({ subject: 'bob' })
  })

  it('G15: a call of a slow store waits for the one under way', async () => {
    const store = createHandStore()
    const { auth } = await setUp({ store })
    store.hold('save')
    const all = [auth.updateTokens({ accessToken: 'second' }), auth.updateTokens({ accessToken: 'third' })]
    for (const name of ['fourth', 'fifth', 'sixth']) {
      await microtasksDone()
      store.held[0]?.release()
      await microtasksDone()
      all.push(auth.updateTokens({ accessToken: name }))
      await microtasksDone()
      expect(store.held).toHaveLength(1)
    }
    store.releaseAll()
    await settleAll(all)
    expect(keptToken(store)).toBe('sixth')
  })
})

describe('G15: a store that fails', () => {
  const quota = new DOMException('The quota has been exceeded.', 'QuotaExceededError')
  // A copy is reported, without what a store may have put on it.
  const sameAsQuota = expect.objectContaining({
    name: quota.name,
    message: quota.message,
    stack: quota.stack,
  })

  it.each(['throws', 'rejects'] as const)(
    'G15: a save that %s raises storeError, and the session goes on in memory',
    async (how) => {
      const store = how === 'throws' ? createOpenStore() : createHandStore()
      const { server, api, auth, ends, events } = await setUp({ store })
      store.faults.set('save', quota)
      server.killAccessTokens()
      expect(outcomesOf(await settleAll([api.get('/api/x'), api.get('/api/y')]))).toEqual(['ok', 'ok'])
      server.killAccessTokens()
      expect((await api.get('/api/z')).status).toBe(200)
      expect(server.counts).toMatchObject({ refreshes: 2, granted: 2, reuses: 0 })
      expect(eventsOf(events, 'storeError')).toEqual([
        { operation: 'save', error: sameAsQuota },
        { operation: 'save', error: sameAsQuota },
      ])
      // The refresh token in it is spent, and a mark could not be stored either.
      expect(store.kept).toBeUndefined()
      // An empty store that this client has emptied says nothing against what is known here.
      store.hint()
      await microtasksDone()
      expect(await auth.getAccessToken()).toBe(server.sessions[0]?.accessToken)
      store.kept = undefined
      store.hint()
      await microtasksDone()
      expect(auth.getSnapshot().status).toBe('signed-in')
      expect(ends).toEqual([])
    },
  )

  it('G15: once a save succeeds again, the store is authoritative again', async () => {
    const store = createOpenStore()
    const { server, auth, ends } = await setUp({ store })
    store.faults.set('save', quota)
    await auth.refresh()
    store.faults.clear()
    await auth.refresh()
    expect(keptToken(store)).toBe(server.sessions[0]?.accessToken)
    store.kept = undefined
    store.hint()
    expect(ends).toMatchObject([{ reason: 'signed-out-elsewhere' }])
  })

  it.each(['throws', 'rejects'] as const)('G15: a sign-in whose save %s still signs in', async (how) => {
    const store = how === 'throws' ? createOpenStore() : createHandStore()
    store.faults.set('save', quota)
    const { api, auth, events } = await setUp({ store })
    expect((await api.get('/api/x')).status).toBe(200)
    expect(auth.getSnapshot().status).toBe('signed-in')
    expect(eventsOf(events, 'storeError')).toMatchObject([{ operation: 'save' }])
  })

  it.each(['throws', 'rejects'] as const)(
    'G15: a clear that %s raises storeError and still signs out here',
    async (how) => {
      const store = how === 'throws' ? createOpenStore() : createHandStore()
      const { api, auth, server, ends, events } = await setUp({ store })
      store.faults.set('clear', new Error('locked'))
      await auth.signOut()
      expect(eventsOf(events, 'storeError')).toMatchObject([{ operation: 'clear' }])
      // What is left in the store is a ghost.
      store.hint()
      await microtasksDone()
      expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
      await api.get('/public/x')
      expect(server.log.at(-1)?.headers.authorization).toBeUndefined()
      expect(ends).toHaveLength(1)
    },
  )

  it.each(['throws', 'rejects'] as const)(
    'G15: a refused session whose clear %s does not come back from the store',
    async (how) => {
      const store = how === 'throws' ? createOpenStore() : createHandStore()
      const { auth, server, ends } = await setUp({ store })
      store.faults.set('clear', new Error('locked'))
      server.refresh.next(401)
      await expect(auth.refresh()).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
      store.hint()
      await microtasksDone()
      expect(auth.getSnapshot().status).toBe('signed-out')
      expect(ends).toMatchObject([{ reason: 'refused' }])
    },
  )

  it.each(['throws', 'rejects'] as const)(
    'G15: a load that %s does not sign out: not on a notification, before a refresh or after a refusal',
    async (how) => {
      const store = how === 'throws' ? createOpenStore() : createHandStore()
      const { auth, server, ends, events } = await setUp({ store })
      store.faults.set('load', new Error('blocked'))
      store.hint()
      await microtasksDone()
      expect(auth.getSnapshot().status).toBe('signed-in')
      await expect(auth.refresh()).resolves.toMatchObject({ status: 'signed-in' })
      expect(keptToken(store)).toBe(server.sessions[0]?.accessToken)
      expect(ends).toEqual([])
      server.refresh.next(401)
      await expect(auth.refresh()).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
      expect(ends).toMatchObject([{ reason: 'refused' }])
      const operations = eventsOf(events, 'storeError').map(({ operation }) => operation)
      expect(new Set(operations)).toEqual(new Set(['load']))
    },
  )

  it('G15: localStorage that is full, blocked or missing does not end the session', async () => {
    const { server, api, auth, ends, events, login } = await setUp({
      store: localStorageStore({ key: 'app' }),
    })
    // Node has none: every touch has failed so far.
    expect((await api.get('/api/x')).status).toBe(200)
    vi.stubGlobal('localStorage', {
      getItem: () => null,
      removeItem() {},
      setItem() {
        throw quota
      },
    })
    server.killAccessTokens()
    expect((await api.get('/api/y')).status).toBe(200)
    expect(await auth.getAccessToken()).not.toBe(login.access_token)
    expect(ends).toEqual([])
    expect(eventsOf(events, 'storeError').at(-1)).toEqual({ operation: 'save', error: sameAsQuota })
  })

  it('G15: storeError holds no token', async () => {
    const store = createOpenStore()
    const { server, auth, events } = await setUp({ store })
    store.faults.set('save', quota)
    await auth.refresh()
    store.kept = 'rubbish'
    store.hint()
    await microtasksDone()
    const text = JSON.stringify(
      eventsOf(events, 'storeError').map(({ error }) => [String(error), error.stack]),
    )
    for (const token of server.issuedTokens()) expect(text).not.toContain(token)
    expect(eventsOf(events, 'storeError')).toHaveLength(2)
  })
})

describe('G15: a store that never answers', () => {
  const hung = (operation: StoreOperation) => ({ operation, error: expect.any(Error) })

  it('G15: a save is waited for as long as a refresh may take, then the session continues without it', async () => {
    const store = createHandStore()
    const { server, api, clock, events, auth } = await setUp({ store })
    store.hold('save')
    server.killAccessTokens()
    const settled = settleAll([api.get('/api/x'), api.get('/api/y')])
    await store.waiting('save')
    await clock.advance(14_999)
    expect(server.counts.protectedOk).toBe(0)
    await clock.advance(1)
    expect(outcomesOf(await settled)).toEqual(['ok', 'ok'])
    expect(eventsOf(events, 'storeError')).toEqual([hung('save')])
    // From now on nobody waits for it.
    server.killAccessTokens()
    expect(outcomesOf(await settleAll([api.get('/api/z')]))).toEqual(['ok'])
    await settleAll([auth.signOut()])
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(clock.pending).toBe(0)
  })

  it('G15: a store that answers again gets the last missed write', async () => {
    const store = createHandStore()
    const { server, auth, clock } = await setUp({ store })
    store.hold('save')
    const first = auth.refresh()
    const save = await store.waiting('save')
    await clock.advance(15_000)
    await first
    await auth.refresh()
    await auth.refresh()
    // A look that it misses too takes nothing from that.
    store.hint()
    save.release()
    await microtasksDone()
    store.releaseAll()
    expect(keptToken(store)).toBe(server.sessions[0]?.accessToken)
  })

  it.each<[StoreOperation, (world: World, store: HandStore) => unknown]>([
    ['save', ({ auth }) => auth.updateTokens({ accessToken: 'newer' })],
    ['load', (_, store) => store.hint()],
  ])(
    'G15: a store whose %s hung during a sign-out is emptied when it answers again',
    async (operation, ask) => {
      const store = createHandStore()
      const world = await setUp({ store })
      const { auth, clock } = world
      store.hold(operation)
      const asked = ask(world, store)
      const call = await store.waiting(operation)
      const signedOut = auth.signOut()
      await clock.advance(15_000)
      await settleAll([asked, signedOut])
      call.release()
      await microtasksDone()
      store.releaseAll()
      await microtasksDone()
      expect(store.kept).toBeUndefined()
    },
  )

  it.each<[string, (save: HeldCall) => void]>([
    ['does its work', (save) => save.release()],
    ['fails', (save) => save.fail(new Error('gone'))],
  ])(
    'G15: a save that hung and %s after dispose does not overwrite what the next client has saved',
    async (_, end) => {
      const store = createHandStore()
      const { auth, clock } = await setUp({ store })
      store.hold('save')
      const updated = settleAll([auth.updateTokens({ accessToken: 'second' })])
      const save = await store.waiting('save')
      await clock.advance(15_000)
      await updated
      // Not written, and to be made up for.
      await auth.updateTokens({ accessToken: 'third' })
      auth.dispose()
      end(save)
      // From here on nothing would hold up a write.
      store.releaseAll()
      store.kept = 'of the next client'
      await microtasksDone()
      expect(store.kept).toBe('of the next client')
    },
  )

  it('G15: a load that is answered too late writes nothing', async () => {
    const store = createHandStore()
    const { clock } = await setUp({ store })
    store.hold('load')
    store.hint()
    const look = await store.waiting('load')
    await clock.advance(15_000)
    look.release()
    await microtasksDone()
    expect(store.calls.filter((operation) => operation === 'save')).toHaveLength(1)
  })

  it('G15: a clear that hangs does not prevent signing out', async () => {
    const store = createHandStore()
    const { auth, clock, events } = await setUp({ store })
    store.hold('clear')
    const signedOut = auth.signOut()
    expect(auth.getSnapshot().status).toBe('signed-out')
    await clock.advance(15_000)
    await settleAll([signedOut])
    expect(eventsOf(events, 'storeError')).toEqual([hung('clear')])
    expect(clock.pending).toBe(0)
  })

  it('G15: the load before a refresh leaves the refresh half of the time', async () => {
    const store = createHandStore()
    const { auth, clock, events, server } = await setUp({ store })
    store.hold('load')
    const refreshed = auth.refresh()
    await store.waiting('load')
    await clock.advance(7499)
    expect(server.counts.requests).toBe(0)
    await clock.advance(1)
    await expect(refreshed).resolves.toMatchObject({ status: 'signed-in' })
    expect(eventsOf(events, 'storeError')[0]).toEqual(hung('load'))
  })

  it('G15: a load that waits for a save also leaves the refresh half of the time', async () => {
    const store = createHandStore()
    const hand = createHandRefresh()
    const { auth, api, server, clock } = await setUp({ store, refresh: hand.refresh, signedIn: false })
    await auth.ready
    store.hold('save')
    const signedIn = auth.signIn(tokensOf(server.login()))
    await store.waiting('save')
    server.killAccessTokens()
    const request = settleAll([api.get('/api/x')])
    await untilHeld(auth, 1)
    await clock.until(() => clock.pending >= 2)
    await clock.advance(7500)
    const call = await hand.call(1)
    call.answer(tokensOf(server.login()))
    await microtasksDone()
    await clock.advance(7500)
    await signedIn
    expect(outcomesOf(await request)).toEqual(['ok'])
  })

  it('G15: the first load delays requests no longer than a refresh may take', async () => {
    const store = createHandStore()
    store.hold('load')
    const { api, auth, clock, events, server } = await setUp({ store, signedIn: false })
    const request = settleAll([api.get('/public/x')])
    expect(auth.getSnapshot()).toEqual({ status: 'pending', refreshing: false })
    await clock.advance(14_999)
    expect(server.counts.requests).toBe(0)
    await clock.advance(1)
    expect(outcomesOf(await request)).toEqual(['ok'])
    await auth.ready
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    expect(eventsOf(events, 'storeError')).toEqual([hung('load')])
  })
})

describe('G15: an emptied store', () => {
  it('G15: signs out as soon as it is announced, and rejects waiting requests', async () => {
    const store = createOpenStore()
    const hand = createHandRefresh()
    const { api, auth, server, ends } = await setUp({ store, refresh: hand.refresh })
    server.killAccessTokens()
    const settled = settleAll([api.get('/api/x')])
    const call = await hand.call(1)
    store.kept = undefined
    store.hint()
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    expect(outcomesOf(await settled)).toEqual(['SIGNED_OUT'])
    call.answer({ accessToken: 'late', refreshToken: 'late' })
    await microtasksDone()
    expect(store.kept).toBeUndefined()
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(ends).toEqual([
      { reason: 'signed-out-elsewhere', error: expect.objectContaining({ code: 'SIGNED_OUT' }) },
    ])
  })

  it.each([undefined, null])(
    'G15: is found (as %s) before the next refresh without an announcement, and that is not sent',
    async (empty) => {
      for (const store of [createOpenStore(), createHandStore()]) {
        const { api, auth, server, ends } = await setUp({ store })
        store.kept = empty
        server.killAccessTokens()
        expect(outcomesOf(await settleAll([api.get('/api/x'), api.get('/api/y')]))).toEqual([
          'SIGNED_OUT',
          'SIGNED_OUT',
        ])
        expect(server.counts.refreshes).toBe(0)
        expect(auth.getSnapshot().status).toBe('signed-out')
        expect(ends).toMatchObject([{ reason: 'signed-out-elsewhere' }])
      }
    },
  )

  it('G15: found empty after a refusal signs out instead of refusing', async () => {
    const store = createOpenStore()
    const { server, auth, ends } = await setUp({ store })
    const hold = server.holdRefresh()
    const refreshed = settleAll([auth.refresh()])
    await hold.waiting(1)
    store.kept = undefined
    server.refresh.next(401)
    hold.releaseAll()
    expect(outcomesOf(await refreshed)).toEqual(['SIGNED_OUT'])
    expect(ends).toMatchObject([{ reason: 'signed-out-elsewhere' }])
  })
})

describe('G15: a refusal counts only after the store was read again', () => {
  it.each(['sync', 'async'])('G15: newer tokens found there are adopted, in a %s store', async (kind) => {
    const store = kind === 'sync' ? createOpenStore() : createHandStore()
    const { server, api, auth, ends, events } = await setUp({ store })
    const hold = server.holdRefresh()
    server.killAccessTokens()
    const settled = settleAll<unknown>([api.get('/api/x'), api.get('/api/y'), auth.refresh()])
    await hold.waiting(1)
    // Another tab was faster: its tokens are in the store, and ours are spent.
    const theirs = tokensOf(server.login())
    rotatedElsewhere(store, theirs)
    server.refresh.next(401)
    hold.releaseAll()
    expect(outcomesOf(await settled)).toEqual(['ok', 'ok', 'ok'])
    expect(ends).toEqual([])
    expect(auth.stats()).toMatchObject({ adopted: 1 })
    expect(eventsOf(events, 'refreshed')).toMatchObject([{ adopted: true }])
    expect(keptToken(store)).toBe(theirs.accessToken)
    expect(await auth.getAccessToken()).toBe(theirs.accessToken)
    expect(server.counts.refreshes).toBe(1)
  })

  it('G15: another session found there replaces this one', async () => {
    const store = createOpenStore()
    const { server, api, auth, ends } = await setUp({ store })
    const hold = server.holdRefresh()
    server.killAccessTokens()
    const settled = settleAll([api.get('/api/x')])
    await hold.waiting(1)
    const bob = tokensOf(server.login('bob'))
    store.kept = { v: 1, sessionId: 'of-bob', version: 1, tokens: bob, subject: 'bob' }
    server.refresh.next(401)
    hold.releaseAll()
    expect(outcomesOf(await settled)).toEqual(['SESSION_CHANGED'])
    expect(ends).toMatchObject([{ reason: 'replaced-elsewhere' }])
    expect(auth.getSnapshot().subject).toBe('bob')
    expect(keptToken(store)).toBe(bob.accessToken)
  })

  it('G15: the same tokens found there confirm the refusal', async () => {
    const store = createOpenStore()
    const { server, auth, ends } = await setUp({ store })
    const looks = store.calls.length
    server.refresh.next(401)
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
    // Once before the refresh, once after the refusal, then it is cleared.
    expect(store.calls.slice(looks)).toEqual(['load', 'load', 'clear'])
    expect(ends).toMatchObject([{ reason: 'refused' }])
  })

  it('G15: newer tokens found before a refresh make it unnecessary', async () => {
    for (const store of [createOpenStore(), createHandStore()]) {
      const { server, api, auth } = await setUp({ store })
      server.killAccessTokens()
      rotatedElsewhere(store, tokensOf(server.login()))
      expect(outcomesOf(await settleAll([api.get('/api/x'), api.get('/api/y')]))).toEqual(['ok', 'ok'])
      expect(server.counts.refreshes).toBe(0)
      expect(auth.stats()).toMatchObject({ adopted: 1, refreshes: 0 })
    }
  })

  it.each([
    ['another access token of the same version', {}, { accessToken: 'another' }],
    ['a newer version with the same access token', { version: 7 }, { refreshToken: 'another' }],
  ])('G15: %s found before a refresh makes it unnecessary', async (_, more, tokens) => {
    const store = createOpenStore()
    const { server, auth } = await setUp({ store })
    changedElsewhere(store, tokens, more)
    await auth.refresh()
    expect(server.counts.refreshes).toBe(0)
    expect(auth.stats().adopted).toBe(1)
  })

  it('G15: requests continue while a valid token is refreshed and its successor is written to a slow store', async () => {
    const store = createHandStore()
    const { api, auth, clock } = await setUp({ store })
    store.hold('save')
    clock.jump(275_000)
    await api.get('/api/x')
    const save = await store.waiting('save')
    expect((await api.get('/api/y')).status).toBe(200)
    expect(auth.stats().heldPeak).toBe(0)
    save.release()
    await landed(auth)
  })

  it('G15: a refused refresh token with newer ones in the store is tried again with those', async () => {
    const store = createOpenStore()
    const { server, auth, ends, api } = await setUp({ store })
    const hold = server.holdRefresh({ first: 1 })
    server.killAccessTokens()
    const settled = settleAll([api.get('/api/x')])
    await hold.waiting(1)
    // The other tab's access token has expired too by now; its refresh token is valid.
    const { access_token, refresh_token } = server.login()
    server.killAccessTokens()
    rotatedElsewhere(store, { accessToken: access_token, refreshToken: refresh_token })
    server.refresh.next(401)
    hold.releaseAll()
    await settled
    expect((await api.get('/api/y')).status).toBe(200)
    expect(ends).toEqual([])
    expect(keptRefreshToken(store)).toBe(server.sessions[1]?.refreshToken)
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  it.each(['sync', 'async'])(
    'G15: a 401 without `refresh` is such a refusal, in a %s store',
    async (kind) => {
      const store = kind === 'sync' ? createOpenStore() : createHandStore()
      const { server, api, auth, ends } = await setUp({ store, refresh: undefined })
      server.killAccessTokens()
      const theirs = tokensOf(server.login())
      rotatedElsewhere(store, theirs)
      expect(outcomesOf(await settleAll([api.get('/api/x'), api.get('/api/y')]))).toEqual(['ok', 'ok'])
      expect(ends).toEqual([])
      expect(keptToken(store)).toBe(theirs.accessToken)
      expect(auth.getSnapshot().status).toBe('signed-in')
    },
  )

  it('G15: a 401 without `refresh`, and nothing newer in the store, ends the session once', async () => {
    const store = createOpenStore()
    const { server, api, ends } = await setUp({ store, refresh: undefined })
    server.killAccessTokens()
    const results = await settleAll([api.get('/api/x'), api.get('/api/y')])
    expect(outcomesOf(results)).toEqual(['SESSION_EXPIRED', 'SESSION_EXPIRED'])
    expect(ends).toMatchObject([{ reason: 'refused' }])
    expect(store.kept).toBeUndefined()
  })
})

describe('G15: two clients of one store', () => {
  /** A request that was refused, and the refresh that it waits for. */
  async function refused() {
    const store = createOpenStore()
    const world = await setUp({ store })
    world.server.killAccessTokens()
    const refresh = world.server.holdRefresh()
    const request = world.api.get('/api/x')
    await refresh.waiting(1)
    return { ...world, store, refresh, request }
  }

  it('G15: one adopts the other’s tokens when it is notified', async () => {
    const store = createOpenStore()
    const { server, api, auth, clock } = await setUp({ store })
    const other = await setUp({ store, signedIn: false, clock, origins: [server.url] })
    await auth.refresh()
    store.hint()
    expect(await other.auth.getAccessToken()).toBe(server.sessions[0]?.accessToken)
    expect((await api.get('/api/x')).status).toBe(200)
    await other.auth.signOut()
    store.hint()
    expect(auth.getSnapshot().status).toBe('signed-out')
  })

  it('G15: a refusal of the other one is a refusal here', async () => {
    const store = createOpenStore()
    const { auth, ends } = await setUp({ store })
    store.kept = 'refused'
    store.hint()
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(ends).toMatchObject([{ reason: 'refused', error: { code: 'SESSION_EXPIRED' } }])
  })

  it('G15: newer tokens of the other one are adopted, and not written again', async () => {
    const store = createOpenStore()
    const { server, auth, login } = await setUp({ store })
    rotatedElsewhere(store, tokensOf(server.login()))
    store.hint()
    expect(await auth.getAccessToken()).not.toBe(login.access_token)
    expect(store.calls.filter((operation) => operation === 'save')).toHaveLength(1)
  })

  it('G15: newer tokens are not written again where the server repeats its refresh token', async () => {
    const store = createOpenStore()
    const { server, auth } = await setUp({ store, server: { rotate: 'echo' } })
    await auth.refresh()
    const saves = () => store.calls.filter((operation) => operation === 'save').length
    const before = saves()
    rotatedElsewhere(store, { accessToken: server.login().access_token })
    store.hint()
    expect(auth.stats().adopted).toBe(1)
    expect(saves()).toBe(before)
  })

  it('G15: a used refresh token beside a newer access token is not adopted', async () => {
    const store = createOpenStore()
    const { server, auth, login } = await setUp({ store })
    await auth.refresh()
    const { refreshToken } = server.sessions[0] ?? {}
    const accessToken = server.login().access_token
    rotatedElsewhere(store, { accessToken, refreshToken: login.refresh_token })
    store.hint()
    expect(await auth.getAccessToken()).toBe(accessToken)
    expect(store.kept).toMatchObject({ tokens: { accessToken, refreshToken } })
    await auth.refresh()
    expect(server.counts).toMatchObject({ granted: 2, reuses: 0 })
  })

  it('G15: a late answer does not replace a refresh token newer than the one it was requested with', async () => {
    const store = createOpenStore()
    const hand = createHandRefresh()
    const { auth } = await setUp({ store, refresh: hand.refresh })
    const refreshed = settleAll([auth.refresh()])
    const call = await hand.call(1)
    changedElsewhere(store, { refreshToken: 'newer' })
    store.hint()
    call.answer({ accessToken: '', refreshToken: 'late' })
    await refreshed
    expect(keptRefreshToken(store)).toBe('newer')
  })

  it('G15: another access token of the same version does not count as rejected because ours was', async () => {
    const { store, server, auth, refresh, request } = await refused()
    const accessToken = server.login().access_token
    changedElsewhere(store, { accessToken })
    store.hint()
    expect((await request).status).toBe(200)
    expect(server.log.at(-1)?.headers.authorization).toBe(`Bearer ${accessToken}`)
    refresh.releaseAll()
    await landed(auth)
  })

  it('G15: another refresh token alone does not make a rejected access token valid', async () => {
    const { store, server, api, auth, refresh, request } = await refused()
    changedElsewhere(store, { refreshToken: server.login().refresh_token })
    store.hint()
    const other = api.get('/api/y')
    await untilHeld(auth, 2)
    expect(server.counts.answered401).toBe(1)
    refresh.releaseAll()
    await settleAll([request, other])
  })

  it.each(['refused', 'expired'])(
    'G15: another refresh token alone sends no %s access token when the refresh fails',
    async (how) => {
      const store = createOpenStore()
      const hand = createHandRefresh()
      const { server, api, clock } = await setUp({
        store,
        refresh: hand.refresh,
        refreshRetry: { limit: 0 },
      })
      if (how === 'refused') server.killAccessTokens()
      else clock.jump(300_000)
      const waiting = settleAll([api.get('/api/x')])
      const call = await hand.call(1)
      const later = settleAll([api.get('/api/y')])
      changedElsewhere(store, { refreshToken: 'newer' })
      store.hint()
      await microtasksDone()
      call.fail(UNAVAILABLE)
      expect(outcomesOf([...(await waiting), ...(await later)])).toEqual(['REFRESH_FAILED', 'REFRESH_FAILED'])
      expect(server.counts.requests).toBe(how === 'refused' ? 1 : 0)
      expect(hand.calls).toHaveLength(1)
    },
  )

  it('G15: newer tokens announced while the lock is awaited make the refresh unnecessary', async () => {
    let grant = (): void => {}
    vi.stubGlobal('navigator', {
      locks: {
        request: (_name: string, _options: unknown, work: () => Promise<unknown>) =>
          new Promise((resolve, reject) => {
            grant = () => void work().then(resolve, reject)
          }),
      },
    })
    const store = Object.assign(createOpenStore(), { exclusively: webLock('app') })
    const { server, api, auth, clock } = await setUp({ store })
    server.killAccessTokens()
    const settled = settleAll([api.get('/api/x')])
    await untilSnapshot(auth, ({ refreshing }) => refreshing)
    rotatedElsewhere(store, tokensOf(server.login()))
    store.hint()
    expect(outcomesOf(await settled)).toEqual(['ok'])
    grant()
    await clock.advance(1_000)
    await landed(auth)
    expect(auth.stats()).toMatchObject({ refreshes: 0, adopted: 1 })
    expect(server.counts.refreshes).toBe(0)
  })
})

describe('G10: a store that never answers again', () => {
  it('G10: does not keep a session that the server has refused', async () => {
    const store = createHandStore()
    const hand = createHandRefresh()
    const { auth, clock, ends } = await setUp({ store, refresh: hand.refresh })
    store.hold('load')
    const refreshed = settleAll([auth.refresh()])
    await store.waiting('load')
    await clock.advance(7_500)
    ;(await hand.call(1)).answer(null)
    await microtasksDone()
    await clock.advance(3_750)
    expect(outcomesOf(await refreshed)).toEqual(['SESSION_EXPIRED'])
    expect(ends).toMatchObject([{ reason: 'refused' }])
  })
})
