// No credential at all, a placement of one's own, and tokens read from a header of the answer.

import axios, { type AxiosAdapter, AxiosHeaders, type AxiosInstance, type AxiosRequestConfig } from 'axios'
import {
  type AuthClientOptions,
  bearerHeader,
  createAuthClient,
  noCredential,
  type Placement,
  refreshWithBody,
  tokenFromHeader,
} from 'axios-auth-client'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type StartOptions, startAuthServer } from '../support/auth-server.js'
import { tokensOf } from '../support/client.js'

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** `before`: what is done to the instance before the client is made. */
async function setUp(
  server: StartOptions,
  options: AuthClientOptions,
  before?: (api: AxiosInstance) => void,
) {
  const home = await startAuthServer(server)
  const api = axios.create({ baseURL: home.url })
  before?.(api)
  const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }), ...options })
  endings.push(
    () => home.stop(),
    () => auth.dispose(),
  )
  return { home, api, auth }
}

describe('noCredential', () => {
  it('places nothing, takes no tokens, and has none to give', async () => {
    const { home, api, auth } = await setUp({}, { place: noCredential(), refresh: async () => ({}) as never })
    await auth.signIn()
    expect(auth.getSnapshot()).toEqual({ status: 'signed-in', refreshing: false })
    await api.post('/public/x', { a: 1 })
    expect(home.log[0]?.body).toEqual({ a: 1 })
    expect(home.log[0]?.headers.authorization).toBeUndefined()
    expect(await auth.getAccessToken()).toBeUndefined()
  })

  it('renews and sends again on a 401, with any answer of the refresh as a grant', async () => {
    for (const grant of [undefined, {}, { ok: true }, 'fine', 204]) {
      let alive = false
      const { home, api, auth } = await setUp(
        { readAccessToken: () => undefined },
        {
          place: noCredential(),
          refresh: async () => {
            alive = true
            return grant as never
          },
        },
      )
      home.route('/api/me', () => (alive ? { status: 200 } : { status: 401 }))
      await auth.signIn()
      expect((await api.get('/api/me')).status).toBe(200)
      expect(home.requestsTo('/api/me')).toHaveLength(2)
    }
  })

  it('takes a lifetime and a subject along', async () => {
    const { auth } = await setUp({}, { place: noCredential() })
    await auth.signIn({ subject: 'ada', expiresInSeconds: 60 } as never)
    expect(auth.getSnapshot()).toMatchObject({ subject: 'ada', expiresAtMs: expect.any(Number) })
  })
})

