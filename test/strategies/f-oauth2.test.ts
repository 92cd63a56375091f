// Row F at a server that speaks it: OAuth 2.0, form-encoded as RFC 6749 has it, with refresh-token rotation and reuse
// detection. Only `invalid_grant` ends a session; what is wrong with the client, or passing, does not.

import { createHash, randomBytes } from 'node:crypto'
import type { AxiosInstance, AxiosResponse } from 'axios'
import { type AuthClientOptions, refreshWithOAuth2 } from 'axios-auth-client'
import { describe, expect, it } from 'vitest'
import { basicOf, bodyField } from '../support/auth-server/request.js'
import type { RefreshBehaviour, StartOptions } from '../support/auth-server.js'
import { oauth2 } from '../support/backends/oauth2.js'
import {
  eventsOf,
  failureOf,
  outcomesOf,
  passBackOffs,
  type SetUpOptions,
  setUp,
  tokensOf,
} from '../support/client.js'
import { settleAll } from '../support/settle-all.js'
import { keptRefreshToken } from '../support/stores.js'
import {
  burst,
  describeBackend,
  expire,
  IS_REFRESH,
  type Row,
  signedIn,
  usualTokens,
} from './backend-suite.js'

const TOKEN = '/oauth/token'
const REDIRECT_URI = 'https://app.example/callback'

/** The authorization code flow with PKCE; a wrong verifier is what a wrong password is elsewhere. */
async function authorize(api: AxiosInstance, user: string, password: string): Promise<AxiosResponse> {
  const verifier = randomBytes(32).toString('base64url')
  const { headers } = await api.get('/oauth/authorize', {
    params: {
      response_type: 'code',
      client_id: 'spa',
      redirect_uri: REDIRECT_URI,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      login_hint: user,
    },
    maxRedirects: 0,
    validateStatus: (status) => status === 302,
    authClient: false,
  })
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code: new URL(String(headers.location)).searchParams.get('code') ?? '',
    redirect_uri: REDIRECT_URI,
    client_id: 'spa',
    code_verifier: password === 'secret' ? verifier : password,
  })
  return api.post(TOKEN, form, { authClient: false })
}

const row: Row = {
  server: { backend: oauth2, tokens: 'opaque' },
  client: () => ({ refresh: refreshWithOAuth2({ url: TOKEN, clientId: 'spa' }) }),
  login: authorize,
  tokens: usualTokens,
  wrongPassword: {
    status: 400,
    data: { error: 'invalid_grant', error_description: 'unknown code, or not yours' },
  },
  app: '/orders*',
  request: (number) => ({ url: `/orders/${number}` }),
  noToken: { status: 401, data: { message: 'the token is missing' } },
  refreshCall: ({ refreshToken }) => ({
    method: 'POST',
    url: TOKEN,
    authorization: undefined,
    contentType: 'application/x-www-form-urlencoded',
    body: `grant_type=refresh_token&refresh_token=${refreshToken}&client_id=spa`,
  }),
  refreshTokenIn: (request) => (request.path === TOKEN ? bodyField(request, 'refresh_token') : undefined),
  rotates: true,
  refusals: [
    ['a session that was revoked', ({ server }) => server.revoke('ada'), /answered 400/],
    [
      'a refresh token that has expired',
      ({ server }) => server.clock.advance(31 * 86_400_000),
      /answered 400/,
    ],
    [
      'a 400 with invalid_grant',
      ({ server }) => server.refresh.always({ status: 400, error: 'invalid_grant' }),
      /answered 400/,
    ],
  ],
  malformed: [
    ['a token type and no token', { status: 200, body: { token_type: 'Bearer', expires_in: 60 } }],
    ['an error that is null', { status: 200, body: { error: null } }],
  ],
  tampered: { status: 401, refreshes: 1 },
}

describeBackend('F. OAuth 2.0', row)

/** Characters that mean something in a form, in Basic, or beyond ASCII. */
const AWKWARD_ID = 'the app:1 & co'
const AWKWARD_SECRET = '100 %+p=ss/wörd:€?'

const clients = { spa: undefined, [AWKWARD_ID]: AWKWARD_SECRET, 'a&b=c:d é': undefined }

async function confidential(options: SetUpOptions = {}, server: StartOptions = {}) {
  const world = await setUp({
    server: { backend: oauth2, tokens: 'opaque', oauthClients: clients, ...server },
    refresh: refreshWithOAuth2({ url: TOKEN, clientId: AWKWARD_ID, clientSecret: AWKWARD_SECRET }),
    ...options,
  })
  world.server.forget()
  return world
}

