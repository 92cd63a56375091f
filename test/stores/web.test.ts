// localStorage and sessionStorage: the contract, blocked and missing storage, and the import of an older scheme.

import axios from 'axios'
import {
  type AuthClientOptions,
  createAuthClient,
  localStorageStore,
  noCredential,
  type StoredRecord,
  sessionStorageStore,
  type Tokens,
} from 'axios-auth-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFakeTabs } from '../../src/testing/fake-tabs.js'
import { createManualClock } from '../../src/testing/manual-clock.js'
import { FakeStorage } from '../contracts/fake-storage.js'
import { describeTokenStore } from '../contracts/token-store.js'
import { failureOf } from '../support/client.js'
import { microtasksDone } from '../support/real-time.js'
import { heldLocks } from '../support/tabs.js'

describeTokenStore('localStorageStore', () => {
  vi.stubGlobal('localStorage', new FakeStorage())
  return () => localStorageStore({ key: 'my-app' })
})

describeTokenStore('sessionStorageStore', () => {
  vi.stubGlobal('sessionStorage', new FakeStorage())
  return () => sessionStorageStore({ key: 'my-app' })
})

describeTokenStore('localStorageStore with an import that finds nothing', () => {
  vi.stubGlobal('localStorage', new FakeStorage())
  return () => localStorageStore({ key: 'my-app', importFrom: () => undefined })
})

const endings: (() => void)[] = []
afterEach(() => {
  for (const end of endings.splice(0)) end()
  // A getter, which `unstubGlobals` does not know.
  for (const area of ['localStorage', 'sessionStorage']) Reflect.deleteProperty(globalThis, area)
})

function page(options: AuthClientOptions) {
  const sent: unknown[] = []
  const api = axios.create({
    baseURL: 'https://api.example.com',
    adapter: async (config) => {
      sent.push(config.headers.Authorization)
      return { data: {}, status: 200, statusText: 'OK', headers: {}, config }
    },
  })
  const auth = createAuthClient(api, options)
  endings.push(() => auth.dispose())
  const errors: string[] = []
  auth.on('storeError', ({ operation, error }) => errors.push(`${operation}: ${error.message}`))
  return { api, auth, sent, errors }
}

const record: StoredRecord = { v: 1, sessionId: 's', version: 1, tokens: { accessToken: 'stored' } }

