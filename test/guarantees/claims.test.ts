// G19: a JWT whose claims cannot be used is an opaque token, wherever it comes from: nobody hangs, nothing rejects, and
// the snapshot stays a small frozen thing.

import axios from 'axios'
import { type AuthClientOptions, createAuthClient, type Tokens, tokenFromHeader } from 'axios-auth-client'
import { afterEach, describe, expect, it } from 'vitest'
import { createManualClock } from '../../src/testing/manual-clock.js'
import { jwtOf } from '../support/jwt.js'
import { settleAll } from '../support/settle-all.js'
import { createHandStore, createOpenStore, rotatedElsewhere } from '../support/stores.js'

const START = Date.UTC(2025, 0, 1)
const LIFE = '"iat":1700000000,"exp":1700000060'

const nested = (levels: number, [open, close] = ['[', ']']) =>
  `{${LIFE},"sub":"ada","deep":${open.repeat(levels)}${open === '[' ? '' : '1'}${close.repeat(levels)}}`

/** JWTs that are no more than opaque tokens. */
const UNUSABLE: [string, string][] = [
  ['lists nested 5,000 levels deep', jwtOf(nested(5000))],
  ['objects nested 5,000 levels deep', jwtOf(nested(5000, ['{"a":', '}']))],
  ['lists nested 65 levels deep', jwtOf(nested(64))],
  ['a subject of a megabyte', jwtOf(`{${LIFE},"sub":"${'a'.repeat(1_000_000)}"}`)],
  ['a list of a megabyte', jwtOf(`{${LIFE},"roles":[${'1,'.repeat(500_000)}1]}`)],
  ['a signature of a megabyte', `${jwtOf(`{${LIFE}}`)}${'A'.repeat(1_000_000)}`],
]

const clients: { dispose(): void }[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.dispose()
})

/** A client without a server: `old` is refused, everything else is answered 200. */
function open(accessToken: string, options: AuthClientOptions = {}) {
  const sent: (string | undefined)[] = []
  const api = axios.create({
    baseURL: 'https://api.example.com',
    async adapter(config) {
      const authorization = config.headers.Authorization?.toString()
      sent.push(authorization)
      const headers = config.url === '/push' ? { authorization: accessToken } : {}
      const response = {
        data: {},
        status: authorization === 'Bearer old' ? 401 : 200,
        statusText: '',
        headers,
        config,
      }
      if (response.status === 200) return response
      throw new axios.AxiosError('refused', 'ERR_BAD_REQUEST', config, undefined, response)
    },
  })
  const auth = createAuthClient(api, {
    refresh: async () => ({ accessToken }),
    readResponse: tokenFromHeader('authorization'),
    clock: createManualClock(START),
    ...options,
  })
  clients.push(auth)
  return { api, auth, sent }
}

/** Every way on which a token arrives. */
const WAYS: [string, (accessToken: string) => Promise<ReturnType<typeof open>>][] = [
  [
    'from signIn',
    async (accessToken) => {
      const world = open(accessToken)
      await world.auth.signIn({ accessToken, refreshToken: 'r' })
      return world
    },
  ],
  [
    'from a refresh',
    async (accessToken) => {
      const world = open(accessToken)
      await world.auth.signIn({ accessToken: 'old', refreshToken: 'r' })
      const settled = await settleAll([1, 2, 3].map((i) => world.api.get(`/${i}`)))
      expect(settled.map(({ status }) => status)).toEqual(Array(3).fill('fulfilled'))
      return world
    },
  ],
  [
    'from a push',
    async (accessToken) => {
      const world = open(accessToken)
      await world.auth.signIn({ accessToken: 'first' })
      await world.api.get('/push')
      return world
    },
  ],
  [
    'from updateTokens',
    async (accessToken) => {
      const world = open(accessToken)
      await world.auth.signIn({ accessToken: 'first' })
      await world.auth.updateTokens({ accessToken })
      return world
    },
  ],
  ['from the option tokens', async (accessToken) => open(accessToken, { tokens: { accessToken } })],
  [
    'from a store',
    async (accessToken) => open(accessToken, { store: createOpenStore(recordOf(accessToken)) }),
  ],
  [
    'from an asynchronous store',
    async (accessToken) => open(accessToken, { store: createHandStore(recordOf(accessToken)) }),
  ],
  [
    'from another tab',
    async (accessToken) => {
      const store = createOpenStore()
      const world = open(accessToken, { store })
      await world.auth.signIn({ accessToken: 'first' })
      rotatedElsewhere(store, { accessToken })
      store.hint()
      return world
    },
  ],
]

