// G10: the answers of real refresh endpoints over HTTP, through a client: who stays signed in, who is asked again, and
// how long nobody asks. The whole table without HTTP is in session/failure.test.ts.

import { describe, expect, it, vi } from 'vitest'
import {
  authErrorOf,
  noCredential,
  type ReadGrant,
  type RefreshContext,
  type RefreshStrategy,
  refreshWithBearer,
  refreshWithBody,
  refreshWithCookie,
  refreshWithOAuth2,
  SessionRefused,
} from '../../src/index.js'
import type { Reply } from '../support/auth-server/answer.js'
import type { AuthServer } from '../support/auth-server.js'
import { eventsOf, failureOf, outcomesOf, passBackOffs, setUp } from '../support/client.js'
import { REFRESH_ANSWERS, type RefreshAnswer } from '../support/refresh-answers.js'
import { settleAll } from '../support/settle-all.js'
import { createOpenStore, keptRefreshToken, keptToken } from '../support/stores.js'

const CODES = {
  refused: 'SESSION_EXPIRED',
  unavailable: 'REFRESH_FAILED',
  'set-up': 'REFRESH_FAILED',
  malformed: 'BAD_GRANT',
} as const

type Sent = Pick<RefreshAnswer, 'status' | 'body' | 'headers'>

function replyOf({ status, body, headers }: Sent): Reply {
  const isText = typeof body === 'string'
  const type = { 'content-type': isText ? 'text/plain' : 'application/json' }
  return { status, headers: { ...type, ...headers }, body: isText ? body : JSON.stringify(body) }
}

/** The refresh endpoint answers so from now on. Returns how often it was asked. */
function answerWith(server: AuthServer, ...answers: Sent[]): () => number {
  let calls = 0
  server.route('/r', () => replyOf(answers[Math.min(calls++, answers.length - 1)] as Sent))
  return () => calls
}

/** One vendor, one gateway and one spelling of each kind; a 204 or 304 has no body to send. */
const SENT = REFRESH_ANSWERS.filter(({ status }, i) => status !== 304 && (i % 2 === 0 || status < 300))

describe('G10: the answers of real endpoints', () => {
  it.each(SENT)('G10: $source ($status) is $means', async (row) => {
    const store = createOpenStore()
    const world = await setUp({
      store,
      refresh: refreshWithBody({ url: '/r' }),
      refreshRetry: { limit: 1 },
    })
    const { server, api, auth, ends, login } = world
    const calls = answerWith(server, row)
    server.killAccessTokens()
    const all = settleAll([api.get('/api/1'), api.get('/api/2')])
    if (row.means === 'unavailable') await passBackOffs(world, 1)
    const code = CODES[row.means]
    expect(outcomesOf(await all)).toEqual([code, code])
    expect(calls()).toBe(row.means === 'unavailable' ? 2 : 1)
    const isOver = row.means === 'refused'
    expect(ends.map(({ reason }) => reason)).toEqual(isOver ? ['refused'] : [])
    expect(auth.getSnapshot().status).toBe(isOver ? 'signed-out' : 'signed-in')
    expect(keptToken(store)).toBe(isOver ? undefined : login.access_token)
  })
})

