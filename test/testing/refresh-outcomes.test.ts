// Every outcome of a refresh that the kit can ask for, against the client: each ends as the contract says (G10, G11).
// Promise: whatever comes, every request settles, and the endpoint was called as often as the outcome allows.

import { HttpResponse } from 'msw'
import { describe, expect, it } from 'vitest'
import { authErrorOf, memoryStore } from '../../src/index.js'
import { createManualClock, type RefreshOutcome } from '../../src/testing/index.js'
import { plainHttp, startApp, startBackend } from './kit.js'

interface Scenario {
  outcome: RefreshOutcome
  code: string
  /** One try and two more, or one. */
  calls: 1 | 3
}

const scenario = (outcome: RefreshOutcome, code: string, calls: 1 | 3 = 1): Scenario => ({
  outcome,
  code,
  calls,
})
const ends = ['refused', 401, 403, 422, 400].map((outcome) =>
  scenario(outcome as RefreshOutcome, 'SESSION_EXPIRED'),
)
const unavailable = ['unavailable', 'network', 408, 425, 429, 500, 502, 503].map((outcome) =>
  scenario(outcome as RefreshOutcome, 'REFRESH_FAILED', 3),
)
const malformed = [
  scenario('malformed', 'BAD_GRANT'),
  scenario(204, 'BAD_GRANT'),
  scenario(() => HttpResponse.json({ data: { access_token: 'wrapped' } }), 'BAD_GRANT'),
]
const others = ['misconfigured', 302, 404, 405].map((outcome) =>
  scenario(outcome as RefreshOutcome, 'REFRESH_FAILED'),
)

/** Three requests whose token has expired meet this outcome. */
async function meet(outcome: RefreshOutcome) {
  const backend = startBackend()
  const store = memoryStore()
  const app = startApp(backend, { store })
  await app.auth.signIn(backend.login())
  backend.expireAccessTokens()
  backend.refresh.always(outcome)
  const results = await Promise.allSettled([1, 2, 3].map((id) => app.api.get(`/orders/${id}`)))
  const codes = results.map((result) =>
    result.status === 'rejected' ? authErrorOf(result.reason)?.code : 'answered',
  )
  return { ...app, backend, store, codes }
}

describe('an outcome that ends the session', () => {
  it.each(ends)('$outcome rejects every request with SESSION_EXPIRED', async ({ outcome, code, calls }) => {
    const { backend, codes, auth, store, ends } = await meet(outcome)
    expect(codes).toEqual([code, code, code])
    expect(backend.counts).toMatchObject({ refreshes: calls, granted: 0 })
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(ends.map(({ reason }) => reason)).toEqual(['refused'])
    expect(store.load()).toBeUndefined()
  })

  it('is final at the server too: a refused refresh token is never accepted again', async () => {
    const backend = startBackend()
    const { api, auth } = startApp(backend)
    const tokens = backend.login()
    await auth.signIn(tokens)
    backend.expireAccessTokens()
    backend.refresh.next('refused')
    await expect(api.get('/orders')).rejects.toThrow()
    await auth.signIn(tokens)
    await expect(api.get('/orders')).rejects.toMatchObject({ cause: { code: 'SESSION_EXPIRED' } })
    expect(
      backend.log.filter(({ endpoint }) => endpoint === 'refresh').map(({ outcome }) => outcome),
    ).toEqual(['refused', 'refused'])
  })
})

describe('an outcome that keeps the session', () => {
  it.each([...unavailable, ...malformed, ...others])(
    '$outcome rejects every request with $code after $calls calls, and then recovers',
    async ({ outcome, code, calls }) => {
      const { backend, codes, api, auth, ends } = await meet(outcome)
      expect(codes).toEqual([code, code, code])
      expect(backend.counts).toMatchObject({ refreshes: calls, granted: 0 })
      expect(auth.getSnapshot().status).toBe('signed-in')
      expect(ends).toEqual([])
      backend.refresh.always('granted')
      await auth.refresh()
      expect((await api.get('/orders')).data.user).toBe('ada')
    },
  )

  it('hang rejects with REFRESH_TIMEOUT once the client’s own clock says so', async () => {
    const backend = startBackend()
    const clock = createManualClock()
    const { api, auth } = startApp(backend, { clock, refreshTimeoutMs: 5_000 })
    await auth.signIn(backend.login())
    backend.expireAccessTokens()
    backend.refresh.next('hang')
    const hold = backend.refresh.hold()
    const rejection = expect(api.get('/orders')).rejects.toMatchObject({ cause: { code: 'REFRESH_TIMEOUT' } })
    await hold.waiting()
    hold.release()
    await clock.advance(5_000)
    await rejection
    expect(auth.getSnapshot().status).toBe('signed-in')
  })
})

