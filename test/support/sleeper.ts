// Owns a process with a client in it, for tests that stop it (SIGSTOP) as a closed lid or a paused container would.
// Usage: node --import tsx sleeper.ts URL ADAPTER ACCESS_TOKEN REFRESH_TOKEN. It prints a line of JSON for each step.

import axios from 'axios'
import { authErrorOf, createAuthClient, refreshWithBody } from '../../src/index.js'
import { type AdapterName, adapterNamed } from './adapters.js'

const [baseURL = '', adapter = '', accessToken = '', refreshToken = ''] = process.argv.slice(2)
const api = axios.create({ baseURL, adapter: adapterNamed(adapter as AdapterName) })
const auth = createAuthClient(api, {
  refresh: refreshWithBody({ url: '/auth/refresh' }),
  tokens: { accessToken, refreshToken },
  refreshTimeoutMs: 1_000,
  refreshRetry: { limit: 1, baseDelayMs: 400 },
})
const say = (step: string, what: object = {}) => console.log(JSON.stringify({ step, ...what }))
auth.on('refreshFailed', ({ error }) => say('failed', { code: error.code }))

// What came over the wire in the moment before the stop has to be read first.
setInterval(() => say('tick'), 100).unref()
const outcome = await api.get('/api/me').then(
  ({ data }) => data.user as string,
  (error) => authErrorOf(error)?.code ?? String(error),
)
say('answered', { outcome })
// The refresh token that the client has now is the one that the server takes.
say('renewed', { outcome: await auth.refresh().then(({ status }) => status, String) })
process.exit(0)
