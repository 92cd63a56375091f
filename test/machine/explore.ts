// Breadth first over every situation that a bounded world can get into. Each is checked, and that every run comes to rest.
// A run comes to rest because no moves lead round in a circle, and because wherever none is left, nothing is open.
import { keyOfWorld } from './canonical.js'
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

export function explore(bounds: Bounds): Exploration {
  const { stackTraceLimit } = Error
  // The machine makes errors in every second move, and nobody looks at where.
  Error.stackTraceLimit = 0
  try {
    return exploreAll(bounds)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function exploreAll(bounds: Bounds): Exploration {
  const { shape, budget, machine, mostStates = Infinity } = bounds
  const states = createStates()
  const found: Exploration = { states: 0, transitions: 0, depth: 0, atRest: 0, isComplete: false }
  const root = startWorld(shape, budget, machine)
  states.add(keyOfWorld(root), -1, 0)
  let frontier: Reached[] = [{ world: root, state: 0 }]
  for (; frontier.length > 0; found.depth++) {
    const next: Reached[] = []
    // All of them are as far from the start, so their order does not matter; those that are done need no memory.
    for (let reached = frontier.pop(); reached; reached = frontier.pop()) {
      const move = expand(reached, states, found, next)
      if (move === undefined) continue
      const failure = trace(bounds, states.pathTo(reached.state), move)
      return { ...found, states: states.count(), failure }
    }
    if (states.count() > mostStates) return { ...found, states: states.count() }
    frontier = next
  }
  const circle = states.circle()
  const failure = circle >= 0 ? trace(bounds, states.pathTo(circle), NO_MOVE, NEVER_AT_REST) : undefined
  return { ...found, depth: found.depth - 1, states: states.count(), isComplete: true, failure }
}

const NO_MOVE = -1
const NEVER_AT_REST = 'From there it may go round in circles for ever.'

/** @returns the move that shows a fault; `NO_MOVE` where the situation itself does */
function expand(
  { world, state }: Reached,
  states: States,
  found: Exploration,
  next: Reached[],
): number | undefined {
  if (isAtRest(world)) {
    found.atRest++
    if (checkRest(world)) return NO_MOVE
  }
  const moves = possibleMoves(world)
  const spent = total(world.left)
  for (const [at, move] of moves.entries()) {
    const after = copyWorld(world, move.tab)
    found.transitions++
    if (perform(after, move)) return at
    const { index, isNew } = states.add(keyOfWorld(after), state, at)
    if (isNew) next.push({ world: after, state: index })
    // What costs something cannot be part of a circle.
    if (total(after.left) === spent) states.link(state, index)
  }
  return undefined
}

/** Nothing comes by itself any more. A tab that stays frozen for ever must not keep the others from that. */
export function isAtRest(world: World): boolean {
  return possibleMoves(world, true).every((move) => move.do === 'thaws')
}

function total(left: Budget): number {
  let sum = 0
  for (const name in left) sum += left[name as keyof Budget]
  return sum
}

/** The moves that lead to a fault, as readable lines. */
function trace(
  { shape, budget, machine }: Bounds,
  path: number[],
  last: number,
  fault?: string,
): Exploration['failure'] {
  const world = startWorld(shape, budget, machine)
  const lines: string[] = []
  for (const at of last === NO_MOVE ? path : [...path, last]) {
    const move = possibleMoves(world)[at]
    if (!move) break
    lines.push(describe(world, move))
    perform(world, move)
  }
  return { fault: fault ?? checkRest(world) ?? '', path: lines }
}

/** For people: what is wrong, and the shortest way there. Empty where nothing is. */
export function reportOf({ failure }: Exploration): string {
  if (!failure) return ''
  return [failure.fault, ...failure.path.map((line, at) => `${at + 1}. ${line}`)].join('\n')
}
