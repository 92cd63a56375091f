// Full speed for minutes: tokens that live a second, a refresh endpoint that fails one time in five, requests of every kind,
// some of them aborted. After each round all is silent for a moment, and what is left is measured.
// Promise: a request that never settles ends the run with its history, it does not hang it.
import { getEventListeners, setMaxListeners } from 'node:events'
import { Agent } from 'node:http'
import { setImmediate, setTimeout } from 'node:timers/promises'
import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios'
import { type AuthClient, authErrorOf, createAuthClient, refreshWithBody } from 'axios-auth-client'
import type { Backend, BackendCounts } from './backend-process.js'
import type { Findings } from './findings.js'
import { liveHeap, megabytes } from './heap.js'

const ROUNDS = 8
/** In these the machine warms up: code is compiled, pools are filled. */
const WARM_UP = 2
const WORKERS = 16
const LIFETIME_SECONDS = 1
/** Of both adapters: one for each worker, and as many again that replace those of aborted requests. */
const MOST_SOCKETS = 4 * WORKERS
/** A request may wait for one refresh that never answers, and for the next. */
const TIME_LIMIT_MS = 30_000
const REFRESH_TIMEOUT_MS = 2_000
/** What the code itself still gathers while it warms up. One small object left by every request is several times that. */
const HEAP_TOLERANCE = 2 ** 20

interface App {
  adapter: string
  api: AxiosInstance
  auth: AuthClient
  close(): void
}

interface Totals {
  made: number
  outcomes: Record<string, number>
  slowestMs: number
  ends: string[]
}

interface Round {
  requests: number
  heap: number
  'sockets (server)': number
  'handles (client)': number
  listeners: number
  held: number
}

export async function soak(backend: Backend, seconds: number, { check, figure }: Findings): Promise<void> {
  const totals: Totals = { made: 0, outcomes: {}, slowestMs: 0, ends: [] }
  const apps = await Promise.all(['http', 'fetch'].map((adapter) => startApp(backend, adapter, totals)))
  // Lives as long as the app: whoever leaves a listener on it leaks.
  const page = new AbortController()
  setMaxListeners(0, page.signal)
  const rounds: Round[] = []

  for (let round = 0; round < ROUNDS; round++) {
    await backend.setFaulty(true)
    const before = totals.made
    const endMs = performance.now() + (seconds * 1000) / ROUNDS
    const working = apps.flatMap((app) =>
      Array.from({ length: WORKERS }, () => work(app, endMs, page.signal, totals)),
    )
    if (!(await within(TIME_LIMIT_MS + (seconds * 1000) / ROUNDS, Promise.all(working)))) {
      check('every request settles', false, `round ${round + 1}: some did not within ${TIME_LIMIT_MS} ms`)
      return
    }
    await backend.setFaulty(false)
    for (const { auth } of apps) await quiet(auth)
    const heap = await liveHeap()
    const { sockets } = await backend.counts()
    rounds.push({
      requests: totals.made - before,
      heap,
      'sockets (server)': sockets,
      'handles (client)': process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name)).length,
      listeners: getEventListeners(page.signal, 'abort').length,
      held: apps.reduce((sum, { auth }) => sum + auth.stats().heldNow, 0),
    })
  }

  const counts = await backend.counts()
  console.table(rounds.map((round) => ({ ...round, heap: megabytes(round.heap) })))
  console.table(totals.outcomes)
  console.table(counts.faults)
  report(rounds, totals, counts, apps, { check, figure })
  for (const app of apps) app.close()
}

