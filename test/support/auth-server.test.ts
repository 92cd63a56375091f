// Proves the auth server itself: a test that leans on a server which is wrong about rotation proves nothing.

import axios from 'axios'
import { afterEach, describe, expect, it } from 'vitest'
import { type AuthServer, type Echo, type StartOptions, startAuthServer, tampered } from './auth-server.js'
import { settleAll } from './settle-all.js'

const servers: AuthServer[] = []

async function start(options: StartOptions = {}): Promise<AuthServer> {
  const server = await startAuthServer(options)
  servers.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

function get(
  server: AuthServer,
  path: string,
  accessToken?: string,
  signal?: AbortSignal,
): Promise<Response> {
  const headers: HeadersInit = accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }
  return fetch(server.url + path, { headers, signal })
}

function post(server: AuthServer, path: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    redirect: 'manual',
  })
}

function postForm(server: AuthServer, form: Record<string, string>, headers: Record<string, string> = {}) {
  return fetch(`${server.url}/oauth/token`, { method: 'POST', headers, body: new URLSearchParams(form) })
}

async function fields(response: Response): Promise<Record<string, string>> {
  return (await response.json()) as Record<string, string>
}

function refresh(server: AuthServer, refreshToken: string): Promise<Response> {
  return post(server, '/auth/refresh', { refresh_token: refreshToken })
}

function setCookies(response: Response): Record<string, string> {
  return Object.fromEntries(
    response.headers.getSetCookie().map((cookie) => cookie.split(';')[0]?.split('=') as [string, string]),
  )
}

function cookieHeader(cookies: Record<string, string>): string {
  return Object.entries(cookies)
    .map((pair) => pair.join('='))
    .join('; ')
}

describe.each(['jwt', 'opaque'] as const)('%s tokens', (tokens) => {
  it('open protected routes until they expire by the server clock', async () => {
    const server = await start({ tokens, accessLifetimeSeconds: 60 })
    const { access_token, expires_in } = server.login()
    expect(expires_in).toBe(60)
    expect((await get(server, '/api/me', access_token)).status).toBe(200)
    server.clock.advance(59_999)
    expect((await get(server, '/api/me', access_token)).status).toBe(200)
    server.clock.advance(1)
    const refused = await get(server, '/api/me', access_token)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
    expect(server.counts).toMatchObject({ requests: 3, protectedOk: 2, answered401: 1 })
  })

  it('are rejected when tampered with, expired or revoked', async () => {
    const server = await start({ tokens })
    const ada = server.login('ada')
    const bob = server.login('bob')
    expect((await get(server, '/api/me', tampered(ada.access_token))).status).toBe(401)
    expect((await get(server, '/api/me', `${ada.access_token.slice(0, -1)}~`)).status).toBe(401)
    server.revoke('ada')
    expect((await get(server, '/api/me', ada.access_token)).status).toBe(401)
    expect((await refresh(server, ada.refresh_token)).status).toBe(401)
    expect((await get(server, '/api/me', bob.access_token)).status).toBe(200)
    server.killAccessTokens()
    expect((await get(server, '/api/me', bob.access_token)).status).toBe(401)
    expect((await refresh(server, bob.refresh_token)).status).toBe(200)
  })

  it('are the same for the same seed', async () => {
    const [one, two, other] = await Promise.all(
      [1, 1, 2].map((seed) => start({ tokens, seed, startAtMs: 0 })),
    )
    const token = one?.login().access_token
    expect(two?.login().access_token).toBe(token)
    expect(other?.login().access_token).not.toBe(token)
  })
})

describe('JWTs', () => {
  it('carry subject, id and times, and cannot be forged without a signature', async () => {
    const server = await start({ accessLifetimeSeconds: 5, startAtMs: 1_000_000 })
    const { access_token } = server.login()
    const [, payload = ''] = access_token.split('.')
    expect(JSON.parse(atob(payload))).toEqual({ sub: 'ada', jti: expect.any(String), iat: 1000, exp: 1005 })
    const unsigned = `${btoa('{"alg":"none"}')}.${payload}.`
    expect((await get(server, '/api/me', unsigned)).status).toBe(401)
  })
})

