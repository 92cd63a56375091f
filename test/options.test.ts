// The options of `createAuthClient`: checked once, at creation, with a message that names the option and what came.

import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios'
import {
  type AuthClientError,
  type AuthClientOptions,
  appStore,
  bearerHeader,
  createAuthClient,
  isAuthClientError,
  keyValueStore,
  localStorageStore,
  memoryStore,
  noCredential,
  refreshWithCookie,
  sessionStorageStore,
} from 'axios-auth-client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createManualClock } from '../src/testing/manual-clock.js'
import { FakeStorage } from './contracts/fake-storage.js'

const endings: (() => unknown)[] = []
afterEach(() => {
  for (const end of endings.splice(0)) end()
})

function createApi(defaults: AxiosRequestConfig = {}) {
  const sent: (string | undefined)[] = []
  const api = axios.create({
    baseURL: 'https://api.example.com',
    adapter: async (config) => {
      sent.push(config.headers.Authorization?.toString())
      return { data: {}, status: 200, statusText: 'OK', headers: {}, config }
    },
    ...defaults,
  })
  return { api, sent }
}

function create(options: unknown, api: AxiosInstance = createApi().api) {
  const auth = createAuthClient(api, options as AuthClientOptions)
  endings.push(() => auth.dispose())
  return auth
}

/** What `createAuthClient` throws; it must be our error, thrown at once. */
function refusalOf(options: unknown, api?: AxiosInstance): AuthClientError {
  return refusalIn(() => create(options, api))
}

function refusalIn(make: () => unknown): AuthClientError {
  try {
    make()
  } catch (error) {
    if (isAuthClientError(error)) return error
    throw error
  }
  throw new Error('The options were accepted')
}

const noStore = { load: () => undefined, save: () => undefined }

