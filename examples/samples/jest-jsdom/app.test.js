import { expect, it } from '@jest/globals'
import { createFakeTabs } from 'axios-auth-client/testing'
import { showOrders, startApp } from './app.js'
import { backend } from './backend.js'

it('sends one refresh for five requests', async () => {
  const { api, auth } = startApp()
  await auth.signIn(backend.login('ada'))
  backend.expireAccessTokens()
  const refresh = backend.refresh.hold()
  const shown = showOrders(api, [1, 2, 3, 4, 5])
  await refresh.waiting()
  refresh.release()
  await shown
  expect(document.querySelectorAll('li')).toHaveLength(5)
  expect(backend.counts).toMatchObject({ refreshes: 1, served: 5 })
})

it('sends the user to the login page when the refresh is refused', async () => {
  const { api, auth } = startApp()
  await auth.signIn(backend.login('ada'))
  backend.expireAccessTokens()
  backend.refresh.next('refused')
  await expect(showOrders(api, [1])).rejects.toMatchObject({ cause: { code: 'SESSION_EXPIRED' } })
  expect(location.pathname).toBe('/login')
  expect(auth.getSnapshot().status).toBe('signed-out')
})

it('keeps the user signed in while the network is down, and continues when it is back', async () => {
  const { api, auth } = startApp({ refreshRetry: { baseDelayMs: 0 } })
  await auth.signIn(backend.login('ada'))
  backend.expireAccessTokens()
  backend.refresh.always('network')
  await expect(showOrders(api, [1])).rejects.toMatchObject({ cause: { code: 'REFRESH_FAILED' } })
  expect(location.pathname).toBe('/orders')
  backend.refresh.always('granted')
  await auth.refresh()
  await showOrders(api, [1])
  expect(document.body.textContent).toBe('/orders/1 of ada')
})

it('sends the user to the login page when they sign out in another tab', async () => {
  const tabs = createFakeTabs()
  const here = startApp({ store: tabs.openTab() })
  // The other tab has an address of its own, which is of no interest here.
  const there = startApp({ store: tabs.openTab(), onSessionEnd() {} })
  await here.auth.signIn(backend.login('ada'))
  await tabs.settled()
  expect(there.auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'ada' })
  await there.auth.signOut()
  await tabs.settled()
  expect(here.auth.getSnapshot().status).toBe('signed-out')
  expect(location.pathname).toBe('/login')
})
