// @vitest-environment jsdom
// Runs the examples of docs/frameworks.md with the real frameworks: session panels, route guards, TanStack Query.
import { QueryObserver } from '@tanstack/react-query'
import { act, createElement } from 'react'
import { createRoot } from 'react-dom/client'
import { createMemoryRouter, RouterProvider } from 'react-router'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { effectScope } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { auth } from '../../examples/quick-start.js'
import { queryClient } from '../../examples/react/query.js'
import { SignedInOnly } from '../../examples/react/route-guard.js'
import { AdminLink, SessionPanel } from '../../examples/react/session-panel.js'
import { guard } from '../../examples/vue/route-guard.js'
import { useSession } from '../../examples/vue/session-panel.js'
import { AuthClientError } from '../../src/index.js'
import { jwtOf } from '../support/jwt.js'

beforeEach(() => void vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true))
afterEach(() => auth.signOut())

const ada = { accessToken: jwtOf({ sub: 'ada', roles: ['admin'] }), refreshToken: 'refresh-token' }

async function show(element: React.ReactNode): Promise<HTMLElement> {
  const box = document.createElement('div')
  const root = createRoot(box)
  onTestFinished(() => act(() => root.unmount()))
  await act(async () => root.render(element))
  return box
}

describe('in React', () => {
  it('the panel greets who is signed in, and the link is for those with the role', async () => {
    const box = await show([createElement(SessionPanel, { key: 1 }), createElement(AdminLink, { key: 2 })])
    expect(box.textContent).toBe('Please sign in.')
    await act(() => auth.signIn(ada))
    expect(box.textContent).toBe('Hello, adaAdministration')
  })

  it('the guard redirects everybody else to the login page with the way back, and lets the user through', async () => {
    const router = createMemoryRouter(
      [
        { path: '/login', element: 'login page' },
        { element: createElement(SignedInOnly), children: [{ path: '/orders', element: 'orders' }] },
      ],
      { initialEntries: ['/orders?page=2'] },
    )
    const box = await show(createElement(RouterProvider, { router }))
    expect(box.textContent).toBe('login page')
    expect(router.state.location.search).toBe('?redirect=%2Forders%3Fpage%3D2')
    await auth.signIn(ada)
    await act(() => router.navigate('/orders'))
    expect(box.textContent).toBe('orders')
    await act(() => auth.signOut())
    expect(box.textContent).toBe('login page')
  })

  it('TanStack Query retries temporary failures but none of our errors, and drops the user’s data at the end', async () => {
    const { retry } = queryClient.getDefaultOptions().queries ?? {}
    const retries = retry as (failures: number, error: Error) => boolean
    expect(retries(0, new Error('a flaky network'))).toBe(true)
    expect(retries(0, new AuthClientError('SESSION_EXPIRED', 'over'))).toBe(false)
    await auth.signIn(ada)
    queryClient.setQueryData(['orders'], ['of ada'])
    await auth.signOut()
    expect(queryClient.getQueryData(['orders'])).toBeUndefined()
  })
})

describe('in React, when somebody else signs in', () => {
  it('TanStack Query fetches what is on the screen again', async () => {
    const bob = { accessToken: jwtOf({ sub: 'bob' }), refreshToken: 'another-one' }
    const observer = new QueryObserver(queryClient, {
      queryKey: ['me'],
      queryFn: async () => auth.getSnapshot().subject,
    })
    onTestFinished(observer.subscribe(() => {}))
    await auth.signIn(ada)
    await observer.refetch()
    expect(observer.getCurrentResult().data).toBe('ada')
    await auth.signIn(bob)
    await vi.waitFor(() => expect(observer.getCurrentResult().data).toBe('bob'))
  })
})

describe('in Vue', () => {
  it('the panel greets who is signed in', async () => {
    const scope = effectScope()
    onTestFinished(() => scope.stop())
    const { greeting } = scope.run(useSession) as ReturnType<typeof useSession>
    expect(greeting.value).toBe('Please sign in.')
    await auth.signIn(ada)
    expect(greeting.value).toBe('Hello, ada')
  })

  it('the guard redirects everybody else to the login page with the way back, and lets the user through', async () => {
    const page = { template: '' }
    const router = createRouter({
      history: createMemoryHistory(),
      routes: [
        { path: '/', component: page },
        { path: '/login', component: page },
        { path: '/orders', component: page, meta: { guarded: true } },
      ],
    })
    guard(router)
    await router.push('/orders?page=2')
    expect(router.currentRoute.value.fullPath).toBe('/login?redirect=/orders?page=2')
    await auth.signIn(ada)
    await router.push('/orders')
    expect(router.currentRoute.value.path).toBe('/orders')
  })
})
