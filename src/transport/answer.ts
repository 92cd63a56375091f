// How a call ends: what its caller gets, with their own config in it and nothing of ours left on it.
import type { AxiosError, AxiosResponse } from 'axios'
import { AuthClientError, isObject, setCause } from '../errors.js'
import type { SessionManager } from '../session/manager.js'
import type { Bare } from './bare.js'
import { type Call, handleOf, type RequestConfig, SENT_BY } from './call.js'
import type { Credential } from './credential.js'

/** How a sending ended: with a response, with an error, or with an error that has a response. */
export interface Outcome {
  response?: AxiosResponse | undefined
  error?: unknown
}

export interface Answers {
  /** Hands the caller their answer. */
  answer(call: Call, outcome: Outcome): AxiosResponse | Promise<AxiosResponse>
  /** The same for a rejected token that could not be replaced, `reason` says why. */
  answerRejected(
    call: Call,
    outcome: Outcome,
    reason?: AuthClientError,
  ): AxiosResponse | Promise<AxiosResponse>
  /** The error of a request that never went out, as axios would make it. */
  refuse(call: Call, reason: unknown): Promise<never>
}

export function createAnswers(manager: SessionManager, bare: Bare, credential: Credential): Answers {
  return {
    answer,
    answerRejected: (call, outcome, reason) => answer(call, asRejection(outcome, call.config, reason)),
    refuse(call, reason) {
      credential.detach(call)
      if (call.session.ended) {
        call.refused = true
        call.config.authClient = handleOf(call)
      }
      return Promise.reject(bare.failure(reason as AuthClientError, call.config as never))
    },
  }

  function answer(call: Call, outcome: Outcome): AxiosResponse | Promise<AxiosResponse> {
    credential.detach(call)
    const { config, session } = call
    const { response, error } = outcome
    // What an adapter of the app's own makes may be frozen, or be no object at all.
    if (response?.config !== config) Reflect.set(Object(response), 'config', config)
    if (!('error' in outcome)) return response as AxiosResponse
    Reflect.set(config, SENT_BY, (owner: unknown) => (owner === manager ? session : undefined))
    if ((error as Partial<AxiosError> | null)?.config) Reflect.set(error as object, 'config', config)
    return Promise.reject(error)
  }

  /**
   * With our error as its cause. A 401 that `validateStatus` let through still resolves; with any other status it is
   * rejected, because its caller would take it for an ordinary answer (G6).
   */
  function asRejection(
    outcome: Outcome,
    config: RequestConfig,
    reason: AuthClientError | undefined,
  ): Outcome {
    const { response, error } = outcome
    if ('error' in outcome) {
      if (reason && isObject(error)) setCause(error, reason)
    } else if (response?.status !== 401)
      return { response, error: bare.failure(reason, config as never, response) }
    return outcome
  }
}

export function notReplayable(): AuthClientError {
  return new AuthClientError('BODY_NOT_REPLAYABLE', 'Make this request anew: its body can be read only once.')
}
