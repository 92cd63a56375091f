// Answers delayed and released by hand, against the client: the tests that depend on the order of events.
// Promise: a hold never lets a test hang without a word, and decides nothing itself.

import { describe, expect, it } from 'vitest'
import { startApp, startBackend } from './kit.js'

describe('a delayed refresh', () => {
  it('keeps every request waiting that got a 401, and one refresh answers them all', async () => {
    const backend = startBackend()
    const { api, auth } = startApp(backend)
    await auth.signIn(backend.login())
    backend.expireAccessTokens()
    const hold = backend.refresh.hold()
    const five = [1, 2, 3, 4, 5].map((id) => api.get(`/orders/${id}`))
    await hold.waiting()
    expect(hold.held).toBe(1)
    expect(backend.counts.served).toBe(0)
    hold.release()
    expect((await Promise.all(five)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(backend.counts).toMatchObject({ refreshes: 1, granted: 1, served: 5 })
  })

  it('does not undo a sign-out, and its late tokens are dropped', async () => {
    const backend = startBackend()
    const { api, auth } = startApp(backend)
    await auth.signIn(backend.login())
    backend.expireAccessTokens()
    const hold = backend.refresh.hold()
    const request = api.get('/orders')
    await hold.waiting()
    await auth.signOut()
    hold.release()
    await expect(request).rejects.toMatchObject({ cause: { code: 'SIGNED_OUT' } })
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(backend.counts).toMatchObject({ granted: 1, served: 0 })
  })

  it('answers what was decided when it arrived', async () => {
    const backend = startBackend()
    const { auth } = startApp(backend)
    await auth.signIn(backend.login())
    const hold = backend.refresh.hold()
    const refresh = auth.refresh()
    await hold.waiting()
    backend.refresh.always('refused')
    backend.revokeSessions()
    hold.release()
    expect((await refresh).status).toBe('signed-in')
  })
})

describe('a delayed answer', () => {
  it('of a 401 that arrives after the refresh starts no second one', async () => {
    const backend = startBackend()
    const { api, auth } = startApp(backend)
    await auth.signIn(backend.login())
    backend.expireAccessTokens()
    const hold = backend.hold('/slow')
    const slow = api.get('/slow')
    await hold.waiting()
    await api.get('/fast')
    hold.release()
    expect((await slow).status).toBe(200)
    expect(backend.counts).toMatchObject({ refreshes: 1, refused: 2, served: 2 })
  })

  it('is matched by the whole path for a string', async () => {
    const backend = startBackend()
    const { api, auth } = startApp(backend)
    await auth.signIn(backend.login())
    const hold = backend.hold('/orders')
    const held = api.get('/orders')
    await hold.waiting()
    expect((await api.get('/orders/1')).status).toBe(200)
    expect(hold.held).toBe(1)
    hold.release()
    await held
  })

  it('is matched by every path for a regular expression, a global one too', async () => {
    const backend = startBackend()
    const { api, auth } = startApp(backend)
    await auth.signIn(backend.login())
    const hold = backend.hold(/^\/orders/g)
    const answers = [1, 2, 3].map((id) => api.get(`/orders/${id}`))
    await hold.waiting(3)
    hold.release()
    await Promise.all(answers)
  })

  it('is counted per hold, and other paths are not delayed', async () => {
    const backend = startBackend()
    const { api, auth } = startApp(backend)
    await auth.signIn(backend.login())
    const orders = backend.hold(/^\/orders\//)
    const held = [api.get('/orders/1'), api.get('/orders/2')]
    await orders.waiting(2)
    expect((await api.get('/me')).status).toBe(200)
    orders.release()
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200])
    expect(orders.held).toBe(0)
    // Over: what comes next is not held.
    expect((await api.get('/orders/3')).status).toBe(200)
  })

  it('waits for every matching hold', async () => {
    const backend = startBackend()
    const { api, auth } = startApp(backend)
    await auth.signIn(backend.login())
    const [one, other] = [backend.hold('/orders'), backend.hold(/orders/)]
    let isAnswered = false
    const request = api.get('/orders').then(() => {
      isAnswered = true
    })
    await Promise.all([one.waiting(), other.waiting()])
    one.release()
    await api.get('/me')
    expect(isAnswered).toBe(false)
    other.release()
    await request
  })
})

describe('a hold that is used too early or too late', () => {
  it('says what to do when nothing is delayed', () => {
    const { refresh } = startBackend()
    expect(() => refresh.hold().release()).toThrow(
      'hold.release(): no refresh answer is held yet. First: await hold.waiting()',
    )
  })

  it('says what to do when it is over', async () => {
    const backend = startBackend()
    const { auth } = startApp(backend)
    await auth.signIn(backend.login())
    const hold = backend.refresh.hold()
    const refresh = auth.refresh()
    await hold.waiting()
    hold.release()
    await refresh
    expect(() => hold.release()).toThrow('hold.release(): this hold is over. Take a new one')
    await expect(hold.waiting(1, { timeoutMs: 1 })).rejects.toThrow('This hold is over: take a new one.')
  })

  it('says how many arrived when too few do', async () => {
    const backend = startBackend()
    const { auth } = startApp(backend)
    await auth.signIn(backend.login())
    const hold = backend.refresh.hold()
    const refresh = auth.refresh()
    await hold.waiting()
    await expect(hold.waiting(2, { timeoutMs: 1 })).rejects.toThrow(
      'hold.waiting(2): after 1 ms 1 of 2 refresh answers are held. Is the request made before this line',
    )
    hold.release()
    await refresh
  })
})
