// Measures one side, alone in its process: axios's own functions get slower once several libraries have called them.
// Its argument says what to measure; it sends what it found to its parent and ends.
import { Agent } from 'node:http'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import axios, { type AxiosAdapter, AxiosError, type AxiosInstance, type AxiosResponse } from 'axios'
import { deferred } from '../src/wait.js'
import { median } from './results.js'
import type { Seen } from './server.js'
import { BARE, HEADER, refreshByHand, SIDES, type Tokens } from './sides.js'

export interface CostTask {
  measure: 'cost'
  /** How many samples of each case. */
  batches: number
}

export interface BurstTask {
  measure: 'burst'
  bursts: BurstPlan[]
}

export interface BurstPlan {
  count: number
  /** Whether the client can also read in the token that it has expired. */
  expired: boolean
}

export interface HeldTask {
  measure: 'held'
  count: number
}

export type Task = CostTask | BurstTask | HeldTask

/** Microseconds per request, by case. */
export type CostFound = Record<string, number>

/** For each burst, one entry for each time that it was repeated. */
export type BurstFound = OneBurst[][]

export interface OneBurst extends Seen {
  answered: number
  ms: number
}

export interface HeldFound {
  answered: number
  /** Of heap, per request. */
  bytes: number
  settleMs: number
}

const { url, side, task }: { url: string; side: string; task: Task } = JSON.parse(process.argv[2] ?? '')

// More requests than this wait for a socket in the agent. Few enough for a machine with modest limits.
const agent = new Agent({ keepAlive: true, maxSockets: 256 })
const NOTE = { title: 'A note', text: 'Some words, as a form would send them.', tags: ['a', 'b'] }
const ANSWER = { data: '{"id":1,"title":"A note"}', status: 200, statusText: 'OK', headers: {} }
const LONG_SECONDS = 3600
/** Who has not come back by then never will. */
const TIME_LIMIT_MS = 30_000

function run(): Promise<CostFound | BurstFound | HeldFound> {
  switch (task.measure) {
    case 'cost':
      return measureCost(task)
    case 'burst':
      return measureBursts(task)
    case 'held':
      return measureHeld(task)
  }
}

// ---- what a request costs when nothing is wrong --------------------------------------------------------------------

async function measureCost({ batches }: CostTask): Promise<CostFound> {
  const tokens = await signIn(LONG_SECONDS)
  const inMemory = await createApi(tokens, async (config) => ({ ...ANSWER, config }))
  const overHttp = await createApi(tokens)
  return {
    'GET, function adapter': await microsecondsEach(() => inMemory.get('/notes'), batches, 1000),
    'POST, function adapter': await microsecondsEach(() => inMemory.post('/notes', NOTE), batches, 1000),
    'GET, HTTP': await microsecondsEach(() => overHttp.get('/notes'), batches, 50),
    'POST, HTTP': await microsecondsEach(() => overHttp.post('/notes', NOTE), batches, 50),
  }
}

/** One after the other. The median of the batches: most of them meet no collection of garbage. */
async function microsecondsEach(send: () => Promise<unknown>, batches: number, size: number) {
  const samples: number[] = []
  for (let batch = 0; batch < 2 * batches; batch++) {
    const startMs = performance.now()
    for (let i = 0; i < size; i++) await send()
    samples.push(((performance.now() - startMs) * 1000) / size)
  }
  // The first half has warmed up the engine.
  return median(samples.slice(batches))
}

// ---- many at once with a rejected token -----------------------------------------------------------------------------

async function measureBursts({ bursts }: BurstTask): Promise<BurstFound> {
  // Opens the sockets and warms up the engine.
  await burst(300, false)
  const found: BurstFound = []
  for (const { count, expired } of bursts) {
    const repeated: OneBurst[] = []
    // Small ones are over before a clock can measure them.
    for (let i = 0; i < Math.min(15, 300 / count); i++) repeated.push(await burst(count, expired))
    found.push(repeated)
  }
  return found
}

async function burst(count: number, expired: boolean): Promise<OneBurst> {
  const tokens = await signIn(expired ? 1 : LONG_SECONDS)
  const api = await createApi(tokens)
  // `exp` is in whole seconds.
  if (expired) await delay(1100)
  globalThis.gc?.()
  const startMs = performance.now()
  const answered = await Promise.race([
    side === BARE ? sendByHand(api, tokens, count) : countAnswered(sendNotes(api, count)),
    delay(TIME_LIMIT_MS, 0, { ref: false }),
  ])
  const ms = performance.now() - startMs
  return { answered, ms, ...(await ask<Seen>('seen')) }
}

