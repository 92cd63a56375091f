// G24: a session belongs to one user. Whatever brings tokens of another one ends it, so that nothing that was made for
// the first user goes out, or is shown, as the second.

import axios from 'axios'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createAuthClient,
  refreshWithCookie,
  type SessionEnd,
  type Tokens,
  tokenFromHeader,
} from '../../src/index.js'
import { createTokenFactory } from '../../src/testing/token-factory.js'
import {
  failureOf,
  outcomesOf,
  type SetUpOptions,
  setUp,
  startServer,
  tokensOf,
  untilHeld,
} from '../support/client.js'
import { giveCookies } from '../support/cookie-jar.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { jwtOf } from '../support/jwt.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import {
  changedElsewhere,
  createHandStore,
  createOpenStore,
  keptToken,
  rotatedElsewhere,
} from '../support/stores.js'

const { tokens } = createTokenFactory({ seed: 24 })
const ada = () => tokens({ subject: 'ada' })
const bob = () => tokens({ subject: 'bob' })
const REPLACED = { reason: 'replaced-elsewhere', error: expect.objectContaining({ code: 'SESSION_CHANGED' }) }

/** Ada signed in, her refresh answered by hand. */
async function setUpAda(options: SetUpOptions = {}) {
  const hand = createHandRefresh()
  const world = await setUp({ refresh: hand.refresh, signedIn: false, ...options })
  await world.auth.signIn(tokensOf(world.server.login('ada')))
  return { ...world, hand }
}

describe('G24: a refresh that brings another user', () => {
  it('G24: over one cookie jar, a second tab that signs in Bob never makes Ada’s waiting form his', async () => {
    const server = await startServer({ cookieAnswer: 'token' })
    const openTab = (adapter?: typeof axios.defaults.adapter) => {
      const api = axios.create({ baseURL: server.url, withCredentials: true })
      if (adapter) api.defaults.adapter = adapter
      else giveCookies(api)
      const ends: SessionEnd[] = []
      const auth = createAuthClient(api, {
        refresh: refreshWithCookie({ url: '/cookie/refresh' }),
        onSessionEnd: (end) => ends.push(end),
      })
      onTestFinished(() => auth.dispose())
      const login = async (user: string) => {
        const body = { user, password: 'secret' }
        const { data } = await api.post('/cookie/login', body, { authClient: false })
        await auth.signIn({ accessToken: data.access_token })
      }
      return { api, auth, ends, login }
    }
    const first = openTab()
    const second = openTab(first.api.defaults.adapter)
    await first.login('ada')
    await second.auth.refresh()
    await second.auth.signOut()
    await second.login('bob')
    // Bob's own token stays good; Ada's is refused, and the cookie that renews it is Bob's by now.
    const bobs = await second.auth.getAccessToken()
    for (const session of server.sessions) if (session.user === 'ada') session.revoked = true
    server.killAccessTokens()
    const results = await settleAll<unknown>([
      first.api.post('/api/drafts', { text: 'of Ada' }),
      first.api.get('/api/inbox'),
      first.auth.refresh(),
      first.auth.getAccessToken({ minValidityMs: 86_400_000 }),
    ])
    expect(bobs).toBeDefined()
    expect(outcomesOf(results)).toEqual(Array(4).fill('SESSION_CHANGED'))
    expect(first.ends).toEqual([REPLACED])
    expect(first.auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'bob' })
    const stored = server.requestsTo('/api/drafts').filter(({ status }) => status === 200)
    expect(stored).toEqual([])
    expect((await first.api.get('/api/me')).data.user).toBe('bob')
  })

  it('G24: rejects waiting requests, ends the session once, and starts the other one', async () => {
    const store = createOpenStore()
    const { server, api, auth, hand, ends } = await setUpAda({ store })
    server.killAccessTokens()
    const waiting = settleAll<unknown>([
      api.post('/api/refused', { of: 'ada' }),
      auth.refresh(),
      auth.getAccessToken({ minValidityMs: 86_400_000 }),
    ])
    const call = await hand.call(1)
    await untilHeld(auth, 1)
    const bobs = tokensOf(server.login('bob'))
    call.answer(bobs)
    const results = await waiting
    expect(outcomesOf(results)).toEqual(Array(3).fill('SESSION_CHANGED'))
    expect(ends).toEqual([REPLACED])
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'bob', refreshing: false })
    expect(server.requestsTo('/api/refused')).toHaveLength(1)
    expect(keptToken(store)).toBe(bobs.accessToken)
    expect((await api.get('/api/me')).data.user).toBe('bob')
  })

  it('G24: does so also for a refresh ahead of expiry whose request was answered long ago', async () => {
    const { server, api, auth, hand, ends, clock } = await setUpAda()
    clock.jump(270_000)
    await api.get('/api/early')
    const call = await hand.call(1)
    call.answer(tokensOf(server.login('bob')))
    await microtasksDone()
    expect(ends).toEqual([REPLACED])
    expect(auth.getSnapshot().subject).toBe('bob')
  })

  it('G24: a hook of the old session then acts on the new one', async () => {
    const { hand, auth, server } = await setUpAda({ onSessionEnd: () => auth.signOut() })
    const refreshed = failureOf(auth.refresh())
    ;(await hand.call(1)).answer(tokensOf(server.login('bob')))
    expect(await refreshed).toMatchObject({ code: 'SESSION_CHANGED' })
    expect(auth.getSnapshot().status).toBe('signed-out')
  })

  it('G24: a grant without a user, or of the same user, continues the session', async () => {
    const { auth, hand, ends } = await setUpAda()
    for (const [index, grant] of [ada(), { accessToken: 'opaque-token' }, ada()].entries()) {
      const refreshed = auth.refresh()
      ;(await hand.call(index + 1)).answer(grant)
      await refreshed
    }
    expect(ends).toEqual([])
    expect(auth.getSnapshot().subject).toBe('ada')
  })

  it('G24: the user is still known after an opaque token that named none', async () => {
    const { auth, hand, ends } = await setUpAda({ store: createOpenStore() })
    await auth.updateTokens({ accessToken: 'opaque-token' })
    const refreshed = failureOf(auth.refresh())
    ;(await hand.call(1)).answer(bob())
    await refreshed
    expect(ends).toEqual([REPLACED])
  })
})

