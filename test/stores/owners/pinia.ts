// Pinia as the owner of the tokens, in a Vue app whose component shows the user and whose watchers run when Vue flushes.

import { createPinia } from 'pinia'
import { createApp, defineComponent, h, nextTick, watch } from 'vue'
import { useSession as openSession, piniaTokens } from '../../../examples/app-store-pinia.js'
import { appStore, type Tokens } from '../../../src/index.js'
import type { CreateOwner, Owner } from './owner.js'

export interface PiniaOwner extends Owner {
  session: ReturnType<typeof openSession>
  /** What the component shows. */
  shown(): string | null
}

export function createPiniaOwner(whenOver: (end: () => void) => void): PiniaOwner {
  const pinia = createPinia()
  const session = openSession(pinia)
  const box = document.createElement('div')
  const app = createApp(
    defineComponent(
      () => () => h('p', session.tokens ? `signed in: ${session.tokens.accessToken}` : 'nobody'),
    ),
  )
  app.use(pinia)
  app.mount(box)
  whenOver(() => app.unmount())
  return {
    session,
    shown: () => box.textContent,
    open: () => piniaTokens(session),
    tokens: () => session.tokens,
    replace(tokens) {
      session.tokens = tokens
    },
    logOut: () => session.$reset(),
    flush: () => nextTick(),
  }
}

export const piniaOwner: CreateOwner = createPiniaOwner

/** The tokens that `read` gives are a copy, brought up to date by a watcher of default flush: late, after every write. */
export const latePiniaOwner: CreateOwner = (whenOver) => {
  const owner = createPiniaOwner(whenOver)
  let copy: Tokens | undefined
  const stop = watch(
    () => owner.session.tokens,
    (tokens) => {
      copy = tokens && { accessToken: tokens.accessToken, refreshToken: tokens.refreshToken }
    },
    { immediate: true },
  )
  whenOver(stop)
  return {
    ...owner,
    open: () =>
      appStore({
        read: () => copy,
        write(tokens) {
          owner.session.tokens = tokens
        },
      }),
  }
}
