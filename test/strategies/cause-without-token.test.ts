// The `cause` of a refresh: the request that started it, without its token, and for as long as the refresh lasts.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  basicUser,
  bearerHeader,
  jsonBodyField,
  type Placement,
  type RefreshContext,
  readGrant,
  refreshWithBody,
} from 'axios-auth-client'
import { describe, expect, it } from 'vitest'
import { everythingIn } from '../support/auth-server/request.js'
import { landed, passBackOffs, setUp, untilHeld, type World } from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { leaksIn } from '../support/leaks.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'

/** Changes the params where they are, as hand-written ones do. */
const inParams: Placement = {
  place(config, accessToken) {
    config.params ??= {}
    config.params.access_token = accessToken
  },
  remove: (config) => void delete config.params?.access_token,
}

const asynchronous: Placement = {
  ...bearerHeader(),
  async place(config, accessToken, context) {
    await undefined
    return bearerHeader().place(config, accessToken, context)
  },
}

const placements: [string, Placement][] = [
  ['bearerHeader', bearerHeader()],
  ['bearerHeader with a header of its own', bearerHeader({ header: 'X-Token', scheme: '' })],
  ['basicUser', basicUser()],
  ['jsonBodyField', jsonBodyField('token')],
  ['one that writes into params', inParams],
  ['one that answers with a promise', asynchronous],
]

const SIX_MINUTES_MS = 360_000

/** A client whose refresh keeps what it was handed, and asks the server when it is released. */
async function setUpKept(place?: Placement) {
  const hand = createHandRefresh()
  const world = await setUp({
    place,
    refresh: hand.refresh,
    server: { tokens: 'opaque', readAccessToken: (request) => tokenIn(request, world) },
  })
  return { ...world, hand, answer }

  async function answer(number = 1): Promise<RefreshContext> {
    const call = await hand.call(number)
    const { data } = await call.context.http.post('/auth/refresh', {
      refresh_token: call.context.refreshToken,
    })
    call.answer(readGrant(data))
    return call.context
  }
}

function tokenIn(request: Parameters<typeof everythingIn>[0], { server }: World): string | undefined {
  return server.issuedTokens().find((token) => everythingIn(request).includes(token))
}

describe.each(placements)('the cause of a refresh: %s', (_, place) => {
  it('is a copy of the rejected request without its token, also once it has been sent again', async () => {
    const { server, api, hand, answer, login } = await setUpKept(place)
    server.killAccessTokens()
    const request = api.post(
      '/api/orders',
      { a: 1 },
      { params: { page: 1 }, headers: { 'X-Trace': 'one' }, authClient: {} },
    )
    const { cause } = (await hand.call(1)).context
    expect(cause?.config).toMatchObject({
      method: 'post',
      url: '/api/orders',
      baseURL: server.url,
      data: '{"a":1}',
      params: { page: 1 },
      headers: { 'X-Trace': 'one' },
      authClient: {},
    })
    expect(cause?.response).toMatchObject({ status: 401, data: expect.any(Object) })
    expect(cause?.response?.config).toBe(cause?.config)
    // axios's own, with the token in its head.
    expect(cause?.response?.request).toBeUndefined()
    expect(leaksIn([login.access_token], { cause })).toEqual([])
    const hold = server.hold('/api/orders')
    await answer()
    // The new one is on the request by now.
    await hold.waiting(1)
    expect(leaksIn(server.issuedTokens(), { cause })).toEqual([])
    hold.releaseAll()
    expect((await request).status).toBe(200)
  })

  it('is the request that found the token stale, which goes out with it meanwhile', async () => {
    const { server, api, auth, clock, hand, answer, login } = await setUpKept(place)
    clock.jump(280_000)
    const hold = server.hold('/api/orders')
    const request = api.post('/api/orders', { a: 1 }, { params: { page: 1 } })
    await hold.waiting(1)
    const { cause, reason } = (await hand.call(1)).context
    expect(reason).toBe('stale')
    expect(cause).toMatchObject({
      config: { url: '/api/orders', data: '{"a":1}', params: { page: 1 } },
      response: undefined,
    })
    expect(leaksIn([login.access_token], { cause })).toEqual([])
    hold.releaseAll()
    expect((await request).status).toBe(200)
    expect(server.counts).toMatchObject({ protectedOk: 1, answered401: 0 })
    await answer()
    await landed(auth)
  })

  it('is the request that found the token expired and has not been sent', async () => {
    const { server, api, clock, answer, login } = await setUpKept(place)
    clock.jump(SIX_MINUTES_MS)
    const request = api.post('/api/orders', { a: 1 })
    const { cause, reason } = await answer()
    expect(reason).toBe('expired')
    expect(cause).toMatchObject({ config: { url: '/api/orders' }, response: undefined })
    expect(leaksIn([login.access_token], { cause })).toEqual([])
    expect((await request).status).toBe(200)
    expect(server.counts.answered401).toBe(0)
  })
})