describe('rotation', () => {
  it('gives new tokens once and revokes the family when a used refresh token comes back', async () => {
    const server = await start()
    const first = server.login()
    const second = await fields(await refresh(server, first.refresh_token))
    expect(second.refresh_token).not.toBe(first.refresh_token)
    expect((await get(server, '/api/me', second.access_token)).status).toBe(200)
    expect((await refresh(server, first.refresh_token)).status).toBe(401)
    expect((await refresh(server, second.refresh_token ?? '')).status).toBe(401)
    expect((await get(server, '/api/me', second.access_token)).status).toBe(401)
    expect(server.counts).toMatchObject({ refreshes: 3, granted: 1, refused: 2, reuses: 1 })
  })

  it('repeats the same grant within the grace time', async () => {
    const server = await start({ graceMs: 1_000 })
    const { refresh_token } = server.login()
    const once = await fields(await refresh(server, refresh_token))
    server.clock.advance(999)
    expect(await fields(await refresh(server, refresh_token))).toEqual(once)
    server.clock.advance(1)
    expect((await refresh(server, refresh_token)).status).toBe(401)
    expect(server.counts.reuses).toBe(1)
  })

  it('accepts the direct predecessor within the grace time, and none older', async () => {
    const server = await start({ graceMs: 1_000, graceAnswer: 'successor' })
    const { refresh_token: first } = server.login()
    const lost = await fields(await refresh(server, first))
    const second = await fields(await refresh(server, first))
    expect(second.refresh_token).not.toBe(lost.refresh_token)
    expect((await get(server, '/api/me', second.access_token)).status).toBe(200)
    expect(server.counts.reuses).toBe(0)

    expect((await refresh(server, second.refresh_token ?? '')).status).toBe(200)
    expect((await refresh(server, first)).status).toBe(401)
    expect(server.counts.reuses).toBe(1)
  })

  it('accepts no predecessor after the grace time', async () => {
    const server = await start({ graceMs: 1_000, graceAnswer: 'successor' })
    const { refresh_token } = server.login()
    await refresh(server, refresh_token)
    server.clock.advance(999)
    expect((await refresh(server, refresh_token)).status).toBe(200)
    server.clock.advance(1)
    expect((await refresh(server, refresh_token)).status).toBe(401)
    expect(server.counts.reuses).toBe(1)
  })

  it.each([
    [false, undefined],
    ['echo', 'the old one'],
  ] as const)('keeps the refresh token valid with rotate: %s', async (rotate, answered) => {
    const server = await start({ rotate, expiresIn: false })
    const { refresh_token } = server.login()
    for (let i = 0; i < 2; i++) {
      const grant = await fields(await refresh(server, refresh_token))
      expect(grant.refresh_token).toBe(answered && refresh_token)
      expect(grant).not.toHaveProperty('expires_in')
    }
    expect(server.counts.granted).toBe(2)
  })
})

