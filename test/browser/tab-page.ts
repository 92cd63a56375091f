// What runs in each tab of the browser stories: an app with a client on localStorage, driven from the test.
import axios from 'axios'
import {
  type AuthClient,
  authErrorOf,
  createAuthClient,
  localStorageStore,
  refreshWithBody,
  type Tokens,
} from 'axios-auth-client'

export interface Answers {
  answered: number
  /** Whom the server answered, for each request that was. */
  users: string[]
  /** The codes of our errors, for each request that was not. */
  codes: (string | undefined)[]
}

export interface Tab {
  start(serverUrl: string): void
  signIn(tokens: Tokens): Promise<void>
  signOut(): Promise<void>
  fire(count: number): Promise<Answers>
  state(): { status: string; ends: string[]; refreshes: number; adopted: number; heldNow: number }
}

let auth: AuthClient
const api = axios.create()
const ends: string[] = []

const tab: Tab = {
  start(serverUrl) {
    api.defaults.baseURL = serverUrl
    auth = createAuthClient(api, {
      refresh: refreshWithBody({ url: '/auth/refresh' }),
      store: localStorageStore({ key: 'app' }),
      onSessionEnd: ({ reason }) => ends.push(reason),
    })
  },
  signIn: (tokens) => auth.signIn(tokens),
  signOut: () => auth.signOut(),
  async fire(count) {
    const results = await Promise.allSettled(
      Array.from({ length: count }, (_, index) => api.get<{ user: string }>(`/api/item/${index}`)),
    )
    const users: string[] = []
    const codes: Answers['codes'] = []
    for (const result of results) {
      if (result.status === 'fulfilled') users.push(result.value.data.user)
      else codes.push(authErrorOf(result.reason)?.code)
    }
    return { answered: users.length, users, codes }
  },
  state: () => ({ status: auth.getSnapshot().status, ends, ...auth.stats() }),
}

Object.assign(globalThis, { tab })
