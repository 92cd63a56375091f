// Every situation that a bounded world can get into, breadth first. `npm run test:explore` has three requests in them and
// takes many minutes; CI has fewer, in the same worlds.
import { describe, expect, it } from 'vitest'
import { explore } from './explore.js'
import { boundsOf, TWO_TABS, WORLDS } from './worlds.js'

const extent = (process.env.EXPLORE ?? 'short') as 'short' | 'ci' | 'full'

describe.each(Object.entries(TWO_TABS))('two tabs on one %s store with its lock', (kind, shape) => {
  const worlds = WORLDS.filter(({ isLarge }) => !isLarge || extent !== 'short' || kind === 'sync')
  it.each(worlds)('keep every promise and come to rest, with $name', { timeout: 3_600_000 }, (world) => {
    const budget = boundsOf(world, kind as keyof typeof TWO_TABS, extent)
    const beganAtMs = performance.now()
    const { states, transitions, depth, atRest, isComplete, failure } = explore({ shape, budget })
    const seconds = (performance.now() - beganAtMs) / 1000
    const what = Object.entries(budget).filter(([, count]) => count > 0)
    console.info(
      `${kind}, ${world.name}: ${states} situations (${atRest} at rest), ${transitions} moves between them, ` +
        `${depth} deep, in ${seconds.toFixed(1)} s; ${what.map(([name, count]) => `${count} ${name}`).join(', ')}`,
    )
    const path = failure?.path.map((line, at) => `${at + 1}. ${line}`) ?? []
    expect([failure?.fault ?? '', ...path].join('\n')).toBe('')
    expect(isComplete).toBe(true)
  })
})
