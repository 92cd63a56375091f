// Proves the backends of rows B, C, D and F themselves, with plain fetch: a server that is too kind proves nothing.

import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type AuthServer, type CreateBackend, tampered } from '../auth-server.js'
import { startServer } from '../client.js'
import { fastapi } from './fastapi.js'
import { flaskHeader } from './flask-header.js'
import { flaskJson } from './flask-json.js'
import { oauth2 } from './oauth2.js'

type Body = Record<string, unknown> | URLSearchParams

/** Status and parsed body. */
async function call(server: AuthServer, path: string, init: RequestInit = {}): Promise<[number, unknown]> {
  const response = await fetch(server.url + path, { redirect: 'manual', ...init })
  return [response.status, await response.json()]
}

function post(server: AuthServer, path: string, body: Body, headers: Record<string, string> = {}) {
  const form = body instanceof URLSearchParams
  return call(server, path, {
    method: 'POST',
    headers: { ...(form ? {} : { 'content-type': 'application/json' }), ...headers },
    body: form ? body : JSON.stringify(body),
  })
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

it.each<[string, CreateBackend]>([
  ['flask-json', flaskJson],
  ['flask-header', flaskHeader],
  ['fastapi', fastapi],
  ['oauth2', oauth2],
])('%s accepts only its own protocol', async (_, backend) => {
  const server = await startServer({ backend })
  const { access_token } = server.login()
  for (const path of ['/api/me', '/cookie/refresh', '/sliding/me', '/api/v1/system/refresh_token/']) {
    expect((await call(server, path, { headers: bearer(access_token) }))[0]).toBe(404)
  }
})

describe('flask-json', () => {
  it('finds tokens in the JSON body and nowhere else', async () => {
    const server = await startServer({ backend: flaskJson })
    const { access_token: token } = server.login()
    expect((await post(server, '/orders', { token }))[0]).toBe(200)
    expect((await post(server, '/orders', {}, bearer(token)))[0]).toBe(401)
    expect((await call(server, '/orders', { headers: bearer(token) }))[0]).toBe(401)
    expect(await post(server, '/orders', { token: tampered(token) })).toEqual([
      422,
      { msg: 'Signature verification failed' },
    ])
    server.killAccessTokens()
    expect(await post(server, '/orders', { token })).toEqual([401, { msg: 'Token has expired' }])
  })

  it('refreshes two tokens that belong together, and rotates nothing', async () => {
    const server = await startServer({ backend: flaskJson })
    const ada = server.login('ada')
    const bob = server.login('bob')
    const both = { token: ada.access_token, refresh_token: ada.refresh_token }
    for (let round = 0; round < 2; round++) {
      expect(await post(server, '/refresh', both)).toEqual([200, { access_token: expect.any(String) }])
    }
    expect((await post(server, '/refresh', { ...both, token: bob.access_token }))[0]).toBe(401)
    expect((await post(server, '/refresh', { refresh_token: ada.refresh_token }))[0]).toBe(401)
    expect((await post(server, '/refresh', { ...both, refresh_token: 'forged' }))[0]).toBe(422)
  })

  it('signs in by a form only', async () => {
    const server = await startServer({ backend: flaskJson })
    const right = { username: 'ada', password: 'secret' }
    expect((await post(server, '/login', new URLSearchParams(right)))[0]).toBe(200)
    expect((await post(server, '/login', right))[0]).toBe(401)
    expect((await post(server, '/login', new URLSearchParams({ ...right, password: 'x' })))[0]).toBe(401)
  })
})

describe('flask-header', () => {
  it('accepts the refresh token for a refresh only, and the access token for the rest', async () => {
    const server = await startServer({ backend: flaskHeader })
    const { access_token, refresh_token } = server.login()
    expect((await call(server, '/auth/me', { headers: bearer(access_token) }))[0]).toBe(200)
    expect((await call(server, '/auth/me', { headers: bearer(refresh_token) }))[0]).toBe(422)
    expect((await post(server, '/auth/refresh', {}, bearer(refresh_token)))[0]).toBe(200)
    expect((await post(server, '/auth/refresh', {}, bearer(access_token)))[0]).toBe(422)
    expect((await post(server, '/auth/refresh', { refresh_token }))[0]).toBe(401)
    server.revoke()
    expect(await post(server, '/auth/refresh', {}, bearer(refresh_token))).toEqual([
      401,
      { msg: 'Token has been revoked' },
    ])
  })
})

describe('fastapi', () => {
  it('refreshes by a GET with the Bearer and by a POST with JSON, not the other way round', async () => {
    const server = await startServer({ backend: fastapi })
    const { refresh_token } = server.login()
    expect((await call(server, '/refresh_token', { headers: bearer(refresh_token) }))[0]).toBe(200)
    expect((await post(server, '/refresh_token', { refresh_token }))[0]).toBe(200)
    expect((await post(server, '/refresh_token', {}, bearer(refresh_token)))[0]).toBe(422)
    expect((await call(server, '/refresh_token'))[0]).toBe(401)
  })
})

describe('oauth2', () => {
  async function codeFor(server: AuthServer, verifier: string): Promise<string> {
    const query = new URLSearchParams({
      client_id: 'spa',
      redirect_uri: 'https://app.example/callback',
      login_hint: 'ada',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    })
    const { headers } = await fetch(`${server.url}/oauth/authorize?${query}`, { redirect: 'manual' })
    return new URL(headers.get('location') ?? '').searchParams.get('code') ?? ''
  }

  it('exchanges a code once, and for its own verifier and client only', async () => {
    const server = await startServer({ backend: oauth2 })
    async function exchange(code: string, other: Record<string, string> = {}) {
      const form = { grant_type: 'authorization_code', code, client_id: 'spa', code_verifier: 'v1' }
      const [status, body] = await post(server, '/oauth/token', new URLSearchParams({ ...form, ...other }))
      return [status, (body as { error?: string }).error]
    }
    const code = await codeFor(server, 'v1')
    expect(await exchange(code)).toEqual([200, undefined])
    expect(await exchange(code)).toEqual([400, 'invalid_grant'])
    expect(await exchange(await codeFor(server, 'v1'), { code_verifier: 'v2' })).toEqual([
      400,
      'invalid_grant',
    ])
    expect(await exchange(await codeFor(server, 'v1'), { client_id: 'web' })).toEqual([400, 'invalid_grant'])
    expect(await exchange('never issued')).toEqual([400, 'invalid_grant'])
  })
})
