// Runs the recipes that are about one part of a backend: where a refresh goes, what it carries, what its failure means.
import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { createCsrfApi } from '../../examples/recipes/csrf-endpoint.js'
import { createProviderApi } from '../../examples/recipes/other-origin.js'
import { createPassportApi } from '../../examples/recipes/passport.js'
import { createSignedApi } from '../../examples/recipes/signer.js'
import { createTenantApi } from '../../examples/recipes/tenant.js'
import { FakeStorage } from '../contracts/fake-storage.js'

const API = 'https://api.test'
const server = setupServer()
/** Every request that arrived. */
let arrived: Request[] = []
server.events.on('request:start', ({ request }) => void arrived.push(request))

beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
beforeEach(() => {
  arrived = []
  vi.stubGlobal('localStorage', new FakeStorage())
})
afterEach(() => server.resetHandlers())
afterAll(() => server.close())

const granted = () => HttpResponse.json({ access_token: 'new-token', refresh_token: 'new-refresh-token' })
const guarded = http.all(`${API}/orders`, ({ request }) =>
  request.headers.get('authorization') === 'Bearer new-token'
    ? HttpResponse.json([])
    : new HttpResponse(null, { status: 401 }),
)
const OLD = { accessToken: 'old-token', refreshToken: 'old-refresh-token' }
const sent = (path: string, name: string) =>
  arrived.filter(({ url }) => url.endsWith(path)).map(({ headers }) => headers.get(name))

it('a refresh at another origin sends what its strategy names, and nothing that is meant for the API', async () => {
  const { api, auth } = createProviderApi(API, 'https://id.test/token', 'key-of-the-api')
  server.use(guarded, http.post('https://id.test/token', granted))
  await auth.signIn(OLD)
  await api.get('/orders')
  expect(sent('/token', 'x-provider-version')).toEqual(['2'])
  expect(sent('/token', 'x-api-key')).toEqual([null])
  expect(sent('/orders', 'x-api-key')).toEqual(['key-of-the-api', 'key-of-the-api'])
})

it('requests and refreshes name the tenant', async () => {
  const { api, auth } = createTenantApi(API, () => 'acme')
  server.use(guarded, http.post(`${API}/auth/refresh`, granted))
  await auth.signIn(OLD)
  await api.get('/orders')
  expect(sent('', 'x-tenant')).toEqual(['acme', 'acme', 'acme'])
})

it('a CSRF token is fetched for the refresh', async () => {
  const { auth } = createCsrfApi(API)
  server.use(
    http.get(`${API}/auth/csrf`, () => HttpResponse.json({ csrfToken: 'csrf-of-the-server' })),
    http.post(`${API}/auth/refresh`, () => new HttpResponse(null, { status: 204 })),
  )
  expect(await auth.refresh()).toMatchObject({ status: 'signed-in' })
  expect(sent('/auth/refresh', 'x-csrf-token')).toEqual(['csrf-of-the-server'])
})

it.each([
  [401, 'invalid_request', 'SESSION_EXPIRED'],
  [400, 'invalid_grant', 'SESSION_EXPIRED'],
  [400, 'invalid_request', 'REFRESH_FAILED'],
  [401, 'invalid_client', 'REFRESH_FAILED'],
])('Passport: a refresh that is answered %i %s ends with %s', async (status, error, code) => {
  const { auth } = createPassportApi(API)
  server.use(http.post(`${API}/oauth/token`, () => HttpResponse.json({ error }, { status })))
  await auth.signIn(OLD)
  await expect(auth.refresh()).rejects.toMatchObject({ code })
})

it('a replay is signed over the new token', async () => {
  const { api, auth } = createSignedApi(API, (text) => `signed(${text})`)
  server.use(guarded, http.post(`${API}/auth/refresh`, granted))
  await auth.signIn(OLD)
  await api.get('/orders')
  expect(sent('/orders', 'x-signature')).toEqual([
    'signed(get /orders Bearer old-token)',
    'signed(get /orders Bearer new-token)',
  ])
})
