// An app that owns its tokens, by hand: what it may hold, how late it may show a write, how it may fail. With the real
// libraries and a real server: app-owned.test.ts.

import axios from 'axios'
import {
  type AppStoreOptions,
  type AuthClientOptions,
  appStore,
  createAuthClient,
  type RefreshContext,
  type SessionRecord,
  type TokenStore,
  type Tokens,
} from 'axios-auth-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { describeTokenStore } from '../contracts/token-store.js'
import { outcomesOf } from '../support/client.js'
import { jwtOf } from '../support/jwt.js'
import { microtasksDone } from '../support/real-time.js'
import { createOpenStore } from '../support/stores.js'

/** An app's state, with `read` and `write`; what `write` puts there can be read after `show`. */
function createApp(initial?: Tokens) {
  const writes: (Tokens | undefined)[] = []
  let next = initial
  const app = {
    /** What `read` gives. */
    shown: initial as unknown,
    writes,
    isLate: false,
    show() {
      app.shown = next
    },
    read: () => app.shown as Tokens | undefined,
    write(tokens: Tokens | undefined): unknown {
      writes.push(tokens)
      next = tokens
      if (!app.isLate) app.show()
      return undefined
    },
  }
  return app
}

type App = ReturnType<typeof createApp>

/** Calls through the object, so that a test can exchange its methods. */
const storeOf = (app: App, more: Partial<AppStoreOptions> = {}) =>
  appStore({ read: () => app.read(), write: (tokens) => app.write(tokens), ...more })

/** A page whose server refuses the access tokens in `refused`. */
function page(store: TokenStore, options: AuthClientOptions = {}) {
  const sent: unknown[] = []
  const refused = new Set<unknown>()
  const api = axios.create({
    baseURL: 'https://api.example.com',
    adapter: async (config) => {
      const authorization = config.headers.Authorization
      sent.push(authorization)
      const status = refused.has(authorization) ? 401 : 200
      const response = { data: {}, status, statusText: '', headers: {}, config }
      if (status === 200) return response
      throw new axios.AxiosError('refused', 'ERR_BAD_REQUEST', config, undefined, response)
    },
  })
  const ends: string[] = []
  const auth = createAuthClient(api, {
    store,
    onSessionEnd: ({ reason }) => void ends.push(reason),
    refreshRetry: { limit: 0 },
    ...options,
  })
  onTestFinished(() => auth.dispose())
  const errors: string[] = []
  auth.on('storeError', ({ operation, error }) => errors.push(`${operation}: ${error.message}`))
  return { api, auth, sent, refused, ends, errors }
}

/** A strategy that renews `a1` to `a2`, and so on, the refresh token with it. */
function rotating() {
  const spent: unknown[] = []
  const refresh = async ({ refreshToken }: RefreshContext): Promise<Tokens> => {
    spent.push(refreshToken)
    const count = spent.length + 1
    return { accessToken: `a${count}`, refreshToken: `r${count}` }
  }
  return { refresh, spent }
}

const FIRST = { accessToken: 'a1', refreshToken: 'r1' }

describeTokenStore('appStore', () => {
  const store = storeOf(createApp())
  return () => store
})

describeTokenStore('appStore over an app that shows its writes late', () => {
  const app = createApp()
  app.isLate = true
  const store = storeOf(app)
  return () => store
})

describeTokenStore('appStore over an app that keeps one text', () => {
  let text = ''
  const store = appStore({
    read: () => (text ? { accessToken: text } : null),
    async write(tokens) {
      text = tokens?.accessToken ?? ''
    },
  })
  return () => store
})

