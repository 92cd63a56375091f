import { createAuthServer } from 'axios-auth-client/testing'
import { setupWorker } from 'msw/browser'
import { afterAll, afterEach, beforeAll } from 'vitest'

export const backend = createAuthServer({ origin: 'https://api.test' })

const worker = setupWorker(...backend.handlers)
beforeAll(() => worker.start({ quiet: true, onUnhandledRequest: 'error' }))
afterEach(() => backend.reset())
afterAll(() => worker.stop())
