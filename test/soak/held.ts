// 100,000 requests that wait for one refresh: everybody comes back, and what a waiting request costs is printed beside what
// axios alone holds of a request whose adapter waits. No wire: its sockets would be all that is measured.
import axios, { type AxiosAdapter, type AxiosInstance } from 'axios'
import { createAuthClient } from 'axios-auth-client'
import { deferred } from '../../src/wait.js'
import type { Findings } from './findings.js'
import { liveHeap, megabytes } from './heap.js'

const COUNT = 100_000
const LIMIT_MS = 60_000

export async function holdMany({ check, figure }: Findings): Promise<void> {
  const gate = deferred()
  const alone = await measure(
    createInstance(() => gate.promise),
    gate.resolve,
  )

  const bearers = new Set<unknown>()
  const granted = deferred()
  let refreshes = 0
  const api = createInstance(async (bearer) => void bearers.add(bearer))
  const auth = createAuthClient(api, {
    async refresh() {
      refreshes++
      await granted.promise
      return { accessToken: 'new-access' }
    },
    refreshTimeoutMs: LIMIT_MS,
    tokens: { accessToken: 'old-access', refreshToken: 'refresh', expiresAtMs: Date.now() - 1 },
  })
  const held = await measure(api, granted.resolve)
  const { heldPeak, heldNow } = auth.stats()
  auth.dispose()

  figure(`${COUNT} waiting: taken in`, `${held.waitingAfterMs} ms`)
  figure(
    `${COUNT} held: settled after the release in`,
    `${held.settledAfterMs} ms (axios alone ${alone.settledAfterMs} ms)`,
  )
  figure(`${COUNT} held: heap`, `${megabytes(held.heap)} (axios alone ${megabytes(alone.heap)})`)
  figure(
    'heap per waiting request, beyond what axios holds',
    `${Math.round((held.heap - alone.heap) / COUNT)} bytes`,
  )
  check(`${COUNT} requests wait at once`, heldPeak === COUNT, heldPeak)
  check('all of them are answered after the release', held.answered === COUNT, held.answered)
  check('by one refresh', refreshes === 1, refreshes)
  check('none was sent with the rejected token', [...bearers].join() === 'Bearer new-access', [...bearers])
  check('nobody is held any more', heldNow === 0, heldNow)
}

/** Makes all requests, looks at the heap while they wait, and releases them. */
async function measure(api: AxiosInstance, release: () => void) {
  const heapBefore = await liveHeap()
  const startMs = performance.now()
  let answered = 0
  const all = Promise.all(
    Array.from({ length: COUNT }, () => api.get('https://api.test/item').then(() => void answered++)),
  )
  const heap = (await liveHeap()) - heapBefore
  const releaseMs = performance.now()
  release()
  await all
  return {
    answered,
    heap,
    waitingAfterMs: Math.round(releaseMs - startMs),
    settledAfterMs: Math.round(performance.now() - releaseMs),
  }
}

function createInstance(send: (bearer: unknown) => Promise<void>): AxiosInstance {
  const adapter: AxiosAdapter = async (config) => {
    await send(config.headers.get('Authorization'))
    return { data: '', status: 200, statusText: 'OK', headers: {}, config }
  }
  return axios.create({ baseURL: 'https://api.test', adapter })
}