function report(
  rounds: readonly Round[],
  { made, outcomes, slowestMs, ends }: Totals,
  counts: BackendCounts,
  apps: readonly App[],
  { check, figure }: Pick<Findings, 'check' | 'figure'>,
): void {
  const steady = rounds.slice(WARM_UP)
  const settled = Object.values(outcomes).reduce((sum, count) => sum + count, 0)
  const failed = Object.values(counts.faults).reduce((sum, count) => sum + count, 0)
  const known = ['ok', 'cancelled', 'REFRESH_FAILED', 'REFRESH_TIMEOUT', 'BAD_GRANT', '401']
  const half = steady.length / 2
  const [early, late] = [steady.slice(0, half), steady.slice(-half)].map((part) =>
    Math.min(...part.map(({ heap }) => heap)),
  ) as [number, number]
  const spread = (name: keyof Round) => steady.map((round) => round[name]).join(' ')
  const isFlat = (name: keyof Round, most: number) => steady.every((round) => round[name] <= most)

  figure('requests', made)
  figure('refreshes', counts.refreshes)
  figure('refreshes that were made to fail', failed)
  figure(
    'replays',
    apps.reduce((sum, { auth }) => sum + auth.stats().replays, 0),
  )
  figure('slowest request', `${Math.round(slowestMs)} ms`)
  figure('heap, first to second half', `${megabytes(early)} to ${megabytes(late)}`)
  check('every request settles', settled === made, `${settled} of ${made}`)
  check(
    'it ends in one of the ways that are promised',
    Object.keys(outcomes).every((name) => known.includes(name)),
  )
  check('hardly anybody sees a 401', (outcomes['401'] ?? 0) <= made / 1000, outcomes['401'] ?? 0)
  check('most are answered', (outcomes['ok'] ?? 0) > made / 2)
  check('the endpoint did fail, in many ways', failed > 0 && Object.keys(counts.faults).length > 5)
  check('no refresh token is sent twice', counts.reuses === 0, counts.reuses)
  check('no refresh is refused', counts.refused === 0, counts.refused)
  check('no session ends', ends.length === 0, ends)
  check(
    'everybody is still signed in',
    apps.every(({ auth }) => auth.getSnapshot().status === 'signed-in'),
  )
  check('the heap is flat', late - early < HEAP_TOLERANCE, `${Math.round((late - early) / 1024)} kB more`)
  check('sockets are flat', isFlat('sockets (server)', MOST_SOCKETS), spread('sockets (server)'))
  check('no timer and no busy socket is left', isFlat('handles (client)', 0), spread('handles (client)'))
  check('no listener is left', isFlat('listeners', 0), spread('listeners'))
  check('nobody is held', isFlat('held', 0), spread('held'))
}

async function startApp(backend: Backend, adapter: string, { ends }: Totals): Promise<App> {
  const httpAgent = new Agent({ keepAlive: true, maxSockets: WORKERS })
  const api = axios.create({ baseURL: backend.url, adapter, httpAgent, proxy: false })
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    refreshTimeoutMs: REFRESH_TIMEOUT_MS,
    refreshRetry: { limit: 1, baseDelayMs: 50 },
    onSessionEnd: ({ reason }) => void ends.push(reason),
  })
  // As a user who presses "try again": or the cool-down would leave little to see.
  auth.on('refreshFailed', () => void setTimeout(300).then(() => auth.refresh().catch(() => {})))
  const { access_token, refresh_token, expires_in } = await backend.login(LIFETIME_SECONDS)
  await auth.signIn({ accessToken: access_token, refreshToken: refresh_token, expiresInSeconds: expires_in })
  return {
    adapter,
    api,
    auth,
    close() {
      auth.dispose()
      httpAgent.destroy()
    },
  }
}

async function work({ api }: App, endMs: number, signal: AbortSignal, totals: Totals): Promise<void> {
  while (performance.now() < endMs) {
    const number = totals.made++
    const controller = new AbortController()
    const kinds: AxiosRequestConfig[] = [
      { url: '/api/item' },
      { url: '/api/item', signal },
      { url: '/api/item', method: 'post', data: { number, text: 'x'.repeat(200) } },
      { url: '/api/item', signal: controller.signal },
    ]
    const startMs = performance.now()
    const sent = outcomeOf(api.request(kinds[number % kinds.length] as AxiosRequestConfig))
    if (number % 20 === 3) {
      await setImmediate()
      controller.abort()
    }
    const outcome = await sent
    totals.outcomes[outcome] = (totals.outcomes[outcome] ?? 0) + 1
    totals.slowestMs = Math.max(totals.slowestMs, performance.now() - startMs)
    // During a cool-down requests fail without going out: nobody would ask again at once.
    if (outcome !== 'ok' && outcome !== 'cancelled') await setTimeout(20)
  }
}

async function outcomeOf(request: Promise<unknown>): Promise<string> {
  try {
    await request
    return 'ok'
  } catch (error) {
    if (axios.isCancel(error)) return 'cancelled'
    const status = axios.isAxiosError(error) ? error.response?.status : undefined
    return authErrorOf(error)?.code ?? String(status ?? error)
  }
}

/** Resolves once no refresh is under way and none is about to be asked for. */
async function quiet(auth: AuthClient): Promise<void> {
  do await setTimeout(500)
  while (auth.getSnapshot().refreshing)
}

async function within(limitMs: number, all: Promise<unknown>): Promise<boolean> {
  const limit = new AbortController()
  const late = setTimeout(limitMs, false, { signal: limit.signal }).catch(() => false)
  const inTime = await Promise.race([all.then(() => true), late])
  limit.abort()
  return inTime
}
