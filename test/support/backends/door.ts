// Owns what the doors of every backend have in common: the password, and whose token may pass. Words none of it:
// how a refusal looks is the backend's own.

import type { Reply } from '../auth-server/answer.js'
import type { BackendParts } from '../auth-server/backend.js'
import type { Grant } from '../auth-server/families.js'
import type { ReceivedRequest } from '../auth-server/request.js'
import { echo } from '../auth-server/resources.js'

/** What is wrong with an access token; an `'invalid'` one was never issued, or has been tampered with. */
export type Flaw = 'missing' | 'invalid' | 'expired' | 'revoked'

export interface Door {
  /** Starts a session; everybody's password is `secret`. */
  logIn(
    user: string | undefined,
    password: string | undefined,
  ): (Grant & { refreshToken: string }) | undefined
  /** Answers with the request as seen from here, if the token is alive. */
  guard(request: ReceivedRequest, token: string | undefined, refuse: (flaw: Flaw) => Reply): Reply
}

export function createDoor({ families, counts }: BackendParts): Door {
  function flawOf(token: string | undefined): Flaw | undefined {
    if (token === undefined) return 'missing'
    const status = families.status(token)
    if (!status) return 'invalid'
    if (status.alive) return undefined
    return status.family.revoked ? 'revoked' : 'expired'
  }

  return {
    logIn(user, password) {
      counts().login++
      return user && password === 'secret' ? families.start(user) : undefined
    },
    guard(request, token, refuse) {
      request.accessToken = token
      request.user = token === undefined ? undefined : families.status(token)?.family.user
      const flaw = flawOf(token)
      if (flaw === undefined) {
        counts().protectedOk++
        return echo(request)
      }
      const refusal = refuse(flaw)
      if (refusal.status === 401) counts().answered401++
      return refusal
    },
  }
}