describe('F. OAuth 2.0: who asks', () => {
  it('a confidential client authenticates by HTTP Basic, both halves form-encoded first', async () => {
    const world = await confidential()
    const { server, auth, login } = world
    await auth.refresh()
    const [call] = server.requestsTo(TOKEN)
    // RFC 6749 section 2.3.1 and appendix B: a blank is a plus, the rest percent-encoded UTF-8.
    const user = 'the+app%3A1+%26+co'
    const password = '100+%25%2Bp%3Dss%2Fw%C3%B6rd%3A%E2%82%AC%3F'
    expect(call && basicOf(call)).toEqual({ user, password })
    expect(call?.bodyBytes.toString()).toBe(`grant_type=refresh_token&refresh_token=${login.refresh_token}`)
    expect(call?.status).toBe(200)
    expect(server.counts).toMatchObject({ refreshes: 1, granted: 1 })
  })

  it('serves a burst for a confidential client with one refresh', async () => {
    const world = await confidential()
    world.server.killAccessTokens()
    expect(outcomesOf(await settleAll(burst(world, row, 20)))).toEqual(Array(20).fill('ok'))
    expect(world.server.counts).toMatchObject({ refreshes: 1, granted: 1, reuses: 0 })
  })

  it('an empty secret is a secret: it goes by HTTP Basic too', async () => {
    const { auth, server } = await confidential(
      { refresh: refreshWithOAuth2({ url: TOKEN, clientId: 'web', clientSecret: '' }) },
      { oauthClients: { web: '' } },
    )
    await auth.refresh()
    expect(server.log.map(basicOf)).toEqual([{ user: 'web', password: '' }])
  })

  it('a public client says its id in the body, encoded, and no Authorization at all', async () => {
    const { auth, server, login } = await confidential({
      refresh: refreshWithOAuth2({ url: TOKEN, clientId: 'a&b=c:d é' }),
    })
    await auth.refresh()
    const [call] = server.requestsTo(TOKEN)
    expect(call?.bodyBytes.toString()).toBe(
      `grant_type=refresh_token&refresh_token=${login.refresh_token}&client_id=a%26b%3Dc%3Ad+%C3%A9`,
    )
    expect(call?.headers.authorization).toBeUndefined()
    expect(call?.status).toBe(200)
  })

  it('the secret shows up in no error, event or snapshot when the server does not know it', async () => {
    const secret = 'not-the-secret'
    const { auth, server, events, ends } = await confidential({
      refresh: refreshWithOAuth2({ url: TOKEN, clientId: AWKWARD_ID, clientSecret: secret }),
      // RFC 6749 section 5.2 answers a client that came by Basic with 401, which is final by default.
      isFinal: () => false,
    })
    const error = await failureOf(auth.refresh())
    expect(error).toMatchObject({ code: 'REFRESH_FAILED', cause: { response: { status: 401 } } })
    const encoded = Buffer.from(`the+app%3A1+%26+co:${secret}`).toString('base64')
    const shown = JSON.stringify([error, (error as Error).cause, events, (error as Error).stack])
    expect(shown).not.toContain(secret)
    expect(shown).not.toContain(encoded)
    expect(server.counts.refreshes).toBe(1)
    expect(ends).toEqual([])
  })

  it.each([
    ['the scope that is asked for', 'read write', '&scope=read+write&client_id=spa'],
    ['no scope by default', undefined, '&client_id=spa'],
  ])('sends %s', async (_, scope, rest) => {
    const { auth, server, tokens } = await signedIn(row, {
      refresh: refreshWithOAuth2({ url: TOKEN, clientId: 'spa', scope }),
    })
    await auth.refresh()
    expect(server.log.map(({ bodyBytes }) => bodyBytes.toString())).toEqual([
      `grant_type=refresh_token&refresh_token=${tokens.refreshToken}${rest}`,
    ])
  })

  it('a scope that the server does not grant is no end of the session', async () => {
    const { auth, server, ends } = await signedIn(row, {
      refresh: refreshWithOAuth2({ url: TOKEN, clientId: 'spa', scope: 'admin' }),
    })
    expect(await failureOf(auth.refresh())).toMatchObject({ code: 'REFRESH_FAILED' })
    expect(server.log.at(-1)?.status).toBe(400)
    expect(ends).toEqual([])
  })
})

describe('F. OAuth 2.0: rotation', () => {
  it('a refresh token that somebody else has used already ends the session', async () => {
    const world = await signedIn(row)
    const { server, tokens, ends, api } = world
    // A thief was faster.
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: tokens.refreshToken ?? '',
      client_id: 'spa',
    })
    await api.post(TOKEN, form, { authClient: false })
    expire(row, world)
    expect(outcomesOf(await settleAll(burst(world, row, 10)))).toEqual(Array(10).fill('SESSION_EXPIRED'))
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 1 })
    expect(ends.map(({ reason }) => reason)).toEqual(['refused'])
  })

  it('no refresh token that was spent is sent again, however often the endpoint fails in between', async () => {
    const world = await signedIn(row)
    const { server, clock } = world
    const rounds: RefreshBehaviour[][] = [
      ['honest'],
      [503, 'honest'],
      ['drop-before', 503, 'honest'],
      [429, 'honest'],
    ]
    for (const behaviours of rounds) {
      expire(row, world)
      server.refresh.next(...behaviours)
      const settled = settleAll(burst(world, row, 20))
      await passBackOffs(world, behaviours.length - 1)
      expect(outcomesOf(await settled)).toEqual(Array(20).fill('ok'))
      clock.jump(1_000)
    }
    const spent = server.requestsTo((request) => IS_REFRESH(row)(request) && request.status === 200)
    expect(new Set(spent.map((request) => row.refreshTokenIn(request))).size).toBe(4)
    expect(server.counts).toMatchObject({ granted: 4, reuses: 0 })
  })

  it('takes the lifetime that `expires_in` says for an opaque token', async () => {
    const { auth, server, clock } = await signedIn(row)
    server.settings.accessLifetimeSeconds = 1_000
    await auth.refresh()
    expect(auth.getSnapshot().expiresAtMs).toBe(clock.nowMs() + 1_000_000)
  })

  it.each([
    ['leaves it out', false],
    ['repeats it', 'echo'],
  ] as const)('keeps the refresh token of a server without rotation that %s (G16)', async (_, rotate) => {
    const world = await signedIn(row, { server: { ...row.server, rotate } })
    const { server, tokens, store } = world
    for (let round = 0; round < 3; round++) {
      expire(row, world)
      await Promise.all(burst(world, row, 5))
    }
    expect(server.requestsTo(TOKEN).map((request) => row.refreshTokenIn(request))).toEqual(
      Array(3).fill(tokens.refreshToken),
    )
    expect(keptRefreshToken(store)).toBe(tokens.refreshToken)
  })
})

