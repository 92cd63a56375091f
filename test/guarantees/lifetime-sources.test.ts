// G19: what says how long a token lives, in which order, and what cannot be read. Tokens that were just received are
// measured from their receipt; others expire when their `exp` says so, by the client's clock.

import axios from 'axios'
import {
  type AuthClientOptions,
  createAuthClient,
  localStorageStore,
  sessionStorageStore,
  type Tokens,
  tokenFromHeader,
} from 'axios-auth-client'
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest'
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.js'
import { FakeStorage } from '../contracts/fake-storage.js'
import { jwtOf } from '../support/jwt.js'
import { createHandStore, createOpenStore } from '../support/stores.js'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const START = Date.UTC(2025, 0, 1)

const clients: { dispose(): void }[] = []
let shown: MockInstance
beforeEach(() => {
  shown = vi.spyOn(console, 'error').mockReturnValue()
})
afterEach(() => {
  for (const client of clients.splice(0)) client.dispose()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

interface Options extends AuthClientOptions {
  /** What each refresh brings; by default an opaque token of unknown life. */
  grant?: (nth: number, nowMs: number) => unknown
  /** What the server answers to a token. */
  status?: (authorization: string | undefined) => number
  headers?: Record<string, string>
}

/** A client without a server; whatever is sent and refreshed is counted. */
function open(
  { grant, status = () => 200, headers = {}, ...options }: Options = {},
  clock = createManualClock(START),
) {
  const sent: (string | undefined)[] = []
  const refreshedAtMs: number[] = []
  const api = axios.create({
    baseURL: 'https://api.example.com',
    async adapter(config) {
      const authorization = config.headers.Authorization?.toString()
      sent.push(authorization)
      const response = { data: {}, status: status(authorization), statusText: '', headers, config }
      if (response.status < 400) return response
      throw new axios.AxiosError('refused', 'ERR_BAD_REQUEST', config, undefined, response)
    },
  })
  const auth = createAuthClient(api, {
    async refresh() {
      refreshedAtMs.push(clock.nowMs())
      const nth = refreshedAtMs.length
      return { accessToken: `renewed-${nth}`, ...(grant?.(nth, clock.nowMs()) as object) }
    },
    clock,
    ...options,
  })
  clients.push(auth)
  const expiresInMs = () => {
    const { expiresAtMs } = auth.getSnapshot()
    return expiresAtMs === undefined ? undefined : expiresAtMs - clock.nowMs()
  }
  return { api, auth, clock, sent, refreshes: () => refreshedAtMs.length, expiresInMs }
}

/** What was shown on the console, as one text. */
const consoleText = () => shown.mock.calls.flat().map(String).join('\n')

const claimsOf = (fields: Record<string, unknown>) => jwtOf({ sub: 'ada', ...fields })

describe('G19: expiresInSeconds', () => {
  it.each<[unknown, number]>([
    [3600, 3600],
    [3600.5, 3600.5],
    [0.5, 0.5],
    ['3600', 3600],
    ['3600s', 3600],
    ['3600 S', 3600],
    ['3600.5s', 3600.5],
    [' 3600 ', 3600],
    ['0060', 60],
  ])('G19: %j is %d s', async (expiresInSeconds, seconds) => {
    const { auth, expiresInMs } = open()
    await auth.signIn({ accessToken: 'opaque', expiresInSeconds } as Tokens)
    expect(expiresInMs()).toBe(seconds * SECOND)
    expect(shown).not.toHaveBeenCalled()
  })

  const unreadable: unknown[] = [
    '1h',
    '15m',
    '1d',
    '1 hour',
    '90min',
    '60ms',
    '60 sec',
    '01:00:00',
    '1:00',
    '0.01:00:00',
    'P1D',
    'PT1H',
    '',
    ' ',
    's',
    '3,600',
    '3_600',
    '0x10',
    '1e3',
    '1e400',
    '2025-01-01T01:00:00Z',
    'never',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.MAX_VALUE,
    3600n,
    true,
    {},
    [60],
    { seconds: 60 },
    new Number(60),
    new String('60'),
    new Date(60_000),
    Symbol('60'),
    () => 60,
  ]
  it.each(
    unreadable.map((value) => [
      String(JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v)) ?? String(value)),
      value,
    ]),
  )('G19: %s is unknown, and named on the console', async (_, expiresInSeconds) => {
    const { auth, api, clock, expiresInMs, refreshes } = open()
    await auth.signIn({ accessToken: 'opaque', expiresInSeconds } as Tokens)
    expect(expiresInMs()).toBeUndefined()
    clock.jump(HOUR)
    await api.get('/')
    expect(refreshes()).toBe(0)
    expect(consoleText()).toContain('expiresInSeconds')
    await auth.signIn({ accessToken: claimsOf({ iat: 100, exp: 160 }), expiresInSeconds } as Tokens)
    expect(expiresInMs()).toBe(MINUTE)
  })

  it.each([0, -1, '0', '-60', null, undefined])(
    'G19: %j is unknown, without a warning',
    async (expiresInSeconds) => {
      const { auth, expiresInMs } = open()
      await auth.signIn({ accessToken: claimsOf({ iat: 100, exp: 160 }), expiresInSeconds } as Tokens)
      expect(expiresInMs()).toBe(MINUTE)
      await auth.signIn({ accessToken: 'opaque', expiresInSeconds } as Tokens)
      expect(expiresInMs()).toBeUndefined()
      expect(shown).not.toHaveBeenCalled()
    },
  )

  it('G19: an unreadable expires_in starts no refresh, however many requests there are', async () => {
    const grant = () => ({ expiresInSeconds: '1h' })
    const { auth, api, clock, refreshes } = open({ grant })
    await auth.signIn({ accessToken: 'opaque', expiresInSeconds: '1h' } as never)
    for (let i = 0; i < 6; i++) {
      await api.get('/')
      clock.jump(SECOND)
    }
    expect(refreshes()).toBe(0)
  })

  it('G19: an unreadable field is reported once, without its value, whatever its source', async () => {
    const grant = (nth: number) => ({
      expiresInSeconds: 'secret-1h',
      expiresAtMs: nth > 1 ? 'secret-soon' : undefined,
    })
    const { auth } = open({ grant })
    await auth.signIn({ accessToken: 'opaque', expiresInSeconds: 'secret-1h' } as never)
    for (let i = 0; i < 5; i++) await auth.refresh()
    await auth.updateTokens({ accessToken: 'pushed', expiresInSeconds: 'secret-1h' } as never)
    expect(shown).toHaveBeenCalledTimes(2)
    expect(consoleText()).toMatch(/expiresInSeconds[\s\S]*expiresAtMs/)
    expect(consoleText()).not.toMatch(/secret|opaque|renewed|pushed/)
  })
})

