// G19: whatever a token looks like inside and whatever time it is, it goes out as it came; only a lifetime that is sound
// decides when to refresh it, measured from receipt, so no clock makes a client refresh before every request.
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { createManualClock } from '../../src/testing/manual-clock.js'
import { jwtOf } from '../support/jwt.js'
import { startApp } from './app.js'
import { holdsFor } from './seed.js'
import { changeOf, damaged, nearMiss, withChanges } from './values.js'

const YEAR_MS = 365 * 86_400_000

const moment = fc.integer({ min: 0, max: 4_000_000_000 })

/** Claims of a server that is sound, whatever its clock says. */
const soundClaims = fc.record(
  { iat: moment, lifetime: fc.integer({ min: 10, max: 86_400 }), sub: fc.string() },
  { noNullPrototype: true },
)

/** A token that says nothing about its life. */
const brokenToken = fc.oneof(
  // Claims of which the decisive one is no number to count with.
  fc
    .tuple(
      fc.record({ sub: fc.string(), iat: moment, nbf: moment }, { noNullPrototype: true }),
      fc.array(changeOf(['sub', 'iat', 'nbf', '__proto__', 'constructor']), { maxLength: 3 }),
      fc.constantFrom<unknown>(undefined, null, 'never', [], {}, false, 1e300, '1e999'),
    )
    .map(([claims, changes, exp]) =>
      jwtOf(JSON.stringify({ ...(withChanges(claims, changes) as object), exp })),
    ),
  nearMiss
    .filter((value) => typeof value !== 'object' || Array.isArray(value))
    .map((value) => jwtOf(JSON.stringify(value))),
  fc
    .tuple(soundClaims, fc.double({ min: 0, max: 0.9, noNaN: true }))
    .map(([claims, at]) => jwtOf(damaged(JSON.stringify(claims), at, ''))),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => `e30.${Buffer.from(bytes).toString('base64url')}.c2ln`),
  fc.constantFrom(
    '.',
    '..',
    '...',
    'a.b.c',
    'e30',
    'e30.',
    '.e30.',
    'e30.%%%.e30',
    'e30.e30.e30.e30',
    '=.=.=',
  ),
)

/** The client's clock may be wrong by decades. */
const startMs = fc.integer({ min: 0, max: 8_000_000_000 }).map((seconds) => seconds * 1000)

async function signedIn(accessToken: string, nowMs: number, more: object = {}) {
  const clock = createManualClock(nowMs)
  let refreshes = 0
  const app = startApp({
    clock,
    refresh: async () => {
      refreshes++
      return { accessToken: `renewed-${refreshes}` }
    },
  })
  await app.auth.signIn({ accessToken, refreshToken: 'refresh', ...more })
  return { ...app, clock, refreshes: () => refreshes }
}

describe('G19', () => {
  holdsFor(
    'a broken JWT is an opaque token: it goes out as it is, today and in years, and nothing is refreshed',
    fc.record({ token: brokenToken, startMs, laterMs: fc.integer({ min: 0, max: 20 * YEAR_MS }) }),
    async ({ token, startMs, laterMs }) => {
      const { auth, clock, carried, refreshes } = await signedIn(token, startMs)
      try {
        expect(await carried()).toBe(`Bearer ${token}`)
        expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in' })
        expect(auth.getSnapshot().expiresAtMs).toBeUndefined()
        clock.jump(laterMs)
        expect(await carried()).toBe(`Bearer ${token}`)
        expect(refreshes()).toBe(0)
      } finally {
        auth.dispose()
      }
    },
    2,
  )

  holdsFor(
    'the life of a JWT is the span that it states, counted from receipt, whatever either clock says',
    fc.record({ claims: soundClaims, startMs }),
    async ({ claims: { lifetime, iat, ...others }, startMs }) => {
      const token = jwtOf(JSON.stringify({ ...others, iat, exp: iat + lifetime }))
      const { auth, clock, carried, refreshes } = await signedIn(token, startMs)
      try {
        expect(auth.getSnapshot()).toMatchObject({
          expiresAtMs: startMs + lifetime * 1000,
          subject: others.sub,
        })
        clock.jump(lifetime * 840)
        expect(await carried()).toBe(`Bearer ${token}`)
        expect(refreshes()).toBe(0)
        clock.jump(lifetime * 160)
        expect(await carried()).toBe('Bearer renewed-1')
        expect(refreshes()).toBe(1)
      } finally {
        auth.dispose()
      }
    },
  )

  holdsFor(
    'what a login says about the life of a token may be anything: the token still goes out, by one refresh at the most',
    fc.record({
      token: fc.oneof(
        brokenToken,
        soundClaims.map((claims) => jwtOf(JSON.stringify(claims))),
      ),
      startMs,
      expiresInSeconds: fc.option(fc.oneof(nearMiss, fc.double()), { nil: undefined }),
      expiresAtMs: fc.option(fc.oneof(nearMiss, fc.double()), { nil: undefined }),
      subject: fc.option(nearMiss, { nil: undefined }),
    }),
    async ({ token, startMs, ...more }) => {
      const { auth, carried, refreshes } = await signedIn(token, startMs, more)
      try {
        const bearers = [await carried(), await carried()]
        const { expiresAtMs, subject = '' } = auth.getSnapshot()
        for (const bearer of bearers) expect([`Bearer ${token}`, 'Bearer renewed-1']).toContain(bearer)
        expect(refreshes()).toBeLessThanOrEqual(1)
        if (expiresAtMs !== undefined) expect(expiresAtMs).toSatisfy(Number.isFinite)
        expect(subject).toBeTypeOf('string')
      } finally {
        auth.dispose()
      }
    },
    2,
  )
})
