// Binds a session to one axios instance: two interceptors and, per request, an adapter around the request's own.
// The adapter sits beneath all that the user installed, so interceptors and transforms run once per call, and none of
// them sees a 401 that a refresh could heal.
// Promise: every request settles once; what was placed on a config is off again before anybody above sees the answer.
import type { AxiosAdapter, AxiosError, AxiosRequestConfig, AxiosResponse } from 'axios'
import type { Clock } from '../clock.js'
import { AuthClientError, isAuthClientError, isObject, setCause } from '../errors.js'
import { type AuthStats, type Events, isThenable } from '../events.js'
import { hold, isCancelled } from '../gate.js'
import { deleteHeader, isOff, othersIn, readHeader, writeHeader } from '../headers.js'
import type { Placement } from '../placement/placement.js'
import { bareAddress, USERINFO } from '../redact.js'
import type { Caller, Patience, Session } from '../session/session.js'
import { isOtherUser } from '../session/subject.js'
import type { Grant } from '../tokens.js'
import type { AuthRequestOptions } from './augment.js'
import { type AxiosLike, createBare } from './bare.js'
import {
  CALLER,
  Exchange,
  exchangeOf,
  handleOf,
  optionIn,
  REFRESH_MARK,
  type RequestConfig,
  SENT_BY,
} from './exchange.js'
import { asRead, carries, isTokenRefused, type RefreshQuestion } from './judge.js'
import { createOriginCheck } from './origin.js'
import { dropOnRedirect, isFromElsewhere, type Redirectable } from './redirect.js'
import { discard, expectBreak, isReplayable, keepBody, snapshotForm } from './replay.js'
import type { SkipReason } from './skipped.js'

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
  beforeReplay?: ((config: AxiosRequestConfig, info: { sentBefore: boolean }) => unknown) | undefined
  /** Whether the calls that are made now are the refresh's own. */
  isAsking(): boolean
  reportSkipped(config: RequestConfig, reason: SkipReason): void
  /** A session can appear while a request is being made: the store is asynchronous, or a cookie can restore it. */
  maySettleLate: boolean
}

export interface Binding {
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
  // not a moment later, and costs one promise less.
  const { request, response } = instance.interceptors
  const requestId = request.use(onRequest, undefined, {
    synchronous: !deps.maySettleLate,
    runWhen: noteCall,
  })
  let responseId: number
  try {
    responseId = response.use(onResponse, onRejected)
  } catch (error) {
    request.eject(requestId)
    throw error
  }

  return {
    http: bare.http,
    release() {
      released = true
      request.eject(requestId)
      response.eject(responseId)
    },
  }

  // ---- the interceptors ------------------------------------------------------------------------------------------

  /** axios asks this in the turn of the call itself, whatever other interceptors do: then it is known who calls. */
  function noteCall(config: RequestConfig): boolean {
    config[CALLER] = session.caller()
    if (deps.isAsking()) config[REFRESH_MARK] = true
    return true
  }

  function onRequest(sent: RequestConfig): RequestConfig | Promise<RequestConfig> {
    try {
      return receive(sent)
    } catch (reason) {
      // Ejected, and running all the same: among asynchronous ones.
      if (released) throw reason
      // Before 1.19, axios throws a TypeError at the caller in the place of what a synchronous interceptor throws.
      return { ...sent, adapter: () => Promise.reject(reason) }
    }
  }

