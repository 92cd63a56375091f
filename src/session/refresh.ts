// Asks the endpoint once, and reads what came of it. Knows no session, and never hands on the endpoint's raw error.
import { isAuthClientError, isObject, SessionRefused } from '../errors.js'
import { isThenable } from '../events.js'
import { flawOf, type Grant } from '../tokens.js'
import { describeFailure, failureIn, isRefusal, type RefreshFailure, retryAfterMs } from './failure.js'
import { badGrant } from './machine/reasons.js'

export interface Asking {
  ask(): unknown
  /** The app's own say; anything but a yes or no leaves it to the default. */
  isFinal(error: unknown): unknown
  tokenless: boolean
  /** What must not show up in an error. */
  redactions(): readonly string[]
  nowMs(): number
}

/** `failure`: why its tokens are none, or cannot be used. There may be a new refresh token among them all the same. */
export interface Outcome {
  grant: Partial<Grant>
  failure?: RefreshFailure | undefined
}

export async function askForGrant({ ask, isFinal, tokenless, redactions, nowMs }: Asking): Promise<Outcome> {
  let answer: unknown
  let fault: unknown
  try {
    answer = await ask()
    fault = answer === null ? new SessionRefused('The refresh was refused.') : failureIn(answer)
  } catch (error) {
    // It may throw nothing.
    fault = error ?? {}
  }
  const grant: Partial<Grant> = isObject(answer) ? answer : {}
  if (fault) return { grant, failure: describeFailure(fault, isRefused, redactions(), nowMs()) }
  const flaw = flawOf(tokenless || isObject(answer) ? grant : undefined, tokenless)
  return {
    grant,
    failure: flaw ? { error: badGrant(flaw), pauseMs: retryAfterMs(answer, nowMs()) } : undefined,
  }

  function isRefused(error: unknown): boolean {
    const said = isFinal(error)
    // A promise is no answer, though it counts as true.
    return isThenable(said) ? isRefusal(error) : Boolean(said ?? isRefusal(error))
  }
}

export function failureOf(fault: unknown): RefreshFailure {
  return isAuthClientError(fault) ? { error: fault } : describeFailure(fault, () => false, [], 0)
}