describe('F. OAuth 2.0: errors', () => {
  it.each(['invalid_client', 'invalid_request', 'unauthorized_client', 'invalid_scope'])(
    'a 400 with %s is not final, and is asked once',
    async (error) => {
      const world = await signedIn(row)
      const { server, ends, store, tokens, auth, clock } = world
      expire(row, world)
      server.refresh.always({ status: 400, error })
      expect(outcomesOf(await settleAll(burst(world, row, 10)))).toEqual(Array(10).fill('REFRESH_FAILED'))
      expect(server.counts.refreshes).toBe(1)
      expect(ends).toEqual([])
      expect(keptRefreshToken(store)).toBe(tokens.refreshToken)

      server.refresh.always(undefined)
      clock.jump(1_000)
      await Promise.all(burst(world, row, 5))
      expect(auth.getSnapshot().status).toBe('signed-in')
    },
  )

  it.each([400, 503])('a %i with temporarily_unavailable is asked again', async (status) => {
    const world = await signedIn(row)
    expire(row, world)
    world.server.refresh.next({ status, error: 'temporarily_unavailable' })
    const settled = settleAll(burst(world, row, 10))
    await passBackOffs(world, 1)
    expect(outcomesOf(await settled)).toEqual(Array(10).fill('ok'))
    expect(world.server.counts).toMatchObject({ refreshes: 2, granted: 1 })
  })

  it.each<[string, number | 'http-date']>([
    ['in seconds', 4],
    ['as a date', 'http-date'],
  ])('a 429 is asked again after its Retry-After %s, and not before', async (_, retryAfter) => {
    const world = await signedIn(row)
    const { server, clock } = world
    // A date can only be understood by clocks that agree.
    clock.jump(server.clock.nowMs - clock.nowMs())
    expire(row, world)
    server.refresh.next({ status: 429, retryAfter })
    const settled = settleAll(burst(world, row, 10))
    const [delayMs] = await passBackOffs(world, 1)
    expect(delayMs).toBe(retryAfter === 'http-date' ? 2_000 : 4_000)
    expect(outcomesOf(await settled)).toEqual(Array(10).fill('ok'))
    expect(server.counts.refreshes).toBe(2)
  })

  it('a 429 that asks for more than the refresh may take fails now, and is the cool-down', async () => {
    const world = await signedIn(row)
    const { server, clock, events, ends } = world
    expire(row, world)
    server.refresh.next({ status: 429, retryAfter: 60 })
    expect(outcomesOf(await settleAll(burst(world, row, 10)))).toEqual(Array(10).fill('REFRESH_FAILED'))
    expect(eventsOf(events, 'refreshFailed')).toMatchObject([{ coolDownMs: 60_000 }])
    clock.jump(59_999)
    expect(outcomesOf(await settleAll(burst(world, row, 3)))).toEqual(Array(3).fill('REFRESH_FAILED'))
    expect(server.counts.refreshes).toBe(1)
    clock.jump(1)
    expect(outcomesOf(await settleAll(burst(world, row, 3)))).toEqual(Array(3).fill('ok'))
    expect(server.counts.refreshes).toBe(2)
    expect(ends).toEqual([])
  })

  it('another reading of the answer is taken: `readGrant` sees the body whole', async () => {
    const seen: unknown[] = []
    const options: AuthClientOptions = {
      refresh: refreshWithOAuth2({
        url: TOKEN,
        clientId: 'spa',
        readGrant(body) {
          seen.push(body)
          const { access_token, refresh_token } = body as Record<string, string>
          return {
            ...tokensOf({ access_token: access_token ?? '', refresh_token: refresh_token ?? '' }),
            subject: 'x',
          }
        },
      }),
    }
    const { auth } = await signedIn(row, options)
    await auth.refresh()
    expect(seen).toEqual([expect.objectContaining({ token_type: 'Bearer', scope: 'read write' })])
    expect(auth.getSnapshot()).toMatchObject({ subject: 'x' })
  })
})
