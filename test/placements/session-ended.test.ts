// A placement learns when a session has ended in its own client, to drop what belongs to it: a key, a nonce.
import axios from 'axios'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { bearerHeader, createAuthClient, memoryStore, type SessionEndReason } from '../../src/index.js'
import { json } from '../support/auth-server/answer.js'
import { type SetUpOptions, setUp, tokensOf, type World } from '../support/client.js'

async function setUpNoting(options: SetUpOptions = {}) {
  const ended: SessionEndReason[] = []
  const place = { ...bearerHeader(), sessionEnded: (reason: SessionEndReason) => void ended.push(reason) }
  return { ...(await setUp({ place, ...options })), ended }
}

describe('sessionEnded', () => {
  it.each<[SessionEndReason, (world: World) => Promise<unknown>]>([
    ['signed-out', ({ auth }) => auth.signOut()],
    ['replaced', ({ auth, server }) => auth.signIn(tokensOf(server.login('bob')))],
    [
      'refused',
      ({ auth, server }) => {
        server.revoke()
        return auth.refresh().catch(() => {})
      },
    ],
    [
      'replaced-elsewhere',
      ({ auth, server }) => {
        server.route('/auth/refresh', () => json(200, server.login('bob')))
        return auth.refresh().catch(() => {})
      },
    ],
  ])('is called once, with the reason: %s', async (reason, end) => {
    const world = await setUpNoting()
    await end(world)
    expect(world.ended).toEqual([reason])
    await world.auth.signOut()
    expect(world.ended).toEqual(reason.startsWith('replaced') ? [reason, 'signed-out'] : [reason])
  })

  it.each<[SessionEndReason, (world: World) => Promise<unknown>]>([
    ['signed-out-elsewhere', ({ auth }) => auth.signOut()],
    ['replaced-elsewhere', ({ auth, server }) => auth.signIn(tokensOf(server.login('bob')))],
    [
      'refused',
      ({ auth, server }) => {
        server.revoke()
        return auth.refresh().catch(() => {})
      },
    ],
  ])('is not called in a client that only finds out: %s', async (reason, end) => {
    const store = memoryStore()
    const first = await setUpNoting({ store })
    const ended: SessionEndReason[] = []
    const reasons: SessionEndReason[] = []
    const auth = createAuthClient(axios.create({ baseURL: first.server.url }), {
      store,
      place: { ...bearerHeader(), sessionEnded: (found) => void ended.push(found) },
      onSessionEnd: (end) => void reasons.push(end.reason),
    })
    onTestFinished(() => auth.dispose())
    expect(auth.getSnapshot().status).toBe('signed-in')
    await end(first)
    await vi.waitFor(() => expect(reasons).toEqual([reason]))
    expect(first.ended).toHaveLength(1)
    expect(ended).toEqual([])
  })

  it('comes after the listeners, which may still need what the placement keeps', async () => {
    const order: string[] = []
    const { auth } = await setUp({
      place: { ...bearerHeader(), sessionEnded: () => void order.push('placement') },
      onSessionEnd: () => void order.push('app'),
    })
    auth.on('sessionEnd', () => void order.push('listener'))
    await auth.signOut()
    expect(order).toEqual(['listener', 'app', 'placement'])
  })

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no key')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no key'))],
  ])('that %s is reported, and keeps nobody from signing out', async (_, sessionEnded) => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { auth, ends } = await setUp({ place: { ...bearerHeader(), sessionEnded } })
    await auth.signOut()
    expect(ends).toHaveLength(1)
    await vi.waitFor(() => expect(logged).toHaveBeenCalled())
    expect(String(logged.mock.calls[0])).toContain('no key')
    logged.mockRestore()
  })

  it('keeps its own `this`', async () => {
    const place = {
      ...bearerHeader(),
      seen: undefined as SessionEndReason | undefined,
      sessionEnded(reason: SessionEndReason) {
        this.seen = reason
      },
    }
    const { auth } = await setUp({ place })
    await auth.signOut()
    expect(place.seen).toBe('signed-out')
  })

  it('is not called by dispose: the session goes on in the store', async () => {
    const { auth, ended } = await setUpNoting()
    auth.dispose()
    expect(ended).toEqual([])
  })
})
