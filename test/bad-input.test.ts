// Bad input gets a clear error and loses nothing: sign-ins without a token, refreshes that bring rubbish or throw.
// Everybody who waits comes back, whatever a strategy does.

import axios, { type AxiosError } from 'axios'
import {
  type AuthClientOptions,
  authErrorOf,
  createAuthClient,
  noCredential,
  type RefreshStrategy,
} from 'axios-auth-client'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createManualClock } from '../src/testing/manual-clock.js'
import { type AuthServer, startAuthServer } from './support/auth-server.js'
import { settleAll } from './support/settle-all.js'

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** A client without a server; a request with any token but a `good…` one is refused. */
function offline(refresh: RefreshStrategy | undefined, more: AuthClientOptions = {}) {
  const sent: (string | undefined)[] = []
  const api = axios.create({
    baseURL: 'https://api.example.com',
    adapter: async (config) => {
      const authorization = config.headers.Authorization?.toString()
      sent.push(authorization)
      const status = authorization?.startsWith('Bearer good') ? 200 : 401
      const response = { data: {}, status, statusText: '', headers: {}, config }
      if (status === 200) return response
      throw new axios.AxiosError(`status ${status}`, 'ERR_BAD_REQUEST', config, undefined, response)
    },
  })
  const clock = createManualClock()
  const auth = createAuthClient(api, { refresh, clock, refreshRetry: { limit: 0 }, ...more })
  endings.push(() => auth.dispose())
  return { api, auth, clock, sent }
}

function codeOf(settled: PromiseSettledResult<unknown> | undefined): string | undefined {
  return settled?.status === 'rejected' ? authErrorOf(settled.reason)?.code : settled?.status
}

