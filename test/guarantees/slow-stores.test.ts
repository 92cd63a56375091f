// G3, G4, G14 and G15 in a store that takes its time: what happens between a call of the store and its answer.
// The model of the state machine (test/machine) has found each of these.

import { describe, expect, it } from 'vitest'
import type { SessionRecord, TokenStore } from '../../src/index.js'
import { eventsOf, setUp, tokensOf } from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { createHandStore, keptToken } from '../support/stores.js'

describe('while new tokens are being written to a slow store', () => {
  it('G3: a request is not sent with a token that has expired meanwhile', async () => {
    const store = createHandStore()
    const hand = createHandRefresh()
    const { server, api, auth, clock } = await setUp({ store, refresh: hand.refresh, signedIn: false })
    const [first, second] = [tokensOf(server.login()), tokensOf(server.login())]
    await auth.signIn({ ...first, expiresInSeconds: 100, subject: 'ada' })
    await clock.advance(101_000)
    store.hold('save')
    const request = api.get('/api/x')
    const call = await hand.call(1)
    call.answer({ accessToken: first.accessToken, expiresInSeconds: 2, subject: 'ada' })
    const save = await store.waiting('save')
    await clock.advance(3000)
    save.release()
    const again = await hand.call(2)
    expect(server.counts.requests).toBe(0)
    again.answer({ ...second, expiresInSeconds: 100, subject: 'ada' })
    store.releaseAll()
    expect((await request).status).toBe(200)
    expect(server.counts.requests).toBe(1)
  })

  it('G15: refresh() waits until its own tokens are stored, though those of updateTokens are stored meanwhile', async () => {
    const store = createHandStore()
    const hand = createHandRefresh()
    const { server, auth, events } = await setUp({ store, refresh: hand.refresh })
    store.hold('save')
    const updated = auth.updateTokens({ ...tokensOf(server.login()), subject: undefined })
    const save = await store.waiting('save')
    let isBack = false
    const refreshed = auth.refresh().then(() => {
      isBack = true
    })
    await microtasksDone()
    save.release()
    await updated
    const call = await hand.call(1)
    const older = auth.updateTokens({ accessToken: server.login().access_token })
    await store.waiting('save')
    const grant = tokensOf(server.login())
    call.answer(grant)
    await microtasksDone()
    ;(await store.waiting('save')).release()
    await older
    await microtasksDone()
    expect(keptToken(store)).not.toBe(grant.accessToken)
    expect(isBack).toBe(false)
    store.releaseAll()
    await refreshed
    expect(keptToken(store)).toBe(grant.accessToken)
    expect(eventsOf(events, 'refreshed')).toHaveLength(1)
  })

  it('G15: waiting requests are released when the last of several updateTokens is stored', async () => {
    const store = createHandStore()
    const hand = createHandRefresh()
    const { server, api, auth } = await setUp({ store, refresh: hand.refresh })
    server.killAccessTokens()
    const request = api.get('/api/x')
    await hand.call(1)
    store.hold('save')
    const first = auth.updateTokens(tokensOf(server.login()))
    const save = await store.waiting('save')
    const second = auth.updateTokens(tokensOf(server.login()))
    save.release()
    await first
    await store.waiting('save')
    await microtasksDone()
    for (let trips = 0; trips < 4; trips++) await api.get('/public/ping', { authClient: false })
    expect(server.requestsTo('/api/x')).toHaveLength(1)
    store.releaseAll()
    await second
    expect((await request).status).toBe(200)
  })

  it('G4: a refresh that they have overtaken keeps its turn until they are stored', async () => {
    const store = createHandStore()
    const hand = createHandRefresh()
    let keptAtEnd: string | undefined
    const exclusively = async <T>(work: () => Promise<T>): Promise<T> => {
      const result = await work()
      keptAtEnd = keptToken(store)
      return result
    }
    const { server, auth } = await setUp({
      store: Object.assign(store, { exclusively }) as TokenStore,
      refresh: hand.refresh,
    })
    const refreshed = auth.refresh()
    const call = await hand.call(1)
    store.hold('save')
    const newer = tokensOf(server.login())
    const updated = auth.updateTokens(newer)
    const save = await store.waiting('save')
    call.answer(tokensOf(server.login()))
    await microtasksDone()
    expect(keptAtEnd).toBeUndefined()
    save.release()
    await Promise.all([updated, refreshed])
    await microtasksDone()
    expect(keptAtEnd).toBe(newer.accessToken)
  })
})

describe('while a slow store is busy', () => {
  it('G14: a sign-in that is not yet written is not undone by an older sign-out elsewhere', async () => {
    const store = createHandStore()
    const { server, auth, ends } = await setUp({ store })
    store.hold('load')
    store.hint()
    const first = await store.waiting('load')
    store.hint()
    const signedIn = auth.signIn({ ...tokensOf(server.login()), subject: 'bob' })
    first.release()
    await microtasksDone()
    store.kept = undefined
    store.releaseAll()
    await signedIn
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'bob' })
    expect((store.kept as SessionRecord).subject).toBe('bob')
    expect(ends.map(({ reason }) => reason)).toEqual(['replaced'])
  })
})