describe('the dialects', () => {
  it('accept only the right password', async () => {
    const server = await start()
    const grant = await fields(await post(server, '/auth/login', { user: 'ada', password: 'secret' }))
    expect((await get(server, '/api/me', grant.access_token)).status).toBe(200)
    expect((await post(server, '/auth/login', { user: 'ada', password: 'guess' })).status).toBe(401)
    expect(server.counts.login).toBe(2)
  })

  it('OAuth 2.0 authenticates clients and words its errors as RFC 6749 does', async () => {
    const server = await start()
    const grantType = { grant_type: 'refresh_token' }
    let { refresh_token } = server.login()
    const basic = (secret: string) => ({ authorization: `Basic ${btoa(`web:${secret}`)}` })
    for (const [client, headers] of [
      [{ client_id: 'spa' }, {}],
      [{ client_id: 'web', client_secret: 's3cret' }, {}],
      [{ scope: 'read write' }, basic('s3cret')],
    ] as const) {
      const answer = await postForm(server, { ...grantType, ...client, refresh_token }, headers)
      const grant = await fields(answer)
      expect(grant).toMatchObject({ token_type: 'Bearer', expires_in: 300 })
      refresh_token = grant.refresh_token ?? ''
    }
    const refusals: [Record<string, string>, Record<string, string>, number, string][] = [
      [{ ...grantType, client_id: 'spa', refresh_token: 'unknown' }, {}, 400, 'invalid_grant'],
      [{ ...grantType, client_id: 'nobody', refresh_token }, {}, 400, 'invalid_client'],
      [{ ...grantType, client_id: 'web', refresh_token }, {}, 400, 'invalid_client'],
      [{ ...grantType, refresh_token }, basic('wrong'), 401, 'invalid_client'],
      [{ grant_type: 'password', client_id: 'spa' }, {}, 400, 'unsupported_grant_type'],
      [{ ...grantType, client_id: 'spa', refresh_token, scope: 'root' }, {}, 400, 'invalid_scope'],
      [{ ...grantType, client_id: 'spa' }, {}, 400, 'invalid_request'],
    ]
    for (const [form, headers, status, error] of refusals) {
      const answer = await postForm(server, form, headers)
      expect([answer.status, (await fields(answer)).error]).toEqual([status, error])
    }
    expect((await post(server, '/oauth/token', { ...grantType, client_id: 'spa' })).status).toBe(400)
    expect(server.counts.reuses).toBe(0)
  })

  it.each(['GET', 'POST'])(
    'accepts the refresh token as the Bearer of a %s and returns an access token only',
    async (method) => {
      const server = await start()
      const { refresh_token, access_token } = server.login()
      const call = (token: string) =>
        fetch(`${server.url}/auth/refresh-bearer`, { method, headers: { authorization: `Bearer ${token}` } })
      const grant = await fields(await call(refresh_token))
      expect(Object.keys(grant)).toEqual(['access_token'])
      expect((await call(refresh_token)).status).toBe(200)
      const refused = await call(access_token)
      expect([refused.status, Object.keys(await fields(refused))]).toEqual([401, ['msg']])
    },
  )

  it('accepts both tokens in the body if they belong together', async () => {
    const server = await start()
    const ada = server.login()
    const bob = server.login('bob')
    server.killAccessTokens()
    const both = { token: ada.access_token, refresh_token: ada.refresh_token }
    const grant = await fields(await post(server, '/refresh-json', both))
    expect((await post(server, '/api/json-body', { token: grant.access_token })).status).toBe(200)
    expect((await get(server, '/api/json-body', grant.access_token)).status).toBe(401)
    expect((await post(server, '/refresh-json', { ...both, token: bob.access_token })).status).toBe(401)
    expect((await post(server, '/refresh-json', { refresh_token: ada.refresh_token })).status).toBe(401)
  })

  it('answers codes with status 200 as backend A does', async () => {
    const server = await start()
    const path = '/api/v1/system/refresh_token/'
    const login = await post(server, '/api/v1/system/login/', { username: 'ada', password: 'secret' })
    const { refresh_token } = await fields(login)
    const grant = await fields(await post(server, path, { refresh_token }))
    expect(grant).toMatchObject({ code: 1, token: expect.any(String), refresh_token: expect.any(String) })
    const refused = await post(server, path, { refresh_token })
    expect([refused.status, await fields(refused)]).toEqual([200, { code: 0, message: expect.any(String) }])
  })

  it('keeps a session in cookies, and refreshes it only with the CSRF header', async () => {
    const server = await start()
    const cookies = setCookies(await post(server, '/cookie/login', { user: 'ada', password: 'secret' }))
    const me = (jar: Record<string, string>) =>
      fetch(`${server.url}/cookie/me`, { headers: { cookie: cookieHeader(jar) } })
    const refreshWith = (jar: Record<string, string>, csrf?: string) =>
      post(
        server,
        '/cookie/refresh',
        {},
        { cookie: cookieHeader(jar), ...(csrf && { 'x-csrf-token': csrf }) },
      )
    expect((await me(cookies)).status).toBe(200)
    server.killAccessTokens()
    expect((await me(cookies)).status).toBe(401)
    expect((await refreshWith(cookies)).status).toBe(401)
    expect((await refreshWith({ ...cookies, csrf_refresh: 'own' }, 'own')).status).toBe(401)
    const renewed = await refreshWith(cookies, cookies.csrf_refresh)
    expect(renewed.status).toBe(204)
    const jar = setCookies(renewed)
    expect((await me(jar)).status).toBe(200)
    const after = await post(server, '/cookie/logout', {}, { cookie: cookieHeader(jar) })
    expect(setCookies(after)).toEqual({ access: '', refresh: '', csrf_refresh: '' })
    expect((await me(jar)).status).toBe(401)
  })

  it('slides tokens within their window, with the same new one for every request', async () => {
    const server = await start({ accessLifetimeSeconds: 10, slidingWindowSeconds: 20 })
    const old = server.slidingLogin()
    const me = (token: string, password = '') =>
      fetch(`${server.url}/sliding/me`, {
        headers: { authorization: `Basic ${btoa(`${token}:${password}`)}` },
      })
    expect((await me(old)).headers.get('authorization')).toBeNull()
    server.clock.advance(10_000)
    const answers = await Promise.all([me(old), me(old), me(old)])
    const renewed = new Set(answers.map((answer) => answer.headers.get('authorization')))
    expect(renewed.size).toBe(1)
    expect(server.counts.slid).toBe(1)
    const [token] = renewed
    expect((await me(token ?? '')).status).toBe(200)
    expect((await me(token ?? '', 'password')).status).toBe(401)
    server.clock.advance(20_000)
    const late = await me(old)
    expect([late.status, await fields(late)]).toEqual([401, expect.objectContaining({ error_code: 1004 })])
  })
})

