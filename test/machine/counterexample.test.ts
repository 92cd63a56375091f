// What exploring says of a machine with a bug: what is wrong, and the shortest way there, for a reader.
import { describe, expect, it } from 'vitest'
import { BUGS, type Bug } from './bugs.js'
import { copyWorld } from './copy.js'
import { explore, isAtRest, reportOf } from './explore.js'
import { checkRest } from './invariants.js'
import { perform, startWorld } from './moves.js'
import { possibleMoves } from './possible.js'
import { MACHINE, type Machine } from './shape.js'
import type { World } from './world.js'
import { NOTHING, ONE_TAB } from './worlds.js'

const bugNamed = (name: string) => BUGS.find((bug) => bug.name === name) as Bug

describe('a counterexample', () => {
  it('is printed as what is wrong and the moves that lead there', () => {
    const bug = bugNamed('others cannot see a refresh that is under way, and join it')
    expect(reportOf(explore(bug)).split('\n')).toEqual([
      'A second refresh is started beside the first.',
      '1. tab A has its token expire',
      '2. tab A makes a request',
      '3. tab A makes a request',
    ])
  })

  it('of two tabs says which of them does what', () => {
    const bug = bugNamed('a refusal is believed without another look into the store')
    expect(reportOf(explore(bug)).split('\n')).toEqual([
      'Tab A writes that the session was refused over tokens that are newer than its own.',
      '1. tab A calls refresh()',
      '2. tab A gets its turn',
      '3. tab A freezes',
      '4. tab B calls refresh()',
      '5. tab B passes the frozen holder of the lock',
      '6. tab B gets its turn',
      '7. tab B has its refresh handled by the server',
      '8. tab A has its refresh handled by the server',
      '9. tab A thaws',
      '10. tab B reads the answer to its refresh',
      '11. tab A reads the answer to its refresh',
    ])
  })

  const SHORT_ONES = BUGS.map((bug) => ({ ...bug, path: explore(bug).failure?.path ?? [] })).filter(
    ({ path }) => path.length <= 6,
  )

  it.each(SHORT_ONES)('is the shortest that there is, where $name', (bug) => {
    expect(bug.path.length).toBeGreaterThan(0)
    const start = () => startWorld(bug.shape, bug.budget, bug.machine)
    expect(hasFaultWithin(start(), bug.path.length)).toBe(true)
    expect(hasFaultWithin(start(), bug.path.length - 1)).toBe(false)
  })

  it('is also what never ends: here a store that is read again and again', () => {
    const machine: Machine = {
      ...MACHINE,
      step: (state, event, nowMs) =>
        event.type === 'looked'
          ? [{ do: 'look', run: event.run, part: 1 / 2, next: event }]
          : MACHINE.step(state, event, nowMs),
    }
    const found = explore({ shape: ONE_TAB.slow, budget: { ...NOTHING, refreshes: 1 }, machine })
    expect(reportOf(found).split('\n')).toEqual([
      'From there it may go round in circles for ever.',
      '1. tab A calls refresh()',
      '2. tab A has its store call done',
    ])
  })
})

/** Goes every way there is, however many lead to the same situation: slower than exploring, and too simple to be wrong. */
function hasFaultWithin(world: World, moves: number): boolean {
  if (isAtRest(world) && checkRest(world)) return true
  if (moves === 0) return false
  return possibleMoves(world).some((move) => {
    const after = copyWorld(world, move.tab)
    return perform(after, move) !== undefined || hasFaultWithin(after, moves - 1)
  })
}