describe('signIn', () => {
  const useless: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['an empty object', {}],
    ['the token itself', 'good-token'],
    ['a number', 42],
    ['a list', ['good-token']],
    ["the server's own field names", { access_token: 'good-token', refresh_token: 'r' }],
    ['an undefined access token', { accessToken: undefined, refreshToken: 'r' }],
    ['an empty access token', { accessToken: '' }],
    ['an access token that is no text', { accessToken: { toString: () => 'good-token' } }],
    ['a refresh token that is no text', { accessToken: 'good-token', refreshToken: 42 }],
  ]

  it.each(useless)(
    'rejects %s with BAD_OPTION, names what is missing, and quotes nothing',
    async (_, tokens) => {
      const { auth } = offline(undefined)
      const error = await auth.signIn(tokens as never).then(
        () => undefined,
        (caught: Error) => caught,
      )
      expect(error).toMatchObject({
        code: 'BAD_OPTION',
        message: expect.stringMatching(/accessToken|refreshToken|tokens/),
      })
      expect(error?.message).not.toContain('good-token')
      expect(auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    },
  )

  it.each(useless)('keeps the current session when it gets %s', async (_, tokens) => {
    const end = vi.fn()
    const { auth, api, sent } = offline(undefined, { onSessionEnd: end })
    await auth.signIn({ accessToken: 'good', refreshToken: 'r' })
    await settleAll<unknown>([auth.signIn(tokens as never), auth.updateTokens(tokens as never)])
    await api.get('/x')
    expect(sent).toEqual(['Bearer good'])
    expect(end).not.toHaveBeenCalled()
  })

  it('keeps the refresh under way when it gets nothing', async () => {
    let grant = (_: { accessToken: string }): void => {}
    const { auth, api } = offline(
      () =>
        new Promise((resolve) => {
          grant = resolve
        }),
    )
    await auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
    const started = new Promise((resolve) => auth.on('refreshStart', resolve))
    const asked = api.get('/x')
    await started
    await settleAll<unknown>([auth.signIn({} as never)])
    grant({ accessToken: 'good' })
    expect((await asked).status).toBe(200)
  })

  it('accepts no token with noCredential(), and still rejects one that a header cannot contain', async () => {
    const { auth } = offline(undefined, { place: noCredential() })
    await auth.signIn()
    expect(auth.getSnapshot().status).toBe('signed-in')
    await expect(auth.signIn({ accessToken: 'a\nb' })).rejects.toMatchObject({ code: 'BAD_OPTION' })
  })

  it('reads null and "" as "no refresh token"', async () => {
    for (const refreshToken of [null, '']) {
      const { auth } = offline(undefined)
      await auth.signIn({ accessToken: 'good', refreshToken } as never)
      expect(auth.getSnapshot().status).toBe('signed-in')
    }
  })

  it.each([Number.NaN, -1, '60', {}, null, [], Symbol('x'), 10n])(
    'treats a lifetime of %s as unknown',
    async (expiresInSeconds) => {
      const { auth } = offline(undefined)
      await auth.signIn({ accessToken: 'good', expiresInSeconds } as never).catch((error: unknown) => {
        // Refusing it is fine too, as long as it is said in our words.
        expect(authErrorOf(error)?.code).toBe('BAD_OPTION')
      })
      const { expiresAtMs } = auth.getSnapshot()
      expect(expiresAtMs === undefined || Number.isFinite(expiresAtMs)).toBe(true)
    },
  )

  it.each([Number.NaN, 'tomorrow', {}, null, new Date(0), Number.POSITIVE_INFINITY])(
    'treats an expiresAtMs of %s as unknown, or rejects it',
    async (expiresAtMs) => {
      const saved: unknown[] = []
      const store = {
        load: () => undefined,
        save: (record: unknown) => void saved.push(record),
        clear: () => {},
      }
      const { auth, api } = offline(undefined, { store })
      const [settled] = await settleAll<unknown>([auth.signIn({ accessToken: 'good', expiresAtMs } as never)])
      if (settled?.status === 'rejected') {
        expect(authErrorOf(settled.reason)?.code).toBe('BAD_OPTION')
        return
      }
      expect(auth.getSnapshot().expiresAtMs).toBeUndefined()
      await api.get('/x')
      // What was saved can be read again.
      auth.dispose()
      const stored: unknown = JSON.parse(JSON.stringify(saved.at(-1)))
      const next = offline(undefined, { store: { ...store, load: () => stored } })
      expect(next.auth.getSnapshot().status).toBe('signed-in')
    },
  )

  it.each([42, {}, null, () => 'ada'])(
    'with a subject of %s signs in, and in again after a reload',
    async (subject) => {
      let stored: unknown
      const store = {
        load: () => stored,
        save: (record: unknown) => {
          stored = JSON.parse(JSON.stringify(record))
        },
        clear: () => {},
      }
      const { auth } = offline(undefined, { store })
      const [settled] = await settleAll<unknown>([auth.signIn({ accessToken: 'good', subject } as never)])
      if (settled?.status === 'rejected') {
        expect(authErrorOf(settled.reason)?.code).toBe('BAD_OPTION')
        return
      }
      expect(offline(undefined, { store }).auth.getSnapshot().status).toBe('signed-in')
    },
  )
})

