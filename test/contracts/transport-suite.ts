// What the transport has to keep on whatever sends the requests, as suites. The core tests are for every scene; the
// others look into what only differs between kinds of adapters, and run once for each kind.

import type { AxiosRequestConfig } from 'axios'
import { describe, expect, it } from 'vitest'
import { authErrorOf } from '../../src/index.js'
import { failureOf } from '../support/client.js'
import { settleAll } from '../support/settle-all.js'
import { shuffled } from '../support/shuffle.js'
import {
  type Answer,
  echoOf,
  expectNoToken,
  type Failure,
  isCancel,
  LIFETIME_MS,
  play,
  type Scene,
  withoutToken,
} from './transport-setup.js'

const BURST = 5

export function describeTransportCore(scene: Scene): void {
  describe(scene.name, () => core(scene))
}

export function describeTransport(scene: Scene): void {
  describe(scene.name, () => {
    core(scene)
    more(scene)
  })
}

function core(scene: Scene): void {
  it('answers a burst of 401s with one refresh and one replay each', async () => {
    const { server, auth, send } = await play(scene)
    server.killAccessTokens()
    const hold = server.hold('/api/*', { at: 'answer', first: BURST })
    const burst = Array.from({ length: BURST }, (_, i) => send({ url: `/api/item/${i}` }))
    await hold.waiting(BURST)
    for (const index of shuffled(Array(BURST).fill(0), BURST)) hold.releaseAt(index)
    const results = await settleAll(burst)
    expect(results.map((result) => result.status === 'fulfilled' && echoOf(result.value).path)).toEqual(
      burst.map((_, i) => `/api/item/${i}`),
    )
    expect(server.counts).toMatchObject({
      refreshes: 1,
      answered401: BURST,
      protectedOk: BURST,
      requests: 2 * BURST + 1,
    })
    expect(auth.stats()).toMatchObject({ refreshes: 1, replays: BURST, heldNow: 0 })
  })

  it('replays a POST byte for byte, and runs each interceptor and each transform once', async () => {
    const { server, instance, send } = await play(scene)
    server.killAccessTokens()
    const ran: string[] = []
    instance.interceptors.request.use((config: unknown) => {
      ran.push('request interceptor')
      return config
    })
    instance.interceptors.response.use((response: Answer) => {
      ran.push(`response interceptor ${response.status}`)
      return response
    })
    await send({
      url: '/api/once',
      method: 'POST',
      data: { a: 1 },
      transformRequest: [
        (data, headers) => {
          ran.push('transformRequest')
          headers['Content-Type'] = 'application/json'
          return JSON.stringify(data)
        },
      ],
      transformResponse: [
        (data) => {
          ran.push('transformResponse')
          return data
        },
      ],
    })
    const [refused, replayed, ...more] = server.requestsTo('/api/once')
    expect(more).toEqual([])
    expect(refused?.body).toEqual({ a: 1 })
    expect(withoutToken(replayed)).toEqual(withoutToken(refused))
    expect(ran).toEqual([
      'request interceptor',
      'transformRequest',
      'transformResponse',
      'response interceptor 200',
    ])
  })

  it.each(['after its 401', 'before it was sent'])(
    'rejects a request that is aborted while it waits %s at once, and does not send it again',
    async (when) => {
      const { server, clock, send, held } = await play(scene)
      const sent = when === 'after its 401' ? 1 : 0
      if (sent) server.killAccessTokens()
      else await clock.advance(LIFETIME_MS)
      const hold = server.holdRefresh()
      const controller = new AbortController()
      const aborted = send({ url: '/api/aborted', signal: controller.signal })
      const other = send({ url: '/api/other' })
      await hold.waiting(1)
      await held(2)
      controller.abort()
      expect(isCancel(await failureOf(aborted))).toBe(true)
      hold.releaseAll()
      expect((await other).status).toBe(200)
      await server.idle()
      expect(server.requestsTo('/api/aborted')).toHaveLength(sent)
      expect(server.counts.refreshes).toBe(1)
    },
  )

  it("rejects everyone who waits when the refresh is refused, each with the caller's own config", async () => {
    const { server, send, held, ends, firstTokens } = await play(scene)
    server.killAccessTokens()
    server.refresh.next(401)
    const hold = server.holdRefresh()
    const refused = [1, 2, 3].map((item) => send({ url: '/api/refused', params: { item } }))
    await hold.waiting(1)
    await held(3)
    const neverSent = send({ url: '/api/never', params: { item: 4 } })
    await held(4)
    hold.releaseAll()
    const errors = (await settleAll([...refused, neverSent].map(failureOf))).map(
      (result) => (result as PromiseFulfilledResult<unknown>).value as Failure,
    )
    expect(errors.map((error) => authErrorOf(error)?.code)).toEqual(Array(4).fill('SESSION_EXPIRED'))
    expect(errors.map(({ isAxiosError, config }) => [isAxiosError, config?.params])).toEqual(
      [1, 2, 3, 4].map((item) => [true, { item }]),
    )
    expect(errors.map(({ response }) => response?.status)).toEqual([401, 401, 401, undefined])
    expect(errors[3]?.code).toBe('SESSION_EXPIRED')
    for (const error of errors) expectNoToken(error, firstTokens)
    expect(server.requestsTo('/api/never')).toEqual([])
    expect(ends.map(({ reason }) => reason)).toEqual(['refused'])
    expect(server.counts.refreshes).toBe(1)
  })

  it("rejects a 401 that a refresh cannot answer with the caller's own error, our error as its cause", async () => {
    const { server, send, ends, firstTokens } = await play(scene)
    server.killAccessTokens()
    server.refresh.next(503)
    const error = (await failureOf(send({ url: '/api/me', params: { a: 1 } }))) as Failure
    expect(error).toMatchObject({
      isAxiosError: true,
      response: { status: 401, data: { message: expect.any(String) } },
      config: { url: '/api/me', params: { a: 1 } },
    })
    expect(error.response?.config).toBe(error.config)
    expect(authErrorOf(error)?.code).toBe('REFRESH_FAILED')
    expect(ends).toEqual([])
    expectNoToken(error, firstTokens)
  })

  it('refreshes and replays a 401 that validateStatus accepts, or resolves with it unchanged', async () => {
    const { server, send } = await play(scene)
    server.killAccessTokens()
    const validateStatus = () => true
    expect((await send({ url: '/api/me', validateStatus })).status).toBe(200)
    server.killAccessTokens()
    server.refresh.next(503)
    const passedOn = await send({ url: '/api/me', validateStatus })
    expect(passedOn).toMatchObject({ status: 401, data: { message: expect.any(String) } })
    expect(server.counts).toMatchObject({ refreshes: 2, answered401: 2, protectedOk: 1 })
  })

  it('returns an answer whose config contains no token', async () => {
    const { server, auth, send, firstTokens } = await play(scene)
    const before = await send({ url: '/api/me' })
    server.killAccessTokens()
    const after = await send({ url: '/api/me' })
    const tokens = [...firstTokens, (await auth.getAccessToken())!]
    expectNoToken(before, tokens)
    expectNoToken(after, tokens)
    expect(server.counts.refreshes).toBe(1)
  })
}