describe('resources', () => {
  it('echo method, path, query and the bytes of the body', async () => {
    const server = await start()
    const { access_token } = server.login()
    const { data } = await axios.put<Echo>(`${server.url}/api/things/1`, Buffer.from('hello'), {
      params: { a: '1' },
      headers: { authorization: `Bearer ${access_token}`, 'content-type': 'text/plain' },
    })
    expect(data).toEqual({
      user: 'ada',
      method: 'PUT',
      path: '/api/things/1',
      query: { a: '1' },
      bodySha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
      bodyLength: 5,
      contentType: 'text/plain',
      seq: 1,
    })
    expect(server.log[0]).toMatchObject({
      user: 'ada',
      accessToken: access_token,
      status: 200,
      complete: true,
    })
    expect(server.log[0]?.bodyBytes.toString()).toBe('hello')
  })

  it('have one route for each unusual answer', async () => {
    const server = await start()
    const { access_token: live } = server.login()
    expect((await get(server, '/api/always-401', live)).status).toBe(401)
    const scope = await get(server, '/api/forbidden-scope', live)
    expect(scope.headers.get('www-authenticate')).toContain('insufficient_scope')
    expect(await fields(await get(server, '/api/soft-expired', 'expired'))).toEqual({ code: 'TOKEN_EXPIRED' })
    expect(await fields(await get(server, '/api/soft-expired', live))).toMatchObject({ user: 'ada' })
    const cached = await get(server, '/api/cached', live)
    expect([cached.headers.get('cache-control'), cached.headers.get('vary')]).toEqual([
      'max-age=60',
      'Authorization',
    ])
    for (const [token, status] of [
      ['expired', 401],
      [live, 200],
    ] as const) {
      const stream = await get(server, '/api/stream?bytes=100000', token)
      expect([stream.status, stream.headers.get('content-length')]).toEqual([status, null])
      expect((await stream.text()).length).toBeGreaterThan(100_000)
    }
    expect(await fields(await get(server, '/api/slow-body', live))).toMatchObject({ path: '/api/slow-body' })
    expect((await get(server, '/api/status/503', live)).status).toBe(503)
    expect(await (await get(server, '/public/x', 'any')).json()).toMatchObject({
      headers: { authorization: 'Bearer any' },
    })
    expect((await get(server, '/nowhere', live)).status).toBe(404)
    expect((await fetch(`${server.url}/api/x`, { method: 'HEAD' })).status).toBe(401)
    expect(server.counts).toMatchObject({ answered401: 4, protectedOk: 5 })
  })

  it('can be answered by the test instead', async () => {
    const server = await start()
    let status = 503
    const undo = server.route('/public/flaky', () => (status === 503 ? { status: status++ } : undefined))
    expect((await get(server, '/public/flaky')).status).toBe(503)
    expect((await get(server, '/public/flaky')).status).toBe(200)
    undo()
  })

  it('allow any page to call them with credentials', async () => {
    const server = await start()
    const preflight = await fetch(`${server.url}/api/x`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://page.test',
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'authorization,x-csrf-token',
      },
    })
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'authorization,x-csrf-token',
    ])
    expect(preflight.headers.get('access-control-allow-methods')).toBe('PATCH')
    const refused = await fetch(`${server.url}/api/x`, { headers: { origin: 'http://page.test' } })
    expect(refused.headers.get('access-control-allow-origin')).toBe('http://page.test')
    expect(refused.headers.get('access-control-expose-headers')).toContain('Authorization')
    expect(server.counts).toMatchObject({ requests: 1, preflights: 1 })
  })
})

