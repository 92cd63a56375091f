// Proves the small tools of the tests: the seeded shuffle and the bounded wait.

import { describe, expect, it } from 'vitest'
import { settleAll } from './settle-all.js'
import { createRandom, shuffled } from './shuffle.js'

describe('shuffled', () => {
  it('keeps every item, does not modify the original and is the same for the same seed', () => {
    const items = Array.from({ length: 50 }, (_, i) => i)
    const once = shuffled(items, 7)
    expect(once).toEqual(shuffled(items, 7))
    expect(once).not.toEqual(items)
    expect(once).not.toEqual(shuffled(items, 8))
    expect([...once].sort((a, b) => a - b)).toEqual(items)
  })

  it('draws the known numbers of mulberry32', () => {
    const random = createRandom(1)
    expect([random(), random()].map((n) => Math.floor(n * 2 ** 32))).toEqual([2_693_262_067, 11_749_833])
  })
})

describe('settleAll', () => {
  it('returns what Promise.allSettled returns', async () => {
    const reason = new Error('no')
    expect(await settleAll([Promise.resolve(1), Promise.reject(reason)])).toEqual([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason },
    ])
  })

  it('names the promises that never settled', async () => {
    const never = new Promise(() => {})
    await expect(settleAll([Promise.resolve(), never, Promise.resolve(), never], 20)).rejects.toThrow(
      '2 of 4 promises are still pending after 20 ms: 1, 3',
    )
  })
})
