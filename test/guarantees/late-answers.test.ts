// G11: a refresh that takes longer than `refreshTimeoutMs`: who is released, and what a late answer still means.

import { describe, expect, it } from 'vitest'
import {
  eventsOf,
  landed,
  outcomesOf,
  passBackOffs,
  setUp,
  tokensOf,
  untilSnapshot,
} from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { settleAll } from '../support/settle-all.js'
import { createHandStore, createOpenStore, keptRefreshToken, keptToken } from '../support/stores.js'

/** A client whose hand-made refresh has run out of time once; the call is still open. */
async function timedOut({ store = createOpenStore() } = {}) {
  const hand = createHandRefresh()
  const world = await setUp({ refresh: hand.refresh, store })
  world.server.killAccessTokens()
  const first = settleAll([world.api.get('/api/first')])
  const call = await hand.call(1)
  await world.clock.advance(15_000)
  expect(outcomesOf(await first)).toEqual(['REFRESH_TIMEOUT'])
  return { ...world, hand, call, store }
}

describe('G11: a refresh that never answers', () => {
  it('G11: ends after 15 s, and every waiting request rejects with REFRESH_TIMEOUT', async () => {
    const { server, api, auth, clock, events, ends } = await setUp()
    server.refresh.always('never')
    server.killAccessTokens()
    const requests = [1, 2, 3].map((i) => api.get(`/api/refused/${i}`))
    await server.until(() => server.counts.refreshes === 1)
    const held = [api.get('/api/held'), auth.getAccessToken(), auth.refresh()]
    const settled = settleAll<unknown>([...requests, ...held])
    let released = 0
    for (const promise of [...requests, ...held]) promise.catch(() => released++)
    await clock.advance(14_999)
    expect(released).toBe(0)
    expect(auth.getSnapshot().refreshing).toBe(true)
    await clock.advance(1)
    expect(outcomesOf(await settled)).toEqual(Array(6).fill('REFRESH_TIMEOUT'))
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
    expect(eventsOf(events, 'refreshFailed')).toMatchObject([
      { durationMs: 15_000, coolDownMs: 1000, error: { code: 'REFRESH_TIMEOUT' } },
    ])
    expect(ends).toEqual([])
    expect(auth.stats().heldNow).toBe(0)
    expect(clock.pending).toBe(0)
    // Not tried again: its own connection was given up.
    await server.idle()
    expect(server.counts.refreshes).toBe(1)
    expect(server.requestsTo('/auth/refresh')[0]?.aborted).toBe(true)
  })

  it('G11: a limit beyond the longest timer is capped, also with a custom clock', async () => {
    const { server, api } = await setUp({ refreshTimeoutMs: Number.MAX_SAFE_INTEGER })
    server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
  })

  it('G11: a clock that cannot set a timer is a failed refresh, and every request settles', async () => {
    const broken = {
      nowMs: () => 0,
      setTimer() {
        throw new Error('out of timers')
      },
    }
    const { server, api } = await setUp({ clock: broken })
    server.killAccessTokens()
    const outcomes = []
    for (let i = 0; i < 2; i++) outcomes.push(...(await settleAll([api.get('/api/x')])))
    expect(outcomesOf(outcomes)).toEqual(['REFRESH_FAILED', 'REFRESH_FAILED'])
  })

  it('G11: ends after refreshTimeoutMs', async () => {
    const hand = createHandRefresh()
    const { auth, clock } = await setUp({ refresh: hand.refresh, refreshTimeoutMs: 400 })
    const settled = settleAll([auth.refresh()])
    await hand.call(1)
    await clock.advance(399)
    expect(auth.getSnapshot().refreshing).toBe(true)
    await clock.advance(1)
    expect(outcomesOf(await settled)).toEqual(['REFRESH_TIMEOUT'])
    await expect(settleAll([auth.getAccessToken()])).resolves.toMatchObject([{ status: 'fulfilled' }])
  })

  it('G11: aborts its signal at that moment, and not before', async () => {
    const hand = createHandRefresh()
    const { auth, clock } = await setUp({ refresh: hand.refresh })
    const settled = settleAll([auth.refresh()])
    const { context } = await hand.call(1)
    await clock.advance(14_999)
    expect(context.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(context.signal.aborted).toBe(true)
    await settled
  })

  it('G11: the signal of a refresh that was granted is not aborted', async () => {
    const hand = createHandRefresh()
    const { auth, clock } = await setUp({ refresh: hand.refresh })
    const refreshed = auth.refresh()
    const call = await hand.call(1)
    call.answer({ accessToken: 'new' })
    await refreshed
    await clock.advance(60_000)
    expect(call.context.signal.aborted).toBe(false)
  })

  it('G11: retries end at the limit, however slow each attempt is', async () => {
    const hand = createHandRefresh()
    const world = await setUp({ refresh: hand.refresh, refreshRetry: { limit: 10, baseDelayMs: 1 } })
    const { auth, clock } = world
    const settled = settleAll([auth.refresh()])
    for (let attempt = 1; attempt <= 3; attempt++) {
      const call = await hand.call(attempt)
      await clock.advance(4900)
      call.fail(new Error('slow and broken'))
      await passBackOffs(world, 1)
    }
    const last = await hand.call(4)
    await clock.advance(15_000 - 3 * 4900)
    expect(outcomesOf(await settled)).toEqual(['REFRESH_TIMEOUT'])
    last.fail(new Error('slow and broken'))
    await clock.advance(1000)
    expect(hand.calls).toHaveLength(4)
    expect(clock.pending).toBe(0)
  })

  it('G11: a back-off that would end after the limit is skipped', async () => {
    const hand = createHandRefresh()
    const { auth, clock } = await setUp({ refresh: hand.refresh })
    const settled = settleAll([auth.refresh()])
    const call = await hand.call(1)
    await clock.advance(14_999)
    call.fail(
      Object.assign(new Error('busy'), { response: { status: 503, headers: { 'retry-after': '1' } } }),
    )
    expect(outcomesOf(await settled)).toEqual(['REFRESH_FAILED'])
    expect([hand.calls.length, clock.pending]).toEqual([1, 0])
  })

  it('G11: the message of REFRESH_TIMEOUT names the limit and the cure for a refresh that waits for itself', async () => {
    const { auth, clock } = await setUp({ refresh: createHandRefresh().refresh, refreshTimeoutMs: 1234 })
    const settled = settleAll([auth.refresh()])
    await clock.advance(1234)
    const [result] = await settled
    expect((result as PromiseRejectedResult).reason.message).toMatch(/1234 ms.*`http`/)
  })
})

describe('G11: an answer that comes too late', () => {
  it('G11: a late grant is still committed, in memory and in the store', async () => {
    const { call, server, api, auth, store, hand } = await timedOut()
    const grant = tokensOf(server.login())
    call.answer(grant)
    // It ends the cool-down with it.
    expect(await auth.getAccessToken().catch(() => auth.getAccessToken())).toBe(grant.accessToken)
    expect((await api.get('/api/x')).status).toBe(200)
    expect(keptToken(store)).toBe(grant.accessToken)
    expect(keptRefreshToken(store)).toBe(grant.refreshToken)
    expect(hand.calls).toHaveLength(1)
  })

  it('G11: a grant that is on the wire at the limit is committed if the strategy lets it arrive', async () => {
    const world = await setUp({
      refresh: async ({ http, refreshToken }) => {
        const { data } = await http.post('/auth/refresh', { refresh_token: refreshToken })
        return tokensOf(data)
      },
    })
    const { server, api, auth, clock } = world
    const hold = server.holdRefresh({ at: 'answer' })
    server.killAccessTokens()
    const settled = settleAll([api.get('/api/x')])
    await hold.waiting(1)
    await clock.advance(15_000)
    expect(outcomesOf(await settled)).toEqual(['REFRESH_TIMEOUT'])
    const before = auth.getSnapshot()
    hold.releaseAll()
    await untilSnapshot(auth, (snapshot) => snapshot !== before)
    expect((await api.get('/api/x')).status).toBe(200)
    expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
  })

  it('G11: a late refusal ends nothing', async () => {
    const { call, auth, clock, ends, hand } = await timedOut()
    call.answer(null)
    await clock.advance(1000)
    expect(ends).toEqual([])
    const refreshed = auth.refresh()
    ;(await hand.call(2)).answer({ accessToken: 'new' })
    await expect(refreshed).resolves.toMatchObject({ status: 'signed-in' })
  })

  it('G11: a late failure changes nothing, and is no unhandled rejection', async () => {
    const { call, clock, ends, events, auth } = await timedOut()
    const before = auth.getSnapshot()
    call.fail(new Error('late'))
    await clock.advance(500)
    expect(ends).toEqual([])
    expect(eventsOf(events, 'refreshFailed')).toHaveLength(1)
    expect(auth.getSnapshot()).toBe(before)
  })

  it('G11: a late grant without a usable token changes nothing', async () => {
    const { call, clock, auth, server, api, store } = await timedOut()
    const kept = store.kept
    call.answer({ accessToken: 'line\nbreak' })
    await clock.advance(500)
    expect(auth.getSnapshot().status).toBe('signed-in')
    expect(outcomesOf(await settleAll([api.get('/api/x')]))).toEqual(['REFRESH_TIMEOUT'])
    expect(store.kept).toEqual(kept)
    expect(server.counts.answered401).toBe(1)
  })

  it('G11: a late grant releases requests that wait for the next refresh, whose own answer is then dropped', async () => {
    const { call, server, api, clock, hand, store } = await timedOut()
    await clock.advance(1000)
    const waiting = api.get('/api/x')
    const next = await hand.call(2)
    const good = tokensOf(server.login())
    call.answer(good)
    next.answer({ accessToken: 'spent', refreshToken: 'spent' })
    expect((await waiting).status).toBe(200)
    expect((await api.get('/api/y')).status).toBe(200)
    expect(keptToken(store)).toBe(good.accessToken)
    expect(server.tokensSeen()).not.toContain('spent')
    expect(hand.calls).toHaveLength(2)
  })

  it('G11: a late grant releases requests that wait for the next refresh, before it is answered', async () => {
    const { call, server, api, clock, hand } = await timedOut()
    await clock.advance(1000)
    const waiting = api.get('/api/x')
    await hand.call(2)
    call.answer(tokensOf(server.login()))
    expect(outcomesOf(await settleAll([waiting]))).toEqual(['ok'])
  })

  it('G11: the failure of the next refresh does not affect tokens that came late', async () => {
    const { call, server, api, auth, clock, hand } = await timedOut()
    await clock.advance(1000)
    const waiting = api.get('/api/x')
    const next = await hand.call(2)
    call.answer(tokensOf(server.login()))
    next.fail(Object.assign(new Error('no'), { status: 404 }))
    expect((await waiting).status).toBe(200)
    await landed(auth)
    server.killAccessTokens()
    const later = api.get('/api/y')
    ;(await hand.call(3)).answer(tokensOf(server.login()))
    expect((await later).status).toBe(200)
  })

  it('G11: the refusal of the next refresh does not end a session whose tokens came late', async () => {
    const { call, server, api, clock, hand, ends } = await timedOut()
    await clock.advance(1000)
    const waiting = api.get('/api/x')
    const next = await hand.call(2)
    call.answer(tokensOf(server.login()))
    next.answer(null)
    expect((await waiting).status).toBe(200)
    expect(ends).toEqual([])
  })

  it('G11: a late grant after a sign-out is dropped', async () => {
    const { call, auth, store, clock, api, server } = await timedOut()
    await auth.signOut()
    call.answer({ accessToken: 'late', refreshToken: 'late' })
    await clock.advance(500)
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(store.kept).toBeUndefined()
    await api.get('/public/x')
    expect(server.log.at(-1)?.headers.authorization).toBeUndefined()
  })

  it('G11: a late grant after another sign-in is dropped', async () => {
    const { call, auth, store, clock, api, server } = await timedOut()
    const bob = tokensOf(server.login('bob'))
    await auth.signIn(bob)
    call.answer(tokensOf(server.login('ada')))
    await clock.advance(500)
    expect(keptToken(store)).toBe(bob.accessToken)
    expect((await api.get('/api/x')).data.user).toBe('bob')
  })

  it('G11: a grant that takes too long to store is used from memory', async () => {
    const store = createHandStore()
    const { server, api, auth, clock, events } = await setUp({ store })
    await auth.ready
    store.hold('save')
    server.killAccessTokens()
    const waiting = api.get('/api/x')
    await store.waiting('save')
    await clock.advance(15_000)
    expect((await waiting).status).toBe(200)
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 1 })
    expect(eventsOf(events, 'refreshFailed')).toEqual([])
    expect(eventsOf(events, 'refreshed')).toHaveLength(1)
    expect(eventsOf(events, 'storeError')).toMatchObject([{ operation: 'save' }])
  })
})