function more(scene: Scene): void {
  const { streams, forms = true } = scene

  it('makes requests made during the refresh wait, and sends each once', async () => {
    const { server, send, held } = await play(scene)
    server.killAccessTokens()
    const hold = server.holdRefresh()
    const first = send({ url: '/api/first' })
    await hold.waiting(1)
    const late = [send({ url: '/api/late/1' }), send({ url: '/api/late/2' })]
    await held(3)
    hold.releaseAll()
    const results = await settleAll([first, ...late])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
    expect(server.requestsTo('/api/late/*').map(({ status }) => status)).toEqual([200, 200])
    expect(server.counts).toMatchObject({ refreshes: 1, answered401: 1 })
  })

  const bodies: [string, () => AxiosRequestConfig][] = [
    ['an object', () => ({ data: { text: 'grüße', list: [1, { two: null }] } })],
    ['a text', () => ({ data: 'plain\r\ntext', headers: { 'Content-Type': 'text/plain' } })],
    ['URLSearchParams', () => ({ data: new URLSearchParams({ a: '1', b: 'ü & ö' }) })],
    ['bytes', () => ({ data: Uint8Array.from({ length: 3_000 }, (_, i) => i % 256) })],
    ['an ArrayBuffer', () => ({ data: Uint8Array.from([0, 255, 10, 13, 128]).buffer })],
  ]
  if (forms) {
    bodies.push([
      'a FormData with a file',
      () => {
        const data = new FormData()
        data.append('name', 'Ada')
        data.append('file', new Blob([Uint8Array.from([0, 1, 2, 255])]), 'four.bin')
        // Node's fetch adapter takes the type from here, or calls the form urlencoded.
        return { data, headers: { 'Content-Type': 'multipart/form-data' } }
      },
    ])
  }

  it.each(bodies)('replays %s with the same bytes, method, URL and headers', async (_, configOf) => {
    const { server, send, auth } = await play(scene)
    server.killAccessTokens()
    const answer = await send({
      url: '/api/body',
      method: 'PUT',
      params: { page: 2, q: 'a b' },
      ...configOf(),
    })
    expect(answer.status).toBe(200)
    const [refused, replayed, ...more] = server.requestsTo('/api/body')
    expect(more).toEqual([])
    expect(refused!.bodyBytes.length).toBeGreaterThan(0)
    expect(withoutToken(replayed)).toEqual(withoutToken(refused))
    expect(replayed?.headers.authorization).toBe(`Bearer ${await auth.getAccessToken()}`)
  })

  it('keeps the signal of the request on its replay', async () => {
    const { server, send } = await play(scene)
    server.killAccessTokens()
    const hold = server.hold(({ path }) => path === '/api/slow' && server.counts.granted > 0)
    const controller = new AbortController()
    const aborted = send({ url: '/api/slow', signal: controller.signal })
    await hold.waiting(1)
    controller.abort()
    expect(isCancel(await failureOf(aborted))).toBe(true)
    await hold.deserted(1)
    expect(server.requestsTo('/api/slow').map(({ status }) => status)).toEqual([401, undefined])
  })

  it('replays a request for an arraybuffer, and answers with bytes', async () => {
    const { server, send } = await play(scene)
    server.killAccessTokens()
    const { data } = await send({ url: '/api/bytes', responseType: 'arraybuffer' })
    expect(JSON.parse(new TextDecoder().decode(data as ArrayBuffer))).toMatchObject({ path: '/api/bytes' })
    expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 1 })
  })

  if (streams) {
    it('replays a request for a stream, and releases the stream of its 401', async () => {
      const { server, send } = await play(scene)
      server.killAccessTokens()
      const { data } = await send({
        url: '/api/stream',
        responseType: 'stream',
        params: { bytes: 8 << 20 },
      })
      const text = await textOf(data)
      expect(JSON.parse(text)).toMatchObject({ path: '/api/stream', user: 'ada' })
      // The eight megabytes of the 401 would still be on their way.
      await server.idle()
      expect(server.requestsTo('/api/stream').map(({ status }) => status)).toEqual([401, 200])
    })

    it('passes on the stream of a 401 when no refresh can answer it', async () => {
      const { server, send } = await play(scene)
      server.killAccessTokens()
      server.refresh.next(503)
      const late = server.hold('/api/stream', { at: 'answer' })
      const straggler = send({ url: '/api/stream', responseType: 'stream', params: { bytes: 10 } })
      await late.waiting(1)
      await failureOf(send({ url: '/api/me' }))
      late.releaseAll()
      const error = (await failureOf(straggler)) as Failure
      expect(authErrorOf(error)?.code).toBe('REFRESH_FAILED')
      expect(await textOf(error.response?.data)).toContain('token missing')
    })

    it('never sends a body twice that can be read only once', async () => {
      const { server, send, ends } = await play(scene)
      server.killAccessTokens()
      const text = 'read me once'
      const error = (await failureOf(
        send({
          url: '/api/upload',
          method: 'POST',
          data: await streamOf(streams, text),
          headers: { 'Content-Type': 'text/plain' },
        }),
      )) as Failure
      expect(error.response?.status).toBe(401)
      expect(authErrorOf(error)?.code).toBe('BODY_NOT_REPLAYABLE')
      expect(server.requestsTo('/api/upload').map(({ bodyBytes }) => bodyBytes.toString())).toEqual([text])
      expect(ends).toEqual([])
      // The session was renewed.
      expect((await send({ url: '/api/me' })).status).toBe(200)
      expect(server.counts.refreshes).toBe(1)
    })
  }

  it('leaves a detached instance as it was', async () => {
    const { server, auth, instance, send } = await play(scene)
    auth.dispose()
    const error = (await failureOf(send({ url: '/api/me' }))) as Failure
    expect(error.response?.status).toBe(401)
    expect(server.log.map(({ headers }) => headers.authorization)).toEqual([undefined])
    expect(Object.getOwnPropertySymbols(instance)).toEqual([])
  })
}

async function textOf(stream: unknown): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function streamOf(kind: 'node' | 'web', text: string): Promise<unknown> {
  if (kind === 'web') return new Blob([text]).stream()
  const { Readable } = await import('node:stream')
  return Readable.from([Buffer.from(text)])
}
