// What the outside may see of the session, in the shape that `useSyncExternalStore` wants.
// Promise: frozen, the same object as long as nothing in it changed, and no token in it.
import { guard } from '../events.js'
import type { Claims } from '../lifetime.js'
import type { Login } from './login.js'

/** The session as an app may show it. */
export interface AuthSnapshot {
  /** `pending` only until an asynchronous store has been read. */
  readonly status: 'pending' | 'signed-out' | 'signed-in'
  /** A refresh is under way. */
  readonly refreshing: boolean
  /** End of the access token's life in milliseconds of this machine's clock, where it is known. */
  readonly expiresAtMs?: number
  /** Who is signed in: what `signIn` was told, or the `sub` claim. */
  readonly subject?: string
  /** What a JWT says in the clear. Not verified: show it, never decide on rights by it. */
  readonly claims?: Claims
}

const FIELDS = ['status', 'refreshing', 'expiresAtMs', 'subject', 'claims'] as const

export interface SnapshotSource {
  login: Login | undefined
  pending: boolean
  refreshing: boolean
}

export function createSnapshots(read: () => SnapshotSource) {
  const listeners = new Set<() => void>()
  let latest = take(read())
  return {
    getSnapshot: () => latest,
    publish() {
      const next = take(read())
      if (FIELDS.every((field) => latest[field] === next[field])) return
      latest = next
      for (const listener of [...listeners]) guard(listener)
    },
    subscribe(listener: () => void) {
      const entry = () => listener()
      listeners.add(entry)
      return () => void listeners.delete(entry)
    },
    clear: () => listeners.clear(),
  }
}

export function take({ login, pending, refreshing }: SnapshotSource): AuthSnapshot {
  if (!login) return Object.freeze({ status: pending ? 'pending' : 'signed-out', refreshing })
  const { expiresAtMs, subject, claims } = login
  return Object.freeze({
    status: 'signed-in',
    refreshing,
    ...(expiresAtMs !== undefined && { expiresAtMs }),
    ...(subject !== undefined && { subject }),
    ...(claims && { claims }),
  })
}
