// Every situation that a bounded world can get into, breadth first. `EXPLORE=ci npm run test:explore` takes two minutes of
// processor time; with up to three requests, without EXPLORE, an hour by estimate. `npm test` has one request, in seconds.
import { writeSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { counterexampleOf, explore } from './explore.js'
import { boundsOf, type Extent, TWO_TABS, WORLDS } from './worlds.js'

const extent = (process.env.EXPLORE ?? 'short') as Extent

const COLUMNS = ['store', 'requests', 'situations', 'at rest', 'moves', 'depth', 'seconds'] as const

/** One line of the table, as soon as its world is done. */
function print(cells: readonly (string | number)[], name: string): void {
  const padded = cells.map((cell, at) => String(cell).padStart((COLUMNS[at] as string).length))
  if (extent !== 'short') writeSync(1, `${padded.join('  ')}  ${name}\n`)
}

beforeAll(() => print(COLUMNS, 'world'))

describe.each(Object.entries(TWO_TABS))('two tabs on one %s store with its lock', (name, shape) => {
  const kind = name as keyof typeof TWO_TABS
  const worlds = WORLDS.filter((world) => boundsOf(world, kind, extent).requests > 0)
  it.each(worlds)('keep every promise and come to rest, with $name', { timeout: 3_600_000 }, (world) => {
    const budget = boundsOf(world, kind, extent)
    const before = process.cpuUsage()
    const found = explore({ shape, budget })
    const { states, atRest, transitions, depth } = found
    const seconds = (process.cpuUsage(before).user / 1e6).toFixed(1)
    print([kind, budget.requests, states, atRest, transitions, depth, seconds], world.name)
    expect(counterexampleOf(found)).toBe('')
    expect(found.isComplete).toBe(true)
  })
})