describe('refresh behaviours', () => {
  it('return each status once, keep the refresh token valid, then behave normally again', async () => {
    const server = await start()
    const { refresh_token } = server.login()
    server.refresh.next(401, 403, 422, 503, 404, 405, 302, { status: 400, error: 'invalid_client' })
    server.refresh.next({ status: 429, retryAfter: 2 }, { status: 429, retryAfter: 'http-date' }, { code: 0 })
    const seen: unknown[] = []
    const call = async () => {
      const answer = await refresh(server, refresh_token)
      const { headers } = answer
      const hint = headers.get('retry-after') ?? headers.get('location') ?? (await fields(answer)).error
      seen.push(hint === undefined ? answer.status : [answer.status, hint])
    }
    while (server.refresh.queued > 0) await call()
    expect(seen).toEqual([
      ...[401, 403, 422, 503, 404, 405],
      [302, '/public/login-page'],
      [400, 'invalid_client'],
      [429, '2'],
      [429, expect.stringMatching(/GMT$/)],
      200,
    ])
    server.refresh.always(500)
    expect((await refresh(server, refresh_token)).status).toBe(500)
    expect((await refresh(server, refresh_token)).status).toBe(500)
    server.refresh.always(undefined)
    expect((await refresh(server, refresh_token)).status).toBe(200)
    expect(server.counts).toMatchObject({ refreshes: 14, granted: 1, refused: 0 })
  })

  it('corrupt the answer without using up the refresh token', async () => {
    const server = await start()
    const { access_token, refresh_token } = server.login()
    server.refresh.next(
      'empty',
      'html',
      'line-break-token',
      'same-token',
      'two-megabytes-of-rubbish',
      'drop-before',
    )
    const bodies: string[] = []
    for (let i = 0; i < 5; i++) bodies.push(await (await refresh(server, refresh_token)).text())
    expect(bodies[0]).toBe('')
    expect(bodies[1]).toContain('<!doctype html>')
    expect(JSON.parse(bodies[2] ?? '')).toMatchObject({ access_token: 'line\r\nX-Break: 1' })
    expect(JSON.parse(bodies[3] ?? '')).toEqual({ access_token, expires_in: 300 })
    expect(bodies[4]).toHaveLength(2 * 1024 * 1024)
    await expect(refresh(server, refresh_token)).rejects.toThrow()
    expect((await refresh(server, refresh_token)).status).toBe(200)
  })

  it('use up the refresh token and wrap, pad, trickle or lose the grant', async () => {
    const server = await start()
    let { access_token: access, refresh_token: current } = server.login()
    server.refresh.next('envelope', 'huge', 'slow-body', 'same-token-rotated', 'drop-after')
    const next = async (): Promise<Record<string, string>> => {
      const body = await fields(await refresh(server, current))
      const grant = (body.data ?? body) as Record<string, string>
      access = grant.access_token ?? ''
      current = grant.refresh_token ?? ''
      return grant
    }
    expect(await next()).toHaveProperty('refresh_token')
    expect((await next()).padding).toHaveLength(2 * 1024 * 1024)
    await next()
    expect((await get(server, '/api/me', access)).status).toBe(200)
    const repeated = access
    expect((await next()).access_token).toBe(repeated)
    await expect(refresh(server, current)).rejects.toThrow()
    expect((await refresh(server, current)).status).toBe(401)
    expect(server.counts).toMatchObject({ granted: 5, reuses: 1 })
  })

  it('apply to every dialect, cookies included', async () => {
    const server = await start()
    const jar = setCookies(await post(server, '/cookie/login', { user: 'ada', password: 'secret' }))
    const call = () =>
      post(
        server,
        '/cookie/refresh',
        {},
        { cookie: cookieHeader(jar), 'x-csrf-token': jar.csrf_refresh ?? '' },
      )
    server.refresh.next(503, 'same-token', 'line-break-token')
    expect((await call()).status).toBe(503)
    expect(setCookies(await call()).access).toBe(jar.access)
    expect(setCookies(await call()).access).toContain('%0D%0A')
    expect((await call()).status).toBe(204)
  })

  it('can give no answer at all, until the client goes away', async () => {
    const server = await start()
    server.refresh.next('never')
    const aborter = new AbortController()
    const call = fetch(`${server.url}/auth/refresh`, { method: 'POST', signal: aborter.signal })
    const lost = expect(call).rejects.toThrow()
    await server.until(() => server.counts.refreshes === 1 && server.log[0]?.complete === true)
    aborter.abort()
    await lost
    await server.idle()
    expect(server.log[0]).toMatchObject({ aborted: true, status: undefined })
  })
})