const recordOf = (accessToken: string) => ({ v: 1, sessionId: 's', version: 1, tokens: { accessToken } })

describe.each(WAYS)('G19: a token %s', (_, arrive) => {
  it.each(UNUSABLE)('G19: with %s is an opaque token', async (_, accessToken) => {
    const { auth, api, sent } = await arrive(accessToken)
    await expect(auth.ready).resolves.toBeUndefined()
    const snapshot = auth.getSnapshot()
    expect(snapshot).toEqual({ status: 'signed-in', refreshing: false })
    await api.get('/')
    expect(sent.at(-1) === `Bearer ${accessToken}`).toBe(true)
    await auth.signOut()
    expect(auth.getSnapshot().status).toBe('signed-out')
  })
})

describe('G19: claims that can be used', () => {
  it('G19: 64 levels of a token of 100,000 characters are read', async () => {
    const accessToken = jwtOf(nested(63))
    const { auth } = open('')
    await auth.signIn({ accessToken: accessToken + 'A'.repeat(100_000 - accessToken.length) })
    expect(auth.getSnapshot()).toMatchObject({ subject: 'ada', expiresAtMs: START + 60_000 })
  })

  it.each<[string, string, object]>([
    ['a toJSON', `{${LIFE},"toJSON":"x","sub":"ada"}`, { subject: 'ada', expiresAtMs: START + 60_000 }],
    ['a __proto__', `{"__proto__":{${LIFE},"sub":"eve"},"sub":"ada"}`, { subject: 'ada' }],
    ['a constructor', `{"constructor":{"prototype":{}},"sub":"ada"}`, { subject: 'ada' }],
    ['lone surrogates', String.raw`{"sub":"\ud800","name":"\udc00"}`, { subject: '\ud800' }],
    [
      'one key twice',
      `{"sub":"eve","sub":"ada",${LIFE},"exp":1700000120}`,
      { subject: 'ada', expiresAtMs: START + 120_000 },
    ],
    ['an exp as text', '{"iat":"1700000000","exp":"1700000060"}', { expiresAtMs: START + 60_000 }],
    ['an endless exp', '{"iat":0,"exp":1e400,"sub":"ada"}', { subject: 'ada' }],
    ['a number for its subject', '{"sub":42}', { subject: '42' }],
  ])('G19: %s harms nobody', async (_, payload, expected) => {
    const { auth, api, sent } = open('')
    const accessToken = jwtOf(payload)
    await auth.signIn({ accessToken })
    const { claims, ...snapshot } = auth.getSnapshot()
    expect(snapshot).toEqual({ status: 'signed-in', refreshing: false, ...expected })
    expect(JSON.stringify(claims)).toBe(JSON.stringify(JSON.parse(payload)))
    expect(({} as { exp?: unknown }).exp).toBeUndefined()
    await api.get('/')
    expect(sent).toEqual([`Bearer ${accessToken}`])
  })

  it('G19: the app cannot change the claims that a snapshot shows, at any level', async () => {
    const { auth, api } = open('new')
    await auth.signIn({ accessToken: jwtOf({ sub: 'ada', realm: { roles: ['user'] } }), refreshToken: 'r' })
    const { realm } = auth.getSnapshot().claims as { realm: { roles: unknown[]; self?: unknown } }
    expect(() => realm.roles.push(realm)).toThrow(TypeError)
    expect(() => {
      realm.self = realm
    }).toThrow(TypeError)
    await auth.refresh()
    await api.get('/')
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
  })

  it('G19: the snapshot stays the same object when newer tokens have the same claims', async () => {
    const { auth } = open('')
    const tokensOf = (signature: string): Tokens => ({
      accessToken: jwtOf({ sub: 'ada', iat: 1 }) + signature,
    })
    await auth.signIn(tokensOf('a'))
    const before = auth.getSnapshot()
    await auth.updateTokens(tokensOf('b'))
    expect(auth.getSnapshot()).toBe(before)
  })
})