describe('G24: another user’s tokens from elsewhere', () => {
  it('G24: a pushed token ends the session', async () => {
    const { server, api, auth, ends } = await setUpAda({
      readResponse: ({ headers }) =>
        headers['x-token'] ? { accessToken: String(headers['x-token']) } : undefined,
    })
    const pushed = server.login('bob').access_token
    server.route('/api/push', () => ({ status: 200, headers: { 'x-token': pushed } }))
    await api.get('/api/push')
    expect(ends).toEqual([REPLACED])
    expect(auth.getSnapshot().subject).toBe('bob')
    expect((await api.get('/api/me')).data.user).toBe('bob')
  })

  it('G24: updateTokens ends it with `replaced`, because this page did it', async () => {
    const { server, api, auth, hand, ends } = await setUpAda()
    server.killAccessTokens()
    const waiting = settleAll([api.get('/api/of-ada')])
    await hand.call(1)
    await auth.updateTokens(tokensOf(server.login('bob')))
    expect(outcomesOf(await waiting)).toEqual(['SESSION_CHANGED'])
    expect(ends).toMatchObject([{ reason: 'replaced' }])
    expect(auth.getSnapshot().subject).toBe('bob')
  })

  it.each(['sync', 'async'])(
    'G24: a newer record of the same session in a %s store ends it',
    async (kind) => {
      const store = kind === 'sync' ? createOpenStore() : createHandStore()
      const { auth, ends } = await setUpAda({ store })
      rotatedElsewhere(store, bob())
      store.hint()
      await microtasksDone()
      expect(ends).toEqual([REPLACED])
      expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'bob' })
    },
  )

  it('G24: a record belongs to another user by the subject that the app named', async () => {
    const store = createOpenStore()
    const { auth, ends } = await setUp({ store, signedIn: false })
    await auth.signIn({ accessToken: 'opaque-one', subject: 'ada' })
    changedElsewhere(store, { accessToken: 'opaque-two' }, { version: 2, subject: 'bob' })
    store.hint()
    expect(ends).toEqual([REPLACED])
    expect(auth.getSnapshot().subject).toBe('bob')
  })
})

