// G13: a sign-out wins over a refresh, whenever it comes and whoever calls it.

import axios from 'axios'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  type AuthClient,
  type AuthEvents,
  createAuthClient,
  noCredential,
  type RefreshStrategy,
  refreshWithCookie,
} from '../../src/index.js'
import { createFakeTabs } from '../../src/testing/fake-tabs.js'
import { eventsOf, outcomesOf, passBackOffs, type SetUpOptions, setUp, tokensOf } from '../support/client.js'
import { giveCookies } from '../support/cookie-jar.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import { shuffled } from '../support/shuffle.js'
import { createHandStore, createOpenStore } from '../support/stores.js'

async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined
}

/** A client whose refresh is under way and held by hand, with everybody who can wait for it. */
async function refreshing(options: SetUpOptions = {}) {
  const hand = createHandRefresh()
  const world = await setUp({ refresh: hand.refresh, ...options })
  world.server.killAccessTokens()
  const requests = [1, 2].map((i) => world.api.get(`/api/refused/${i}`))
  const call = await hand.call(1)
  requests.push(world.api.get('/api/held'))
  const calls = [world.auth.getAccessToken(), world.auth.refresh()]
  await world.server.until(() => world.server.counts.answered401 === 2)
  return { ...world, hand, call, waiting: [...requests, ...calls] as Promise<unknown>[] }
}

const FIVE = (word: string): string[] => Array(5).fill(word)

