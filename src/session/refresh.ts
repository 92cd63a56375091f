// Asks for a grant until the answer decides: tries again while the endpoint cannot be reached, within the time there is.
// Knows no session, and never hands on the endpoint's raw error.
import { AuthClientError, isAuthClientError, SessionRefused } from '../errors.js'
import { cleanCause, describeFailure, isSessionRefused, judgeFailure, retryAfterMs } from './verdict.js'

/** Why there is no grant. */
export interface Verdict {
  error: AuthClientError
  /** How long the server asked to be left alone. */
  pauseMs?: number | undefined
}

export interface Asking {
  ask(): unknown
  isFinal(error: unknown): boolean
  retry: { limit: number; baseDelayMs: number }
  /** What must not show up in an error. */
  secrets(): readonly string[]
  nowMs(): number
  deadlineMs: number
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
    const kind = judgeFailure(failure, asking.isFinal)
    const pauseMs = retryAfterMs(failure, nowMs())
    const delayMs = Math.max(pauseMs ?? 0, Math.random() * retry.baseDelayMs * 2 ** attempt)
    const again = kind === 'unavailable' && attempt < retry.limit && nowMs() + delayMs < deadlineMs
    if (again && isWanted()) await asking.sleep(delayMs)
    // Asked again, because the wait may have outlived the session.
    if (!again || !isWanted())
      return { error: explain(failure, kind === 'refused', asking.secrets()), pauseMs }
  }
}

function explain(failure: unknown, refused: boolean, secrets: readonly string[]): AuthClientError {
  const cause = cleanCause(failure, secrets)
  // What a strategy says itself is meant for the user; it is left out where it quotes a token.
  const said = (isAuthClientError(failure) || (refused && isSessionRefused(failure))) && cause?.message
  const code = refused ? 'SESSION_EXPIRED' : isAuthClientError(failure) ? failure.code : 'REFRESH_FAILED'
  const prefix = refused ? 'The session is over' : 'The refresh failed, and the session is kept'
  return new AuthClientError(code, said || `${prefix}: ${describeFailure(failure, cause)}.`, cause)
}
