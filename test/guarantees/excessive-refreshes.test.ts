// G8: how often one request may refresh, a grant that brings nothing new, and a server that refuses whatever it is sent.

import { describe, expect, it } from 'vitest'
import { authErrorOf } from '../../src/index.js'
import type { StartOptions } from '../support/auth-server.js'
import { failureOf, landed, setUp, tokensOf, untilHeld, type World } from '../support/client.js'
import { settleAll } from '../support/settle-all.js'
import { shuffled } from '../support/shuffle.js'
import { createOpenStore, rotatedElsewhere } from '../support/stores.js'

describe('G8: one request starts at most one refresh', () => {
  it('G8: a request that is rejected with the fresh token too passes its 401 on', async () => {
    const { server, api, ends } = await setUp()
    const error = await failureOf(api.get('/api/always-401'))
    expect(error).toMatchObject({ response: { status: 401 } })
    expect(authErrorOf(error)).toBeUndefined()
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 2 })
    expect(server.requestsTo('/api/always-401')).toHaveLength(2)
    expect(ends).toEqual([])
    // What one endpoint refuses, the others take: nobody else pays for it.
    await api.get('/api/item')
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 1 })
  })

  it('G8: a request that waited because of an expired token starts no second refresh', async () => {
    const { server, api, clock } = await setUp()
    clock.jump(300_000)
    expect(await failureOf(api.get('/api/always-401'))).toMatchObject({ response: { status: 401 } })
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 1 })
  })

  it('G8: a request that refreshed a stale token in the background starts no second refresh', async () => {
    const { server, api, clock, auth } = await setUp()
    clock.jump(275_000)
    const hold = server.hold('/api/always-401', { at: 'answer', first: 1 })
    const failed = failureOf(api.get('/api/always-401'))
    await hold.waiting(1)
    await landed(auth)
    hold.releaseAll()
    expect(await failed).toMatchObject({ response: { status: 401 } })
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 2 })
  })

  it('G8: a request may join a refresh that another one starts', async () => {
    const { server, api, auth } = await setUp()
    server.killAccessTokens()
    const replay = server.hold(({ path }) => path === '/api/item' && server.counts.granted === 1)
    const sent = api.get('/api/item')
    await replay.waiting(1)
    server.killAccessTokens()
    const refresh = server.holdRefresh()
    const other = api.get('/api/other')
    await refresh.waiting(1)
    replay.releaseAll()
    await untilHeld(auth, 2)
    refresh.releaseAll()
    expect(await settleAll([sent, other])).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }])
    expect(server.requestsTo('/api/item')).toHaveLength(3)
    expect(server.counts.refreshes).toBe(2)
  })

  it('G8: a request is replayed with newer tokens from elsewhere, without a refresh', async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    // Its own refresh did not help; its second 401 comes after somebody else's refresh is over.
    const isReplay = ({ path }: { path: string }) => path === '/api/item' && server.counts.granted === 1
    const replay = server.hold(isReplay, { first: 1 })
    const late = server.hold(isReplay, { at: 'answer', first: 1 })
    const sent = api.get('/api/item')
    await replay.waiting(1)
    server.killAccessTokens()
    replay.releaseAll()
    await late.waiting(1)
    await api.get('/api/other')
    late.releaseAll()
    expect(await settleAll([sent])).toMatchObject([{ status: 'fulfilled' }])
    expect(server.requestsTo('/api/item')).toHaveLength(3)
    expect(server.counts.refreshes).toBe(2)
  })

  it('G8: a request is replayed with newer tokens, and sent at most five times', async () => {
    const { server, api, auth } = await setUp()
    const hold = server.hold('/api/item', { at: 'answer' })
    server.killAccessTokens()
    const sent = api.get('/api/item')
    for (let round = 1; round <= 5; round++) {
      await hold.waiting(1)
      await auth.refresh()
      server.killAccessTokens()
      hold.release()
    }
    expect(await settleAll([sent])).toMatchObject([{ reason: { response: { status: 401 } } }])
    expect(server.counts.refreshes).toBe(5)
    expect(server.requestsTo('/api/item')).toHaveLength(5)
  })

  it('G8: one more is started when the first one’s token expired on the way', async () => {
    const { server, api, clock } = await setUp({ server: { accessLifetimeSeconds: 3 } })
    server.killAccessTokens()
    const slow = server.hold(({ path }) => path === '/api/item' && server.counts.granted === 1, { first: 1 })
    const sent = settleAll([api.get('/api/item')])
    await slow.waiting(1)
    // The server looks when the 3 s of the new token are over.
    clock.jump(3_000)
    server.killAccessTokens()
    slow.releaseAll()
    expect(await sent).toMatchObject([{ status: 'fulfilled' }])
    expect(server.counts.refreshes).toBe(2)
    expect(server.requestsTo('/api/item')).toHaveLength(3)
  })

  it('G8: a third one is never started', async () => {
    const { server, api, clock } = await setUp({ server: { accessLifetimeSeconds: 3 } })
    const hold = server.hold('/api/always-401')
    const failed = failureOf(api.get('/api/always-401'))
    for (let sending = 1; sending <= 3; sending++) {
      await hold.waiting(1)
      clock.jump(3_000)
      hold.release()
    }
    expect(await failed).toMatchObject({ response: { status: 401 } })
    expect(server.counts.refreshes).toBe(2)
  })

  it('G8: a token that expired on the way does not count as an excessive refresh', async () => {
    const { server, api, clock } = await setUp({ server: { accessLifetimeSeconds: 3 } })
    for (let round = 1; round <= 4; round++) {
      server.killAccessTokens()
      const hold = server.hold('/api/item')
      const sent = settleAll([api.get('/api/item')])
      for (const isReplay of [false, true, false]) {
        await hold.waiting(1)
        if (isReplay) {
          clock.jump(3_000)
          server.killAccessTokens()
        }
        hold.release()
      }
      expect(await sent).toMatchObject([{ status: 'fulfilled' }])
      hold.releaseAll()
    }
    expect(server.counts.refreshes).toBe(8)
  })

  it.each([
    ['another token', (i: number) => ({ accessToken: `other-token-${i}` })],
    ['the same token', () => ({})],
  ])(
    'G8: a store whose version rises at each load, with %s, causes at most five sendings',
    async (_, next) => {
      const store = createOpenStore()
      const { server, api, auth, clock } = await setUp({ store })
      server.settings.readAccessToken = () => undefined
      let looks = 0
      const { load } = store
      store.load = () => {
        if (store.kept) rotatedElsewhere(store, next(looks++))
        return load.call(store)
      }
      const results = await settleAll<unknown>([
        api.get('/api/item'),
        api.get('/api/other'),
        auth.getAccessToken({ minValidityMs: 86_400_000 }),
      ])
      expect(results[0]).toMatchObject({ reason: { response: { status: 401 } } })
      expect(results[2]).toMatchObject({ status: 'fulfilled' })
      expect(server.requestsTo('/api/item').length).toBeLessThanOrEqual(5)
      expect(server.counts.refreshes).toBeLessThanOrEqual(3)
      // Also where each of these tokens is over by the clock, so that none is sent.
      clock.jump(86_400_000)
      await settleAll([api.get('/api/late')])
      expect(server.requestsTo('/api/late').length).toBeLessThanOrEqual(5)
    },
  )

  it('G8: getAccessToken starts one, even if the new token is too short-lived', async () => {
    const { server, auth } = await setUp()
    const token = await auth.getAccessToken({ minValidityMs: 86_400_000 })
    expect(token).toBe(server.sessions[0]?.accessToken)
    expect(server.counts.refreshes).toBe(1)
  })

  for (const seed of [1, 2, 3, 4]) {
    it(`G8: a hundred requests to a server that refuses every token settle after three refreshes (seed ${seed})`, async () => {
      const { server, api, auth, ends } = await setUp()
      server.settings.readAccessToken = () => undefined
      const hold = server.hold('/api/*', { at: 'answer', first: 100 })
      const all = Array.from({ length: 100 }, (_, i) => failureOf(api.get(`/api/item/${i}`)))
      await hold.waiting(100)
      for (const index of shuffled([...Array(100).keys()], seed)) hold.releaseAt(index % hold.count)
      for (const result of await settleAll(all)) {
        expect(result).toMatchObject({ status: 'fulfilled', value: { response: { status: 401 } } })
      }
      expect(server.counts.refreshes).toBe(3)
      expect(auth.stats().heldNow).toBe(0)
      expect(auth.getSnapshot().status).toBe('signed-in')
      expect(ends).toEqual([])
    })
  }
})