describe.each([
  ['localStorage', localStorageStore],
  ['sessionStorage', sessionStorageStore],
] as const)('%s', (area, createStore) => {
  let storage: FakeStorage
  beforeEach(() => {
    storage = new FakeStorage()
    vi.stubGlobal(area, storage)
  })

  it('stores one record under the key, and nothing else', async () => {
    const { auth } = page({ store: createStore({ key: 'my-app' }) })
    await auth.signIn({ accessToken: 'a', refreshToken: 'r', expiresInSeconds: 60, subject: 'ada' })
    expect(storage.length).toBe(1)
    expect(JSON.parse(storage.getItem('my-app') ?? '')).toEqual({
      v: 1,
      sessionId: expect.any(String),
      version: 1,
      origins: ['https://api.example.com'],
      tokens: { accessToken: 'a', refreshToken: 'r' },
      expiresAtMs: expect.any(Number),
      subject: 'ada',
    })
    await auth.signOut()
    expect(storage.length).toBe(0)
  })

  it('keeps two keys separate', async () => {
    const one = page({ store: createStore({ key: 'one' }) })
    const two = page({ store: createStore({ key: 'two' }) })
    await one.auth.signIn({ accessToken: 'a' })
    await two.auth.signIn({ accessToken: 'b' })
    await one.auth.signOut()
    expect(await two.auth.getAccessToken()).toBe('b')
    expect(storage.length).toBe(1)
  })

  it('does not touch other keys', async () => {
    storage.setItem('theme', 'dark')
    const { auth } = page({ store: createStore({ key: 'my-app' }) })
    await auth.signIn({ accessToken: 'a' })
    await auth.signOut()
    expect(storage.getItem('theme')).toBe('dark')
  })

  it.each(['secret-rubbish', '{"v":1', '', 'undefined', '[object Object]'])(
    'reads %j as signed out, and reports it without quoting it',
    async (text) => {
      storage.setItem('my-app', text)
      const { auth, errors } = page({ store: createStore({ key: 'my-app' }) })
      await Promise.resolve()
      expect(auth.getSnapshot().status).toBe('signed-out')
      expect(errors).toHaveLength(1)
      expect(errors[0]).toContain('"my-app"')
      expect(errors[0]).not.toContain('secret')
    },
  )

  it('keeps a cookie session without tokens, and reads nothing else as one', async () => {
    const options = { store: createStore({ key: 'my-app' }), place: noCredential() }
    const first = page(options)
    await first.auth.signIn()
    first.auth.dispose()
    expect(page(options).auth.getSnapshot().status).toBe('signed-in')
    const withTokens = page({ store: createStore({ key: 'my-app' }) })
    expect(withTokens.auth.getSnapshot().status).toBe('signed-out')
    await microtasksDone()
    expect(withTokens.errors).toEqual(['load: The stored session is damaged: tokens.accessToken.'])
    storage.setItem('my-app', JSON.stringify({ ...record, tokens: { accessToken: 'a\nb' } }))
    expect(page(options).auth.getSnapshot().status).toBe('signed-out')
  })

  it('gives a page that was frozen when the refresh was refused the reason of the end', async () => {
    const asleep: string[] = []
    const tokens = { accessToken: 'a', refreshToken: 'r' }
    const store = () => createStore({ key: 'my-app' })
    const here = page({ store: store(), tokens, refresh: () => null })
    const there = page({
      store: store(),
      refresh: () => null,
      onSessionEnd: ({ reason }) => asleep.push(reason),
    })
    await failureOf(here.auth.refresh())
    expect(await failureOf(there.auth.refresh())).toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(asleep).toEqual(['refused'])
    // A page that is loaded later has no listener to notify.
    expect(page({ store: store() }).auth.getSnapshot().status).toBe('signed-out')
  })

  it('keeps a record of a future version until somebody signs in', async () => {
    const future = JSON.stringify({ ...record, v: 2, tokens: { sealed: 'x' } })
    storage.setItem('my-app', future)
    const { auth, errors, api } = page({ store: createStore({ key: 'my-app' }) })
    await api.get('/x')
    await auth.ready
    auth.dispose()
    expect(errors).toEqual(['load: The stored session is not a record of this version.'])
    expect(storage.getItem('my-app')).toBe(future)
  })

  it('keeps a record of a future version also when `tokens` are given', async () => {
    const future = JSON.stringify({ ...record, v: 2, tokens: { sealed: 'x' } })
    storage.setItem('my-app', future)
    const { auth } = page({ store: createStore({ key: 'my-app' }), tokens: { accessToken: 'given' } })
    await auth.ready
    expect(storage.getItem('my-app')).toBe(future)
    expect(await auth.getAccessToken()).toBe('given')
  })

  it('fails no request when it is missing', async () => {
    Reflect.deleteProperty(globalThis, area)
    const { auth, api, sent, errors } = page({ store: createStore({ key: 'my-app' }) })
    await auth.signIn({ accessToken: 'a' })
    await api.get('/x')
    await auth.signOut()
    await Promise.resolve()
    expect(sent).toEqual(['Bearer a'])
    expect(errors.map((error) => error.split(':')[0])).toEqual(['load', 'save', 'clear'])
    expect(errors[0]).toContain(area)
  })

  it('fails no request when accessing it throws', async () => {
    Object.defineProperty(globalThis, area, {
      configurable: true,
      get() {
        throw new DOMException('The operation is insecure.', 'SecurityError')
      },
    })
    const { auth, api, sent, errors } = page({ store: createStore({ key: 'my-app' }) })
    await auth.signIn({ accessToken: 'a' })
    await api.get('/x')
    await auth.signOut()
    await Promise.resolve()
    expect(sent).toEqual(['Bearer a'])
    expect(errors).toEqual(['load', 'save', 'clear'].map((name) => `${name}: The operation is insecure.`))
  })

  it('keeps the session in memory when it is full', async () => {
    storage.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError')
    }
    const { auth, api, sent, errors } = page({
      store: createStore({ key: 'my-app' }),
      refresh: async () => ({ accessToken: 'renewed' }),
    })
    await auth.signIn({ accessToken: 'a' })
    await api.get('/x')
    await auth.refresh()
    await api.get('/x')
    await Promise.resolve()
    expect(sent).toEqual(['Bearer a', 'Bearer renewed'])
    expect(errors).toEqual(['save: full', 'save: full'])
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  it('is not touched before a client is created', () => {
    const touched = vi.fn()
    Object.defineProperty(globalThis, area, { configurable: true, get: touched })
    createStore({ key: 'my-app', importFrom: touched })
    expect(touched).not.toHaveBeenCalled()
  })

  it.each([undefined, '', null, 5, {}])('refuses the key %j', (key) => {
    expect(() => createStore({ key } as never)).toThrow(/key/)
  })

  describe('with importFrom', () => {
    const legacy = { accessToken: 'old', refreshToken: 'old-r', subject: 'ada' }

    it('imports nothing after its own sign-in, though its key is gone', async () => {
      const importFrom = vi.fn((): Tokens | undefined => undefined)
      const store = createStore({ key: 'my-app', importFrom })
      const { auth } = page({ store })
      await auth.signIn({ accessToken: 'new' })
      // Site data was cleared, and an older page has written its tokens since.
      storage.clear()
      importFrom.mockReturnValue(legacy)
      expect(store.load()).toBeUndefined()
    })

    it('imports the tokens of an older scheme once, and keeps them under its own key', async () => {
      const importFrom = vi.fn((): Tokens | undefined => legacy)
      const first = page({ store: createStore({ key: 'my-app', importFrom }) })
      expect(await first.auth.getAccessToken()).toBe('old')
      expect(first.auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'ada' })
      first.auth.dispose()
      expect(JSON.parse(storage.getItem('my-app') ?? '')).toMatchObject({
        tokens: { accessToken: 'old', refreshToken: 'old-r' },
      })
      const second = page({ store: createStore({ key: 'my-app', importFrom }) })
      expect(await second.auth.getAccessToken()).toBe('old')
      expect(importFrom).toHaveBeenCalledTimes(1)
    })

    it('does not restore the older tokens after a sign-out', async () => {
      const importFrom = vi.fn((): Tokens | undefined => legacy)
      const first = page({ store: createStore({ key: 'my-app', importFrom }) })
      await first.auth.signOut()
      first.auth.dispose()
      const second = page({ store: createStore({ key: 'my-app', importFrom }) })
      expect(second.auth.getSnapshot().status).toBe('signed-out')
      expect(second.errors).toEqual([])
      expect(importFrom).toHaveBeenCalledTimes(1)
    })

    it('prefers what it has stored already', async () => {
      storage.setItem('my-app', JSON.stringify(record))
      const importFrom = vi.fn((): Tokens | undefined => legacy)
      const { auth } = page({ store: createStore({ key: 'my-app', importFrom }) })
      expect(await auth.getAccessToken()).toBe('stored')
      expect(importFrom).not.toHaveBeenCalled()
    })

    it.each([
      [
        'throws',
        () => {
          throw new Error('old keys are gone')
        },
      ],
      ['returns rubbish', () => ({ token: 'a' })],
      ['returns a token with a line break', () => ({ accessToken: 'a\nb' })],
      ['returns a text', () => 'a'],
    ])('reads as signed out and reports an importFrom that %s', async (_, importFrom) => {
      const { auth, errors, api, sent } = page({
        store: createStore({ key: 'my-app', importFrom: importFrom as never }),
      })
      await api.get('/x')
      expect(auth.getSnapshot().status).toBe('signed-out')
      expect(sent).toEqual([undefined])
      expect(errors).toHaveLength(1)
      await auth.signIn({ accessToken: 'new' })
      expect(auth.getSnapshot().status).toBe('signed-in')
    })

    it('keeps nothing unusable, so that a later import finds its key free', () => {
      for (const tokens of [{ accessToken: null }, { token: 'a' }, Promise.resolve(legacy)]) {
        page({ store: createStore({ key: 'my-app', importFrom: () => tokens as never }) }).auth.dispose()
        expect(storage.length).toBe(0)
      }
      const { auth } = page({ store: createStore({ key: 'my-app', importFrom: () => legacy }) })
      expect(auth.getSnapshot().status).toBe('signed-in')
    })

    it.each([
      [42, '42'],
      [0, '0'],
      [null, undefined],
    ])('accepts the subject %j, as signIn does', (subject, shown) => {
      const importFrom = () => ({ accessToken: 'old', subject }) as never
      const { auth } = page({ store: createStore({ key: 'my-app', importFrom }) })
      expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in' })
      expect(auth.getSnapshot().subject).toBe(shown)
    })

    it('imports nothing in a page whose session somebody has removed', async () => {
      storage.setItem('my-app', JSON.stringify(record))
      const { auth } = page({
        store: createStore({ key: 'my-app', importFrom: () => legacy }),
        refresh: () => null,
      })
      storage.removeItem('my-app')
      expect(await auth.refresh().catch(({ code }) => code)).toBe('SIGNED_OUT')
      expect(auth.getSnapshot().status).toBe('signed-out')
    })

    it('imports nothing again in a page whose key somebody has removed', async () => {
      const { auth } = page({
        store: createStore({ key: 'my-app', importFrom: () => legacy }),
        refresh: () => null,
      })
      await auth.signIn({ accessToken: 'new' })
      storage.removeItem('my-app')
      const outcome = await auth.refresh().catch(({ code }) => code)
      expect(outcome).toBe('SIGNED_OUT')
      expect(auth.getSnapshot().status).toBe('signed-out')
    })

    it('measures the lifetime of what it imports', async () => {
      const nowMs = 1_735_689_600_000
      vi.spyOn(Date, 'now').mockReturnValue(nowMs)
      const { auth } = page({
        store: createStore({
          key: 'my-app',
          importFrom: () => ({ accessToken: 'old', expiresInSeconds: 60 }),
        }),
      })
      expect(auth.getSnapshot().expiresAtMs).toBe(nowMs + 60_000)
    })

    it('uses and refreshes what it imports even when it cannot store it', async () => {
      storage.setItem = () => {
        throw new DOMException('full', 'QuotaExceededError')
      }
      const onSessionEnd = vi.fn()
      const { auth } = page({
        store: createStore({ key: 'my-app', importFrom: () => legacy }),
        refresh: async () => ({ accessToken: 'new' }),
        onSessionEnd,
      })
      expect(await auth.getAccessToken()).toBe('old')
      await auth.refresh()
      expect(await auth.getAccessToken()).toBe('new')
      expect(onSessionEnd).not.toHaveBeenCalled()
    })
  })
})

