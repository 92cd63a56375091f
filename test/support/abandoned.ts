// A process that makes many clients and forgets them, on a globalThis with events as pages and Deno have it. Needs
// --expose-gc. Prints what is left of them, as JSON.

import axios, { type AxiosAdapter } from 'axios'
import { createAuthClient, localStorageStore, memoryStore, type TokenStore } from '../../src/index.js'
import { FakeStorage } from '../contracts/fake-storage.js'

const COUNT = 1_000

/** How many listeners there are. */
let listeners = 0
const page = new EventTarget()
Object.assign(globalThis, {
  localStorage: new FakeStorage(),
  addEventListener(...args: Parameters<EventTarget['addEventListener']>) {
    listeners++
    page.addEventListener(...args)
  },
  removeEventListener(...args: Parameters<EventTarget['removeEventListener']>) {
    listeners--
    page.removeEventListener(...args)
  },
  dispatchEvent: page.dispatchEvent.bind(page),
})

const adapter: AxiosAdapter = async (config) => ({
  status: 200,
  statusText: '',
  headers: {},
  data: '',
  config,
})
let refreshes = 0

function createClient(store: TokenStore) {
  const api = axios.create({ baseURL: 'https://api.example.com', adapter })
  const onSessionEnd = () => {}
  const auth = createAuthClient(api, {
    store,
    // Over since long, so that a request or `getAccessToken` refreshes.
    tokens: { accessToken: 'a', refreshToken: 'r', expiresAtMs: 1_600_000_000_000 },
    refresh() {
      refreshes++
      throw Object.assign(new Error('down'), { response: { status: 503 } })
    },
    refreshRetry: { limit: 0 },
    onSessionEnd,
  })
  return { auth, api, onSessionEnd }
}

async function abandon(createStore: () => TokenStore) {
  const refs: WeakRef<object>[] = []
  for (let i = 0; i < COUNT; i++) {
    const { auth, api, onSessionEnd } = createClient(createStore())
    await auth.ready
    refs.push(new WeakRef(auth), new WeakRef(api), new WeakRef(onSessionEnd))
  }
  return refs
}

const live = createClient(memoryStore())
await live.auth.ready
const alone = listeners
const stores = { localStorage: () => localStorageStore({ key: 'my-app' }), memory: memoryStore }
for (const [name, createStore] of Object.entries(stores)) {
  const refs = await abandon(createStore)
  const made = listeners - alone
  for (let round = 0; round < 5; round++) {
    await new Promise((resolve) => setTimeout(resolve))
    globalThis.gc?.()
  }
  const survivors = refs.filter((ref) => ref.deref()).length
  for (const type of ['online', 'storage', 'pageshow', 'axios-auth-client:localStorage:my-app'])
    dispatchEvent(new Event(type))
  console.log(JSON.stringify({ name, clients: refs.length / 3, made, survivors, left: listeners - alone }))
}

const ask = () => live.auth.getAccessToken().catch(() => {})
await ask()
await ask()
const beforeOnline = refreshes
dispatchEvent(new Event('online'))
await ask()
console.log(JSON.stringify({ name: 'live', beforeOnline, afterOnline: refreshes }))
