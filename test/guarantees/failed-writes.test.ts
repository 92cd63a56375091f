// G15 and G4: what a failed or late write leaves in the store, and what that means for a reload and for other tabs.

import axios from 'axios'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  type AuthClient,
  authErrorOf,
  createAuthClient,
  localStorageStore,
  refreshWithBody,
  type SessionRecord,
  type StoredRecord,
  type TokenStore,
  tokenFromHeader,
} from '../../src/index.js'
import { FakeStorage } from '../contracts/fake-storage.js'
import { eventsOf, failureOf, listenTo, outcomesOf, setUp, tokensOf, type World } from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import {
  createHandStore,
  createOpenStore,
  type HandStore,
  keptRefreshToken,
  keptToken,
  type OpenStore,
  rotatedElsewhere,
} from '../support/stores.js'

const quota = new DOMException('The quota has been exceeded.', 'QuotaExceededError')
const kinds = ['throws', 'rejects'] as const
type Kind = (typeof kinds)[number]

const createStore = (kind: Kind): OpenStore | HandStore =>
  kind === 'throws' ? createOpenStore() : createHandStore()

/** From now on there is room for marks only, until it is called off. `write`: what a save does before it fails. */
function fill(store: OpenStore, kind: Kind, write?: (record: StoredRecord) => void): () => void {
  const save = store.save.bind(store)
  const fail = (): Promise<void> => {
    if (kind === 'throws') throw quota
    return Promise.reject(quota)
  }
  const full = (record: StoredRecord) => {
    if (!record.tokens) return save(record)
    write?.(record)
    return fail()
  }
  Object.defineProperty(store, 'save', { value: full, configurable: true })
  return () => Object.defineProperty(store, 'save', { value: save, configurable: true })
}

/** One more page or tab over that store. */
async function open(world: Pick<World, 'server' | 'clock'>, store: TokenStore) {
  const api = axios.create({ baseURL: world.server.url })
  const ends: string[] = []
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    store,
    clock: world.clock,
    refreshRetry: { limit: 0 },
    onSessionEnd: ({ reason }) => void ends.push(reason),
  })
  onTestFinished(() => auth.dispose())
  const events = listenTo(auth)
  await auth.ready
  return { api, auth, ends, events }
}

const statusOf = (auth: AuthClient) => auth.getSnapshot().status

