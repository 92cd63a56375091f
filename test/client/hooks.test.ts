// What the hooks of the app are shown of a request and its answer, and what they may change.

import type { AxiosAdapter, AxiosRequestConfig } from 'axios'
import { describe, expect, it, vi } from 'vitest'
import { authErrorOf, tokenFromHeader } from '../../src/index.js'
import { deferred } from '../../src/wait.js'
import { json } from '../support/auth-server/answer.js'
import { failureOf, setUp, tokensOf, type World } from '../support/client.js'
import { microtasksDone } from '../support/real-time.js'

const OK = { status: 200, statusText: 'OK', headers: {} }

describe('updateTokens inside a listener of refreshFailed', () => {
  it.each([
    ['both tokens', true],
    ['an access token', false],
  ])('keeps the session that was about to end (%s)', async (_, both) => {
    const world: World = await setUp()
    const { server, api, auth, ends } = world
    const { refreshToken, ...rest } = tokensOf(server.login())
    let updated: Promise<void> | undefined
    auth.on('refreshFailed', () => {
      updated = auth.updateTokens(both ? { ...rest, refreshToken } : rest)
    })
    server.killAccessTokens()
    const newer = tokensOf(server.login())
    Object.assign(rest, newer, { refreshToken: undefined })
    server.refresh.next(401)
    expect((await api.get('/api/x')).status).toBe(200)
    await updated
    expect(ends).toEqual([])
    expect(await auth.getAccessToken()).toBe(newer.accessToken)
  })

  it('a sign-in there is not ended by the refusal', async () => {
    const { server, auth, ends } = await setUp()
    const bob = tokensOf(server.login('bob'))
    auth.on('refreshFailed', () => void auth.signIn(bob))
    server.refresh.next(401)
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'SESSION_CHANGED' })
    expect(ends).toMatchObject([{ reason: 'replaced' }])
    expect(await auth.getAccessToken()).toBe(bob.accessToken)
  })
})

describe('beforeReplay', () => {
  it('may change the body, for example to sign it', async () => {
    const nonce = 'x'.repeat(50)
    const { server, api } = await setUp({
      beforeReplay(config) {
        config.data = JSON.stringify({ ...JSON.parse(config.data), nonce })
      },
    })
    server.killAccessTokens()
    expect((await api.post('/api/x', { a: 1 })).status).toBe(200)
    expect(server.requestsTo('/api/x').map(({ body }) => body)).toEqual([{ a: 1 }, { a: 1, nonce }])
  })

  it('is followed by a replay with the tokens current at that moment', async () => {
    const [gate, asked] = [deferred(), deferred()]
    const { server, api, auth } = await setUp({
      beforeReplay() {
        asked.resolve()
        return gate.promise
      },
    })
    server.killAccessTokens()
    const request = api.get('/api/x')
    await asked.promise
    const newer = tokensOf(server.login())
    await auth.updateTokens(newer)
    gate.resolve()
    expect((await request).status).toBe(200)
    expect(server.requestsTo('/api/x').at(-1)?.accessToken).toBe(newer.accessToken)
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 1 })
  })

  it('is followed by neither a replay nor a second refresh when the new token has expired by then', async () => {
    const world: World = await setUp({ beforeReplay: () => world.clock.jump(301_000) })
    const { server, api } = world
    server.killAccessTokens()
    await expect(api.get('/api/x')).rejects.toMatchObject({ response: { status: 401 } })
    expect(server.requestsTo('/api/x')).toHaveLength(1)
    expect(server.counts.refreshes).toBe(1)
  })

  it('is not followed by a replay with a token that was rejected meanwhile', async () => {
    const gate = deferred()
    let asked = 0
    const { server, api } = await setUp({ beforeReplay: () => (asked++ === 0 ? gate.promise : undefined) })
    server.killAccessTokens()
    const request = api.get('/api/x')
    await vi.waitFor(() => expect(asked).toBe(1))
    server.killAccessTokens()
    const refresh = server.holdRefresh()
    const other = api.get('/api/y')
    await refresh.waiting(1)
    gate.resolve()
    await microtasksDone()
    refresh.releaseAll()
    expect((await Promise.all([request, other])).map(({ status }) => status)).toEqual([200, 200])
    expect(server.requestsTo('/api/x')).toHaveLength(2)
  })
})

describe('readResponse', () => {
  it('reads no token from the answer to a request that carried none (place: false)', async () => {
    const { server, api, auth, login } = await setUp({ readResponse: tokenFromHeader('authorization') })
    server.route('/public/x', () => json(200, {}, { authorization: 'somebody-elses-token' }))
    await api.post('/public/x', {}, { authClient: { place: false } })
    expect(await auth.getAccessToken()).toBe(login.access_token)
  })

  it('reads no token from the answer to a request that carried an older one', async () => {
    const { server, api, auth } = await setUp({ readResponse: tokenFromHeader('x-new-token') })
    server.route('/api/push', () => json(200, {}, { 'x-new-token': 'pushed-for-the-older-one' }))
    const hold = server.hold('/api/push', { at: 'answer' })
    const request = api.get('/api/push')
    await hold.waiting(1)
    const accessToken = server.login().access_token
    await auth.updateTokens({ accessToken })
    hold.releaseAll()
    expect((await request).status).toBe(200)
    expect(await auth.getAccessToken()).toBe(accessToken)
  })
})

