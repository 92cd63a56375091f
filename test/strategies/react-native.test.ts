// Where the platform is half there: React Native 0.72 to 0.79, whose URLSearchParams cannot `set`, reads lists as objects
// and writes blanks as %20, and which has no `btoa` before 0.74. And the two encodings themselves, beside the platform's.

import { basicUser, refreshWithOAuth2 } from 'axios-auth-client'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { basic, formEncode } from '../../src/encode.js'
import { basicOf } from '../support/auth-server/request.js'
import { oauth2 } from '../support/backends/oauth2.js'
import { setUp } from '../support/client.js'

/** react-native/Libraries/Blob/URL.js of 0.72.17, what of it matters here. */
class HalfParams {
  readonly #pairs: [string, string][] = []

  constructor(params: unknown) {
    if (typeof params === 'object' && params) {
      for (const [key, value] of Object.entries(params)) this.append(key, value)
    }
  }

  append(key: string, value: string) {
    this.#pairs.push([key, value])
  }

  toString() {
    return this.#pairs.map((pair) => pair.map((part) => encodeURIComponent(part)).join('=')).join('&')
  }
}
for (const name of ['delete', 'get', 'getAll', 'has', 'set', 'sort']) {
  Object.assign(HalfParams.prototype, {
    [name]() {
      throw new Error(`URLSearchParams.${name} is not implemented`)
    },
  })
}

function onReactNative(): void {
  vi.stubGlobal('URLSearchParams', HalfParams)
  vi.stubGlobal('btoa', undefined)
  vi.stubGlobal('atob', undefined)
  onTestFinished(() => void vi.unstubAllGlobals())
}

const clients = { spa: undefined, 'the app:1 & é': "p w~*!()'+%/€", web: 'a', service: 'ab' }

describe.each([
  ['here', () => {}],
  ['on React Native 0.72', onReactNative],
])('refreshWithOAuth2 %s', (_, arrive) => {
  it.each(Object.entries(clients))(
    'refreshes for the client %j with the secret %j',
    async (clientId, clientSecret) => {
      const { server, auth, login } = await setUp({
        server: { backend: oauth2, tokens: 'opaque', oauthClients: clients },
        refresh: refreshWithOAuth2({ url: '/oauth/token', clientId, clientSecret, scope: 'read write' }),
      })
      arrive()
      await auth.refresh()
      vi.unstubAllGlobals()
      const [call] = server.requestsTo('/oauth/token')
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: login.refresh_token,
        scope: 'read write',
      })
      if (clientSecret === undefined) form.set('client_id', clientId)
      expect(call?.bodyBytes.toString()).toBe(form.toString())
      expect(call && basicOf(call)).toEqual(
        clientSecret && {
          user: new URLSearchParams([['', clientId]]).toString().slice(1),
          password: new URLSearchParams([['', clientSecret]]).toString().slice(1),
        },
      )
      expect(server.counts).toMatchObject({ refreshes: 1, granted: 1 })
    },
  )
})

describe('on React Native 0.72', () => {
  it('basicUser places its token', () => {
    onReactNative()
    const config: { headers: Record<string, string> } = { headers: {} }
    void basicUser().place(config, 'the-token', { method: 'GET', url: 'https://api.example.com/' })
    expect(config.headers.Authorization).toBe(`Basic ${Buffer.from('the-token:').toString('base64')}`)
  })

  it('a session with tokens of every length is kept, refreshed and ended', async () => {
    onReactNative()
    const { server, api, auth } = await setUp()
    server.killAccessTokens()
    expect((await api.get('/api/me')).status).toBe(200)
    await auth.signOut()
    expect(server.counts).toMatchObject({ refreshes: 1, granted: 1 })
  })
})

describe('the encodings', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 })

  it('a form is written as URLSearchParams writes it, lone surrogates too', () => {
    const withSurrogates = fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
    })
    fc.assert(
      fc.property(
        fc.oneof(text, withSurrogates, fc.constantFrom(" !'()~*-._+%&=é€😀", '\ud800', 'a\udc00b')),
        (value) => {
          expect(formEncode(value)).toBe(new URLSearchParams([['', value]]).toString().slice(1))
        },
      ),
    )
  })

  it('a Basic credential is that of btoa, for ASCII of every length', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (user, password) => {
        expect(basic(user, password)).toBe(`Basic ${btoa(`${user}:${password}`)}`)
      }),
    )
  })
})