describe('G19: expiresAtMs', () => {
  const atMs = START + HOUR
  it.each<[string, unknown]>([
    ['milliseconds', atMs],
    ['their text', String(atMs)],
    ['seconds', atMs / 1000],
    ['seconds as text', String(atMs / 1000)],
    ['a Date', new Date(atMs)],
    ['ISO text', new Date(atMs).toISOString()],
    ['ISO text of another zone', '2025-01-01T03:00:00+02:00'],
    ['ISO text without milliseconds', '2025-01-01T01:00:00Z'],
    ['ISO text with microseconds', '2025-01-01T01:00:00.000000Z'],
    ['ISO text in blanks', ' 2025-01-01T01:00:00Z '],
  ])('G19: %s are read', async (_, expiresAtMs) => {
    for (const way of ['signIn', 'refresh', 'updateTokens', 'tokens'] as const) {
      const tokens = { accessToken: 'opaque', expiresAtMs } as Tokens
      const { auth, expiresInMs } = open({
        grant: () => tokens,
        ...(way === 'tokens' && { tokens }),
      })
      if (way !== 'tokens') await auth.signIn(way === 'signIn' ? tokens : { accessToken: 'first' })
      if (way === 'refresh') await auth.refresh()
      if (way === 'updateTokens') await auth.updateTokens(tokens)
      expect([way, expiresInMs()]).toEqual([way, HOUR])
    }
    expect(shown).not.toHaveBeenCalled()
  })

  it('G19: fractions of a second are read', async () => {
    const { auth, expiresInMs } = open()
    await auth.signIn({ accessToken: 'opaque', expiresAtMs: START / 1000 + 60.5 })
    expect(expiresInMs()).toBe(60_500)
  })

  it('G19: a Date of another realm is a Date', async () => {
    const { runInNewContext } = await import('node:vm')
    const { auth, expiresInMs } = open()
    await auth.signIn({ accessToken: 'opaque', expiresAtMs: runInNewContext(`new Date(${atMs})`) as Date })
    expect(expiresInMs()).toBe(HOUR)
  })

  it.each<[string, unknown]>([
    ['a word', 'tomorrow'],
    ['a duration', '1h'],
    ['an ISO duration', 'PT1H'],
    ['a date of another notation', 'Wed, 01 Jan 2025 01:00:00 GMT'],
    ['an ambiguous date', '01/02/2025'],
    ['a day that does not exist', '2025-13-45'],
    ['an ISO text with more after it', '2025-01-01T01:00:00Z and more'],
    ['no text at all', ''],
    ['an invalid Date', new Date(Number.NaN)],
    ['an object', { seconds: 1 }],
    ['a forged Date', { [Symbol.toStringTag]: 'Date', getTime: () => 5, valueOf: () => 5 }],
    ['a list', [1_800_000_000_000]],
    ['a boolean', true],
    ['a bigint', 1_800_000_000_000n],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
  ])('G19: %s is unknown, and named on the console', async (_, expiresAtMs) => {
    const { auth, api, clock, expiresInMs, refreshes } = open()
    await auth.signIn({ accessToken: 'opaque', expiresAtMs } as Tokens)
    expect(expiresInMs()).toBeUndefined()
    expect(consoleText()).toContain('expiresAtMs')
    clock.jump(HOUR)
    await api.get('/')
    expect(refreshes()).toBe(0)
    await auth.signIn({ accessToken: claimsOf({ exp: START / 1000 + 2 * 3600 }), expiresAtMs } as Tokens)
    expect(expiresInMs()).toBe(HOUR)
  })

  it('G19: null is unknown, without a warning', async () => {
    const { auth, expiresInMs } = open()
    await auth.signIn({ accessToken: 'opaque', expiresAtMs: null, expiresInSeconds: null } as never)
    expect(expiresInMs()).toBeUndefined()
    expect(shown).not.toHaveBeenCalled()
  })
})