describe('what the app reads and writes', () => {
  it('writes tokens, lifetime and subject, with unknown fields undefined', async () => {
    const app = createApp()
    const { auth } = page(storeOf(app))
    const nowMs = Date.now()
    await auth.signIn({ ...FIRST, expiresInSeconds: 60, subject: 'ada' })
    expect(app.writes).toEqual([{ ...FIRST, subject: 'ada', expiresAtMs: expect.any(Number) }])
    expect(Math.abs(Number(app.writes[0]?.expiresAtMs) - nowMs - 60_000)).toBeLessThan(5000)
    await auth.signIn({ accessToken: 'b1' })
    expect(app.writes[1]).toStrictEqual({
      accessToken: 'b1',
      refreshToken: undefined,
      expiresAtMs: undefined,
      subject: undefined,
    })
  })

  it('passes the app a copy, and copies what the app returns', async () => {
    const app = createApp()
    const { api, auth, sent, ends } = page(storeOf(app))
    await auth.signIn(FIRST)
    Object.assign(app.shown as Tokens, { accessToken: 'changed in place' })
    app.shown = Object.freeze({ ...FIRST, theme: 'dark' })
    await api.get('/x')
    app.shown = new Proxy({ ...FIRST }, {})
    await api.get('/x')
    app.shown = { accessToken: 'a1' }
    await api.get('/x')
    expect(sent).toEqual(['Bearer a1', 'Bearer a1', 'Bearer a1'])
    expect(ends).toEqual([])
  })

  it('keeps the refresh token for an app that does not, as long as the page is open', async () => {
    const app = createApp()
    const { refresh, spent } = rotating()
    const store = appStore({
      read: app.read,
      write: (tokens) => app.write(tokens && { accessToken: tokens.accessToken }),
    })
    const { auth } = page(store, { refresh })
    await auth.signIn(FIRST)
    await auth.refresh()
    await auth.refresh()
    expect(spent).toEqual(['r1', 'r2'])
  })

  it.each([undefined, null, { accessToken: '' }, { accessToken: null, refreshToken: null }])(
    'reads %j as signed out, without a warning',
    async (nothing) => {
      const app = createApp(FIRST)
      const { api, auth, errors, sent } = page(storeOf(app))
      app.shown = nothing
      await api.get('/x')
      expect(auth.getSnapshot().status).toBe('signed-out')
      expect(sent).toEqual([undefined])
      expect(errors).toEqual([])
    },
  )

  it.each([
    ['no accessToken', { token: 'a1' }],
    ['no accessToken', { accessToken: '', refreshToken: 'r1' }],
    ['an accessToken that a header cannot hold', { accessToken: 'a\n1' }],
    ['a refreshToken that a header cannot hold', { accessToken: 'a1', refreshToken: { r: 1 } }],
    ['no tokens', 'a1'],
  ])('G23: reports %s once, and reads %j as signed out', async (flaw, garbage) => {
    const app = createApp(FIRST)
    const { api, auth, errors, sent, ends } = page(storeOf(app))
    app.shown = garbage
    await api.get('/x')
    await api.get('/x')
    expect(errors).toEqual([`load: The tokens of the app cannot be used: ${flaw}.`])
    expect(sent).toEqual([undefined, undefined])
    expect(ends).toEqual(['signed-out-elsewhere'])
    app.shown = { accessToken: 'a2' }
    await api.get('/x')
    expect(sent.at(-1)).toBe('Bearer a2')
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  it('G23: starts signed out with tokens that cannot be used, and reports them', async () => {
    const { auth, errors } = page(storeOf(createApp({ accessToken: 'a 1' })))
    await auth.ready
    await Promise.resolve()
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(errors).toHaveLength(1)
  })

  it('G19: refreshes an app’s JWT that expired an hour ago before it is sent', async () => {
    const endedSeconds = Math.floor(Date.now() / 1000) - 3600
    const app = createApp({
      accessToken: jwtOf({ exp: endedSeconds, iat: endedSeconds - 7200 }),
      refreshToken: 'r1',
    })
    const { refresh } = rotating()
    const { api, sent } = page(storeOf(app), { refresh })
    await api.get('/x')
    expect(sent).toEqual(['Bearer a2'])
  })

  it('G19: passes shouldRefresh no lifetime of tokens that the app supplied itself', async () => {
    const app = createApp()
    const seen: unknown[] = []
    const { api, auth } = page(storeOf(app), {
      shouldRefresh: ({ expired }) => {
        seen.push(expired)
        return false
      },
    })
    await auth.signIn({ ...FIRST, expiresInSeconds: 3600 })
    await api.get('/x')
    app.shown = { accessToken: 'b1', refreshToken: 'r1', expiresAtMs: Date.now() + 3_600_000 }
    await api.get('/x')
    expect(seen).toEqual([false, undefined])
  })

  it('uses the app’s subject where the token names none', () => {
    const { auth } = page(storeOf(createApp({ ...FIRST, subject: 'ada@example.com' })))
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'ada@example.com' })
  })
})

