// What runs in the page of base-element.test.ts: two clients without a baseURL that are signed in, by XMLHttpRequest and
// by fetch.
import axios from 'axios'
import { createAuthClient, refreshWithBody } from 'axios-auth-client'

export interface BasePage {
  signIn(origins?: string[]): Promise<void>
  /** One request of each client and one refresh; what became of them. */
  send(url: string): Promise<string[]>
}

const page: BasePage = {
  async signIn(origins) {
    for (const adapter of ['xhr', 'fetch'] as const) {
      const api = axios.create({ adapter, timeout: 5_000 })
      const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth' }), origins })
      await auth.signIn({ accessToken: 'the-access-token', refreshToken: 'the-refresh-token' })
      clients.push({ api, auth })
    }
  },
  async send(url) {
    const outcomes = clients.flatMap(({ api, auth }) => [api.post(url, {}), auth.refresh()])
    const settled = await Promise.allSettled(outcomes)
    return settled.map((one) => (one.status === 'fulfilled' ? 'ok' : String(one.reason?.code)))
  },
}

const clients: { api: ReturnType<typeof axios.create>; auth: ReturnType<typeof createAuthClient> }[] = []
Object.assign(globalThis, { page })