describe('G19: precedence of the lifetimes of tokens just received', () => {
  const span = { iat: START / 1000, exp: START / 1000 + 120 }
  const alone = { exp: START / 1000 + 240 }
  it.each<[string, Partial<Tokens>, number | undefined]>([
    [
      'expiresInSeconds comes first',
      { accessToken: claimsOf(span), expiresInSeconds: 60, expiresAtMs: START + 180_000 },
      60,
    ],
    ['then exp - iat', { accessToken: claimsOf(span), expiresAtMs: START + 180_000 }, 120],
    ['then expiresAtMs', { accessToken: claimsOf(alone), expiresAtMs: START + 180_000 }, 180],
    ['then exp without iat', { accessToken: claimsOf(alone) }, 240],
    [
      'a span of 0 falls through',
      { accessToken: claimsOf({ iat: 5, exp: 5 }), expiresInSeconds: 0, expiresAtMs: START + 180_000 },
      180,
    ],
    [
      'a negative span falls through',
      { accessToken: claimsOf({ iat: 9, exp: 5 }), expiresInSeconds: -1, expiresAtMs: START + 180_000 },
      180,
    ],
    ['a passed expiresAtMs falls through', { accessToken: claimsOf(alone), expiresAtMs: START - 1 }, 240],
    ['an exp as text is read', { accessToken: claimsOf({ iat: '1700000000', exp: '1700000060' }) }, 60],
    [
      'an exp in words falls through',
      { accessToken: claimsOf({ iat: 0, exp: '1h' }), expiresAtMs: START + 180_000 },
      180,
    ],
    [
      'all of them passed or unreadable: unknown',
      { accessToken: claimsOf({ exp: START / 1000 - 1 }), expiresAtMs: START - 1 },
      undefined,
    ],
    ['an end that is here already is unknown', { accessToken: 'opaque', expiresAtMs: START + 5 }, undefined],
  ])('G19: %s', async (_, tokens, seconds) => {
    const { auth, expiresInMs } = open()
    await auth.signIn(tokens as Tokens)
    expect(expiresInMs()).toBe(seconds === undefined ? undefined : seconds * SECOND)
  })
})

