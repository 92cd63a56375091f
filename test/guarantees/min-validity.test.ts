// getAccessToken({ minValidityMs }): at most one refresh for a token that lives long enough, and not one per call where
// tokens never live that long.

import { describe, expect, it } from 'vitest'
import { failureOf, landed, setUp } from '../support/client.js'
import { createHandStore } from '../support/stores.js'

const LIFE_MS = 300_000

describe('a minValidityMs longer than the tokens’ lifetime', () => {
  it.each([
    ['a day', 86_400_000],
    ['forever', Number.POSITIVE_INFINITY],
    ['a little longer than they live', LIFE_MS + 1],
    ['exactly as long as they live', LIFE_MS],
    ['hardly less than they live', LIFE_MS - 1],
  ])('starts one refresh, not one for each call: %s', async (_, minValidityMs) => {
    const { auth, server, clock } = await setUp()
    const given = new Set<string | undefined>()
    for (let i = 0; i < 10; i++) {
      clock.jump(1000)
      given.add(await auth.getAccessToken({ minValidityMs }))
    }
    expect(server.counts.refreshes).toBe(1)
    expect([...given]).toEqual([server.sessions[0]?.accessToken])
  })

  it('starts no further refresh until the token is stale', async () => {
    const { auth, server, clock } = await setUp()
    for (let afterMs = 0; afterMs < LIFE_MS - 30_000; afterMs += 10_000) {
      await auth.getAccessToken({ minValidityMs: 10 ** 9 })
      clock.jump(10_000)
    }
    expect(server.counts.refreshes).toBe(1)
    await auth.getAccessToken({ minValidityMs: 10 ** 9 })
    await landed(auth)
    await auth.getAccessToken({ minValidityMs: 10 ** 9 })
    expect(server.counts.refreshes).toBe(2)
  })

  it('starts one refresh for many callers at once', async () => {
    const { auth, server } = await setUp()
    const ask = () => Promise.all([1, 2, 3].map(() => auth.getAccessToken({ minValidityMs: 10 ** 9 })))
    await ask()
    await ask()
    expect(server.counts.refreshes).toBe(1)
  })

  it('does not affect a shorter one', async () => {
    const { auth, server, clock } = await setUp()
    await auth.getAccessToken({ minValidityMs: 10 ** 9 })
    clock.jump(200_000)
    await auth.getAccessToken({ minValidityMs: 99_999 })
    expect(server.counts.refreshes).toBe(1)
    await auth.getAccessToken({ minValidityMs: 100_001 })
    expect(server.counts.refreshes).toBe(2)
  })

  it('applies again once tokens live longer', async () => {
    const { auth, server, clock } = await setUp()
    await auth.getAccessToken({ minValidityMs: 1_000_000 })
    await auth.updateTokens({
      accessToken: 'long',
      refreshToken: server.login().refresh_token,
      expiresInSeconds: 3600,
    })
    clock.jump(3_000_000)
    await auth.getAccessToken({ minValidityMs: 1_000_000 })
    expect(await auth.getAccessToken({ minValidityMs: 1_000_000 })).not.toBe('long')
    expect(server.counts.refreshes).toBe(2)
  })

  it('is learnt again by the next session', async () => {
    const { auth, server, login } = await setUp()
    await auth.getAccessToken({ minValidityMs: 10 ** 9 })
    const {
      access_token: accessToken,
      refresh_token: refreshToken,
      expires_in: expiresInSeconds,
    } = server.login('bob')
    await auth.signIn({ accessToken, refreshToken, expiresInSeconds })
    expect(await auth.getAccessToken({ minValidityMs: 10 ** 9 })).not.toBe(login.access_token)
    expect(server.counts.refreshes).toBe(2)
  })
})

describe('an invalid minValidityMs', () => {
  it.each([Number.NaN, -1, Number.NEGATIVE_INFINITY, 0, undefined])(
    '%s has no effect',
    async (minValidityMs) => {
      const { auth, server, login, clock } = await setUp()
      clock.jump(200_000)
      expect(await auth.getAccessToken({ minValidityMs })).toBe(login.access_token)
      expect(server.counts.refreshes).toBe(0)
      clock.jump(100_000)
      expect(await auth.getAccessToken({ minValidityMs })).not.toBe(login.access_token)
      expect(server.counts.refreshes).toBe(1)
    },
  )

  it('resolves with a token of unknown lifetime, however long it has to be valid', async () => {
    const { auth, server } = await setUp({ signedIn: false })
    await auth.signIn({ accessToken: 'opaque' })
    expect(await auth.getAccessToken({ minValidityMs: Number.POSITIVE_INFINITY })).toBe('opaque')
    expect(server.counts.requests).toBe(0)
  })
})

/** A signal as React Native has it: without a reason. */
function bareSignal() {
  const target = new EventTarget()
  const signal = {
    aborted: false,
    addEventListener: target.addEventListener.bind(target),
    removeEventListener: target.removeEventListener.bind(target),
  }
  const abort = () => {
    signal.aborted = true
    target.dispatchEvent(new Event('abort'))
  }
  return { signal: signal as unknown as AbortSignal, abort }
}

describe('G18: getAccessToken with a signal that has no reason', () => {
  const aborted = { name: 'AbortError', message: expect.stringMatching(/./) }

  it('G18: rejects with an AbortError when it was aborted beforehand', async () => {
    const { auth } = await setUp()
    const { signal, abort } = bareSignal()
    abort()
    const error = await failureOf(auth.getAccessToken({ signal }))
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject(aborted)
  })

  it('G18: rejects with an AbortError while a refresh is under way', async () => {
    const { auth, server } = await setUp()
    const hold = server.holdRefresh()
    const { signal, abort } = bareSignal()
    const failure = failureOf(auth.getAccessToken({ signal, minValidityMs: 10 ** 9 }))
    await hold.waiting(1)
    abort()
    expect(await failure).toMatchObject(aborted)
    hold.releaseAll()
  })

  it('G18: rejects with an AbortError while the store is read', async () => {
    const store = createHandStore()
    store.hold('load')
    const { auth } = await setUp({ store, signedIn: false })
    const { signal, abort } = bareSignal()
    const failure = failureOf(auth.getAccessToken({ signal }))
    abort()
    expect(await failure).toMatchObject(aborted)
    store.releaseAll()
  })

  it('G18: rejects with the signal’s reason, whatever it is', async () => {
    const { auth } = await setUp()
    expect(await failureOf(auth.getAccessToken({ signal: AbortSignal.abort() }))).toMatchObject(aborted)
    expect(await failureOf(auth.getAccessToken({ signal: AbortSignal.abort(null) }))).toBeNull()
    expect(await failureOf(auth.getAccessToken({ signal: AbortSignal.abort('left') }))).toBe('left')
  })
})
