import { expect, it } from 'vitest'
import { startApp } from './app.js'
import { backend } from './backend.js'

it('sends one refresh for five requests', async () => {
  const { api, auth } = startApp()
  await auth.signIn(backend.login('ada'))
  backend.expireAccessTokens()
  const refresh = backend.refresh.hold()
  const five = Promise.all([1, 2, 3, 4, 5].map((id) => api.get(`/orders/${id}`)))
  await refresh.waiting()
  refresh.release()
  expect((await five).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  expect(backend.counts).toMatchObject({ refreshes: 1, served: 5 })
})
