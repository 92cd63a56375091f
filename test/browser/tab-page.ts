// What runs in each tab of the browser tests: an app with a client, driven from the test by tab-handle.ts.
// Promise: `fire` reports every request it made, also those that nobody answered.
import './take-away.js'
import axios, { type AxiosError } from 'axios'
import {
  type AuthClient,
  type AuthStats,
  authErrorOf,
  createAuthClient,
  localStorageStore,
  memoryStore,
  noCredential,
  refreshWithBody,
  refreshWithCookie,
  sessionStorageStore,
  type Tokens,
} from 'axios-auth-client'

export interface Answers {
  answered: number
  /** Whom the server answered, for each request that was. */
  users: string[]
  /** For each request that was not: the code of our error, or the status or code of another. */
  codes: string[]
  /** Requests that had neither answer nor error by the end of `fire`'s timeLimit. */
  unanswered: number
}

export interface StartTab {
  /** Default 'local'. */
  store?: 'local' | 'session' | 'memory'
  /** `true`: everything is in HttpOnly cookies, and the store holds no secret. */
  cookies?: boolean
}

export interface TabState extends AuthStats {
  status: string
  ends: string[]
  /** The operations at which the store failed, each once. */
  storeErrors: string[]
  /** Whether this page has Web Locks. */
  locks: boolean
}

export interface Tab {
  start(serverUrl: string, options?: StartTab): void
  signIn(tokens: Tokens): Promise<void>
  signOut(): Promise<void>
  /** Makes requests at once; resolves when all are settled, or after 15 s. */
  fire(count: number): Promise<Answers>
  /** Asks the server for session cookies and signs in with them. */
  logIn(user: string): Promise<void>
  /** Calls the server first, then signs out here. */
  logOut(): Promise<void>
  /** When the page comes back from the back/forward cache, its app makes so many requests, first of all. */
  fireOnReturn(count: number): void
  /** What became of those; `undefined` while the page was not restored from that cache. */
  returned(): Promise<Answers | undefined>
  state(): TabState
}

const TIME_LIMIT_MS = 15_000

let auth: AuthClient
let path = '/api/item'
let countOnReturn = 0
let returned: Promise<Answers> | undefined
// axios looks for an XSRF cookie before each request to its own origin, and on an opaque origin that look throws.
const api = axios.create({ withXSRFToken: false })
const ends: string[] = []
const storeErrors = new Set<string>()

// Before any listener of the client: an app may be this early.
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) returned = fire(countOnReturn)
})

const tab: Tab = {
  start(serverUrl, { store = 'local', cookies = false } = {}) {
    api.defaults.baseURL = serverUrl
    api.defaults.withCredentials = cookies
    if (cookies) path = '/cookie/item'
    auth = createAuthClient(api, {
      refresh: cookies
        ? refreshWithCookie({
            url: '/cookie/refresh',
            csrf: { cookie: 'csrf_refresh', header: 'X-CSRF-Token' },
          })
        : refreshWithBody({ url: '/auth/refresh' }),
      place: cookies ? noCredential() : undefined,
      store: stores[store](),
      onSessionEnd: ({ reason }) => ends.push(reason),
    })
    auth.on('storeError', ({ operation }) => storeErrors.add(operation))
  },
  signIn: (tokens) => auth.signIn(tokens),
  signOut: () => auth.signOut(),
  fire,
  async logIn(user) {
    await api.post('/cookie/login', { user, password: 'secret' }, { authClient: false })
    await auth.signIn()
  },
  async logOut() {
    await api.post('/cookie/logout', undefined, { authClient: { refresh: false } })
    await auth.signOut()
  },
  fireOnReturn(count) {
    countOnReturn = count
  },
  returned: async () => returned,
  state: () => ({
    status: auth.getSnapshot().status,
    ends,
    storeErrors: [...storeErrors].sort(),
    locks: !!navigator.locks,
    ...auth.stats(),
  }),
}

const stores = {
  local: () => localStorageStore({ key: 'app' }),
  session: () => sessionStorageStore({ key: 'app' }),
  memory: () => memoryStore(),
}

async function fire(count: number): Promise<Answers> {
  const answers: Answers = { answered: 0, users: [], codes: [], unanswered: count }
  const requests = Array.from({ length: count }, async (_, index) => {
    try {
      const { data } = await api.get<{ user: string }>(`${path}/${index}`)
      answers.answered++
      answers.users.push(data.user)
    } catch (error) {
      const { response, code } = error as AxiosError
      answers.codes.push(authErrorOf(error)?.code ?? String(response?.status ?? code))
    }
    answers.unanswered--
  })
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeLimit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, TIME_LIMIT_MS)
  })
  await Promise.race([Promise.all(requests), timeLimit])
  clearTimeout(timer)
  return answers
}

Object.assign(globalThis, { tab })
