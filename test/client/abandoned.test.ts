// dispose() is not needed where a client ends with everything that refers to it. Shown in a process of its own, where
// garbage can be collected at will.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, vi } from 'vitest'
import { setUp } from '../support/client.js'

const ABANDONED = fileURLToPath(new URL('../support/abandoned.ts', import.meta.url))

it('dispose: an unreferenced client is collected without it, where globalThis has events', {
  timeout: 60_000,
}, async () => {
  const args = ['--expose-gc', '--import', 'tsx', ABANDONED]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const [ofStorage, ofMemory, live] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(ofStorage).toMatchObject({ name: 'localStorage', clients: 1_000, survivors: 0, left: 0 })
  expect(ofMemory).toMatchObject({ name: 'memory', clients: 1_000, survivors: 0, left: 0 })
  // Or there would be nothing to show.
  expect([ofStorage.made, ofMemory.made]).toEqual([4_000, 1_000])
  expect(live).toEqual({ name: 'live', beforeOnline: 1, afterOnline: 2 })
})

it('G10: `online` ends a cool-down also where there is no WeakRef, and dispose stops listening', async () => {
  const page = new EventTarget()
  const removed: string[] = []
  vi.stubGlobal('WeakRef', undefined)
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
  vi.stubGlobal('removeEventListener', (...args: Parameters<EventTarget['removeEventListener']>) => {
    removed.push(args[0])
    page.removeEventListener(...args)
  })
  const { server, auth, api } = await setUp({ refreshRetry: { limit: 0 } })
  server.killAccessTokens()
  server.refresh.always(503)
  for (let i = 0; i < 2; i++) await api.get('/api/x').catch(() => {})
  expect(server.counts.refreshes).toBe(1)
  page.dispatchEvent(new Event('online'))
  await api.get('/api/x').catch(() => {})
  expect(server.counts.refreshes).toBe(2)
  auth.dispose()
  expect(removed).toEqual(['online'])
})
