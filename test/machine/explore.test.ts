// Every situation that a bounded world can get into, breadth first. `npm run test:explore` has three requests in them and
// takes an hour; `EXPLORE=ci` has two, in minutes, and `npm test` has one, in seconds.
import { writeSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { counterexampleOf, type Exploration, explore } from './explore.js'
import { boundsOf, type Extent, TWO_TABS, WORLDS } from './worlds.js'

const extent = (process.env.EXPLORE ?? 'short') as Extent

const COLUMNS = ['store', 'requests', 'situations', 'at rest', 'moves', 'depth', 'seconds'] as const
const rows: string[] = []

function note(kind: string, requests: number, found: Exploration, seconds: number, name: string): void {
  const { states, atRest, transitions, depth } = found
  const cells = [kind, requests, states, atRest, transitions, depth, seconds.toFixed(1)]
  rows.push(
    `${cells.map((cell, at) => String(cell).padStart((COLUMNS[at] as string).length)).join('  ')}  ${name}`,
  )
}

afterAll(() => {
  if (extent !== 'short') writeSync(1, `${COLUMNS.join('  ')}  world\n${rows.join('\n')}\n`)
})

describe.each(Object.entries(TWO_TABS))('two tabs on one %s store with its lock', (name, shape) => {
  const kind = name as keyof typeof TWO_TABS
  const worlds = WORLDS.filter((world) => boundsOf(world, kind, extent).requests > 0)
  it.each(worlds)('keep every promise and come to rest, with $name', { timeout: 3_600_000 }, (world) => {
    const budget = boundsOf(world, kind, extent)
    const before = process.cpuUsage()
    const found = explore({ shape, budget })
    note(kind, budget.requests, found, process.cpuUsage(before).user / 1e6, world.name)
    expect(counterexampleOf(found)).toBe('')
    expect(found.isComplete).toBe(true)
  })
})
