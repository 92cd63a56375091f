// The burst: sign in, let the token die, then fire requests of every kind at once through a given axios instance.
// Promise: the same stimulus for everybody, whatever is installed on the instance. What happens next waits for what
// the server has seen, not for a guessed time, so a slow machine changes the lengths and not the order.
import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import axios, { type AxiosInstance } from 'axios'
import { digestOfBytes, digestOfForm } from './digest.js'
import { type Pace, startAuthServer, startForeignServer, type Trip, USER } from './server.js'

export type Kind = 'GET' | 'JSON' | 'form'
export type Role =
  | 'ordinary'
  /** Its 401 arrives when the refresh is over. */
  | 'late'
  /** The caller aborts while it waits. */
  | 'aborted'
  /** To another origin, by absolute URL. */
  | 'foreign'
  /** Made while the refresh runs. */
  | 'during'

export interface RequestPlan {
  id: number
  kind: Kind
  role: Role
}

/** What became of one request, as its caller saw it. Times are those of `performance.now()`. */
export interface RequestRecord extends RequestPlan {
  madeAtMs: number
  abortedAtMs: number | undefined
  settledAtMs: number | undefined
  /** `pending`: it never came back. `canceled`: with axios's own CanceledError. */
  outcome: 'pending' | 'answered' | 'canceled' | 'failed'
  /** Whether the answer was about the very bytes that the caller had sent. */
  isRight: boolean
  error: string | undefined
}

/** What the client reported while it worked. */
export interface ClientEvent {
  name: 'held' | 'replay' | 'refreshStart' | 'refreshed'
  /** The request it is about. */
  id: number | undefined
  atMs: number
}

export interface BurstResult {
  startedAtMs: number
  requests: RequestRecord[]
  /** The log of both servers, in the order of arrival, without the login. */
  trips: Trip[]
  events: ClientEvent[]
  reuses: number
  /** How often the foreign server was handed an `Authorization`. */
  foreignTokens: number
  /** Still signed in, in the eyes of either. */
  signedIn: { client: boolean; server: boolean }
}

/** What is put to the test: something that keeps an axios instance signed in. */
export interface Contender {
  signIn(tokens: { accessToken: string; refreshToken: string }): Promise<void> | void
  isSignedIn(): boolean
  release(): void
}

/** Puts a contender on the instance. It may `report` what it does, for the timeline. */
export type Install = (instance: AxiosInstance, report: (event: ClientEvent) => void) => Contender

/** The fewest requests that hold one of each kind and role. */
export const FEWEST = 6
export const MOST = 5000

// As many sockets as a machine with modest limits gives. More requests than this wait for one in axios's agent.
const MAX_SOCKETS = 400
/** Who has not come back by then never will. */
const TIME_LIMIT_MS = 20_000

/** Ordinary requests of alternating kinds, and one of each special role at the end. */
export function planRequests(count: number): RequestPlan[] {
  const kinds: Kind[] = ['GET', 'JSON', 'form']
  const specials: Pick<RequestPlan, 'kind' | 'role'>[] = [
    { kind: 'form', role: 'late' },
    { kind: 'GET', role: 'aborted' },
    { kind: 'GET', role: 'foreign' },
    { kind: 'JSON', role: 'during' },
  ]
  const ordinary = Array.from({ length: count - specials.length }, (_, index) => ({
    kind: kinds[index % kinds.length] as Kind,
    role: 'ordinary' as const,
  }))
  return [...ordinary, ...specials].map((plan, index) => ({ id: index + 1, ...plan }))
}

export async function runBurst(count: number, install: Install): Promise<BurstResult> {
  const plans = planRequests(count)
  const stage = direct(plans)
  const server = await startAuthServer(stage.pace)
  const foreign = await startForeignServer(stage.pace)
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS })
  // A proxy in the environment has no business on loopback.
  const instance = axios.create({ baseURL: server.origin, httpAgent: agent, proxy: false })
  const events: ClientEvent[] = []
  const contender = install(instance, (event) => events.push(event))
  try {
    const { data } = await instance.post('/auth/login', USER)
    await contender.signIn({ accessToken: data.access_token, refreshToken: data.refresh_token })
    while (performance.now() < server.expiresAtMs(data.access_token)) await delay(5)

    const startedAtMs = performance.now()
    const records: RequestRecord[] = []
    const requests: Promise<void>[] = []
    const aborter = new AbortController()
    const fire = (plan: RequestPlan) => {
      const record: RequestRecord = {
        ...plan,
        madeAtMs: performance.now(),
        abortedAtMs: undefined,
        settledAtMs: undefined,
        outcome: 'pending',
        isRight: false,
        error: undefined,
      }
      records.push(record)
      const signal = plan.role === 'aborted' ? aborter.signal : undefined
      requests.push(send(instance, record, plan.role === 'foreign' ? foreign.origin : '', signal))
    }

    const isFirstWave = ({ role }: RequestPlan) => role !== 'during'
    plans.filter(isFirstWave).forEach(fire)
    const scene = stage.onMeanwhile(
      () => plans.filter((plan) => !isFirstWave(plan)).forEach(fire),
      () => {
        for (const record of records) if (record.role === 'aborted') record.abortedAtMs = performance.now()
        aborter.abort()
      },
    )
    // One time limit for all of them; it passes only if a request does not settle.
    await Promise.race([
      scene.then(() => Promise.all(requests)),
      delay(TIME_LIMIT_MS, undefined, { ref: false }),
    ])

    return {
      startedAtMs,
      requests: records.map((record) => ({ ...record })),
      trips: [...server.trips, ...foreign.trips]
        .filter(({ to }) => to !== 'login')
        .sort((a, b) => a.arrivedAtMs - b.arrivedAtMs)
        .map((trip) => ({ ...trip })),
      events,
      reuses: server.reuses,
      foreignTokens: foreign.authorizations.length,
      signedIn: { client: contender.isSignedIn(), server: server.isSessionAlive() },
    }
  } finally {
    contender.release()
    agent.destroy()
    await Promise.all([server.close(), foreign.close()])
  }
}

