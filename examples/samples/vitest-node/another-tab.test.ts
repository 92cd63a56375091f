import { createFakeTabs } from 'axios-auth-client/testing'
import { expect, it } from 'vitest'
import { startApp } from './app.js'
import { backend } from './backend.js'

it('sends the user to the login page when they sign out in another tab', async () => {
  const tabs = createFakeTabs()
  const [here, there] = [startApp({ store: tabs.openTab() }), startApp({ store: tabs.openTab() })]
  await here.auth.signIn(backend.login('ada'))
  await tabs.settled()
  expect(there.auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'ada' })
  await there.auth.signOut()
  await tabs.settled()
  expect(here.auth.getSnapshot().status).toBe('signed-out')
  expect(here.page).toBe('/login')
})