describe("a placement of one's own", () => {
  const inQuery: Placement = {
    place(config, accessToken) {
      config.params = { ...config.params, access_token: accessToken }
    },
    remove(config) {
      const { access_token: _removed, ...rest } = config.params ?? {}
      config.params = rest
    },
  }

  it('decides where the token travels, on the first sending and on the replay', async () => {
    const { home, api, auth } = await setUp(
      { readAccessToken: ({ query }) => query.access_token },
      { place: inQuery },
    )
    const login = home.login()
    await auth.signIn({ accessToken: login.access_token, refreshToken: login.refresh_token })
    home.killAccessTokens()
    const { config } = await api.get('/api/me', { params: { page: 1 } })
    expect(home.requestsTo('/api/me').map(({ query }) => query)).toEqual([
      { page: '1', access_token: login.access_token },
      { page: '1', access_token: await auth.getAccessToken() },
    ])
    expect(config.params).toEqual({ page: 1 })
  })

  it('is called with unserialised and with serialised data, a removal between every two placings', async () => {
    const calls: string[] = []
    const place: Placement = {
      place: ({ data }) => void calls.push(`place ${typeof data}`),
      remove: ({ data }) => void calls.push(`remove ${typeof data}`),
    }
    const { home, api, auth } = await setUp({}, { place, refresh: async () => ({ accessToken: 'second' }) })
    await auth.signIn({ accessToken: 'first' })
    let answers = 0
    home.route('/api/me', () => ({ status: answers++ === 0 ? 401 : 200 }))
    await api.post('/api/me', { a: 1 })
    expect(calls).toEqual(['place object', 'remove string', 'place string', 'remove string'])
  })

  it('is taken off a copy of the config that a plug-in sends again', async () => {
    const seen: unknown[] = []
    const place: Placement = {
      place(config, accessToken) {
        config.params = { ...config.params, tokens: [...(config.params?.tokens ?? []), accessToken] }
      },
      remove(config) {
        config.params = { ...config.params, tokens: config.params?.tokens?.slice(0, -1) }
      },
    }
    const copies: AxiosRequestConfig[] = []
    const adapter: AxiosAdapter = async (config) => {
      seen.push(config.params.tokens)
      return { data: '', status: 200, statusText: 'OK', headers: {}, config }
    }
    const keepCopies = (instance: AxiosInstance) =>
      // Registered before us, so that it runs after ours.
      instance.interceptors.request.use((config) => {
        copies.push({ ...config })
        return config
      })
    const { api, auth } = await setUp({}, { place }, keepCopies)
    await auth.signIn({ accessToken: 'secret' })
    await api.get('/x', { adapter })
    await api.request(copies[0] as AxiosRequestConfig)
    expect(seen).toEqual([['secret'], ['secret']])
  })

  it('is recognised by its header, and may count on there being some', async () => {
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {})
    const place: Placement = {
      header: 'X-Token',
      place(config, accessToken) {
        ;(config.headers as Record<string, string>)['X-Token'] = accessToken
      },
      remove: ({ headers }) => void delete headers?.['X-Token'],
    }
    const { home, api, auth } = await setUp({}, { place })
    await auth.signIn({ accessToken: 'old' })
    await auth.updateTokens({ accessToken: 'new' })
    await api.get('/public/x', { headers: { 'X-Token': 'old' } })
    await api.get('/public/x', { headers: { 'X-Token': 'of somebody else' } })
    expect(home.log.map(({ headers }) => headers['x-token'])).toEqual(['new', 'of somebody else'])
    expect(shown).not.toHaveBeenCalled()
  })

  it('that returns false sends the request without a token, and its 401 is not ours', async () => {
    const { home, api, auth } = await setUp({}, { place: { place: () => false, remove: () => {} } })
    await auth.signIn({ accessToken: 'a', refreshToken: 'r' })
    await expect(api.get('/api/me')).rejects.toMatchObject({ response: { status: 401 } })
    expect(home.counts).toMatchObject({ requests: 1, refreshes: 0 })
  })

  it('that throws is reported, and the request goes out without a token', async () => {
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {})
    const place: Placement = {
      place() {
        throw new Error('no place for it')
      },
      remove() {},
    }
    const { home, api, auth } = await setUp({}, { place })
    await auth.signIn({ accessToken: 'secret' })
    expect((await api.get('/public/x')).status).toBe(200)
    expect(home.log[0]?.headers.authorization).toBeUndefined()
    expect(shown).toHaveBeenCalled()
    expect(JSON.stringify(shown.mock.calls)).not.toContain('secret')
  })

  it('that returns a promise is reported if it rejects, and breaks nothing', async () => {
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {})
    const failLater = () => Promise.reject(new Error('no place for it'))
    const { api, auth } = await setUp(
      {},
      { place: { place: failLater as never, remove: failLater as never } },
    )
    await auth.signIn({ accessToken: 'a' })
    expect((await api.get('/public/x')).status).toBe(200)
    // Asked by the interceptor and, now known to answer with a promise, when the request goes out.
    expect(shown).toHaveBeenCalledTimes(4)
  })

  it('that returns a promise is waited for, and asked anew for each sending', async () => {
    const asked: string[] = []
    const {
      api,
      auth,
      home: server,
    } = await setUp(
      {},
      {
        place: {
          header: 'Authorization',
          async place(config, accessToken, { method, url }) {
            asked.push(`${method} ${new URL(url).pathname}`)
            await undefined
            config.headers = { ...config.headers, Authorization: `Bearer ${accessToken}` } as never
          },
          remove(config) {
            delete (config.headers as Record<string, unknown>).Authorization
          },
        },
      },
    )
    await auth.signIn(tokensOf(server.login()))
    expect((await api.get('/api/first')).status).toBe(200)
    server.killAccessTokens()
    asked.length = 0
    expect((await api.get('/api/x')).status).toBe(200)
    expect(asked).toEqual(['GET /api/x', 'GET /api/x'])
    expect(server.counts.refreshes).toBe(1)
  })

  it('whose answer is still being made is not sent once its request is aborted', async () => {
    let finish = () => {}
    const done = new Promise<void>((resolve) => {
      finish = resolve
    })
    const { api, auth, home: server } = await setUp({}, { place: { place: () => done, remove() {} } })
    await auth.signIn(tokensOf(server.login()))
    const controller = new AbortController()
    const request = api.get('/public/x', { signal: controller.signal })
    controller.abort()
    await expect(request).rejects.toMatchObject({ code: 'ERR_CANCELED' })
    finish()
    expect(server.requestsTo('/public/x')).toEqual([])
  })

  it('that answers a challenge gets the same request sent once more, without a refresh', async () => {
    const seen: number[] = []
    let nonces = 0
    const {
      api,
      auth,
      home: server,
    } = await setUp(
      {},
      {
        place: {
          ...bearerHeader(),
          observe: ({ status }) => seen.push(status),
          answer: () => ++nonces > 0,
        },
      },
    )
    await auth.signIn({ accessToken: 'wrong', refreshToken: 'none' })
    await expect(api.get('/api/x')).rejects.toMatchObject({ response: { status: 401 } })
    expect(nonces).toBe(1)
    expect(seen).toEqual([401, 401])
    expect(server.requestsTo('/api/x')).toHaveLength(2)
  })

  it('whose removal throws is reported, and the answer arrives', async () => {
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {})
    const place: Placement = {
      place() {},
      remove() {
        throw new Error('it sticks')
      },
    }
    const { api, auth } = await setUp({}, { place })
    await auth.signIn({ accessToken: 'a' })
    expect((await api.get('/public/x')).status).toBe(200)
    expect(shown).toHaveBeenCalled()
  })

  it('keeps its `this`', async () => {
    class InHeader implements Placement {
      readonly header = 'X-Mine'
      place(config: { headers?: unknown }, accessToken: string) {
        ;(config.headers as Record<string, string>)[this.header] = accessToken
      }
      remove(config: { headers?: unknown }) {
        delete (config.headers as Record<string, string>)[this.header]
      }
    }
    const { home, api, auth } = await setUp({}, { place: new InHeader() })
    await auth.signIn({ accessToken: 'a' })
    await api.get('/public/x')
    expect(home.log[0]?.headers['x-mine']).toBe('a')
  })
})

