// G7 with a streamed answer: it holds its socket until it is read, and the refresh may need that very one.

import { Agent } from 'node:http'
import { Readable } from 'node:stream'
import type { AxiosError, AxiosInstance } from 'axios'
import { describe, expect, it, onTestFinished } from 'vitest'
import { adapterNamed } from '../support/adapters.js'
import { json } from '../support/auth-server/answer.js'
import { failureOf, outcomeOf, setUp } from '../support/client.js'
import { settleAll } from '../support/settle-all.js'

const KB = 1024

/** All requests of the instance, and its refresh, take turns on one socket. */
function onOneSocket(api: AxiosInstance): void {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  api.defaults.httpAgent = agent
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const once = () => Readable.from(['abc'])

describe('G7: a body that can be read once, and a streamed 401 on the only socket', () => {
  it('G7: refresh the session, and the caller can read the 401', async () => {
    const { server, api, auth } = await setUp()
    onOneSocket(api)
    server.killAccessTokens()
    const error = await failureOf(api.post('/api/upload', once(), { responseType: 'stream' }))
    expect(error).toMatchObject({ response: { status: 401 }, cause: { code: 'BODY_NOT_REPLAYABLE' } })
    expect(server.counts.refreshes).toBe(1)
    expect(JSON.parse(await textOf((error as AxiosError).response?.data as Readable))).toMatchObject({
      message: 'token missing, expired or unknown',
    })
    expect((await api.get('/api/me')).status).toBe(200)
    expect(auth.stats()).toMatchObject({ refreshes: 1, heldNow: 0 })
  })

  it('G7: do so however many there are, also when they are not read', async () => {
    const { server, api } = await setUp()
    onOneSocket(api)
    server.killAccessTokens()
    const uploads = [1, 2, 3].map((i) => api.post(`/api/upload/${i}`, once(), { responseType: 'stream' }))
    const outcomes = (await settleAll(uploads)).map(outcomeOf)
    expect(outcomes[0]).toBe('BODY_NOT_REPLAYABLE')
    expect(server.counts.refreshes).toBe(1)
  })

  it('G7: resolve unchanged where validateStatus accepts the 401', async () => {
    const { server, api } = await setUp()
    onOneSocket(api)
    server.killAccessTokens()
    const options = { responseType: 'stream', validateStatus: () => true } as const
    const { status, data } = await api.post('/api/upload', once(), options)
    expect(status).toBe(401)
    expect(server.counts.refreshes).toBe(1)
    expect(await textOf(data)).toContain('token missing')
  })

  it('G7: refresh the session where shouldRefresh found the rejection in another status', async () => {
    const { server, api } = await setUp({ shouldRefresh: ({ response }) => response.status === 419 })
    onOneSocket(api)
    server.route('/api/upload', () => json(419, { message: 'expired' }))
    const error = await failureOf(api.post('/api/upload', once(), { responseType: 'stream' }))
    expect(error).toMatchObject({ response: { status: 419 }, cause: { code: 'BODY_NOT_REPLAYABLE' } })
    expect(server.counts.refreshes).toBe(1)
  })

  it('G7: keep no more than 64 kB of a long 401: its body ends with an error', async () => {
    const { server, api } = await setUp()
    onOneSocket(api)
    server.route('/api/upload', () => json(401, { filler: 'x'.repeat(4 * KB * KB) }))
    const error = await failureOf(api.post('/api/upload', once(), { responseType: 'stream' }))
    expect(error).toMatchObject({ response: { status: 401 }, cause: { code: 'BODY_NOT_REPLAYABLE' } })
    expect(server.counts.refreshes).toBe(1)
    await expect(textOf((error as AxiosError).response?.data as Readable)).rejects.toThrow('too long')
  })

  it('G7: wait at most a second for a 401 whose body does not arrive', async () => {
    const { server, api, clock } = await setUp()
    onOneSocket(api)
    server.killAccessTokens()
    const slow = server.hold('/api/upload', { at: 'body', first: 1 })
    const failed = failureOf(api.post('/api/upload', once(), { responseType: 'stream' }))
    await slow.waiting(1)
    await clock.until(() => clock.pending > 0)
    await clock.advance(1_000)
    const error = (await failed) as AxiosError<Readable>
    expect(error).toMatchObject({ response: { status: 401 }, cause: { code: 'BODY_NOT_REPLAYABLE' } })
    expect(server.counts.refreshes).toBe(1)
    await expect(textOf(error.response?.data as Readable)).rejects.toThrow('too slow')
  })

  // At a 401, fetch itself fails where the request's body was a stream (the Fetch standard), and not at a 419.
  it('G7: leave the body readable with the fetch adapter too', async () => {
    const { server, api } = await setUp({ shouldRefresh: ({ response }) => response.status === 419 })
    server.route('/api/upload', () => json(419, { message: 'expired' }))
    const config = { responseType: 'stream', adapter: adapterNamed('fetch') } as const
    const failed = failureOf(api.post('/api/upload', new Response('abc').body, config))
    const { cause, response } = (await failed) as AxiosError<ReadableStream>
    expect(cause).toMatchObject({ code: 'BODY_NOT_REPLAYABLE' })
    expect(await new Response(response?.data).json()).toEqual({ message: 'expired' })
  })

  it('G18: an abort while the 401 is read rejects at once', async () => {
    const { server, api, clock } = await setUp()
    server.killAccessTokens()
    const slow = server.hold('/api/upload', { at: 'body', first: 1 })
    const controller = new AbortController()
    const config = { responseType: 'stream', signal: controller.signal } as const
    const failed = failureOf(api.post('/api/upload', once(), config))
    await slow.waiting(1)
    await clock.until(() => clock.pending > 0)
    controller.abort()
    expect(await failed).toMatchObject({ code: 'ERR_CANCELED' })
    expect(server.counts.refreshes).toBe(0)
  })
})
