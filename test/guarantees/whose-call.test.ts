// G14: who made a request is who was signed in when the call was made, however late our interceptor runs: the store or
// the strategy may be asynchronous, and so may an interceptor of the app.

import axios, { type AxiosInstance } from 'axios'
import axios027 from 'axios-0.27'
import axios12 from 'axios-1.2'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type AuthClientOptions, createAuthClient, type TokenStore } from '../../src/index.js'
import { outcomesOf, startServer, tokensOf, untilHeld } from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import { createHandStore, createOpenStore } from '../support/stores.js'

const versions = { newest: axios, '0.27': axios027, '1.2': axios12 } as unknown as Record<
  string,
  typeof axios
>

interface Scene {
  axiosOf?: typeof axios
  store?: TokenStore
  options?: AuthClientOptions
  prepare?: (api: AxiosInstance) => void
  user?: string | undefined
}

async function setUpUser({ axiosOf = axios, store, options, prepare, user = 'ada' }: Scene) {
  const server = await startServer()
  const api = axiosOf.create({ baseURL: server.url })
  prepare?.(api)
  const auth = createAuthClient(api, { ...(store && { store }), ...options })
  onTestFinished(() => auth.dispose())
  await auth.ready
  if (user) await auth.signIn(tokensOf(server.login(user)))
  return { server, api, auth, bob: tokensOf(server.login('bob')) }
}

const asynchronously = (api: AxiosInstance) =>
  void api.interceptors.request.use(async (config) => {
    await microtasksDone()
    return config
  })

/** What lets our interceptor run in a later turn than the call. */
const causes: [name: string, scene: () => Scene][] = [
  ['an asynchronous store', () => ({ store: createHandStore() })],
  ['a cookie strategy', () => ({ options: { refresh: createHandRefresh(true).refresh } })],
  ['an asynchronous interceptor of the app', () => ({ prepare: asynchronously })],
  [
    'an asynchronous interceptor that rebuilds the config',
    () => ({
      prepare: (api) =>
        void api.interceptors.request.use(async (config) => {
          await microtasksDone()
          return { ...config, headers: { ...config.headers } as never }
        }),
    }),
  ],
]

describe.each(causes)('G14: a call in the same turn, with %s', (_, scene) => {
  const drafts = (server: { requestsTo(path: string): { status?: number; accessToken?: string }[] }) =>
    server.requestsTo('/api/drafts')

  it('G14: before signIn of another user is rejected with SESSION_CHANGED, and not sent', async () => {
    const { server, api, auth, bob } = await setUpUser(scene())
    const draft = settleAll([api.post('/api/drafts', { of: 'ada' })])
    await auth.signIn(bob)
    expect(outcomesOf(await draft)).toEqual(['SESSION_CHANGED'])
    expect(drafts(server)).toEqual([])
    expect((await api.get('/api/me')).data.user).toBe('bob')
  })

  it('G14: before signOut is rejected with SIGNED_OUT, and not sent without a token', async () => {
    const { server, api, auth } = await setUpUser(scene())
    const draft = settleAll([api.post('/api/drafts', { of: 'ada' })])
    await auth.signOut()
    expect(outcomesOf(await draft)).toEqual(['SIGNED_OUT'])
    expect(drafts(server)).toEqual([])
  })

  it('G14: before dispose is rejected with DISPOSED, and not sent without a token', async () => {
    const { server, api, auth } = await setUpUser(scene())
    const draft = settleAll([api.post('/api/drafts', { of: 'ada' })])
    auth.dispose()
    expect(outcomesOf(await draft)).toEqual(['DISPOSED'])
    expect(drafts(server)).toEqual([])
  })

  it('G14: before signIn while signed out is sent without a token', async () => {
    const { server, api, auth, bob } = await setUpUser({ ...scene(), user: '' })
    const call = settleAll([api.post('/api/drafts', { of: 'nobody' })])
    await auth.signIn(bob)
    await call
    expect(drafts(server).map(({ accessToken }) => accessToken)).toEqual([undefined])
  })

  it('G14: after signIn is sent as the new user', async () => {
    const { api, auth, bob } = await setUpUser(scene())
    const signedIn = auth.signIn(bob)
    const draft = api.post('/api/drafts', { of: 'bob' })
    await signedIn
    expect((await draft).data.user).toBe('bob')
  })

  it('G14: of the same session continues after updateTokens', async () => {
    const { server, api, auth } = await setUpUser(scene())
    const draft = api.post('/api/drafts', { of: 'ada' })
    const newer = tokensOf(server.login('ada'))
    await auth.updateTokens(newer)
    expect((await draft).data.user).toBe('ada')
  })
})

describe('G14: a call in the same turn, with nothing asynchronous', () => {
  it.each(['signIn', 'signOut', 'dispose'] as const)(
    'G14: before %s was sent as its own user',
    async (verb) => {
      const { server, api, auth, bob } = await setUpUser({})
      const draft = api.post('/api/drafts', { of: 'ada' })
      if (verb === 'signIn') await auth.signIn(bob)
      else await auth[verb]()
      expect((await draft).data.user).toBe('ada')
      expect(server.requestsTo('/api/drafts')).toHaveLength(1)
    },
  )
})

