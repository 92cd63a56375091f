// What every store has to keep: the contract of TokenStore, as a suite. A store is three lines in test/stores/.

import axios from 'axios'
import { createAuthClient, type StoredRecord, type TokenStore } from 'axios-auth-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/**
 * @param setUp makes an empty place to keep sessions in, and returns what opens a store on it, once per page load
 */
export function describeTokenStore(name: string, setUp: () => () => TokenStore): void {
  const record: StoredRecord = {
    v: 1,
    sessionId: 'one',
    version: 1,
    tokens: { accessToken: 'access', refreshToken: 'refresh' },
    expiresAtMs: 1_735_689_600_000,
    subject: 'ada',
  }

  describe(`${name}: the contract of a store`, () => {
    let open: () => TokenStore
    const endings: (() => void)[] = []
    beforeEach(() => {
      open = setUp()
    })
    afterEach(() => {
      for (const end of endings.splice(0)) end()
    })

    /** A page that uses the store: what it shows, what it reports. */
    async function load(options: { tokens?: { accessToken: string } } = {}) {
      const api = axios.create({ baseURL: 'https://api.example.com' })
      const auth = createAuthClient(api, {
        store: open(),
        refresh: async () => ({ accessToken: 'renewed', refreshToken: 'rotated' }),
        ...options,
      })
      endings.push(() => auth.dispose())
      const errors: unknown[] = []
      auth.on('storeError', (event) => errors.push(event))
      await auth.ready
      return { auth, errors }
    }

    it('is empty at first', async () => {
      expect((await open().load()) ?? undefined).toBeUndefined()
    })

    it('returns what was saved, to this page and to the next', async () => {
      const store = open()
      await store.save(record)
      expect(await store.load()).toEqual(record)
      expect(await open().load()).toEqual(record)
    })

    it('returns a record without its optional fields', async () => {
      const store = open()
      const short: StoredRecord = { v: 1, sessionId: 'one', version: 1, tokens: { accessToken: 'access' } }
      await store.save(record)
      await store.save(short)
      expect(await store.load()).toEqual(short)
    })

    it('keeps the last record only', async () => {
      const store = open()
      await store.save(record)
      await store.save({ ...record, version: 2 })
      expect(await open().load()).toEqual({ ...record, version: 2 })
    })

    it('is empty after clear, and can be used again', async () => {
      const store = open()
      await store.clear()
      await store.save(record)
      await store.clear()
      expect((await store.load()) ?? undefined).toBeUndefined()
      expect((await open().load()) ?? undefined).toBeUndefined()
      await store.save({ ...record, sessionId: 'two' })
      expect(await store.load()).toEqual({ ...record, sessionId: 'two' })
    })

    it('keeps characters of every kind in a subject', async () => {
      const subject = 'Ädä "quoted" \\ \u2028 \u0000 🔑'
      await open().save({ ...record, subject })
      expect(await open().load()).toEqual({ ...record, subject })
    })

    it('returns an idempotent unsubscribe function if it can be subscribed to', async () => {
      const stop = await open().subscribe?.(() => {})
      expect(['function', 'undefined']).toContain(typeof stop)
      stop?.()
      stop?.()
    })

    it('restores a session after a reload, with refreshed tokens', async () => {
      const first = await load()
      await first.auth.signIn({ accessToken: 'access', refreshToken: 'refresh', subject: 'ada' })
      await first.auth.refresh()
      first.auth.dispose()
      const second = await load()
      expect(second.auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'ada' })
      expect(await second.auth.getAccessToken()).toBe('renewed')
      expect([...first.errors, ...second.errors]).toEqual([])
    })

    it('forgets a session that was signed out', async () => {
      const first = await load()
      await first.auth.signIn({ accessToken: 'access' })
      await first.auth.signOut()
      first.auth.dispose()
      const second = await load()
      expect(second.auth.getSnapshot().status).toBe('signed-out')
      expect([...first.errors, ...second.errors]).toEqual([])
    })

    it('keeps the tokens given at the start, and prefers its own', async () => {
      const first = await load({ tokens: { accessToken: 'given' } })
      expect(await first.auth.getAccessToken()).toBe('given')
      first.auth.dispose()
      const second = await load({ tokens: { accessToken: 'other' } })
      expect(await second.auth.getAccessToken()).toBe('given')
    })
  })
}