describe.each(kinds)('a save that %s when tokens are renewed', (kind) => {
  const bringers: [string, (world: World) => Promise<unknown>][] = [
    ['a refresh', ({ auth }) => auth.refresh()],
    ['updateTokens', ({ auth, server }) => auth.updateTokens(tokensOf(server.login()))],
    ['a push', ({ api }) => api.get('/api/push')],
  ]
  it.each(bringers)('G15: leaves a record without tokens, after %s', async (_, bring) => {
    const store = createStore(kind)
    const hand = { accessToken: 'pushed', refreshToken: 'pushed-too' }
    const world = await setUp({
      store,
      readResponse: ({ headers }) => (headers['x-new-token'] ? hand : undefined),
    })
    const { auth, server, events, ends } = world
    server.route('/api/push', () => ({ status: 200, headers: { 'x-new-token': '1' }, body: '' }))
    const { sessionId } = store.kept as SessionRecord
    fill(store, kind)
    await bring(world)
    expect(store.kept).toEqual({ v: 1, sessionId, version: 2, spent: true })
    expect(eventsOf(events, 'storeError')).toMatchObject([{ operation: 'save' }])
    expect(statusOf(auth)).toBe('signed-in')
    expect(ends).toEqual([])
    const reloaded = await open(world, store)
    expect(statusOf(reloaded.auth)).toBe('signed-out')
    await reloaded.api.get('/public/x')
    expect(server.log.at(-1)?.headers.authorization).toBeUndefined()
    expect(eventsOf(reloaded.events, 'storeError')).toEqual([])
    expect(server.counts.reuses).toBe(0)
  })

  it('G15: leaves nothing where that record cannot be stored either', async () => {
    const store = createStore(kind)
    const { auth, server } = await setUp({ store })
    store.faults.set('save', quota)
    await auth.refresh()
    expect(store.kept).toBeUndefined()
    await auth.refresh()
    expect(server.counts).toMatchObject({ granted: 2, reuses: 0 })
  })

  it('G15: leaves what it has written before it failed', async () => {
    const store = createStore(kind)
    const { auth, server } = await setUp({ store })
    fill(store, kind, (record) => {
      store.kept = record
    })
    await auth.refresh()
    expect(keptRefreshToken(store)).toBe(server.sessions[0]?.refreshToken)
  })

  it('G15: leaves a record whose refresh token is still good', async () => {
    const store = createStore(kind)
    const { auth, login } = await setUp({ store, readResponse: tokenFromHeader('x-new-token') })
    fill(store, kind)
    await auth.updateTokens({ accessToken: 'newer' })
    expect(keptRefreshToken(store)).toBe(login.refresh_token)
  })

  it('G15: is repaired by the next save that succeeds', async () => {
    const store = createStore(kind)
    const { auth, server } = await setUp({ store })
    const empty = fill(store, kind)
    await auth.refresh()
    empty()
    await auth.refresh()
    expect(keptRefreshToken(store)).toBe(server.sessions[0]?.refreshToken)
    expect(server.counts).toMatchObject({ granted: 2, reuses: 0 })
  })

  it('G15: does not overwrite what another tab has stored meanwhile', async () => {
    const store = createStore(kind)
    const { auth, server, ends } = await setUp({ store })
    const bob = {
      v: 1,
      sessionId: 'of-bob',
      version: 1,
      tokens: tokensOf(server.login('bob')),
      subject: 'bob',
    }
    fill(store, kind, () => {
      store.kept = bob
    })
    await auth.refresh()
    expect(store.kept).toEqual(bob)
    store.hint()
    await microtasksDone()
    expect(ends).toMatchObject([{ reason: 'replaced-elsewhere' }])
    expect(auth.getSnapshot().subject).toBe('bob')
  })

  it('G15: still respects a sign-out in another tab, and the next save does not undo it', async () => {
    for (const how of ['mark', 'nothing fits'] as const) {
      const store = createStore(kind)
      const world = await setUp({ store })
      const { auth, ends } = world
      if (how === 'mark') fill(store, kind)
      else for (const operation of ['save', 'clear'] as const) store.faults.set(operation, quota)
      await auth.refresh()
      expect(store.kept).toBeDefined()
      store.kept = undefined
      store.hint()
      await microtasksDone()
      expect(statusOf(auth)).toBe('signed-out')
      expect(ends).toMatchObject([{ reason: 'signed-out-elsewhere' }])
      expect(store.kept).toBeUndefined()
    }
  })

  it('G15: still respects a sign-in in another tab', async () => {
    const store = createStore(kind)
    const { auth, server, ends } = await setUp({ store })
    fill(store, kind)
    await auth.refresh()
    store.kept = {
      v: 1,
      sessionId: 'of-bob',
      version: 1,
      tokens: tokensOf(server.login('bob')),
      subject: 'bob',
    }
    store.hint()
    await microtasksDone()
    expect(auth.getSnapshot().subject).toBe('bob')
    expect(ends).toMatchObject([{ reason: 'replaced-elsewhere' }])
  })
})