function sendNotes(api: AxiosInstance, count: number, headers = {}): Promise<AxiosResponse>[] {
  return Array.from({ length: count }, (_, index) =>
    index % 2
      ? api.post('/api/notes', { ...NOTE, index }, { headers })
      : api.get(`/api/notes?index=${index}`, { headers }),
  )
}

/** What anybody could do who knew that all of them will be refused: send all, refresh once, send all again. */
async function sendByHand(api: AxiosInstance, tokens: Tokens, count: number): Promise<number> {
  const authorization = ({ accessToken }: Tokens) => ({ Authorization: `Bearer ${accessToken}` })
  await Promise.allSettled(sendNotes(api, count, authorization(tokens)))
  const renewed = await refreshByHand(api, tokens.refreshToken)
  return countAnswered(sendNotes(api, count, authorization(renewed)))
}

// ---- many that wait for one refresh --------------------------------------------------------------------------------

async function measureHeld({ count }: HeldTask): Promise<HeldFound> {
  // Warms up the engine, so that code is not counted as waiting requests.
  await hold(1000)
  return hold(count)
}

/** Starts a refresh that the server does not answer, makes requests meanwhile, weighs them, and releases them. */
async function hold(count: number): Promise<HeldFound> {
  const hasRefresh = side !== BARE && side !== HEADER
  const gate = deferred()
  let isReleased = false

  // axios-jwt renews 10 s before `exp`, and only then.
  const tokens = await signIn(5, true)
  const sockets = axios.getAdapter('http')
  // Without a refresh of its own, a side waits in its adapter: one promise for all, so that only axios's part is weighed.
  const answer = gate.promise.then(() => ({ ...ANSWER }) as AxiosResponse)
  const api = await createApi(tokens, hasRefresh ? checkToken : () => answer)
  async function checkToken(config: Parameters<AxiosAdapter>[0]): Promise<AxiosResponse> {
    if (config.url?.endsWith('/auth/refresh')) return sockets(config)
    const response = { ...ANSWER, status: isReleased ? 200 : 401, config }
    if (isReleased) return response
    throw new AxiosError('Refused', AxiosError.ERR_BAD_REQUEST, config, undefined, response)
  }

  const first = api.get('/notes')
  while (hasRefresh && (await ask<Seen>('seen')).refreshes === 0) await delay(5)
  const emptyBytes = await heapBytes()
  const requests = Array.from({ length: count }, () => api.get('/notes'))
  const bytes = ((await heapBytes()) - emptyBytes) / count

  isReleased = true
  const startMs = performance.now()
  if (hasRefresh) await ask('release')
  gate.resolve()
  const answered = await Promise.race([countAnswered(requests), delay(TIME_LIMIT_MS, 0, { ref: false })])
  const settleMs = performance.now() - startMs
  await first
  return { answered, bytes, settleMs }
}

async function heapBytes(): Promise<number> {
  if (!globalThis.gc) throw new Error('Weighing needs node --expose-gc')
  // Whoever is on the way to where they wait is there after a turn.
  await turn()
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

// ---- what they share -----------------------------------------------------------------------------------------------

/** An instance as an app would make it, with the side on it. A proxy in the environment has no business on loopback. */
async function createApi(tokens: Tokens, adapter?: AxiosAdapter): Promise<AxiosInstance> {
  const api = axios.create({ baseURL: url, httpAgent: agent, proxy: false, ...(adapter && { adapter }) })
  await SIDES[side]?.(api, tokens)
  return api
}

async function countAnswered(requests: Promise<AxiosResponse>[]): Promise<number> {
  const ends = await Promise.allSettled(requests)
  return ends.filter((end) => end.status === 'fulfilled' && end.value.status === 200).length
}

async function ask<T>(door: string): Promise<T> {
  return (await fetch(`${url}/bench/${door}`)).json() as Promise<T>
}

/** Tokens of a new session; the server refuses the access token from the start, on /api. */
async function signIn(lifetimeSeconds: number, holdRefresh = false): Promise<Tokens> {
  const door = `login?lifetime=${lifetimeSeconds}${holdRefresh ? '&hold=yes' : ''}`
  const { access_token, refresh_token } = await ask<{ access_token: string; refresh_token: string }>(door)
  return { accessToken: access_token, refreshToken: refresh_token }
}

process.once('disconnect', () => process.exit())
run().then(
  (found) => process.send?.(found),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
