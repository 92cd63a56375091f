// Hands out an access token for what is not axios, under the same rules that a request follows.
import { hold } from '../wait.js'
import type { SessionManager, Waiter } from './manager.js'

export interface AccessTokenOptions {
  /** For how long the token has to be valid, in milliseconds. @default 0 */
  minValidityMs?: number | undefined
  /** Ends the wait. */
  signal?: AbortSignal | undefined
}

export async function getAccessToken(
  manager: SessionManager,
  tokenless: boolean,
  { minValidityMs = 0, signal }: AccessTokenOptions = {},
): Promise<string | undefined> {
  const wait = (promise: Promise<void>) => hold(promise, { signal }, () => reasonOf(signal))
  manager.assertAlive()
  if (signal?.aborted) throw reasonOf(signal)
  const caller = manager.caller()
  const unsettled = manager.unsettled()
  if (unsettled) {
    await wait(unsettled)
    manager.assertAlive()
  }
  const session = caller()
  if (!session || tokenless) return undefined
  const waiter: Waiter = { started: undefined, waited: false }
  await manager.ensureFresh(session, waiter, { hold: (_waiter, gate) => wait(gate) }, minValidityMs)
  manager.renewAhead(session, waiter)
  if (session.ended) throw session.ended
  return session.accessToken
}

/** Why a wait was given up. React Native's signals have no `reason`. */
function reasonOf({ reason }: { reason?: unknown } = {}): unknown {
  return reason === undefined
    ? Object.assign(new Error('The call was aborted.'), { name: 'AbortError' })
    : reason
}
