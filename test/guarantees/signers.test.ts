// beforeReplay: whoever signs over the token or counts requests is asked again before a request goes out with another
// token than its interceptors saw.

import { createHmac } from 'node:crypto'
import axios, { type InternalAxiosRequestConfig } from 'axios'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type AuthClientOptions, createAuthClient, jsonBodyField, refreshWithBody } from '../../src/index.js'
import { deferred } from '../../src/wait.js'
import { json } from '../support/auth-server/answer.js'
import {
  createWatchedClock,
  failureOf,
  landed,
  outcomeOf,
  startServer,
  tokensOf,
  untilHeld,
} from '../support/client.js'
import { headersLike } from '../support/headers.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'

const sign = (authorization: unknown) =>
  createHmac('sha256', 'key').update(String(authorization)).digest('hex')

interface App extends AuthClientOptions {
  /** An interceptor that runs after ours and before the one that signs. */
  earlier?: (config: InternalAxiosRequestConfig) => unknown
  /** An interceptor that runs after the one that signs. */
  later?: (config: InternalAxiosRequestConfig) => unknown
}

/** An app that signs over `Authorization`, in an interceptor and in `beforeReplay`; its server refuses other signatures. */
async function setUp({ earlier, later, beforeReplay, ...options }: App = {}) {
  const server = await startServer()
  const clock = createWatchedClock()
  const api = axios.create({ baseURL: server.url })
  /** `sentBefore` of each time that the hook was asked. */
  const asked: boolean[] = []
  const signIt = (config: { headers?: object }) => {
    const headers = config.headers as Record<string, unknown>
    headers['X-Signature'] = sign(headers.Authorization)
  }
  for (const act of [later, signIt, earlier]) {
    api.interceptors.request.use(async (config) => {
      await act?.(config)
      return config
    })
  }
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    clock,
    ...options,
    async beforeReplay(config, info) {
      asked.push(info.sentBefore)
      await beforeReplay?.(config, info)
      signIt(config as { headers: object })
    },
  })
  onTestFinished(() => auth.dispose())
  server.route('/api/*', ({ headers }) =>
    headers['x-signature'] === sign(headers.authorization) ? undefined : json(403, { message: 'signature' }),
  )
  await auth.signIn(tokensOf(server.login()))
  return { server, clock, api, auth, asked }
}