describe('G14: a call whose user is not known yet', () => {
  /** The store still reads what it holds: Ada's session. */
  async function pending() {
    const server = await startServer()
    const store = createHandStore()
    const before = createAuthClient(axios.create({ baseURL: server.url }), { store })
    await before.signIn(tokensOf(server.login('ada')))
    before.dispose()
    store.hold('load')
    const api = axios.create({ baseURL: server.url })
    const auth = createAuthClient(api, { store })
    onTestFinished(() => auth.dispose())
    return { server, store, api, auth, bob: tokensOf(server.login('bob')) }
  }

  it.each(['signIn', 'signOut'] as const)(
    'G14: is rejected when %s comes before the store has answered',
    async (verb) => {
      const { server, store, api, auth, bob } = await pending()
      const calls = settleAll<unknown>([
        api.post('/api/drafts', { of: 'whoever' }),
        auth.getAccessToken(),
        auth.updateTokens({ accessToken: 'of-whoever' }),
      ])
      await untilHeld(auth, 1)
      const done = verb === 'signIn' ? auth.signIn(bob) : auth.signOut()
      store.releaseAll()
      await done
      const code = verb === 'signIn' ? 'SESSION_CHANGED' : 'SIGNED_OUT'
      expect(outcomesOf(await calls)).toEqual([code, code, code])
      expect(server.requestsTo('/api/drafts')).toEqual([])
      expect(await auth.getAccessToken()).toBe(verb === 'signIn' ? bob.accessToken : undefined)
    },
  )

  it('G14: is the stored user’s when nothing comes between', async () => {
    const { store, api, auth } = await pending()
    const call = api.get('/api/me')
    await untilHeld(auth, 1)
    store.releaseAll()
    expect((await call).data.user).toBe('ada')
  })

  it.each(['signIn', 'signOut'] as const)(
    'G14: is rejected when %s comes before a cookie has restored the session',
    async (verb) => {
      const hand = createHandRefresh(true)
      const { server, api, auth, bob } = await setUpUser({ options: { refresh: hand.refresh }, user: '' })
      const restored = settleAll([auth.refresh()])
      const call = settleAll([api.post('/api/drafts', { of: 'whoever' })])
      await untilHeld(auth, 1)
      const done = verb === 'signIn' ? auth.signIn(bob) : auth.signOut()
      ;(await hand.call(1)).answer(tokensOf(server.login('ada')))
      await done
      expect(outcomesOf(await call)).toEqual([verb === 'signIn' ? 'SESSION_CHANGED' : 'SIGNED_OUT'])
      await restored
      expect(server.requestsTo('/api/drafts')).toEqual([])
    },
  )
})

describe('G14: what it needs from axios', () => {
  it.each(Object.keys(versions))(
    'G14: axios %s runs our interceptor in the turn of the call',
    async (version) => {
      const { server, api, auth, bob } = await setUpUser({
        axiosOf: versions[version] as typeof axios,
        prepare: asynchronously,
        store: createOpenStore(),
      })
      const draft = settleAll([api.post('/api/drafts', { of: 'ada' })])
      await auth.signIn(bob)
      expect(outcomesOf(await draft)).toEqual(['SESSION_CHANGED'])
      expect(server.requestsTo('/api/drafts')).toEqual([])
    },
  )

  it('G14: nothing of ours is left on the config that the adapter gets', async () => {
    const { api } = await setUpUser({ prepare: asynchronously })
    const { config } = await api.get('/api/me')
    expect(Object.keys(config).filter((key) => /auth-?client/i.test(key))).toEqual(
      Object.keys(config).filter((key) => key === 'authClient'),
    )
  })
})

describe('G14: a call before updateTokens brings another user to a session that is still being read', () => {
  it('G14: is rejected with SESSION_CHANGED, and not sent as that user', async () => {
    const store = createHandStore()
    const { server } = await setUpUser({ store })
    store.hold('load')
    const api = axios.create({ baseURL: server.url })
    const auth = createAuthClient(api, { store })
    onTestFinished(() => auth.dispose())
    const settled = settleAll<unknown>([
      api.post('/api/drafts', { of: 'ada' }),
      auth.getAccessToken(),
      auth.updateTokens(tokensOf(server.login('bob'))),
    ])
    await store.waiting('load')
    store.releaseAll()
    expect(outcomesOf(await settled)).toEqual(['SESSION_CHANGED', 'SESSION_CHANGED', 'ok'])
    expect(server.requestsTo('/api/drafts')).toEqual([])
    expect(auth.getSnapshot().subject).toBe('bob')
  })
})

describe('G14: a refresh() that is to start a session', () => {
  it.each([
    ['signIn', 'SESSION_CHANGED'],
    ['signOut', 'SIGNED_OUT'],
  ] as const)('G14: rejects when a %s comes first', async (what, code) => {
    for (const isRead of [true, false]) {
      const store = createHandStore()
      if (!isRead) store.hold('load')
      const hand = createHandRefresh(true)
      const server = await startServer()
      const auth = createAuthClient(axios.create({ baseURL: server.url }), { store, refresh: hand.refresh })
      onTestFinished(() => auth.dispose())
      if (isRead) await auth.ready
      const settled = settleAll([auth.refresh()])
      if (isRead) await hand.call(1)
      void auth[what](tokensOf(server.login('bob')) as never)
      store.releaseAll()
      await microtasksDone()
      for (const call of hand.calls) call.answer(null)
      expect(outcomesOf(await settled)).toEqual([code])
      expect(hand.calls).toHaveLength(isRead ? 1 : 0)
    }
  })
})
