// What each plug-in goes on doing for its user, wherever it stands: plugins that look at requests and answers see one of
// each per call, and what they send by themselves carries the token of that moment.

import axios, { type AxiosError } from 'axios'
import MockAdapter from 'axios-mock-adapter'
import axiosRetry, { type IAxiosRetryConfig } from 'axios-retry'
import { describe, expect, it } from 'vitest'
import { authErrorOf } from '../../src/index.js'
import { acceptsAll, besideUs, limiters, loggerTo, PLACES, unwrapper } from '../contracts/plug-ins.js'
import { type Answer, expectNoToken, type Failure, LIFETIME_MS, play } from '../contracts/transport-setup.js'
import { adapterAsFunction } from '../support/adapters.js'
import { json } from '../support/auth-server/answer.js'
import { failureOf } from '../support/client.js'
import { settleAll } from '../support/settle-all.js'

describe.each(PLACES.map((place) => [place.title, place] as const))('%s', (_, place) => {
  describe('axios-retry', () => {
    const beside = (options: IAxiosRetryConfig) => besideUs(place, (api) => axiosRetry(api, options))

    it('retries a replay that got a 503, with the new token', async () => {
      const { server, auth, send } = await play(beside({ retries: 2 }))
      server.killAccessTokens()
      let failures = 1
      server.route('/api/flaky', () =>
        server.counts.granted > 0 && failures-- > 0 ? json(503, {}) : undefined,
      )
      expect((await send({ url: '/api/flaky' })).status).toBe(200)
      const requests = server.requestsTo('/api/flaky')
      expect(requests.map(({ status }) => status)).toEqual([401, 503, 200])
      expect(requests[2]?.headers.authorization).toBe(`Bearer ${await auth.getAccessToken()}`)
      expect(server.counts.refreshes).toBe(1)
    })

    it('retries a request whose token expired meanwhile, and the retry is refreshed and replayed', async () => {
      const { server, send } = await play(beside({ retries: 1 }))
      server.route('/api/dropped', () => {
        if (server.requestsTo('/api/dropped').length > 1) return undefined
        server.killAccessTokens()
        return 'drop'
      })
      expect((await send({ url: '/api/dropped' })).status).toBe(200)
      expect(server.requestsTo('/api/dropped').map(({ status }) => status)).toEqual([undefined, 401, 200])
      expect(server.counts.refreshes).toBe(1)
    })

    it('that retries 401s too never starts more refreshes than we allow', async () => {
      const { server, send } = await play(beside({ retries: 6, retryCondition: () => true }))
      const error = (await failureOf(send({ url: '/api/always-401' }))) as Failure
      expect(error.response?.status).toBe(401)
      expect(server.counts.refreshes).toBe(3)
    })

    it('that skips our errors sends nothing after the end of the session', async () => {
      const retryCondition = (error: AxiosError) =>
        !authErrorOf(error) && axiosRetry.isNetworkOrIdempotentRequestError(error)
      const { server, clock, send } = await play(beside({ retries: 2, retryCondition }))
      await clock.advance(LIFETIME_MS)
      server.refresh.next(401)
      expect(await failureOf(send({ url: '/api/never' }))).toMatchObject({ code: 'SESSION_EXPIRED' })
      expect(server.requestsTo('/api/never')).toEqual([])
    })
  })

  describe('axios-mock-adapter', () => {
    /** Every token that a handler met, in order. */
    async function playMocked() {
      let mocked: MockAdapter | undefined
      const stage = await play(
        besideUs(place, (api) => {
          mocked = new MockAdapter(api)
        }),
      )
      const mock = mocked as MockAdapter
      const met: unknown[] = []
      mock.onGet(/item/).reply(({ headers, url }) => {
        met.push(headers?.Authorization)
        return headers?.Authorization === 'Bearer fresh' ? [200, { url }] : [401, { message: 'expired' }]
      })
      return { ...stage, mock, met }
    }

    it('answers in place of the server, its 401s are refreshed and replayed, and its history shows no token', async () => {
      const { server, mock, met, send, firstTokens } = await playMocked()
      mock.onPost('/auth/refresh').reply(200, { access_token: 'fresh' })
      const urls = ['/item/1', '/item/2', '/item/3']
      const results = await settleAll(urls.map((url) => send({ url })))
      expect(results.map((result) => result.status === 'fulfilled' && result.value.data)).toEqual(
        urls.map((url) => ({ url })),
      )
      expect(met).toEqual([...Array(3).fill(`Bearer ${firstTokens[0]}`), ...Array(3).fill('Bearer fresh')])
      expect(mock.history.post).toHaveLength(1)
      expect(JSON.stringify(mock.history.get)).not.toMatch(/Bearer|fresh/)
      expect(server.log).toEqual([])
    })

    it('ends the session with a refusal of its own', async () => {
      const { mock, send, ends } = await playMocked()
      mock.onPost('/auth/refresh').reply(401)
      const error = (await failureOf(send({ url: '/item/1' }))) as Failure
      expect(authErrorOf(error)?.code).toBe('SESSION_EXPIRED')
      expect(error.response?.data).toEqual({ message: 'expired' })
      expect(ends.map(({ reason }) => reason)).toEqual(['refused'])
    })

    it('aborts a request, and the caller gets its error', async () => {
      const { auth, mock, send } = await playMocked()
      mock.onGet('/broken').networkError()
      expect(await failureOf(send({ url: '/broken' }))).toMatchObject({ message: 'Network Error' })
      expect(auth.stats()).toMatchObject({ heldNow: 0, refreshes: 0 })
    })
  })

  describe.each(limiters.map((limiter) => [limiter.name, limiter] as const))('%s', (_, { install }) => {
    it('has one request on the wire at a time, replays among them', async () => {
      const { server, send } = await play(besideUs(place, install))
      server.killAccessTokens()
      const hold = server.hold('/api/*', { at: 'answer' })
      const results = settleAll(Array.from({ length: 5 }, (_, i) => send({ url: `/api/${i}` })))
      let most = 0
      do {
        await hold.waiting(1)
        // What was sent before this has arrived as well when this is answered.
        await fetch(`${server.url}/public/x`)
        most = Math.max(most, hold.count)
        hold.release()
      } while (server.counts.protectedOk < 5)
      hold.releaseAll()
      expect((await results).map(({ status }) => status)).toEqual(Array(5).fill('fulfilled'))
      expect(most).toBe(1)
      expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 5 })
    })

    it('frees the slot of a request that is aborted while it waits', async () => {
      const { server, send, held } = await play(besideUs(place, install))
      server.killAccessTokens()
      const hold = server.holdRefresh()
      const controller = new AbortController()
      const aborted = send({ url: '/api/aborted', signal: controller.signal })
      await hold.waiting(1)
      await held(1)
      controller.abort()
      await failureOf(aborted)
      hold.releaseAll()
      expect((await send({ url: '/api/next' })).status).toBe(200)
    })
  })

  describe('a logger', () => {
    async function playLogged() {
      const lines: string[] = []
      return { lines, ...(await play(besideUs(place, loggerTo(lines).install))) }
    }

    it('logs one request and one answer for a call that was replayed', async () => {
      const { lines, server, send } = await playLogged()
      server.killAccessTokens()
      await send({ url: '/api/me' })
      expect(server.requestsTo('/api/me')).toHaveLength(2)
      expect(lines).toEqual(['get /api/me', '200 /api/me'])
    })

    it('logs one 401 for a call that no refresh could answer', async () => {
      const { lines, server, send } = await playLogged()
      server.killAccessTokens()
      server.refresh.next(503)
      await failureOf(send({ url: '/api/me' }))
      expect(lines).toEqual(['get /api/me', '401 /api/me'])
    })

    it('logs our code for a request that was never sent', async () => {
      const { lines, server, clock, send } = await playLogged()
      await clock.advance(LIFETIME_MS)
      server.refresh.next(401)
      await failureOf(send({ url: '/api/me' }))
      expect(lines).toEqual(['get /api/me', 'SESSION_EXPIRED /api/me'])
    })

    it(`sees ${place.seesToken ? 'the token' : 'no token'} on the request, and none on the answer`, async () => {
      const seen: unknown[] = []
      const { firstTokens, send } = await play(
        besideUs(place, (api) => {
          api.interceptors.request.use((config) => {
            seen.push(config.headers.Authorization ?? undefined)
            return config
          })
          api.interceptors.response.use((response) => {
            seen.push(response.config.headers.Authorization ?? undefined)
            return response
          })
        }),
      )
      await send({ url: '/api/me' })
      expect(seen).toEqual([place.seesToken ? `Bearer ${firstTokens[0]}` : undefined, undefined])
    })
  })

  describe('an interceptor that unwraps the body', () => {
    it('returns the body of a replayed answer, and our hooks see the whole answer', async () => {
      const read: number[] = []
      const { server, send } = await play(besideUs(place, unwrapper.install), {
        readResponse({ status }) {
          read.push(status)
          return undefined
        },
      })
      server.killAccessTokens()
      expect(await send({ url: '/api/me' })).toMatchObject({ path: '/api/me', user: 'ada' })
      expect(read).toEqual([401, 200])
    })

    it.each([[null], [''], [0], [[1]], [{ config: { authClient: {} }, headers: {} }]])(
      'returns a body that is no answer: %j',
      async (body) => {
        const { server, send } = await play(besideUs(place, unwrapper.install))
        server.route('/api/odd', () => json(200, body))
        expect(await send({ url: '/api/odd' })).toEqual(body)
      },
    )
  })

  describe('a queue that keeps a copy of each request, to send it again later', () => {
    it('sends it with the token current then, and it is refreshed and replayed like any other', async () => {
      const kept: object[] = []
      const { server, auth, send } = await play(
        besideUs(place, (api) => {
          api.interceptors.request.use((config) => {
            kept.push({ ...config, headers: { ...config.headers } })
            return config
          })
        }),
      )
      const mend = server.route('/api/later', () => 'drop')
      await failureOf(send({ url: '/api/later', method: 'POST', data: { a: 1 } }))
      mend()
      for (let i = 0; i < 3; i++) await auth.refresh()
      server.killAccessTokens()
      expect((await send(kept[0] as object)).status).toBe(200)
      expect(server.requestsTo('/api/later').map(({ status, body }) => [status, body])).toEqual(
        [undefined, 401, 200].map((status) => [status, { a: 1 }]),
      )
      expect(server.counts).toMatchObject({ refreshes: 4, protectedOk: 1 })
    })
  })

  describe('an interceptor that sets authClient', () => {
    it.each([[false as const], [{ place: false, refresh: false }]])(
      'is respected: authClient: %j',
      async (authClient) => {
        const { server, send } = await play(
          besideUs(place, (api) => {
            api.interceptors.request.use((config) => {
              config.authClient = authClient
              return config
            })
          }),
        )
        expect(await failureOf(send({ url: '/api/me' }))).toMatchObject({ response: { status: 401 } })
        expect(server.requestsTo('/api/me').map(({ headers }) => headers.authorization)).toEqual([undefined])
        expect(server.counts.refreshes).toBe(0)
      },
    )
  })

  // Where it sees our token it takes the request out of our hands: its answer is classified above the wire.
  describe('an interceptor that replaces the adapter', () => {
    const scene = besideUs(place, (api) => {
      const send = adapterAsFunction('http')
      api.interceptors.request.use((config) => {
        config.adapter = (sent) => send(sent)
        return config
      })
    })

    it('has its 401s answered with one refresh, and the bodies are sent again', async () => {
      const { server, auth, send, firstTokens } = await play(scene)
      server.killAccessTokens()
      const burst = [1, 2, 3].map((item) => send({ url: `/api/${item}`, method: 'POST', data: { item } }))
      const results = await settleAll(burst)
      expect(results.map(({ status }) => status)).toEqual(Array(3).fill('fulfilled'))
      for (const item of [1, 2, 3]) {
        expect(server.requestsTo(`/api/${item}`).map(({ body }) => body)).toEqual([{ item }, { item }])
      }
      expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 3 })
      const tokens = [...firstTokens, (await auth.getAccessToken()) as string]
      for (const request of burst) expectNoToken(await request, tokens)
    })

    it('has a 401 refreshed and replayed that validateStatus accepts', async () => {
      const { server, send } = await play(scene)
      server.killAccessTokens()
      expect((await send({ url: '/api/me', validateStatus: () => true })).status).toBe(200)
      expect(server.counts).toMatchObject({ refreshes: 1, answered401: 1, protectedOk: 1 })
    })

    it('rejects with the caller’s own error, ours as its cause, when the refresh is refused', async () => {
      const { server, send, firstTokens, ends } = await play(scene)
      server.killAccessTokens()
      server.refresh.next(401)
      const error = (await failureOf(send({ url: '/api/me', params: { a: 1 } }))) as Failure
      expect(error).toMatchObject({ response: { status: 401 }, config: { url: '/api/me', params: { a: 1 } } })
      expect(authErrorOf(error)?.code).toBe('SESSION_EXPIRED')
      expectNoToken(error, firstTokens)
      expect(ends.map(({ reason }) => reason)).toEqual(['refused'])
    })
  })

  describe('validateStatus: () => true', () => {
    it('resolves with every status after the 401 was replayed', async () => {
      const { server, send } = await play(besideUs(place, acceptsAll.install))
      server.killAccessTokens()
      const statuses = ['403', '404', '500'].map((status) => send({ url: `/api/status/${status}` }))
      const got = (await Promise.all(statuses)).map(({ status }: Answer) => status)
      expect(got).toEqual([403, 404, 500])
      expect(server.counts.refreshes).toBe(1)
    })

    it('does not read a refusal of the refresh endpoint as a grant', async () => {
      const { server, send, ends } = await play(besideUs(place, acceptsAll.install))
      server.killAccessTokens()
      server.refresh.next(401)
      expect((await send({ url: '/api/me' })).status).toBe(401)
      expect(ends.map(({ reason }) => reason)).toEqual(['refused'])
    })
  })
})

