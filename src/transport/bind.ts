// Binds a session to one axios instance: two interceptors and, per request, an adapter around the request's own.
// The adapter sits beneath all that the user installed, so interceptors and transforms run once per call, and none of
// them sees a 401 that a refresh could heal.
// Promise: every request settles once; what was placed on a config is off again before anybody above sees the answer.
import type { AxiosError, AxiosRequestConfig, AxiosResponse } from 'axios'
import type { Clock } from '../clock.js'
import { AuthClientError, isAuthClientError, isObject, setCause } from '../errors.js'
import { type AuthStats, type Events, isThenable } from '../events.js'
import { hold, isCancelled } from '../gate.js'
import { deleteHeader, hasOther, readHeader, writeHeader } from '../headers.js'
import type { Placement } from '../placement/placement.js'
import type { Caller, Patience, Session } from '../session/session.js'
import type { Grant } from '../tokens.js'
import type { AuthRequestOptions } from './augment.js'
import { type AxiosLike, createBare } from './bare.js'
import { CALLER, Exchange, REFRESH_MARK, type RequestConfig, Ticket } from './exchange.js'
import { asRead, carries, isTokenRefused, type RefreshQuestion } from './judge.js'
import { createOriginCheck } from './origin.js'
import { dropOnRedirect, isFromElsewhere, type Redirectable } from './redirect.js'
import { discard, expectBreak, isReplayable, snapshotForm } from './replay.js'

export interface TransportDeps {
  session: Session
  clock: Clock
  events: Events
  stats: AuthStats
  place: Placement
  isAllowedOrigin(origin: string | undefined): boolean
  /** What is wrong where no origin at all is allowed. */
  findNoOrigins(): AuthClientError | undefined
  shouldRefresh?: ((question: RefreshQuestion) => boolean | PromiseLike<boolean>) | undefined
  readResponse?: ((response: AxiosResponse) => Grant | undefined) | undefined
  beforeReplay?: ((config: AxiosRequestConfig) => unknown) | undefined
  /** A session can appear while a request is being made: the store is asynchronous, or a cookie can restore it. */
  maySettleLate: boolean
}

export interface Binding {
  /** While on, the calls made on this instance are recognised as the refresh's own. */
  markCalls(on: boolean): void
  http: ReturnType<typeof createBare>['http']
  release(): void
}

/** How often one request goes out at the most, whatever a store, a server or other tabs do (G8). */
const MOST_SENDINGS = 5

/** How a request ended: with a response, with an error, or with an error that has a response. */
interface Outcome {
  response?: AxiosResponse | undefined
  error?: unknown
}