describe('G10: a 2xx that names an error', () => {
  type Make = (options: { url: string; readGrant?: ReadGrant }) => RefreshStrategy
  const own: Make =
    ({ url }) =>
    async ({ http }) =>
      (await http.post(url)).data
  const strategies: [string, Make][] = [
    ['refreshWithBody', refreshWithBody],
    ['refreshWithBearer', refreshWithBearer],
    ['refreshWithCookie', refreshWithCookie],
    ['refreshWithOAuth2', (options) => refreshWithOAuth2({ clientId: 'spa', ...options })],
    ['a function of one’s own that returns the body', own],
  ]
  const errors: [unknown, string][] = [
    [{ error: 'bad_refresh_token' }, 'SESSION_EXPIRED'],
    [{ error: 'invalid_client' }, 'REFRESH_FAILED'],
    [{ error: { message: 'TOKEN_EXPIRED' } }, 'SESSION_EXPIRED'],
    [{ __type: 'NotAuthorizedException' }, 'SESSION_EXPIRED'],
    ['error=bad_refresh_token', 'SESSION_EXPIRED'],
  ]

  it.each(strategies.flatMap(([name, make]) => errors.map((error) => [name, ...error, make] as const)))(
    'G10: %s: %j is %s',
    async (_, body, code, make) => {
      const { server, auth } = await setUp({ refresh: make({ url: '/r' }) })
      const calls = answerWith(server, { status: 200, body })
      expect(authErrorOf(await failureOf(auth.refresh()))?.code).toBe(code)
      expect(calls()).toBe(1)
    },
  )

  it.each(strategies.slice(0, 4))(
    'G10: %s: does not continue a session of cookies alone',
    async (_, make) => {
      const { server, auth } = await setUp({
        refresh: Object.assign(make({ url: '/r' }), { cookies: true }),
        place: noCredential(),
        signedIn: false,
      })
      await auth.signIn({ accessToken: '', refreshToken: 'a-refresh-token' })
      answerWith(server, { status: 200, body: { ok: true } }, { status: 200, body: { error: 'expired' } })
      await expect(auth.refresh()).resolves.toMatchObject({ status: 'signed-in' })
      expect(authErrorOf(await failureOf(auth.refresh()))?.code).toBe('SESSION_EXPIRED')
    },
  )

  it('G10: throttling in a 200 is tried again after its Retry-After', async () => {
    const world = await setUp({ refresh: refreshWithBody({ url: '/r' }) })
    const busy = { status: 200, body: { ok: false, error: 'ratelimited' }, headers: { 'retry-after': '4' } }
    answerWith(world.server, busy, { status: 200, body: { access_token: 'new' } })
    const refreshed = world.auth.refresh()
    expect(await passBackOffs(world, 1)).toEqual([4000])
    await expect(refreshed).resolves.toMatchObject({ status: 'signed-in' })
  })

  it.each<[string, ReadGrant]>([
    ['reads a token beside it', () => ({ accessToken: 'read-from-elsewhere' })],
    ['reads it by default', (body) => ({ accessToken: (body as { access_token: string }).access_token })],
  ])('G10: a readGrant that %s wins', async (_, readGrant) => {
    const { server, auth } = await setUp({ refresh: refreshWithBody({ url: '/r', readGrant }) })
    answerWith(server, { status: 200, body: { error: 'deprecated', access_token: 'read-by-default' } })
    await expect(auth.refresh()).resolves.toMatchObject({ status: 'signed-in' })
    expect(await auth.getAccessToken()).toMatch(/^read-/)
  })

  it('G10: a readGrant that throws on the error falls back to the error, and logs nothing', async () => {
    const shown = vi.spyOn(console, 'error').mockReturnValue()
    const readGrant = (body: unknown) => (body as { data: { grant: { accessToken: string } } }).data.grant
    const { server, auth } = await setUp({ refresh: refreshWithBody({ url: '/r', readGrant }) })
    answerWith(server, { status: 200, body: { error: 'token_expired' } })
    expect(authErrorOf(await failureOf(auth.refresh()))?.code).toBe('SESSION_EXPIRED')
    expect(shown.mock.calls.length).toBeLessThanOrEqual(1)
  })

  it('G4: a new refresh token beside the error is kept and used next', async () => {
    const store = createOpenStore()
    const { server, auth } = await setUp({ store, refresh: refreshWithBody({ url: '/r' }) })
    const body = { error: 'invalid_client', refresh_token: 'the-newer-refresh-token' }
    answerWith(server, { status: 200, body }, { status: 200, body: { access_token: 'new' } })
    expect(authErrorOf(await failureOf(auth.refresh()))?.code).toBe('REFRESH_FAILED')
    expect(keptRefreshToken(store)).toBe('the-newer-refresh-token')
    await auth.refresh()
    expect(server.requestsTo('/r').at(-1)?.body).toEqual({ refresh_token: 'the-newer-refresh-token' })
  })

  it('G10: the message names the error', async () => {
    const { server, auth } = await setUp({ refresh: refreshWithBody({ url: '/r' }) })
    answerWith(server, { status: 200, body: { error: 'bad_refresh_token' } })
    await expect(auth.refresh()).rejects.toThrow(
      'The refresh was refused: its endpoint answered 200 (bad_refresh_token).',
    )
  })
})

describe('G10: a call made before the refresh itself', () => {
  const ask = async ({ http }: RefreshContext) => String((await http.get('/before')).data)
  const strategies: [string, RefreshStrategy][] = [
    ['csrf.token', refreshWithCookie({ url: '/r', csrf: { header: 'X-CSRF', token: ask } })],
    [
      'headers',
      refreshWithBearer({ url: '/r', headers: async (context) => ({ 'X-A': await ask(context) }) }),
    ],
    ['extra', refreshWithBody({ url: '/r', extra: async (context) => ({ a: await ask(context) }) })],
  ]
  it.each(
    strategies.flatMap(([name, refresh]) =>
      [400, 401, 403, 422, 404].map((s) => [name, s, refresh] as const),
    ),
  )('G10: ends no session: %s, answered with %i', async (_, status, refresh) => {
    const { server, auth, ends } = await setUp({ refresh, refreshRetry: { limit: 0 } })
    server.route('/before', () => replyOf({ status, body: { error: 'invalid_grant' } }))
    expect(authErrorOf(await failureOf(auth.refresh()))?.code).toBe('REFRESH_FAILED')
    expect([ends, auth.getSnapshot().status, server.requestsTo('/r')]).toEqual([[], 'signed-in', []])
  })

  it('G10: ends the session when it throws SessionRefused', async () => {
    const refresh = refreshWithBody({
      url: '/r',
      headers: () => {
        throw new SessionRefused('The device was removed.')
      },
    })
    const { auth } = await setUp({ refresh })
    await expect(auth.refresh()).rejects.toMatchObject({
      code: 'SESSION_EXPIRED',
      message: 'The device was removed.',
    })
  })
})