describe('G8: a grant that repeats the refused token', () => {
  it.each(['same-token', 'same-token-rotated'] as const)(
    'G8: rejects with BAD_GRANT, and replays nothing (%s)',
    async (behaviour) => {
      const { server, api, auth, ends } = await setUp()
      server.killAccessTokens()
      server.refresh.next(behaviour)
      const error = await failureOf(api.get('/api/item'))
      expect(error).toMatchObject({ response: { status: 401 }, cause: { code: 'BAD_GRANT' } })
      expect(server.counts).toMatchObject({ refreshes: 1, answered401: 1 })
      expect(auth.getSnapshot().status).toBe('signed-in')
      expect(ends).toEqual([])
    },
  )

  it('G8: accepts a repeated token that was not rejected', async () => {
    const { server, api, auth, clock, events } = await setUp()
    server.refresh.next('same-token', 'same-token')
    await auth.refresh()
    clock.jump(275_000)
    await api.get('/api/item')
    await landed(auth)
    expect(server.counts).toMatchObject({ refreshes: 2, answered401: 0, protectedOk: 1 })
    expect(events.map(({ name }) => name)).not.toContain('refreshFailed')
  })
})

describe('G8: when fresh tokens keep being refused', () => {
  /** A world whose server refuses every token, after so many excessive refreshes. */
  async function refusingAll(excessive: number, everyMs = 0, options: StartOptions = {}) {
    const world = await setUp({ server: options })
    const { server, api, clock } = world
    const { readAccessToken } = server.settings
    server.settings.readAccessToken = () => undefined
    for (let i = 0; i < excessive; i++) {
      if (i > 0) clock.jump(everyMs)
      expect(await failureOf(api.get(`/api/item/${i}`))).toMatchObject({ response: { status: 401 } })
    }
    expect(server.counts.refreshes).toBe(excessive)
    return {
      ...world,
      /** The server takes tokens again. */
      relent(): void {
        server.settings.readAccessToken = readAccessToken
      },
    }
  }

  /** Sends a request that is refused, and returns how many refreshes that cost. */
  async function costOf({ server, api }: Pick<World, 'server' | 'api'>): Promise<number> {
    const { refreshes } = server.counts
    const error = await failureOf(api.get('/api/again'))
    expect(error).toMatchObject({ response: { status: 401 } })
    expect(authErrorOf(error)).toBeUndefined()
    return server.counts.refreshes - refreshes
  }

  it('G8: two excessive refreshes stop nothing', async () => {
    expect(await costOf(await refusingAll(2))).toBe(1)
  })

  it.each([0, 14_999])(
    'G8: after three of them within 30 s (one every %i ms), 401s pass through unchanged',
    async (everyMs) => {
      const world = await refusingAll(3, everyMs)
      for (let i = 0; i < 5; i++) expect(await costOf(world)).toBe(0)
      expect(world.server.requestsTo('/api/again')).toHaveLength(5)
      expect(world.auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
      expect(world.ends).toEqual([])
    },
  )

  it('G8: three of them spread over 30 s or more stop nothing', async () => {
    expect(await costOf(await refusingAll(3, 15_000))).toBe(1)
  })

  it('G8: 30 s later refreshing resumes, and one more excessive refresh does not stop it', async () => {
    const world = await refusingAll(3)
    world.clock.jump(29_999)
    expect(await costOf(world)).toBe(0)
    world.clock.jump(1)
    expect(await costOf(world)).toBe(1)
    expect(await costOf(world)).toBe(1)
  })

  it('G8: only the last three excessive refreshes count', async () => {
    const world = await refusingAll(3, 20_000)
    world.clock.jump(5_000)
    expect(await costOf(world)).toBe(1)
    expect(await costOf(world)).toBe(0)
  })

  it('G8: a clock that is set back does not stop refreshing for longer than 30 s', async () => {
    const world = await refusingAll(3)
    world.clock.jump(-3_600_000)
    world.clock.jump(30_000)
    expect(await costOf(world)).toBe(1)
  })

  it('G8: a token that expires is still refreshed', async () => {
    const world = await refusingAll(3, 0, { accessLifetimeSeconds: 20 })
    expect(await costOf(world)).toBe(0)
    world.relent()
    world.clock.jump(20_000)
    await world.api.get('/api/item')
    expect(world.server.counts).toMatchObject({ refreshes: 4, protectedOk: 1 })
  })

  it('G8: a 401 for a token that has expired still starts a refresh', async () => {
    const world = await refusingAll(3, 0, { accessLifetimeSeconds: 20 })
    const { server, api, clock } = world
    const hold = server.hold('/api/late', { at: 'answer', first: 1 })
    const late = api.get('/api/late')
    await hold.waiting(1)
    world.relent()
    clock.jump(20_000)
    hold.releaseAll()
    expect((await late).status).toBe(200)
    expect(server.counts.refreshes).toBe(4)
  })

  it('G8: a successful replay resumes refreshing', async () => {
    const world = await setUp()
    const { server, api } = world
    const { readAccessToken } = server.settings
    // A 401 about the first token, on its way from before.
    server.killAccessTokens()
    const hold = server.hold('/api/straggler', { at: 'answer', first: 1 })
    const straggler = api.get('/api/straggler')
    await hold.waiting(1)
    server.settings.readAccessToken = () => undefined
    for (let i = 0; i < 3; i++) await failureOf(api.get(`/api/item/${i}`))
    expect(await costOf(world)).toBe(0)
    server.settings.readAccessToken = readAccessToken
    hold.releaseAll()
    await straggler
    expect(server.counts.refreshes).toBe(3)
    // From here on a 401 is worth a refresh again.
    server.killAccessTokens()
    await api.get('/api/item')
    expect(server.counts.refreshes).toBe(4)
  })

  it('G8: a late successful replay with an older token does not resume refreshing', async () => {
    const world = await setUp()
    const { server, api, auth } = world
    server.killAccessTokens()
    // Its first answer is a 401; that of its replay is decided, and comes late.
    const isReplay = ({ path }: { path: string }) => path === '/api/slow' && server.counts.granted === 1
    const hold = server.hold(isReplay, { at: 'answer', first: 1 })
    const slow = api.get('/api/slow')
    await hold.waiting(1)
    server.settings.readAccessToken = () => undefined
    for (let i = 0; i < 3; i++) await failureOf(api.get(`/api/item/${i}`))
    expect(await costOf(world)).toBe(0)
    hold.releaseAll()
    expect((await slow).status).toBe(200)
    expect(await costOf(world)).toBe(0)
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  it('G8: answers of endpoints that accept any token, or ignore it, do not resume refreshing', async () => {
    const world = await refusingAll(0)
    const { api } = world
    for (let i = 0; i < 3; i++) {
      expect(await costOf(world)).toBe(1)
      await api.get('/public/x')
    }
    expect(await costOf(world)).toBe(0)
  })

  it('G8: requests that the server accepts continue as usual, and so does refresh()', async () => {
    const world = await refusingAll(3)
    const { server, api, auth } = world
    world.relent()
    await api.get('/api/item')
    expect(server.counts).toMatchObject({ refreshes: 3, protectedOk: 1 })
    await auth.refresh()
    await api.get('/api/item')
    expect(server.counts).toMatchObject({ refreshes: 4, protectedOk: 2 })
  })

  it('G8: tokens that expire often but are accepted each time stop nothing', async () => {
    const { server, api } = await setUp()
    for (let round = 1; round <= 10; round++) {
      server.killAccessTokens()
      await api.get('/api/item')
      expect(server.counts).toMatchObject({ refreshes: round, protectedOk: round })
    }
  })

  it('G8: failed refreshes do not count as excessive: they have their cool-down', async () => {
    const { server, api, clock } = await setUp()
    server.killAccessTokens()
    server.refresh.next(404, 404, 404, 404)
    for (const coolDownMs of [1_000, 2_000, 4_000, 8_000]) {
      expect(authErrorOf(await failureOf(api.get('/api/item')))?.code).toBe('REFRESH_FAILED')
      clock.jump(coolDownMs)
    }
    await api.get('/api/item')
    expect(server.counts).toMatchObject({ refreshes: 5, protectedOk: 1 })
  })

  it('G8: a new sign-in resets the count', async () => {
    const world = await refusingAll(3)
    await world.auth.signIn(tokensOf(world.server.login('grace')))
    expect(await costOf(world)).toBe(1)
  })
})

describe('G8: a store with another expired token at each load', () => {
  it('G8: makes refresh() read it at most five times', async () => {
    const store = createOpenStore()
    const { auth, clock, server } = await setUp({ store })
    const { load } = store
    let looks = 0
    store.load = () => {
      // With an end, or a fault would be a test that never does.
      if (looks++ < 100)
        rotatedElsewhere(store, { accessToken: `expired-${looks}` }, { expiresAtMs: clock.nowMs() - 1 })
      return load()
    }
    await auth.refresh()
    expect(looks).toBeLessThanOrEqual(10)
    expect(server.counts.refreshes).toBe(0)
  })
})
