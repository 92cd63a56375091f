// A store of one's own: asynchronous ones keep the contract too, and what breaks it breaks no request.

import axios from 'axios'
import { createAuthClient, type TokenStore } from 'axios-auth-client'
import { afterEach, describe, expect, it } from 'vitest'
import { createManualClock } from '../../src/testing/manual-clock.js'
import { describeTokenStore } from '../contracts/token-store.js'

describeTokenStore('an asynchronous store', () => {
  const kept = new Map<string, string>()
  return () => ({
    async load() {
      await Promise.resolve()
      const text = kept.get('session')
      return text === undefined ? null : JSON.parse(text)
    },
    async save(record) {
      const text = JSON.stringify(record)
      await new Promise((resolve) => setImmediate(resolve))
      kept.set('session', text)
    },
    async clear() {
      await new Promise((resolve) => setImmediate(resolve))
      kept.delete('session')
    },
  })
})

describeTokenStore('a store of thenables that are no promises', () => {
  let kept: unknown
  // biome-ignore lint/suspicious/noThenProperty: that is what is tested
  const thenable = <T>(run: () => T) => ({ then: (resolve: (value: T) => void) => resolve(run()) })
  return () =>
    ({
      load: () => thenable(() => kept),
      save: (record: unknown) =>
        thenable(() => {
          kept = record
        }),
      clear: () =>
        thenable(() => {
          kept = undefined
        }),
    }) as unknown as TokenStore
})

const endings: (() => void)[] = []
afterEach(() => {
  for (const end of endings.splice(0)) end()
})

function page(store: TokenStore) {
  const clock = createManualClock()
  const sent: unknown[] = []
  const api = axios.create({
    baseURL: 'https://api.example.com',
    adapter: async (config) => {
      sent.push(config.headers.Authorization)
      return { data: {}, status: 200, statusText: 'OK', headers: {}, config }
    },
  })
  const auth = createAuthClient(api, { store, clock })
  endings.push(() => auth.dispose())
  const errors: string[] = []
  auth.on('storeError', ({ operation, error }) => errors.push(`${operation}: ${error.message}`))
  return { api, auth, sent, errors, clock }
}

const record = { v: 1, sessionId: 's', version: 1, tokens: { accessToken: 'stored' } }

describe('a store of one’s own', () => {
  it('is called with its own `this`', async () => {
    class Mine {
      kept: unknown = record
      load() {
        return this.kept
      }
      save(saved: unknown) {
        this.kept = saved
      }
      clear() {
        this.kept = undefined
      }
      subscribe() {
        return () => void this.kept
      }
    }
    const store = new Mine()
    const { auth, errors } = page(store)
    expect(auth.getSnapshot().status).toBe('signed-in')
    await auth.updateTokens({ accessToken: 'newer' })
    expect(store.kept).toMatchObject({ version: 2, tokens: { accessToken: 'newer' } })
    await auth.signOut()
    expect(store.kept).toBeUndefined()
    expect(errors).toEqual([])
  })

  it('may answer sometimes at once and sometimes with a promise', async () => {
    let kept: unknown = record
    let slow = false
    const { auth, errors } = page({
      load: () => (slow ? Promise.resolve(kept) : kept),
      save(saved) {
        kept = saved
      },
      clear() {
        kept = undefined
      },
    })
    slow = true
    await auth.updateTokens({ accessToken: 'newer' })
    expect(auth.getSnapshot().status).toBe('signed-in')
    expect(kept).toMatchObject({ tokens: { accessToken: 'newer' } })
    expect(errors).toEqual([])
  })

  it('makes requests wait until it has been read, when it is asynchronous', async () => {
    let answer = (_: unknown): void => {}
    const { api, auth, sent } = page({
      load: () =>
        new Promise((resolve) => {
          answer = resolve
        }),
      save: () => {},
      clear: () => {},
    })
    expect(auth.getSnapshot().status).toBe('pending')
    const asked = api.get('/x')
    await Promise.resolve()
    expect(sent).toEqual([])
    answer(record)
    await asked
    expect(sent).toEqual(['Bearer stored'])
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('blocked')
      },
    ],
    ['rejects', () => Promise.reject(new Error('blocked'))],
    [
      'throws something that is no error',
      () => {
        // biome-ignore lint/style/useThrowOnlyError: that is what is tested
        throw 'blocked'
      },
    ],
    ['rejects with nothing', () => Promise.reject(undefined)],
  ])('reports a load that %s, and starts signed out', async (_, load) => {
    const { api, auth, sent, errors } = page({ load, save: () => {}, clear: () => {} })
    await auth.ready
    await api.get('/x')
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(sent).toEqual([undefined])
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatch(/^load: /)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('full'))],
  ])('reports a save and a clear that %s, and keeps the session in memory', async (_, fail) => {
    const { api, auth, sent, errors } = page({ load: () => undefined, save: fail, clear: fail })
    await auth.signIn({ accessToken: 'mine' })
    await api.get('/x')
    await auth.signOut()
    await api.get('/x')
    expect(sent).toEqual(['Bearer mine', undefined])
    await Promise.resolve()
    expect(errors).toEqual(['save: full', 'clear: full'])
  })

  it('reports a subscribe that throws, and continues', async () => {
    const { auth, errors } = page({
      load: () => record,
      save: () => {},
      clear: () => {},
      subscribe: () => {
        throw new Error('no events here')
      },
    })
    await Promise.resolve()
    expect(auth.getSnapshot().status).toBe('signed-in')
    expect(errors).toEqual(['subscribe: no events here'])
    auth.dispose()
  })

  it('may subscribe without returning an unsubscribe function', () => {
    const { auth } = page({
      load: () => record,
      save: () => {},
      clear: () => {},
      subscribe: () => undefined as never,
    })
    expect(() => auth.dispose()).not.toThrow()
  })

  it('may throw from unsubscribe without breaking dispose', () => {
    const { auth, api } = page({
      load: () => record,
      save: () => {},
      clear: () => {},
      subscribe: () => () => {
        throw new Error('gone')
      },
    })
    expect(() => auth.dispose()).not.toThrow()
    expect(() => createAuthClient(api).dispose()).not.toThrow()
  })

  it('that never answers delays requests no longer than the refresh timeout, and is reported', async () => {
    const { api, auth, sent, errors, clock } = page({
      load: () => new Promise(() => {}),
      save: () => {},
      clear: () => {},
    })
    const asked = api.get('/x')
    await clock.advance(14_999)
    expect(sent).toEqual([])
    await clock.advance(1)
    await asked
    expect(sent).toEqual([undefined])
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(errors).toEqual(['load: The store did not load within 15000 ms.'])
    expect(clock.pending).toBe(0)
  })
})
