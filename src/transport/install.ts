// Installs a session on one axios instance: two interceptors and, per request, an adapter around the request's own. The
// adapter sits beneath all that the user installed, so interceptors and transforms run once per call, and none of them sees
// a 401 that a refresh could cure.
// Promise: every request settles once; what was attached to a config is off again before anybody above sees the answer.
import type { AxiosAdapter, AxiosError, AxiosResponse } from 'axios'
import { type AuthClientError, isObject } from '../errors.js'
import { isOtherUser } from '../session/machine/subject.js'
import type { Caller } from '../session/manager.js'
import type { Outcome } from './answer.js'
import type { AuthRequestOptions } from './augment.js'
import { type AxiosLike, createBare } from './bare.js'
import { CALLER, Call, callOf, copyOf, handleOf, REFRESH_MARK, type RequestConfig, SENT_BY } from './call.js'
import { createCredential } from './credential.js'
import { createOriginCheck } from './origin.js'
import type { TransportDeps } from './parts.js'
import { createSender } from './send.js'
import { createWaitingRoom } from './waiting.js'

/** Returns what takes it off again. */
export function install(instance: AxiosLike, deps: TransportDeps): () => void {
  const { manager, place } = deps
  const bare = createBare(instance)
  const isAllowed = createOriginCheck(deps.isAllowedOrigin)
  const credential = createCredential({ ...deps, isAllowed, addressOf: bare.addressOf })
  const waiting = createWaitingRoom(deps, bare, credential.withoutToken)
  let released = false
  const sender = createSender(deps, { bare, credential, waiting, isReleased: () => released })

  // Synchronous where the session is known at once: the request then belongs to whoever is signed in when it is made, not
  // a moment later, and costs one promise less.
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

  return () => {
    released = true
    credential.release()
    request.eject(requestId)
    response.eject(responseId)
  }

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
    if (earlier) credential.undo(earlier, config)
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
    if (released || !unsettled || option?.refresh === false || credential.isRefreshCall(config)) return go()
    return waiting
      .enter(config, unsettled)
      .finally(waiting.leave)
      .then(() => go(true))
  }

  /** Attaches the token and leads the request through our adapter, if it is one of the session's. */
  function admit(
    config: RequestConfig,
    option: AuthRequestOptions | undefined,
    earlier: Call | undefined,
    caller: Caller,
  ): RequestConfig {
    if (released) return config
    const session = senderOf(config, earlier, caller)
    const call = session && new Call(session, option, config)
    const other = credential.foreignCredential(config, call)
    if (!call) return config
    if (other) {
      if (!credential.isRefreshCall(config)) deps.reportSkipped(call, isAllowed(config) ? other : 'origin')
      return config
    }
    if (!place.late && isAllowed(config)) credential.attach(call)
    call.seen = place.late ? call.session.generation : call.generation
    config.adapter = call.wrapper = ((wireConfig?: RequestConfig, owner?: unknown) => {
      // A plug-in may send it several times, even at once: each with a config and a token of its own.
      if (wireConfig) return sender.transmit(call.send ? copyOf(call) : call, wireConfig)
      return owner === manager ? call : undefined
    }) as AxiosAdapter
    config.authClient = handleOf(call)
    return config
  }

  /** Whose request it is. */
  function senderOf(config: RequestConfig, earlier: Call | undefined, caller: Caller) {
    // What was refused because its session is over is refused again, or a retry plug-in would send it as somebody else.
    const session = earlier?.refused ? earlier.session : caller()
    // So is what failed in the session of another user.
    const sender = config[SENT_BY]?.(manager)
    if (sender) delete config[SENT_BY]
    return sender && session && isOtherUser(sender.subjects, session.subjects) ? sender : session
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
    const option = config?.authClient
    const call = callOf(option, manager)
    // JSON keeps the headers and no function: what is left of the handle is an empty object.
    if (config && isObject(option) && !call) credential.foreignCredential(config, { option })
    return call
  }

  /** A plug-in's adapter (a cache, a mock) ran in the place of ours: its answer is classified here, above the wire. */
  function answeredElsewhere(call: Call, config: RequestConfig, outcome: Outcome) {
    credential.giveBack(call, config)
    call.config = config
    call.send = () => bare.dispatch(call.adapter, config as never)
    return sender.conclude(call, outcome)
  }
}