describe.each(kinds)('a sign-in whose save %s', (kind) => {
  it('G15: leaves an empty store alone', async () => {
    const store = createStore(kind)
    store.faults.set('save', quota)
    const { auth } = await setUp({ store })
    expect(statusOf(auth)).toBe('signed-in')
    expect(store.calls.filter((operation) => operation !== 'load')).toEqual(['save'])
  })

  it('G15: leaves no record of the previous user', async () => {
    const store = createStore(kind)
    const world = await setUp({ store })
    const other = await open(world, store)
    fill(store, kind)
    await world.auth.signIn(tokensOf(world.server.login('bob')))
    expect(store.kept).toBeUndefined()
    expect(world.auth.getSnapshot().subject).toBe('bob')
    store.hint()
    await microtasksDone()
    expect(statusOf(other.auth)).toBe('signed-out')
    expect(world.auth.getSnapshot().subject).toBe('bob')
    expect(statusOf((await open(world, store)).auth)).toBe('signed-out')
  })
})

describe('another tab that finds a record without tokens', () => {
  /** Two tabs, of which the first has renewed the tokens and could not store them. */
  async function marked(kind: Kind = 'throws') {
    const store = createStore(kind)
    const world = await setUp({ store, refreshRetry: { limit: 0 } })
    const other = await open(world, store)
    const empty = fill(store, kind)
    await world.auth.refresh()
    store.hint()
    await microtasksDone()
    return { ...world, store, other, empty }
  }

  it.each(kinds)('G15: keeps its session while its access token is good (%s)', async (kind) => {
    const { other, server } = await marked(kind)
    expect(statusOf(other.auth)).toBe('signed-in')
    expect((await other.api.get('/api/x')).status).toBe(200)
    expect(other.ends).toEqual([])
    expect(server.counts.refreshes).toBe(1)
  })

  it.each(kinds)(
    'G4: sends no used refresh token, and ends as refused when its access token expires (%s)',
    async (kind) => {
      const { other, auth, api, server, store, ends } = await marked(kind)
      const mark = store.kept
      server.killAccessTokens()
      const settled = await settleAll([other.api.get('/api/x'), other.api.get('/api/y')])
      expect(outcomesOf(settled)).toEqual(['SESSION_EXPIRED', 'SESSION_EXPIRED'])
      expect(other.ends).toEqual(['refused'])
      expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
      // The first tab has good tokens, and gets no notification.
      expect(store.kept).toEqual(mark)
      expect((await api.get('/api/z')).status).toBe(200)
      expect(statusOf(auth)).toBe('signed-in')
      expect(ends).toEqual([])
    },
  )

  it('G4: does not refresh ahead of expiry, and ends when its access token expires', async () => {
    const { other, clock, server } = await marked()
    clock.jump(275_000)
    expect((await other.api.get('/api/x')).status).toBe(200)
    await microtasksDone()
    expect(eventsOf(other.events, 'refreshStart')).toEqual([])
    clock.jump(30_000)
    expect(outcomesOf(await settleAll([other.api.get('/api/y')]))).toEqual(['SESSION_EXPIRED'])
    expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
  })

  it('G4: rejects a refresh that is not needed, and keeps the session', async () => {
    const { other, server } = await marked()
    expect(authErrorOf(await failureOf(other.auth.refresh()))?.code).toBe('REFRESH_FAILED')
    expect(statusOf(other.auth)).toBe('signed-in')
    expect((await other.api.get('/api/x')).status).toBe(200)
    expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
  })

  it.each(kinds)('G15: continues with newer tokens when they come (%s)', async (kind) => {
    const { other, auth, server, store, empty } = await marked(kind)
    empty()
    await auth.refresh()
    store.hint()
    await microtasksDone()
    server.killAccessTokens()
    expect((await other.api.get('/api/x')).status).toBe(200)
    expect(server.counts).toMatchObject({ refreshes: 3, granted: 3, reuses: 0 })
    expect(other.ends).toEqual([])
  })

  it('G15: does not overwrite it with its own older tokens', async () => {
    const { other, server, store, auth } = await marked()
    const mark = store.kept
    await other.auth.updateTokens({ accessToken: server.login().access_token })
    expect(store.kept).toEqual(mark)
    expect(statusOf(auth)).toBe('signed-in')
  })

  it('G4: finds it before its refresh even without a notification, and sends nothing', async () => {
    const store = createOpenStore()
    const world = await setUp({ store })
    const other = await open(world, store)
    fill(store, 'throws')
    await world.auth.refresh()
    world.server.killAccessTokens()
    expect(outcomesOf(await settleAll([other.api.get('/api/x')]))).toEqual(['SESSION_EXPIRED'])
    expect(world.server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
  })

  it('G4: stops retrying a refresh when it appears between two attempts', async () => {
    const store = createOpenStore()
    const hand = createHandRefresh()
    const { auth, clock } = await setUp({ store, refresh: hand.refresh })
    const { sessionId } = store.kept as SessionRecord
    const failure = failureOf(auth.refresh())
    const call = await hand.call(1)
    call.fail(Object.assign(new Error('down'), { response: { status: 503 } }))
    await clock.until(() => clock.pending >= 2)
    store.kept = { v: 1, sessionId, version: 2, spent: true }
    await clock.advance(1_000)
    expect(authErrorOf(await failure)?.code).toBe('REFRESH_FAILED')
    expect(hand.calls).toHaveLength(1)
    expect(statusOf(auth)).toBe('signed-in')
  })

  it('G15: of a session that ended here long ago does not end the one that followed', async () => {
    const store = createOpenStore()
    const { auth, server } = await setUp({ store })
    const { sessionId } = store.kept as SessionRecord
    await auth.signIn(tokensOf(server.login('bob')))
    store.kept = { v: 1, sessionId, version: 9, spent: true }
    store.hint()
    expect(auth.getSnapshot().subject).toBe('bob')
  })
})

describe('a save that never settles', () => {
  /** A refresh whose save hangs; `hold` says what else does. */
  async function hung() {
    const store = createHandStore()
    const world = await setUp({ store })
    const { sessionId } = store.kept as SessionRecord
    store.hold('save')
    const refreshed = world.auth.refresh()
    const save = await store.waiting('save')
    return { ...world, store, sessionId, save, refreshed }
  }

  it('G15: is replaced by a record without tokens when its time is over', async () => {
    const { store, clock, sessionId, refreshed } = await hung()
    await clock.advance(15_000)
    await refreshed
    store.held[1]?.release()
    expect(store.kept).toEqual({ v: 1, sessionId, version: 2, spent: true })
  })

  it('G15: stores the newest tokens when it completes after that record', async () => {
    const { store, clock, save, server, refreshed } = await hung()
    await clock.advance(15_000)
    await refreshed
    store.held[1]?.release()
    save.release()
    await microtasksDone()
    expect(keptRefreshToken(store)).toBe(server.sessions[0]?.refreshToken)
  })

  it('G15: leaves nothing when that record is never stored either', async () => {
    const { store, clock, refreshed } = await hung()
    await clock.advance(15_000)
    await refreshed
    await clock.advance(15_000)
    await microtasksDone()
    expect(store.kept).toBeUndefined()
    expect(clock.pending).toBe(0)
  })

  it('G15: is undone when it completes after another tab has signed out', async () => {
    const { store, clock, save, refreshed, auth } = await hung()
    await clock.advance(15_000)
    await refreshed
    store.kept = undefined
    store.hint()
    await microtasksDone()
    expect(statusOf(auth)).toBe('signed-out')
    save.release()
    await microtasksDone()
    expect(store.kept).toBeUndefined()
  })

  it('G15: is overwritten when it completes after another sign-in', async () => {
    const { store, clock, save, refreshed, auth, server } = await hung()
    await clock.advance(15_000)
    await refreshed
    const bob = tokensOf(server.login('bob'))
    await auth.signIn(bob)
    for (const call of [...store.held].slice(1)) call.release()
    save.release()
    await microtasksDone()
    store.releaseAll()
    await microtasksDone()
    expect(keptToken(store)).toBe(bob.accessToken)
  })

  it('G15: does not delay the next write', async () => {
    const { clock, refreshed, auth, server, store } = await hung()
    await clock.advance(15_000)
    await refreshed
    await auth.refresh()
    await auth.signOut()
    expect(server.counts).toMatchObject({ granted: 2, reuses: 0 })
    expect(store.kept).toBeUndefined()
    expect(clock.pending).toBe(0)
  })
})

describe('a load that never settles', () => {
  /** Over a store that has not answered one load. */
  async function deaf() {
    const store = createHandStore()
    const world = await setUp({ store })
    store.hold('load')
    store.hint()
    await store.waiting('load')
    await world.clock.advance(15_000)
    // The one that is held stays so; the next ones are answered.
    const load = store.held[0]
    Object.defineProperty(store, 'load', { value: async () => store.kept })
    return { ...world, store, load }
  }

  it('G15: fails alone: the result of the next load counts', async () => {
    const { store, auth, events, server } = await deaf()
    expect(eventsOf(events, 'storeError')).toMatchObject([{ operation: 'load' }])
    const theirs = tokensOf(server.login())
    rotatedElsewhere(store, theirs)
    store.hint()
    await microtasksDone()
    expect(await auth.getAccessToken()).toBe(theirs.accessToken)
    store.kept = undefined
    store.hint()
    await microtasksDone()
    expect(statusOf(auth)).toBe('signed-out')
    expect(eventsOf(events, 'storeError')).toHaveLength(1)
  })

  it('G15: does not keep tokens out of the store, and no request is released before they are stored', async () => {
    const { store, auth, server, events } = await deaf()
    store.hold('save')
    let released = false
    const refreshed = auth.refresh().then(() => {
      released = true
    })
    const save = await store.waiting('save')
    await microtasksDone()
    expect(released).toBe(false)
    save.release()
    await refreshed
    expect(keptRefreshToken(store)).toBe(server.sessions[0]?.refreshToken)
    await auth.signOut()
    expect(store.kept).toBeUndefined()
    expect(eventsOf(events, 'storeError')).toHaveLength(1)
  })

  it('G15: does not keep a sign-in out of the store at the start', async () => {
    const store = createHandStore()
    store.hold('load')
    const { auth, server, clock } = await setUp({ store, signedIn: false })
    await clock.advance(15_000)
    await auth.ready
    const tokens = tokensOf(server.login())
    await auth.signIn(tokens)
    expect(keptToken(store)).toBe(tokens.accessToken)
  })

  it('G15: is read when a stopped process wakes, before its time limit applies', async () => {
    const store = createHandStore()
    const { auth, clock, server, events } = await setUp({ store })
    const theirs = tokensOf(server.login())
    rotatedElsewhere(store, theirs)
    store.hold('load')
    store.hint()
    const load = await store.waiting('load')
    clock.jump(3_600_000)
    await clock.advance(1)
    load.release()
    await microtasksDone()
    expect(eventsOf(events, 'storeError')).toEqual([])
    expect(auth.stats().adopted).toBe(1)
  })
})

describe('a sign-out or sign-in that an asynchronous store shows', () => {
  it('G13: is not undone by newer tokens that wait to be written', async () => {
    const store = createHandStore()
    const { auth, ends } = await setUp({ store })
    store.hold('load')
    store.hint()
    const load = await store.waiting('load')
    const updated = settleAll([auth.updateTokens({ accessToken: 'newer' })])
    store.kept = undefined
    store.releaseAll()
    load.release()
    await updated
    await microtasksDone()
    expect(statusOf(auth)).toBe('signed-out')
    expect(ends).toMatchObject([{ reason: 'signed-out-elsewhere' }])
    expect(store.kept).toBeUndefined()
  })

  it('G13: is not undone by the grant of a refresh under way', async () => {
    const store = createHandStore()
    const hand = createHandRefresh()
    const { auth, ends } = await setUp({ store, refresh: hand.refresh })
    const failure = failureOf(auth.refresh())
    const call = await hand.call(1)
    store.kept = undefined
    call.answer({ accessToken: 'late', refreshToken: 'late-too' })
    expect(authErrorOf(await failure)?.code).toBe('SIGNED_OUT')
    expect(ends).toMatchObject([{ reason: 'signed-out-elsewhere' }])
    expect(store.kept).toBeUndefined()
  })

  it('G14: does not undo a sign-in here that still waits to be written', async () => {
    const store = createHandStore()
    const { auth, server } = await setUp({ store })
    store.hold('load')
    store.hint()
    await store.waiting('load')
    const signedIn = auth.signIn(tokensOf(server.login('bob')))
    store.kept = undefined
    store.releaseAll()
    await signedIn
    expect(auth.getSnapshot().subject).toBe('bob')
    expect(store.kept).toMatchObject({ subject: 'bob' })
  })
})

describe('what is no record of this version', () => {
  const foreign: [string, unknown][] = [
    ['a newer record', { v: 2, sessionId: 's', version: 9, sealed: 'x' }],
    ['a record with a format as text', { v: '1', sessionId: 's', version: 9 }],
    ['a text', 'Fe26.2**sealed'],
    ['a list', [1]],
    ['a number', 7],
    ['false', false],
    ['an object of another kind', { theme: 'dark' }],
  ]
  const cases = foreign.flatMap(([name, value]) => kinds.map((kind) => [name, kind, value] as const))

  it.each(cases)('G15: %s (%s) that appears during a refresh is not overwritten', async (_, kind, value) => {
    const store = createStore(kind)
    const { server, api, auth, events, ends } = await setUp({ store })
    server.killAccessTokens()
    const hold = server.holdRefresh()
    const request = settleAll([api.get('/api/x')])
    await hold.waiting(1)
    store.kept = value
    hold.releaseAll()
    expect(outcomesOf(await request)).toEqual(['ok'])
    expect(store.kept).toBe(value)
    expect(statusOf(auth)).toBe('signed-in')
    expect(ends).toEqual([])
    expect(eventsOf(events, 'storeError').at(-1)).toMatchObject({ operation: 'load' })
    // The session goes on in memory.
    await auth.refresh()
    await auth.updateTokens({ accessToken: server.login().access_token })
    expect((await api.get('/api/y')).status).toBe(200)
    expect(store.kept).toBe(value)
    expect(server.counts).toMatchObject({ granted: 2, reuses: 0 })
  })

  it.each(cases)('G15: %s (%s) is not replaced by a refusal', async (_, kind, value) => {
    const store = createStore(kind)
    const { server, auth, ends } = await setUp({ store })
    const hold = server.holdRefresh()
    const failure = failureOf(auth.refresh())
    await hold.waiting(1)
    store.kept = value
    server.refresh.next(401)
    hold.releaseAll()
    expect(authErrorOf(await failure)?.code).toBe('SESSION_EXPIRED')
    expect(ends).toMatchObject([{ reason: 'refused' }])
    expect(store.kept).toBe(value)
  })

  it.each(cases)(
    'G15: %s (%s) is replaced by signOut and signIn, which report it',
    async (_, kind, value) => {
      const store = createStore(kind)
      const { server, auth, events } = await setUp({ store })
      const seen = async () => {
        store.kept = value
        store.hint()
        await microtasksDone()
      }
      await seen()
      await auth.signIn(tokensOf(server.login('bob')))
      expect(store.kept).toMatchObject({ subject: 'bob' })
      await seen()
      await auth.signOut()
      expect(store.kept).toBeUndefined()
      await microtasksDone()
      expect(eventsOf(events, 'storeError').map(({ operation }) => operation)).toEqual([
        'load',
        'save',
        'load',
        'clear',
      ])
      // Once.
      await auth.signIn(tokensOf(server.login('bob')))
      expect(eventsOf(events, 'storeError')).toHaveLength(4)
    },
  )

  it.each(kinds)('G15: when it disappears (%s), the user has signed out elsewhere', async (kind) => {
    const store = createStore(kind)
    const { auth } = await setUp({ store })
    store.kept = { v: 2 }
    store.hint()
    await microtasksDone()
    expect(statusOf(auth)).toBe('signed-in')
    store.kept = undefined
    store.hint()
    await microtasksDone()
    expect(statusOf(auth)).toBe('signed-out')
  })

  it.each(kinds)(
    'G23: a damaged record of this version (%s) is reported by its field, and overwritten',
    async (kind) => {
      const store = createStore(kind)
      const { auth, server, events } = await setUp({ store })
      store.kept = { ...(store.kept as SessionRecord), expiresAtMs: 'soon' }
      await auth.refresh()
      await microtasksDone()
      expect(keptRefreshToken(store)).toBe(server.sessions[0]?.refreshToken)
      expect(eventsOf(events, 'storeError')[0]?.error.message).toBe(
        'The stored session is damaged: expiresAtMs.',
      )
    },
  )

  const good = { v: 1, sessionId: 's', version: 1, tokens: { accessToken: 'a' } }
  it.each<[string, unknown]>([
    ['sessionId', { ...good, sessionId: '' }],
    ['version', { ...good, version: 0 }],
    ['tokens.accessToken', { ...good, tokens: undefined }],
    ['tokens.accessToken', { ...good, tokens: 'secret' }],
    ['tokens.refreshToken', { ...good, tokens: { accessToken: 'a', refreshToken: 'b\n' } }],
    ['expiresAtMs', { ...good, expiresAtMs: '1' }],
    ['subject', { ...good, subject: 7 }],
    ['spent', { ...good, spent: 'yes' }],
    ['version', { ...good, spent: true, version: '1' }],
    ['sessionId', { v: 1, spent: true, version: 1 }],
  ])('G23: a wrong %s is named', async (field, kept) => {
    const { events, auth } = await setUp({ store: createOpenStore(kept), signedIn: false })
    await microtasksDone()
    expect(statusOf(auth)).toBe('signed-out')
    const messages = eventsOf(events, 'storeError').map(({ error }) => error.message)
    expect(messages).toEqual([`The stored session is damaged: ${field}.`])
  })
})

describe('localStorage', () => {
  let storage: FakeStorage
  beforeEach(() => {
    storage = new FakeStorage()
    vi.stubGlobal('localStorage', storage)
  })

  it('G15: that is full when tokens are rotated sends no used token after a reload', async () => {
    const world = await setUp({ store: localStorageStore({ key: 'app' }) })
    const { auth, server, events } = world
    const room = storage.getItem('app')?.length ?? 0
    const setItem = storage.setItem.bind(storage)
    storage.setItem = (key, value) => {
      if (value.length >= room) throw quota
      setItem(key, value)
    }
    await auth.refresh()
    expect(JSON.parse(storage.getItem('app') ?? '')).toMatchObject({ version: 2, spent: true })
    expect(eventsOf(events, 'storeError')).toHaveLength(1)
    auth.dispose()
    const reloaded = await open(world, localStorageStore({ key: 'app' }))
    expect(statusOf(reloaded.auth)).toBe('signed-out')
    expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
  })

  it('G15: with a text that is not JSON is overwritten only by signIn and signOut', async () => {
    const { auth, events, server } = await setUp({ store: localStorageStore({ key: 'app' }) })
    storage.setItem('app', 'Fe26.2**sealed')
    await auth.refresh()
    expect(storage.getItem('app')).toBe('Fe26.2**sealed')
    expect(eventsOf(events, 'storeError')[0]?.error.message).toContain('"app"')
    await auth.signIn(tokensOf(server.login('bob')))
    expect(JSON.parse(storage.getItem('app') ?? '')).toMatchObject({ subject: 'bob' })
  })
})
