// What was true a moment ago, and has to be looked at again where it is used: the header as the request goes out, the
// store before something is written to it, the refresh token at each attempt.

import axios, { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type AuthClient,
  authErrorOf,
  bearerHeader,
  createAuthClient,
  type StoredRecord,
  type TokenStore,
} from '../../src/index.js'
import { createWatchedClock, failureOf, setUp, startServer, tokensOf } from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { changedElsewhere, createOpenStore, type OpenStore, rotatedElsewhere } from '../support/stores.js'

const UNAVAILABLE = Object.assign(new Error('unavailable'), { response: { status: 503 } })

describe('the header on the wire', () => {
  const rebuilds: [string, (config: InternalAxiosRequestConfig) => object][] = [
    ['a plain object', () => ({ 'X-App': '1' })],
    ['headers of axios', () => new AxiosHeaders({ 'X-App': '1' })],
    [
      'a copy without it',
      ({ headers }) => {
        const { Authorization: _, ...others } = { ...headers }
        return { ...others, 'X-App': '1' }
      },
    ],
  ]

  it.each(rebuilds)(
    'G22: the token goes out though an interceptor after ours rebuilds the headers as %s',
    async (_, rebuild) => {
      const server = await startServer()
      const api = axios.create({ baseURL: server.url })
      // axios runs what was registered first last.
      api.interceptors.request.use((config) => Object.assign(config, { headers: rebuild(config) }))
      const hand = createHandRefresh()
      const auth = createAuthClient(api, { refresh: hand.refresh })
      onTestFinished(() => auth.dispose())
      const login = server.login()
      await auth.signIn(tokensOf(login))

      await api.get('/api/me')
      await api.post('/api/echo', { a: 1 })
      expect(server.log.map(({ headers }) => [headers.authorization, headers['x-app']])).toEqual(
        Array(2).fill([`Bearer ${login.access_token}`, '1']),
      )
      expect(hand.calls).toEqual([])
    },
  )

  it('G22: so it does in a header of another name', async () => {
    const server = await startServer()
    const api = axios.create({ baseURL: server.url })
    api.interceptors.request.use((config) => Object.assign(config, { headers: new AxiosHeaders() }))
    const auth = createAuthClient(api, { place: bearerHeader({ header: 'X-Token', scheme: '' }) })
    onTestFinished(() => auth.dispose())
    const { access_token: accessToken } = server.login()
    server.route('/open', () => ({ status: 200, headers: {}, body: '' }))
    await auth.signIn({ accessToken })
    await api.get('/open')
    expect(server.log.map(({ headers }) => headers['x-token'])).toEqual([accessToken])
  })
})

describe('the store before it is written to', () => {
  /** Answers a look at once, and takes its time to write: a cache in memory before a disk. */
  function writesLate(open: OpenStore, loads: (stored: unknown) => unknown = (stored) => stored): TokenStore {
    return {
      load: () => loads(open.load()),
      save: async (record) => open.save(record),
      clear: async () => open.clear(),
    }
  }

  /** Its first look is asynchronous: a database has to be opened. */
  function opensLate(open: OpenStore): TokenStore {
    let opened = false
    return writesLate(open, (stored) => {
      if (opened) return stored
      opened = true
      return Promise.resolve(stored)
    })
  }

  /** The second one looks into the store while the first one writes. */
  const updateTwice = ({ updateTokens }: AuthClient) =>
    Promise.all([1, 2].map((n) => updateTokens({ accessToken: `access-${n}`, refreshToken: `refresh-${n}` })))
  const theirs = { accessToken: 'their-access', refreshToken: 'their-refresh' }

  it.each<[string, (open: OpenStore) => TokenStore]>([
    ['writes asynchronously', writesLate],
    ['was asynchronous when it was opened', opensLate],
  ])('G4: a grant is not saved over what another tab has stored, in a store that %s', async (_, kind) => {
    const open = createOpenStore()
    const hand = createHandRefresh()
    const { auth } = await setUp({ store: kind(open), refresh: hand.refresh })
    await updateTwice(auth)
    const refreshed = auth.refresh()
    const call = await hand.call(1)
    rotatedElsewhere(open, theirs)
    call.answer({ accessToken: 'ours', refreshToken: 'our-refresh' })
    await refreshed
    expect(await auth.getAccessToken()).toBe(theirs.accessToken)
    expect((open.kept as StoredRecord).tokens).toEqual(theirs)
  })

  it('G4: updateTokens keeps the refresh token that another tab has stored, in a store that writes asynchronously', async () => {
    const open = createOpenStore()
    const { auth } = await setUp({ store: writesLate(open) })
    await updateTwice(auth)
    rotatedElsewhere(open, theirs)
    await auth.updateTokens({ accessToken: 'newest' })
    expect((open.kept as StoredRecord).tokens).toEqual({ ...theirs, accessToken: 'newest' })
  })

  it('G15: updateTokens does not bring back a session that ended in another tab, in a store that writes asynchronously', async () => {
    const open = createOpenStore()
    const { auth, ends } = await setUp({ store: writesLate(open) })
    await updateTwice(auth)
    open.kept = undefined
    expect(authErrorOf(await failureOf(auth.updateTokens({ accessToken: 'newest' })))?.code).toBe(
      'SIGNED_OUT',
    )
    expect(open.kept).toBeUndefined()
    expect(ends).toMatchObject([{ reason: 'signed-out-elsewhere' }])
  })
})

describe('the refresh token at each attempt', () => {
  it.each([
    ['before it has been told', () => {}],
    ['and says so', (store: OpenStore) => store.hint()],
  ])('G4: a retry asks with the refresh token that another tab has stored meanwhile, %s', async (_, tell) => {
    const store = createOpenStore()
    const hand = createHandRefresh()
    const clock = createWatchedClock()
    const { auth, login } = await setUp({ store, refresh: hand.refresh, clock })
    const refreshed = auth.refresh()
    const first = await hand.call(1)
    expect(first.context.refreshToken).toBe(login.refresh_token)
    first.fail(UNAVAILABLE)
    // The time limit, and the pause before the next attempt.
    await clock.until(() => clock.pending >= 2)
    changedElsewhere(store, { refreshToken: 'newer' })
    tell(store)
    await clock.advance(300)
    const second = await hand.call(2)
    expect(second.context.refreshToken).toBe('newer')
    second.answer({ accessToken: 'new', refreshToken: 'newest' })
    await refreshed
  })

  it('G4: a retry sends no refresh token that updateTokens has replaced meanwhile', async () => {
    const hand = createHandRefresh()
    const clock = createWatchedClock()
    const { auth, login } = await setUp({ refresh: hand.refresh, clock })
    const refreshed = auth.refresh()
    ;(await hand.call(1)).fail(UNAVAILABLE)
    await clock.until(() => clock.pending >= 2)
    await auth.updateTokens({ accessToken: login.access_token, refreshToken: 'newer' })
    await clock.advance(300)
    await refreshed
    const again = auth.refresh()
    const second = await hand.call(2)
    expect(second.context.refreshToken).toBe('newer')
    second.answer({ accessToken: 'new' })
    await again
  })
})
