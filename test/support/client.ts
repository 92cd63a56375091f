// Owns what most tests begin with: a server, an axios instance of the user, and a client on a clock that the test
// moves, signed in. All of it is gone when the test is over.

import axios, { type AxiosInstance } from 'axios'
import { onTestFinished } from 'vitest'
import {
  type AuthClient,
  type AuthClientOptions,
  type AuthEvents,
  type AuthSnapshot,
  authErrorOf,
  createAuthClient,
  refreshWithBody,
  type SessionEnd,
  type Tokens,
} from '../../src/index.js'
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.js'
import { type AuthServer, type LoginAnswer, type StartOptions, startAuthServer } from './auth-server.js'
import { createWatch } from './watch.js'

/** A manual clock that can be waited for: a timer that a network answer sets is there when `until` resolves. */
export interface WatchedClock extends ManualClock {
  until(condition: () => boolean, what?: string): Promise<void>
}

export interface World {
  server: AuthServer
  /** The user's instance, its `baseURL` the server. */
  api: AxiosInstance
  auth: AuthClient
  /** The client's clock; the server has its own. */
  clock: WatchedClock
  /** What the client was signed in with. */
  login: LoginAnswer
  /** What `onSessionEnd` was called with, in order; a hook of the test's own is called as well. */
  ends: SessionEnd[]
  /** Every event, in order. */
  events: RecordedEvent[]
}

type Name = keyof AuthEvents
export type RecordedEvent = { [Key in Name]: { name: Key; event: AuthEvents[Key] } }[Name]

export interface SetUpOptions extends AuthClientOptions {
  server?: StartOptions
  /** `false`: nobody is signed in. */
  signedIn?: boolean
}

export async function startServer(options?: StartOptions): Promise<AuthServer> {
  const server = await startAuthServer(options)
  onTestFinished(() => server.stop())
  return server
}

/** By default it refreshes at `/auth/refresh`. */
export async function setUp({ server: start, signedIn, ...options }: SetUpOptions = {}): Promise<World> {
  const server = await startServer(start)
  const clock = createWatchedClock()
  const api = axios.create({ baseURL: server.url })
  const ends: SessionEnd[] = []
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    clock,
    ...options,
    onSessionEnd(end) {
      ends.push(end)
      return options.onSessionEnd?.(end)
    },
  })
  onTestFinished(() => auth.dispose())
  const events = listenTo(auth)
  const login = server.login()
  if (signedIn !== false) await auth.signIn(tokensOf(login))
  return { server, api, auth, clock, login, ends, events }
}

export function createWatchedClock(startMs?: number): WatchedClock {
  const clock = createManualClock(startMs)
  const watch = createWatch()
  return {
    nowMs: clock.nowMs,
    setTimer(callback, delayMs) {
      const cancel = clock.setTimer(callback, delayMs)
      watch.changed()
      return () => {
        cancel()
        watch.changed()
      }
    },
    advance: clock.advance,
    jump: clock.jump,
    get pending() {
      return clock.pending
    },
    get nextInMs() {
      return clock.nextInMs
    },
    until: (condition, what = 'the condition on the clock holds') => watch.until(condition, () => what),
  }
}

const NAMES: readonly Name[] = [
  'refreshStart',
  'refreshed',
  'refreshFailed',
  'sessionEnd',
  'held',
  'replay',
  'skipped',
  'storeError',
]

/** Every event of a client from now on, in order. */
export function listenTo(auth: AuthClient): RecordedEvent[] {
  const recorded: RecordedEvent[] = []
  for (const name of NAMES) auth.on(name, (event) => void recorded.push({ name, event } as RecordedEvent))
  return recorded
}

/** The events of one kind. */
export function eventsOf<Key extends Name>(recorded: readonly RecordedEvent[], name: Key): AuthEvents[Key][] {
  return recorded.filter((one) => one.name === name).map((one) => one.event as AuthEvents[Key])
}

/** What a login answered, as `signIn` takes it. */
export function tokensOf({ access_token, refresh_token, expires_in }: LoginAnswer): Tokens {
  return { accessToken: access_token, refreshToken: refresh_token, expiresInSeconds: expires_in }
}

/** What `promise` rejects with. */
export function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('It went well, and should not have')
    },
    (error: unknown) => error,
  )
}

/** How a promise ended, in a word: `ok`, `cancelled`, our code, or the error in its own words. */
export function outcomeOf(result: PromiseSettledResult<unknown>): string {
  if (result.status === 'fulfilled') return 'ok'
  if (axios.isCancel(result.reason)) return 'cancelled'
  return authErrorOf(result.reason)?.code ?? String(result.reason)
}

/** The same for a list of them. */
export function outcomesOf(results: readonly PromiseSettledResult<unknown>[]): string[] {
  return results.map(outcomeOf)
}

/** Resolves once the snapshot is so, by following its changes. */
export async function untilSnapshot(
  auth: AuthClient,
  condition: (snapshot: AuthSnapshot) => boolean,
): Promise<void> {
  const watch = createWatch()
  const stop = auth.subscribe(watch.changed)
  try {
    const so = () => condition(auth.getSnapshot())
    await watch.until(so, () => `the snapshot is as expected: ${JSON.stringify(auth.getSnapshot())}`)
  } finally {
    stop()
  }
}

/** Resolves once so many requests wait at the same time. */
export async function untilHeld(auth: AuthClient, count: number): Promise<void> {
  const watch = createWatch()
  const stop = auth.on('held', watch.changed)
  try {
    const so = () => auth.stats().heldNow >= count
    await watch.until(so, () => `${count} requests wait (${auth.stats().heldNow} do)`)
  } finally {
    stop()
  }
}

/** Resolves once no refresh is under way. */
export function landed(auth: AuthClient): Promise<void> {
  return untilSnapshot(auth, ({ refreshing }) => !refreshing)
}

/**
 * Lets a refresh that cannot reach its endpoint try again: fires each back-off as soon as it is set.
 * @returns the back-offs in milliseconds
 */
export async function passBackOffs({ clock }: Pick<World, 'clock'>, count: number): Promise<number[]> {
  const delays: number[] = []
  for (let i = 0; i < count; i++) {
    // One timer bounds the refresh, the other one is the back-off.
    await clock.until(() => clock.pending >= 2, `back-off ${i + 1} of ${count} is set`)
    const delayMs = clock.nextInMs ?? 0
    delays.push(delayMs)
    await clock.advance(delayMs)
  }
  return delays
}
