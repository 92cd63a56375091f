// What an exploration prints of a fault: the moves that lead to it, and no shorter way exists.
import { describe, expect, it } from 'vitest'
import { BUGS, type Bug } from './bugs.js'
import { copyWorld } from './copy.js'
import { counterexampleOf, explore } from './explore.js'
import { checkRest } from './invariants.js'
import { perform, startWorld } from './moves.js'
import { possibleMoves } from './possible.js'
import { createStates } from './states.js'
import type { World } from './world.js'

const bugNamed = (name: string) => BUGS.find((bug) => bug.name === name) as Bug

/** Tries every order of moves, and takes no two situations for one: independent of their texts. */
function fewestMovesToFault({ shape, budget, machine }: Bug, most: number): number {
  let frontier: World[] = [startWorld(shape, budget, machine)]
  for (let moves = 1; moves <= most; moves++) {
    const next: World[] = []
    for (const world of frontier) {
      for (const move of possibleMoves(world)) {
        const after = copyWorld(world, move.tab)
        if (perform(after, move)) return moves
        if (possibleMoves(after, true).length === 0 && checkRest(after)) return moves
        next.push(after)
      }
    }
    frontier = next
  }
  return Infinity
}

describe('a counterexample', () => {
  it('is printed as the moves that lead to the fault', () => {
    expect(counterexampleOf(explore(bugNamed('a late 401 counts against the newer token')))).toBe(
      [
        'The late 401 of request 2 counts against a newer token.',
        '1. tab A makes a request',
        '2. tab A makes a request',
        '3. tab A has its access tokens rejected from now on',
        '4. tab A has its request rejected (request 1)',
        '5. tab A gets its turn',
        '6. tab A has its refresh handled by the server',
        '7. tab A reads the answer to its refresh',
        '8. tab A has its request rejected (request 2)',
      ].join('\n'),
    )
  })

  it.each([
    'a late 401 counts against the newer token',
    'a grant is committed after its session has ended',
    'an ended session comes back from a record',
    'a failed refresh leaves everybody waiting',
  ])('has as few moves as any way to the same fault: %s', (name) => {
    const bug = bugNamed(name)
    const { failure } = explore(bug)
    expect(failure?.path.length).toBe(fewestMovesToFault(bug, 12))
  })
})

describe('a circle', () => {
  const add = (states: ReturnType<typeof createStates>, names: string[]) =>
    names.map((name) => states.add(name, 0, 0).index)

  it('is found where situations lead back to themselves, and not merely after it', () => {
    const states = createStates()
    const [start, one, two, after] = add(states, ['start', 'one', 'two', 'after']) as [
      number,
      number,
      number,
      number,
    ]
    states.link(start, one)
    states.link(two, after)
    states.link(one, two)
    expect(states.findCircle()).toBeUndefined()
    states.link(two, one)
    expect([one, two]).toContain(states.findCircle())
  })
})
