// Owns the sessions: short access tokens, and one refresh token at a time that is good for one refresh.
// Promise: a refresh token that was spent ends its session (RFC 9700 section 4.14.2); tokens are kept as hashes only.
import { createHash, randomBytes } from 'node:crypto'

export interface Issued {
  access_token: string
  refresh_token: string
  expires_in: number
}

export interface Session {
  readonly user: string
  readonly startedAtMs: number
}

export interface Sessions {
  start(user: string): Issued
  /** New tokens for a refresh token; `undefined` when it is not, or no longer, good. */
  refresh(refreshToken: string): Issued | undefined
  /** The session of an access token that is alive. */
  of(accessToken: string): Session | undefined
  end(accessToken: string): void
  /** Ends the life of every access token now. */
  expireAccessTokens(): void
  /** Signs everybody out, as an administrator would. */
  endAll(): void
}

interface Kept extends Session {
  refreshHash: string
  refreshExpiresAtMs: number
  /** Hashes of the access tokens, and when each expires. */
  access: Map<string, number>
}

export function createSessions(lifetimes: { accessSeconds: number; refreshSeconds: number }): Sessions {
  const sessions = new Map<string, Kept>()

  /** Both tokens name their session, so that a spent one can be told from one that was never issued. */
  function issue(id: string, session: Kept): Issued {
    const nowMs = Date.now()
    for (const [hash, expiresAtMs] of session.access) if (expiresAtMs <= nowMs) session.access.delete(hash)
    const tokens = { access_token: newToken(id), refresh_token: newToken(id) }
    session.access.set(hashOf(tokens.access_token), nowMs + lifetimes.accessSeconds * 1000)
    session.refreshHash = hashOf(tokens.refresh_token)
    session.refreshExpiresAtMs = nowMs + lifetimes.refreshSeconds * 1000
    return { ...tokens, expires_in: lifetimes.accessSeconds }
  }

  function find(accessToken: string): [id: string, session: Kept] | undefined {
    const id = idIn(accessToken)
    const session = sessions.get(id)
    const expiresAtMs = session?.access.get(hashOf(accessToken)) ?? 0
    return session && expiresAtMs > Date.now() ? [id, session] : undefined
  }

  return {
    start(user) {
      const nowMs = Date.now()
      for (const [id, { refreshExpiresAtMs }] of sessions)
        if (refreshExpiresAtMs <= nowMs) sessions.delete(id)
      const id = randomBytes(16).toString('base64url')
      const session = {
        user,
        startedAtMs: nowMs,
        refreshHash: '',
        refreshExpiresAtMs: 0,
        access: new Map<string, number>(),
      }
      sessions.set(id, session)
      return issue(id, session)
    },
    refresh(refreshToken) {
      const id = idIn(refreshToken)
      const session = sessions.get(id)
      if (!session) return undefined
      if (session.refreshHash === hashOf(refreshToken) && session.refreshExpiresAtMs > Date.now()) {
        return issue(id, session)
      }
      // Spent before: either its owner or a thief has the newer one, and nobody can tell which.
      sessions.delete(id)
      return undefined
    },
    of: (accessToken) => find(accessToken)?.[1],
    end(accessToken) {
      const found = find(accessToken)
      if (found) sessions.delete(found[0])
    },
    expireAccessTokens() {
      for (const { access } of sessions.values()) access.clear()
    },
    endAll: () => sessions.clear(),
  }
}

const newToken = (id: string) => `${id}.${randomBytes(32).toString('base64url')}`
const idIn = (token: string) => token.slice(0, token.indexOf('.'))
const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url')
