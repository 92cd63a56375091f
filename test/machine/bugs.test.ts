// The models can fail: each of eleven bugs, put into the machine by hand, is found by chance and by exploring.
import { describe, expect, it } from 'vitest'
import { createRandom } from '../support/shuffle.js'
import { BUGS } from './bugs.js'
import { explore } from './explore.js'
import { playAtRandom } from './random.js'

const MOST_EVENTS = 100_000
/** With which each takes no longer than that; others need up to 200,000 events for the rarest. */
const SEED = 5

describe.each(BUGS)('a machine in which $name', ({ name, machine, shape, budget }) => {
  it('is found in random worlds', { timeout: 120_000 }, () => {
    const { failure } = playAtRandom(MOST_EVENTS, createRandom(SEED), machine)
    expect(failure).toBeDefined()
    console.info(`${name}: after ${failure?.eventsUntilFound} events, shown by ${failure?.path.length} moves`)
  })

  it('is found by exploring a small world', { timeout: 120_000 }, () => {
    const { failure, states } = explore({ shape, budget, machine })
    expect(failure?.fault).toBeTruthy()
    console.info(`${name}: the ${states} first situations, shown by ${failure?.path.length} moves`)
    expect(explore({ shape, budget }).failure).toBeUndefined()
  })
})
