// A world of plain data for the state machine: tabs with their sessions, one store with its lock, one server.
// Owns the data and how it begins; what may happen next is in moves.ts, what must always hold in invariants.ts.
// Promise: no promise, timer, closure or clock is in it, so a world can be copied, compared and gone back to.

import type { SessionState } from '../../src/session/machine/session-state.js'
import {
  createState,
  type RefreshRun,
  type SessionEvent,
  type State,
} from '../../src/session/machine/state.js'
import type { REFUSED, StoredRecord } from '../../src/stores/store.js'
import { createServer, issueTokens, type Server } from './server.js'
import { type Budget, MACHINE, type Machine, type Shape } from './shape.js'

export const START_MS = 1_000_000
export const REFRESH_TIMEOUT_MS = 15_000

export type Stored = StoredRecord | typeof REFUSED | undefined

/** Something of a tab's that is to be done before the next event from outside: a job of its queue. */
export type Job =
  | { do: 'resume'; request: Request }
  | { do: 'turnTaken' | 'paused' | 'open' | 'release'; run: RefreshRun }
  | { do: 'dispatch'; event: SessionEvent }

/** A request of the app's, or a call of `refresh()`. It is its own waiter. */
export interface Request {
  readonly kind: 'request' | 'refresh'
  readonly number: number
  readonly session: SessionState
  readonly user: string | undefined
  stage: 'waiting' | 'sent'
  /** How often it went out, and with what last. */
  sent: number
  token: string
  /** The server accepted that token when the request left. */
  wasValid: boolean
  generation: number
  /** What it waits for, and what the session had when that began. */
  run: RefreshRun | undefined
  waitsSince: number
  /** The version that a newer one has to be in the store for, before it goes on. */
  beyond: number | undefined
  started: { readonly attempts: number } | undefined
  waited: boolean
  mayStartAgain?: boolean
  joined?: number
}

export type Answer = { family: number; number: number; hasRefreshToken: boolean } | 'refused' | 'lost'

/** What belongs to a run and is no data of the machine's. */
export interface Resource {
  readonly run: RefreshRun
  turn: 'none' | 'waiting' | 'waitingForNext' | 'held' | 'heldNext'
  /** Its time runs. */
  begun: boolean
  released: boolean
  aborted: boolean
  open: boolean
  pausing: boolean
  /** A call of the endpoint, with the refresh token that it carries, and the answer once the server has given it. */
  wire: { token: string | undefined; answer: Answer | undefined } | undefined
}

/** What waits for a write, and for what comes after it. */
export interface Chain {
  done: boolean
  next: Job[]
}

/** A call of a slow store, in its turn. */
export interface StoreCall {
  do: 'read' | 'write'
  phase: 'queued' | 'called' | 'done'
  record: StoredRecord | undefined
  reason: typeof REFUSED | undefined
  byUser: boolean
  round: number
  writesByUser: number
  /** What a write expects to replace. */
  expects: string | undefined
  /** What came of it: what was read, that a write failed, or that it found something else. */
  outcome: { value: Stored } | 'written' | 'failed' | 'conflict' | undefined
  /** Whose look it is, so that its end can be brought forward. */
  run: RefreshRun | undefined
  next: SessionEvent | undefined
  /** A look before a write: whose. */
  writes: { session: SessionState; byUser: boolean } | undefined
  chain: Chain | undefined
  /** The session that the user signs out of by it. */
  leaves: string | undefined
}

/** The guarded store of a tab. */
export interface Guard {
  seen: string | undefined
  drops: number
  /** Writes that the user asked for, and those of them whose turn has come. */
  writesByUser: number
  begunByUser: number
  calls: StoreCall[]
}

/** What the checks remember of a tab. */
export interface Memory {
  /** Sessions that ended here. */
  over: string[]
  /** Refresh tokens whose successor has been read here. */
  spent: string[]
  /** The access token that the server has rejected, as its session and generation. */
  rejected: string | undefined
  id: string | undefined
  version: number
  /** The last session that the user has signed out of here. */
  leaves: string | undefined
}

export interface Tab {
  readonly name: string
  life: 'running' | 'frozen' | 'gone'
  state: State
  resources: Resource[]
  requests: Request[]
  guard: Guard
  jobs: Job[]
  saving: Chain | undefined
  /** It waits for the second lock, as long as the holder of the first is frozen. */
  hasPassed: boolean
  /** What the app does when it is next notified of something. */
  listener: 'signOut' | 'signIn' | 'request' | 'refresh' | undefined
  memory: Memory
}

/** What the files about a tab need of each other without importing in circles. */
export interface Links {
  dispatch(world: World, tab: Tab, event: SessionEvent): void
  startRequest(world: World, tab: Tab, kind: Request['kind']): void
  resume(world: World, tab: Tab, request: Request): void
}

export interface World {
  readonly links: Links
  readonly shape: Shape
  readonly machine: Machine
  nowMs: number
  left: Budget
  server: Server
  /** `failsNext`: the next write fails. `hasFailed`: what is in memory may be newer for good. */
  store: { value: Stored; failsNext: boolean; hasFailed: boolean }
  /** Tabs that have yet to learn that the store has changed. */
  hints: boolean[]
  tabs: Tab[]
  /** The highest version of each session that has been in the store. */
  stored: Record<string, number>
  /** Sessions that the user has signed out of, once the store knows. */
  signedOut: string[]
  /** Something happened after which a refresh token may be sent twice, or an answer get lost with its tokens. */
  excused: boolean
  fault: string | undefined
  /** Names for requests, and how many events there were: not part of the situation. */
  nextNumber: number
  readonly tally: { events: number }
}

export function createWorld(links: Links, shape: Shape, budget: Budget, machine: Machine = MACHINE): World {
  const world: World = {
    links,
    shape,
    machine,
    nowMs: START_MS,
    left: { ...budget },
    server: createServer(),
    store: { value: undefined, failsNext: false, hasFailed: false },
    hints: [],
    tabs: [],
    stored: {},
    signedOut: [],
    excused: shape.tabs > 1 && !shape.lock,
    fault: undefined,
    nextNumber: 1,
    tally: { events: 0 },
  }
  issueTokens(world.server, 'Ada', 's0', world.nowMs)
  for (let at = 0; at < shape.tabs; at++) {
    world.tabs.push(createTab(String.fromCharCode(65 + at), shape))
    world.hints.push(false)
  }
  return world
}

function createTab(name: string, { retries }: Shape): Tab {
  return {
    name,
    life: 'running',
    state: createState({
      canRefresh: true,
      cookies: false,
      tokenless: false,
      refreshTimeoutMs: REFRESH_TIMEOUT_MS,
      refreshRetry: { limit: retries, baseDelayMs: 300 },
    }),
    resources: [],
    requests: [],
    guard: { seen: undefined, drops: 0, writesByUser: 0, begunByUser: 0, calls: [] },
    jobs: [],
    saving: undefined,
    hasPassed: false,
    listener: undefined,
    memory: { over: [], spent: [], rejected: undefined, id: undefined, version: 0, leaves: undefined },
  }
}

/** The first thing that must never happen is the one to look at. */
export function noteFault(world: World, fault: string): void {
  world.fault ??= fault
}