  function receive(sent: RequestConfig): RequestConfig | Promise<RequestConfig> {
    // axios takes a frozen one (1.20 and later).
    const config = Object.isExtensible(sent) ? sent : { ...sent }
    const caller = config[CALLER] ?? session.caller()
    delete config[CALLER]
    if (config[REFRESH_MARK]) {
      delete config[REFRESH_MARK]
      // A plug-in may have kept it and send it again later.
      if (session.underWay()) return config
    }
    const earlier = exchangeOf(config.authClient, session)
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
    if (released) return config
    // What was refused because its session is over is refused again, or a retry plug-in would send it as somebody else.
    let login = earlier?.refused ? earlier.login : caller()
    // So is what failed in the session of another user.
    const sender = config[SENT_BY]?.(session)
    if (sender) delete config[SENT_BY]
    if (sender && login && isOtherUser(sender.subjects, login.subjects)) login = sender
    const exchange = login && new Exchange(login, option, config)
    const other = otherCredential(config, exchange)
    if (!exchange) return config
    if (other) {
      if (!isRefreshCall(config)) skip(exchange, isAllowed(config) ? other : 'origin')
      return config
    }
    if (!place.late && isAllowed(config)) putOn(exchange)
    exchange.seen = place.late ? exchange.login.edition : exchange.edition
    config.adapter = exchange.wrapper = ((wireConfig?: RequestConfig, owner?: unknown) => {
      // A plug-in may send it several times, even at once: each with a config and a token of its own.
      if (wireConfig) return transmit(exchange.send ? copyOf(exchange) : exchange, wireConfig)
      return owner === session ? exchange : undefined
    }) as AxiosAdapter
    config.authClient = handleOf(exchange)
    return config
  }

  function onResponse(response: AxiosResponse): AxiosResponse | Promise<AxiosResponse> {
    const exchange = exchangeBehind(response?.config)
    return exchange ? answeredElsewhere(exchange, response.config, { response }) : response
  }

  function onRejected(error: AxiosError): AxiosResponse | Promise<AxiosResponse> {
    const exchange = exchangeBehind(error?.config)
    // What was never sent keeps its handle, for whoever sends it again.
    return exchange && !exchange.refused
      ? answeredElsewhere(exchange, error.config as RequestConfig, { response: error.response, error })
      : Promise.reject(error)
  }

  /** The exchange of a request that passed none of our adapters. */
  function exchangeBehind(config: RequestConfig | undefined): Exchange | undefined {
    const exchange = exchangeOf(config?.authClient, session)
    // JSON keeps the headers and no function: what is left of the handle is an empty object.
    const option = config?.authClient
    if (config && isObject(option) && !exchange) otherCredential(config, { option })
    return exchange
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
    if (!place.late && exchange.option?.place !== false && !isOn(exchange)) exchange.seen = 0
    const isFirst = !exchange.send
    exchange.send = bare.resolve(exchange.adapter, config as never)
    // An interceptor after ours may have set an option, and changed where it goes.
    if (config.authClient !== exchange.option) {
      takeOff(exchange)
      if (config.authClient === false) return dispatch(exchange)
      exchange.option = config.authClient as AuthRequestOptions
    }
    const mayWait = exchange.option?.refresh !== false
    const obstacle = equip(exchange)
    const fault = obstacle === 'origin' && exchange.option?.place !== false && deps.findNoOrigins()
    if (fault && !otherCredential(config, exchange)) return refuse(exchange, fault)
    if ((obstacle === undefined || released) && login.ended) return refuse(exchange, login.ended)
    const isDead = session.isDead(login)
    const isAside = obstacle !== undefined || (isDead && !mayWait)
    if (isFirst && (isAside || exchange.option?.place === false)) skip(exchange, obstacle ?? 'opted-out')
    if (isAside) return sendAside(exchange)
    if (isDead) return deliver(exchange)
    if (mayWait) session.renewAhead(login, exchange)
    // By a listener.
    if (login.ended) return refuse(exchange, login.ended)
    return beforeReplay && exchange.seen !== exchange.edition ? deliver(exchange) : send(exchange)
  }

  /** Not ours: it goes out as the caller made it, and its answer means nothing to the session. */
  function sendAside(exchange: Exchange): Promise<AxiosResponse> {
    takeOff(exchange)
    return dispatch(exchange)
  }