describe('a refresh that returns an unusable grant', () => {
  const rubbish: [string, unknown][] = [
    ['nothing', undefined],
    ['an empty object', {}],
    ['a text', 'good'],
    ['an empty text', ''],
    ['a number', 42],
    ['true', true],
    ['a list', ['good']],
    ['a function', () => 'good'],
    ['a symbol', Symbol('x')],
    ['a page', '<!doctype html>'],
    ["the server's own field names", { access_token: 'good' }],
    ['an envelope', { data: { accessToken: 'good' } }],
    ['an access token that is undefined', { accessToken: undefined }],
    ['an access token that is null', { accessToken: null }],
    ['an access token that is no text', { accessToken: 42 }],
    ['an access token in a list', { accessToken: ['good'] }],
    ['an access token with a line break', { accessToken: 'good\r\nX-Admin: 1' }],
    ['a refresh token with a line break', { accessToken: 'good', refreshToken: 'r\n' }],
    ['a refresh token that is no text', { accessToken: 'good', refreshToken: {} }],
    ['the token that was refused', { accessToken: 'bad' }],
  ]

  it.each(rubbish)('rejects every request with BAD_GRANT for %s, and keeps the session', async (_, grant) => {
    const { auth, api, sent } = offline(async () => grant as never)
    await auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
    const settled = await settleAll<unknown>([api.get('/a'), api.get('/b'), auth.getAccessToken()])
    expect(settled.slice(0, 2).map(codeOf)).toEqual(['BAD_GRANT', 'BAD_GRANT'])
    expect(sent).toEqual(['Bearer bad', 'Bearer bad'])
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
    expect(JSON.stringify(settled)).not.toContain('X-Admin')
  })

  it('never sends "Bearer undefined"', async () => {
    for (const accessToken of [undefined, null, '', Number.NaN, {}]) {
      const { auth, api, sent } = offline(async () => ({ accessToken }) as never)
      await auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
      await settleAll<unknown>([api.get('/a'), api.get('/b')])
      await settleAll<unknown>([api.get('/c')])
      expect(sent.join()).not.toMatch(/undefined|null|object/i)
    }
  })

  it('uses the token when only the lifetime is unusable', async () => {
    const poisoned = { toString: 1, valueOf: 1 }
    for (const expiresInSeconds of ['60', 'soon', {}, null, -5, Number.NaN, poisoned, Symbol('x'), 10n]) {
      const { auth, api } = offline(async () => ({ accessToken: 'good', expiresInSeconds }) as never)
      await auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
      expect(await settleAll<unknown>([api.get('/a'), api.get('/b')]).then((all) => all.map(codeOf))).toEqual(
        ['fulfilled', 'fulfilled'],
      )
    }
  })

  it('uses the token when only the JWT’s claims are unusable', async () => {
    const claims = Buffer.from('{"exp":{"toString":1,"valueOf":1},"iat":{}}').toString('base64url')
    const { auth, api } = offline(async () => ({ accessToken: `good.${claims}.x` }))
    await auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
    expect(codeOf((await settleAll<unknown>([api.get('/a')]))[0])).toBe('fulfilled')
  })

  it('settles every request and sends nothing unexpected, whatever it returns', async () => {
    const grants = fc.oneof(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
      fc.record(
        {
          accessToken: fc.oneof(fc.constant('good'), fc.string(), fc.anything()),
          refreshToken: fc.oneof(fc.constant('r2'), fc.string(), fc.anything()),
          expiresInSeconds: fc.oneof(fc.double(), fc.anything()),
          expiresAtMs: fc.oneof(fc.double(), fc.anything()),
          subject: fc.oneof(fc.string(), fc.anything()),
        },
        { requiredKeys: [] },
      ),
    )
    await fc.assert(
      fc.asyncProperty(grants, async (grant) => {
        fc.pre(typeof (grant as { then?: unknown } | null | undefined)?.then !== 'function')
        const { auth, api, sent } = offline(async () => grant as never)
        await auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
        await settleAll<unknown>([api.get('/a'), api.get('/b')], 1_000)
        expect(auth.getSnapshot().refreshing).toBe(false)
        for (const authorization of sent) expect(authorization).toMatch(/^Bearer [!-~]+$/)
        auth.dispose()
      }),
      { seed: 6, numRuns: 800 },
    )
  })

  it.each([
    [
      'a getter that throws',
      () => ({
        get accessToken(): string {
          throw new Error('no')
        },
      }),
    ],
    [
      'a proxy that throws',
      () =>
        new Proxy(
          {},
          {
            get: (_, name) => {
              if (name === 'then') return undefined
              throw new Error('no')
            },
          },
        ),
    ],
    ['a frozen object', () => Object.freeze({ accessToken: 'good' })],
  ])('settles every request for %s', async (_, make) => {
    const { auth, api } = offline(async () => make() as never)
    await auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
    const settled = await settleAll<unknown>([api.get('/a'), api.get('/b'), auth.refresh()], 1_000)
    expect(settled).toHaveLength(3)
    expect(auth.getSnapshot().refreshing).toBe(false)
  })
})