export function bind(instance: AxiosLike, deps: TransportDeps): Binding {
  const { session, clock, events, stats, place, beforeReplay, readResponse, shouldRefresh } = deps
  const { guard, report } = events
  const bare = createBare(instance, deps.isAllowedOrigin)
  const isAllowed = createOriginCheck(deps.isAllowedOrigin)
  const credentialHeaders = [...new Set(['Authorization', place.header ?? 'Authorization'])]
  const patience: Patience<Exchange> = {
    hold(exchange, gate) {
      // Less when it began, and more when it is over: the time between.
      exchange.heldMs -= clock.nowMs()
      return enter(exchange.config, gate)
    },
    leave(exchange) {
      stats.heldNow--
      exchange.heldMs += clock.nowMs()
    },
  }
  let released = false

  // Synchronous where the session is known at once: the request is then judged by who is signed in when it is made,
  // not a moment later, and costs one promise less. A synchronous interceptor must not throw (axios before 1.19).
  const requestId = instance.interceptors.request.use(onRequest, undefined, {
    synchronous: !deps.maySettleLate,
    // axios asks this in the turn of the call itself, whatever other interceptors do: then it is known who calls.
    runWhen(config: RequestConfig) {
      config[CALLER] = session.caller()
      return true
    },
  })
  const responseId = instance.interceptors.response.use(onResponse, onRejected)

  return {
    markCalls(on) {
      if (on) instance.defaults[REFRESH_MARK] = true
      else delete instance.defaults[REFRESH_MARK]
    },
    http: bare.http,
    release() {
      released = true
      instance.interceptors.request.eject(requestId)
      instance.interceptors.response.eject(responseId)
    },
  }

  // ---- the interceptors ------------------------------------------------------------------------------------------

  function onRequest(sent: RequestConfig): RequestConfig | Promise<RequestConfig> {
    // axios takes a frozen one (1.20 and later).
    const config = Object.isFrozen(sent) ? { ...sent } : sent
    const caller = config[CALLER] ?? session.caller()
    delete config[CALLER]
    if (config[REFRESH_MARK]) {
      delete config[REFRESH_MARK]
      // An instance that the refresh has created carries the mark for ever.
      if (session.underWay()) return config
    }
    const earlier = Ticket.read(config.authClient, session)
    if (earlier) undo(earlier, config)
    const option = config.authClient as false | AuthRequestOptions | undefined
    if (option === false) return config
    const unsettled = session.unsettled()
    const go = (waited?: unknown) => {
      try {
        // One of a user whose client was disposed of since the call must not go out bare.
        if (waited || caller()) session.assertAlive()
        return admit(config, option, earlier, caller)
      } catch (reason) {
        throw bare.failure(reason as AuthClientError, config as never)
      }
    }
    if (released || !unsettled || option?.refresh === false || isRefreshCall(config)) return go()
    return enter(config, unsettled)
      .finally(() => stats.heldNow--)
      .then(() => go(true))
  }

  function admit(
    config: RequestConfig,
    option: AuthRequestOptions | undefined,
    earlier: Exchange | undefined,
    caller: Caller,
  ): RequestConfig {
    if (released || (hasOwnCredential(config) && !forgetOurs(config))) return config
    // What was refused because its session is over is refused again, or a retry plug-in would send it as somebody else.
    const login = earlier?.refused ? earlier.login : caller()
    if (!login) return config
    const exchange = new Exchange(login, option, config)
    if (!place.late && isAllowed(config)) putOn(exchange)
    config.adapter = exchange.wrapper = (wireConfig) => transmit(exchange, wireConfig)
    config.authClient = new Ticket(exchange, session)
    return config
  }

  function onResponse(response: AxiosResponse): AxiosResponse | Promise<AxiosResponse> {
    const exchange = Ticket.read((response?.config as RequestConfig)?.authClient, session)
    return exchange ? answeredElsewhere(exchange, response.config, { response }) : response
  }

  function onRejected(error: AxiosError): AxiosResponse | Promise<AxiosResponse> {
    const exchange = Ticket.read((error?.config as RequestConfig)?.authClient, session)
    // What was never sent keeps its ticket, for whoever sends it again.
    return exchange && !exchange.refused
      ? answeredElsewhere(exchange, error.config as RequestConfig, { response: error.response, error })
      : Promise.reject(error)
  }

  /** A plug-in's adapter (a cache, a mock) ran in the place of ours: its answer is judged here, above the wire. */
  function answeredElsewhere(exchange: Exchange, config: RequestConfig, outcome: Outcome) {
    giveBack(exchange, config)
    exchange.config = config
    exchange.send = () => bare.dispatch(exchange.adapter, config as never)
    return conclude(exchange, outcome)
  }

  // ---- the transport ---------------------------------------------------------------------------------------------

  function transmit(exchange: Exchange, config: RequestConfig): Promise<AxiosResponse> {
    const { login } = exchange
    giveBack(exchange, config)
    exchange.config = config
    exchange.send = bare.resolve(exchange.adapter, config as never)
    // An interceptor after ours may have set an option, and changed where it goes.
    if (config.authClient !== exchange.option) {
      takeOff(exchange)
      if (config.authClient === false) return dispatch(exchange)
      exchange.option = config.authClient as AuthRequestOptions
    }
    const ours = !released && !hasOwnCredential(config, exchange) && !isRefreshCall(config)
    const mayGo = ours && isAllowed(config)
    const fault = ours && !mayGo && exchange.option?.place !== false && deps.findNoOrigins()
    if (fault) return refuse(exchange, fault)
    if (!mayGo || !putOn(exchange)) return sendAside(exchange)
    if (login.ended) return refuse(exchange, login.ended)
    const mayWait = exchange.option?.refresh !== false
    if (session.isDead(login)) return mayWait ? deliver(exchange) : sendAside(exchange)
    if (mayWait) session.renewAhead(login, exchange)
    return send(exchange)
  }

  /** Not ours: it goes out as the caller made it, and its answer means nothing to the session. */
  function sendAside(exchange: Exchange): Promise<AxiosResponse> {
    takeOff(exchange)
    return dispatch(exchange)
  }

  /** The token is dead: the request waits for the next one before it goes out. */
  function deliver(exchange: Exchange): Promise<AxiosResponse> {
    return freshen(exchange).then(() => {
      const reason = objection(exchange)
      if (reason) return giveUp(reason)
      return mayCarry(exchange) && putOn(exchange) ? send(exchange) : sendAside(exchange)
    }, giveUp)

    // Also a cancellation: above its adapters, axios looks itself whether the request was given up.
    function giveUp(reason: unknown): Promise<never> {
      return refuse(exchange, reason as AuthClientError)
    }
  }

  /** Why a request whose wait is over stays here: whoever heard of the new tokens first has acted on it. */
  function objection({ login, config }: Exchange): unknown {
    if (isCancelled(config)) return bare.cancellation(config as never)
    const isBroken = (config.data as { destroyed?: unknown } | undefined)?.destroyed
    return login.ended ?? (isBroken ? notReplayable() : undefined)
  }

  function send(exchange: Exchange): Promise<AxiosResponse> {
    const { config } = exchange
    const form = snapshotForm(config.data)
    if (form) {
      config.data = form.bytes
      for (const [name, value] of Object.entries(form.headers)) writeHeader(config, name, value)
    }
    exchange.sent++
    const restore = dropOnRedirect(config as Redirectable)
    const end = (outcome: Outcome) => {
      restore?.()
      return conclude(exchange, outcome)
    }
    return dispatch(exchange).then(
      (response) => end({ response }),
      (error: unknown) => end({ response: (error as AxiosError | undefined)?.response, error }),
    )
  }

  /** One trip over the wire. */
  function dispatch({ config, send }: Exchange): Promise<AxiosResponse> {
    try {
      return (send as NonNullable<typeof send>)(config as never)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  function conclude(exchange: Exchange, outcome: Outcome): AxiosResponse | Promise<AxiosResponse> {
    const { response } = outcome
    if (response && exchange.edition && !isFromElsewhere(response, deps.isAllowedOrigin)) {
      const grant =
        readResponse &&
        exchange.option?.place !== false &&
        guard(() => readResponse(asRead(response, exchange.config)), response)
      const taken = grant && guard(() => session.take(exchange.login, exchange.edition, grant))
      const refused = judge(exchange, response)
      if (refused || taken) return heal(exchange, outcome, refused, taken)
      if (exchange.waited) session.noteServed(exchange.login, exchange.edition)
    }
    return answer(exchange, outcome)
  }

  /** The slow way to an answer: wait for better tokens and send again. */
  async function heal(
    exchange: Exchange,
    outcome: Outcome,
    refused: boolean | PromiseLike<boolean>,
    taken: unknown,
  ): Promise<AxiosResponse> {
    const { login, config } = exchange
    try {
      await wait(config, Promise.resolve(taken))
      if (!(await wait(config, Promise.resolve(refused)))) return answer(exchange, outcome)
      stats.refused++
      if (!session.noteRefused(login, exchange.edition, exchange) || exchange.sent >= MOST_SENDINGS)
        return answer(exchange, outcome)
      const replayable = isReplayable(config.data)
      // A streamed answer would hold its socket while we wait. Nobody will read it, unless there is nothing to wait for.
      if (replayable && session.mayHelp(login)) discard(outcome.response as AxiosResponse)
      do {
        if (!(await freshen(exchange))) return answer(exchange, outcome)
        if (!replayable) throw notReplayable()
        takeOff(exchange)
        putOn(exchange)
        // Node's adapter left the length of the body here, and the hook may make another one.
        if (config.data) deleteHeader(config, 'Content-Length')
        // While the hook took its time, anything may have happened.
      } while (beforeReplay && !(await prepare(exchange, beforeReplay)))
      const reason = objection(exchange)
      if (reason) throw reason
      if (!mayCarry(exchange)) return sendAside(exchange)
    } catch (reason) {
      // A cancellation is what the caller is waiting for; the 401 is of no interest any more.
      return answer(exchange, isAuthClientError(reason) ? withCause(outcome, reason) : { error: reason })
    }
    exchange.waited = true
    stats.replays++
    events.emit('replay', { ...nameOf(config), heldMs: exchange.heldMs })
    return send(exchange)
  }

  /** Lets the user's hook join in before a replay. Returns whether the token on the request is still the one to send. */
  async function prepare(
    { config, login, edition }: Exchange,
    hook: NonNullable<TransportDeps['beforeReplay']>,
  ): Promise<boolean> {
    const done = Promise.resolve(guard(() => hook(config as AxiosRequestConfig))).catch(() => {})
    await wait(config, done)
    return !login.ended && !session.isDead(login) && edition === login.edition
  }

  /** Hands the caller their answer, with their own config in it. */
  function answer(exchange: Exchange, { response, error }: Outcome): AxiosResponse | Promise<AxiosResponse> {
    takeOff(exchange)
    const config = exchange.config as AxiosResponse['config']
    if (response) {
      response.config = config
      if (error === undefined) return response
    }
    const failure = error as Partial<AxiosError> | null
    if (failure?.config) failure.config = config
    return Promise.reject(error)
  }

  /** The error of a request that never went out, as axios would make it. */
  function refuse(exchange: Exchange, reason: AuthClientError): Promise<never> {
    takeOff(exchange)
    if (exchange.login.ended) {
      exchange.refused = true
      exchange.config.authClient = new Ticket(exchange, session)
    }
    return Promise.reject(bare.failure(reason, exchange.config as never))
  }

  // ---- waiting ---------------------------------------------------------------------------------------------------

  function freshen(exchange: Exchange): Promise<boolean> {
    return session.freshen(exchange.login, exchange, patience)
  }

  function enter(config: RequestConfig, promise: Promise<void>): Promise<void> {
    stats.heldNow++
    stats.heldPeak = Math.max(stats.heldPeak, stats.heldNow)
    events.emit('held', nameOf(config))
    expectBreak(config.data)
    return wait(config, promise)
  }

  function wait<T>(config: RequestConfig, promise: Promise<T>): Promise<T> {
    return hold(promise, config, () => bare.cancellation(config as never))
  }

  // ---- judging ---------------------------------------------------------------------------------------------------

  /** Whether this instance may send a token to where the request goes. */
  function mayCarry({ config }: Exchange): boolean {
    return !released && isAllowed(config)
  }

  function judge(exchange: Exchange, response: AxiosResponse): boolean | PromiseLike<boolean> {
    if (exchange.option?.refresh === false || released) return false
    const byDefault = () => isTokenRefused(response, exchange.written)
    if (!shouldRefresh) return byDefault()
    const { login, edition, staleAtMs, config } = exchange
    const expired =
      edition !== login.edition || (staleAtMs === undefined ? undefined : clock.nowMs() >= staleAtMs)
    // A hook that fails has said nothing, so the status decides.
    const byStatus = (error: unknown) => {
      report(error, response)
      return byDefault()
    }
    try {
      const question = { response: asRead(response, config), config: config as AxiosRequestConfig, expired }
      const verdict = shouldRefresh(question)
      return isThenable(verdict) ? verdict.then(Boolean, byStatus) : !!verdict
    } catch (error) {
      return byStatus(error)
    }
  }

  /** Whether the refresh that is under way makes this request through the wrapped instance: it must not wait for itself. */
  function isRefreshCall(config: RequestConfig): boolean {
    const flight = session.underWay()
    if (!flight) return false
    return config.signal === flight.signal || (!!flight.refreshToken && carries(config, flight.refreshToken))
  }

  /** Whether the caller, or an interceptor of theirs, has put a credential of their own on the request. */
  function hasOwnCredential({ headers, auth }: RequestConfig, exchange?: Exchange): boolean {
    if (auth) return true
    for (const name of credentialHeaders) if (hasOther(headers, name, exchange?.written)) return true
    return false
  }

  // ---- placing ---------------------------------------------------------------------------------------------------

  /** Puts the current token on the config, unless it is there. Returns whether the request carries the session. */
  function putOn(exchange: Exchange): boolean {
    const { config, login, option } = exchange
    if (exchange.edition === login.edition && isOn(exchange)) return true
    takeOff(exchange)
    if (option?.place !== false) {
      if (!placeToken(config, login.accessToken)) return false
      if (place.header) exchange.written = readHeader(config.headers, place.header)
    }
    exchange.everPlaced = true
    exchange.edition = login.edition
    // What rests on a clock that may be wrong is not known.
    exchange.staleAtMs = login.estimated ? undefined : login.staleAtMs
    return true
  }

  function takeOff(exchange: Exchange): void {
    if (!exchange.edition) return
    exchange.edition = 0
    if (isOn(exchange)) unplace(exchange.config)
  }

  function placeToken(config: RequestConfig, accessToken: string): boolean {
    // One that fails has placed nothing; one that says nothing has.
    return !!guard(() => place.place(config as never, accessToken) ?? true)
  }

  function unplace(config: RequestConfig): void {
    guard(() => place.remove(config as never))
  }

  /** Whether what we wrote is there: a plug-in may have rebuilt the headers while it kept the request. */
  function isOn({ config, option, written }: Pick<Exchange, 'config' | 'option' | 'written'>): boolean {
    return option?.place !== false && (!place.header || readHeader(config.headers, place.header) === written)
  }

  /** Makes the config the caller's own again, but for the token. */
  function giveBack(exchange: Exchange, config: RequestConfig): void {
    if (config.adapter === exchange.wrapper) config.adapter = exchange.adapter as never
    const { authClient } = config
    if (authClient === undefined || Ticket.read(authClient, session)) config.authClient = exchange.option
  }

  /** A plug-in sends a config again, or a copy of it, which still carries what was placed on it the first time. */
  function undo(earlier: Exchange, config: RequestConfig): void {
    giveBack(earlier, config)
    const { everPlaced, option, written } = earlier
    if (everPlaced && isOn({ config, option, written })) unplace(config)
  }

  /** The same where nothing but the header itself tells that it is ours. Returns whether no other credential is left. */
  function forgetOurs(config: RequestConfig): boolean {
    const { header } = place
    const value = header && readHeader(config.headers, header)
    const isOurs = (token: string) => {
      const probe: RequestConfig = { headers: {} }
      return header && placeToken(probe, token) && readHeader(probe.headers, header) === value
    }
    if (!session.knownTokens().some(isOurs)) return false
    unplace(config)
    return !hasOwnCredential(config)
  }
}

function notReplayable(): AuthClientError {
  return new AuthClientError('BODY_NOT_REPLAYABLE', 'Make this request anew: its body can be read only once.')
}

function withCause(outcome: Outcome, reason: AuthClientError): Outcome {
  if (isObject(outcome.error)) setCause(outcome.error, reason)
  return outcome
}

function nameOf({ method = '', url = '' }: RequestConfig): { method: string; url: string } {
  return { method, url }
}