describe('beforeReplay', () => {
  it('is not called for a request that is sent with the token its interceptors saw', async () => {
    const { api, asked } = await setUp()
    expect((await api.get('/api/x')).status).toBe(200)
    expect(asked).toEqual([])
  })

  it('G3: signs a request again that waited for its first token', async () => {
    const { server, api, clock, asked } = await setUp()
    clock.jump(301_000)
    expect((await api.get('/api/x')).status).toBe(200)
    expect(asked).toEqual([false])
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 1 })
  })

  it('G3: signs each of those that waited together once', async () => {
    const { server, api, clock, asked } = await setUp()
    clock.jump(301_000)
    const all = await settleAll([1, 2, 3].map((i) => api.get(`/api/${i}`)))
    expect(all.map(outcomeOf)).toEqual(['ok', 'ok', 'ok'])
    expect(asked).toEqual([false, false, false])
    expect(server.counts.refreshes).toBe(1)
  })

  it('signs before each replay, with sentBefore: true', async () => {
    const { server, api, asked } = await setUp()
    server.killAccessTokens()
    expect((await api.get('/api/x')).status).toBe(200)
    expect(asked).toEqual([true])
  })

  it('signs a request again whose token was replaced while a limiter queued it', async () => {
    const gate = deferred()
    const { server, api, auth, asked } = await setUp({ later: () => gate.promise })
    const request = api.get('/api/x')
    await microtasksDone()
    const newer = tokensOf(server.login())
    await auth.updateTokens(newer)
    gate.resolve()
    expect((await request).status).toBe(200)
    expect(asked).toEqual([false])
    expect(server.requestsTo('/api/x').map(({ accessToken }) => accessToken)).toEqual([newer.accessToken])
  })

  it('signs a request again whose signer saw no token because the headers were rebuilt before it', async () => {
    const { server, api, asked } = await setUp({
      earlier: (config) => Object.assign(config, { headers: headersLike(config.headers) }),
    })
    expect((await api.get('/api/x')).status).toBe(200)
    expect(asked).toEqual([false])
    expect(server.counts.protectedOk).toBe(1)
  })

  it("signs a request again whose signer saw an old interceptor's copy of the token", async () => {
    let copy = ''
    const { server, api, auth, asked } = await setUp({
      earlier: ({ headers }) => void (headers.Authorization = copy),
    })
    copy = `Bearer ${await auth.getAccessToken()}`
    await auth.refresh()
    expect((await api.get('/api/x')).status).toBe(200)
    expect(asked).toEqual([false])
    expect(server.counts).toMatchObject({ answered401: 0, protectedOk: 1 })
  })

  it('is not called for a first sending with a placement that interceptors cannot see', async () => {
    const { server, api, asked } = await setUp({ place: jsonBodyField() })
    server.route('/public/x', () => json(200, {}))
    await api.post('/public/x', {})
    expect(asked).toEqual([])
  })

  it('G3: is called again when the token is rejected while it runs', async () => {
    const gates = [deferred(), deferred()]
    let calls = 0
    const { server, api, clock, auth, asked } = await setUp({
      beforeReplay: async () => void (await gates[calls++]?.promise),
    })
    clock.jump(301_000)
    const request = api.get('/api/x')
    await expect.poll(() => calls).toBe(1)
    server.killAccessTokens()
    const refresh = server.holdRefresh()
    const other = api.get('/api/y')
    await refresh.waiting(1)
    gates[0]?.resolve()
    gates[1]?.resolve()
    await microtasksDone()
    refresh.releaseAll()
    expect((await settleAll([request, other])).map(outcomeOf)).toEqual(['ok', 'ok'])
    expect(server.requestsTo('/api/x')).toHaveLength(1)
    expect(asked.filter((sentBefore) => !sentBefore).length).toBe(2)
    await landed(auth)
  })

  it.each([
    ['G13', 'SIGNED_OUT', (auth: { signOut(): Promise<void> }) => auth.signOut()],
    [
      'G14',
      'SESSION_CHANGED',
      (auth: { signIn(tokens: { accessToken: string }): Promise<void> }) =>
        auth.signIn({ accessToken: 'bob' }),
    ],
  ] as const)(
    '%s: a request whose session ends while it is being signed is not sent (%s)',
    async (_, code, act) => {
      const gate = deferred()
      let calls = 0
      const { server, api, clock, auth } = await setUp({
        beforeReplay: () => {
          calls++
          return gate.promise
        },
      })
      clock.jump(301_000)
      const failed = failureOf(api.get('/api/x'))
      await expect.poll(() => calls).toBe(1)
      await act(auth as never)
      gate.resolve()
      expect(await failed).toMatchObject({ code, isAxiosError: true })
      expect(server.requestsTo('/api/x')).toEqual([])
    },
  )

  it('G18: a request that is aborted while it is being signed is never sent', async () => {
    const gate = deferred()
    const { server, api, auth, clock } = await setUp({ beforeReplay: () => gate.promise })
    const controller = new AbortController()
    clock.jump(301_000)
    const failed = failureOf(api.get('/api/x', { signal: controller.signal }))
    await untilHeld(auth, 1)
    await landed(auth)
    controller.abort()
    expect(axios.isCancel(await failed)).toBe(true)
    gate.resolve()
    await microtasksDone()
    expect(server.requestsTo('/api/x')).toEqual([])
  })

  it('G17: does not prevent the first sending when it throws', async () => {
    const { server, api, clock } = await setUp({
      beforeReplay: () => {
        throw new Error('no key')
      },
    })
    clock.jump(301_000)
    await api.get('/api/x', { validateStatus: () => true })
    expect(server.requestsTo('/api/x')).toHaveLength(1)
  })
})
