// 10,000 requests at once over real HTTP, with a token that the server has just stopped to accept: all are answered, by one
// refresh, and none is on the wire more than twice.
import { Agent } from 'node:http'
import axios from 'axios'
import { createAuthClient, refreshWithBody } from 'axios-auth-client'
import type { Backend } from './backend-process.js'
import type { Findings } from './findings.js'

const COUNT = 10_000
/** As many connections as a busy server would have; the other requests stand in line behind them, in Node. */
const SOCKETS = 200

export async function burst(backend: Backend, { check, figure }: Findings): Promise<void> {
  const httpAgent = new Agent({ keepAlive: true, maxSockets: SOCKETS })
  const api = axios.create({ baseURL: backend.url, adapter: 'http', httpAgent, proxy: false })
  const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }) })
  const { access_token, refresh_token } = await backend.login(3600)
  await auth.signIn({ accessToken: access_token, refreshToken: refresh_token })
  await backend.killAccessTokens()

  const startMs = performance.now()
  const results = await Promise.allSettled(
    Array.from({ length: COUNT }, (_, item) => api.get(`/api/item/${item}`)),
  )
  const ms = Math.round(performance.now() - startMs)
  const answered = results.filter(({ status }) => status === 'fulfilled').length
  const { requests, refreshes, reuses } = await backend.counts()
  auth.dispose()
  httpAgent.destroy()

  figure(`burst of ${COUNT}: answered in`, `${ms} ms`)
  figure(`burst of ${COUNT}: requests on the wire`, requests)
  check(`a burst of ${COUNT} is answered`, answered === COUNT, answered)
  check('by one refresh', refreshes === 1 && reuses === 0, refreshes)
  check('with every request on the wire twice at the most', requests <= 2 * COUNT + 1, requests)
}
