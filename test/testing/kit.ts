// Owns what the kit's tests begin with: a backend behind msw, and an app with a client on it, as an app's author would.
// Knows the two public entries only.

import axios from 'axios'
import { setupServer } from 'msw/node'
import { onTestFinished } from 'vitest'
import {
  type AuthClientOptions,
  createAuthClient,
  refreshWithBody,
  type SessionEnd,
} from '../../src/index.js'
import { type AuthServer, type AuthServerOptions, createAuthServer } from '../../src/testing/index.js'

/** A backend that answers until the test is over; what it does not know fails the request. */
export function startBackend(options?: AuthServerOptions): AuthServer {
  const backend = createAuthServer(options)
  const server = setupServer(...backend.handlers)
  server.listen({ onUnhandledRequest: 'error' })
  onTestFinished(() => {
    backend.reset()
    server.close()
  })
  return backend
}

/** An app of the backend: an axios instance, its client, and the ends of its session. */
export function startApp(backend: AuthServer, options?: AuthClientOptions) {
  const api = axios.create({ baseURL: backend.origin })
  const ends: SessionEnd[] = []
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    refreshRetry: { baseDelayMs: 0 },
    ...options,
    onSessionEnd: (end) => void ends.push(end),
  })
  onTestFinished(() => auth.dispose())
  return { api, auth, ends }
}

/** Plain HTTP, any status a success, for what the server says without a client. */
export function plainHttp(backend: AuthServer) {
  return axios.create({ baseURL: backend.origin, validateStatus: () => true })
}

/** The header of an access token. */
export function bearer(accessToken: string) {
  return { headers: { Authorization: `Bearer ${accessToken}` } }
}
