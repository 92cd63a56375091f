// Binds a session to one axios instance: two interceptors and, per request, an adapter around the request's own.
// The adapter sits beneath all that the user installed, so interceptors and transforms run once per call, and none of
// them sees a 401 that a refresh could refreshAndReplay.
// Promise: every request settles once; what was placed on a config is off again before anybody above sees the answer.
import type { AxiosAdapter, AxiosError, AxiosRequestConfig, AxiosResponse } from 'axios'
import type { Clock } from '../clock.js'
import { AuthClientError, isAuthClientError, isObject, setCause } from '../errors.js'
import { type AuthStats, type Events, isThenable } from '../events.js'
import { deleteHeader, isOff, othersIn, readHeader, writeHeader } from '../headers.js'
import type { Placement } from '../placements/placement.js'
import { bareAddress, USERINFO } from '../redact.js'
import { isOtherUser } from '../session/machine/subject.js'
import type { Caller, SessionManager, Waiting } from '../session/manager.js'
import type { Grant } from '../tokens.js'
import { hold, isCancelled } from '../wait.js'
import type { AuthRequestOptions } from './augment.js'
import { type AxiosLike, createBare } from './bare.js'
import {
  CALLER,
  Call,
  callOf,
  handleOf,
  optionIn,
  REFRESH_MARK,
  type RequestConfig,
  SENT_BY,
} from './call.js'
import { asRead, carries, isTokenRejected, type RefreshQuestion } from './classify.js'
import { createOriginCheck } from './origin.js'
import { dropOnRedirect, isFromElsewhere, type Redirectable } from './redirect.js'
import { discard, expectBreak, isReplayable, keepBody, snapshotForm } from './replay.js'
import type { SkipReason } from './skipped.js'