describe('G13: signOut during a refresh', () => {
  it('G13: the snapshot is signed out at once, and every waiting request rejects with SIGNED_OUT', async () => {
    const store = createOpenStore()
    const { auth, waiting, ends, events, call, api, server, clock } = await refreshing({ store })
    const seen: string[] = []
    auth.subscribe(() => seen.push(auth.getSnapshot().status))
    const settled = settleAll(waiting)
    const signedOut = auth.signOut()
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    expect(seen).toEqual(['signed-out'])
    expect(store.kept).toBeUndefined()
    // Nobody has to wait for the answer of the refresh.
    expect(outcomesOf(await settled)).toEqual(FIVE('SIGNED_OUT'))
    await signedOut
    expect(call.context.signal.aborted).toBe(true)

    call.answer(tokensOf(server.login()))
    await clock.advance(20_000)
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    expect(store.kept).toBeUndefined()
    expect(await auth.getAccessToken()).toBeUndefined()
    await api.get('/public/x')
    expect(server.log.at(-1)?.headers.authorization).toBeUndefined()
    expect(ends).toEqual([{ reason: 'signed-out', error: expect.objectContaining({ code: 'SIGNED_OUT' }) }])
    expect(eventsOf(events, 'sessionEnd')).toEqual(ends)
    expect(eventsOf(events, 'refreshed')).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('G13: aborts the refresh on the wire, and its used token never returns', async () => {
    const store = createOpenStore()
    const { server, api, auth } = await setUp({ store })
    const hold = server.holdRefresh({ at: 'answer' })
    server.killAccessTokens()
    const request = api.get('/api/x')
    await hold.waiting(1)
    const settled = settleAll([request])
    await auth.signOut()
    await hold.deserted(1)
    hold.releaseAll()
    expect(outcomesOf(await settled)).toEqual(['SIGNED_OUT'])
    await server.idle()
    expect(store.kept).toBeUndefined()
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(server.requestsTo('/api/x')).toHaveLength(1)
  })

  it.each(Array.from({ length: 14 }, (_, ticks) => ticks))(
    'G13: a sign-out %i ticks after the refresh’s answer leaves no tokens',
    async (ticks) => {
      for (const store of [createOpenStore(), createHandStore()]) {
        const { auth, waiting, call, server, ends, clock } = await refreshing({ store })
        const settled = settleAll(waiting)
        call.answer(tokensOf(server.login()))
        await microtasks(ticks)
        const sent = server.counts.requests
        await auth.signOut()
        const outcomes = outcomesOf(await settled)
        // Requests released before got their answer; none was left waiting, and none was sent later.
        for (const outcome of outcomes) expect(['ok', 'SIGNED_OUT']).toContain(outcome)
        if (sent === server.counts.requests) expect(outcomes.slice(0, 3)).toEqual(Array(3).fill('SIGNED_OUT'))
        await clock.advance(20_000)
        expect(store.kept).toBeUndefined()
        expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
        expect(ends).toMatchObject([{ reason: 'signed-out' }])
        expect(clock.pending).toBe(0)
      }
    },
  )

  it.each([1, 2, 3, 4, 5, 6])('G13: a slow store ends up empty, in order of answers %i', async (seed) => {
    const store = createHandStore()
    const { auth, waiting, call, server, clock } = await refreshing({ store })
    const settled = settleAll(waiting)
    store.hold('save', 'clear', 'load')
    const steps = shuffled(
      [
        () => call.answer(tokensOf(server.login())),
        () => void signOuts.push(auth.signOut()),
        () => store.held[0]?.release(),
        () => store.held[0]?.release(),
      ],
      seed,
    )
    const signOuts: Promise<void>[] = []
    for (const step of steps) {
      step()
      await clock.advance(1)
    }
    store.releaseAll()
    await settleAll(signOuts)
    expect(outcomesOf(await settled)).toEqual(FIVE('SIGNED_OUT'))
    await clock.advance(1)
    expect(store.kept).toBeUndefined()
    expect(clock.pending).toBe(0)
  })

  it('G13: a 401 that arrives after the sign-out is passed on with SIGNED_OUT as its cause, not replayed', async () => {
    const { server, api, auth } = await setUp()
    const hold = server.hold('/api/*', { at: 'answer' })
    server.killAccessTokens()
    const settled = settleAll([api.get('/api/x')])
    await hold.waiting(1)
    await auth.signOut()
    hold.releaseAll()
    expect(await settled).toMatchObject([
      { status: 'rejected', reason: { response: { status: 401 }, cause: { code: 'SIGNED_OUT' } } },
    ])
    expect(server.counts).toMatchObject({ requests: 1, refreshes: 0 })
  })

  it('G13: a sign-out stops a replay that waits for beforeReplay', async () => {
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
    await auth.signOut()
    leave()
    expect(outcomesOf(await settled)).toEqual(['SIGNED_OUT'])
    expect(server.requestsTo('/api/x')).toHaveLength(1)
  })

  it('G13: a sign-out in the same turn as getAccessToken of a stale token starts no refresh', async () => {
    const { auth, clock, server, events } = await setUp()
    clock.jump(299_000)
    const seen: unknown[] = []
    auth.subscribe(() => seen.push(auth.getSnapshot()))
    const token = settleAll([auth.getAccessToken()])
    await auth.signOut()
    await token
    await microtasksDone()
    expect(server.counts.refreshes).toBe(0)
    expect(seen).toEqual([{ status: 'signed-out', refreshing: false }])
    expect(eventsOf(events, 'refreshStart')).toEqual([])
  })

  it('G13: signing out twice, or while signed out, ends nothing more', async () => {
    const { auth, ends } = await setUp()
    await Promise.all([auth.signOut(), auth.signOut()])
    await auth.signOut()
    expect(ends).toHaveLength(1)
  })
})

describe('G13: after a sign-out', () => {
  it('G13: a tab that wakes late and writes its tokens does not restore the session', async () => {
    const store = createOpenStore()
    const { auth } = await setUp({ store })
    const { kept } = store
    await auth.signOut()
    store.kept = kept
    store.hint()
    expect(auth.getSnapshot().status).toBe('signed-out')
  })

  it('G13: an app without onSessionEnd gets no warning', async () => {
    const shown = vi.spyOn(console, 'error')
    const auth = createAuthClient(axios.create({ baseURL: 'https://api.example.com' }))
    onTestFinished(() => auth.dispose())
    await auth.signIn({ accessToken: 'token' })
    await auth.signOut()
    expect(shown).not.toHaveBeenCalled()
  })
})

describe('G13: signOut while a slow store is read', () => {
  const OF_BOB = { v: 1, sessionId: 'of-bob', version: 1, tokens: { accessToken: 'of-bob' } }

  it('G13: a load that began before the sign-out signs nobody in', async () => {
    const store = createHandStore()
    const { auth } = await setUp({ store, signedIn: false })
    await auth.ready
    store.kept = OF_BOB
    store.hold('load')
    store.hint()
    await store.waiting('load')
    const signedOut = auth.signOut()
    store.releaseAll()
    await signedOut
    await microtasksDone()
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(store.kept).toBeUndefined()
  })

  it('G13: a notification before the sign-out, during the first load, signs nobody in', async () => {
    const store = createHandStore(OF_BOB)
    store.hold('load')
    const { auth } = await setUp({ store, signedIn: false })
    store.hint()
    const signedOut = auth.signOut()
    store.releaseAll()
    await signedOut
    await microtasksDone()
    expect(auth.getSnapshot().status).toBe('signed-out')
  })

  it('G13: a notification after a sign-out during the first load signs nobody in, though the store could not be cleared', async () => {
    const store = createHandStore(OF_BOB)
    store.hold('load')
    store.faults.set('clear', new Error('locked'))
    const { auth } = await setUp({ store, signedIn: false })
    const signedOut = auth.signOut()
    store.releaseAll()
    await signedOut
    store.hint()
    await microtasksDone()
    expect(auth.getSnapshot().status).toBe('signed-out')
  })
})

describe('G13: signOut from a hook', () => {
  it.each<[string, (auth: () => AuthClient) => RefreshStrategy]>([
    [
      'and waits for it',
      (auth) => async () => {
        await auth().signOut()
        return { accessToken: 'ghost', refreshToken: 'ghost' }
      },
    ],
    [
      'and does not wait',
      (auth) => () => {
        void auth().signOut()
        return { accessToken: 'ghost', refreshToken: 'ghost' }
      },
    ],
    [
      'and throws',
      (auth) => async () => {
        await auth().signOut()
        throw new Error('the end')
      },
    ],
    [
      'and returns null',
      (auth) => async () => {
        await auth().signOut()
        return null
      },
    ],
  ])('G13: a refresh that calls signOut itself %s signs out', async (_, refresh) => {
    const store = createOpenStore()
    const world = await setUp({ store, refresh: (context) => refresh(() => world.auth)(context) })
    const { server, api, auth, ends, clock } = world
    server.killAccessTokens()
    const settled = await settleAll<unknown>([api.get('/api/x'), api.get('/api/y'), auth.refresh()])
    expect(outcomesOf(settled)).toEqual(Array(3).fill('SIGNED_OUT'))
    await clock.advance(0)
    expect(store.kept).toBeUndefined()
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(ends).toMatchObject([{ reason: 'signed-out' }])
    expect(server.tokensSeen()).not.toContain('ghost')
    expect(clock.pending).toBe(0)
  })

  it('G13: a refresh with cookies that waits for its own signOut ends by the refresh timeout', async () => {
    const world = await setUp({
      refresh: Object.assign(
        async () => {
          await world.auth.signOut()
          return null
        },
        { cookies: true },
      ),
    })
    const { auth, clock, ends } = world
    const settled = settleAll([auth.refresh()])
    await clock.advance(15_000)
    expect(outcomesOf(await settled)).toEqual(['SIGNED_OUT'])
    expect(ends).toMatchObject([{ reason: 'signed-out' }])
    expect(clock.pending).toBe(0)
  })

  it.each<keyof AuthEvents>(['refreshStart', 'refreshed', 'held', 'replay'])(
    'G13: a sign-out from a listener of %s settles every request and leaves no tokens',
    async (name) => {
      for (const store of [createOpenStore(), createHandStore()]) {
        const { server, api, auth, ends, clock } = await setUp({ store })
        const stop = auth.on(name, () => {
          stop()
          void auth.signOut()
        })
        server.killAccessTokens()
        const results = await settleAll([api.get('/api/x'), api.get('/api/y'), api.get('/api/z')])
        for (const outcome of outcomesOf(results)) expect(['ok', 'SIGNED_OUT']).toContain(outcome)
        await clock.advance(0)
        expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
        expect(store.kept).toBeUndefined()
        expect(ends).toMatchObject([{ reason: 'signed-out' }])
        expect(clock.pending).toBe(0)
      }
    },
  )

  it('G13: a sign-out from onSessionEnd after a refusal ends nothing more', async () => {
    const store = createOpenStore()
    const { server, api, ends, auth } = await setUp({ store, onSessionEnd: () => void auth.signOut() })
    server.refresh.next(401)
    server.killAccessTokens()
    expect(outcomesOf(await settleAll([api.get('/api/x')]))).toEqual(['SESSION_EXPIRED'])
    expect(ends).toMatchObject([{ reason: 'refused' }])
    expect(store.kept).toBeUndefined()
  })

  it.each(['sync', 'async'])(
    'G13: a sign-out from onSessionEnd while another user signs in leaves no tokens, in a %s store',
    async (kind) => {
      const store = kind === 'sync' ? createOpenStore() : createHandStore()
      const { server, auth, ends } = await setUp({
        store,
        onSessionEnd: ({ reason }) => (reason === 'replaced' ? auth.signOut() : undefined),
      })
      await auth.signIn(tokensOf(server.login('bob')))
      expect(auth.getSnapshot().status).toBe('signed-out')
      expect(ends.map(({ reason }) => reason)).toEqual(['replaced', 'signed-out'])
      expect(store.kept).toBeUndefined()
    },
  )
})

describe('G13: with cookies', () => {
  /** Signed in by cookie, HttpOnly as it were: no token in script. */
  async function cookieWorld(options: SetUpOptions = {}) {
    const world = await setUp({
      refresh: refreshWithCookie({ url: '/cookie/refresh' }),
      place: noCredential(),
      signedIn: false,
      ...options,
    })
    const jar = giveCookies(world.api)
    await world.api.post('/cookie/login', { user: 'ada', password: 'secret' })
    await world.auth.signIn()
    return { ...world, jar }
  }

  it('G13: its promise, and not the snapshot, waits until the refresh under way has ended', async () => {
    const { server, api, auth, jar, ends } = await cookieWorld()
    const hold = server.holdRefresh({ at: 'answer' })
    server.killAccessTokens()
    const waiting = settleAll([api.get('/cookie/me'), api.get('/cookie/me')])
    await hold.waiting(1)
    let left = false
    const signOut = auth.signOut().then(() => {
      left = true
    })
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    expect(ends).toMatchObject([{ reason: 'signed-out' }])
    expect(outcomesOf(await waiting)).toEqual(['SIGNED_OUT', 'SIGNED_OUT'])
    expect(left).toBe(false)
    // Its answer still sets cookies, so it is not broken off.
    expect(hold.count).toBe(1)
    hold.releaseAll()
    await signOut
    expect(jar.get('refresh')).toBe(server.sessions.at(-1)?.refreshToken)

    await api.post('/cookie/logout')
    expect([...jar.keys()]).toEqual([])
    expect(server.log.at(-1)).toMatchObject({ path: '/cookie/logout', status: 204 })
    expect(server.sessions.at(-1)?.revoked).toBe(true)
    await expect(auth.refresh()).resolves.toEqual({ status: 'signed-out', refreshing: false })
  })

  it('G13: every call of signOut waits for it, not only the first', async () => {
    const { server, auth } = await cookieWorld()
    const hold = server.holdRefresh({ at: 'answer' })
    const refreshed = settleAll([auth.refresh()])
    await hold.waiting(1)
    const order: string[] = []
    const first = auth.signOut().then(() => order.push('first'))
    const second = auth.signOut().then(() => order.push('second'))
    await microtasksDone()
    expect(order).toEqual([])
    hold.releaseAll()
    await settleAll([first, second])
    expect(outcomesOf(await refreshed)).toEqual(['SIGNED_OUT'])
  })

  it('G13: it also waits for a refresh that is refused or fails, and for no further attempt', async () => {
    for (const behaviour of [401, 503, 'html'] as const) {
      const world = await cookieWorld()
      const { server, auth, ends } = world
      const hold = server.holdRefresh()
      const refreshed = settleAll([auth.refresh()])
      await hold.waiting(1)
      server.refresh.next(behaviour)
      const signOut = auth.signOut()
      hold.releaseAll()
      await settleAll([signOut])
      expect(outcomesOf(await refreshed)).toEqual(['SIGNED_OUT'])
      expect(ends).toMatchObject([{ reason: 'signed-out' }])
      expect(server.counts.refreshes).toBe(1)
      expect(world.clock.pending).toBe(0)
    }
  })

  it('G13: it does not wait for a back-off, and no further attempt is made', async () => {
    const world = await cookieWorld()
    const { server, auth, clock } = world
    server.refresh.next({ status: 503, retryAfter: 10 })
    const refreshed = settleAll([auth.refresh()])
    await clock.until(() => clock.pending === 2)
    await settleAll([auth.signOut()])
    expect(outcomesOf(await refreshed)).toEqual(['SIGNED_OUT'])
    await clock.advance(20_000)
    expect(server.counts.refreshes).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('G13: it waits no longer than the refresh timeout', async () => {
    const { server, auth, clock } = await cookieWorld()
    server.refresh.always('never')
    const refreshed = settleAll([auth.refresh()])
    await server.until(() => server.counts.refreshes === 1)
    let left = false
    const signOut = auth.signOut().then(() => {
      left = true
    })
    await clock.advance(14_999)
    expect(left).toBe(false)
    await clock.advance(1)
    await signOut
    expect(outcomesOf(await refreshed)).toEqual(['SIGNED_OUT'])
    expect(clock.pending).toBe(0)
  })

  it('G13: a refresh that takes longer is aborted, so that the logout changes the cookies last', async () => {
    const { server, api, auth, clock, jar } = await cookieWorld()
    const hold = server.holdRefresh({ at: 'answer' })
    const refreshed = settleAll([auth.refresh()])
    await hold.waiting(1)
    const signOut = auth.signOut()
    await clock.advance(15_000)
    await signOut
    expect(outcomesOf(await refreshed)).toEqual(['SIGNED_OUT'])
    await api.post('/cookie/logout')
    await hold.deserted(1)
    hold.releaseAll()
    await server.idle()
    expect([...jar.keys()]).toEqual([])
  })

  it('G13: it waits for every refresh whose answer may still set cookies', async () => {
    const hand = createHandRefresh(true)
    const { auth } = await setUp({ refresh: hand.refresh })
    const all: Promise<unknown>[] = [auth.refresh()]
    const first = await hand.call(1)
    all.push(auth.signOut(), auth.refresh())
    const second = await hand.call(2)
    let left = false
    all.push(
      auth.signOut().then(() => {
        left = true
      }),
    )
    const settled = settleAll(all)
    second.fail(new Error('no'))
    await microtasksDone()
    expect(left).toBe(false)
    first.fail(new Error('no'))
    await settled
    expect(left).toBe(true)
  })

  it('G13: dispose aborts what sign-outs have left running, and leaves no timer', async () => {
    const hand = createHandRefresh(true)
    const { auth, clock } = await setUp({ refresh: hand.refresh })
    const all: Promise<unknown>[] = [auth.refresh()]
    await hand.call(1)
    all.push(auth.signOut(), auth.refresh())
    await hand.call(2)
    all.push(auth.signOut())
    const settled = settleAll(all)
    await microtasksDone()
    auth.dispose()
    await settled
    expect(clock.pending).toBe(0)
    expect(hand.calls.map(({ context }) => context.signal.aborted)).toEqual([true, true])
  })

  it('G13: a restore that is answered too late does not sign in a user who has signed out since', async () => {
    const hand = createHandRefresh(true)
    const { auth, clock, server } = await setUp({ refresh: hand.refresh, signedIn: false })
    const restored = settleAll([auth.refresh()])
    const call = await hand.call(1)
    await clock.advance(15_000)
    expect(outcomesOf(await restored)).toEqual(['REFRESH_TIMEOUT'])
    await auth.signOut()
    call.answer(tokensOf(server.login()))
    await microtasks(20)
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
  })

  it('G13: it waits for a restore that is under way, whose session does not begin', async () => {
    const { server, auth, ends, jar } = await cookieWorld({ signedIn: false })
    await auth.signOut()
    ends.length = 0
    const hold = server.holdRefresh({ at: 'answer' })
    const restored = settleAll([auth.refresh()])
    await hold.waiting(1)
    let left = false
    const signOut = auth.signOut().then(() => {
      left = true
    })
    await microtasksDone()
    expect(left).toBe(false)
    hold.releaseAll()
    await signOut
    await restored
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    expect(ends).toEqual([])
    expect(jar.get('refresh')).toBe(server.sessions.at(-1)?.refreshToken)
  })

  it('G13: without a refresh under way it does not wait', async () => {
    const { auth, server } = await cookieWorld()
    await settleAll([auth.signOut()])
    expect(server.counts.refreshes).toBe(0)
  })

  it('G13: a sign-in abandons a refresh that a sign-out has left running', async () => {
    const { server, api, auth, jar } = await cookieWorld()
    const hold = server.holdRefresh({ at: 'answer', first: 1 })
    const refreshed = settleAll([auth.refresh()])
    await hold.waiting(1)
    const signOut = auth.signOut()
    await api.post('/cookie/login', { user: 'bob', password: 'secret' })
    await auth.signIn()
    // Its late answer would put ada's cookies in the place of bob's.
    await hold.deserted(1)
    hold.releaseAll()
    await settleAll<unknown>([signOut, refreshed])
    expect(jar.get('refresh')).toBe(server.sessions.at(-1)?.refreshToken)
    expect((await api.get('/cookie/me')).data.user).toBe('bob')
  })

  it('G13: without cookies it does not wait for the answer of a refresh', async () => {
    const { auth, waiting } = await refreshing()
    const settled = settleAll(waiting)
    await settleAll([auth.signOut()])
    expect(outcomesOf(await settled)).toEqual(FIVE('SIGNED_OUT'))
  })

  it('G13: passing back-offs after the sign-out sends nothing', async () => {
    const world = await setUp()
    world.server.refresh.always(503)
    const settled = settleAll([world.auth.refresh()])
    await passBackOffs(world, 1)
    await world.clock.until(() => world.clock.pending === 2)
    await world.auth.signOut()
    expect(outcomesOf(await settled)).toEqual(['SIGNED_OUT'])
    await world.clock.advance(20_000)
    expect(world.server.counts.refreshes).toBe(2)
    expect(world.clock.pending).toBe(0)
  })
})

describe('G13: signOut with cookies while its refresh waits for another tab', () => {
  it('G13: does not wait for the turn of a refresh that has sent nothing', async () => {
    const tabs = createFakeTabs()
    onTestFinished(tabs.installLocks())
    const hand = createHandRefresh(true)
    const { auth, clock } = await setUp({ store: tabs.openTab(), refresh: hand.refresh })
    let leave = () => {}
    const turn = new Promise<void>((resolve) => {
      leave = resolve
    })
    void tabs.locks.request('fake-tabs:refresh', () => turn)
    const refreshed = settleAll([auth.refresh()])
    await microtasksDone()
    await auth.signOut()
    expect(outcomesOf(await refreshed)).toEqual(['SIGNED_OUT'])
    leave()
    await microtasksDone()
    expect(hand.calls).toEqual([])
    expect(clock.pending).toBe(0)
  })
})
