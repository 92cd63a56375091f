// Any storage with getItem, setItem and removeItem: at once or later, texts or what they say, and who replaces whom.

import axios from 'axios'
import {
  createAuthClient,
  type KeyValueStorage,
  keyValueStore,
  type SessionRecord,
  type TokenStore,
} from 'axios-auth-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FakeStorage } from '../contracts/fake-storage.js'
import { describeTokenStore } from '../contracts/token-store.js'

/** AsyncStorage and the like: answers later; the calls named to `hold` when the test lets them. */
function createAsyncStorage() {
  const kept = new Map<string, string>()
  const held: { name: string; go: () => void }[] = []
  const holding = new Set<string>()
  const later = async <T>(name: string, work: () => T): Promise<T> => {
    if (holding.has(name)) await new Promise<void>((go) => held.push({ name, go }))
    else await Promise.resolve()
    return work()
  }
  return {
    kept,
    held,
    holding,
    getItem: (key: string) => later('getItem', () => kept.get(key) ?? null),
    setItem: (key: string, value: string) => later('setItem', () => void kept.set(key, value)),
    removeItem: (key: string) => later('removeItem', () => void kept.delete(key)),
  }
}

/** localForage gives back what was set, unstorage what its JSON says; neither copies. */
function createParsingStorage(): KeyValueStorage {
  const kept = new Map<string, unknown>()
  return {
    getItem: async (key) => kept.get(key) ?? null,
    async setItem(key, value) {
      kept.set(key, JSON.parse(value))
    },
    async removeItem(key) {
      kept.delete(key)
    },
  }
}

describeTokenStore('keyValueStore on a synchronous storage', () => {
  const storage = new FakeStorage()
  return () => keyValueStore(storage, { key: 'session' })
})

describeTokenStore('keyValueStore on an asynchronous storage', () => {
  const storage = createAsyncStorage()
  return () => keyValueStore(storage, { key: 'session' })
})

describeTokenStore('keyValueStore on a storage that parses', () => {
  const storage = createParsingStorage()
  return () => keyValueStore(storage, { key: 'session' })
})

function page(store: TokenStore) {
  const api = axios.create({ baseURL: 'https://api.example.com' })
  const spent: unknown[] = []
  const ends: string[] = []
  const auth = createAuthClient(api, {
    store,
    refresh: async ({ refreshToken }) => {
      spent.push(refreshToken)
      return { accessToken: `a${spent.length + 1}`, refreshToken: `r${spent.length + 1}` }
    },
    onSessionEnd: ({ reason }) => void ends.push(reason),
  })
  onTestFinished(() => auth.dispose())
  const errors: string[] = []
  auth.on('storeError', ({ operation, error }) => errors.push(`${operation}: ${error.message}`))
  return { auth, spent, ends, errors }
}

const record = (version: number, accessToken = `a${version}`): SessionRecord => ({
  v: 1,
  sessionId: 'one',
  version,
  tokens: { accessToken, refreshToken: 'r' },
})

const STORAGES: [string, () => KeyValueStorage][] = [
  ['synchronous', () => new FakeStorage()],
  ['asynchronous', createAsyncStorage],
  ['parsing', createParsingStorage],
]

