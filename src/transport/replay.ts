// What an answer means for the session, and sending a call again: with a newer token, or as the placement asks.
import type { AxiosRequestConfig, AxiosResponse } from 'axios'
import { isAuthClientError } from '../errors.js'
import { isThenable } from '../events.js'
import { deleteHeader } from '../headers.js'
import { type Answers, notReplayable, type Outcome } from './answer.js'
import { discard, isReplayable, keepBody } from './body.js'
import type { Call } from './call.js'
import { asRead, createClassifier } from './classify.js'
import type { Parts, Sender, TransportDeps } from './parts.js'
import { isFromElsewhere } from './redirect.js'

/** How often one request goes out at the most, whatever a store, a server or other tabs do (G8). */
const MOST_SENDINGS = 5

interface Sending {
  send(call: Call): Promise<AxiosResponse>
  sendAside(call: Call): Promise<AxiosResponse>
  /** Why a request whose wait is over is not sent. */
  objection(call: Call): unknown
}

export interface Replays extends Pick<Sender, 'conclude'> {
  /**
   * Lets the user's hook join in before a request goes out with a token that its interceptors did not see. Returns whether
   * that is still the one to send.
   */
  prepare(call: Call, sentBefore: boolean): Promise<boolean>
}

export function createReplays(
  deps: TransportDeps,
  { credential, waiting, isReleased }: Parts,
  { answer, answerRejected }: Answers,
  { send, sendAside, objection }: Sending,
): Replays {
  const { manager, clock, events, stats, place, beforeReplay, readResponse } = deps
  const { guard } = events
  const { wait } = waiting
  const isRejected = createClassifier(deps)

  return { conclude, prepare }

  function conclude(call: Call, outcome: Outcome): AxiosResponse | Promise<AxiosResponse> {
    const { response } = outcome
    const { config, generation } = call
    if (!response || !generation || isFromElsewhere(response, deps.isAllowedOrigin))
      return answer(call, outcome)
    if (place.observe) guard(() => place.observe?.(response, config as never), response)
    if (place.answer && response.status >= 400 && call.answered !== generation) {
      const isAnswered = guard(() => place.answer?.(response, config as never), response)
      if (isAnswered) return answerChallenge(call, outcome, isAnswered)
    }
    return classify(call, outcome, response)
  }

  function classify(
    call: Call,
    outcome: Outcome,
    response: AxiosResponse,
  ): AxiosResponse | Promise<AxiosResponse> {
    const { config, session, generation, option } = call
    const grant =
      readResponse && option?.place !== false && guard(() => readResponse(asRead(response, config)), response)
    const taken = grant && guard(() => manager.take(session, generation, grant))
    const rejected = option?.refresh !== false && !isReleased() && isRejected(call, response)
    if (rejected || taken) return refreshAndReplay(call, outcome, rejected, taken)
    if (call.waited) manager.tokenAccepted(session, generation)
    return answer(call, outcome)
  }

  /** The placement may have an answer to what it was asked: then the same request goes out once more. */
  async function answerChallenge(
    call: Call,
    outcome: Outcome,
    isAnswered: boolean | PromiseLike<boolean>,
  ): Promise<AxiosResponse> {
    const { config } = call
    const response = outcome.response as AxiosResponse
    call.answered = call.generation
    try {
      const mayTry = await wait(
        config,
        Promise.resolve(isAnswered).catch(() => false),
      )
      if (!mayTry || call.sent >= MOST_SENDINGS) return classify(call, outcome, response)
      if (!isReplayable(config.data)) return answerRejected(call, outcome, notReplayable())
      discard(response)
      const reason = objection(call)
      if (reason) throw reason
    } catch (reason) {
      return isAuthClientError(reason)
        ? answerRejected(call, outcome, reason)
        : answer(call, { error: reason })
    }
    return send(call)
  }

  /** The slow way to an answer: wait for better tokens and send again. */
  async function refreshAndReplay(
    call: Call,
    outcome: Outcome,
    rejected: boolean | PromiseLike<boolean>,
    taken: unknown,
  ): Promise<AxiosResponse> {
    const { session, config } = call
    try {
      await wait(config, taken)
      if (!(await wait(config, rejected))) return answer(call, outcome)
      stats.refused++
      if (!manager.tokenRejected(session, call.generation, call) || call.sent >= MOST_SENDINGS)
        return answerRejected(call, outcome)
      await freeSocket(call, outcome.response as AxiosResponse)
      call.rejection = outcome.response
      if (!(await renew(call))) return answerRejected(call, outcome)
      call.rejection = undefined
      const reason = objection(call)
      if (reason) throw reason
      const obstacle = credential.attachOrExplain(call)
      if (obstacle !== undefined) {
        deps.reportSkipped(call, obstacle)
        return sendAside(call)
      }
      call.waited = true
      stats.replays++
      events.emit('replay', { ...waiting.nameOf(config), heldMs: call.heldMs })
      // A listener may have ended the session.
      if (session.ended) throw session.ended
    } catch (reason) {
      // A cancellation is what the caller is waiting for; the 401 is of no interest any more.
      return isAuthClientError(reason)
        ? answerRejected(call, outcome, reason)
        : answer(call, { error: reason })
    }
    return send(call)
  }

  /** A streamed answer would hold its socket while we wait, unless there is nothing to wait for. */
  async function freeSocket({ session, config }: Call, response: AxiosResponse): Promise<void> {
    if (!manager.mayHelp(session)) return
    if (isReplayable(config.data)) discard(response)
    else await wait(config, keepBody(response, clock))
  }

  /** Puts a newer token on the request. `false`: there is none. @throws why it cannot be sent with one. */
  async function renew(call: Call): Promise<boolean> {
    const { config, session } = call
    do {
      if (!(await manager.ensureFresh(session, call, waiting.forTokens))) return false
      if (!isReplayable(config.data)) throw notReplayable()
      credential.detach(call)
      credential.attach(call)
      // Node's adapter left the length of the body here, and the hook may make another one.
      if (config.data) deleteHeader(config, 'Content-Length')
      // While the hook took its time, anything may have happened.
    } while (beforeReplay && !(await prepare(call, true)))
    return true
  }

  async function prepare(call: Call, sentBefore: boolean): Promise<boolean> {
    const { config, session, generation } = call
    call.seen = generation
    const done = guard(() => beforeReplay?.(config as AxiosRequestConfig, { sentBefore }))
    if (isThenable(done))
      await wait(
        config,
        Promise.resolve(done).catch(() => {}),
      )
    else await wait(config, undefined)
    return !session.ended && !manager.isUnusable(session) && generation === session.generation
  }
}