describe('shouldRefresh', () => {
  it.each([
    ['whether the token is stale', 300, 280_000, true],
    ['whether the token is stale', 300, 270_000, true],
    ['whether the token is stale', 300, 269_999, false],
    ['whether the token is stale', 300, 1_000, false],
    ['nothing of a token of unknown life', undefined, 280_000, undefined],
  ])('gets expired: %s (lifetime %s s, after %i ms: %s)', async (_, expiresInSeconds, afterMs, seen) => {
    const asked: unknown[] = []
    const { server, api, auth, clock } = await setUp({
      signedIn: false,
      shouldRefresh({ expired }) {
        asked.push(expired)
        return false
      },
    })
    await auth.signIn({ accessToken: 'opaque', ...(expiresInSeconds && { expiresInSeconds }) })
    const hold = server.hold('/public/x')
    const request = api.get('/public/x')
    await hold.waiting(1)
    clock.jump(afterMs)
    hold.releaseAll()
    await request
    expect(asked).toEqual([seen])
  })

  it('can read a JSON body, where a server reports expiry with a 200', async () => {
    const { server, api } = await setUp({ shouldRefresh: ({ response }) => response.data?.code === 1004 })
    let asked = 0
    server.route('/api/x', () => json(200, { code: asked++ ? 0 : 1004 }))
    expect((await api.get('/api/x')).data).toEqual({ code: 0 })
    expect(server.counts.refreshes).toBe(1)
  })

  it('gets expired: true for a token that was replaced meanwhile', async () => {
    const asked: unknown[] = []
    const { server, api, auth } = await setUp({
      shouldRefresh({ expired }) {
        asked.push(expired)
        return false
      },
    })
    const hold = server.hold('/public/x', { at: 'answer' })
    const request = api.get('/public/x')
    await hold.waiting(1)
    await auth.updateTokens(tokensOf(server.login()))
    hold.releaseAll()
    await request
    expect(asked).toEqual([true])
  })

  it.each<[string, AxiosRequestConfig, unknown, unknown]>([
    ['a text where the caller asked for one', { responseType: 'text' }, '{"code":1}', '{"code":1}'],
    ['a text that is no JSON', {}, 'plain', 'plain'],
    ['what an adapter has parsed', {}, [5], [5]],
  ])('gets %s unchanged', async (_, config, data, read) => {
    const seen: unknown[] = []
    const { api } = await setUp({
      shouldRefresh({ response }) {
        seen.push(response.data)
        return false
      },
    })
    const adapter: AxiosAdapter = async (sent) => ({ ...OK, data, config: sent })
    await api.get('/api/x', { ...config, adapter })
    expect(seen).toEqual([read])
  })

  it('falls back to the status silently when it is absent', async () => {
    const shown = vi.spyOn(console, 'error')
    const { server, api } = await setUp()
    server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
    expect(shown).not.toHaveBeenCalled()
  })
})

describe('a listener that ends the session of the request it is called for', () => {
  const deeds: [string, string, (world: World) => void][] = [
    ['signOut', 'SIGNED_OUT', ({ auth }) => void auth.signOut()],
    ['dispose', 'DISPOSED', ({ auth }) => auth.dispose()],
    [
      'updateTokens of another user',
      'SESSION_CHANGED',
      ({ auth, server }) => void auth.updateTokens(tokensOf(server.login('bob'))),
    ],
  ]

  it.each(deeds)('G17: %s in `replay` stops it from being sent again', async (_, code, deed) => {
    const world = await setUp()
    const { server, api, auth } = world
    auth.on('replay', () => deed(world))
    server.killAccessTokens()
    expect(authErrorOf(await failureOf(api.get('/api/x')))?.code).toBe(code)
    expect(server.requestsTo('/api/x')).toHaveLength(1)
  })

  it.each(deeds)(
    'G17: %s during a refresh ahead of expiry stops it from being sent',
    async (_, code, deed) => {
      for (const topic of ['refreshStart', 'change'] as const) {
        const world = await setUp()
        const { server, api, auth, clock } = world
        let done = false
        const once = () => {
          if (done) return
          done = true
          deed(world)
        }
        if (topic === 'change') auth.subscribe(once)
        else auth.on(topic, once)
        clock.jump(270_000)
        expect(authErrorOf(await failureOf(api.get('/api/x')))?.code).toBe(code)
        expect(server.requestsTo('/api/x')).toEqual([])
      }
    },
  )

  it.each(deeds)(
    'G17: %s during a refresh ahead of expiry leaves getAccessToken without a token',
    async (_, code, deed) => {
      const world = await setUp()
      world.auth.on('refreshStart', () => deed(world))
      world.clock.jump(270_000)
      await expect(world.auth.getAccessToken()).rejects.toMatchObject({ code })
    },
  )
})
