import axios from 'axios'
import { createAuthClient } from 'axios-auth-client'
import { createFakeTabs } from 'axios-auth-client/testing'
import { StrictMode } from 'react'
import { expect, it } from 'vitest'
import { render } from 'vitest-browser-react'
import { App, api, options } from './app.js'
import { backend } from './backend.js'

/** The app in the page, as its user meets it. */
async function openApp(store = createFakeTabs().openTab()) {
  const screen = await render(<App options={{ ...options, store }} />, { wrapper: StrictMode })
  return {
    press: (name: string) => screen.getByRole('button', { name }).click(),
    shows: (text: string) => expect.element(screen.getByText(text)).toBeVisible(),
    close: screen.unmount,
  }
}

// #region five
it('sends one refresh for five requests', async () => {
  const { press, shows } = await openApp()
  await press('Sign in')
  await shows('Hello, ada')
  backend.expireAccessTokens()
  await press('Load')
  await shows('5 orders')
  expect(backend.counts).toMatchObject({ refused: 5, refreshes: 1, served: 5 })
})
// #endregion

it('sends the user to the login page when the refresh is refused', async () => {
  const { press, shows } = await openApp()
  await press('Sign in')
  await shows('Hello, ada')
  backend.expireAccessTokens()
  backend.refresh.next('refused')
  await press('Load')
  await shows('Please sign in.')
  expect(backend.counts).toMatchObject({ refreshes: 1, served: 0 })
})

it('keeps the user signed in while the network is down, and continues when it is back', async () => {
  const { press, shows } = await openApp()
  await press('Sign in')
  await shows('Hello, ada')
  backend.expireAccessTokens()
  backend.refresh.always('network')
  await press('Load')
  await shows('The server cannot be reached.')
  backend.refresh.always('granted')
  await press('Try again')
  await shows('5 orders')
})

it('sends the user to the login page when they sign out in another tab', async () => {
  const tabs = createFakeTabs()
  const { press, shows } = await openApp(tabs.openTab())
  await press('Sign in')
  await shows('Hello, ada')
  const there = createAuthClient(axios.create({ baseURL: backend.origin }), { store: tabs.openTab() })
  expect(there.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'ada' })
  await there.signOut()
  await shows('Please sign in.')
  there.dispose()
})

it('creates one client under StrictMode, and none is left after unmounting', async () => {
  const clients = { ever: 0, now: 0 }
  const tab = createFakeTabs().openTab()
  const { shows, close } = await openApp({
    ...tab,
    subscribe() {
      clients.ever++
      clients.now++
      return () => void clients.now--
    },
  })
  await shows('Please sign in.')
  expect(clients).toEqual({ ever: 2, now: 1 })
  expect(() => createAuthClient(api)).toThrow('a live auth client holds this axios instance already')
  await close()
  expect(clients.now).toBe(0)
  createAuthClient(api).dispose()
})
