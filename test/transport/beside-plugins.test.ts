// The table of plug-ins: each of them before us and after us, in both of axios's orders of interceptors, and what our
// callers may rely on all the same. What each plug-in keeps on doing for its user: plugins-at-work.test.ts.

import { describe, expect, it } from 'vitest'
import { authErrorOf } from '../../src/index.js'
import { besideUs, PLACES, plugIns } from '../contracts/plug-ins.js'
import {
  type Answer,
  echoOf,
  expectNoToken,
  type Failure,
  isCancel,
  play,
  withoutToken,
} from '../contracts/transport-setup.js'
import { failureOf } from '../support/client.js'
import { settleAll } from '../support/settle-all.js'

const BURST = 5

/** What a caller gets of a 401 that no refresh answers: its body, and their own error where it is one. */
interface PassedOn {
  body: unknown
  error?: Failure
}

const rows = plugIns.flatMap((plugIn) =>
  PLACES.map((place) => [`${plugIn.name}, ${place.title}`, plugIn, place] as const),
)

describe.each(rows)('%s', (_, { install, unwraps, resolves, oneAtATime }, place) => {
  const scene = besideUs(place, install)

  /** What a caller takes out of what they get. */
  const bodyOf = (got: unknown): unknown => (unwraps ? got : (got as Answer).data)

  async function passedOn(request: Promise<unknown>): Promise<PassedOn> {
    if (resolves) return { body: bodyOf(await request) }
    const error = (await failureOf(request)) as Failure
    return { body: error.response?.data, error }
  }

  it('answers a burst of 401s with one refresh', async () => {
    const { server, auth, send } = await play(scene)
    server.killAccessTokens()
    const hold = server.hold('/api/*', { at: 'answer' })
    const paths = Array.from({ length: BURST }, (_, i) => `/api/item/${i}`)
    const burst = paths.map((url) => send({ url }))
    await hold.waiting(oneAtATime ? 1 : BURST)
    hold.releaseAll()
    const results = await settleAll(burst)
    const bodies = results.map((result) => result.status === 'fulfilled' && bodyOf(result.value))
    expect(bodies).toEqual(paths.map((path) => expect.objectContaining({ path, user: 'ada' })))
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: BURST })
    expect(auth.stats()).toMatchObject({ refreshes: 1, heldNow: 0 })
  })

  it('replays a POST byte for byte, and runs each interceptor and each transform once', async () => {
    const { server, instance, send } = await play(scene)
    server.killAccessTokens()
    const ran: string[] = []
    instance.interceptors.request.use((config: unknown) => {
      ran.push('request')
      return config
    })
    instance.interceptors.response.use((got: unknown) => {
      ran.push(`response for ${echoOf({ data: bodyOf(got) }).user}`)
      return got
    })
    await send({
      url: '/api/order',
      method: 'POST',
      data: { text: 'grüße' },
      transformRequest: [
        (data, headers) => {
          ran.push('transformRequest')
          headers['Content-Type'] = 'application/json'
          return JSON.stringify(data)
        },
      ],
      transformResponse: [
        (text: string) => {
          ran.push('transformResponse')
          return JSON.parse(text)
        },
      ],
    })
    expect(ran).toEqual(['request', 'transformRequest', 'transformResponse', 'response for ada'])
    const [refused, replayed, ...more] = server.requestsTo('/api/order')
    expect(more).toEqual([])
    expect(refused?.body).toEqual({ text: 'grüße' })
    expect(withoutToken(replayed)).toEqual(withoutToken(refused))
  })

  it('rejects a request that is aborted while it waits at once, and continues the others', async () => {
    const { server, send, held } = await play(scene)
    server.killAccessTokens()
    const hold = server.holdRefresh()
    const controller = new AbortController()
    const aborted = send({ url: '/api/aborted', signal: controller.signal })
    await hold.waiting(1)
    await held(1)
    const other = send({ url: '/api/other' })
    controller.abort()
    expect(isCancel(await failureOf(aborted))).toBe(true)
    hold.releaseAll()
    expect(bodyOf(await other)).toMatchObject({ path: '/api/other', user: 'ada' })
    await server.idle()
    expect(server.requestsTo('/api/aborted')).toHaveLength(1)
    expect(server.counts.refreshes).toBe(1)
  })

  it('settles every waiting request when the refresh is refused, and ends the session once', async () => {
    const { server, auth, send, ends, firstTokens } = await play(scene)
    server.killAccessTokens()
    server.refresh.next(401)
    const burst = Array.from({ length: BURST }, (_, item) => send({ url: '/api/lost', params: { item } }))
    const outcomes = await settleAll(burst.map(passedOn))
    expect(ends.map(({ reason }) => reason)).toEqual(['refused'])
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 0 })
    expect(auth.getSnapshot().status).toBe('signed-out')
    // Behind a limiter, the others had not gone out when the session ended, or were made after it.
    for (const [item, outcome] of outcomes.slice(0, oneAtATime ? 1 : BURST).entries()) {
      const { body, error } = (outcome as PromiseFulfilledResult<PassedOn>).value
      expect(body).toEqual({ message: expect.any(String) })
      if (resolves) continue
      expect(authErrorOf(error)?.code).toBe('SESSION_EXPIRED')
      expect(error).toMatchObject({ isAxiosError: true, config: { url: '/api/lost', params: { item } } })
      expectNoToken(error as Failure, firstTokens)
    }
  })

  it('refreshes and replays a 401 that validateStatus accepts, or resolves with it unchanged', async () => {
    const { server, send } = await play(scene)
    const validateStatus = () => true
    server.killAccessTokens()
    expect(bodyOf(await send({ url: '/api/first', validateStatus }))).toMatchObject({ user: 'ada' })
    server.killAccessTokens()
    server.refresh.next(503)
    const second = bodyOf(await send({ url: '/api/second', validateStatus }))
    expect(second).toEqual({ message: expect.any(String) })
    expect(server.counts).toMatchObject({ refreshes: 2, answered401: 2, protectedOk: 1 })
  })

  it('passes on nothing that contains a token', async () => {
    const { server, auth, send, firstTokens } = await play(scene)
    const tokens = [...firstTokens]
    const answers = [await send({ url: '/api/first' })]
    server.killAccessTokens()
    answers.push(await send({ url: '/api/second' }))
    tokens.push((await auth.getAccessToken())!)
    for (const answer of answers) expectNoToken(answer, tokens)
    server.killAccessTokens()
    server.refresh.next(503)
    const { error } = await passedOn(send({ url: '/api/third' }))
    expect(error === undefined).toBe(!!resolves)
    if (error) expectNoToken(error, tokens)
    expect(server.counts).toMatchObject({ refreshes: 2, protectedOk: 2 })
  })

  it('stays in place when the client is disposed', async () => {
    const { server, auth, send } = await play(scene)
    auth.dispose()
    expect(bodyOf(await send({ url: '/public/x' }))).toMatchObject({ path: '/public/x' })
    expect(server.log.map(({ headers }) => headers.authorization)).toEqual([undefined])
  })
})
