// What exploring counts as one situation goes on as one: without this, the numbers of states would mean nothing, and a
// fault could hide behind a situation that only looks like one that was tried.
import { describe, expect, it } from 'vitest'
import { textOfWorld } from './canonical.js'
import { compareMerged } from './compare.js'
import type { Budget } from './shape.js'
import { NOTHING, TWO_TABS } from './worlds.js'

const SYNC: Partial<Budget>[] = [
  { requests: 1, expiries: 1, losses: 1, delays: 1, freezes: 1 },
  { requests: 1, rejections: 1, signOuts: 1, crashes: 1, losses: 1 },
  { requests: 2, rejections: 1, signOuts: 1, delays: 1 },
  { requests: 1, rejections: 1, signIns: 1, freezes: 1 },
  { requests: 1, refreshes: 1, updates: 1, mixUps: 1 },
  { requests: 1, rejections: 1, waits: 2, losses: 1 },
  { requests: 1, rejections: 2, failedWrites: 1 },
]
const SLOW: Partial<Budget>[] = [
  { refreshes: 1, delays: 1, freezes: 1 },
  { signIns: 1, signOuts: 1 },
  { refreshes: 1, updates: 1 },
  { requests: 1, rejections: 1, failedWrites: 1, losses: 1 },
]

const TEN_MINUTES = { timeout: 600_000 }

describe('two tabs whose situations count as equal', () => {
  it.each(SYNC)('go on alike, on a synchronous store, with %j', TEN_MINUTES, (budget) => {
    const { fault, exact, canonical } = compareMerged({
      shape: TWO_TABS.sync,
      budget: { ...NOTHING, ...budget },
    })
    expect(fault.join('\n')).toBe('')
    expect(canonical).toBeLessThan(exact)
  })

  it.each(SLOW)('go on alike, on a slow store, with %j', TEN_MINUTES, (budget) => {
    const { fault, exact, canonical } = compareMerged({
      shape: TWO_TABS.slow,
      budget: { ...NOTHING, ...budget },
    })
    expect(fault.join('\n')).toBe('')
    expect(canonical).toBeLessThan(exact)
  })

  it('go on alike, where the app acts between the jobs of a tab', TEN_MINUTES, () => {
    const shape = { ...TWO_TABS.sync, eager: false }
    const { fault } = compareMerged({
      shape,
      budget: { ...NOTHING, requests: 1, rejections: 1, signOuts: 1 },
    })
    expect(fault.join('\n')).toBe('')
  })
})

/** Forms that leave out one thing each, which only what comes later shows. */
const WRONG_FORMS: [what: string, leftOut: RegExp][] = [
  ['whether a tab is frozen', /running|frozen/g],
  ['how long a token is valid', / (100000|90000|0)(?= )/g],
]

it.each(WRONG_FORMS)('a form that leaves out %s is found to be wrong', TEN_MINUTES, (_, leftOut) => {
  const budget = { ...NOTHING, requests: 1, expiries: 1, rejections: 1, losses: 1, delays: 1, freezes: 1 }
  const textOf: typeof textOfWorld = (world) => textOfWorld(world).replaceAll(leftOut, '')
  expect(compareMerged({ shape: TWO_TABS.sync, budget }, textOf).fault).not.toEqual([])
})