describe('G24: how users are distinguished', () => {
  const rows: [what: string, first: Tokens, second: Tokens, same: boolean][] = [
    [
      'names of the app that differ',
      { accessToken: 'one', subject: 'ada' },
      { accessToken: 'two', subject: 'bob' },
      false,
    ],
    [
      'names of the app as number and text',
      { accessToken: 'one', subject: 7 as never },
      { accessToken: 'two', subject: '7' },
      true,
    ],
    ['a name of the app and a claim', { accessToken: 'one', subject: 'ada@example.com' }, bob(), true],
    ['claims that differ below a name of the app', { ...ada(), subject: 'Ada' }, bob(), false],
    [
      'the same name of the app over claims that differ',
      { ...ada(), subject: 'A' },
      { ...bob(), subject: 'A' },
      true,
    ],
    [
      'names of the app that differ over equal claims',
      { ...ada(), subject: 'A' },
      { ...ada(), subject: 'B' },
      false,
    ],
    [
      'claims as number and text',
      { accessToken: jwtOf({ sub: 1 }) },
      { accessToken: jwtOf({ sub: '1' }) },
      true,
    ],
    ['a claim that is no text', { accessToken: jwtOf({ sub: { id: 1 } }) }, bob(), true],
    [
      'the empty text as a claim',
      { accessToken: jwtOf({ sub: '' }) },
      { accessToken: jwtOf({ sub: '0' }) },
      false,
    ],
  ]
  const stores = { 'in memory': () => undefined, 'after a reload': () => createOpenStore() }
  for (const [where, createStore] of Object.entries(stores)) {
    it.each(rows)(`G24: %s, ${where}`, async (_, first, second, same) => {
      const store = createStore()
      const before = await setUp({ store, signedIn: false })
      await before.auth.signIn(first)
      const origins = [before.server.url]
      const world = store ? await setUp({ store, origins, signedIn: false }) : before
      const shown = world.auth.getSnapshot().subject
      expect(shown).toBe(before.auth.getSnapshot().subject)
      await world.auth.updateTokens(second)
      expect(world.ends.map(({ reason }) => reason)).toEqual(same ? [] : ['replaced'])
    })
  }

  it('G24: `subjectOf` names the user, and none when it throws', async () => {
    const of = (user: string) => ({ accessToken: jwtOf({ user_id: user, sub: Math.random() }) })
    const { auth, ends } = await setUp({
      subjectOf: ({ user_id }) => {
        if (user_id === 'broken') throw new Error('broken')
        return user_id as string
      },
      signedIn: false,
    })
    await auth.signIn(of('ada'))
    expect(auth.getSnapshot().subject).toBe('ada')
    await auth.updateTokens(of('ada'))
    await auth.updateTokens(of('broken'))
    expect(ends).toEqual([])
    await auth.updateTokens(of('bob'))
    expect(ends).toMatchObject([{ reason: 'replaced' }])
  })
})

describe('G24: another user’s tokens while a third user signs in elsewhere', () => {
  it.each(['a refresh', 'a push'])(
    'G24: %s does not overwrite the session in an asynchronous store, which is adopted',
    async (what) => {
      const store = createHandStore()
      const { server, api, auth, hand, ends } = await setUpAda({
        store,
        readResponse: tokenFromHeader('x-token'),
      })
      const bobs = tokensOf(server.login('bob'))
      server.route('/api/push', () => ({ status: 200, headers: { 'x-token': bobs.accessToken } }))
      const calls = settleAll<unknown>([what === 'a push' ? api.get('/api/push') : auth.refresh()])
      const carols = { ...tokens({ subject: 'carol' }), expiresInSeconds: undefined }
      const record = { v: 1, sessionId: 'of-carol', version: 1, tokens: carols, subject: 'carol' }
      const call = what === 'a refresh' ? await hand.call(1) : undefined
      store.kept = record
      call?.answer(bobs)
      await calls
      await microtasksDone()
      expect(store.kept).toEqual(record)
      expect(auth.getSnapshot().subject).toBe('carol')
      expect(ends).toEqual([REPLACED])
    },
  )
})