describe('a refresh that throws', () => {
  const reasons: [string, unknown][] = [
    ['an Error', new Error('broken')],
    ['a text', 'broken'],
    ['undefined', undefined],
    ['null', null],
    ['a frozen error', Object.freeze(new Error('broken'))],
    [
      'an object that refuses to be read',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no')
          },
        },
      ),
    ],
  ]

  it.each(reasons)(
    '%s synchronously rejects every request with REFRESH_FAILED and keeps the session',
    async (_, reason) => {
      const { auth, api } = offline(() => {
        throw reason
      })
      await auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
      const settled = await settleAll<unknown>([api.get('/a'), api.get('/b'), auth.refresh()], 1_000)
      expect(settled.map(codeOf)).toEqual(Array(3).fill('REFRESH_FAILED'))
      expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
    },
  )

  it.each(reasons)(
    '%s later rejects every request with REFRESH_FAILED and keeps the session',
    async (_, reason) => {
      const { auth, api } = offline(async () => {
        await Promise.resolve()
        throw reason
      })
      await auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
      const settled = await settleAll<unknown>([api.get('/a'), api.get('/b'), auth.refresh()], 1_000)
      expect(settled.map(codeOf)).toEqual(Array(3).fill('REFRESH_FAILED'))
      expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
    },
  )

  it('succeeds the next time', async () => {
    let calls = 0
    const { auth, api } = offline(() => {
      if (calls++ === 0) throw new Error('broken')
      return { accessToken: 'good' }
    })
    await auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
    await settleAll<unknown>([api.get('/a')])
    await auth.refresh()
    expect((await api.get('/b')).status).toBe(200)
  })
})