describe.each([
  ['localStorageStore', localStorageStore],
  ['sessionStorageStore', sessionStorageStore],
])('%s', (name, createStore) => {
  it.each([
    ['options', undefined],
    ['options', null],
    ['key', {}],
    ['key', { key: '' }],
    ['importFrom', { key: 'my-app', importFrom: { accessToken: 'old' } }],
  ])('refuses wrong %s at creation (%#)', (_, options) => {
    expect(() => createStore(options as never)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringContaining(name) }),
    )
  })
})

// Node from 25 on and Deno have both storages without a page: `Storage` is there, `document` is not.
describe('G21: on a server with a storage of its own', () => {
  beforeEach(() => {
    vi.stubGlobal('Storage', FakeStorage)
    vi.stubGlobal('localStorage', new FakeStorage())
    vi.stubGlobal('sessionStorage', new FakeStorage())
  })

  it.each([
    ['localStorage', localStorageStore],
    ['sessionStorage', sessionStorageStore],
  ])('G21: %s keeps no session for the next visitor', async (area, createStore) => {
    const visit = (tokens?: Tokens) => page({ store: createStore({ key: 'my-app' }), tokens })
    const ada = visit({ accessToken: 'of-ada' })
    await ada.api.get('/me')
    ada.auth.dispose()
    const [grace, anonymous] = [visit({ accessToken: 'of-grace' }), visit()]
    await grace.api.get('/me')
    await anonymous.api.get('/me')
    expect([ada, grace, anonymous].map(({ sent }) => sent)).toEqual([
      ['Bearer of-ada'],
      ['Bearer of-grace'],
      [undefined],
    ])
    expect(grace.errors[0]).toBe(`load: There is no ${area} here.`)
  })

  const shared = localStorageStore({ key: 'my-app' })
  it.each([
    ['each with a store of their own', () => localStorageStore({ key: 'my-app' })],
    ['over one store', () => shared],
  ])('G21: no visitor waits for the refresh of another, where a process has locks (%s)', async (_, visit) => {
    vi.stubGlobal('navigator', { locks: createFakeTabs().locks })
    const turn = { signal: new AbortController().signal, timeoutMs: 1_000, clock: createManualClock() }
    void visit().exclusively?.(() => new Promise(() => {}), turn)
    expect(await visit().exclusively?.(async () => 'ran', turn)).toBe('ran')
    expect(await navigator.locks.query()).toEqual({ held: [], pending: [] })
  })
})

