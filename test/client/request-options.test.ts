// What a request says of itself by `authClient`, its adapter and its signal, where interceptors after ours have a say.

import axios, { type AxiosAdapter, type InternalAxiosRequestConfig } from 'axios'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createAuthClient, refreshWithBody } from '../../src/index.js'
import { refusing } from '../support/adapters.js'
import { json } from '../support/auth-server/answer.js'
import {
  eventsOf,
  failureOf,
  landed,
  listenTo,
  setUp,
  startServer,
  tokensOf,
  untilHeld,
} from '../support/client.js'

/** A client whose instance has an interceptor already, which therefore runs after ours. */
async function setUpBefore(change: (config: InternalAxiosRequestConfig) => void) {
  const server = await startServer()
  const api = axios.create({ baseURL: server.url })
  api.interceptors.request.use((config) => {
    change(config)
    return config
  })
  const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }) })
  onTestFinished(() => auth.dispose())
  await auth.signIn(tokensOf(server.login()))
  return { server, api, auth }
}

describe('authClient', () => {
  it('may be set by an interceptor after ours: a request without a token is still refreshed and replayed', async () => {
    const { server, api } = await setUpBefore((config) => {
      config.authClient = { place: false }
    })
    server.route('/cookie', () => json(server.counts.granted ? 200 : 401, {}))
    expect((await api.get('/cookie')).status).toBe(200)
    expect(server.requestsTo('/cookie').map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      undefined,
    ])
    expect(server.counts.refreshes).toBe(1)
  })

  it('of the caller counts even where such an interceptor drops it', async () => {
    const { server, api } = await setUpBefore((config) => {
      delete config.authClient
    })
    await api.get('/public/x', { authClient: { place: false } })
    expect(server.tokensSeen()).toEqual([])
  })

  it('with refresh: false refreshes no stale token either', async () => {
    const { server, api, clock, auth } = await setUp()
    clock.jump(275_000)
    await api.get('/api/x', { authClient: { refresh: false } })
    await landed(auth)
    expect(server.counts).toMatchObject({ protectedOk: 1, refreshes: 0 })
    await api.get('/api/x')
    await landed(auth)
    expect(server.counts.refreshes).toBe(1)
  })
})

describe('an adapter that an interceptor after ours puts on a request', () => {
  it('is on the config of its answer', async () => {
    const mine: AxiosAdapter = async (config) => ({
      status: 200,
      statusText: '',
      data: '',
      headers: {},
      config,
    })
    const { api } = await setUpBefore((config) => {
      config.adapter = mine
    })
    expect((await api.get('/x')).config.adapter).toBe(mine)
  })

  it('G18: can be aborted while its 401 waits for a refresh, which is a cancellation', async () => {
    const { server, api, auth } = await setUpBefore((config) => {
      config.adapter = refusing
    })
    const refresh = server.holdRefresh()
    const controller = new AbortController()
    const given = failureOf(api.get('/x', { signal: controller.signal }))
    await untilHeld(auth, 1)
    controller.abort()
    expect(axios.isCancel(await given)).toBe(true)
    await refresh.waiting(1)
    refresh.releaseAll()
  })
})

it('a request without a URL is reported with an empty one', async () => {
  const { server, api, auth } = await setUp()
  const seen = listenTo(auth)
  server.killAccessTokens()
  await api.request({ baseURL: `${server.url}/api/me` })
  expect(eventsOf(seen, 'held')).toEqual([{ method: 'get', url: '' }])
})