describe('a bad option', () => {
  const cases: [option: string, value: unknown, came: string][] = [
    ...(
      ['refresh', 'readResponse', 'shouldRefresh', 'isFinal', 'beforeReplay', 'onSessionEnd'] as const
    ).flatMap((name): [string, unknown, string][] => [
      [name, null, 'null'],
      [name, 'text', '"text"'],
      [name, 42, '42'],
      [name, true, 'true'],
      [name, false, 'false'],
      [name, {}, 'object'],
      [name, [], 'object'],
    ]),
    ['store', null, 'null'],
    ['store', 'localStorage', '"localStorage"'],
    ['store', 0, '0'],
    ['store', {}, 'object'],
    ['store', noStore, 'object'],
    ['store', { ...noStore, clear: true }, 'object'],
    ['store', memoryStore, 'function'],
    ['place', null, 'null'],
    ['place', 'header', '"header"'],
    ['place', {}, 'object'],
    ['place', { place: () => true }, 'object'],
    ['place', { remove: () => true }, 'object'],
    ['place', bearerHeader, 'function'],
    ['clock', null, 'null'],
    ['clock', Date, 'function'],
    ['clock', { nowMs: 5, setTimer: () => () => undefined }, 'object'],
    ['clock', { nowMs: () => 0 }, 'object'],
    ...(['refreshAheadMs', 'refreshTimeoutMs'] as const).flatMap((name): [string, unknown, string][] => [
      [name, null, 'null'],
      [name, '1000', '"1000"'],
      [name, -1, '-1'],
      [name, Number.NaN, 'NaN'],
      [name, Number.POSITIVE_INFINITY, 'Infinity'],
      [name, true, 'true'],
      [name, {}, 'object'],
      [name, 10n, '10'],
    ]),
    ['refreshTimeoutMs', 0, '0'],
    ['refreshTimeoutMs', -0, '0'],
    ['refreshRetry', null, 'null'],
    ['refreshRetry', 3, '3'],
    ['refreshRetry', true, 'true'],
    ['refreshRetry', '2', '"2"'],
    ['refreshRetry.limit', { limit: -1 }, '-1'],
    ['refreshRetry.limit', { limit: 1.5 }, '1.5'],
    ['refreshRetry.limit', { limit: '2' }, '"2"'],
    ['refreshRetry.limit', { limit: null }, 'null'],
    ['refreshRetry.limit', { limit: Number.POSITIVE_INFINITY }, 'Infinity'],
    ['refreshRetry.baseDelayMs', { baseDelayMs: -1 }, '-1'],
    ['refreshRetry.baseDelayMs', { baseDelayMs: '300' }, '"300"'],
    ['refreshRetry.baseDelayMs', { baseDelayMs: null }, 'null'],
    ['refreshRetry.baseDelayMs', { baseDelayMs: Number.NaN }, 'NaN'],
    ['origins', null, 'null'],
    ['origins', 'https://api.example.com', '"https://api.example.com"'],
    ['origins', {}, 'object'],
    ['origins', new Set(['https://api.example.com']), 'object'],
    ['origins', ['api.example.com'], '"api.example.com"'],
    ['origins', ['https://api.example.com', ''], '""'],
    ['origins', ['*'], '"*"'],
    ['origins', ['https://'], '"https://"'],
    ['origins', ['https://*.example.com'], '"https://*.example.com"'],
    ['origins', ['https://api.example.com/*'], '"https://api.example.com/*"'],
    ['origins', ['/api'], '"/api"'],
    ['origins', ['//api.example.com'], '"//api.example.com"'],
    ['origins', ['null'], '"null"'],
    ['origins', [null], 'null'],
    ['origins', [undefined], 'undefined'],
    ['origins', [443], '443'],
    ['origins', [new URL('https://api.example.com')], 'object'],
    ['origins', ['https://user:pass@api.example.com'], '"https://user:pass@api.example.com"'],
    ['tokens', null, 'null'],
    ['tokens', 42, '42'],
    ['tokens', true, 'true'],
    ['tokens', {}, 'object'],
    ['tokens', [], 'object'],
    ['tokens', { access_token: 'a' }, 'object'],
    ['tokens', { accessToken: '' }, 'object'],
    ['tokens', { accessToken: 5 }, 'object'],
    ['tokens', { accessToken: 'a', refreshToken: 'line\nbreak' }, 'object'],
  ]

  const named = cases.map(([option, value, came]) => ({ option, value, came }))
  it.each(named)('is named with the value passed: $option, $came', ({ option, value, came }) => {
    const [name = ''] = option.split('.')
    const error = refusalOf({ [name]: value })
    expect(error.code).toBe('BAD_OPTION')
    expect(error.message).toMatch(new RegExp(`^${option.replace('.', '\\.')}\\b`))
    expect(error.message).toContain(came)
  })

  it.each(['api.example.com', '', '*', '/api', '/https://api.example.com', 'null'])(
    'names an origin without a scheme in a page too: %j',
    (origin) => {
      vi.stubGlobal('location', { href: 'https://app.example/' })
      vi.stubGlobal('document', { baseURI: 'https://app.example/' })
      const error = refusalOf({ origins: [origin] })
      expect(error.message).toMatch(/^origins\b/)
    },
  )

  const unknown: [option: string, options: object, came: string][] = [
    ['refreshTimeout', { refreshTimeout: 5_000 }, '5000'],
    ['onSessionend', { onSessionend: () => undefined }, 'function'],
    ['retry', { retry: null }, 'null'],
    ['accessToken', { accessToken: 'a.secret.one' }, 'string'],
    ['0', ['origins'], 'string'],
    ['constructor', { constructor: 1 }, '1'],
    ['cookies', refreshWithCookie({ url: '/r' }), 'true'],
    ['refreshRetry.retries', { refreshRetry: { retries: 3 } }, '3'],
    ['refreshRetry.delay', { refreshRetry: { limit: 1, delay: '1s' } }, 'string'],
  ]
  it.each(unknown)('is an unknown name: %s', (option, options, came) => {
    const error = refusalOf(options)
    expect(error.code).toBe('BAD_OPTION')
    expect(error.message.startsWith(`${option}: `)).toBe(true)
    // Whose options they are, and which there are.
    const [owner, some] = option.includes('.')
      ? ['refreshRetry', ['limit', 'baseDelayMs']]
      : ['createAuthClient', ['refreshTimeoutMs', 'onSessionEnd', 'refreshRetry', 'tokens']]
    for (const part of [owner, came, ...some]) expect(error.message).toContain(part)
    expect(error.message).not.toContain('secret')
  })

  it.each<[string, (options: never) => unknown, object]>([
    ['bearerHeader', bearerHeader, { name: 'X-Token' }],
    ['bearerHeader', bearerHeader, { header: 'X-Token', prefix: '' }],
    ['localStorageStore', localStorageStore, { key: 'k', import: () => undefined }],
    ['sessionStorageStore', sessionStorageStore, { key: 'k', prefix: 'p' }],
    ['appStore', appStore, { read: () => undefined, write: () => undefined, clear: () => undefined }],
    [
      'keyValueStore',
      (options: never) => keyValueStore(new FakeStorage(), options),
      { key: 'k', prefix: 'p' },
    ],
  ])('is a name unknown to %s', (owner, make, options) => {
    const error = refusalIn(() => make(options as never))
    const name = Object.keys(options).at(-1)
    expect([error.code, error.message]).toEqual([
      'BAD_OPTION',
      expect.stringMatching(new RegExp(`^${owner}: ${name}: `)),
    ])
  })

  it('is not an undefined one, whatever its name', () => {
    expect(() => create({ revoked: undefined, refreshRetry: { retries: undefined } })).not.toThrow()
    expect(() => bearerHeader({ prefix: undefined } as never)).not.toThrow()
  })

  it('is not looked for in a custom store, placement or clock', () => {
    const store = { ...memoryStore(), mine: 1 }
    const place = { ...bearerHeader(), mine: 1 }
    const clock = { ...createManualClock(), mine: 1 }
    expect(() => create({ store, place, clock })).not.toThrow()
  })

  it.each([null, 'https://api.example.com', 42, true])(
    'is the whole argument when it is not an object: %j',
    (options) => {
      const error = refusalOf(options)
      expect(error.code).toBe('BAD_OPTION')
      expect(error.message).toContain('options')
    },
  )

  it('leaves the instance unchanged', () => {
    const { api } = createApi()
    refusalOf({ refreshTimeoutMs: -1 }, api)
    refusalOf({ origins: ['nonsense'] }, api)
    expect(Object.getOwnPropertySymbols(api)).toEqual([])
    expect(() => create({}, api)).not.toThrow()
  })

  it('quotes only the beginning of a long text', () => {
    expect(refusalOf({ origins: ['x'.repeat(1000)] }).message.length).toBeLessThan(200)
  })

  it('touches neither store nor clock', () => {
    const store = { load: vi.fn(), save: vi.fn(), clear: vi.fn(), subscribe: vi.fn() }
    const clock = { nowMs: vi.fn(() => 0), setTimer: vi.fn(() => () => undefined) }
    refusalOf({ store, clock, tokens: { accessToken: 'a' }, refreshAheadMs: -1 })
    refusalOf(
      { store, clock, tokens: { accessToken: 'a' } },
      createApi({ headers: { Authorization: 'x' } }).api,
    )
    for (const spy of [...Object.values(store), ...Object.values(clock)]) expect(spy).not.toHaveBeenCalled()
  })

  const SECRET = 'eyJhbGciOiJIUzI1NiJ9.secret.c2ln'
  it.each([
    ['the tokens as a text', { tokens: SECRET }],
    ['a damaged access token', { tokens: { accessToken: `${SECRET}\n` } }],
    ['a damaged refresh token', { tokens: { accessToken: 'a', refreshToken: `${SECRET} ` } }],
    ['the tokens in a list', { tokens: [SECRET] }],
  ])('never shows a token: %s', (_, options) => {
    const error = refusalOf(options)
    expect(error.message).toMatch(/^tokens\b/)
    expect([error.message, error.stack, JSON.stringify(error)].join()).not.toContain('secret')
  })
})

