// Breadth first over every situation that a bounded world can get into. Each is checked, and that every run comes to rest.
// Kept of a situation is what states.ts keeps; its path is found again by going it.
import { textOfWorld } from './canonical.js'
import { copyWorld } from './copy.js'
import { checkRest } from './invariants.js'
import { describe, perform, startWorld } from './moves.js'
import { possibleMoves } from './possible.js'
import type { Budget, Machine, Shape } from './shape.js'
import { createStates, type States } from './states.js'
import type { World } from './world.js'

export interface Bounds {
  shape: Shape
  budget: Budget
  machine?: Machine | undefined
  /** Gives up after so many situations. */
  mostStates?: number | undefined
}

export interface Exploration {
  states: number
  transitions: number
  /** The moves of the longest shortest path. */
  depth: number
  /** Situations in which nothing is under way. */
  atRest: number
  isComplete: boolean
  failure?: { fault: string; path: string[] } | undefined
}

interface Reached {
  world: World
  state: number
}

/** Faults come in the order of their paths, so the first one has the shortest there is. */
export function explore(bounds: Bounds): Exploration {
  const { shape, budget, machine, mostStates = Infinity } = bounds
  const states = createStates()
  const found: Exploration = { states: 0, transitions: 0, depth: 0, atRest: 0, isComplete: false }
  const stop = (path: number[], fault?: string): Exploration => ({
    ...found,
    states: states.count(),
    failure: trace(bounds, path, fault),
  })
  const root = startWorld(shape, budget, machine)
  states.add(textOfWorld(root), -1, 0)
  if (isFaultyAtRest(root, found)) return stop([])
  let frontier: Reached[] = [{ world: root, state: 0 }]
  for (; frontier.length > 0; found.depth++) {
    const next: Reached[] = []
    for (const reached of frontier) {
      const move = expand(reached, states, found, next)
      if (move !== undefined) return stop([...states.pathTo(reached.state), move])
    }
    if (states.count() > mostStates) return { ...found, states: states.count() }
    frontier = next
  }
  found.depth--
  const inCircle = states.findCircle()
  if (inCircle !== undefined)
    return stop(states.pathTo(inCircle), 'From here it may go round in circles for ever.')
  return { ...found, states: states.count(), isComplete: true }
}

/** @returns the move that leads to a fault */
function expand(
  { world, state }: Reached,
  states: States,
  found: Exploration,
  next: Reached[],
): number | undefined {
  const spent = total(world.left)
  for (const [at, move] of possibleMoves(world).entries()) {
    const after = copyWorld(world, move.tab)
    found.transitions++
    if (perform(after, move)) return at
    const { index, isNew } = states.add(textOfWorld(after), state, at)
    // What costs something cannot be part of a circle.
    if (total(after.left) === spent) states.link(state, index)
    if (!isNew) continue
    if (isFaultyAtRest(after, found)) return at
    next.push({ world: after, state: index })
  }
  return undefined
}

/** Whoever has no move left that comes by itself must have answered everybody. */
function isFaultyAtRest(world: World, found: Exploration): boolean {
  if (possibleMoves(world, true).length > 0) return false
  found.atRest++
  return !!checkRest(world)
}

function total(left: Budget): number {
  let sum = 0
  for (const name in left) sum += left[name as keyof Budget]
  return sum
}

/** The moves that lead to a fault, as readable lines. */
function trace({ shape, budget, machine }: Bounds, path: number[], fault?: string): Exploration['failure'] {
  const world = startWorld(shape, budget, machine)
  const lines: string[] = []
  for (const at of path) {
    const move = possibleMoves(world)[at]
    if (!move) break
    lines.push(describe(world, move))
    perform(world, move)
  }
  return { fault: fault ?? checkRest(world) ?? '', path: lines }
}

/** For people: what went wrong, and the shortest way there. */
export function counterexampleOf({ failure }: Exploration): string {
  if (!failure) return ''
  return [failure.fault, ...failure.path.map((line, at) => `${at + 1}. ${line}`)].join('\n')
}
