// Asks for a grant until the answer decides: tries again while the endpoint cannot be reached, within the time there is.
// Knows no session, and never hands on the endpoint's raw error.
import { SessionRefused } from '../errors.js'
import { isThenable } from '../events.js'
import { describeFailure, failureIn, isRefusal, type RefreshFailure } from './failure.js'

export interface Asking {
  ask(): unknown
  /** The app's own say; anything but a yes or no leaves it to the default. */
  isFinal(error: unknown): unknown
  /** An answer that is no grant may still have replaced the refresh token. */
  keepRefreshToken(answer: unknown): Promise<void>
  retry: { limit: number; baseDelayMs: number }
  /** What must not show up in an error. */
  redactions(): readonly string[]
  nowMs(): number
  deadlineMs(): number
  sleep(delayMs: number): Promise<void>
  /** Whether an answer is still of use. */
  isWanted(): boolean
}

/** The endpoint's answer, unchecked; or why there is none: `SESSION_EXPIRED` when it refused. */
export async function askForGrant(asking: Asking): Promise<{ answer: unknown } | RefreshFailure> {
  const { retry, nowMs, deadlineMs, isWanted } = asking
  for (let attempt = 0; ; attempt++) {
    let failure: unknown
    try {
      const answer = await asking.ask()
      failure = answer === null ? new SessionRefused('The refresh was refused.') : failureIn(answer)
      if (!failure) return { answer }
      await asking.keepRefreshToken(answer)
    } catch (error) {
      failure = error
    }
    const described = describeFailure(failure, isFinal, asking.redactions(), nowMs())
    const { mayTryAgain, pauseMs = 0 } = described
    const delayMs = Math.max(pauseMs, Math.random() * retry.baseDelayMs * 2 ** attempt)
    const again = mayTryAgain && attempt < retry.limit && nowMs() + delayMs < deadlineMs()
    if (again && isWanted()) await asking.sleep(delayMs)
    // Asked again, because the wait may have outlived the session.
    if (!again || !isWanted()) return described
  }
  function isFinal(error: unknown): boolean {
    const said = asking.isFinal(error)
    // A promise is no answer, though it counts as true.
    return isThenable(said) ? isRefusal(error) : Boolean(said ?? isRefusal(error))
  }
}
