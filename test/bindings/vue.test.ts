// @vitest-environment jsdom
// The Vue binding with the real Vue: what components show, how often they render, and what is left after them.
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  createApp,
  createSSRApp,
  defineComponent,
  effectScope,
  h,
  nextTick,
  ref,
  watch,
  watchEffect,
} from 'vue'
import { renderToString } from 'vue/server-renderer'
import { type TypedSnapshot, useAuth } from '../../src/bindings/vue.js'
import type { AuthClient } from '../../src/index.js'
import { jwtOf } from '../support/jwt.js'
import { clientOf, listenersOf } from './client-of.js'

beforeEach(() => void vi.spyOn(console, 'warn'))

function mount(component: ReturnType<typeof defineComponent>, app = createApp(component)) {
  const box = document.createElement('div')
  app.mount(box)
  onTestFinished(() => app.unmount())
  return { box, app }
}

describe('useAuth in Vue', () => {
  it('shows the session and follows its changes', async () => {
    const auth = clientOf()
    const { box } = mount(
      defineComponent(() => {
        const session = useAuth(auth)
        return () => session.value.status
      }),
    )
    expect(box.textContent).toBe('signed-out')
    await auth.signIn({ accessToken: 'opaque-token' })
    await nextTick()
    expect(box.textContent).toBe('signed-in')
    await auth.signOut()
    await nextTick()
    expect(box.textContent).toBe('signed-out')
  })

  it('does not render again while the selection is equal, even with selectors that create objects', async () => {
    const auth = clientOf()
    await auth.signIn({ accessToken: jwtOf({ sub: 'ada', roles: ['admin'] }) })
    let renders = 0
    const { box } = mount(
      defineComponent(() => {
        const card = useAuth(auth, ({ status, subject }) => ({ status, subject }))
        return () => {
          renders++
          return card.value.subject
        }
      }),
    )
    await auth.updateTokens({ accessToken: jwtOf({ sub: 'ada', roles: ['guest'] }) })
    await nextTick()
    expect(renders).toBe(1)
    await auth.signIn({ accessToken: jwtOf({ sub: 'grace' }) })
    await nextTick()
    expect(box.textContent).toBe('grace')
    expect(renders).toBe(2)
  })

  it('shows a Date and a Set that a selector creates, and follows their changes', async () => {
    const auth = clientOf()
    await auth.signIn({ accessToken: jwtOf({ sub: 'ada', roles: ['guest'] }), expiresAtMs: 4e12 })
    const { box } = mount(
      defineComponent(() => {
        const end = useAuth(auth, (s) => new Date(s.expiresAtMs ?? 0))
        const roles = useAuth(auth, (s) => new Set(s.claims?.roles as string[]))
        return () => `${end.value.toISOString()}${[...roles.value].join()}`
      }),
    )
    expect(box.textContent).toBe(`${new Date(4e12).toISOString()}guest`)
    await auth.updateTokens({ accessToken: jwtOf({ sub: 'ada', roles: ['admin'] }), expiresAtMs: 5e12 })
    await nextTick()
    expect(box.textContent).toBe(`${new Date(5e12).toISOString()}admin`)
  })

  it('removes its listener with the component or the scope that created it', async () => {
    const auth = clientOf()
    const listeners = listenersOf(auth)
    const { app } = mount(
      defineComponent(() => {
        const status = useAuth(auth, (snapshot) => snapshot.status)
        return () => status.value
      }),
    )
    const scope = effectScope()
    const seen: string[] = []
    scope.run(() => watch(useAuth(auth), ({ status }) => seen.push(status), { flush: 'sync' }))
    expect(listeners()).toBe(2)
    app.unmount()
    expect(listeners()).toBe(1)
    await auth.signIn({ accessToken: 'opaque-token' })
    scope.stop()
    expect(listeners()).toBe(0)
    expect(seen).toEqual(['signed-in'])
  })

  it('shows the current session at once when a vnode is mounted a second time', async () => {
    const auth = clientOf()
    await auth.signIn({ accessToken: jwtOf({ sub: 'ada' }) })
    const seen: string[] = []
    const Child = defineComponent(() => {
      const status = useAuth(auth, (session) => session.status)
      watchEffect(() => seen.push(status.value), { flush: 'sync' })
      return () => h('p', status.value)
    })
    const child = h(Child)
    const shown = ref(true)
    mount(defineComponent(() => () => h('div', [shown.value ? child : null])))
    for (const next of [false, true]) {
      shown.value = next
      await nextTick()
    }
    expect(seen).toEqual(['signed-in', 'signed-in'])
  })

  it('hydrates the server’s markup without a warning, and then shows the browser’s session', async () => {
    const tokens = { accessToken: jwtOf({ sub: 'ada' }) }
    const show = (auth: AuthClient) =>
      defineComponent(() => {
        const who = useAuth(auth, ({ subject }) => subject ?? 'nobody')
        return () => h('p', who.value)
      })
    const html = await onServer(() => renderToString(createSSRApp(show(clientOf({ tokens })))))
    expect(html).toBe('<p>ada</p>')

    const auth = clientOf({ tokens })
    await auth.signIn({ accessToken: jwtOf({ sub: 'grace' }) })
    const box = document.createElement('div')
    box.innerHTML = html
    const app = createSSRApp(show(auth))
    app.mount(box)
    onTestFinished(() => app.unmount())
    await nextTick()
    expect(box.innerHTML).toBe('<p>grace</p>')
    await auth.signIn({ accessToken: jwtOf({ sub: 'bob' }) })
    await nextTick()
    expect(box.innerHTML).toBe('<p>bob</p>')
    expect(console.warn).not.toHaveBeenCalled()
  })

  it('shows what the server rendered until it is mounted, whatever changes meanwhile', async () => {
    const auth = clientOf({ tokens: { accessToken: jwtOf({ sub: 'ada' }) } })
    const seen: (string | undefined)[] = []
    const Show = defineComponent(() => {
      const who = useAuth(auth, ({ subject }) => subject)
      // Another component's setup, or a guard, while the page hydrates.
      void auth.signIn({ accessToken: jwtOf({ sub: 'grace' }) })
      return () => {
        seen.push(who.value)
        return h('p', who.value)
      }
    })
    const box = document.createElement('div')
    box.innerHTML = '<p>ada</p>'
    const app = createSSRApp(Show)
    app.mount(box)
    onTestFinished(() => app.unmount())
    await nextTick()
    expect(seen).toEqual(['ada', 'grace'])
    expect(console.warn).not.toHaveBeenCalled()
  })

  it('can be used in a scope without a component, and outside any scope, without a warning', async () => {
    const auth = clientOf()
    const scope = effectScope()
    const inScope = scope.run(() => useAuth(auth, ({ status }) => status))
    const inNone = useAuth(auth, ({ status }) => status)
    await auth.signIn({ accessToken: 'opaque-token' })
    expect([inScope?.value, inNone.value]).toEqual(['signed-in', 'signed-in'])
    scope.stop()
    expect(console.warn).not.toHaveBeenCalled()
  })

  it.each<[string, object, object]>([
    ['an object that gets another entry', { a: 1 }, { a: 1, b: 2 }],
    ['an object instead of an array', ['x'], { 0: 'x' }],
    ['an object that loses an entry', { a: 1, b: 2 }, { a: 1 }],
  ])('shows %s', async (_, before, after) => {
    const auth = clientOf()
    const scope = effectScope()
    onTestFinished(() => scope.stop())
    const part = scope.run(() => useAuth(auth, ({ status }) => (status === 'signed-in' ? after : before)))
    expect(part?.value).toEqual(before)
    await auth.signIn({ accessToken: 'opaque-token' })
    expect(part?.value).toEqual(after)
  })

  it('subscribes to nothing on a server', async () => {
    const auth = clientOf({ tokens: { accessToken: 'opaque-token', subject: 'ada' } })
    const listeners = listenersOf(auth)
    expect(await onServer(async () => useAuth(auth).value.subject)).toBe('ada')
    expect(listeners()).toBe(0)
  })

  it('types the claims', async () => {
    interface Claims {
      roles: string[]
    }
    const auth = clientOf()
    await auth.signIn({ accessToken: jwtOf({ roles: ['admin'] }) })
    const scope = effectScope()
    onTestFinished(() => scope.stop())
    scope.run(() => {
      expect(useAuth<Claims>(auth).value.claims?.roles).toEqual(['admin'])
      const roles = useAuth(auth, ({ claims }: TypedSnapshot<Claims>) => claims?.roles.length)
      expect(roles.value).toBe(1)
    })
  })
})

/** Where there is no document. */
async function onServer<T>(run: () => Promise<T>): Promise<T> {
  vi.stubGlobal('document', undefined)
  try {
    return await run()
  } finally {
    vi.unstubAllGlobals()
  }
}
