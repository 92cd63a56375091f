// Zustand as the owner of the tokens.

import { createSession, zustandTokens } from '../../../examples/app-store-zustand.js'
import type { CreateOwner } from './owner.js'

export const zustandOwner: CreateOwner = () => {
  const session = createSession()
  return {
    open: () => zustandTokens(session),
    tokens: () => session.getState().tokens,
    replace: (tokens) => session.setState({ tokens }),
    logOut: () => session.setState({ tokens: undefined }),
    flush: async () => {},
  }
}
