// What runs in the page of pages.test.ts: clients that are signed in, and the sending of one request.
import axios from 'axios'
import { bearerHeader, createAuthClient, jsonBodyField } from 'axios-auth-client'
import type { Target } from './addresses.js'

export interface Sender {
  /** Signs every client in. */
  start(options: { home: string; accessToken: string; refreshToken: string }): Promise<void>
  /** One request of each client; resolves when all are settled. */
  send(target: Target): Promise<void>
  refreshes(): number
}

const instances = ['xhr', 'fetch'].map((adapter) =>
  axios.create({ adapter: adapter as 'xhr', timeout: 30_000 }),
)
const clients: ReturnType<typeof createAuthClient>[] = []

const sender: Sender = {
  async start({ home, ...tokens }) {
    const [xhr, fetch] = instances as [(typeof instances)[0], (typeof instances)[0]]
    const refresh = () => null
    fetch.defaults.baseURL = `${home}/v1`
    clients.push(createAuthClient(xhr, { place: bearerHeader(), refresh }))
    clients.push(createAuthClient(fetch, { place: jsonBodyField(), refresh }))
    for (const client of clients) await client.signIn(tokens)
  },
  async send({ asObject, ...target }) {
    const { url } = target
    const hostile =
      asObject && url !== undefined && URL.canParse(url) ? { ...target, url: new URL(url) } : target
    const request = { method: 'post', data: { a: 1 }, ...(hostile as object) }
    await Promise.allSettled(instances.map((api) => api.request(request)))
  },
  refreshes: () => clients.reduce((sum, client) => sum + client.stats().refreshes, 0),
}

Object.assign(globalThis, { sender })