// As axios-retry comes: to it, an error with a code and without an answer is one of the network, for a POST too.
describe.each(
  PLACES.flatMap((place) => ['get', 'post'].map((method) => [method, place.title, place] as const)),
)('axios-retry with a %s that waits in the session of one user, %s', (method, _, place) => {
  it('G14: never sends it in the session of the next', async () => {
    const { server, clock, send, held, signIn } = await play(
      besideUs(place, (api) => axiosRetry(api, { retries: 2 })),
    )
    await clock.advance(LIFETIME_MS)
    const hold = server.holdRefresh()
    const adas = send({ url: '/api/transfer', method })
    await hold.waiting(1)
    await held(1)
    await signIn('grace')
    await settleAll([adas])
    hold.releaseAll()
    expect(server.requestsTo('/api/transfer').map(({ user }) => user)).toEqual([])
  })
})

// Since 1.19 axios copies the symbol that says whose request it was.
const copiesSymbols = Number(/^1\.(\d+)/.exec(axios.VERSION ?? '')?.[1]) >= 19
describe.runIf(copiesSymbols).each(PLACES.map((place) => [place.title, place] as const))(
  'axios-retry with a request that has failed, %s',
  (_, place) => {
    async function playFlaky(next: string) {
      let retry = () => {}
      const retrying = new Promise<void>((resolve) => {
        retry = resolve
      })
      const options = { retries: 1, retryDelay: () => 20, onRetry: () => retry() }
      const stage = await play(besideUs(place, (api) => axiosRetry(api, options)))
      const { server, send, signIn } = stage
      server.route('/api/transfer', () =>
        server.requestsTo('/api/transfer').length > 1 ? undefined : json(503, {}),
      )
      const sent = settleAll([send({ url: '/api/transfer', method: 'put', data: {} })])
      await retrying
      await signIn(next)
      const [result] = await sent
      return { result, users: server.requestsTo('/api/transfer').map(({ user }) => user) }
    }

    it('G14: never sends it in the session of another user', async () => {
      const { result, users } = await playFlaky('grace')
      expect(users).toHaveLength(1)
      expect(authErrorOf((result as PromiseRejectedResult).reason)?.code).toBe('SESSION_CHANGED')
    })

    it('sends it in a new session of the same user', async () => {
      const { result, users } = await playFlaky('ada')
      expect(result?.status).toBe('fulfilled')
      expect(users).toEqual([undefined, 'ada'])
    })
  },
)
