// Asks for a grant until the answer decides: tries again while the endpoint cannot be reached, within the time there is.
// Knows no session, and never hands on the endpoint's raw error.
import { SessionRefused } from '../errors.js'
import { judgeFailure, type Verdict } from './verdict.js'

export interface Asking {
  ask(): unknown
  isFinal(error: unknown): boolean
  retry: { limit: number; baseDelayMs: number }
  /** What must not show up in an error. */
  secrets(): readonly string[]
  nowMs(): number
  deadlineMs(): number
  sleep(delayMs: number): Promise<void>
  /** Whether an answer is still of use. */
  isWanted(): boolean
}

/** The endpoint's answer, unchecked; or why there is none: `SESSION_EXPIRED` when it refused. */
export async function askForGrant(asking: Asking): Promise<{ answer: unknown } | Verdict> {
  const { retry, nowMs, deadlineMs, isWanted } = asking
  for (let attempt = 0; ; attempt++) {
    let failure: unknown
    try {
      const answer = await asking.ask()
      if (answer !== null) return { answer }
      failure = new SessionRefused('The refresh was refused.')
    } catch (error) {
      failure = error
    }
    const verdict = judgeFailure(failure, asking.isFinal, asking.secrets(), nowMs())
    const { mayTryAgain, pauseMs = 0 } = verdict
    const delayMs = Math.max(pauseMs, Math.random() * retry.baseDelayMs * 2 ** attempt)
    const again = mayTryAgain && attempt < retry.limit && nowMs() + delayMs < deadlineMs()
    if (again && isWanted()) await asking.sleep(delayMs)
    // Asked again, because the wait may have outlived the session.
    if (!again || !isWanted()) return verdict
  }
}
