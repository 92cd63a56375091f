// G3 in a store that takes its time: what happens between a call of the store and its answer.
// The model of the state machine (test/machine) has found it.

import { describe, expect, it } from 'vitest'
import { setUp, tokensOf } from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { createHandStore } from '../support/stores.js'

describe('while new tokens are on their way into a slow store', () => {
  it('G3: a request does not go out with a token that has run out meanwhile', async () => {
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
})
