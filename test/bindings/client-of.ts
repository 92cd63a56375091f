// Owns the clients of the binding tests: signed out, without a server, gone when the test is over.
import axios from 'axios'
import { onTestFinished, vi } from 'vitest'
import { type AuthClient, type AuthClientOptions, createAuthClient } from '../../src/index.js'

export function clientOf(options: AuthClientOptions = {}): AuthClient {
  const auth = createAuthClient(axios.create({ baseURL: 'https://api.test' }), options)
  onTestFinished(() => auth.dispose())
  return auth
}

/** Counts who listens to a client. */
export function listenersOf(auth: AuthClient): () => number {
  let listeners = 0
  const { subscribe } = auth
  vi.spyOn(auth, 'subscribe').mockImplementation((listener) => {
    listeners++
    const stop = subscribe(listener)
    return () => {
      listeners--
      stop()
    }
  })
  return () => listeners
}
