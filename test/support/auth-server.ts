// Owns the auth server of the tests: real HTTP on a free port of 127.0.0.1, a clock of its own, and counters.
// Checks nothing itself: it counts, logs, delays and misbehaves on request. Its parts are in auth-server/.
// Promise: `stop` always ends, and a fault of the server itself fails the test that stops it.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Answer, json, send } from './auth-server/answer.js'
import type { Backend, CreateBackend } from './auth-server/backend.js'
import { createFamilies, type Family } from './auth-server/families.js'
import { createHolds, type Hold, type HoldOptions, matches, type RequestMatch } from './auth-server/holds.js'
import { createMint, tampered } from './auth-server/mint.js'
import { createRefreshEndpoint, type RefreshBehaviour, type RefreshControl } from './auth-server/refresh.js'
import { createDialects } from './auth-server/refresh-dialects.js'
import {
  bearerOf,
  everythingIn,
  type ReceivedRequest,
  receiveBody,
  receiveHead,
} from './auth-server/request.js'
import { createResources, type Echo, type LoginAnswer, loginAnswer } from './auth-server/resources.js'
import {
  type AuthServerOptions,
  type AuthServerSettings,
  type Counts,
  noCounts,
  resolveSettings,
} from './auth-server/settings.js'
import { createSliding } from './auth-server/sliding.js'
import { createRandom } from './shuffle.js'
import { createWatch } from './watch.js'

export {
  type Answer,
  type AuthServerOptions,
  type AuthServerSettings,
  type Backend,
  type Counts,
  type CreateBackend,
  type Echo,
  type Family,
  type Hold,
  type HoldOptions,
  type LoginAnswer,
  type ReceivedRequest,
  type RefreshBehaviour,
  type RefreshControl,
  type RequestMatch,
  tampered,
}

export interface StartOptions extends AuthServerOptions {
  /** Default: a new one each time, readable as `server.seed`. Two servers with one seed issue the same tokens. */
  seed?: number
  /** The server's clock runs by itself (it can still be advanced). Default false: only `advance` moves it. */
  realTime?: boolean
  /** Default: now, in whole seconds, because a JWT knows no smaller ones. */
  startAtMs?: number
  /** Default 0: any free port. */
  port?: number
  /** Speaks this backend's contract and nothing else. Default: every built-in one, side by side. */
  backend?: CreateBackend
}

export interface ServerClock {
  readonly nowMs: number
  advance(ms: number): void
}

export interface AuthServer {
  /** `http://127.0.0.1:port`, the same after `restart`. */
  readonly url: string
  readonly seed: number
  readonly clock: ServerClock
  /** The options, live: what a test changes here counts from the next request on. */
  readonly settings: AuthServerSettings
  /** A copy of the counters as they are now. */
  readonly counts: Readonly<Counts>
  /** Everything received since the start or `forget`, in order of arrival; live. */
  readonly log: readonly ReceivedRequest[]
  readonly refresh: RefreshControl
  /** One per login, the revoked ones included. */
  readonly sessions: readonly Family[]
  /** Signs in without HTTP. @param user default 'ada' */
  login(user?: string, options?: { accessLifetimeSeconds?: number }): LoginAnswer
  /** A token for `/sliding/*`, without HTTP. */
  slidingLogin(user?: string): string
  /** Every access token issued so far is refused from now on, whatever the client's clock thinks. */
  killAccessTokens(): void
  /** Ends every session of this user (default: of everybody): access and refresh tokens are refused. */
  revoke(user?: string): void
  /** Holds the matching requests until they are released by hand; several holds apply one after the other. */
  hold(match: RequestMatch, options?: HoldOptions): Hold
  /** Holds the calls to any refresh endpoint. */
  holdRefresh(options?: HoldOptions): Hold
  /** Answers the matching requests instead of the server, the latest first; `undefined` passes on. Returns undo. */
  route(match: RequestMatch, answer: (request: ReceivedRequest) => Answer | undefined): () => void
  /** The log entries that match. */
  requestsTo(match: RequestMatch): ReceivedRequest[]
  /** Every token that this server has issued, access, refresh and sliding. */
  issuedTokens(): string[]
  /** The issued tokens that have arrived here, in any header, cookie, URL or body, each once. */
  tokensSeen(): string[]
  /** Tokens of another server (or any other secrets) that have arrived here; a safe client leaves none. */
  leaksFrom(other: AuthServer | Iterable<string>): string[]
  /** The connections that are open now. */
  sockets(): readonly Socket[]
  /** Resolves when `condition` holds; looked at when a request arrives, is held, ends. */
  until(condition: () => boolean, what?: string): Promise<void>
  /** Resolves when no request is in progress; a held one is. */
  idle(): Promise<void>
  /** Empties the log and the counters; sessions stay. */
  forget(): void
  /** Breaks every connection and listens again on the same port, sessions kept. */
  restart(): Promise<void>
  /** Breaks every connection and ends; twice is once. @throws if the server itself failed on a request */
  stop(): Promise<void>
}

