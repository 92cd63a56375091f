// Owns the world of the model tests: an auth server, the wire, the tabs of a browser with their store and locks, all in
// one process. Every asynchronous step of it is a task of fast-check's scheduler, so a seed decides every order.
// Promise: it knows the client by its public surface only, and writes every fact down for the model to check.
import axios, {
  type AxiosAdapter,
  AxiosError,
  type AxiosInstance,
  CanceledError,
  type InternalAxiosRequestConfig,
} from 'axios'
import type { Scheduler } from 'fast-check'
import {
  type AuthClient,
  createAuthClient,
  refreshWithBody,
  type StoredRecord,
  type TokenStore,
  type WriteOptions,
  webLock,
} from '../../src/index.js'
import { announceCommits } from '../../src/stores/announced-commits.js'
import { createFakeTabs } from '../../src/testing/fake-tabs.js'
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.js'
import { isSame } from '../../src/testing/same.js'
import { microtasksDone } from '../support/real-time.js'
import type { Model, RequestFacts } from './model.js'

/** What the refresh endpoint does with one call; `granted` when nothing was asked for. */
export type RefreshOutcome =
  | 'granted'
  | 'kept'
  | 'refused'
  | 'unavailable'
  | 'malformed'
  | 'network'
  | 'hangs'
/** What happens to one answer of a protected route; without one, the token decides. */
export type WireOutcome = 'refuses' | 'fails' | 'network'
export type StoreOperation = 'load' | 'save' | 'clear'

export interface WorldShape {
  /** A store that takes its time, and compares what a write replaces. */
  asyncStore: boolean
  /** Whether `navigator.locks` is there. */
  locks: boolean
}

export interface Tab {
  readonly id: number
  readonly auth: AuthClient
  readonly apis: readonly AxiosInstance[]
  alive: boolean
}

export const ORIGIN = 'https://api.test'
export const FOREIGN = 'https://foreign.test'
const LIFETIME_SECONDS = 300

export class World {
  readonly clock: ManualClock = createManualClock()
  readonly tabs: Tab[] = []
  readonly refreshOutcomes: RefreshOutcome[] = []
  readonly wireOutcomes: WireOutcome[] = []
  readonly storeFaults: StoreOperation[] = []
  storeListeners = 0
  nextUser = 1
  /** Requests that have not settled. */
  readonly open: { id: number; controller: AbortController }[] = []

  private kept: string | undefined
  private readonly calls = new Set<{ sinceMs: number }>()
  private readonly hints = new Set<{ tab: number; listener: () => void }>()
  private readonly valid = new Map<string, string>()
  private readonly families = new Map<string, string>()
  private readonly revoked = new Set<string>()
  private issued = 0

  constructor(
    private readonly scheduler: Scheduler,
    private readonly model: Model,
    private readonly shape: WorldShape,
  ) {}

  // ---- the server ------------------------------------------------------------------------------------------------

  issue(user: string): { accessToken: string; refreshToken: string; expiresInSeconds: number } {
    this.issued++
    const accessToken = `access-${user}-${this.issued}`
    const refreshToken = `refresh-${user}-${this.issued}`
    this.valid.set(accessToken, user)
    this.families.set(refreshToken, user)
    return { accessToken, refreshToken, expiresInSeconds: LIFETIME_SECONDS }
  }

  /** Every access token that is out becomes worthless. */
  kill(): void {
    this.valid.clear()
  }

  private answerRefresh(refreshToken: string): { status: number; body: unknown } | 'network' | 'hangs' {
    const outcome = this.refreshOutcomes.shift() ?? 'granted'
    const user = this.families.get(refreshToken)
    if (outcome === 'network' || outcome === 'hangs') return outcome
    if (outcome === 'unavailable') return { status: 503, body: 'down' }
    if (outcome === 'malformed') return { status: 200, body: '<h1>Hotel</h1>' }
    if (outcome === 'refused' && user) this.revoked.add(user)
    if (!user || this.revoked.has(user)) return { status: 401, body: { error: 'refused' } }
    const { accessToken, refreshToken: rotated, expiresInSeconds } = this.issue(user)
    const body = { access_token: accessToken, expires_in: expiresInSeconds }
    return { status: 200, body: outcome === 'kept' ? body : { ...body, refresh_token: rotated } }
  }