describe('how a change by the app affects the session', () => {
  const ada = jwtOf({ sub: 'ada', n: 1 })
  const adaAgain = jwtOf({ sub: 'ada', n: 2 })
  const grace = jwtOf({ sub: 'grace' })
  const changes: [string, Tokens, Tokens, string[]][] = [
    ['a new access token', FIRST, { accessToken: 'a2', refreshToken: 'r1' }, []],
    ['a new refresh token', FIRST, { accessToken: 'a1', refreshToken: 'r2' }, []],
    ['the same tokens with other fields', FIRST, { ...FIRST, expiresAtMs: 1, subject: 'ada' }, []],
    [
      'both new, by claims of the same user',
      { accessToken: ada, refreshToken: 'r1' },
      { accessToken: adaAgain, refreshToken: 'r2' },
      [],
    ],
    [
      'both new, with the same subject',
      { ...FIRST, subject: 'ada' },
      { accessToken: 'a2', refreshToken: 'r2', subject: 'ada' },
      [],
    ],
    [
      "a token of the same user without the name that was the app's",
      { accessToken: ada, refreshToken: 'r1', subject: 'ada@example.com' },
      { accessToken: adaAgain, refreshToken: 'r2' },
      [],
    ],
    [
      'both new, with the same number of a user',
      { ...FIRST, subject: 17 as never },
      { accessToken: 'a2', refreshToken: 'r2', subject: 17 as never },
      [],
    ],
    [
      'both new, of nobody knows whom',
      FIRST,
      { accessToken: 'a2', refreshToken: 'r2' },
      ['replaced-elsewhere'],
    ],
    [
      'a new access token, without refresh tokens',
      { accessToken: 'a1' },
      { accessToken: 'a2' },
      ['replaced-elsewhere'],
    ],
    [
      'both new, by claims of another user',
      { accessToken: ada, refreshToken: 'r1' },
      { accessToken: grace, refreshToken: 'r2' },
      ['replaced-elsewhere'],
    ],
    [
      "another user's access token beside a refresh token that was left",
      { accessToken: ada, refreshToken: 'r1' },
      { accessToken: grace, refreshToken: 'r1' },
      ['replaced-elsewhere'],
    ],
    [
      "another user's tokens beside a subject that was left",
      { accessToken: ada, refreshToken: 'r1', subject: 'ada@example.com' },
      { accessToken: grace, refreshToken: 'r2', subject: 'ada@example.com' },
      ['replaced-elsewhere'],
    ],
    [
      'a new access token, with another subject',
      { ...FIRST, subject: 'ada' },
      { accessToken: 'a2', refreshToken: 'r1', subject: 'grace' },
      ['replaced-elsewhere'],
    ],
    [
      "a name of the app's for one that only the claims have named",
      { accessToken: ada, refreshToken: 'r1' },
      { accessToken: adaAgain, refreshToken: 'r2', subject: 'ada@example.com' },
      [],
    ],
  ]
  it.each(changes)('G24: %s', async (_, before, after, expected) => {
    const app = createApp()
    const { refresh, spent } = rotating()
    const { api, auth, sent, ends } = page(storeOf(app), { refresh })
    await auth.signIn(before)
    app.shown = after
    await api.get('/x')
    expect(sent).toEqual([`Bearer ${after.accessToken}`])
    expect(ends).toEqual(expected)
    await auth.refresh()
    expect(spent).toEqual([after.refreshToken])
  })

  it.each(changes)(
    'G24: the same for a client that found the tokens in the app: %s',
    async (_, before, after, expected) => {
      const app = createApp(before)
      const { api, sent, ends } = page(storeOf(app))
      app.shown = after
      await api.get('/x')
      expect(sent).toEqual([`Bearer ${after.accessToken}`])
      expect(ends).toEqual(expected)
    },
  )

  const record = { v: 1, sessionId: 's', version: 1 } as const
  const named = { ...record, tokens: FIRST, subject: 'ada@example.com', expiresAtMs: 1e12 }
  const claimed = { ...record, tokens: { accessToken: ada, refreshToken: 'r1' }, subject: 'ada' }
  const both = { ...claimed, subject: 'ada@example.com', claimedSubject: 'ada' }
  it.each<[string, SessionRecord, Tokens, object]>([
    [
      'the name, where the app does not show it any more',
      named,
      { accessToken: 'a2', refreshToken: 'r1' },
      { version: 2, tokens: { accessToken: 'a2', refreshToken: 'r1' }, subject: 'ada@example.com' },
    ],
    [
      'the lifetime, where the access token is the same',
      named,
      { accessToken: 'a1', refreshToken: 'r2' },
      { ...named, version: 2, tokens: { accessToken: 'a1', refreshToken: 'r2' } },
    ],
    [
      'the refresh token, where the app does not show it',
      claimed,
      { accessToken: adaAgain },
      { version: 2, tokens: { accessToken: adaAgain, refreshToken: 'r1' }, subject: 'ada' },
    ],
    [
      'both names',
      both,
      { accessToken: adaAgain, refreshToken: 'r1' },
      { version: 2, subject: 'ada@example.com', claimedSubject: 'ada' },
    ],
    [
      'what the claims said, where there are none any more',
      claimed,
      { accessToken: 'a2', refreshToken: 'r1' },
      { version: 2, claimedSubject: 'ada' },
    ],
    [
      'what the claims say now',
      named,
      { accessToken: ada, refreshToken: 'r1' },
      { version: 2, subject: 'ada@example.com', claimedSubject: 'ada' },
    ],
  ])('keeps %s', (_, before, after, expected) => {
    const app = createApp()
    const store = storeOf(app)
    void store.save(before)
    app.shown = after
    const { v, sessionId } = record
    const found = store.load()
    expect(found).toMatchObject({ v, sessionId, ...expected })
    for (const field of ['subject', 'claimedSubject', 'estimated'])
      if (!(field in expected)) expect(found).not.toHaveProperty(field)
  })

  it('G24: distinguishes users by subjectOf where sub does not name them', async () => {
    const app = createApp()
    const { api, auth, ends } = page(storeOf(app), { subjectOf: ({ user_id }) => user_id as number })
    await auth.signIn({ accessToken: jwtOf({ user_id: 1 }), refreshToken: 'r1' })
    app.shown = { accessToken: jwtOf({ user_id: 2 }), refreshToken: 'r1' }
    await api.get('/x')
    expect(ends).toEqual(['replaced-elsewhere'])
  })

  it('applies to a request whose interceptors are still running', async () => {
    const app = createApp(FIRST)
    const { api, sent } = page(storeOf(app))
    api.interceptors.request.use(async (config) => {
      app.shown = undefined
      return config
    })
    expect(outcomesOf(await Promise.allSettled([api.get('/x')]))).toEqual(['SIGNED_OUT'])
    expect(sent).toEqual([])
  })
})