describe('holds', () => {
  it('release arrivals in any order', async () => {
    const server = await start()
    const hold = server.hold('/public/*')
    const calls: Promise<Response>[] = []
    for (const name of ['a', 'b', 'c']) {
      calls.push(get(server, `/public/${name}`))
      await hold.waiting(calls.length)
    }
    const answered = () => server.log.filter(({ status }) => status === 200).map(({ path }) => path)
    hold.releaseAt(2)
    await calls[2]
    expect(answered()).toEqual(['/public/c'])
    hold.release()
    await calls[0]
    expect(answered()).toEqual(['/public/a', '/public/c'])
    hold.releaseAll()
    await settleAll(calls)
    expect((await get(server, '/public/d')).status).toBe(200)
    expect(() => hold.releaseAt(0)).toThrow('No request is delayed at index 0')
  })

  it('decide on arrival and send the result late with at: ’answer’', async () => {
    const server = await start()
    const { access_token, refresh_token } = server.login()
    const early = server.hold('/api/early', { at: 'arrival' })
    const late = server.hold('/api/late', { at: 'answer' })
    const calls = [get(server, '/api/early', access_token), get(server, '/api/late', access_token)]
    await Promise.all([early.waiting(1), late.waiting(1)])
    server.killAccessTokens()
    early.releaseAll()
    late.releaseAll()
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([401, 200])

    const spent = server.holdRefresh({ at: 'answer', first: 1 })
    const first = refresh(server, refresh_token)
    await spent.waiting(1)
    expect((await refresh(server, refresh_token)).status).toBe(401)
    spent.release()
    expect((await first).status).toBe(200)
    expect(server.counts.reuses).toBe(1)
  })

  it('stop in the middle of a body', async () => {
    const server = await start()
    const hold = server.hold('/public/x', { at: 'body' })
    const answer = await get(server, '/public/x')
    expect(answer.status).toBe(200)
    await hold.waiting(1)
    hold.releaseAll()
    expect(await answer.json()).toMatchObject({ path: '/public/x' })
  })

  it('forget the requests whose client went away', async () => {
    const server = await start()
    const hold = server.holdRefresh()
    const { refresh_token } = server.login()
    const aborter = new AbortController()
    const call = fetch(`${server.url}/auth/refresh`, { method: 'POST', signal: aborter.signal })
    const lost = expect(call).rejects.toThrow()
    await hold.waiting(1)
    aborter.abort()
    await lost
    await hold.deserted(1)
    expect([hold.count, hold.gone]).toEqual([0, 1])
    hold.releaseAll()
    expect((await refresh(server, refresh_token)).status).toBe(200)
  })
})

