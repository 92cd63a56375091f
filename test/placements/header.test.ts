// Tokens in a header: the Bearer, a header of another name, the user name of HTTP Basic. At the server, and on configs.

import axios, { AxiosHeaders } from 'axios'
import {
  type AuthClientOptions,
  basicUser,
  bearerHeader,
  createAuthClient,
  type Placement,
  refreshWithBody,
} from 'axios-auth-client'
import { afterEach, describe, expect, it } from 'vitest'
import { basicOf } from '../support/auth-server/request.js'
import { type StartOptions, startAuthServer } from '../support/auth-server.js'

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

async function setUp(
  place: Placement | undefined,
  server: StartOptions = {},
  options: AuthClientOptions = {},
) {
  const home = await startAuthServer(server)
  const api = axios.create({ baseURL: home.url })
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    place,
    ...options,
  })
  endings.push(
    () => home.stop(),
    () => auth.dispose(),
  )
  const login = home.login()
  await auth.signIn({ accessToken: login.access_token, refreshToken: login.refresh_token })
  return { home, api, auth, login }
}

const CONTEXT = { method: 'GET', url: 'https://api.example.com/' }

describe('bearerHeader', () => {
  it.each([
    ['by default', bearerHeader(), 'authorization', (token: string) => `Bearer ${token}`],
    ['as the default placement', undefined, 'authorization', (token: string) => `Bearer ${token}`],
    [
      'with another scheme',
      bearerHeader({ scheme: 'Token' }),
      'authorization',
      (token: string) => `Token ${token}`,
    ],
    [
      'with another header',
      bearerHeader({ header: 'X-Access-Token' }),
      'x-access-token',
      (token: string) => `Bearer ${token}`,
    ],
    ['bare', bearerHeader({ header: 'x-auth', scheme: '' }), 'x-auth', (token: string) => token],
    [
      'with undefined for the defaults',
      bearerHeader({ header: undefined, scheme: undefined }),
      'authorization',
      (token: string) => `Bearer ${token}`,
    ],
  ] as const)('writes the token %s, and the new one on a replay', async (_, place, header, format) => {
    const { home, api, auth, login } = await setUp(place, {
      readAccessToken: ({ headers }) => headers[header]?.split(' ').at(-1),
    })
    await api.get('/api/first')
    home.killAccessTokens()
    await api.post('/api/second', { a: 1 })
    const renewed = (await auth.getAccessToken()) ?? ''
    expect(home.requestsTo('/api/*').map(({ headers }) => headers[header])).toEqual(
      [login.access_token, login.access_token, renewed].map(format),
    )
    expect(home.counts).toMatchObject({ refreshes: 1, answered401: 1, protectedOk: 2 })
  })

  it('writes one header whatever case the caller has switched it off in', () => {
    const config = { headers: { authorization: undefined } as Record<string, unknown> }
    void bearerHeader().place(config as never, 'a', CONTEXT)
    expect(config.headers).toEqual({ authorization: 'Bearer a' })
  })

  it.each([undefined, ''])('is attached where the caller has written %j for none', async (off) => {
    const { home, api, login } = await setUp(bearerHeader())
    await api.get('/public/x', { headers: { Authorization: off as never } })
    expect(home.log[0]?.headers.authorization).toBe(`Bearer ${login.access_token}`)
  })

  it.each([
    ['a plain object', () => ({ 'X-Other': '1' })],
    ['an AxiosHeaders', () => new AxiosHeaders({ 'X-Other': '1' })],
  ])('takes off what it attached to %s, and nothing else', (_, createHeaders) => {
    const { place, remove } = bearerHeader()
    const config = { headers: createHeaders() as Record<string, unknown> }
    void place(config as never, 'a', CONTEXT)
    expect(config.headers).toHaveProperty('Authorization', 'Bearer a')
    remove(config as never)
    expect({ ...config.headers }).toEqual({ 'X-Other': '1' })
    remove(config as never)
    expect({ ...config.headers }).toEqual({ 'X-Other': '1' })
  })

  it('copes with a config without headers', () => {
    const { place, remove } = bearerHeader()
    const config: { headers?: object } = {}
    remove(config as never)
    void place(config as never, 'a', CONTEXT)
    expect(config.headers).toEqual({ Authorization: 'Bearer a' })
  })
})

describe('basicUser', () => {
  it('sends the token as the user name of HTTP Basic, with an empty password', async () => {
    const { home, api, login, auth } = await setUp(basicUser(), {
      readAccessToken: (request) => basicOf(request)?.user,
    })
    await api.get('/api/me')
    expect(basicOf(home.log[0] as never)).toEqual({ user: login.access_token, password: '' })
    home.killAccessTokens()
    await api.get('/api/me')
    expect(basicOf(home.log.at(-1) as never)).toEqual({ user: await auth.getAccessToken(), password: '' })
    expect(home.counts).toMatchObject({ refreshes: 1, protectedOk: 2 })
  })

  it("leaves a caller's own auth and its 401 alone", async () => {
    const { home, api } = await setUp(basicUser(), { readAccessToken: (request) => basicOf(request)?.user })
    await expect(api.get('/api/me', { auth: { username: 'u', password: 'p' } })).rejects.toMatchObject({
      response: { status: 401 },
    })
    expect(home.log.map((request) => basicOf(request))).toEqual([{ user: 'u', password: 'p' }])
  })

  it('is removed from the config of the answer', async () => {
    const { api, login } = await setUp(basicUser(), { readAccessToken: (request) => basicOf(request)?.user })
    const { config } = await api.get('/api/me')
    expect(JSON.stringify(config)).not.toContain(btoa(`${login.access_token}:`))
  })
})