describe('localStorage and other tabs', () => {
  let window: EventTarget
  beforeEach(() => {
    vi.stubGlobal('localStorage', new FakeStorage())
    window = new EventTarget()
    vi.stubGlobal('addEventListener', window.addEventListener.bind(window))
    vi.stubGlobal('removeEventListener', window.removeEventListener.bind(window))
  })

  function storageEvent(key: string | null): void {
    window.dispatchEvent(Object.assign(new Event('storage'), { key }))
  }

  it('is signed out by a tab of a version that no longer imports', async () => {
    const importFrom = () => ({ accessToken: 'old' })
    const here = page({ store: localStorageStore({ key: 'my-app', importFrom }) })
    const there = page({ store: localStorageStore({ key: 'my-app' }) })
    await there.auth.signOut()
    storageEvent('my-app')
    expect(here.auth.getSnapshot().status).toBe('signed-out')
  })

  it('notifies of changes under its key and of a cleared storage, and of no others', async () => {
    const listener = vi.fn()
    const stop = await localStorageStore({ key: 'my-app' }).subscribe?.(listener)
    storageEvent('theme')
    expect(listener).not.toHaveBeenCalled()
    storageEvent('my-app')
    storageEvent(null)
    expect(listener).toHaveBeenCalledTimes(2)
    stop?.()
    storageEvent('my-app')
    expect(listener).toHaveBeenCalledTimes(2)
  })

  it.each([
    ['localStorage', localStorageStore],
    ['sessionStorage', sessionStorageStore],
  ])('updates the session in %s for a page that comes back', async (area, createStore) => {
    vi.stubGlobal(area, new FakeStorage())
    const { auth } = page({ store: createStore({ key: 'my-app' }) })
    await auth.signIn({ accessToken: 'a' })
    // The next page of the same tab signs out, and the user presses "back".
    const next = page({ store: createStore({ key: 'my-app' }) })
    await next.auth.signOut()
    const comesBack = (persisted: boolean) =>
      window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted }))
    comesBack(false)
    expect(auth.getSnapshot().status).toBe('signed-in')
    comesBack(true)
    expect(auth.getSnapshot().status).toBe('signed-out')
  })

  it.each([
    ['localStorage', localStorageStore],
    ['sessionStorage', sessionStorageStore],
  ])('updates in %s after its page was frozen, until it is disposed', async (area, createStore) => {
    vi.stubGlobal(area, new FakeStorage())
    const document = new EventTarget()
    vi.stubGlobal('document', document)
    const { auth } = page({ store: createStore({ key: 'my-app' }) })
    await auth.signIn({ accessToken: 'a' })
    const next = page({ store: createStore({ key: 'my-app' }) })
    await next.auth.signOut()
    document.dispatchEvent(new Event('resume'))
    expect(auth.getSnapshot().status).toBe('signed-out')

    for (const { auth: mine } of [{ auth }, next]) mine.dispose()
    const looked = vi.spyOn(FakeStorage.prototype, 'getItem')
    document.dispatchEvent(new Event('resume'))
    window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
    storageEvent('my-app')
    expect(looked).not.toHaveBeenCalled()
  })

  it('expects nothing from a document that is only a shim', async () => {
    vi.stubGlobal('document', {})
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { auth, errors } = page({ store: localStorageStore({ key: 'my-app' }) })
    await auth.signIn({ accessToken: 'a' })
    auth.dispose()
    expect(errors).toEqual([])
    expect(shown).not.toHaveBeenCalled()
  })

  it.each([
    ['is shared under its key', localStorageStore, ['my-app:refresh']],
    ['sessionStorage is not shared', sessionStorageStore, []],
  ])('%s', async (_, createStore, held) => {
    vi.stubGlobal('navigator', { locks: createFakeTabs().locks })
    vi.stubGlobal('sessionStorage', new FakeStorage())
    const turn = { signal: new AbortController().signal, timeoutMs: 1_000, clock: createManualClock() }
    void createStore({ key: 'my-app' }).exclusively?.(() => new Promise(() => {}), turn)
    expect(await heldLocks()).toEqual(held)
  })
})

describe('an import that a full localStorage could not store', () => {
  it('G15: does not undo a sign-out elsewhere once there is room', async () => {
    const storage = new FakeStorage()
    const setItem = storage.setItem.bind(storage)
    storage.setItem = () => {
      throw new Error('full')
    }
    const window = new EventTarget()
    vi.stubGlobal('localStorage', storage)
    vi.stubGlobal('addEventListener', window.addEventListener.bind(window))
    vi.stubGlobal('removeEventListener', window.removeEventListener.bind(window))
    const importFrom = () => ({ accessToken: 'old', refreshToken: 'old-too' })
    const { auth } = page({ store: localStorageStore({ key: 'my-app', importFrom }) })
    storage.setItem = setItem
    await auth.updateTokens({ accessToken: 'newer', refreshToken: 'newer-too' })
    storage.clear()
    window.dispatchEvent(Object.assign(new Event('storage'), { key: null }))
    expect(auth.getSnapshot().status).toBe('signed-out')
  })
})
