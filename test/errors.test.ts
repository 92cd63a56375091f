// The errors of this package: recognised by the code and a brand that survives two copies of it.

import axios, { type AxiosError } from 'axios'
import {
  AuthClientError,
  type AuthErrorCode,
  authErrorOf,
  createAuthClient,
  isAuthClientError,
  SessionRefused,
} from 'axios-auth-client'
import { afterEach, describe, expect, it } from 'vitest'

const endings: (() => unknown)[] = []
afterEach(() => {
  for (const end of endings.splice(0)) end()
})

const CODES: AuthErrorCode[] = [
  'SESSION_EXPIRED',
  'SESSION_CHANGED',
  'SIGNED_OUT',
  'REFRESH_FAILED',
  'REFRESH_TIMEOUT',
  'BAD_GRANT',
  'BODY_NOT_REPLAYABLE',
  'BAD_OPTION',
  'DISPOSED',
]

describe('AuthClientError', () => {
  it.each(CODES)('is an Error with the code %s, a name and a message', (code) => {
    const error = new AuthClientError(code, 'what happened')
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ code, name: 'AuthClientError', message: 'what happened' })
    expect('cause' in error).toBe(false)
    expect(String(error)).toBe('AuthClientError: what happened')
  })

  it('keeps its cause as a non-enumerable property', () => {
    const cause = new Error('why')
    const error = new AuthClientError('REFRESH_FAILED', 'what', cause)
    expect(error.cause).toBe(cause)
    expect(Object.keys(error)).toEqual(['name', 'code'])
    const native = Object.getOwnPropertyDescriptor(new Error('what', { cause }), 'cause')
    expect(Object.getOwnPropertyDescriptor(error, 'cause')).toEqual(native)
  })
})

describe('isAuthClientError', () => {
  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a text', 'SIGNED_OUT'],
    ['a number', 0],
    ['an Error with our code', Object.assign(new Error('m'), { code: 'SIGNED_OUT' })],
    ['an Error with our name', Object.assign(new Error('m'), { name: 'AuthClientError' })],
    ['an AxiosError', new axios.AxiosError('m', 'SIGNED_OUT')],
    ['a SessionRefused', new SessionRefused('m')],
    ['the class', AuthClientError],
    ['a copy through JSON', JSON.parse(JSON.stringify(new AuthClientError('SIGNED_OUT', 'm')))],
  ])('refuses %s', (_, value) => {
    expect(isAuthClientError(value)).toBe(false)
  })
})

describe('authErrorOf', () => {
  const ours = new AuthClientError('SESSION_EXPIRED', 'm')

  it('returns the error itself, or the one that is its cause', () => {
    expect(authErrorOf(ours)).toBe(ours)
    expect(authErrorOf(Object.assign(new Error('x'), { cause: ours }))).toBe(ours)
    expect(authErrorOf({ cause: ours })).toBe(ours)
  })

  it('returns the outermost of two', () => {
    const outer = new AuthClientError('REFRESH_FAILED', 'm', ours)
    expect(authErrorOf(outer)).toBe(outer)
  })

  it.each([
    undefined,
    null,
    'text',
    42,
    new Error('x'),
    { cause: 'text' },
    { cause: null },
    { cause: new Error('y') },
    () => 1,
  ])('returns undefined for %s', (value) => {
    expect(authErrorOf(value)).toBeUndefined()
  })

  it('finds ours in what a caller of axios catches, sent or not', async () => {
    const status = (code: number) =>
      axios.create({
        baseURL: 'https://api.example.com',
        adapter: async (config) => {
          const response = { data: {}, status: code, statusText: '', headers: {}, config }
          throw new axios.AxiosError('m', 'ERR_BAD_REQUEST', config, undefined, response)
        },
      })
    const sent = status(401)
    const refuse = async () => {
      throw new SessionRefused('Please sign in again.')
    }
    const auth = createAuthClient(sent, { tokens: { accessToken: 'access-1' }, refresh: refuse })
    endings.push(() => auth.dispose())
    const error = await sent.get('/x').catch((caught: AxiosError) => caught)
    expect(axios.isAxiosError(error)).toBe(true)
    expect((error as AxiosError).response?.status).toBe(401)
    expect(authErrorOf(error)).toMatchObject({ code: 'SESSION_EXPIRED', message: 'Please sign in again.' })

    const unsent = status(200)
    const expired = createAuthClient(unsent, {
      tokens: { accessToken: 'access-1', expiresAtMs: 1 },
      refresh: refuse,
    })
    endings.push(() => expired.dispose())
    const held = (await unsent.get('/x').catch((caught: AxiosError) => caught)) as AxiosError
    expect(axios.isAxiosError(held)).toBe(true)
    expect(held).toMatchObject({ code: 'SESSION_EXPIRED', config: { url: '/x' } })
    expect(held.response).toBeUndefined()
    expect(authErrorOf(held)?.code).toBe('SESSION_EXPIRED')
  })
})

describe('SessionRefused', () => {
  it('is an Error with a name and the message given', () => {
    expect(new SessionRefused('over')).toMatchObject({ name: 'SessionRefused', message: 'over' })
    expect(new SessionRefused()).toBeInstanceOf(Error)
  })
})
