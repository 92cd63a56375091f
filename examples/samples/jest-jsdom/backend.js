import { afterAll, afterEach, beforeAll } from '@jest/globals'
import { createAuthServer } from 'axios-auth-client/testing'
import { setupServer } from 'msw/node'

export const backend = createAuthServer({ origin: 'https://api.test' })

const server = setupServer(...backend.handlers)
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
afterEach(() => backend.reset())
afterAll(() => server.close())
