// G20 where a redirect leads away: whose answer it is then, and what goes along. On every kind of axios in Node.

import http from 'node:http'
import type { AxiosRequestConfig } from 'axios'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AuthClientOptions } from '../../src/index.js'
import { loadRelease, type Version } from '../contracts/axios-versions.js'
import type { AuthServer } from '../support/auth-server.js'
import { failureOf, startServer, tokensOf } from '../support/client.js'

const VERSIONS: Version[] = ['0.27.2', '1.2.6', '1.21.1']
const PUSHED = { authorization: 'Bearer planted-by-a-stranger' }

interface Answer {
  status: number
  headers: Record<string, string>
  data: unknown
  config: AxiosRequestConfig
}

describe.each(VERSIONS)('G20: with axios %s', async (version) => {
  const { axios, library } = await loadRelease(version)

  /** A client that is signed in at `home.test`; `sub.home.test`, `evil.test` and all other names lead to the same machine. */
  async function setUp(options: AuthClientOptions = {}, defaults: AxiosRequestConfig = {}) {
    const [home, foreign] = await Promise.all([startServer(), startServer()])
    const agent = new http.Agent({
      lookup: (_name, { all }, found) =>
        all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4),
    })
    const homeUrl = at('home.test', home)
    const api = axios.create({ baseURL: homeUrl, httpAgent: agent, proxy: false, ...defaults })
    const auth = library.createAuthClient(api, {
      refresh: library.refreshWithBody({ url: '/auth/refresh' }),
      ...options,
    })
    onTestFinished(() => auth.dispose())
    const login = home.login()
    await auth.signIn(tokensOf(login))
    const get = (url: string, config = {}): Promise<Answer> => api.request({ url, ...config })
    /** Lets home redirect `/go`, with a token in the answer as the others have it. */
    const lead = (location: string, status = 302) =>
      home.route('/go', () => ({ status, headers: { location } }))
    return { home, foreign, homeUrl, api, auth, login, get, lead }
  }

  const at = (host: string, { url }: AuthServer) => url.replace('127.0.0.1', host)
  const credentials = (server: AuthServer, path: string) =>
    server.requestsTo(path).map(({ headers }) => headers.authorization)

  describe('an answer that a redirect fetched from elsewhere', () => {
    it('G20: brings no token, though it is a success', async () => {
      const { home, foreign, auth, login, get, lead } = await setUp({
        readResponse: library.tokenFromHeader('authorization'),
      })
      lead(`${at('evil.test', foreign)}/x`)
      foreign.route('/x', () => ({ status: 200, headers: PUSHED }))
      expect((await get('/go')).headers.authorization).toBe(PUSHED.authorization)
      await get('/api/me')
      expect(home.requestsTo('/api/me')[0]?.accessToken).toBe(login.access_token)
      expect(await auth.getAccessToken()).toBe(login.access_token)
    })

    it('G20: starts no refresh, no replay and no shouldRefresh call as a 401', async () => {
      const asked: unknown[] = []
      for (const shouldRefresh of [undefined, (question: unknown) => asked.push(question) > 0]) {
        const { home, foreign, auth, get, lead } = await setUp({ shouldRefresh })
        lead(`${at('evil.test', foreign)}/x`)
        foreign.route('/x', () => ({ status: 401 }))
        const error = await failureOf(get('/go'))
        expect(error).toMatchObject({ isAxiosError: true, response: { status: 401 } })
        expect(library.authErrorOf(error)).toBeUndefined()
        expect([home.requestsTo('/go').length, home.counts.refreshes]).toEqual([1, 0])
        expect(auth.stats()).toMatchObject({ refused: 0, replays: 0 })
        expect(asked).toEqual([])
      }
    })

    it('G20: ends no session without `refresh`', async () => {
      const { foreign, auth, get, lead } = await setUp({ refresh: undefined })
      lead(`${at('evil.test', foreign)}/x`)
      foreign.route('/x', () => ({ status: 401 }))
      await failureOf(get('/go'))
      expect(auth.getSnapshot().status).toBe('signed-in')
    })

    it('G20: is recognised by host and port, also after a replay', async () => {
      const { home, foreign, get, lead } = await setUp()
      foreign.route('/x', () => ({ status: 401 }))
      home.route('/x', () => ({ status: 401 }))
      const ways = [at('home.test', foreign), at('sub.home.test', home), at('home.test.', home)]
      for (const way of ways) {
        lead(`${way}/x`)
        await failureOf(get('/go'))
      }
      expect(home.counts.refreshes).toBe(0)
      let visits = 0
      home.route('/go', () =>
        ++visits === 1 ? { status: 401 } : { status: 302, headers: { location: `${ways[0]}/x` } },
      )
      await failureOf(get('/go'))
      expect([visits, home.counts.refreshes]).toEqual([2, 1])
    })
  })

  it('G20: an answer from our origin counts, also after a redirect away and back', async () => {
    const { home, foreign, homeUrl, get, lead } = await setUp()
    foreign.route('/back', () => ({ status: 302, headers: { location: `${homeUrl}/api/me` } }))
    lead(`${at('evil.test', foreign)}/back`)
    home.killAccessTokens()
    await failureOf(get('/go'))
    expect(home.counts.refreshes).toBe(1)
    home.killAccessTokens()
    lead('/api/me')
    expect((await get('/go')).status).toBe(200)
    expect(home.counts.refreshes).toBe(2)
  })

  it('G20: an answer from another allowed origin counts', async () => {
    const { home, foreign, auth, get, lead } = await setUp()
    auth.attach(axios.create({ baseURL: at('files.test', foreign) }))
    foreign.route('/x', () => ({ status: 401 }))
    lead(`${at('files.test', foreign)}/x`)
    await failureOf(get('/go'))
    expect(home.counts.refreshes).toBe(1)
  })

  it('G20: an answer that a custom adapter fetched elsewhere counts', async () => {
    const { home, foreign, get } = await setUp({}, {})
    foreign.route('/api/me', () => ({ status: 401 }))
    const alone = axios.create({ proxy: false })
    const adapter = ({ method, url }: AxiosRequestConfig) =>
      alone.request({ method, url, baseURL: foreign.url })
    await failureOf(get('/api/me', { adapter }))
    expect(home.counts.refreshes).toBe(1)
  })

  describe('Authorization', () => {
    it.each<[string, (home: AuthServer, foreign: AuthServer) => string, boolean]>([
      ['the same host', (home) => `${at('home.test', home)}/api/x`, true],
      ['the same host in upper case', (home) => `${at('HOME.test', home)}/api/x`, true],
      ['a path', () => '/api/x', true],
      ['the same host with userinfo', (home) => `${at('u:p@home.test', home)}/api/x`, true],
      ['userinfo that looks like home', (home) => `${at('home.test@sub.home.test', home)}/api/x`, false],
      ['a sub-domain', (home) => `${at('sub.home.test', home)}/api/x`, false],
      ['a sub-domain at another port', (_, foreign) => `${at('sub.home.test', foreign)}/api/x`, false],
      ['another port', (_, foreign) => `${at('home.test', foreign)}/api/x`, false],
      ['another host', (_, foreign) => `${at('evil.test', foreign)}/api/x`, false],
      ['a sub-domain without a scheme', (home) => `${at('sub.home.test', home).slice(5)}/api/x`, false],
    ])('G20: is sent on a redirect to %s: %#', async (_, locationOf, kept) => {
      const { home, foreign, login, get, lead } = await setUp()
      for (const server of [home, foreign]) server.route('/api/x', () => ({ status: 200 }))
      lead(locationOf(home, foreign), 307)
      const { config } = await get('/go')
      expect([...credentials(home, '/api/x'), ...credentials(foreign, '/api/x')]).toEqual([
        kept ? `Bearer ${login.access_token}` : undefined,
      ])
      expect(credentials(home, '/go')).toEqual([`Bearer ${login.access_token}`])
      expect('beforeRedirect' in config).toBe(false)
    })

    it('G20: is not restored when a sub-domain redirects back', async () => {
      const { home, homeUrl, get, lead } = await setUp()
      home.route('/back', () => ({ status: 302, headers: { location: `${homeUrl}/public/x` } }))
      lead(`${at('sub.home.test', home)}/back`)
      await get('/go')
      expect(credentials(home, '/back')).toEqual([undefined])
      expect(credentials(home, '/public/x')).toEqual([undefined])
    })

    it('G20: is dropped on the redirect of a replay, and with HTTP Basic', async () => {
      for (const place of [undefined, library.basicUser()]) {
        const { home, get } = await setUp({ place })
        let visits = 0
        const away = { status: 307, headers: { location: `${at('sub.home.test', home)}/public/x` } }
        home.route('/go', () => (++visits === 1 ? { status: 401 } : away))
        await get('/go')
        expect(home.counts.refreshes).toBe(1)
        expect(credentials(home, '/public/x')).toEqual([undefined])
      }
    })

    it("G20: is dropped before the caller's own beforeRedirect runs, which is on their config again", async () => {
      const { home, get, lead } = await setUp()
      const seen: unknown[] = []
      const beforeRedirect = (options: { headers: Record<string, string>; href: string }) => {
        seen.push(options.headers.Authorization, new URL(options.href).pathname)
        options.headers['X-Hop'] = '1'
      }
      lead(`${at('sub.home.test', home)}/api/me`)
      const error = (await failureOf(get('/go', { beforeRedirect }))) as { config: AxiosRequestConfig }
      expect(seen).toEqual([undefined, '/api/me'])
      expect(home.requestsTo('/api/me')[0]?.headers['x-hop']).toBe('1')
      expect(error.config.beforeRedirect).toBe(beforeRedirect)
    })

    it('G20: of the caller is sent wherever axios sends it', async () => {
      const { home, get, lead, api } = await setUp()
      lead('/api/x')
      home.route('/api/x', () => ({ status: 200 }))
      await get('/go', { headers: { Authorization: 'Bearer mine' } })
      expect(credentials(home, '/api/x')).toEqual(['Bearer mine'])
      expect(api.defaults.beforeRedirect).toBeUndefined()
    })
  })

  it('G20: redirects go on through a proxy', async () => {
    const [home, foreign] = await Promise.all([startServer(), startServer()])
    const proxied: string[] = []
    const proxy = http.createServer(({ url = '', headers, method }, response) => {
      proxied.push(`${method} ${new URL(url).host}`)
      const { port, pathname } = new URL(url)
      http
        .request({ host: '127.0.0.1', port, path: pathname, method, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers)
          answer.pipe(response)
        })
        .end()
    })
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
    onTestFinished(() => void proxy.close())
    const { port } = proxy.address() as { port: number }
    const api = axios.create({
      baseURL: at('home.test', home),
      proxy: { protocol: 'http', host: '127.0.0.1', port },
    })
    const auth = library.createAuthClient(api, {})
    onTestFinished(() => auth.dispose())
    await auth.signIn(tokensOf(home.login()))
    home.route('/go', () => ({ status: 302, headers: { location: `${at('evil.test', foreign)}/public/x` } }))
    await api.request({ url: '/go' })
    expect(proxied).toEqual(
      [at('GET home.test', home), at('GET evil.test', foreign)].map((line) => line.replace('http://', '')),
    )
    expect(credentials(foreign, '/public/x')).toEqual([undefined])
  })
})
