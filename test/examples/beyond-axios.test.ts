// Runs the examples of the README that need no axios request: fetch beside it, and the store of a phone.
import axios from 'axios'
import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from 'vitest'
import { authFetch } from '../../examples/fetch.js'
import { auth } from '../../examples/quick-start.js'
import { secureStore } from '../../examples/react-native.js'
import { createAuthClient } from '../../src/index.js'
import { deferred } from '../../src/wait.js'

const API = 'https://api.example.com'
const server = setupServer()
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
afterEach(() => server.resetHandlers())
afterAll(() => server.close())

it('fetch calls that are rejected together share one refresh, and a late one starts no other', async () => {
  onTestFinished(() => auth.signOut())
  let refreshes = 0
  const late = deferred()
  server.use(
    http.post(`${API}/auth/refresh`, () => {
      refreshes++
      return HttpResponse.json({ access_token: 'new' })
    }),
    http.get(`${API}/orders/:id`, async ({ request, params }) => {
      if (request.headers.get('authorization') === 'Bearer new') return HttpResponse.json([])
      if (params.id === 'late') await late.promise
      return new HttpResponse(null, { status: 401 })
    }),
  )
  await auth.signIn({ accessToken: 'old', refreshToken: 'good' })
  const lateAnswer = authFetch(`${API}/orders/late`)
  const answers = await Promise.all([1, 2, 3, 4].map((id) => authFetch(`${API}/orders/${id}`)))
  late.resolve()
  const statuses = [...answers, await lateAnswer].map(({ status }) => status)
  expect(statuses).toEqual([200, 200, 200, 200, 200])
  expect(refreshes).toBe(1)
})

it('a session stored on a phone is restored at the next start, and gone after sign-out', async () => {
  const kept = new Map<string, string>()
  const place = {
    getItemAsync: async (key: string) => kept.get(key) ?? null,
    setItemAsync: async (key: string, value: string) => void kept.set(key, value),
    deleteItemAsync: async (key: string) => void kept.delete(key),
  }
  const start = async () => {
    const client = createAuthClient(axios.create({ baseURL: API }), { store: secureStore(place, 'session') })
    onTestFinished(() => client.dispose())
    expect(client.getSnapshot().status).toBe('pending')
    await client.ready
    return client
  }
  const first = await start()
  expect(first.getSnapshot().status).toBe('signed-out')
  await first.signIn({ accessToken: 'token' })
  const second = await start()
  expect(await second.getAccessToken()).toBe('token')
  await second.signOut()
  expect(kept.size).toBe(0)
})