export interface TransportDeps {
  manager: SessionManager
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
  const { manager, clock, events, stats, place, beforeReplay, readResponse, shouldRefresh } = deps
  const { guard, report } = events
  const bare = createBare(instance, deps.isAllowedOrigin)
  const isAllowed = createOriginCheck(deps.isAllowedOrigin)
  const credentialHeaders = [...new Set(['Authorization', place.header ?? 'Authorization'])]
  const waiting: Waiting<Call> = {
    hold(call, gate) {
      // Less when it began, and more when it is over: the time between.
      call.heldMs -= clock.nowMs()
      return enter(call.config, gate)
    },
    leave(call) {
      stats.heldNow--
      call.heldMs += clock.nowMs()
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
    config[CALLER] = manager.caller()
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
    const caller = config[CALLER] ?? manager.caller()
    delete config[CALLER]
    if (config[REFRESH_MARK]) {
      delete config[REFRESH_MARK]
      // A plug-in may have kept it and send it again later.
      if (manager.underWay()) return config
    }
    const earlier = callOf(config.authClient, manager)
    if (earlier) undo(earlier, config)
    const option = config.authClient as false | AuthRequestOptions | undefined
    if (option === false) return config
    const unsettled = manager.unsettled()
    const go = (waited?: unknown) => {
      try {
        // One of a user whose client was disposed of since the call must not go out bare.
        if (waited || caller()) manager.assertAlive()
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
    earlier: Call | undefined,
    caller: Caller,
  ): RequestConfig {
    if (released) return config
    // What was refused because its session is over is refused again, or a retry plug-in would send it as somebody else.
    let session = earlier?.refused ? earlier.session : caller()
    // So is what failed in the session of another user.
    const sender = config[SENT_BY]?.(manager)
    if (sender) delete config[SENT_BY]
    if (sender && session && isOtherUser(sender.subjects, session.subjects)) session = sender
    const call = session && new Call(session, option, config)
    const other = otherCredential(config, call)
    if (!call) return config
    if (other) {
      if (!isRefreshCall(config)) skip(call, isAllowed(config) ? other : 'origin')
      return config
    }
    if (!place.late && isAllowed(config)) attach(call)
    call.seen = place.late ? call.session.generation : call.generation
    config.adapter = call.wrapper = ((wireConfig?: RequestConfig, owner?: unknown) => {
      // A plug-in may send it several times, even at once: each with a config and a token of its own.
      if (wireConfig) return transmit(call.send ? copyOf(call) : call, wireConfig)
      return owner === manager ? call : undefined
    }) as AxiosAdapter
    config.authClient = handleOf(call)
    return config
  }

  function onResponse(response: AxiosResponse): AxiosResponse | Promise<AxiosResponse> {
    const call = callBehind(response?.config)
    return call ? answeredElsewhere(call, response.config, { response }) : response
  }

  function onRejected(error: AxiosError): AxiosResponse | Promise<AxiosResponse> {
    const call = callBehind(error?.config)
    // What was never sent keeps its handle, for whoever sends it again.
    return call && !call.refused
      ? answeredElsewhere(call, error.config as RequestConfig, { response: error.response, error })
      : Promise.reject(error)
  }

  /** The call of a request that passed none of our adapters. */
  function callBehind(config: RequestConfig | undefined): Call | undefined {
    const call = callOf(config?.authClient, manager)
    // JSON keeps the headers and no function: what is left of the handle is an empty object.
    const option = config?.authClient
    if (config && isObject(option) && !call) otherCredential(config, { option })
    return call
  }

  /** A plug-in's adapter (a cache, a mock) ran in the place of ours: its answer is judged here, above the wire. */
  function answeredElsewhere(call: Call, config: RequestConfig, outcome: Outcome) {
    giveBack(call, config)
    call.config = config
    call.send = () => bare.dispatch(call.adapter, config as never)
    return conclude(call, outcome)
  }

  // ---- the transport ---------------------------------------------------------------------------------------------

  function transmit(call: Call, config: RequestConfig): Promise<AxiosResponse> {
    const { session } = call
    giveBack(call, config)
    call.config = config
    if (!place.late && call.option?.place !== false && !isOn(call)) call.seen = 0
    const isFirst = !call.send
    call.send = bare.resolve(call.adapter, config as never)
    // An interceptor after ours may have set an option, and changed where it goes.
    if (config.authClient !== call.option) {
      detach(call)
      if (config.authClient === false) return dispatch(call)
      call.option = config.authClient as AuthRequestOptions
    }
    const mayWait = call.option?.refresh !== false
    const obstacle = attachOrExplain(call)
    const fault = obstacle === 'origin' && call.option?.place !== false && deps.findNoOrigins()
    if (fault && !otherCredential(config, call)) return refuse(call, fault)
    if ((obstacle === undefined || released) && session.ended) return refuse(call, session.ended)
    const isUnusable = manager.isUnusable(session)
    const isAside = obstacle !== undefined || (isUnusable && !mayWait)
    if (isFirst && (isAside || call.option?.place === false)) skip(call, obstacle ?? 'opted-out')
    if (isAside) return sendAside(call)
    if (isUnusable) return sendWhenFresh(call)
    if (mayWait) manager.renewAhead(session, call)
    // By a listener.
    if (session.ended) return refuse(call, session.ended)
    return beforeReplay && call.seen !== call.generation ? sendWhenFresh(call) : send(call)
  }

  /** Not ours: it goes out as the caller made it, and its answer means nothing to the session. */
  function sendAside(call: Call): Promise<AxiosResponse> {
    detach(call)
    return dispatch(call)
  }

  /**
   * Sends a request with another token than its interceptors saw: they saw a dead one, and it waits for the next, or none
   * that is still the current one.
   */
  function sendWhenFresh(call: Call): Promise<AxiosResponse> {
    return ensureFresh(call).then(() => {
      const reason = objection(call)
      if (reason) return giveUp(reason)
      const obstacle = attachOrExplain(call)
      if (obstacle !== undefined) {
        skip(call, obstacle)
        return sendAside(call)
      }
      if (!beforeReplay || call.seen === call.generation) return send(call)
      return prepare(call, beforeReplay, false).then(() => sendWhenFresh(call), giveUp)
    }, giveUp)

    // Also a cancellation: above its adapters, axios looks itself whether the request was given up.
    function giveUp(reason: unknown): Promise<never> {
      return refuse(call, reason as AuthClientError)
    }
  }

  /** Why a request whose wait is over stays here: whoever heard of the new tokens first has acted on it. */
  function objection({ session, config }: Call): unknown {
    if (isCancelled(config)) return bare.cancellation(config as never)
    const isBroken = (config.data as { destroyed?: unknown } | undefined)?.destroyed
    return session.ended ?? (isBroken ? notReplayable() : undefined)
  }

  function send(call: Call): Promise<AxiosResponse> {
    const { config } = call
    const form = snapshotForm(config.data)
    if (form) {
      config.data = form.bytes
      for (const [name, value] of Object.entries(form.headers)) writeHeader(config, name, value)
    }
    call.sent++
    const restore = dropOnRedirect(config as Redirectable)
    const end = (outcome: Outcome) => {
      restore?.()
      return conclude(call, outcome)
    }
    return dispatch(call).then(
      (response) => end({ response }),
      (error: unknown) => end({ response: (error as AxiosError | undefined)?.response, error }),
    )
  }

  /** One trip over the wire. */
  function dispatch({ config, send }: Call): Promise<AxiosResponse> {
    try {
      return (send as NonNullable<typeof send>)(config as never)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  function conclude(call: Call, outcome: Outcome): AxiosResponse | Promise<AxiosResponse> {
    const { response } = outcome
    if (response && call.generation && !isFromElsewhere(response, deps.isAllowedOrigin)) {
      const grant =
        readResponse &&
        call.option?.place !== false &&
        guard(() => readResponse(asRead(response, call.config)), response)
      const taken = grant && guard(() => manager.take(call.session, call.generation, grant))
      const refused = judge(call, response)
      if (refused || taken) return refreshAndReplay(call, outcome, refused, taken)
      if (call.waited) manager.tokenAccepted(call.session, call.generation)
    }
    return answer(call, outcome)
  }

  /** The slow way to an answer: wait for better tokens and send again. */
  async function refreshAndReplay(
    call: Call,
    outcome: Outcome,
    refused: boolean | PromiseLike<boolean>,
    taken: unknown,
  ): Promise<AxiosResponse> {
    const { session, config } = call
    const notRefreshed = (reason?: AuthClientError) => answer(call, asRefusal(outcome, config, reason))
    try {
      await wait(config, Promise.resolve(taken))
      if (!(await wait(config, Promise.resolve(refused)))) return answer(call, outcome)
      stats.refused++
      if (!manager.tokenRejected(session, call.generation, call) || call.sent >= MOST_SENDINGS)
        return notRefreshed()
      const replayable = isReplayable(config.data)
      // A streamed answer would hold its socket while we wait, unless there is nothing to wait for.
      if (manager.mayHelp(session)) {
        const response = outcome.response as AxiosResponse
        if (replayable) discard(response)
        else await wait(config, keepBody(response, clock))
      }
      do {
        if (!(await ensureFresh(call))) return notRefreshed()
        if (!replayable) throw notReplayable()
        detach(call)
        attach(call)
        // Node's adapter left the length of the body here, and the hook may make another one.
        if (config.data) deleteHeader(config, 'Content-Length')
        // While the hook took its time, anything may have happened.
      } while (beforeReplay && !(await prepare(call, beforeReplay, true)))
      const reason = objection(call)
      if (reason) throw reason
      const obstacle = attachOrExplain(call)
      if (obstacle !== undefined) {
        skip(call, obstacle)
        return sendAside(call)
      }
      call.waited = true
      stats.replays++
      events.emit('replay', { ...nameOf(config), heldMs: call.heldMs })
      // A listener may have ended the session.
      if (session.ended) throw session.ended
    } catch (reason) {
      // A cancellation is what the caller is waiting for; the 401 is of no interest any more.
      return isAuthClientError(reason) ? notRefreshed(reason) : answer(call, { error: reason })
    }
    return send(call)
  }

  /**
   * Lets the user's hook join in before a request goes out with a token that its interceptors did not see. Returns whether
   * that is still the one to send.
   */
  async function prepare(
    call: Call,
    hook: NonNullable<TransportDeps['beforeReplay']>,
    sentBefore: boolean,
  ): Promise<boolean> {
    const { config, session, generation } = call
    call.seen = generation
    const done = Promise.resolve(guard(() => hook(config as AxiosRequestConfig, { sentBefore })))
    await wait(
      config,
      done.catch(() => {}),
    )
    return !session.ended && !manager.isUnusable(session) && generation === session.generation
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
  function answer(call: Call, outcome: Outcome): AxiosResponse | Promise<AxiosResponse> {
    detach(call)
    const { response, error } = outcome
    // What an adapter of the app's own makes may be frozen, or be no object at all.
    if (response?.config !== call.config) Reflect.set(Object(response), 'config', call.config)
    if (!('error' in outcome)) return response as AxiosResponse
    const { session } = call
    Reflect.set(call.config, SENT_BY, (owner: unknown) => (owner === manager ? session : undefined))
    if ((error as Partial<AxiosError> | null)?.config) Reflect.set(error as object, 'config', call.config)
    return Promise.reject(error)
  }

  /** The error of a request that never went out, as axios would make it. */
  function refuse(call: Call, reason: AuthClientError): Promise<never> {
    detach(call)
    if (call.session.ended) {
      call.refused = true
      call.config.authClient = handleOf(call)
    }
    return Promise.reject(bare.failure(reason, call.config as never))
  }

  // ---- waiting ---------------------------------------------------------------------------------------------------

  function ensureFresh(call: Call): Promise<boolean> {
    return manager.ensureFresh(call.session, call, waiting)
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
    const isSecret = /[?#]/.test(address) && manager.redactions().some((secret) => address.includes(secret))
    return { method, url: isSecret ? bareAddress(address) : address }
  }

  // ---- judging ---------------------------------------------------------------------------------------------------

  function judge(call: Call, response: AxiosResponse): boolean | PromiseLike<boolean> {
    if (call.option?.refresh === false || released) return false
    const byDefault = () => isTokenRejected(response, call.written)
    if (!shouldRefresh) return byDefault()
    const { session, generation, staleAtMs, config } = call
    const expired =
      generation !== session.generation || (staleAtMs === undefined ? undefined : clock.nowMs() >= staleAtMs)
    // A hook that fails has said nothing, so the status decides.
    const byStatus = (error: unknown) => {
      report(error, response)
      return byDefault()
    }
    try {
      const question = { response: asRead(response, config), config: config as AxiosRequestConfig, expired }
      const failure = shouldRefresh(question)
      return isThenable(failure) ? failure.then(Boolean, byStatus) : !!failure
    } catch (error) {
      return byStatus(error)
    }
  }

  /** Whether the refresh that is under way makes this request through the wrapped instance: it must not wait for itself. */
  function isRefreshCall(config: RequestConfig): boolean {
    const run = manager.underWay()
    if (!run) return false
    return config.signal === run.signal || (!!run.refreshToken && carries(config, run.refreshToken))
  }

  /** Puts the token on what is about to go out. Why there is none on it otherwise: `''` if nobody need hear of it. */
  function attachOrExplain(call: Call): SkipReason | '' | undefined {
    const { config } = call
    if (released || isRefreshCall(config)) return ''
    if (!isAllowed(config)) return 'origin'
    return otherCredential(config, call) ?? (attach(call) ? undefined : 'not-placeable')
  }

  /**
   * What the caller, or an interceptor of theirs, has said about the credential: another one, or none. A token of ours
   * that comes from them, such as an old interceptor's copy, is neither: it is taken off.
   */
  function otherCredential(config: RequestConfig, call?: Partial<Call>): SkipReason | undefined {
    if (config.auth) {
      if (!isOurs(config.auth.username, call)) return 'own-credential'
      delete config.auth
    }
    for (const name of credentialHeaders) {
      for (const [bag, key] of othersIn(config, name, call?.written)) {
        const value = bag[key]
        if (isOff(value)) {
          if (name === place.header) return 'opted-out'
        } else if (!isOurs(value, call)) return 'own-credential'
        else if (bag === config.headers) deleteHeader(config, key)
        else delete bag[key]
      }
    }
    return undefined
  }

  /** Whether a header's value is a token of this client's, however it is written. */
  function isOurs(value: unknown, { option, session }: Partial<Call> = {}): boolean {
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
    const current = manager.current()
    if (session?.ended && current && isIt(current.accessToken)) return false
    return manager.knows(word) || manager.knows(user) || manager.knownTokens().some(isIt)
  }

  function skip({ config, option, session }: Call, reason: SkipReason | ''): void {
    if (!reason || place.tokenless || session.ended) return
    deps.reportSkipped(config, option?.place === false ? 'opted-out' : reason)
  }

  // ---- placing ---------------------------------------------------------------------------------------------------

  /** Puts the current token on the config, unless it is there. Returns whether the request carries the session. */
  function attach(call: Call): boolean {
    const { config, session, option } = call
    if (call.generation === session.generation && isOn(call)) return true
    detach(call)
    if (option?.place !== false) {
      if (!placeToken(config, session.accessToken)) return false
      if (place.header) call.written = readHeader(config.headers, place.header)
    }
    call.everPlaced = true
    call.generation = session.generation
    // What rests on a clock that may be wrong is not known.
    call.staleAtMs = session.estimated ? undefined : session.staleAtMs
    return true
  }

  function detach(call: Call): void {
    if (!call.generation) return
    call.generation = 0
    if (isOn(call)) unplace(call.config)
  }

  function placeToken(config: RequestConfig, accessToken: string): boolean {
    // One that fails has placed nothing; one that says nothing has.
    return !!guard(() => place.place(config as never, accessToken) ?? true)
  }

  function unplace(config: RequestConfig): void {
    guard(() => place.remove(config as never))
  }

  /** Whether what we wrote is there: a plug-in may have rebuilt the headers while it kept the request. */
  function isOn({ config, option, written }: Pick<Call, 'config' | 'option' | 'written'>): boolean {
    return option?.place !== false && (!place.header || readHeader(config.headers, place.header) === written)
  }

  /** Makes the config the caller's own again, but for the token. */
  function giveBack(call: Call, config: RequestConfig): void {
    if (config.adapter === call.wrapper) config.adapter = call.adapter as never
    const { authClient } = config
    if (authClient === undefined) config.authClient = call.option
    else if (callOf(authClient, manager)) config.authClient = optionIn(authClient, call)
  }

  /** A plug-in sends a config again, or a copy of it, which still carries what was placed on it the first time. */
  function undo(earlier: Call, config: RequestConfig): void {
    giveBack(earlier, config)
    const { everPlaced, option, written } = earlier
    if (everPlaced && isOn({ config, option, written })) unplace(config)
  }
}

function copyOf(call: Call): Call {
  return Object.assign(Object.create(Call.prototype), call)
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
