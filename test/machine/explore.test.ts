// Every situation that a bounded world can get into, breadth first: `npm run test:explore`. CI has fewer requests in the
// same worlds (`EXPLORE=ci`), and `npm test` has the smallest of them.
import { afterAll, describe, expect, it } from 'vitest'
import { type Exploration, explore, reportOf } from './explore.js'
import type { Budget } from './shape.js'
import { type Extent, worldsOf } from './worlds.js'

const extent = (process.env.EXPLORE ?? 'short') as Extent
const rows: string[][] = []

/** Of this process: other programs on the machine do not count. */
const secondsSpent = () => process.cpuUsage().user / 1e6

describe('two tabs on one store with its lock', () => {
  afterAll(() => console.info(tableOf([HEADINGS, ...rows])))

  it.each(worldsOf(extent))('keep every promise and come to rest: $name', { timeout: 7_200_000 }, (world) => {
    const { name, shape, budget } = world
    const begunAt = secondsSpent()
    const found = explore({ shape, budget })
    rows.push(rowOf(name, budget, found, secondsSpent() - begunAt))
    if (extent === 'full') console.info(rows.at(-1)?.join(' | '))
    expect(reportOf(found)).toBe('')
    expect(found.isComplete).toBe(true)
  })
})

const HEADINGS = ['world', 'may happen', 'situations', 'at rest', 'moves', 'depth', 'seconds']

function rowOf(name: string, budget: Budget, found: Exploration, seconds: number): string[] {
  const may = Object.entries(budget).filter(([, count]) => count > 0)
  const { states, atRest, transitions, depth } = found
  const numbers = [states, atRest, transitions, depth].map((number) => number.toLocaleString('en'))
  return [name, may.map(([what, count]) => `${count} ${what}`).join(', '), ...numbers, seconds.toFixed(1)]
}

function tableOf(table: string[][]): string {
  const widths = HEADINGS.map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0)))
  return table.map((row) => row.map((cell, at) => cell.padEnd(widths[at] as number)).join('  ')).join('\n')
}