describe('undefined', () => {
  it('means the default for every option', async () => {
    const names = [
      'refresh',
      'tokens',
      'store',
      'place',
      'readResponse',
      'origins',
      'shouldRefresh',
      'isFinal',
      'refreshAheadMs',
      'refreshTimeoutMs',
      'refreshRetry',
      'beforeReplay',
      'onSessionEnd',
      'clock',
    ] as const
    const { api, sent } = createApi()
    const auth = create(Object.fromEntries(names.map((name) => [name, undefined])), api)
    await auth.signIn({ accessToken: 'a' })
    await api.get('/')
    await api.get('https://elsewhere.example/')
    expect(sent).toEqual(['Bearer a', undefined])
  })

  it('means no options at all, and an empty object does too', () => {
    expect(create(undefined).getSnapshot().status).toBe('signed-out')
    expect(create({}).getSnapshot().status).toBe('signed-out')
  })

  it('means the default inside refreshRetry as well', async () => {
    const clock = createManualClock()
    const failing = vi.fn(async () => {
      throw new Error('no network')
    })
    const auth = create({
      refresh: failing,
      clock,
      tokens: { accessToken: 'a' },
      refreshRetry: { limit: undefined, baseDelayMs: undefined },
    })
    const refreshed = expect(auth.refresh()).rejects.toMatchObject({ code: 'REFRESH_FAILED' })
    await clock.advance(14_000)
    await refreshed
    expect(failing).toHaveBeenCalledTimes(3)
  })

  it('means 15 s for refreshTimeoutMs', async () => {
    const clock = createManualClock()
    const auth = create({ refresh: () => new Promise(() => {}), clock, tokens: { accessToken: 'a' } })
    let code: unknown
    const waiting = auth.refresh().catch((error: AuthClientError) => {
      code = error.code
    })
    await clock.advance(14_999)
    expect(code).toBeUndefined()
    await clock.advance(1)
    await waiting
    expect(code).toBe('REFRESH_TIMEOUT')
  })
})

