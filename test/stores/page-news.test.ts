// G21: two clients in one page that share a store notify each other as tabs do. In Node, with a page made by hand.

import axios from 'axios'
import {
  createAuthClient,
  localStorageStore,
  memoryStore,
  sessionStorageStore,
  type TokenStore,
} from 'axios-auth-client'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { FakeStorage } from '../contracts/fake-storage.js'
import { stubPage } from '../support/page.js'
import { microtasksDone } from '../support/real-time.js'

let storage: FakeStorage
beforeEach(() => {
  stubPage()
  storage = new FakeStorage()
  vi.stubGlobal('localStorage', storage)
  vi.stubGlobal('sessionStorage', storage)
})

function open(store: TokenStore) {
  const api = axios.create({ baseURL: 'https://api.example.com' })
  const ends: string[] = []
  const auth = createAuthClient(api, { store, onSessionEnd: ({ reason }) => ends.push(reason) })
  onTestFinished(() => auth.dispose())
  return { auth, ends, subject: () => auth.getSnapshot().subject }
}

const one = <T>(make: () => T) => {
  const store = make()
  return () => store
}

describe.each<[string, () => () => TokenStore]>([
  ['two localStorageStores with one key', () => () => localStorageStore({ key: 'app' })],
  ['two sessionStorageStores with one key', () => () => sessionStorageStore({ key: 'app' })],
  ['one localStorageStore', () => one(() => localStorageStore({ key: 'app' }))],
  ['one sessionStorageStore', () => one(() => sessionStorageStore({ key: 'app' }))],
  ['one memoryStore', () => one(() => memoryStore())],
  ['one memoryStore with a name', () => one(() => memoryStore({ name: 'app' }))],
])('G21: two clients over %s', (_, setUp) => {
  it('G21: are notified of a sign-in, newer tokens, another user and a sign-out', async () => {
    const openStore = setUp()
    const [here, there] = [open(openStore()), open(openStore())]
    await here.auth.signIn({ accessToken: 'first', subject: 'ada' })
    await microtasksDone()
    expect(there.subject()).toBe('ada')
    await there.auth.updateTokens({ accessToken: 'second' })
    await microtasksDone()
    expect(await here.auth.getAccessToken()).toBe('second')
    await here.auth.signIn({ accessToken: 'of-bob', subject: 'bob' })
    await microtasksDone()
    expect(there.subject()).toBe('bob')
    await there.auth.signOut()
    await microtasksDone()
    expect(here.auth.getSnapshot().status).toBe('signed-out')
    expect(here.ends).toEqual(['replaced', 'signed-out-elsewhere'])
    expect(there.ends).toEqual(['replaced-elsewhere', 'signed-out'])
  })

  it('G21: are not notified after dispose', async () => {
    const openStore = setUp()
    const [here, there] = [open(openStore()), open(openStore())]
    await here.auth.signIn({ accessToken: 'first', subject: 'ada' })
    await microtasksDone()
    there.auth.dispose()
    await here.auth.signOut()
    await microtasksDone()
    expect(there.auth.getSnapshot().status).toBe('signed-in')
  })
})

it.each([
  ['localStorage', localStorageStore],
  ['sessionStorage', sessionStorageStore],
])('G21: a single client over %s does not load again after its own writes', async (_, createStore) => {
  const { auth } = open(createStore({ key: 'app' }))
  await auth.signIn({ accessToken: 'first' })
  const looked = vi.spyOn(storage, 'getItem')
  await auth.signIn({ accessToken: 'second' })
  await microtasksDone()
  expect(looked).not.toHaveBeenCalled()
})

it('G21: ignores other keys and other storage areas', async () => {
  const listener = vi.fn()
  const stop = await localStorageStore({ key: 'app' }).subscribe?.(listener)
  await localStorageStore({ key: 'other' }).clear()
  await sessionStorageStore({ key: 'app' }).clear()
  await microtasksDone()
  expect(listener).not.toHaveBeenCalled()
  stop?.()
})

it('G21: an event that a shim cannot dispatch breaks no write', async () => {
  const shown = vi.spyOn(console, 'error').mockImplementation(() => {})
  vi.stubGlobal('dispatchEvent', () => {
    throw new Error('a shim')
  })
  const { auth } = open(localStorageStore({ key: 'app' }))
  await auth.signIn({ accessToken: 'first' })
  await microtasksDone()
  expect(storage.getItem('app')).toContain('first')
  expect(shown).toHaveBeenCalled()
})