describe('an app whose reads lag behind its writes', () => {
  function late(initial?: Tokens) {
    const app = createApp(initial)
    app.isLate = true
    const { refresh, spent } = rotating()
    return { app, spent, ...page(storeOf(app), { refresh }) }
  }

  it('is not signed out by a sign-in that it does not return yet', async () => {
    const { app, api, auth, sent, ends } = late()
    await auth.signIn(FIRST)
    await api.get('/x')
    app.show()
    await api.get('/x')
    expect(sent).toEqual(['Bearer a1', 'Bearer a1'])
    expect(ends).toEqual([])
  })

  it('does not restore older tokens during successive refreshes', async () => {
    const { app, api, auth, sent, spent, ends } = late(FIRST)
    const shown: unknown[] = []
    for (const _ of [2, 3, 4]) {
      await auth.refresh()
      shown.push(app.writes.at(-1))
      await api.get('/x')
    }
    for (app.shown of shown) await api.get('/x')
    expect(spent).toEqual(['r1', 'r2', 'r3'])
    expect(sent).toEqual(['a2', 'a3', 'a4', 'a4', 'a4', 'a4'].map((token) => `Bearer ${token}`))
    expect(ends).toEqual([])
    expect(auth.stats().adopted).toBe(0)
  })

  it('does not restore a session that was signed out', async () => {
    const { app, api, auth, sent, ends } = late(FIRST)
    await auth.signOut()
    await api.get('/x')
    app.show()
    await api.get('/x')
    expect(sent).toEqual([undefined, undefined])
    expect(ends).toEqual(['signed-out'])
  })

  it('does not restore the previous user, whatever it returns meanwhile', async () => {
    const { app, api, auth, sent, ends } = late(FIRST)
    await auth.signOut()
    await auth.signIn({ accessToken: 'b1', refreshToken: 's1' })
    await api.get('/x')
    app.shown = undefined
    await api.get('/x')
    app.show()
    await api.get('/x')
    expect(sent).toEqual(Array(3).fill('Bearer b1'))
    expect(ends).toEqual(['signed-out'])
  })

  it.each([
    { accessToken: 'b1', refreshToken: 'r1' },
    { accessToken: 'a1', refreshToken: 's1' },
  ])('mixes no two users while it changes one field after the other: %j', async (mixture) => {
    const { app, api, auth, sent, spent, ends } = late(FIRST)
    await auth.signIn({ accessToken: 'b1', refreshToken: 's1' })
    app.shown = mixture
    await api.get('/x')
    app.show()
    await auth.refresh()
    expect(sent).toEqual(['Bearer b1'])
    expect(spent).toEqual(['s1'])
    expect(ends).toEqual(['replaced'])
  })

  it('does not restore a user who signed in and out before it returned either', async () => {
    const { app, api, auth, sent, ends } = late()
    await auth.signIn(FIRST)
    await auth.signOut()
    await api.get('/x')
    app.shown = FIRST
    await api.get('/x')
    app.show()
    await api.get('/x')
    expect(sent).toEqual([undefined, undefined, undefined])
    expect(ends).toEqual(['signed-out'])
  })

  it('continues with the newest refresh token where it returns none', async () => {
    const app = createApp()
    app.isLate = true
    const spent: unknown[] = []
    const { api, auth } = page(storeOf(app), {
      refresh: async ({ refreshToken }) => {
        spent.push(refreshToken)
        return { accessToken: jwtOf({ sub: 'ada', n: spent.length }), refreshToken: `r${spent.length + 1}` }
      },
    })
    await auth.signIn({ accessToken: jwtOf({ sub: 'ada' }), refreshToken: 'r1' })
    app.show()
    await auth.refresh()
    app.shown = { accessToken: jwtOf({ sub: 'ada', by: 'the app' }) }
    await api.get('/x')
    await auth.refresh()
    expect(spent).toEqual(['r1', 'r2'])
  })

  it('accepts tokens that it has refreshed for the previous user', async () => {
    const { app, api, auth, sent, ends } = late(FIRST)
    await auth.signIn({ accessToken: 'b1', refreshToken: 's1' })
    app.shown = { accessToken: 'a9', refreshToken: 'r1' }
    await api.get('/x')
    expect(sent).toEqual(['Bearer a9'])
    expect(ends).toEqual(['replaced', 'replaced-elsewhere'])
  })

  it('counts its own change before and after it returns the write', async () => {
    const { app, api, auth, sent, ends } = late(FIRST)
    await auth.refresh()
    app.shown = undefined
    await api.get('/x')
    app.shown = { accessToken: 'b1' }
    await api.get('/x')
    app.shown = FIRST
    await api.get('/x')
    expect(sent).toEqual([undefined, 'Bearer b1', 'Bearer a1'])
    expect(ends).toEqual(['signed-out-elsewhere', 'replaced-elsewhere'])
  })

  it('counts older tokens as a change once it has returned newer ones', async () => {
    const { app, api, auth, sent, spent } = late({ ...FIRST, subject: 'ada' })
    await auth.refresh()
    app.show()
    await api.get('/x')
    app.shown = undefined
    await api.get('/x')
    app.shown = { ...FIRST, subject: 'ada' }
    await api.get('/x')
    expect(sent).toEqual(['Bearer a2', undefined, 'Bearer a1'])
    expect(spent).toEqual(['r1'])
  })

  it('keeps the session in memory where the app never returns anything', async () => {
    const { app, api, auth, sent, spent, ends } = late(FIRST)
    for (let count = 0; count < 50; count++) await auth.refresh()
    await api.get('/x')
    expect(app.shown).toBe(FIRST)
    expect(new Set(spent).size).toBe(50)
    expect(sent).toEqual(['Bearer a51'])
    expect(ends).toEqual([])
  })
})

