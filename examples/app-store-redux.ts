import { configureStore, createSlice, type PayloadAction } from '@reduxjs/toolkit'
import { appStore, type Tokens } from 'axios-auth-client'

const session = createSlice({
  name: 'session',
  initialState: { tokens: undefined as Tokens | undefined },
  reducers: {
    tokensChanged(state, { payload }: PayloadAction<Tokens | undefined>) {
      state.tokens = payload
    },
  },
})
export const { tokensChanged } = session.actions

export const createReduxStore = () => configureStore({ reducer: { session: session.reducer } })

/** For `createAuthClient(api, { store: reduxTokens(store), ... })`. */
export function reduxTokens({ getState, dispatch, subscribe }: ReturnType<typeof createReduxStore>) {
  return appStore({
    read: () => getState().session.tokens,
    write: (tokens) => dispatch(tokensChanged(tokens)),
    subscribe,
  })
}
