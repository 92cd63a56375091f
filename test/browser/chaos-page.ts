// What runs in each tab of the chaos and freeze tests: an app with a client, and a ledger of all that came of it.
// Promise: `report` needs no waiting, so that it works for a frozen tab too.
import './take-away.js'
import axios from 'axios'
import {
  type AuthClient,
  authErrorOf,
  createAuthClient,
  localStorageStore,
  refreshWithBody,
  type Tokens,
} from 'axios-auth-client'

export interface StartApp {
  /** Sent along with each refresh, so that the server knows which tab asked. */
  name: string
  serverUrl: string
  refreshTimeoutMs: number
}

/** What came of one request. */
export interface Outcome {
  status: number | undefined
  /** Whom the server answered. */
  user: string | undefined
  /** Of our error. */
  code: string | undefined
}

export interface Report {
  status: string
  /** How sessions ended: the reason, and the code of the error. */
  ends: { reason: string; code: string | undefined }[]
  /** Requests that have neither answer nor error yet. */
  pending: number
  outcomes: Outcome[]
  adopted: number
  /** What this tab wrote over something newer in the store. */
  overwrites: string[]
  /** What the store holds, as this tab sees it. */
  stored: string | null
  /** What happened here and when, by the clock of the machine. */
  journal: { atMs: number; what: string }[]
}

export interface App {
  start(options: StartApp): void
  signIn(tokens: Tokens): Promise<void>
  /** Makes requests at once and waits for none; `report` says how they ended. */
  fire(count: number): void
  report(): Report
  /** The access token that this tab would send now. */
  token(): Promise<string | undefined>
}

const KEY = 'app'

let auth: AuthClient
const api = axios.create()
const report: Omit<Report, 'status' | 'adopted' | 'stored'> = {
  ends: [],
  pending: 0,
  outcomes: [],
  overwrites: [],
  journal: [],
}

const note = (what: string) => report.journal.push({ atMs: Date.now(), what })

const app: App = {
  start({ name, serverUrl, refreshTimeoutMs }) {
    watchWrites()
    api.defaults.baseURL = serverUrl
    auth = createAuthClient(api, {
      refresh: refreshWithBody({ url: '/auth/refresh', extra: { tab: name } }),
      refreshTimeoutMs,
      store: localStorageStore({ key: KEY }),
      onSessionEnd: ({ reason, error }) => report.ends.push({ reason, code: authErrorOf(error)?.code }),
    })
    auth.on('refreshStart', ({ reason }) => note(`refresh: ${reason}`))
    auth.on('refreshed', ({ adopted }) => note(adopted ? 'adopted' : 'refreshed'))
    auth.on('refreshFailed', ({ error }) => note(`refresh failed: ${error.code}`))
    auth.on('sessionEnd', ({ reason }) => note(`session end: ${reason}`))
    document.addEventListener('freeze', () => note('frozen'))
    document.addEventListener('resume', () => note('thawed'))
  },
  signIn: (tokens) => auth.signIn(tokens),
  fire(count) {
    note(`fire ${count}`)
    for (let index = 0; index < count; index++) void send(index)
  },
  report: () => ({
    status: auth.getSnapshot().status,
    ...report,
    adopted: auth.stats().adopted,
    stored: localStorage.getItem(KEY),
  }),
  token: () => auth.getAccessToken(),
}

async function send(index: number): Promise<void> {
  report.pending++
  const outcome: Outcome = { status: undefined, user: undefined, code: undefined }
  try {
    const { status, data } = await api.get<{ user: string }>(`/api/item/${index}`)
    Object.assign(outcome, { status, user: data.user })
  } catch (error) {
    outcome.code = authErrorOf(error)?.code
    if (axios.isAxiosError(error)) outcome.status = error.response?.status
    note(`not answered: ${outcome.status} ${outcome.code}`)
  }
  report.outcomes.push(outcome)
  report.pending--
}

/** Looks at what is written, and changes nothing: newer tokens must never give way to older ones. */
function watchWrites(): void {
  const write = Storage.prototype.setItem
  Storage.prototype.setItem = function (key, text) {
    const before = this.getItem(key)
    if (key === KEY && before !== null) compare(before, text)
    write.call(this, key, text)
  }
}

function compare(before: string, after: string): void {
  const [old, young] = [before, after].map(
    (text) => JSON.parse(text) as { sessionId: string; version: number },
  )
  if (!old || !young || old.sessionId !== young.sessionId || before === after) return
  note(`wrote version ${young.version} over ${old.version}`)
  if (young.version <= old.version) report.overwrites.push(`version ${young.version} over ${old.version}`)
}

Object.assign(globalThis, { app })