/** Sends one request and writes down how it ended. Never rejects. */
async function send(
  instance: AxiosInstance,
  record: RequestRecord,
  origin: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { id, kind } = record
  const settle = (end: Partial<RequestRecord>) =>
    Object.assign(record, { settledAtMs: performance.now(), ...end })
  const url = `${origin}${kind === 'form' ? '/photos' : '/notes'}?id=${id}`
  const method = kind === 'GET' ? 'GET' : 'POST'
  const body = bodyOf(id, kind)
  try {
    const { data } = await instance.request({ method, url, data: body, signal })
    const digest = body instanceof FormData ? await digestOfForm(body) : digestOfBytes(textOf(body))
    settle({
      outcome: 'answered',
      isRight: data.id === id && data.method === method && data.digest === digest,
    })
  } catch (error) {
    // Not only `isCancel`: what the caller of an aborted request is promised is axios's own error.
    const isCanceled = axios.isCancel(error) && (error as Error).name === 'CanceledError'
    settle({
      outcome: isCanceled ? 'canceled' : 'failed',
      error: error instanceof Error ? error.message : String(error),
    })
  }
}

function bodyOf(id: number, kind: Kind): object | undefined {
  if (kind === 'GET') return undefined
  if (kind === 'JSON') return { title: `Note ${id}`, text: 'Ärger ✓ "quoted"', tags: ['a', 'b'], id }
  const form = new FormData()
  form.append('title', `Photo ${id}`)
  const bytes = Uint8Array.from({ length: 2048 }, (_, index) => (index * 31 + id) % 256)
  form.append('photo', new Blob([bytes], { type: 'image/png' }), `photo-${id}.png`)
  return form
}

function textOf(body: object | undefined): string {
  return body ? JSON.stringify(body) : ''
}

/**
 * The pace of the servers and what the callers do meanwhile: one scene, driven by what happens at the server.
 *
 *   the first wave is refused → a request is made → one is aborted → the refresh is answered
 *   → somebody comes with the new token → the late 401 goes out
 */
function direct(plans: RequestPlan[]) {
  const roles = new Map(plans.map(({ id, role }) => [id, role]))
  const waiting = new Set(
    plans.filter(({ role }) => role === 'ordinary' || role === 'aborted').map(({ id }) => id),
  )
  const firstWaveRefused = signal()
  const newTokenSeen = signal()
  const refreshArrived = signal()
  const sceneOver = signal()

  const pace: Pace = {
    async beforeRefusal(id) {
      if (roles.get(id) === 'late') {
        await newTokenSeen.promise
        await pause(45)
        return
      }
      // Spread, so that some are refused long before others; the same for everybody.
      await pause(14 + ((id * 29) % 50))
      waiting.delete(id)
      if (waiting.size === 0) firstWaveRefused.resolve()
    },
    async beforeAnswer(id) {
      newTokenSeen.resolve()
      await pause(20 + ((id * 17) % 60))
    },
    beforeForeignAnswer: () => pause(95),
    async beforeGrant(nth) {
      if (nth > 1) return pause(40)
      refreshArrived.resolve()
      await sceneOver.promise
    },
  }

  return {
    pace,
    /** Plays the scene once. Resolves when the refresh may be answered. */
    async onMeanwhile(makeRequest: () => void, abort: () => void): Promise<void> {
      const cue = Promise.all([refreshArrived.promise, firstWaveRefused.promise])
      // Without its cue it goes on all the same: then a guarantee is broken, and the checks will say so.
      await Promise.race([cue, pause(TIME_LIMIT_MS / 2)])
      await pause(25)
      makeRequest()
      await pause(30)
      abort()
      await pause(40)
      sceneOver.resolve()
    },
  }
}

/** Does not keep the process alive: the listening servers do, as long as anybody needs them. */
function pause(ms: number): Promise<void> {
  return delay(ms, undefined, { ref: false })
}

function signal(): { promise: Promise<void>; resolve(): void } {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