  private answerResource(token: string | undefined): { status: number; body: unknown } | 'network' {
    const outcome = this.wireOutcomes.shift()
    if (outcome === 'network') return outcome
    if (outcome === 'fails') return { status: 500, body: 'broken' }
    const user = token === undefined ? undefined : this.valid.get(token)
    if (outcome === 'refuses' || !user) return { status: 401, body: 'who are you?' }
    return { status: 200, body: { user } }
  }

  // ---- the wire --------------------------------------------------------------------------------------------------

  private adapterOf(tab: number): AxiosAdapter {
    return (config) =>
      new Promise((resolve, reject) => {
        const send = this.readSend(tab, config)
        let over = false
        const end = (): boolean => {
          if (over) return false
          over = true
          config.signal?.removeEventListener?.('abort', onAbort)
          return true
        }
        const onAbort = (): void => {
          if (!end()) return
          send.lost()
          reject(new CanceledError(undefined, config))
        }
        config.signal?.addEventListener?.('abort', onAbort)
        void this.step(`arrive ${send.name}`).then(async () => {
          if (over) return
          const answer = send.arrive()
          if (answer === 'hangs') return
          await this.step(`answer ${send.name}`)
          if (!end()) return
          send.answered(answer)
          if (answer === 'network') return reject(new AxiosError('Network Error', 'ERR_NETWORK', config))
          const { status, body } = answer
          const response = { status, data: body, statusText: '', headers: {}, config, request: {} }
          if (status < 300) resolve(response)
          else reject(new AxiosError(`Status ${status}`, 'ERR_BAD', config, {}, response))
        })
      })
  }

  private readSend(tab: number, config: InternalAxiosRequestConfig): Send {
    if (config.url === '/auth/refresh') {
      const refreshToken = String(JSON.parse(config.data as string).refresh_token)
      const user = this.families.get(refreshToken) ?? '?'
      this.model.refreshSent(tab, user, refreshToken)
      const sentAtMs = this.model.elapsedMs
      return {
        name: `refresh of tab ${tab}`,
        arrive: () => this.answerRefresh(refreshToken),
        lost: () => this.model.refreshLost(tab, user, this.model.elapsedMs - sentAtMs),
        answered: (answer) => {
          this.model.refreshOver(tab, user)
          this.model.refreshRead(tab, user, refreshToken, answer as never)
        },
      }
    }
    const facts = config.params as RequestFacts
    const header = config.headers.Authorization as string | undefined
    const token = header?.replace('Bearer ', '') || undefined
    this.model.sent(facts, token)
    return {
      name: `request ${facts.id} of tab ${tab}`,
      arrive: () =>
        config.url?.startsWith(FOREIGN) ? { status: 200, body: { user: null } } : this.answerResource(token),
      lost() {},
      answered: (answer) => this.model.answered(facts, token, answer as never),
    }
  }

  private step(label: string): Promise<unknown> {
    return this.scheduler.schedule(Promise.resolve(), label)
  }

  // ---- the browser -----------------------------------------------------------------------------------------------

  openTab(): Tab {
    const id = this.tabs.length
    const apis = [0, 1].map(() => axios.create({ baseURL: ORIGIN, adapter: this.adapterOf(id) }))
    const auth = createAuthClient(apis[0] as AxiosInstance, {
      refresh: refreshWithBody({ url: '/auth/refresh' }),
      store: this.storeOf(id),
      clock: this.clock,
      onSessionEnd: ({ reason }) => this.model.ended(id, reason),
    })
    auth.attach(apis[1] as AxiosInstance)
    auth.on('sessionEnd', ({ reason }) => this.model.endReported(id, reason))
    const tab = { id, auth, apis, alive: true }
    this.tabs.push(tab)
    return tab
  }

