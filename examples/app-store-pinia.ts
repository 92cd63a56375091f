import { appStore, type Tokens } from 'axios-auth-client'
import { defineStore } from 'pinia'
import { toRaw } from 'vue'

export const useSession = defineStore('session', {
  state: () => ({ tokens: undefined as Tokens | undefined }),
})

/** For `createAuthClient(api, { store: piniaTokens(useSession(pinia)), ... })`. */
export function piniaTokens(session: ReturnType<typeof useSession>) {
  return appStore({
    // Raw: an effect that makes a request must not run again because of the tokens that were read for it.
    read: () => toRaw(session.$state).tokens,
    write(tokens) {
      session.tokens = tokens
    },
    subscribe: (listener) => session.$subscribe(listener, { detached: true }),
  })
}
