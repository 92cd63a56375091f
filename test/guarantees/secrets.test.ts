// G9: nothing that the client makes, hands on or prints holds a token, cookie, body or client secret, however a refresh, a
// store or a hook fails. What an app can observe (events, errors to their last cause, the console) is searched for all
// secrets in every spelling, those included that were in an answer which nobody could read.

import { AxiosError } from 'axios'
import { beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest'
import {
  type AuthClientOptions,
  authErrorOf,
  memoryStore,
  type RefreshContext,
  type RefreshStrategy,
  refreshWithBearer,
  refreshWithBody,
  refreshWithCookie,
  refreshWithOAuth2,
  SessionRefused,
  type StoredRecord,
  type TokenStore,
} from '../../src/index.js'
import { redactError } from '../../src/redact.js'
import { type Answer, json } from '../support/auth-server/answer.js'
import type { ReceivedRequest } from '../support/auth-server.js'
import { failureOf, setUp, type World } from '../support/client.js'
import { leaksIn } from '../support/leaks.js'
import { microtasksDone } from '../support/real-time.js'

const OLD = { accessToken: 'old-access:token/with+signs', refreshToken: 'old-refresh=token|with"quotes\\' }
const NEW = {
  access_token: 'a-new-access-token',
  refresh_token: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl',
}
const CLIENT_SECRET = 'p@ss:word+with/signs 1'
const COOKIE = 'sid=s%3A9f8e7d6c5b4a39281706'
const SECRETS = [...Object.values(OLD), ...Object.values(NEW), CLIENT_SECRET, '9f8e7d6c5b4a39281706']

let shown: MockInstance
beforeEach(() => {
  shown = vi.spyOn(console, 'error').mockReturnValue()
  for (const method of ['log', 'warn', 'info', 'debug'] as const) vi.spyOn(console, method).mockReturnValue()
})

/** What the app has seen in this world, and what its callers caught. */
function observed({ events, ends, auth }: World, caught: unknown[] = []): Record<string, unknown> {
  return {
    caught,
    events,
    ends,
    snapshot: auth.getSnapshot(),
    console: [console.error, console.warn, console.log, console.info, console.debug].map(
      (method) => vi.mocked(method).mock.calls,
    ),
  }
}

async function signedIn(options: AuthClientOptions): Promise<World> {
  const world = await setUp({ refreshRetry: { limit: 0 }, ...options, signedIn: false })
  await world.auth.signIn(OLD)
  return world
}

/** Fails in every way in which a caller can meet a refresh, and gives what they caught. */
async function fail({ api, auth }: World): Promise<unknown[]> {
  const caught = [await failureOf(api.get('/api/first')), await failureOf(api.post('/api/second', { n: 1 }))]
  if (auth.getSnapshot().status === 'signed-in') caught.push(await failureOf(auth.refresh()))
  expect(authErrorOf(caught[0])).toBeDefined()
  await microtasksDone()
  return caught
}

const strategies: [string, RefreshStrategy][] = [
  ['refreshWithBody', refreshWithBody({ url: '/r', extra: { client_secret: CLIENT_SECRET } })],
  ['refreshWithBearer', refreshWithBearer({ url: `/r?key=${encodeURIComponent(CLIENT_SECRET)}` })],
  ['refreshWithCookie', refreshWithCookie({ url: '/r', csrf: { cookie: 'c', header: 'x-csrf' } })],
  ['refreshWithOAuth2', refreshWithOAuth2({ url: '/r', clientId: 'web-app', clientSecret: CLIENT_SECRET })],
  [
    'a client secret in a form',
    ({ http }) =>
      http.post('/r', new URLSearchParams({ client_id: 'x', client_secret: CLIENT_SECRET })).then(() => null),
  ],
]

/** All that a request says, as a debugging server repeats it. */
const echo = ({ headers, bodyBytes, path, query }: ReceivedRequest): string =>
  `${path}?${query.key} ${JSON.stringify(headers)} ${bodyBytes} ${atob(/Basic (\S+)/.exec(headers.authorization ?? '')?.[1] ?? '')}`

const answers: [string, (request: ReceivedRequest) => Answer][] = [
  ...[200, 400, 401, 404, 500, 503].flatMap((status): [string, (request: ReceivedRequest) => Answer][] => [
    [
      `${status} with tokens and cookies in it`,
      () =>
        json(
          status,
          { error: 'failed', message: NEW.access_token, ...(status === 200 ? { grant: NEW } : NEW) },
          { 'set-cookie': COOKIE },
        ),
    ],
    [
      `${status} whose description quotes what was asked and a new token`,
      (request) =>
        json(status, {
          error: 'failed',
          error_description: `${echo(request)} ${NEW.access_token} ${NEW.refresh_token}`,
          [status === 200 ? 'spare' : 'access_token']: NEW.access_token,
        }),
    ],
    [
      `${status} whose error is what was asked`,
      (request) => json(status, { error: echo(request), echo: echo(request) }, { via: 'x', server: 'y' }),
    ],
  ]),
  [
    'headers that repeat what was asked',
    (request) => ({
      status: 503,
      headers: {
        'x-echo': encodeURIComponent(echo(request)),
        'x-request-id': request.query.key ? encodeURIComponent(CLIENT_SECRET) : 'r-1',
        via: request.headers.authorization ?? 'none',
        'www-authenticate': `Negotiate ${btoa(NEW.refresh_token)}`,
        'set-cookie': [COOKIE, `token=${NEW.access_token}`],
      },
      body: echo(request),
    }),
  ],
  [
    'a redirect that repeats it',
    (request) => ({ status: 302, headers: { location: `/login?${encodeURIComponent(echo(request))}` } }),
  ],
  [
    'a page with tokens',
    () => ({ status: 403, headers: { 'content-type': 'text/html' }, body: `<i>${NEW.access_token}` }),
  ],
  ['a broken connection', () => 'drop'],
]

describe('G9: an answer of the refresh endpoint', () => {
  it.each(
    strategies.flatMap(([name, refresh]) =>
      answers.map(([what, answer]) => [name, what, refresh, answer] as const),
    ),
  )('G9: %s, answered with %s, exposes none of it', async (_, __, refresh, answer) => {
    const world = await signedIn({ refresh })
    world.server.route('/r', answer)
    const caught = await fail(world)
    expect(leaksIn(SECRETS, observed(world, caught))).toEqual([])
    for (const error of caught) {
      const { response } = (authErrorOf(error)?.cause ?? {}) as AxiosError
      expect(
        Object.keys(response ?? {}).filter((key) => !['status', 'headers', 'data', 'config'].includes(key)),
      ).toEqual([])
      expect(Object.keys((response?.data as object) ?? {})).toSatisfy((keys: string[]) =>
        keys.every((key) => ['error', 'error_description'].includes(key)),
      )
    }
  })

  it('G9: a description without a secret is kept, and shortened', async () => {
    const world = await signedIn({ refresh: refreshWithBody({ url: '/r' }) })
    const description = 'The refresh_token is too old. '.repeat(100)
    world.server.route('/r', () => json(400, { error: 'invalid_grant', error_description: description }))
    const [error] = await fail(world)
    const { response } = (authErrorOf(error)?.cause ?? {}) as AxiosError
    const data = response?.data as { error: string; error_description: string }
    expect(data.error).toBe('invalid_grant')
    expect(description.startsWith(data.error_description)).toBe(true)
    expect(data.error_description.length).toBeGreaterThan(100)
    expect(data.error_description.length).toBeLessThan(500)
  })
})

/** What validators and the language throw about an answer, quoting it. */
const quoting: [string, (body: object) => unknown][] = [
  ['an Error that quotes it', (body) => new Error(`Unexpected answer ${JSON.stringify(body)}`)],
  [
    'a ZodError',
    (body) =>
      Object.assign(
        new Error(JSON.stringify([{ code: 'invalid_type', path: ['expires_in'], input: body }], null, 2)),
        {
          name: 'ZodError',
          issues: [{ input: body }],
        },
      ),
  ],
  [
    'an error of ajv in verbose mode',
    (body) =>
      Object.assign(new Error('validation failed'), {
        errors: [{ instancePath: '/expires_in', data: body }],
        ajv: true,
      }),
  ],
  [
    'a ValiError',
    (body) =>
      Object.assign(
        new Error(`Invalid type: Expected number but received ${JSON.stringify(Object.values(body)[0])}`),
        {
          name: 'ValiError',
          issues: [{ received: JSON.stringify(body), input: body }],
        },
      ),
  ],
  [
    'a TypeError of the language',
    (body) => new TypeError(`"${Object.values(body).join('" and "')}" is not a function`),
  ],
  [
    'an error with a cause',
    (body) => new Error('unreadable', { cause: new Error('inner', { cause: body }) }),
  ],
  ['an AggregateError', (body) => new AggregateError([new Error(JSON.stringify(body))], 'all failed')],
  [
    'an AxiosError with the answer on it',
    (body) =>
      new AxiosError(
        'Bad answer',
        'ERR_BAD_RESPONSE',
        { data: body, headers: {} as never } as never,
        {},
        {
          status: 200,
          statusText: JSON.stringify(body),
          data: body,
          headers: { 'set-cookie': [COOKIE] },
          config: { data: JSON.stringify(body) } as never,
        },
      ),
  ],
  ['a text', (body) => JSON.stringify(body)],
  ['the body itself', (body) => body],
  ['an object made of it', (body) => Object.create(body)],
  [
    'an error whose name, code and stack quote it',
    (body) =>
      Object.assign(new Error('x'), {
        name: JSON.stringify(body),
        code: Object.values(body)[0],
        stack: `Error: x\n    at ${Object.values(body)[0]}\n    at f (a.js:1:2)`,
      }),
  ],
  ['a hidden property', (body) => Object.defineProperty(new Error('x'), 'body', { value: body })],
]

describe('G9: an answer that the app cannot read', () => {
  it.each(quoting)(
    'G9: a readGrant that throws %s exposes no token, and shows where it threw',
    async (_, make) => {
      const world = await signedIn({
        refresh: refreshWithBody({
          url: '/r',
          readGrant: function readMyGrant(body) {
            const thrown = make(body as object)
            throw thrown
          },
        }),
      })
      world.server.route('/r', () => json(200, { ...NEW, expires_in: 'soon' }))
      const caught = await fail(world)
      expect(authErrorOf(caught[0])?.code).toBe('BAD_GRANT')
      expect(shown).toHaveBeenCalled()
      expect(leaksIn(SECRETS, observed(world, caught))).toEqual([])
    },
  )

  it.each(quoting)('G9: a custom refresh that throws %s about new tokens exposes none', async (_, make) => {
    // As servers issue them: a token of two plain words looks like a sentence.
    const issued = { access_token: 'access-9f3bA71xQz', refresh_token: NEW.refresh_token }
    const world = await signedIn({
      refresh: () => {
        throw make(issued)
      },
    })
    const caught = await fail(world)
    expect(leaksIn([...Object.values(issued), ...SECRETS], observed(world, caught))).toEqual([])
  })
})

/** What a hook of the app may throw: the error of a call that it made with the tokens. */
const thrownByHooks: [string, () => unknown][] = [
  [
    'an AxiosError with the refresh token in its config',
    () => {
      const config = {
        url: `/logout?token=${encodeURIComponent(OLD.refreshToken)}`,
        data: JSON.stringify({ refresh_token: OLD.refreshToken }),
        headers: { Authorization: `Bearer ${OLD.accessToken}`, Cookie: COOKIE },
        auth: { username: 'web', password: CLIENT_SECRET },
      }
      const response = { status: 500, statusText: '', data: NEW, headers: { 'set-cookie': [COOKIE] }, config }
      return new AxiosError(
        'Request failed with status code 500',
        'ERR_BAD_RESPONSE',
        config as never,
        { _header: COOKIE },
        response as never,
      )
    },
  ],
  ['an error that quotes a token', () => new Error(`cannot send ${OLD.accessToken}`)],
  ['an error that quotes a token it has just got', () => new Error(`cannot read ${NEW.refresh_token}`)],
  ['a text', () => `cannot send ${OLD.refreshToken}`],
  ['an object', () => ({ token: OLD.accessToken, tokens: OLD })],
  ['an error with a cause', () => new Error('failed', { cause: { tokens: OLD } })],
]

describe('G9: a hook or listener that throws', () => {
  const hooks: [string, (fail: () => never) => AuthClientOptions][] = [
    ['beforeReplay', (beforeReplay) => ({ beforeReplay })],
    ['onSessionEnd', (onSessionEnd) => ({ onSessionEnd })],
    ['shouldRefresh', (shouldRefresh) => ({ shouldRefresh })],
    ['readResponse', (readResponse) => ({ readResponse })],
    ['isFinal', (isFinal) => ({ isFinal })],
    ['place', (place) => ({ place: { place, remove: place } })],
  ]

  it.each(
    hooks.flatMap(([hook, make]) =>
      thrownByHooks.flatMap(([what, thrown]) =>
        ['throws', 'rejects with'].map((how) => [hook, how, what, make, thrown] as const),
      ),
    ),
  )('G9: %s that %s %s logs no token on the console', async (hook, how, _, make, thrown) => {
    function failInMyHook(): never {
      if (how !== 'throws') return Promise.reject(thrown()) as never
      throw thrown()
    }
    const world = await signedIn({ refresh: refreshWithBody({ url: '/r' }), ...make(failInMyHook) })
    const { server, api, auth } = world
    server.route('/r', () => json(hook === 'isFinal' ? 500 : 200, NEW))
    const caught = [await api.get('/api/x').catch((error: unknown) => error)]
    if (auth.getSnapshot().status === 'signed-in') await auth.signOut()
    await microtasksDone()
    expect(shown).toHaveBeenCalled()
    expect(leaksIn(SECRETS, { console: observed(world).console, cause: authErrorOf(caught[0]) })).toEqual([])
  })

  it.each(['readResponse', 'shouldRefresh'])(
    'G9: %s that quotes a pushed token exposes it nowhere',
    async (hook) => {
      const world = await signedIn({
        [hook](given: { headers?: Record<string, string>; response?: { headers: Record<string, string> } }) {
          throw new Error(`No idea what ${(given.headers ?? given.response?.headers)?.authorization} is`)
        },
      })
      world.server.route('/api/x', () => json(200, {}, { authorization: `Bearer ${NEW.access_token}` }))
      await world.api.get('/api/x')
      expect(shown).toHaveBeenCalled()
      expect(leaksIn(SECRETS, observed(world))).toEqual([])
    },
  )

  it('G9: a listener that throws its event exposes no token', async () => {
    const world = await signedIn({ refresh: refreshWithBody({ url: '/r' }) })
    world.server.route('/r', () => json(500, NEW))
    world.auth.on('refreshFailed', (event) => {
      throw Object.assign(new Error('listener'), { event, token: OLD.accessToken })
    })
    await fail(world)
    expect(shown).toHaveBeenCalled()
    expect(leaksIn(SECRETS, observed(world))).toEqual([])
  })

  it('G9: the developer still sees what was thrown, and where', async () => {
    const world = await signedIn({
      refresh: refreshWithBody({ url: '/r' }),
      beforeReplay: function signAnew() {
        const message = 'Cannot read properties of undefined (reading "signature")'
        throw Object.assign(new RangeError(message), {
          code: 'ERR_SIGN',
          config: { method: 'post', url: '/sign?k=1' },
        })
      },
    })
    world.server.route('/r', () => json(200, NEW))
    await failureOf(world.api.get('/api/x'))
    const [, error] = shown.mock.calls[0] as [string, Error]
    expect(error).toBeInstanceOf(RangeError)
    expect(error).toMatchObject({
      message: 'Cannot read properties of undefined (reading "signature")',
      code: 'ERR_SIGN',
      config: { method: 'post', url: '/sign' },
    })
    expect(error.stack).toMatch(/^RangeError: Cannot read.*\n +at .*signAnew.*secrets\.test\.ts:\d+:\d+/)
  })
})

describe('G9: a store that fails', () => {
  const failures: [string, (record: StoredRecord) => unknown][] = [
    ['quotes the record', (record) => new Error(`QuotaExceeded: ${JSON.stringify(record)}`)],
    [
      'carries the record',
      (record) => Object.assign(new Error('full'), { record, args: [JSON.stringify(record)] }),
    ],
    ['throws a text', (record) => JSON.stringify(record)],
    [
      'speaks HTTP and throws its AxiosError',
      (record) =>
        new AxiosError('full', 'E', {
          data: JSON.stringify(record),
          url: `/set/?value=${record.tokens?.accessToken}`,
        } as never),
    ],
  ]
  it.each(failures)('G9: a store that %s exposes no token', async (_, make) => {
    const kept = memoryStore()
    const store: TokenStore = {
      load: () => kept.load(),
      clear: (reason) => kept.clear(reason),
      save(record) {
        throw make(record)
      },
    }
    const world = await signedIn({ store, refresh: refreshWithBody({ url: '/r' }) })
    world.server.route('/r', () => json(200, NEW))
    await world.auth.refresh()
    await microtasksDone()
    expect(world.events.filter(({ name }) => name === 'storeError')).toHaveLength(2)
    expect(leaksIn(SECRETS, observed(world))).toEqual([])
  })

  it("G9: a store whose `load` quotes another tab's tokens exposes none", async () => {
    const others = { accessToken: 'another-tabs-access-token-17', refreshToken: NEW.refresh_token }
    let fails = false
    const store: TokenStore = {
      load() {
        if (fails) throw new SyntaxError(`Unexpected end of JSON: {"tokens":${JSON.stringify(others)}`)
      },
      save() {},
      clear() {},
    }
    const world = await signedIn({ store, refresh: refreshWithBody({ url: '/r' }) })
    fails = true
    world.server.route('/r', () => json(500, {}))
    await fail(world)
    expect(world.events.some(({ name }) => name === 'storeError')).toBe(true)
    expect(leaksIn([...Object.values(others), ...SECRETS], observed(world))).toEqual([])
  })
})

describe('G9: the message of a strategy', () => {
  it.each<[string, (context: RefreshContext) => unknown]>([
    ['SessionRefused that quotes the new tokens', () => new SessionRefused(`bad: ${NEW.refresh_token}`)],
    ['SessionRefused that quotes the old', ({ refreshToken }) => new SessionRefused(`bad: ${refreshToken}`)],
  ])('G9: %s is exposed nowhere', async (_, make) => {
    const world = await signedIn({
      refresh(context) {
        throw make(context)
      },
    })
    const caught = await fail(world)
    expect(authErrorOf(caught[0])?.code).toBe('SESSION_EXPIRED')
    expect(leaksIn(SECRETS, observed(world, caught))).toEqual([])
  })
})

describe('redactError', () => {
  it('keeps name, message, code and frames, of every engine', () => {
    const stacks = [
      'TypeError: no\n    at read (https://app/main.js:10:5)\n    at async Promise.all (index 0)\n    at <anonymous>',
      'read@https://app/main.js:10:5\nasync*f@https://app/main.js:11:5\n',
    ]
    for (const stack of stacks) {
      const copy = redactError(Object.assign(new TypeError('no'), { stack }), []) as Error
      expect(copy.stack).toMatch(/^TypeError: no\n/)
      expect(copy.stack).toContain('https://app/main.js:10:5')
    }
  })

  it.each([
    [
      'a proxy that throws',
      new Proxy(new Error('x'), {
        get: () => {
          throw new Error('no')
        },
      }),
    ],
    [
      'a cycle',
      Object.assign(new Error('x'), {
        get cause() {
          return this
        },
      }),
    ],
    [
      'fields of the wrong kind',
      Object.assign(new Error('x'), {
        message: 7,
        stack: {},
        code: 7n,
        status: {},
        config: 'x',
        response: 7,
      }),
    ],
    ['headers that are none', { response: { headers: null, data: null }, config: null }],
  ])('takes %s', (_, thrown) => {
    expect(redactError(thrown, ['secret'])).toBeInstanceOf(Error)
  })
})

it('G9: no event shows the query of a request into which a caller has put a token of the session', async () => {
  const world = await signedIn({ refresh: async () => ({ accessToken: 'the-next-access-token' }) })
  const { server, api, events } = world
  server.route(
    ({ path, headers }) => path === '/file' && headers.authorization !== 'Bearer the-next-access-token',
    () => json(401, {}),
  )
  const query = new URLSearchParams({ token: OLD.accessToken })
  await api.get(`/file?${query}#${query}`).catch(() => undefined)
  expect(events.map(({ name }) => name)).toEqual(expect.arrayContaining(['held', 'replay']))
  expect(leaksIn(SECRETS, observed(world))).toEqual([])
})