describe('keyValueStore', () => {
  it('answers at once where the storage does', async () => {
    const storage = new FakeStorage()
    const store = keyValueStore(storage, { key: 'k' })
    expect(store.save(record(1))).toBeUndefined()
    expect(store.load()).toEqual(record(1))
    expect(page(store).auth.getSnapshot().status).toBe('signed-in')
    expect(JSON.parse(storage.getItem('k') ?? '')).toEqual(record(1))
    expect(store.clear()).toBeUndefined()
    expect(storage.length).toBe(0)
  })

  it('calls the storage with its own `this`, and no other key', async () => {
    class Mine {
      readonly kept = new Map<string, string>()
      getItem(key: string) {
        return this.kept.get(key)
      }
      setItem(key: string, value: string) {
        this.kept.set(key, value)
      }
      removeItem(key: string) {
        this.kept.delete(key)
      }
    }
    const storage = new Mine()
    storage.kept.set('other', 'theirs')
    const { auth, errors } = page(keyValueStore(storage, { key: 'mine' }))
    await auth.signIn({ accessToken: 'a1' })
    expect([...storage.kept.keys()]).toEqual(['other', 'mine'])
    await auth.signOut()
    expect([...storage.kept]).toEqual([['other', 'theirs']])
    expect(errors).toEqual([])
  })

  it.each(STORAGES)('remembers that the server refused the refresh (%s)', async (_, create) => {
    const storage = create()
    const store = keyValueStore(storage, { key: 'k' })
    await store.save(record(1))
    await store.clear('refused')
    expect(await keyValueStore(storage, { key: 'k' }).load()).toBe('refused')
  })

  it.each([
    ['no JSON', 'garbage {'],
    ['an empty text', ''],
    ['JSON of somebody else', '{"user":"ada"}'],
  ])('G15: keeps %s, reports it without quoting it, and replaces it at sign-in', async (_, text) => {
    const storage = new FakeStorage()
    storage.setItem('k', text)
    const { auth, errors } = page(keyValueStore(storage, { key: 'k' }))
    await auth.ready
    await Promise.resolve()
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(errors).toHaveLength(1)
    expect(errors.join()).not.toMatch(/garbage|ada/)
    expect(storage.getItem('k')).toBe(text)
    await auth.signIn({ accessToken: 'a1' })
    expect(storage.getItem('k')).toContain('a1')
  })

  it.each(STORAGES)('replaces the record that was read, and no other one (%s)', async (_, create) => {
    const storage = create()
    const store = keyValueStore(storage, { key: 'k' })
    expect(await store.save(record(1), { replaces: record(9) })).toBe(false)
    expect(await store.clear(undefined, { replaces: record(9) })).toBe(false)
    expect(await store.save(record(1), { replaces: null })).not.toBe(false)
    expect(await store.save(record(2), { replaces: null })).toBe(false)
    // One of the same number that is not the same.
    expect(await store.save(record(2), { replaces: record(1, 'other') })).toBe(false)
    expect(await store.load()).toEqual(record(1))
    // The same by value, whatever the order of its fields.
    const { tokens, version, sessionId, v } = record(1)
    expect(await store.save(record(2), { replaces: { tokens, version, sessionId, v } })).not.toBe(false)
    expect(await store.load()).toEqual(record(2))
    expect(await store.clear('refused', { replaces: record(1) })).toBe(false)
    expect(await store.clear('refused', { replaces: record(2) })).not.toBe(false)
    expect(await store.save(record(3), { replaces: null })).not.toBe(false)
  })

  it('never replaces anything but a record of this version', async () => {
    const storage = new FakeStorage()
    storage.setItem('k', 'garbage')
    const store = keyValueStore(storage, { key: 'k' })
    expect(store.save(record(1), { replaces: null })).toBe(false)
    expect(store.save(record(1), { replaces: record(1) })).toBe(false)
    expect(storage.getItem('k')).toBe('garbage')
  })

  it('lets exactly one of two concurrent replacements win', async () => {
    const storage = createAsyncStorage()
    const store = keyValueStore(storage, { key: 'k' })
    await store.save(record(1))
    const both = [
      store.save(record(2, 'x'), { replaces: record(1) }),
      store.save(record(2, 'y'), { replaces: record(1) }),
    ]
    const answers = await Promise.all(both)
    expect(answers.filter((answer) => answer === false)).toHaveLength(1)
    expect(await store.load()).toEqual(record(2, answers[0] === false ? 'y' : 'x'))
  })

  it('does not restore a session by a late save: a sign-out wins before, during and after it', async () => {
    const storage = createAsyncStorage()
    const store = keyValueStore(storage, { key: 'k' })
    await store.save(record(1))
    // It has read the record, and the sign-out comes before it compares.
    const late = store.save(record(2), { replaces: record(1) })
    await Promise.all([store.clear(), late])
    expect(await late).toBe(false)
    expect(storage.kept.size).toBe(0)
    // It comes while the sign-out is on its way.
    await store.save(record(1))
    storage.holding.add('removeItem')
    const cleared = store.clear()
    const later = store.save(record(2), { replaces: record(1) })
    await new Promise((resolve) => setImmediate(resolve))
    storage.held.splice(0).forEach(({ go }) => void go())
    await cleared
    expect(await later).toBe(false)
    expect(storage.kept.size).toBe(0)
  })

  it('compares after the last of several pending writes', async () => {
    const storage = createAsyncStorage()
    const store = keyValueStore(storage, { key: 'k' })
    storage.holding.add('setItem')
    const first = store.save(record(1))
    void store.save(record(2))
    storage.held.shift()?.go()
    await first
    await new Promise((resolve) => setImmediate(resolve))
    const third = store.save(record(3), { replaces: record(2) })
    await new Promise((resolve) => setImmediate(resolve))
    storage.holding.clear()
    storage.held.shift()?.go()
    expect(await third).not.toBe(false)
    expect(await store.load()).toEqual(record(3))
  })

  it('is not read again after a write when nobody else uses it', async () => {
    const storage = createAsyncStorage()
    let looks = 0
    const { getItem } = storage
    storage.getItem = (key) => {
      looks++
      return getItem(key)
    }
    const { auth } = page(keyValueStore(storage, { key: 'k' }))
    await auth.ready
    await auth.signIn({ accessToken: 'a1' })
    await new Promise((resolve) => setImmediate(resolve))
    expect(looks).toBe(1)
  })

  it('a write that hangs does not delay a sign-out', async () => {
    const storage = createAsyncStorage()
    const store = keyValueStore(storage, { key: 'k' })
    await store.save(record(1))
    storage.holding.add('setItem')
    void store.save(record(2))
    await store.clear()
    expect(storage.kept.size).toBe(0)
  })

  it('continues after a failed write', async () => {
    const storage = createAsyncStorage()
    const { setItem } = storage
    const store = keyValueStore(storage, { key: 'k' })
    storage.setItem = async () => {
      throw new Error('full')
    }
    await expect(store.save(record(1))).rejects.toThrow('full')
    storage.setItem = setItem
    expect(await store.save(record(1), { replaces: null })).not.toBe(false)
    expect(await store.load()).toEqual(record(1))
  })

  it.each(STORAGES)(
    'G21: two clients on one store notify each other, and take turns (%s)',
    async (_, create) => {
      const store = keyValueStore(create(), { key: 'k' })
      const [one, two] = [page(store), page(store)]
      await Promise.all([one.auth.ready, two.auth.ready])
      await one.auth.signIn({ accessToken: 'a1', refreshToken: 'r1' })
      await new Promise((resolve) => setImmediate(resolve))
      expect(two.auth.getSnapshot().status).toBe('signed-in')
      await Promise.all([one.auth.refresh(), two.auth.refresh()])
      expect([...one.spent, ...two.spent]).toEqual(['r1'])
      await two.auth.signOut()
      await new Promise((resolve) => setImmediate(resolve))
      expect(one.auth.getSnapshot().status).toBe('signed-out')
      expect([...one.ends, ...two.ends]).toEqual(['signed-out-elsewhere', 'signed-out'])
    },
  )

  it('does not call a listener after it unsubscribed', async () => {
    const store = keyValueStore(new FakeStorage(), { key: 'k' })
    const calls: string[] = []
    const stop = store.subscribe?.(() => void calls.push('one'))
    void store.subscribe?.(() => void calls.push('two'))
    void store.subscribe?.(() => void calls.push('three'))
    await Promise.resolve(stop).then((unsubscribe) => unsubscribe?.())
    await store.save(record(1))
    await Promise.resolve()
    expect(calls).toEqual(['two', 'three'])
  })

  it('rejects a storage that lacks a method, and unknown options', () => {
    const sound = new FakeStorage()
    const wrong: [unknown, unknown, string][] = [
      [undefined, { key: 'k' }, 'keyValueStore: storage'],
      [null, { key: 'k' }, 'keyValueStore: storage'],
      ['localStorage', { key: 'k' }, 'keyValueStore: storage'],
      [{ getItem() {}, setItem() {} }, { key: 'k' }, 'keyValueStore: storage'],
      [{ getItem() {}, setItem() {}, removeItem: true }, { key: 'k' }, 'getItem, setItem, removeItem'],
      [sound, undefined, 'keyValueStore'],
      [sound, {}, 'keyValueStore: key'],
      [sound, { key: '' }, 'keyValueStore: key'],
      [sound, { key: 'k', prefix: 'p' }, 'keyValueStore: prefix'],
    ]
    for (const [storage, options, name] of wrong) {
      const create = () => keyValueStore(storage as never, options as never)
      expect(create).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
      expect(create).toThrow(name)
    }
  })
})