describe('an app that fails', () => {
  it('G17: keeps the session in memory when `write` throws, and never sends a used token', async () => {
    const app = createApp(FIRST)
    const { refresh, spent } = rotating()
    const { api, auth, sent, errors, ends } = page(storeOf(app), { refresh })
    app.write = () => {
      throw new Error('The app is full.')
    }
    await auth.refresh()
    await api.get('/x')
    await auth.refresh()
    expect(sent).toEqual(['Bearer a2'])
    expect(spent).toEqual(['r1', 'r2'])
    expect(errors).toEqual(['save: The app is full.', 'save: The app is full.'])
    expect(ends).toEqual([])
    // It counts nevertheless what the app does by itself.
    app.shown = { accessToken: 'a9', refreshToken: 'r1' }
    await api.get('/x')
    expect(sent.at(-1)).toBe('Bearer a9')
    expect(ends).toEqual([])
    app.shown = undefined
    await api.get('/x')
    expect(ends).toEqual(['signed-out-elsewhere'])
  })

  it('removes used tokens from an app that cannot store the new ones', async () => {
    const app = createApp(FIRST)
    const { refresh } = rotating()
    const { auth, errors } = page(storeOf(app), { refresh })
    const { write } = app
    app.write = (tokens) => {
      if (tokens) throw new Error('The app is full.')
      write(tokens)
    }
    await auth.refresh()
    expect(app.shown).toBeUndefined()
    expect(await auth.getAccessToken()).toBe('a2')
    expect(errors).toEqual(['save: The app is full.'])
  })

  it('counts a write that succeeded although a listener of the app threw', async () => {
    const app = createApp(FIRST)
    const { refresh, spent } = rotating()
    const { api, auth, sent, errors, ends } = page(storeOf(app), { refresh })
    const { write } = app
    app.write = (tokens) => {
      write(tokens)
      throw new Error('A listener threw.')
    }
    await auth.refresh()
    await api.get('/x')
    await auth.refresh()
    await api.get('/x')
    expect(sent).toEqual(['Bearer a2', 'Bearer a3'])
    expect(spent).toEqual(['r1', 'r2'])
    expect(errors).toEqual(['save: A listener threw.', 'save: A listener threw.'])
    expect(ends).toEqual([])
  })

  it('waits for a `write` that is a promise, and reports what it rejects with', async () => {
    const app = createApp()
    const { auth, errors } = page(storeOf(app))
    let finish = (_?: unknown): void => {}
    const { write } = app
    app.write = (tokens) =>
      new Promise((resolve) => {
        finish = resolve
      }).then(() => write(tokens))
    let isDone = false
    const signedIn = auth.signIn(FIRST).then(() => {
      isDone = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isDone).toBe(false)
    finish()
    await signedIn
    expect(app.shown).toMatchObject(FIRST)
    app.write = async () => {
      throw new Error('The disk is full.')
    }
    await auth.updateTokens({ accessToken: 'a2' })
    expect(errors).toEqual(['save: The disk is full.'])
    expect(await auth.getAccessToken()).toBe('a2')
  })

  it('counts a logout that the app makes while a `write` is on its way as soon as that has settled', async () => {
    const app = createApp(FIRST)
    const { auth, ends } = page(storeOf(app))
    const { write } = app
    let finish = (_?: unknown): void => {}
    app.write = (tokens) => {
      write(tokens)
      return new Promise((resolve) => {
        finish = resolve
      })
    }
    const updated = auth.updateTokens({ accessToken: 'a2' })
    app.shown = undefined
    finish()
    await Promise.allSettled([updated])
    await new Promise((resolve) => setImmediate(resolve))
    expect(ends).toEqual(['signed-out-elsewhere'])
    expect(auth.getSnapshot().status).toBe('signed-out')
  })

  it('G17: continues with the current session while `read` throws', async () => {
    const app = createApp()
    const { read } = app
    app.read = () => {
      throw new Error('The app is not there yet.')
    }
    const { api, auth, sent, errors } = page(storeOf(app))
    await api.get('/x')
    app.read = read
    app.shown = FIRST
    await api.get('/x')
    app.read = () => {
      throw new Error('The app is gone.')
    }
    await api.get('/x')
    await auth.updateTokens({ accessToken: 'a2' })
    expect(sent).toEqual([undefined, 'Bearer a1', 'Bearer a1'])
    expect(new Set(errors)).toEqual(new Set(['load: The app is not there yet.', 'load: The app is gone.']))
    expect(app.shown).toMatchObject({ accessToken: 'a2' })
  })
})

describe('an app that can be read only later', () => {
  it('keeps an earlier sign-in, although it returns it even later', async () => {
    const app = createApp()
    app.isLate = true
    const { read } = app
    app.read = () => {
      throw new Error('The app is not there yet.')
    }
    const { api, auth, sent, ends } = page(storeOf(app))
    await auth.signIn(FIRST)
    app.read = read
    await api.get('/x')
    app.show()
    await api.get('/x')
    expect(sent).toEqual(['Bearer a1', 'Bearer a1'])
    expect(ends).toEqual([])
  })
})

describe('an app that acts from within a write', () => {
  /** Its listeners are called in the middle of `write`, when the app shows it already. */
  function loud() {
    const app = createApp()
    const listeners = new Set<() => void>()
    const { write } = app
    const announce = () => {
      for (const listener of [...listeners]) listener()
    }
    app.write = (tokens) => {
      write(tokens)
      announce()
    }
    const store = storeOf(app, {
      subscribe(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    })
    return { app, listeners, announce, ...page(store) }
  }

  it('gets one session end, and sends no token, when it makes a request in answer to a sign-out', async () => {
    const { api, auth, listeners, ends, sent } = loud()
    await auth.signIn(FIRST)
    const made: Promise<unknown>[] = []
    listeners.add(() => void made.push(Promise.allSettled([api.get('/x')])))
    await auth.signOut()
    await Promise.all(made)
    expect(made).toHaveLength(1)
    expect(ends).toEqual(['signed-out'])
    // Nobody is signed in by then: it goes out as a public request.
    expect(sent).toEqual([undefined])
  })

  it('may announce a change that is the client’s own', async () => {
    const { auth, listeners, ends } = loud()
    await auth.signIn(FIRST)
    await auth.signIn({ accessToken: 'b1' })
    await auth.signOut()
    expect(ends).toEqual(['replaced', 'signed-out'])
    auth.dispose()
    expect(listeners.size).toBe(0)
  })

  it('may log out in answer to a sign-in', async () => {
    const { app, auth, listeners, ends } = loud()
    listeners.add(() => {
      app.shown = undefined
    })
    await auth.signIn(FIRST)
    await auth.ready
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(ends).toEqual(['signed-out-elsewhere'])
  })

  it('may sign in another user in answer to a sign-in', async () => {
    const { app, api, auth, listeners, sent } = loud()
    const next = async () => {
      listeners.delete(next)
      await auth.signIn({ accessToken: 'b1' })
    }
    listeners.add(next)
    await auth.signIn(FIRST)
    await api.get('/x')
    expect(sent).toEqual(['Bearer b1'])
    expect(app.shown).toMatchObject({ accessToken: 'b1' })
    app.shown = undefined
    await api.get('/x')
    expect(sent.at(-1)).toBeUndefined()
  })
})

describe('two clients on one app', () => {
  it('G21: notify each other, and take turns', async () => {
    const app = createApp(FIRST)
    const store = storeOf(app)
    const { refresh, spent } = rotating()
    const [one, two] = [page(store, { refresh }), page(store, { refresh })]
    await Promise.all([one.auth.refresh(), two.auth.refresh()])
    expect(await Promise.all([one.auth.getAccessToken(), two.auth.getAccessToken()])).toEqual(['a2', 'a2'])
    expect(spent).toEqual(['r1'])
    await one.auth.signOut()
    expect(two.auth.getSnapshot().status).toBe('signed-out')
    expect(two.ends).toEqual(['signed-out-elsewhere'])
    await two.auth.signIn({ accessToken: 'b1' })
    expect(one.auth.getSnapshot().status).toBe('signed-in')
  })

  it("uses the app's own `exclusively` where it has one", async () => {
    const turns: string[] = []
    const { refresh } = rotating()
    const store = storeOf(createApp(FIRST), {
      async exclusively(work) {
        turns.push('begin')
        const done = await work()
        turns.push('end')
        return done
      },
    })
    await page(store, { refresh }).auth.refresh()
    // It ends a moment after those who waited have gone on.
    await microtasksDone()
    expect(turns).toEqual(['begin', 'end'])
  })

  it('writes nothing where the app has another record than the one to replace', async () => {
    const app = createApp(FIRST)
    const store = storeOf(app)
    const before = store.load() as never
    app.shown = { ...FIRST, accessToken: 'a2' }
    const next = { v: 1, sessionId: 's', version: 9, tokens: { accessToken: 'a9' } } as const
    expect(store.save(next, { replaces: before })).toBe(false)
    expect(store.save(next, { replaces: null })).toBe(false)
    expect(store.clear(undefined, { replaces: before })).toBe(false)
    expect(app.writes).toEqual([])
    expect(store.save(next, { replaces: store.load() as never })).not.toBe(false)
    expect(app.shown).toMatchObject({ accessToken: 'a9' })
    expect(store.clear(undefined, { replaces: next })).not.toBe(false)
    expect(store.save(next, { replaces: null })).not.toBe(false)
    expect(app.shown).toMatchObject({ accessToken: 'a9' })
  })
})

describe('what it costs', () => {
  it('no other store is read for each request', async () => {
    const store = createOpenStore()
    const { api, auth } = page(store)
    await auth.signIn(FIRST)
    const looks = store.calls.length
    for (let count = 0; count < 5; count++) await api.get('/x')
    expect(store.calls).toHaveLength(looks)
  })

  it('unknown options are rejected', () => {
    const { read, write } = createApp()
    const wrong: [unknown, string][] = [
      [undefined, 'appStore'],
      [{ write }, 'appStore: read'],
      [{ read }, 'appStore: write'],
      [{ read, write: 'save' }, 'appStore: write'],
      [{ read, write, subscribe: {} }, 'appStore: subscribe'],
      [{ read, write, exclusively: true }, 'appStore: exclusively'],
      [{ read, write, clear: write }, 'appStore: clear'],
    ]
    for (const [options, name] of wrong) {
      expect(() => appStore(options as never)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
      expect(() => appStore(options as never)).toThrow(name)
    }
  })
})