describe('a good option', () => {
  it.each([
    { refreshAheadMs: 0 },
    { refreshAheadMs: 1e9 },
    { refreshTimeoutMs: 1 },
    { refreshRetry: {} },
    { refreshRetry: { limit: 0 } },
    { refreshRetry: { limit: 3 } },
    { refreshRetry: { baseDelayMs: 0 } },
    {
      origins: [
        'https://api.example.com',
        'http://localhost:3000',
        'capacitor://localhost',
        'app2://localhost',
        'https://bücher.example',
      ],
    },
    { origins: Object.freeze(['https://api.example.com/with/a/path?and=query']) },
    { tokens: { accessToken: 'a', refreshToken: '' } },
    { tokens: { accessToken: 'a', refreshToken: null } },
    { tokens: {}, place: noCredential() },
    Object.freeze({ store: Object.freeze(memoryStore()) }),
  ])('is accepted: %j', (options) => {
    expect(() => create(options)).not.toThrow()
  })

  it('may be a refreshTimeoutMs alone, by the clock of the platform', async () => {
    vi.useFakeTimers()
    endings.push(() => vi.useRealTimers())
    const auth = create({
      refresh: () => new Promise(() => {}),
      refreshTimeoutMs: 1_000,
      tokens: { accessToken: 'a' },
    })
    const refreshed = auth.refresh().catch((error: AuthClientError) => error.code)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await refreshed).toBe('REFRESH_TIMEOUT')
  })

  it('may be a refreshTimeoutMs that is longer than a timer of the platform can be', async () => {
    vi.useFakeTimers()
    endings.push(() => vi.useRealTimers())
    const auth = create({
      refresh: () => new Promise((grant) => setTimeout(grant, 60_000, { accessToken: 'fresh' })),
      refreshTimeoutMs: Number.MAX_SAFE_INTEGER,
      tokens: { accessToken: 'a' },
    })
    const refreshed = auth.refresh().catch((error: AuthClientError) => error.code)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await refreshed).toMatchObject({ status: 'signed-in' })
    expect(await auth.getAccessToken()).toBe('fresh')
  })

  it('is read once: changing the object later changes nothing', async () => {
    const { api, sent } = createApi()
    const ends: string[] = []
    const tokens = { accessToken: 'mine' }
    const origins = ['https://api.example.com']
    const refreshRetry = { limit: 0 }
    const raw: AuthClientOptions = {
      tokens,
      origins,
      refreshRetry,
      onSessionEnd: () => ends.push('first'),
      refresh: async () => ({ accessToken: 'renewed' }),
    }
    const auth = create(raw, api)
    origins.push('https://evil.example')
    tokens.accessToken = 'stolen'
    refreshRetry.limit = 99
    Object.assign(raw, {
      place: bearerHeader({ header: 'X-Token' }),
      refresh: async () => null,
      origins: ['https://evil.example'],
      onSessionEnd: () => ends.push('second'),
      refreshTimeoutMs: -5,
    })
    await api.get('/')
    await api.get('https://evil.example/')
    await auth.refresh()
    await api.get('/')
    await auth.signOut()
    expect(sent).toEqual(['Bearer mine', undefined, 'Bearer renewed'])
    expect(ends).toEqual(['first'])
  })

  it('has no getter read after creation', async () => {
    let asked = 0
    let open = true
    const raw = new Proxy({} as Record<string, unknown>, {
      get(_, name) {
        asked++
        if (!open) throw new Error(`read too late: ${String(name)}`)
        return undefined
      },
    })
    const { api } = createApi()
    const auth = create(raw, api)
    expect(asked).toBeGreaterThan(0)
    open = false
    await auth.signIn({ accessToken: 'a' })
    await api.get('/')
    await auth.signOut()
  })
})

