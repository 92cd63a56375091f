// Owns what both Flask-JWT-Extended backends (B, C) say of a token that they do not accept.
// An authentic token that is over is a 401; one that cannot be read or proven is a 422, as that extension has it.

import { json, type Reply } from '../auth-server/answer.js'
import type { Flaw } from './door.js'

export function refuseToken(flaw: Flaw, missing: string): Reply {
  switch (flaw) {
    case 'missing':
      return json(401, { msg: missing })
    case 'invalid':
      return json(422, { msg: 'Signature verification failed' })
    case 'expired':
      return json(401, { msg: 'Token has expired' })
    case 'revoked':
      return json(401, { msg: 'Token has been revoked' })
  }
}

/** The same about a refresh token, from the words in which the families refuse one. */
export function refuseRefreshToken(message: string, missing: string): Reply {
  if (message === 'refresh token missing') return refuseToken('missing', missing)
  if (message === 'unknown refresh token') return refuseToken('invalid', missing)
  return refuseToken(message === 'session revoked' ? 'revoked' : 'expired', missing)
}
