import axios from 'axios'
import { createAuthClient, refreshWithBody } from 'axios-auth-client'
import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'

const server = setupServer()
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
afterEach(() => server.resetHandlers())
afterAll(() => server.close())

const orders = http.get('https://api.test/orders', ({ request }) =>
  request.headers.get('authorization') === 'Bearer new'
    ? HttpResponse.json([])
    : new HttpResponse(null, { status: 401 }),
)

async function signedIn(onSessionEnd?: () => void) {
  const api = axios.create({ baseURL: 'https://api.test' })
  const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/refresh' }), onSessionEnd })
  await auth.signIn({ accessToken: 'old', refreshToken: 'good' })
  return api
}

it('sends one refresh for five requests', async () => {
  let refreshes = 0
  server.use(
    orders,
    http.post('https://api.test/refresh', () => {
      refreshes++
      return HttpResponse.json({ access_token: 'new' })
    }),
  )
  const api = await signedIn()
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => api.get('/orders')))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  expect(refreshes).toBe(1)
})

it('ends the session when the refresh is refused', async () => {
  server.use(
    orders,
    http.post('https://api.test/refresh', () => new HttpResponse(null, { status: 401 })),
  )
  let ended = false
  const api = await signedIn(() => {
    ended = true
  })
  await expect(api.get('/orders')).rejects.toMatchObject({ cause: { code: 'SESSION_EXPIRED' } })
  expect(ended).toBe(true)
})