describe('origins', () => {
  it.each([
    ['a baseURL that cannot be read', 'https://'],
    ['a baseURL with userinfo', 'https://user:pass@api.example.com'],
  ])('is required when it is not known: %s', (_, baseURL) => {
    const error = refusalOf({}, axios.create({ baseURL }))
    expect(error.code).toBe('BAD_OPTION')
    expect(error.message).toMatch(/^origins\b/)
    expect(error.message).toContain('baseURL')
    expect(() => create({ origins: ['https://api.example.com'] }, axios.create({ baseURL }))).not.toThrow()
  })

  it.each([
    ['no baseURL and no page', undefined],
    ['an empty baseURL and no page', ''],
    ['a relative baseURL and no page', '/api'],
    ['a baseURL without a scheme and no page', '//api.example.com'],
  ])('may be omitted at first, in a module that a server or a build loads: %s', (_, baseURL) => {
    expect(() => create({}, axios.create({ baseURL }))).not.toThrow()
  })

  it.each([undefined, '', '/api', 'api'])("is the page's own for the baseURL %j", (baseURL) => {
    vi.stubGlobal('location', { href: 'https://app.example/page' })
    expect(() => create({}, axios.create({ baseURL }))).not.toThrow()
  })

  it('is not known in a page without an origin', () => {
    vi.stubGlobal('location', { href: 'about:blank' })
    expect(refusalOf({}, axios.create()).message).toMatch(/^origins\b/)
  })
})

describe('the instance', () => {
  it.each([
    undefined,
    null,
    {},
    'axios',
    fetch,
    { request: () => undefined },
    axios.interceptors ? { interceptors: axios.interceptors } : {},
  ])('must be an axios instance: %s', (instance) => {
    const make = () => createAuthClient(instance as never, { origins: ['https://api.example.com'] })
    const error = refusalIn(make)
    expect(error.code).toBe('BAD_OPTION')
    expect(error.message).toMatch(/^instance: expected an axios instance/)
  })

  it('is rejected while it has a live client, and accepted again after dispose', () => {
    const { api } = createApi()
    const first = create({}, api)
    for (let i = 0; i < 2; i++) {
      const error = refusalOf({}, api)
      expect(error.code).toBe('BAD_OPTION')
      expect(error.message).toMatch(/^instance: a live auth client holds this axios instance/)
      expect(error.message).toContain('dispose()')
    }
    first.dispose()
    expect(() => create({}, api)).not.toThrow()
  })

  it('has one mark while it has a live client, which no copy of the instance inherits', () => {
    const { api } = createApi()
    create({}, api)
    const mark = Symbol.for('axios-auth-client')
    expect(Object.getOwnPropertyDescriptor(api, mark)).toMatchObject({ value: true, enumerable: false })
    expect(Object.getOwnPropertySymbols(api)).toEqual([mark])
  })

  it('is rejected by attach while it has a live client, itself included', () => {
    const one = createApi().api
    const two = createApi().api
    const auth = create({}, one)
    create({}, two)
    for (const held of [one, two]) {
      expect(() => auth.attach(held)).toThrow(/^instance: a live auth client holds this axios instance/)
    }
    expect(() => auth.attach({} as never)).toThrow(/^instance: expected an axios instance/)
  })

  it.each([
    ['common, in lower case', { common: { authorization: 'Bearer old' } }],
    ['common', { common: { Authorization: 'Bearer old' } }],
    ['post', { post: { AUTHORIZATION: 'Bearer old' } }],
    ['all methods', { Authorization: 'Bearer old' }],
  ])('is rejected with an Authorization among its default headers: %s', (_, headers) => {
    const error = refusalOf({}, createApi({ headers: headers as never }).api)
    expect(error.code).toBe('BAD_OPTION')
    expect(error.message).toMatch(/^instance: its defaults carry Authorization/)
    expect(error.message).toContain('signIn()')
    expect(error.message).not.toContain('old')
    const auth = create({})
    expect(() => auth.attach(createApi({ headers: headers as never }).api)).toThrow(
      /defaults carry Authorization/,
    )
  })

  it('is rejected with anything else among its defaults that would hide the session: its header, `auth`', () => {
    const place = bearerHeader({ header: 'X-Token' })
    const headers = { common: { 'x-token': 'old' } }
    const error = refusalOf({ place }, createApi({ headers: headers as never }).api)
    expect(error.message).toMatch(/^instance: its defaults carry X-Token/)
    expect(() => create({}, createApi({ headers: headers as never }).api)).not.toThrow()
    const usual = { common: { Authorization: 'Bearer old' } }
    expect(refusalOf({ place }, createApi({ headers: usual as never }).api).message).toMatch(
      /^instance: its defaults carry Authorization/,
    )
    const auth = { username: 'ada', password: 'old' }
    expect(refusalOf({}, createApi({ auth }).api).message).toMatch(/^instance: its defaults carry auth/)
  })

  it('may have other default headers, and a switched-off Authorization', () => {
    const headers = { common: { Authorization: undefined, 'X-App': '1' } }
    expect(() => create({}, createApi({ headers: headers as never }).api)).not.toThrow()
  })
})