describe('the server', () => {
  it('answers a thousand requests that arrive together', async () => {
    const server = await start()
    const { access_token } = server.login()
    const hold = server.hold('/api/*')
    const calls = Array.from({ length: 1000 }, (_, i) =>
      axios.get<Echo>(`${server.url}/api/${i}`, { headers: { authorization: `Bearer ${access_token}` } }),
    )
    await hold.waiting(1000)
    hold.releaseAll()
    const results = await settleAll(calls)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1000)
    expect(server.counts.protectedOk).toBe(1000)
  })

  it('records which tokens arrived, in any encoding', async () => {
    const [home, foreign] = [await start(), await start()]
    const first = home.login()
    const second = home.login()
    await get(home, '/api/me', first.access_token)
    expect(home.tokensSeen()).toEqual([first.access_token])
    expect(foreign.leaksFrom(home)).toEqual([])
    await fetch(`${foreign.url}/public/x`, {
      headers: { authorization: `Basic ${btoa(`${first.access_token}:`)}` },
    })
    await post(foreign, '/public/x', { deep: [{ t: second.refresh_token }] })
    await get(foreign, `/public/x?broken=%&t=${encodeURIComponent(second.access_token)}`)
    expect(new Set(foreign.leaksFrom(home))).toEqual(
      new Set([first.access_token, second.refresh_token, second.access_token]),
    )
    expect(foreign.leaksFrom(['hunter2'])).toEqual([])
  })

  it('keeps its sessions and its port over a restart, and breaks open connections', async () => {
    const server = await start()
    const { access_token } = server.login()
    const { url } = server
    const hold = server.hold('/api/held')
    const lost = expect(get(server, '/api/held', access_token)).rejects.toThrow()
    await hold.waiting(1)
    expect(server.sockets()).toHaveLength(1)
    await server.restart()
    await lost
    await server.idle()
    expect(server.url).toBe(url)
    expect((await get(server, '/api/me', access_token)).status).toBe(200)
    server.forget()
    expect([server.log.length, server.counts.requests]).toEqual([0, 0])
  })

  it('stops with delayed requests, twice', async () => {
    const server = await start()
    const hold = server.hold('/public/x', { at: 'answer' })
    const lost = expect(get(server, '/public/x')).rejects.toThrow()
    await hold.waiting(1)
    await server.stop()
    await server.stop()
    await lost
    expect(server.sockets()).toEqual([])
  })

  it('fails the test that stops it when a route of the test throws', async () => {
    const server = await startAuthServer()
    server.route('/public/x', () => {
      throw new Error('a slip in the test')
    })
    expect((await get(server, '/public/x')).status).toBe(500)
    await expect(server.stop()).rejects.toThrow('The auth server itself failed')
  })

  it('has a clock that only the test moves, unless it is asked to run', async () => {
    const server = await start({ startAtMs: 5_000 })
    expect(server.clock.nowMs).toBe(5_000)
    server.clock.advance(1_500)
    expect(server.clock.nowMs).toBe(6_500)
    const running = await start({ realTime: true })
    const before = running.clock.nowMs
    await expect.poll(() => running.clock.nowMs).toBeGreaterThan(before)
  })
})