describe('an answer that is lost', () => {
  it('ends the session where refresh tokens rotate: the next try is a reuse', async () => {
    const backend = startBackend()
    const { api, auth, ends } = startApp(backend)
    await auth.signIn(backend.login())
    backend.expireAccessTokens()
    backend.refresh.next('lost')
    await expect(api.get('/orders')).rejects.toMatchObject({ cause: { code: 'SESSION_EXPIRED' } })
    expect(backend.counts).toMatchObject({ refreshes: 2, granted: 1, reuses: 1 })
    expect(ends.map(({ reason }) => reason)).toEqual(['refused'])
  })

  it('costs one more try where they do not', async () => {
    const backend = startBackend({ rotation: false })
    const { api, auth } = startApp(backend)
    await auth.signIn(backend.login())
    backend.expireAccessTokens()
    backend.refresh.next('lost')
    expect((await api.get('/orders')).data.user).toBe('ada')
    expect(backend.counts).toMatchObject({ refreshes: 2, granted: 2, reuses: 0 })
  })
})

describe('what the endpoint answers', () => {
  it.each<[RefreshOutcome, number, unknown]>([
    ['refused', 401, { error: 'invalid_grant' }],
    ['unavailable', 503, { error: 'temporarily_unavailable' }],
    ['misconfigured', 400, { error: 'invalid_client' }],
    ['malformed', 200, '<title>Welcome to the hotel network</title>'],
    [599, 599, { error: 'made to fail by the test' }],
    [200, 200, { error: 'made to fail by the test' }],
  ])('to %s is %i', async (outcome, status, body) => {
    const backend = startBackend()
    backend.refresh.next(outcome)
    const answer = await plainHttp(backend).post('/auth/refresh', {})
    expect([answer.status, answer.data]).toEqual([status, body])
  })

  it.each([199, 600, 200.5])('cannot be %d', (status) => {
    expect(() => startBackend().refresh.always(status)).toThrow('a status from 200 to 599')
  })
})

describe('the outcomes asked for', () => {
  it('apply once each in order, and then `always`', async () => {
    const backend = startBackend()
    const { auth } = startApp(backend, { refreshRetry: { limit: 0 } })
    await auth.signIn(backend.login())
    backend.refresh.always(404)
    backend.refresh.next('unavailable', 'granted')
    const refresh = () =>
      auth.refresh().then(
        () => 'granted',
        (error) => error.code,
      )
    expect([await refresh(), await refresh(), await refresh()]).toEqual([
      'REFRESH_FAILED',
      'granted',
      'REFRESH_FAILED',
    ])
    expect(backend.log.map(({ outcome }) => outcome)).toEqual(['unavailable', 'granted', 404])
  })

  it('may be custom answers', async () => {
    const backend = startBackend()
    const { auth } = startApp(backend)
    await auth.signIn(backend.login())
    backend.refresh.next(async (request) => {
      const { refresh_token } = (await request.json()) as { refresh_token: string }
      return HttpResponse.json({ access_token: `for-${refresh_token}` })
    })
    await auth.refresh()
    expect(await auth.getAccessToken()).toMatch(/^for-refresh-/)
    expect(backend.log.map(({ outcome }) => outcome)).toEqual(['custom'])
  })

  it('are rejected when unknown, with a list of the known ones', () => {
    const { refresh } = startBackend()
    expect(() => refresh.next('granted', 'refuse' as 'refused')).toThrow(
      /^refresh\.next: expected 'granted', 'refused', .* got 'refuse'\.$/,
    )
    expect(() => refresh.always(99)).toThrow(/^refresh\.always: .* got 99\.$/)
    expect(() => refresh.always(undefined as never)).toThrow(/got undefined/)
  })
})
