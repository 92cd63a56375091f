import { expect, it } from 'vitest'
import { startApp } from './app.js'
import { backend } from './backend.js'

it('keeps the user signed in while the network is down, and continues when it is back', async () => {
  const app = startApp({ refreshRetry: { baseDelayMs: 0 } })
  await app.auth.signIn(backend.login('ada'))
  backend.expireAccessTokens()
  backend.refresh.always('network')
  await expect(app.api.get('/orders')).rejects.toMatchObject({ cause: { code: 'REFRESH_FAILED' } })
  expect(app.page).toBe('/orders')
  backend.refresh.always('granted')
  await app.auth.refresh()
  expect((await app.api.get('/orders')).data).toMatchObject({ user: 'ada' })
})
