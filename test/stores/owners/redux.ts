// Redux Toolkit as the owner of the tokens: as the example has it, and without a word to the client.

import { createReduxStore, reduxTokens, tokensChanged } from '../../../examples/app-store-redux.js'
import { appStore, type TokenStore } from '../../../src/index.js'
import type { CreateOwner, Owner } from './owner.js'

function createRedux(open: (store: ReturnType<typeof createReduxStore>) => TokenStore): Owner {
  const store = createReduxStore()
  return {
    open: () => open(store),
    tokens: () => store.getState().session.tokens,
    replace: (tokens) => void store.dispatch(tokensChanged(tokens)),
    logOut: () => void store.dispatch(tokensChanged(undefined)),
    flush: async () => {},
  }
}

export const reduxOwner: CreateOwner = () => createRedux(reduxTokens)

/** Without `subscribe`: the client finds out by itself. */
export const silentReduxOwner: CreateOwner = () =>
  createRedux(({ getState, dispatch }) =>
    appStore({
      read: () => getState().session.tokens,
      write: (tokens) => dispatch(tokensChanged(tokens)),
    }),
  )