describe('the cause of a refresh', () => {
  it('is undefined where refresh() or getAccessToken() started it', async () => {
    const { auth, clock, answer } = await setUpKept()
    const refresh = auth.refresh()
    expect((await answer(1)).cause).toBeUndefined()
    await refresh
    clock.jump(SIX_MINUTES_MS)
    const token = auth.getAccessToken()
    expect((await answer(2)).cause).toBeUndefined()
    await token
    clock.jump(280_000)
    await auth.getAccessToken()
    expect(await answer(3)).toMatchObject({ cause: undefined, reason: 'stale' })
    await landed(auth)
  })

  it('stays that of the first request, whoever joins', async () => {
    const { server, api, auth, hand, answer } = await setUpKept()
    server.killAccessTokens()
    const first = api.get('/api/first')
    await hand.call(1)
    const others = [api.get('/api/second'), api.get('/api/third'), auth.refresh(), auth.getAccessToken()]
    await untilHeld(auth, 3)
    expect((await answer()).cause?.config.url).toBe('/api/first')
    await settleAll<unknown>([first, ...others])
    expect(hand.calls).toHaveLength(1)
  })

  it('stays undefined where a request joins a refresh()', async () => {
    const { server, api, auth, hand, answer } = await setUpKept()
    server.killAccessTokens()
    const refresh = auth.refresh()
    await hand.call(1)
    const request = api.get('/api/x')
    await untilHeld(auth, 1)
    expect((await answer()).cause).toBeUndefined()
    await settleAll<unknown>([refresh, request])
  })

  it('is the same for each attempt', async () => {
    const world = await setUp({
      refresh: refreshWithBody({
        url: '/auth/refresh',
        headers: ({ cause }) => ({ 'X-Cause': `${cause?.config.url} ${cause?.response?.status}` }),
      }),
    })
    const { server, api } = world
    server.killAccessTokens()
    server.refresh.next(503, 503)
    const request = api.get('/api/x')
    await passBackOffs(world, 2)
    await request
    const sent = server.requestsTo('/auth/refresh').map(({ headers }) => headers['x-cause'])
    expect(sent).toEqual(['/api/x 401', '/api/x 401', '/api/x 401'])
  })

  it('has the answer as it was read last, where one request starts a second refresh', async () => {
    const { server, api, clock, answer } = await setUpKept()
    let answers = 0
    server.route('/api/x', () => (answers < 2 ? { status: 401, body: `${++answers}` } : undefined))
    const hold = server.hold('/api/x')
    const request = api.get('/api/x')
    await hold.waiting(1)
    hold.release()
    expect((await answer(1)).cause?.response?.data).toBe(1)
    await hold.waiting(1)
    clock.jump(SIX_MINUTES_MS)
    hold.releaseAll()
    expect((await answer(2)).cause?.response?.data).toBe(2)
    expect((await request).status).toBe(200)
  })

  it('is a config whose headers keep their methods', async () => {
    const { server, api, answer } = await setUpKept()
    server.killAccessTokens()
    const request = api.get('/api/x', { headers: { 'X-Trace': 'one' } })
    const headers = (await answer()).cause?.response?.config.headers
    expect([headers?.get('x-trace'), headers?.has('Authorization')]).toEqual(['one', false])
    await request
  })

  it('is collected once the refresh is over, while its request still waits for an answer', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const causes: WeakRef<object>[] = []
    const { server, api, auth } = await setUp({
      async refresh({ cause, http, refreshToken }) {
        if (cause) causes.push(new WeakRef(cause.config), new WeakRef(cause))
        return readGrant((await http.post('/auth/refresh', { refresh_token: refreshToken })).data)
      },
    })
    server.killAccessTokens()
    const hold = server.hold('/api/x')
    const refreshes = server.holdRefresh()
    const request = api.get('/api/x')
    await hold.waiting(1)
    hold.release()
    await refreshes.waiting(1)
    await microtasksDone()
    collect()
    expect(causes.map((cause) => !!cause.deref())).toEqual([true, true])
    refreshes.releaseAll()
    await hold.waiting(1)
    await landed(auth)
    for (let round = 0; round < 3; round++) {
      await microtasksDone()
      collect()
    }
    expect(causes.map((cause) => !!cause.deref())).toEqual([false, false])
    hold.releaseAll()
    expect((await request).status).toBe(200)
  })
})