describe('tokenFromHeader', () => {
  const read = tokenFromHeader('Authorization')

  it.each([
    ['a bare token', { authorization: 'abc' }, 'abc'],
    ['a Bearer', { authorization: 'Bearer abc' }, 'abc'],
    ['a bearer in lower case', { authorization: 'bearer abc' }, 'abc'],
    ['more than one blank', { authorization: 'Bearer   abc' }, 'abc'],
    ['a token that begins like the scheme', { authorization: 'Bearerabc' }, 'Bearerabc'],
    ['a header in another case', { AUTHORIZATION: 'abc' }, 'abc'],
  ])('reads %s', (_, headers, accessToken) => {
    expect(read({ headers })).toEqual({ accessToken })
  })

  it('reads an AxiosHeaders', () => {
    expect(read({ headers: new AxiosHeaders({ Authorization: 'Bearer abc' }) })).toEqual({
      accessToken: 'abc',
    })
  })

  it.each([
    ['no headers', undefined],
    ['null', null],
    ['no such header', { 'x-other': 'abc' }],
    ['an empty header', { authorization: '' }],
    ['a blank header', { authorization: ' ' }],
    ['a scheme without a token', { authorization: 'Bearer' }],
    ['a scheme, a blank and no token', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: 'Basic abc' }],
    ['two tokens', { authorization: 'Bearer abc def' }],
    ['a line break', { authorization: 'Bearer abc\r\nX: 1' }],
    ['a letter beyond ASCII', { authorization: 'Bearer abä' }],
    ['a header that is switched off', { authorization: false }],
  ])('reads nothing from %s', (_, headers) => {
    expect(read({ headers })).toBeUndefined()
  })

  it('reads a token that ends like the scheme', () => {
    expect(tokenFromHeader('x-token')({ headers: { 'x-token': 'forBearer' } })).toEqual({
      accessToken: 'forBearer',
    })
  })

  it('reads a usable token or nothing, whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.anything()), (value) => {
        let grant: { accessToken: string } | undefined
        try {
          grant = read({ headers: { authorization: value } })
        } catch (error) {
          // Only objects that refuse to become a text; no server sends one.
          expect(typeof value).toBe('object')
          expect(error).toBeInstanceOf(TypeError)
        }
        if (grant) expect(grant.accessToken).toMatch(/^[!-~]+$/)
      }),
      { seed: 24, numRuns: 1_000 },
    )
  })

  it('takes over the token that the server pushes, and the next request carries it', async () => {
    const { home, api, auth } = await setUp({}, { readResponse: read, refresh: undefined })
    await auth.signIn({ accessToken: 'first' })
    home.route('/public/push', () => ({ status: 200, headers: { authorization: 'second' } }))
    await api.get('/public/push')
    await api.get('/public/x')
    expect(home.log.map(({ headers }) => headers.authorization)).toEqual(['Bearer first', 'Bearer second'])
  })
})