describe('G19: a server whose clock differs', () => {
  const HOURS = [-24 * 365, -24, -2, -1, 0, 1, 2, 24, 24 * 365]
  /** What a server whose clock is off by `skewMs` may say of a token that lives an hour. */
  const kinds: [string, (nowMs: number) => object][] = [
    ['expiresAtMs', (nowMs) => ({ expiresAtMs: nowMs + HOUR })],
    ['expiresAtMs in seconds', (nowMs) => ({ expiresAtMs: (nowMs + HOUR) / 1000 })],
    ['expiresAtMs as ISO text', (nowMs) => ({ expiresAtMs: new Date(nowMs + HOUR).toISOString() })],
    [
      'exp without iat',
      (nowMs) => ({ accessToken: claimsOf({ exp: (nowMs + HOUR) / 1000, n: Math.random() }) }),
    ],
    [
      'exp and iat',
      (nowMs) => ({ accessToken: claimsOf({ iat: nowMs / 1000, exp: (nowMs + HOUR) / 1000 }) }),
    ],
    [
      'all at once',
      (nowMs) => ({
        accessToken: claimsOf({ iat: nowMs / 1000, exp: (nowMs + HOUR) / 1000 }),
        expiresAtMs: nowMs + HOUR,
      }),
    ],
  ]
  it.each(kinds)(
    'G19: %s: whatever the clocks say, there is no refresh before each request',
    async (_, say) => {
      for (const skewMs of HOURS.flatMap((hours) => [hours * HOUR, hours * HOUR + 5, hours * HOUR - 5])) {
        for (const start of ['signIn', 'tokens', 'store'] as const) {
          const issue = (nowMs: number) => ({
            accessToken: `t-${nowMs}`,
            refreshToken: 'r',
            ...say(nowMs + skewMs),
          })
          const { auth, api, clock, refreshes } = open({
            grant: (_nth, nowMs) => issue(nowMs),
            ...(start === 'tokens' && { tokens: issue(START) as Tokens }),
            ...(start === 'store' && {
              store: createOpenStore({
                v: 1,
                sessionId: 's',
                version: 1,
                tokens: { accessToken: issue(START).accessToken },
              }),
            }),
          })
          if (start === 'signIn') await auth.signIn(issue(START) as Tokens)
          for (let i = 0; i < 10; i++) {
            await api.get('/')
            clock.jump(10 * SECOND)
          }
          expect([skewMs, start, refreshes() <= 1]).toEqual([skewMs, start, true])
        }
      }
    },
  )
})

