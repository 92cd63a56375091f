import { appStore, type Tokens } from 'axios-auth-client'
import { createStore } from 'zustand/vanilla'

export const createSession = () => createStore<{ tokens: Tokens | undefined }>(() => ({ tokens: undefined }))

/** For `createAuthClient(api, { store: zustandTokens(session), ... })`. */
export function zustandTokens({ getState, setState, subscribe }: ReturnType<typeof createSession>) {
  return appStore({
    read: () => getState().tokens,
    write: (tokens) => setState({ tokens }),
    subscribe,
  })
}