describe('a refresh that calls back into the client', () => {
  it('and signs out ends the session once, and every request rejects with SIGNED_OUT', async () => {
    const ends: string[] = []
    const made = offline(
      async () => {
        await made.auth.signOut()
        return { accessToken: 'good' }
      },
      { onSessionEnd: ({ reason }) => ends.push(reason) },
    )
    await made.auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
    const settled = await settleAll<unknown>(
      [made.api.get('/a'), made.api.get('/b'), made.auth.refresh()],
      1_000,
    )
    expect(settled.map(codeOf)).toEqual(Array(3).fill('SIGNED_OUT'))
    expect(ends).toEqual(['signed-out'])
    expect(made.auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
  })

  it('and signs out before any await does the same', async () => {
    const made = offline(() => {
      void made.auth.signOut()
      return { accessToken: 'good' }
    })
    await made.auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
    const settled = await settleAll<unknown>([made.api.get('/a'), made.auth.refresh()], 1_000)
    expect(settled.map(codeOf)).toEqual(['SIGNED_OUT', 'SIGNED_OUT'])
    expect(made.auth.getSnapshot().status).toBe('signed-out')
  })

  it('and signs in again keeps the new session', async () => {
    const made = offline(async () => {
      await made.auth.signIn({ accessToken: 'good-new' })
      return { accessToken: 'good-old' }
    })
    await made.auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
    const settled = await settleAll<unknown>([made.api.get('/a')], 1_000)
    expect(settled.map(codeOf)).toEqual(['SESSION_CHANGED'])
    expect(await made.auth.getAccessToken()).toBe('good-new')
  })

  it('and disposes it rejects every request with DISPOSED', async () => {
    const made = offline(async () => {
      made.auth.dispose()
      return { accessToken: 'good' }
    })
    await made.auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
    const settled = await settleAll<unknown>([made.api.get('/a'), made.auth.refresh()], 1_000)
    expect(settled.map(codeOf)).toEqual(['DISPOSED', 'DISPOSED'])
  })

  it('and waits for itself through refresh() ends with refreshTimeoutMs', async () => {
    const made = offline(async () => {
      await made.auth.refresh()
      return { accessToken: 'good' }
    })
    await made.auth.signIn({ accessToken: 'bad', refreshToken: 'r' })
    const asked = settleAll<unknown>([made.api.get('/a')], 1_000)
    await made.clock.advance(15_000)
    expect((await asked).map(codeOf)).toEqual(['REFRESH_TIMEOUT'])
  })
})

describe('hooks that throw', () => {
  const throwing = (): never => {
    throw new Error('a hook of the app is broken')
  }
  const rejecting = (): Promise<never> => Promise.reject(new Error('a hook of the app is broken'))

  async function signedIn(options: AuthClientOptions): Promise<{
    server: AuthServer
    api: ReturnType<typeof axios.create>
    auth: ReturnType<typeof createAuthClient>
  }> {
    const server = await startAuthServer()
    const api = axios.create({ baseURL: server.url })
    const auth = createAuthClient(api, {
      refresh: async ({ refreshToken, http }) => {
        const { data } = await http.post('/auth/refresh', { refresh_token: refreshToken })
        return { accessToken: data.access_token, refreshToken: data.refresh_token }
      },
      ...options,
    })
    endings.push(
      () => server.stop(),
      () => auth.dispose(),
    )
    const login = server.login()
    await auth.signIn({ accessToken: login.access_token, refreshToken: login.refresh_token })
    return { server, api, auth }
  }

  it.each([
    ['shouldRefresh throws', { shouldRefresh: throwing }],
    ['shouldRefresh rejects', { shouldRefresh: rejecting }],
    ['readResponse throws', { readResponse: throwing }],
    ['beforeReplay throws', { beforeReplay: throwing }],
    ['beforeReplay rejects', { beforeReplay: rejecting }],
    ['isFinal throws', { isFinal: throwing }],
    ['onSessionEnd throws', { onSessionEnd: throwing }],
    ['onSessionEnd rejects', { onSessionEnd: rejecting }],
  ] as [string, AuthClientOptions][])(
    'are logged, and the request is refreshed and replayed: %s',
    async (_, options) => {
      vi.spyOn(console, 'error').mockImplementation(() => {})
      const { server, api, auth } = await signedIn(options)
      server.killAccessTokens()
      const settled = await settleAll<unknown>([api.get('/api/a'), api.post('/api/b', {})])
      expect(settled.map(codeOf)).toEqual(['fulfilled', 'fulfilled'])
      expect(server.counts).toMatchObject({ refreshes: 1, protectedOk: 2 })
      server.revoke()
      const refused = await settleAll<unknown>([api.get('/api/a')])
      expect(refused.map(codeOf)).toEqual(['SESSION_EXPIRED'])
      expect(auth.getSnapshot().status).toBe('signed-out')
    },
  )

  it.each(['refreshStart', 'refreshed', 'held', 'replay', 'sessionEnd'] as const)(
    'are logged, and the other listeners are still called: a listener for %s',
    async (event) => {
      const shown = vi.spyOn(console, 'error').mockImplementation(() => {})
      const { server, api, auth } = await signedIn({})
      const listener = vi.fn()
      auth.on(event, throwing)
      auth.on(event, listener)
      auth.subscribe(throwing)
      server.killAccessTokens()
      expect((await api.get('/api/a')).status).toBe(200)
      await auth.signOut()
      expect(listener).toHaveBeenCalled()
      expect(shown).toHaveBeenCalled()
    },
  )

  it('that return an unexpected value change nothing', async () => {
    const { server, api } = await signedIn({
      readResponse: () => ({ accessToken: 'with a blank' }),
      shouldRefresh: () => 'yes' as never,
      beforeReplay: () => 42,
      onSessionEnd: () => ({}),
    })
    const error = (await api.get('/api/a').then(
      () => undefined,
      (caught: AxiosError) => caught,
    )) as AxiosError | undefined
    expect(error === undefined || axios.isAxiosError(error)).toBe(true)
    expect(server.log.map(({ headers }) => headers.authorization).join()).not.toContain('with a blank')
  })
})
