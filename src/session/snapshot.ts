// What the outside may see of the session, in the shape that `useSyncExternalStore` wants.
// Promise: frozen, the same object as long as nothing in it changed, and no token in it.
import type { Claims } from '../lifetime.js'
import type { SessionState } from './machine/session-state.js'

/** The session as an app may show it. */
export interface AuthSnapshot {
  /** `pending` until an asynchronous store has been read; for a server and hydration, unless `tokens` are known. */
  readonly status: 'pending' | 'signed-out' | 'signed-in'
  /** A refresh is under way. */
  readonly refreshing: boolean
  /** End of the access token's life in milliseconds of this machine's clock, where it is known. */
  readonly expiresAtMs?: number | undefined
  /** Who is signed in: what `signIn` was handed, or the `sub` claim. */
  readonly subject?: string | undefined
  /** What a JWT says in the clear. Not verified: show it, never decide on rights by it. */
  readonly claims?: Claims | undefined
}

/** The snapshot of this moment; `last` itself, if nothing in it has changed. */
export function snapshotOf(
  session: SessionState | undefined,
  pending: boolean,
  refreshing: boolean,
  last?: AuthSnapshot,
): AuthSnapshot {
  const { expiresAtMs, subjects, claims } = session ?? {}
  const subject = subjects?.named ?? subjects?.claimed
  const next: AuthSnapshot = {
    status: session ? 'signed-in' : pending ? 'pending' : 'signed-out',
    refreshing,
    ...(expiresAtMs !== undefined && { expiresAtMs }),
    ...(subject !== undefined && { subject }),
    ...(claims && { claims }),
  }
  try {
    // Claims come from JSON, so they are the same where their text is.
    if (last && JSON.stringify(last) === JSON.stringify(next)) return last
  } catch {
    // Two that cannot be compared are two.
  }
  return Object.freeze(next)
}
