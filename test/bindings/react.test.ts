// @vitest-environment jsdom
// The React binding with the real React: what components show, how often they render, and what is left after them.
import { act, createElement, StrictMode, Suspense, startTransition, useEffect, useState } from 'react'
import { createRoot, hydrateRoot, type Root } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type TypedSnapshot, useAuth } from '../../src/bindings/react.js'
import type { AuthClient } from '../../src/index.js'
import { jwtOf } from '../support/jwt.js'
import { clientOf, listenersOf } from './client-of.js'

beforeEach(() => void vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true))

async function mount(element: React.ReactNode): Promise<{ box: HTMLElement; root: Root }> {
  const box = document.createElement('div')
  const root = createRoot(box)
  onTestFinished(() => act(() => root.unmount()))
  await act(async () => root.render(element))
  return { box, root }
}

describe('useAuth in React', () => {
  it('shows the session and follows its changes', async () => {
    const auth = clientOf()
    const { box } = await mount(createElement(() => useAuth(auth).status))
    expect(box.textContent).toBe('signed-out')
    await act(() => auth.signIn({ accessToken: 'opaque-token' }))
    expect(box.textContent).toBe('signed-in')
    await act(() => auth.signOut())
    expect(box.textContent).toBe('signed-out')
  })

  it('does not render again while the selection is equal, even with inline selectors that create objects', async () => {
    const auth = clientOf()
    await auth.signIn({ accessToken: jwtOf({ sub: 'ada', roles: ['admin'] }) })
    const renders = { status: 0, object: 0 }
    const Status = () => {
      renders.status++
      return useAuth(auth, ({ status }) => status)
    }
    const Card = () => {
      renders.object++
      return useAuth(auth, ({ status, subject }) => ({ status, subject })).subject
    }
    const { box } = await mount([createElement(Status, { key: 1 }), createElement(Card, { key: 2 })])
    expect(box.textContent).toBe('signed-inada')
    await act(() => auth.updateTokens({ accessToken: jwtOf({ sub: 'ada', roles: ['guest'] }) }))
    expect(renders).toEqual({ status: 1, object: 1 })
    await act(() => auth.signIn({ accessToken: jwtOf({ sub: 'grace' }) }))
    expect(box.textContent).toBe('signed-ingrace')
    expect(renders).toEqual({ status: 1, object: 2 })
  })

  it('returns the same object in every render while nothing in it changes', async () => {
    const auth = clientOf()
    await auth.signIn({ accessToken: jwtOf({ sub: 'ada' }) })
    let renders = 0
    const Card = () => {
      if (++renders > 20) throw new Error('It renders for ever.')
      const session = useAuth(auth, ({ status, subject }) => ({ status, subject }))
      const [seen, setSeen] = useState<unknown[]>([])
      useEffect(() => setSeen((before) => [...before, session.subject]), [session])
      return seen.join()
    }
    const { box } = await mount(createElement(Card))
    expect(box.textContent).toBe('ada')
    await act(() => auth.signIn({ accessToken: jwtOf({ sub: 'grace' }) }))
    expect(box.textContent).toBe('ada,grace')
  })

  it('shows a Date and a Set that a selector creates, and follows their changes', async () => {
    const auth = clientOf()
    await auth.signIn({ accessToken: jwtOf({ sub: 'ada', roles: ['guest'] }), expiresAtMs: 4e12 })
    const End = () => useAuth(auth, (s) => new Date(s.expiresAtMs ?? 0)).toISOString()
    const Roles = () => [...useAuth(auth, (s) => new Set(s.claims?.roles as string[]))].join()
    const { box } = await mount([createElement(End, { key: 1 }), createElement(Roles, { key: 2 })])
    expect(box.textContent).toBe(`${new Date(4e12).toISOString()}guest`)
    const accessToken = jwtOf({ sub: 'ada', roles: ['admin'] })
    await act(() => auth.updateTokens({ accessToken, expiresAtMs: 5e12 }))
    expect(box.textContent).toBe(`${new Date(5e12).toISOString()}admin`)
  })

  it('switches to another client or selector at once', async () => {
    const [first, second] = [clientOf(), clientOf()]
    await second.signIn({ accessToken: 'opaque-token', subject: 'grace' })
    const Show = ({ auth, field }: { auth: AuthClient; field: 'status' | 'subject' }) =>
      useAuth(auth, (snapshot) => snapshot[field]) ?? 'nobody'
    const { box, root } = await mount(createElement(Show, { auth: first, field: 'subject' }))
    expect(box.textContent).toBe('nobody')
    await act(async () => root.render(createElement(Show, { auth: second, field: 'subject' })))
    expect(box.textContent).toBe('grace')
    await act(async () => root.render(createElement(Show, { auth: second, field: 'status' })))
    expect(box.textContent).toBe('signed-in')
  })

  it('keeps one listener per component under StrictMode, and none after unmounting', async () => {
    const auth = clientOf()
    const listeners = listenersOf(auth)
    const { root } = await mount(
      createElement(
        StrictMode,
        null,
        createElement(() => useAuth(auth, ({ status }) => status)),
      ),
    )
    expect(listeners()).toBe(1)
    await act(async () => root.unmount())
    expect(listeners()).toBe(0)
  })

  it('shows one session in every part of a concurrent render that a sign-out interrupts', async () => {
    const auth = clientOf()
    await auth.signIn({ accessToken: 'opaque-token', subject: 'ada' })
    const torn: string[] = []
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    let opened = false
    const Slow = () => {
      if (!opened) throw gate
      return useAuth(auth, ({ subject }) => subject) ?? 'nobody'
    }
    let show = (_: boolean) => {}
    const App = () => {
      const [slow, setSlow] = useState(false)
      show = setSlow
      const who = useAuth(auth, ({ subject }) => subject) ?? 'nobody'
      return createElement(Suspense, { fallback: 'wait' }, `${who} `, slow && createElement(Slow))
    }
    const { box } = await mount(createElement(App))
    await act(async () => startTransition(() => show(true)))
    await act(() => auth.signOut())
    opened = true
    await act(async () => open())
    torn.push(box.textContent ?? '')
    expect(torn).toEqual(['nobody nobody'])
  })

  it('renders the session of `tokens` on a server, hydrates without a warning, and then shows the browser’s session', async () => {
    const tokens = { accessToken: jwtOf({ sub: 'ada' }) }
    const complaints = vi.spyOn(console, 'error')
    const Show = ({ auth }: { auth: AuthClient }) => useAuth(auth).subject ?? 'nobody'
    const html = renderToString(createElement(Show, { auth: clientOf({ tokens }) }))
    expect(html).toBe('ada')

    const auth = clientOf({ tokens })
    await auth.signIn({ accessToken: jwtOf({ sub: 'grace' }) })
    const box = document.createElement('div')
    box.innerHTML = html
    const root = await act(() => hydrateRoot(box, createElement(Show, { auth })))
    onTestFinished(() => act(() => root.unmount()))
    expect(box.textContent).toBe('grace')
    expect(complaints).not.toHaveBeenCalled()
  })

  it('types the claims', async () => {
    interface Claims {
      roles: string[]
    }
    const auth = clientOf()
    await auth.signIn({ accessToken: jwtOf({ roles: ['admin'] }) })
    const Roles = () => useAuth(auth, ({ claims }: TypedSnapshot<Claims>) => claims?.roles)?.join()
    const Whole = () => useAuth<Claims>(auth).claims?.roles.join()
    const { box } = await mount([createElement(Roles, { key: 1 }), createElement(Whole, { key: 2 })])
    expect(box.textContent).toBe('adminadmin')
  })
})