export async function startAuthServer(options: StartOptions = {}): Promise<AuthServer> {
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32)
  const random = createRandom(seed)
  const watch = createWatch()
  const settings: AuthServerSettings = resolveSettings(options, bearerOf)

  const startedAtMs = Date.now()
  let clockMs = options.startAtMs ?? Math.floor(startedAtMs / 1000) * 1000
  const nowMs = (): number => clockMs + (options.realTime ? Date.now() - startedAtMs : 0)

  let counts = noCounts()
  const currentCounts = (): Counts => counts
  const families = createFamilies(
    createMint(options.tokens ?? 'jwt', random, nowMs),
    settings,
    currentCounts,
    nowMs,
  )
  const sliding = createSliding(random, settings, currentCounts, nowMs)
  const resources = createResources(families, settings, currentCounts)
  const backend = options.backend?.({ families, settings, counts: currentCounts, nowMs }) ?? {
    dialects: createDialects(families, settings),
    answer: (request) => sliding.answer(request) ?? resources(request),
  }
  const refresh = createRefreshEndpoint(families, settings, currentCounts, nowMs, backend.dialects)
  const holds = createHolds(watch)

  const log: ReceivedRequest[] = []
  const inProgress = new Set<ReceivedRequest>()
  const faults: unknown[] = []
  const routes: { match: RequestMatch; answer: (request: ReceivedRequest) => Answer | undefined }[] = []
  let seq = 0

  function route(request: ReceivedRequest): Answer {
    for (const { match, answer } of routes) {
      const given = matches(match, request) ? answer(request) : undefined
      if (given !== undefined) return given
    }
    if (refresh.owns(request)) return refresh.answer(request)
    return (
      backend.answer(request) ??
      json(404, { message: `the auth server has no ${request.method} ${request.path}` })
    )
  }

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    allowCrossOrigin(message, response)
    if (message.method === 'OPTIONS') {
      counts.preflights++
      response.writeHead(204).end()
      return
    }
    const request = receiveHead(message, ++seq, nowMs())
    counts.requests++
    if (refresh.owns(request)) counts.refreshes++
    if (settings.keepLog) log.push(request)
    inProgress.add(request)
    response.on('close', () => {
      request.aborted = !response.writableFinished
      inProgress.delete(request)
      holds.desert(request)
      watch.changed()
    })
    watch.changed()
    if (!(await receiveBody(message, request))) return
    watch.changed()
    if (!(await holds.pass(request, 'arrival'))) return
    const answer = route(request)
    if (!(await holds.pass(request, 'answer'))) return
    if (answer === 'never') return
    if (answer === 'drop') {
      message.socket.destroy()
      return
    }
    request.status = answer.status
    const bodiless = request.method === 'HEAD'
    await send(
      response,
      answer,
      bodiless,
      holds.wants(request, 'body') ? () => holds.pass(request, 'body') : undefined,
    )
  }

  const sockets = new Set<Socket>()
  const http = createServer((message, response) => {
    serve(message, response).catch((fault: unknown) => {
      faults.push(fault)
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end(String(fault))
    })
  })
  // Delayed requests may take as long as they like, and an idle connection must not break under a request.
  http.requestTimeout = 0
  http.headersTimeout = 0
  http.keepAliveTimeout = 0
  http.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => {
      sockets.delete(socket)
      watch.changed()
    })
  })

  function listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      http.once('error', reject)
      // The backlog lets a thousand clients knock at once.
      http.listen({ port, host: '127.0.0.1', backlog: 4_096 }, () => {
        http.off('error', reject)
        resolve((http.address() as AddressInfo).port)
      })
    })
  }

  function close(): Promise<void> {
    return new Promise((resolve) => {
      // "Not running" is an error to Node and exactly what we want.
      http.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  }

  const port = await listen(options.port ?? 0)

  function issuedTokens(): string[] {
    return [...families.issued(), ...sliding.issued()]
  }

  function arrived(secrets: Iterable<string>): string[] {
    // Without a log, "nothing arrived" would be a guess.
    if (!settings.keepLog) throw new Error('Looking for tokens needs the log: keepLog is false')
    const everything = log.map(everythingIn).join('\n')
    return [...new Set(secrets)].filter((secret) => everything.includes(secret))
  }

  return {
    url: `http://127.0.0.1:${port}`,
    seed,
    settings,
    clock: {
      get nowMs() {
        return nowMs()
      },
      advance(ms) {
        clockMs += ms
      },
    },
    get counts() {
      return { ...counts }
    },
    log,
    refresh: refresh.control,
    sessions: families.all,
    login: (user = 'ada', { accessLifetimeSeconds } = {}) =>
      loginAnswer(families.start(user, accessLifetimeSeconds), settings),
    slidingLogin: (user = 'ada') => sliding.issue(user),
    killAccessTokens() {
      families.killAccessTokens()
      sliding.killAll(() => true)
    },
    revoke(user) {
      const theirs = (name: string): boolean => user === undefined || name === user
      families.revoke((family) => theirs(family.user))
      sliding.killAll(theirs)
    },
    hold: (match, holdOptions = {}) => holds.add(match, holdOptions),
    holdRefresh: (holdOptions = {}) => holds.add(refresh.owns, holdOptions),
    route(match, answer) {
      const added = { match, answer }
      routes.unshift(added)
      return () => {
        const at = routes.indexOf(added)
        if (at >= 0) routes.splice(at, 1)
      }
    },
    requestsTo: (match) => log.filter((request) => matches(match, request)),
    issuedTokens,
    tokensSeen: () => arrived(issuedTokens()),
    leaksFrom: (other) => arrived('issuedTokens' in other ? other.issuedTokens() : other),
    sockets: () => [...sockets],
    until: (condition, what = 'the condition holds') => watch.until(condition, () => what),
    idle: () =>
      watch.until(
        () => inProgress.size === 0,
        () =>
          `no request in progress (${[...inProgress].map(({ method, path }) => `${method} ${path}`).join(', ')})`,
      ),
    forget() {
      log.length = 0
      counts = noCounts()
    },
    async restart() {
      await close()
      await listen(port)
    },
    async stop() {
      await close()
      if (faults.length > 0) throw new AggregateError(faults.splice(0), 'The auth server itself failed')
    },
  }
}

/** Any page may call, with its cookies, and read what a client needs to. */
function allowCrossOrigin(message: IncomingMessage, response: ServerResponse): void {
  const { origin } = message.headers
  if (origin === undefined) return
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-allow-credentials', 'true')
  response.setHeader('access-control-expose-headers', 'Authorization, Retry-After, WWW-Authenticate')
  if (message.method !== 'OPTIONS') return
  response.setHeader('access-control-allow-methods', message.headers['access-control-request-method'] ?? '*')
  response.setHeader('access-control-allow-headers', message.headers['access-control-request-headers'] ?? '')
  // A page on a public address may call 127.0.0.1 (Chromium's private network access).
  response.setHeader('access-control-allow-private-network', 'true')
}