  private storeOf(tab: number): TokenStore {
    const run = <T>(operation: StoreOperation, work: () => T): T | Promise<T> => {
      const call = { sinceMs: this.model.elapsedMs }
      this.calls.add(call)
      const act = (): T => {
        // One that was given up counts as failed: whoever made it puts right what becomes of it. A disposed client waits for
        // none, so that they land in any order.
        const isGivenUp = ({ sinceMs }: { sinceMs: number }) => this.model.elapsedMs - sinceMs >= 15_000
        if ([...this.calls].some(isGivenUp) || this.tabs[tab]?.alive === false) this.model.writesOutOfOrder()
        this.calls.delete(call)
        if (this.storeFaults[0] === operation) {
          this.storeFaults.shift()
          this.model.storeFailed()
          throw new Error(`The store cannot ${operation}.`)
        }
        return work()
      }
      return this.shape.asyncStore ? this.step(`store ${operation} of tab ${tab}`).then(act) : act()
    }
    const write = (text: string | undefined): void => {
      this.kept = text
      for (const { tab: other, listener } of this.hints) {
        if (other === tab) continue
        void this.step(`hint to tab ${other}`).then(() => {
          this.model.overtaking(other)
          listener()
        })
      }
    }
    const holds = ({ replaces }: WriteOptions = {}) =>
      replaces === undefined || isSame(this.kept && JSON.parse(this.kept), replaces)
    const store = {
      load: () => run('load', () => (this.kept === undefined ? undefined : JSON.parse(this.kept))),
      save: (record: StoredRecord, options?: WriteOptions) =>
        run('save', () => {
          if (!holds(options)) return false
          if (record.spent) this.model.markLeft()
          this.model.stored(record.sessionId)
          return write(JSON.stringify(record))
        }),
      clear: (_reason?: string, options?: WriteOptions) =>
        run('clear', () => {
          if (!holds(options)) return false
          this.model.stored(undefined)
          return write(undefined)
        }),
      subscribe: (listener: () => void) => {
        const entry = { tab, listener: () => this.hints.has(entry) && listener() }
        this.hints.add(entry)
        this.storeListeners++
        return () => {
          if (this.hints.delete(entry)) this.storeListeners--
        }
      },
    }
    // A synchronous one is as localStorageStore.
    return this.shape.asyncStore
      ? { ...store, exclusively: webLock('shared') }
      : announceCommits('shared', store)
  }

  navigator(): { locks?: unknown } {
    return this.shape.locks ? { locks: createFakeTabs().locks } : {}
  }

  // ---- time ------------------------------------------------------------------------------------------------------

  /** Moves time and fires what is due. */
  async advance(ms: number): Promise<void> {
    this.model.elapsedMs += ms
    await this.clock.advance(ms)
  }

  /** Moves the clock alone: a machine that slept, a clock that was set. */
  jump(ms: number): void {
    this.model.elapsedMs += Math.max(0, ms)
    this.clock.jump(ms)
  }

  /** Lets up to `count` tasks happen, in the order that the seed decides. */
  async release(count: number, after: () => void): Promise<void> {
    for (let done = 0; done < count && this.scheduler.count() > 0; done++) {
      await this.scheduler.waitOne()
      await quiet()
      after()
    }
  }

  /** Lets everything happen that can, timers included. */
  async settle(after: () => void): Promise<void> {
    await quiet()
    while (this.scheduler.count() > 0 || this.clock.pending > 0) {
      await this.release(Number.POSITIVE_INFINITY, after)
      const { nextInMs } = this.clock
      // After a jump a timer may be overdue.
      if (nextInMs !== undefined) await this.advance(Math.max(0, nextInMs))
      await quiet()
      after()
    }
  }
}

interface Send {
  name: string
  arrive(): { status: number; body: unknown } | 'network' | 'hangs'
  /** Its answer will never be read. */
  lost(): void
  answered(answer: { status: number; body: unknown } | 'network'): void
}

/** When everything has happened that needs no task of the scheduler; what a port was sent needs a turn of its own. */
export async function quiet(): Promise<void> {
  await microtasksDone()
  await microtasksDone()
}