describe('G19: tokens that were not just received', () => {
  const hourAgo = claimsOf({ iat: START / 1000 - 7200, exp: START / 1000 - 3600 })
  const inAnHour = claimsOf({ iat: START / 1000 - 3600, exp: START / 1000 + 3600 })
  const page = (key: string) => {
    vi.stubGlobal('localStorage', new FakeStorage())
    vi.stubGlobal('sessionStorage', new FakeStorage())
    vi.spyOn(Date, 'now').mockReturnValue(START)
    return { key }
  }
  const recordOf = (accessToken: string) => ({
    v: 1,
    sessionId: 's',
    version: 1,
    tokens: { accessToken, refreshToken: 'r' },
  })
  const ways: [string, (accessToken: string) => AuthClientOptions][] = [
    ['the option tokens', (accessToken) => ({ tokens: { accessToken, refreshToken: 'r' } })],
    [
      'tokens with a lifetime of their first day',
      (accessToken) => ({ tokens: { accessToken, refreshToken: 'r', expiresInSeconds: 7200 } }),
    ],
    [
      'importFrom of localStorage',
      (accessToken) => ({
        store: localStorageStore({ ...page('a'), importFrom: () => ({ accessToken, refreshToken: 'r' }) }),
      }),
    ],
    [
      'importFrom of sessionStorage',
      (accessToken) => ({
        store: sessionStorageStore({
          ...page('a'),
          importFrom: () => ({ accessToken, refreshToken: 'r', expiresInSeconds: 7200 }),
        }),
      }),
    ],
    ['a store of the app', (accessToken) => ({ store: createOpenStore(recordOf(accessToken)) })],
    ['an asynchronous one', (accessToken) => ({ store: createHandStore(recordOf(accessToken)) })],
  ]

  it.each(ways)(
    'G19: %s: a JWT that expired an hour ago is refreshed before it is sent',
    async (_, optionsOf) => {
      const { auth, api, sent, refreshes } = open(optionsOf(hourAgo))
      await auth.ready
      await api.get('/')
      expect([sent, refreshes()]).toEqual([['Bearer renewed-1'], 1])
    },
  )

  it.each(ways)('G19: %s: a JWT expires when its exp says', async (_, optionsOf) => {
    const { auth, api, clock, sent, expiresInMs } = open(optionsOf(inAnHour))
    await auth.ready
    expect(expiresInMs()).toBe(HOUR)
    await api.get('/')
    clock.jump(HOUR)
    await api.get('/')
    expect(sent).toEqual([`Bearer ${inAnHour}`, 'Bearer renewed-1'])
  })

  it.each(ways)(
    'G19: %s: shouldRefresh gets expired: undefined, and a rejected token is refreshed',
    async (_, optionsOf) => {
      const asked: unknown[] = []
      const { auth, api, sent } = open({
        ...optionsOf(inAnHour),
        status: (authorization) => (authorization === `Bearer ${inAnHour}` ? 401 : 200),
        shouldRefresh({ response, expired }) {
          asked.push(expired)
          return response.status === 401 && expired !== false
        },
      })
      await auth.ready
      await api.get('/')
      expect(asked[0]).toBeUndefined()
      expect(sent).toEqual([`Bearer ${inAnHour}`, 'Bearer renewed-1'])
    },
  )

  it.each(ways)('G19: %s: without `refresh`, the clock decides nothing', async (_, optionsOf) => {
    const { auth, api, sent } = open({ ...optionsOf(hourAgo), refresh: undefined })
    await auth.ready
    await api.get('/')
    expect(sent).toEqual([`Bearer ${hourAgo}`])
  })

  it('G19: an imported lifetime is no more certain after a reload', async () => {
    const where = page('a')
    const importFrom = () => ({ accessToken: inAnHour, refreshToken: 'r', expiresAtMs: START + HOUR })
    open({ store: localStorageStore({ ...where, importFrom }) }).auth.dispose()
    const asked: unknown[] = []
    const { api, expiresInMs } = open({
      store: localStorageStore(where),
      shouldRefresh: ({ expired }) => asked.push(expired) < 0,
    })
    await api.get('/')
    expect([asked, expiresInMs()]).toEqual([[undefined], HOUR])
  })

  it.each<[string, object, boolean | undefined]>([
    ['a measured lifetime', { accessToken: 'opaque', expiresInSeconds: 3600 }, false],
    ['the span of a JWT', { accessToken: inAnHour }, false],
    ['an expiresAtMs', { accessToken: 'opaque', expiresAtMs: START + HOUR }, undefined],
    ['an exp without iat', { accessToken: claimsOf({ exp: START / 1000 + 3600 }) }, undefined],
    ['no lifetime', { accessToken: 'opaque' }, undefined],
  ])(
    'G19: for %s, shouldRefresh gets the same `expired` before and after a reload',
    async (_, tokens, expected) => {
      const store = createOpenStore()
      const asked: unknown[] = []
      const options: Options = { store, shouldRefresh: ({ expired }) => asked.push(expired) < 0 }
      const first = open(options)
      await first.auth.signIn(tokens as Tokens)
      await first.api.get('/')
      first.auth.dispose()
      await open(options).api.get('/')
      expect(asked).toEqual([expected, expected])
    },
  )

  it('G19: a record whose expiry is in seconds is read, and one written by a clock in 1970 unchanged', async () => {
    const seconds = open({ store: createOpenStore({ ...recordOf('kept'), expiresAtMs: START / 1000 + 60 }) })
    expect(seconds.expiresInMs()).toBe(MINUTE)
    const store = createOpenStore()
    const clock: ManualClock = createManualClock(0)
    await open({ store }, clock).auth.signIn({ accessToken: 'opaque', expiresInSeconds: 60 })
    expect(open({ store }, clock).expiresInMs()).toBe(MINUTE)
  })

  it('G19: a pushed token is measured from its receipt', async () => {
    const pushed = claimsOf({ iat: 100, exp: 160 })
    const { auth, api, expiresInMs } = open({
      headers: { authorization: pushed },
      readResponse: tokenFromHeader('authorization'),
    })
    await auth.signIn({ accessToken: 'first' })
    await api.get('/')
    expect(expiresInMs()).toBe(MINUTE)
  })
})
