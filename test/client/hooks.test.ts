// What the hooks of the app are shown of a request and its answer, and what they may change.

import { describe, expect, it } from 'vitest'
import { tokenFromHeader } from '../../src/index.js'
import { json } from '../support/auth-server/answer.js'
import { setUp } from '../support/client.js'

describe('beforeReplay', () => {
  it('may change the body, as one does that signs it', async () => {
    const nonce = 'x'.repeat(50)
    const { server, api } = await setUp({
      beforeReplay(config) {
        config.data = JSON.stringify({ ...JSON.parse(config.data), nonce })
      },
    })
    server.killAccessTokens()
    expect((await api.post('/api/x', { a: 1 })).status).toBe(200)
    expect(server.requestsTo('/api/x').map(({ body }) => body)).toEqual([{ a: 1 }, { a: 1, nonce }])
  })
})

describe('readResponse', () => {
  it('reads no token from the answer to a request that carried none (place: false)', async () => {
    const { server, api, auth, login } = await setUp({ readResponse: tokenFromHeader('authorization') })
    server.route('/public/x', () => json(200, {}, { authorization: 'somebody-elses-token' }))
    await api.post('/public/x', {}, { authClient: { place: false } })
    expect(await auth.getAccessToken()).toBe(login.access_token)
  })

  it('reads no token from the answer to a request that carried an older one', async () => {
    const { server, api, auth } = await setUp({ readResponse: tokenFromHeader('x-new-token') })
    server.route('/api/push', () => json(200, {}, { 'x-new-token': 'pushed-for-the-older-one' }))
    const hold = server.hold('/api/push', { at: 'answer' })
    const request = api.get('/api/push')
    await hold.waiting(1)
    const accessToken = server.login().access_token
    await auth.updateTokens({ accessToken })
    hold.releaseAll()
    expect((await request).status).toBe(200)
    expect(await auth.getAccessToken()).toBe(accessToken)
  })
})

describe('shouldRefresh', () => {
  it.each([
    ['whether the token is stale', 300, 280_000, true],
    ['whether the token is stale', 300, 1_000, false],
    ['nothing of a token of unknown life', undefined, 280_000, undefined],
  ])('is told %s (lives %s s, after %i ms: %s)', async (_, expiresInSeconds, afterMs, told) => {
    const asked: unknown[] = []
    const { server, api, auth, clock } = await setUp({
      signedIn: false,
      shouldRefresh({ expired }) {
        asked.push(expired)
        return false
      },
    })
    await auth.signIn({ accessToken: 'opaque', ...(expiresInSeconds && { expiresInSeconds }) })
    const hold = server.hold('/public/x')
    const request = api.get('/public/x')
    await hold.waiting(1)
    clock.jump(afterMs)
    hold.releaseAll()
    await request
    expect(asked).toEqual([told])
  })

  it('reads the fields of a JSON body, where a server reports expiry with a 200', async () => {
    const { server, api } = await setUp({ shouldRefresh: ({ response }) => response.data?.code === 1004 })
    let asked = 0
    server.route('/api/x', () => json(200, { code: asked++ ? 0 : 1004 }))
    expect((await api.get('/api/x')).data).toEqual({ code: 0 })
    expect(server.counts.refreshes).toBe(1)
  })
})
