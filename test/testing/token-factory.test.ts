// The kit's token factory: tokens that the client reads as it reads real ones, and the same ones again from a seed.

import axios from 'axios'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createAuthClient } from '../../src/index.js'
import { createManualClock, createTokenFactory } from '../../src/testing/index.js'

/** What a client reads of an access token. */
function snapshotOf(accessToken: string) {
  const auth = createAuthClient(axios.create({ baseURL: 'https://api.test' }), { tokens: { accessToken } })
  onTestFinished(() => auth.dispose())
  return auth.getSnapshot()
}

describe('createTokenFactory', () => {
  it('repeats its tokens for the same seed, and never repeats one otherwise', () => {
    const clock = createManualClock()
    const make = (seed: number) => {
      const factory = createTokenFactory({ seed, clock })
      return Array.from({ length: 50 }, () => factory.tokens())
    }
    expect(make(1)).toEqual(make(1))
    const all = [...make(1), ...make(2)].flatMap(({ accessToken, refreshToken }) => [
      accessToken,
      refreshToken,
    ])
    expect(new Set(all).size).toBe(200)
  })

  it('exposes its seed when none was given', () => {
    const clock = createManualClock()
    const factory = createTokenFactory({ clock })
    expect(createTokenFactory({ seed: factory.seed, clock }).tokens()).toEqual(factory.tokens())
  })

  it('makes JWTs whose subject and claims the client reads, in any script', () => {
    const clock = createManualClock(1_700_000_000_999)
    const { accessToken } = createTokenFactory({ clock }).tokens({
      subject: 'José 李 🙂',
      lifetimeSeconds: 60,
      claims: { roles: ['admin'], sub2: '~~~???>>>' },
    })
    expect(accessToken).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    const [header = ''] = accessToken.split('.')
    expect(JSON.parse(atob(header))).toEqual({ alg: 'HS256', typ: 'JWT' })
    expect(snapshotOf(accessToken)).toMatchObject({
      subject: 'José 李 🙂',
      claims: { roles: ['admin'], sub2: '~~~???>>>', iat: 1_700_000_000, exp: 1_700_000_060 },
    })
  })

  it('makes opaque tokens that reveal nothing to the client', () => {
    const { accessToken, expiresInSeconds } = createTokenFactory({ kind: 'opaque' }).tokens({
      subject: 'ada',
    })
    expect(snapshotOf(accessToken).claims).toBeUndefined()
    expect(expiresInSeconds).toBe(300)
  })

  it('makes a token without an expiry where the claims remove it', () => {
    const accessToken = createTokenFactory().accessToken({ claims: { exp: undefined } })
    expect(snapshotOf(accessToken)).toMatchObject({ status: 'signed-in', subject: 'ada' })
    expect(snapshotOf(accessToken).expiresAtMs).toBeUndefined()
  })
})
