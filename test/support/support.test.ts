// Proves the small tools of the tests: the manual clock, the seeded shuffle and the bounded wait.

import { describe, expect, it } from 'vitest'
import { createManualClock } from './manual-clock.js'
import { settleAll } from './settle-all.js'
import { createRandom, shuffled } from './shuffle.js'

describe('createManualClock', () => {
  it('fires due timers in order of time, then of creation, at their own moment', async () => {
    const clock = createManualClock(1_000)
    const fired: [string, number][] = []
    const note = (name: string) => () => void fired.push([name, clock.nowMs()])
    clock.setTimer(note('late'), 300)
    clock.setTimer(note('first'), 100)
    clock.setTimer(note('second'), 100)
    clock.setTimer(note('never'), 200)()
    expect([clock.pending, clock.nextInMs]).toEqual([3, 100])
    await clock.advance(250)
    expect(fired).toEqual([
      ['first', 1_100],
      ['second', 1_100],
    ])
    expect(clock.nowMs()).toBe(1_250)
    await clock.advance(50)
    expect(fired.at(-1)).toEqual(['late', 1_300])
    expect([clock.pending, clock.nextInMs]).toEqual([0, undefined])
  })

  it('lets promises run between timers, and fires the timers those set', async () => {
    const clock = createManualClock()
    const fired: string[] = []
    clock.setTimer(async () => {
      for (let i = 0; i < 50; i++) await undefined
      clock.setTimer(() => fired.push('set in between'), 10)
    }, 10)
    clock.setTimer(() => fired.push('set before'), 30)
    await clock.advance(30)
    expect(fired).toEqual(['set in between', 'set before'])
  })

  it('jumps without firing, like a machine that slept', async () => {
    const clock = createManualClock(0)
    let fired = 0
    clock.setTimer(() => fired++, 100)
    clock.jump(1_000)
    expect([clock.nowMs(), fired, clock.pending]).toEqual([1_000, 0, 1])
    await clock.advance(0)
    expect([clock.nowMs(), fired]).toEqual([1_000, 1])
  })

  it('refuses a delay that a real timer would turn into none', () => {
    const clock = createManualClock()
    expect(() => clock.setTimer(() => {}, 2 ** 31)).toThrow(RangeError)
    expect(() => clock.setTimer(() => {}, Number.NaN)).toThrow(RangeError)
  })
})

describe('shuffled', () => {
  it('keeps every item, leaves the original alone and repeats itself for the same seed', () => {
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
  it('gives what Promise.allSettled gives', async () => {
    const reason = new Error('no')
    expect(await settleAll([Promise.resolve(1), Promise.reject(reason)])).toEqual([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason },
    ])
  })

  it('names those who never came back', async () => {
    const never = new Promise(() => {})
    await expect(settleAll([Promise.resolve(), never, Promise.resolve(), never], 20)).rejects.toThrow(
      '2 of 4 promises are still pending after 20 ms: 1, 3',
    )
  })
})