  /**
   * Sends a request with another token than its interceptors saw: they saw a dead one, and it waits for the next, or none
   * that is still the current one.
   */
  function deliver(exchange: Exchange): Promise<AxiosResponse> {
    return freshen(exchange).then(() => {
      const reason = objection(exchange)
      if (reason) return giveUp(reason)
      const obstacle = equip(exchange)
      if (obstacle !== undefined) {
        skip(exchange, obstacle)
        return sendAside(exchange)
      }
      if (!beforeReplay || exchange.seen === exchange.edition) return send(exchange)
      return prepare(exchange, beforeReplay, false).then(() => deliver(exchange), giveUp)
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
    const unhealed = (reason?: AuthClientError) => answer(exchange, asRefusal(outcome, config, reason))
    try {
      await wait(config, Promise.resolve(taken))
      if (!(await wait(config, Promise.resolve(refused)))) return answer(exchange, outcome)
      stats.refused++
      if (!session.noteRefused(login, exchange.edition, exchange) || exchange.sent >= MOST_SENDINGS)
        return unhealed()
      const replayable = isReplayable(config.data)
      // A streamed answer would hold its socket while we wait, unless there is nothing to wait for.
      if (session.mayHelp(login)) {
        const response = outcome.response as AxiosResponse
        if (replayable) discard(response)
        else await wait(config, keepBody(response, clock))
      }
      do {
        if (!(await freshen(exchange))) return unhealed()
        if (!replayable) throw notReplayable()
        takeOff(exchange)
        putOn(exchange)
        // Node's adapter left the length of the body here, and the hook may make another one.
        if (config.data) deleteHeader(config, 'Content-Length')
        // While the hook took its time, anything may have happened.
      } while (beforeReplay && !(await prepare(exchange, beforeReplay, true)))
      const reason = objection(exchange)
      if (reason) throw reason
      const obstacle = equip(exchange)
      if (obstacle !== undefined) {
        skip(exchange, obstacle)
        return sendAside(exchange)
      }
      exchange.waited = true
      stats.replays++
      events.emit('replay', { ...nameOf(config), heldMs: exchange.heldMs })
      // A listener may have ended the session.
      if (login.ended) throw login.ended
    } catch (reason) {
      // A cancellation is what the caller is waiting for; the 401 is of no interest any more.
      return isAuthClientError(reason) ? unhealed(reason) : answer(exchange, { error: reason })
    }
    return send(exchange)
  }

  /**
   * Lets the user's hook join in before a request goes out with a token that its interceptors did not see. Returns whether
   * that is still the one to send.
   */
  async function prepare(
    exchange: Exchange,
    hook: NonNullable<TransportDeps['beforeReplay']>,
    sentBefore: boolean,
  ): Promise<boolean> {
    const { config, login, edition } = exchange
    exchange.seen = edition
    const done = Promise.resolve(guard(() => hook(config as AxiosRequestConfig, { sentBefore })))
    await wait(
      config,
      done.catch(() => {}),
    )
    return !login.ended && !session.isDead(login) && edition === login.edition
  }

  /**
   * A refusal that could not be healed, with ours as its cause. A 401 that `validateStatus` let through still resolves; with
   * any other status it is rejected, because its caller would take it for an ordinary answer (G6).
   */
  function asRefusal(outcome: Outcome, config: RequestConfig, reason: AuthClientError | undefined): Outcome {
    const { response, error } = outcome
    if ('error' in outcome) {
      if (reason && isObject(error)) setCause(error, reason)
    } else if (response?.status !== 401)
      return { response, error: bare.failure(reason, config as never, response) }
    return outcome
  }

  /** Hands the caller their answer, with their own config in it. */
  function answer(exchange: Exchange, outcome: Outcome): AxiosResponse | Promise<AxiosResponse> {
    takeOff(exchange)
    const { response, error } = outcome
    // What an adapter of the app's own makes may be frozen, or be no object at all.
    if (response?.config !== exchange.config) Reflect.set(Object(response), 'config', exchange.config)
    if (!('error' in outcome)) return response as AxiosResponse
    const { login } = exchange
    Reflect.set(exchange.config, SENT_BY, (owner: unknown) => (owner === session ? login : undefined))
    if ((error as Partial<AxiosError> | null)?.config) Reflect.set(error as object, 'config', exchange.config)
    return Promise.reject(error)
  }

  /** The error of a request that never went out, as axios would make it. */
  function refuse(exchange: Exchange, reason: AuthClientError): Promise<never> {
    takeOff(exchange)
    if (exchange.login.ended) {
      exchange.refused = true
      exchange.config.authClient = handleOf(exchange)
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

  /** What events say of a request: its address, but for a token of ours in its query, and a name and password. */
  function nameOf({ method = '', url = '' }: RequestConfig): { method: string; url: string } {
    const address = String(url).replace(USERINFO, '$1')
    const isSecret = /[?#]/.test(address) && session.secrets().some((secret) => address.includes(secret))
    return { method, url: isSecret ? bareAddress(address) : address }
  }

  // ---- judging ---------------------------------------------------------------------------------------------------

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

  /** Puts the token on what is about to go out. Why there is none on it otherwise: `''` if nobody need hear of it. */
  function equip(exchange: Exchange): SkipReason | '' | undefined {
    const { config } = exchange
    if (released || isRefreshCall(config)) return ''
    if (!isAllowed(config)) return 'origin'
    return otherCredential(config, exchange) ?? (putOn(exchange) ? undefined : 'not-placeable')
  }

  /**
   * What the caller, or an interceptor of theirs, has said about the credential: another one, or none. A token of ours
   * that comes from them, such as an old interceptor's copy, is neither: it is taken off.
   */
  function otherCredential(config: RequestConfig, exchange?: Partial<Exchange>): SkipReason | undefined {
    if (config.auth) {
      if (!isOurs(config.auth.username, exchange)) return 'own-credential'
      delete config.auth
    }
    for (const name of credentialHeaders) {
      for (const [bag, key] of othersIn(config, name, exchange?.written)) {
        const value = bag[key]
        if (isOff(value)) {
          if (name === place.header) return 'opted-out'
        } else if (!isOurs(value, exchange)) return 'own-credential'
        else if (bag === config.headers) deleteHeader(config, key)
        else delete bag[key]
      }
    }
    return undefined
  }

  /** Whether a header's value is a token of this client's, however it is written. */
  function isOurs(value: unknown, { option, login }: Partial<Exchange> = {}): boolean {
    if (option?.place === false) return false
    const { header } = place
    // Also as a parameter: `Token token="…"`.
    const word =
      String(value)
        .match(/[^\s"]+/g)
        ?.pop() ?? ''
    const user = userIn(word)
    const isIt = (token: string) => {
      if (!token) return false
      if (token === word || token === user) return true
      const probe: RequestConfig = { headers: {} }
      return !!header && placeToken(probe, token) && readHeader(probe.headers, header) === value
    }
    // Of an ended session's request, the current one is somebody else's: it is sent again through an adapter of long ago.
    const current = session.current()
    if (login?.ended && current && isIt(current.accessToken)) return false
    return session.knows(word) || session.knows(user) || session.knownTokens().some(isIt)
  }

  function skip({ config, option, login }: Exchange, reason: SkipReason | ''): void {
    if (!reason || place.tokenless || login.ended) return
    deps.reportSkipped(config, option?.place === false ? 'opted-out' : reason)
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
    if (authClient === undefined) config.authClient = exchange.option
    else if (exchangeOf(authClient, session)) config.authClient = optionIn(authClient, exchange)
  }

  /** A plug-in sends a config again, or a copy of it, which still carries what was placed on it the first time. */
  function undo(earlier: Exchange, config: RequestConfig): void {
    giveBack(earlier, config)
    const { everPlaced, option, written } = earlier
    if (everPlaced && isOn({ config, option, written })) unplace(config)
  }
}

function copyOf(exchange: Exchange): Exchange {
  return Object.assign(Object.create(Exchange.prototype), exchange)
}

/** The user name of HTTP Basic. */
function userIn(word: string): string | undefined {
  try {
    return atob(word).split(':')[0]
  } catch {
    return undefined
  }
}

function notReplayable(): AuthClientError {
  return new AuthClientError('BODY_NOT_REPLAYABLE', 'Make this request anew: its body can be read only once.')
}
