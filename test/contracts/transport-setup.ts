// Owns the scene of a transport test: an axios instance of some make with some adapter and whatever plug-ins, a server,
// and a client on a clock that the test moves, signed in. All of it is gone when the test is over.

import type { AxiosRequestConfig } from 'axios'
import { expect, onTestFinished } from 'vitest'
import type { AuthClient, AuthClientOptions, AxiosLike, SessionEnd } from '../../src/index.js'
import * as currentLibrary from '../../src/index.js'
import { type AuthServer, type Echo, type ReceivedRequest, startAuthServer } from '../support/auth-server.js'
import { createWatchedClock, tokensOf, type WatchedClock } from '../support/client.js'
import { createWatch } from '../support/watch.js'

/** The user's instance, and how it is used. */
export interface Stage {
  instance: AxiosLike
  /** What every request of the user says besides, such as an adapter of its own. */
  each?: AxiosRequestConfig
  /** Undoes what `open` changed for everybody. */
  close?(): void
}

export interface Scene {
  name: string
  open(server: AuthServer): Stage
  /** What the user installs on the instance once the client is there. */
  installAfterwards?(stage: Stage): void
  /** The streams it knows, as answers and as bodies; none: it knows no streams. */
  streams?: 'node' | 'web'
  /** Whether it sends the platform's FormData. Default true. */
  forms?: boolean
  /** The library as it is with the axios of this scene. Default: with the newest. */
  library?: Pick<typeof currentLibrary, 'createAuthClient' | 'refreshWithBody'>
}

export interface Play extends Stage {
  server: AuthServer
  auth: AuthClient
  clock: WatchedClock
  ends: SessionEnd[]
  /** The tokens of the sign-in. */
  firstTokens: string[]
  send(config: AxiosRequestConfig): Promise<Answer>
  /** Resolves when so many requests wait for new tokens. */
  held(count: number): Promise<void>
  signIn(user: string): Promise<void>
}

/** As far as all axios versions agree. */
export interface Answer {
  status: number
  data: unknown
  headers: Record<string, unknown>
  config: Record<string, unknown>
}

export interface Failure {
  isAxiosError?: boolean
  code?: string
  response?: Answer
  config?: Record<string, unknown>
}

/** Longer than the tokens of the server live. */
export const LIFETIME_MS = 300_000

export async function play(scene: Scene, options: AuthClientOptions = {}): Promise<Play> {
  const { createAuthClient, refreshWithBody } = scene.library ?? currentLibrary
  const server = await startAuthServer()
  const stage = scene.open(server)
  const clock = createWatchedClock()
  const ends: SessionEnd[] = []
  const auth = createAuthClient(stage.instance, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    refreshRetry: { limit: 0 },
    clock,
    ...options,
    onSessionEnd(end) {
      ends.push(end)
      return options.onSessionEnd?.(end)
    },
  })
  onTestFinished(async () => {
    auth.dispose()
    stage.close?.()
    await server.stop()
  })
  scene.installAfterwards?.(stage)
  const watch = createWatch()
  auth.on('held', watch.changed)
  const login = server.login()
  await auth.signIn(tokensOf(login))
  return {
    ...stage,
    server,
    auth,
    clock,
    ends,
    firstTokens: [login.access_token, login.refresh_token],
    send(config) {
      const answer: Promise<Answer> = stage.instance.request({ ...stage.each, ...config })
      // A test may look at it later; nobody else does.
      answer.catch(() => {})
      return answer
    },
    held: (count) =>
      watch.until(
        () => auth.stats().heldNow >= count,
        () => `${count} requests wait (${auth.stats().heldNow} do)`,
      ),
    signIn: (user) => auth.signIn(tokensOf(server.login(user))),
  }
}

export function echoOf({ data }: Pick<Answer, 'data'>): Echo {
  return data as Echo
}

export function isCancel(error: unknown): boolean {
  return !!(error as { __CANCEL__?: unknown }).__CANCEL__
}

/** What two sendings must have in common; a boundary of their own in a form is the platform's business. */
export function withoutToken(request: ReceivedRequest | undefined) {
  const { method, path, search, headers, bodyBytes } = request as ReceivedRequest
  const { authorization: _token, ...rest } = headers
  // Read off the body: axios 1.2 leaves it out of the header in jsdom.
  const boundary = /^--(\S+)\r\n/.exec(bodyBytes.toString('latin1'))?.[1]
  const neutral = (text: string): string => (boundary ? text.replaceAll(boundary, 'boundary') : text)
  return {
    method,
    path,
    search,
    headers: Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, neutral(value)])),
    body: neutral(bodyBytes.toString('latin1')),
  }
}

/** Looks into everything that a logger or a crash report would show of it. */
export function expectNoToken(
  { config, response, headers, ...rest }: Failure & Partial<Answer>,
  tokens: string[],
): void {
  const shown = JSON.stringify([
    config,
    config?.headers,
    config?.data,
    headers,
    response?.headers,
    response?.config,
    response?.data,
    rest.code,
    rest.data,
    String((rest as { message?: unknown }).message),
  ])
  for (const token of tokens) expect(shown).not.toContain(token)
}
