import { expect, it } from 'vitest'
import { startApp } from './app.js'
import { backend } from './backend.js'

it('sends the user to the login page when the refresh is refused', async () => {
  const app = startApp()
  await app.auth.signIn(backend.login('ada'))
  backend.expireAccessTokens()
  backend.refresh.next('refused')
  await expect(app.api.get('/orders')).rejects.toMatchObject({ cause: { code: 'SESSION_EXPIRED' } })
  expect(app.page).toBe('/login')
  expect(app.auth.getSnapshot().status).toBe('signed-out')
})
