// The memory store: the contract, and nothing beyond the page.

import { memoryStore } from 'axios-auth-client'
import { expect, it } from 'vitest'
import { describeTokenStore } from '../contracts/token-store.js'

describeTokenStore('memoryStore', () => {
  const store = memoryStore()
  return () => store
})

it('two memory stores share nothing', async () => {
  const [one, two] = [memoryStore(), memoryStore()]
  await one.save({ v: 1, sessionId: 's', version: 1, tokens: { accessToken: 'a' } })
  expect(two.load()).toBeUndefined()
})
