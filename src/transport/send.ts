// One call beneath the interceptors, from its first sending to its answer: attach, wait, send, classify, send again.
// Promise: it settles once, whatever happens while it waits; after every wait it looks again at who is signed in.
import type { AxiosAdapter, AxiosError, AxiosResponse } from 'axios'
import { writeHeader } from '../headers.js'
import { isCancelled } from '../wait.js'
import { createAnswers, notReplayable, type Outcome } from './answer.js'
import type { AuthRequestOptions } from './augment.js'
import { snapshotForm } from './body.js'
import type { Call, RequestConfig } from './call.js'
import type { Parts, Sender, TransportDeps } from './parts.js'
import { dropOnRedirect, type Redirectable } from './redirect.js'
import { createReplays } from './replay.js'

export function createSender(deps: TransportDeps, parts: Parts): Sender {
  const { manager, place, beforeReplay, reportSkipped } = deps
  const { bare, credential, waiting, isReleased } = parts
  const answers = createAnswers(manager, bare, credential)
  const { refuse } = answers
  const replays = createReplays(deps, parts, answers, { send, sendAside, objection })
  const { conclude, prepare } = replays

  return { transmit, conclude }

  function transmit(call: Call, config: RequestConfig): Promise<AxiosResponse> {
    const { session } = call
    const isFirst = !call.send
    // The app may have signed out in its own store while its interceptors ran.
    manager.glance()
    begin(call, config)
    // An interceptor after ours may have set an option, and changed where it goes.
    if (config.authClient !== call.option) {
      credential.detach(call)
      if (config.authClient === false) return dispatch(call)
      call.option = config.authClient as AuthRequestOptions
    }
    const { place: isToPlace, refresh: mayWait = true } = call.option ?? {}
    const obstacle = credential.attachOrExplain(call)
    const fault = obstacle === 'origin' && isToPlace !== false && deps.findNoOrigins()
    if (fault && !credential.foreignCredential(config, call)) return refuse(call, fault)
    if ((obstacle === undefined || isReleased()) && session.ended) return refuse(call, session.ended)
    const isUnusable = manager.isUnusable(session)
    const isAside = obstacle !== undefined || (isUnusable && !mayWait)
    if (isFirst && (isAside || isToPlace === false)) reportSkipped(call, obstacle ?? 'opted-out')
    if (isAside) return sendAside(call)
    if (isUnusable) return sendWhenFresh(call)
    if (mayWait) manager.renewAhead(session, call, waiting.forTokens)
    // By a listener.
    if (session.ended) return refuse(call, session.ended)
    return beforeReplay && call.seen !== call.generation ? sendWhenFresh(call) : send(call)
  }

  /** The config as it arrives beneath the interceptors, which may have made another one of ours. */
  function begin(call: Call, config: RequestConfig): void {
    credential.giveBack(call, config)
    call.config = config
    if (!place.late && call.option?.place !== false && !credential.isAttached(call)) call.seen = 0
    call.send = bare.resolve(call.adapter, config as never)
  }

  /** Not ours: it goes out as the caller made it, and its answer means nothing to the session. */
  function sendAside(call: Call): Promise<AxiosResponse> {
    credential.detach(call)
    return dispatch(call)
  }

  /**
   * Sends a request with another token than its interceptors saw: they saw one that is of no use any more, and it waits for
   * the next, or none that is still the current one.
   */
  function sendWhenFresh(call: Call): Promise<AxiosResponse> {
    // Also a cancellation: above its adapters, axios looks itself whether the request was given up.
    const giveUp = (reason: unknown) => refuse(call, reason)
    return manager.ensureFresh(call.session, call, waiting.forTokens).then(() => {
      const reason = objection(call)
      if (reason) return giveUp(reason)
      const obstacle = credential.attachOrExplain(call)
      if (obstacle !== undefined) {
        reportSkipped(call, obstacle)
        return sendAside(call)
      }
      if (!beforeReplay || call.seen === call.generation) return send(call)
      return prepare(call, false).then(() => sendWhenFresh(call), giveUp)
    }, giveUp)
  }

  /** Why a request whose wait is over is not sent: whoever learned of the new tokens first may have acted on it. */
  function objection({ session, config }: Call): unknown {
    if (isCancelled(config)) return bare.cancellation(config as never)
    const isBroken = (config.data as { destroyed?: unknown } | undefined)?.destroyed
    return session.ended ?? (isBroken ? notReplayable() : undefined)
  }

  function send(call: Call): Promise<AxiosResponse> {
    const attaching = credential.attachForSending(call)
    if (!attaching) return sendNow(call)
    return waiting.wait(call.config, attaching).then(
      (isAttached) => {
        const reason = objection(call)
        if (reason) return refuse(call, reason)
        // Replaced while it was signed with.
        if (call.generation !== call.session.generation) return send(call)
        if (isAttached) return sendNow(call)
        reportSkipped(call, 'not-placeable')
        return sendAside(call)
      },
      (reason) => refuse(call, reason),
    )
  }

  function sendNow(call: Call): Promise<AxiosResponse> {
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
      return (send as AxiosAdapter)(config as never)
    } catch (error) {
      return Promise.reject(error)
    }
  }
}