describe('G10: a CSRF token that is refused', () => {
  const csrf = { cookie: 'csrf', header: 'X-CSRF' }

  it.each([
    ['is no refusal', { csrf }, { message: 'invalid csrf token' }, 'REFRESH_FAILED'],
    ['is a refusal where it names the grant', { csrf }, { error: 'invalid_grant' }, 'SESSION_EXPIRED'],
    ['is a refusal without the option', {}, { message: 'Forbidden' }, 'SESSION_EXPIRED'],
  ])('G10: a 403 of the refresh with cookies %s', async (_, option, body, code) => {
    const { server, auth } = await setUp({ refresh: refreshWithCookie({ url: '/r', ...option }) })
    const calls = answerWith(server, { status: 403, body })
    expect(authErrorOf(await failureOf(auth.refresh()))?.code).toBe(code)
    expect(calls()).toBe(1)
  })

  it('G10: a 401 is still a refusal with that option, and isFinal is asked about a 403', async () => {
    const isFinal = vi.fn(() => undefined)
    const { server, auth, ends } = await setUp({ refresh: refreshWithCookie({ url: '/r', csrf }), isFinal })
    answerWith(server, { status: 403, body: {} }, { status: 401, body: {} })
    expect(authErrorOf(await failureOf(auth.refresh()))?.code).toBe('REFRESH_FAILED')
    expect(isFinal).toHaveBeenCalledWith(
      expect.objectContaining({ response: expect.objectContaining({ status: 403 }) }),
    )
    expect(authErrorOf(await failureOf(auth.refresh()))?.code).toBe('SESSION_EXPIRED')
    expect(ends).toHaveLength(1)
  })
})

describe('G10: Retry-After', () => {
  it.each([
    ['400 digits', () => '9'.repeat(400), 300_000],
    ['an hour', () => '3600', 300_000],
    ['a list', () => '40, 90', 40_000],
  ])('G10: a Retry-After of %s never delays for more than five minutes', async (_, write, coolDownMs) => {
    const { server, api, auth, clock, events } = await setUp({ refresh: refreshWithBody({ url: '/r' }) })
    const grant = { status: 200, body: { access_token: server.login().access_token } }
    const calls = answerWith(server, { status: 503, body: '', headers: { 'retry-after': write() } }, grant)
    expect(authErrorOf(await failureOf(auth.refresh()))?.code).toBe('REFRESH_FAILED')
    expect(eventsOf(events, 'refreshFailed')).toMatchObject([{ coolDownMs }])
    server.killAccessTokens()
    await clock.advance(coolDownMs)
    await settleAll([api.get('/api/x')])
    expect(calls()).toBe(2)
  })

  it("G10: a Retry-After date is compared with the answer's Date, however wrong this clock is", async () => {
    const world = await setUp({ refresh: refreshWithBody({ url: '/r' }) })
    const { server, clock, auth } = world
    clock.jump(-86_400_000)
    const nowMs = Date.now()
    const headers = {
      date: new Date(nowMs).toUTCString(),
      'retry-after': new Date(nowMs + 5000).toUTCString(),
    }
    answerWith(server, { status: 503, body: '', headers }, { status: 200, body: { access_token: 'new' } })
    const refreshed = auth.refresh()
    expect(await passBackOffs(world, 1)).toEqual([5000])
    await expect(refreshed).resolves.toMatchObject({ status: 'signed-in' })
  })

  it('G10: a success without a token respects its Retry-After', async () => {
    const { server, auth, events } = await setUp({ refresh: refreshWithBody({ url: '/r' }) })
    answerWith(server, { status: 202, body: {}, headers: { 'retry-after': '20' } })
    expect(authErrorOf(await failureOf(auth.refresh()))?.code).toBe('BAD_GRANT')
    expect(eventsOf(events, 'refreshFailed')).toMatchObject([{ coolDownMs: 20_000 }])
  })
})
