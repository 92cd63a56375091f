// Breadth first over every situation that a bounded world can get into. Each is checked, and that every run comes to rest.
// Kept of a situation are 64 bits of its text and how it was reached; its path is found again by going it.
import { textOfWorld } from './canonical.js'
import { copyWorld } from './copy.js'
import { checkRest } from './invariants.js'
import { describe, perform, startWorld } from './moves.js'
import { possibleMoves } from './possible.js'
import type { Budget, Machine, Shape } from './shape.js'
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
  const { shape, budget, machine, mostStates = Infinity } = bounds
  const states = createStates()
  const found: Exploration = { states: 0, transitions: 0, depth: 0, atRest: 0, isComplete: false }
  const root = startWorld(shape, budget, machine)
  states.add(textOfWorld(root), -1, 0)
  let frontier: Reached[] = [{ world: root, state: 0 }]
  for (; frontier.length > 0; found.depth++) {
    const next: Reached[] = []
    for (const reached of frontier) {
      const failure = expand(reached, states, found, next)
      if (failure !== undefined) {
        return {
          ...found,
          states: states.count(),
          failure: trace(bounds, states.pathTo(reached.state), failure),
        }
      }
    }
    if (states.count() > mostStates) return { ...found, states: states.count() }
    frontier = next
  }
  const failure = states.hasCycle() ? { fault: 'It may go round in circles for ever.', path: [] } : undefined
  return { ...found, depth: found.depth - 1, states: states.count(), isComplete: true, failure }
}

/** @returns the move that shows a fault; -1 where the situation itself does */
function expand(
  { world, state }: Reached,
  states: States,
  found: Exploration,
  next: Reached[],
): number | undefined {
  if (possibleMoves(world, true).length === 0) {
    found.atRest++
    if (checkRest(world)) return -1
  }
  const moves = possibleMoves(world)
  const spent = total(world.left)
  for (const [at, move] of moves.entries()) {
    const after = copyWorld(world, move.tab)
    found.transitions++
    if (perform(after, move)) return at
    const { index, isNew } = states.add(textOfWorld(after), state, at)
    if (isNew) next.push({ world: after, state: index })
    // What costs something cannot be part of a circle.
    if (total(after.left) === spent) states.link(state, index)
  }
  return undefined
}

function total(left: Budget): number {
  let sum = 0
  for (const name in left) sum += left[name as keyof Budget]
  return sum
}

/** The moves that lead to a fault, as readable lines. */
function trace({ shape, budget, machine }: Bounds, path: number[], last: number): Exploration['failure'] {
  const world = startWorld(shape, budget, machine)
  const lines: string[] = []
  for (const at of last < 0 ? path : [...path, last]) {
    const move = possibleMoves(world)[at]
    if (!move) break
    lines.push(describe(world, move))
    perform(world, move)
  }
  return { fault: checkRest(world) ?? '', path: lines }
}

// ---- what is kept of each situation ----------------------------------------------------------------------------------

type States = ReturnType<typeof createStates>

function createStates() {
  let table = new Int32Array(1 << 16).fill(-1)
  const low = growing()
  const high = growing()
  const parents = growing()
  const moves = growing()
  const from = growing()
  const to = growing()

  return {
    count: () => low.size(),
    link(one: number, other: number) {
      from.push(one)
      to.push(other)
    },
    add(text: string, parent: number, move: number): { index: number; isNew: boolean } {
      const [one, two] = hashOf(text)
      let slot = slotOf(one, two)
      const known = table[slot] as number
      if (known >= 0) return { index: known, isNew: false }
      if (low.size() * 2 > table.length) {
        grow()
        slot = slotOf(one, two)
      }
      const index = low.size()
      table[slot] = index
      low.push(one)
      high.push(two)
      parents.push(parent)
      moves.push(move)
      return { index, isNew: true }
    },
    pathTo(state: number): number[] {
      const path: number[] = []
      for (let at = state; at > 0; at = parents.at(at)) path.unshift(moves.at(at))
      return path
    },
    /** Takes away what nothing leads to any more, until nothing is left, or a circle. */
    hasCycle: () => hasCycle(low.size(), from, to),
  }

  function slotOf(one: number, two: number): number {
    let slot = one & (table.length - 1)
    for (;;) {
      const at = table[slot] as number
      if (at < 0 || (low.at(at) === one && high.at(at) === two)) return slot
      slot = (slot + 1) & (table.length - 1)
    }
  }

  function grow(): void {
    table = new Int32Array(table.length * 2).fill(-1)
    for (let at = 0; at < low.size(); at++) table[slotOf(low.at(at), high.at(at))] = at
  }
}

function hasCycle(count: number, from: Growing, to: Growing): boolean {
  const begins = new Int32Array(count + 1)
  const arrivals = new Int32Array(count)
  for (let at = 0; at < from.size(); at++) {
    begins[from.at(at) + 1] = (begins[from.at(at) + 1] as number) + 1
    arrivals[to.at(at)] = (arrivals[to.at(at)] as number) + 1
  }
  for (let at = 0; at < count; at++) begins[at + 1] = (begins[at + 1] as number) + (begins[at] as number)
  const filled = begins.slice()
  const targets = new Int32Array(from.size())
  for (let at = 0; at < from.size(); at++) {
    const slot = filled[from.at(at)] as number
    filled[from.at(at)] = slot + 1
    targets[slot] = to.at(at)
  }
  const ready = new Int32Array(count)
  let known = 0
  for (let at = 0; at < count; at++) if (arrivals[at] === 0) ready[known++] = at
  for (let done = 0; done < known; done++) {
    const state = ready[done] as number
    for (let at = begins[state] as number; at < (begins[state + 1] as number); at++) {
      const target = targets[at] as number
      const left = (arrivals[target] as number) - 1
      arrivals[target] = left
      if (left === 0) ready[known++] = target
    }
  }
  return known < count
}

type Growing = ReturnType<typeof growing>

function growing() {
  let items = new Int32Array(1 << 12)
  let size = 0
  return {
    size: () => size,
    at: (at: number) => items[at] as number,
    push(item: number) {
      if (size === items.length) {
        const larger = new Int32Array(size * 2)
        larger.set(items)
        items = larger
      }
      items[size++] = item
    },
  }
}

/** Two numbers of 32 bits, each from every character. */
function hashOf(text: string): [number, number] {
  let one = 0x9e3779b9
  let two = 0x41c6ce57
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    one = Math.imul(one ^ code, 0x85ebca6b)
    one = (one << 13) | (one >>> 19)
    two = Math.imul(two ^ code, 0xc2b2ae35)
    two = (two << 17) | (two >>> 15)
  }
  one = Math.imul(one ^ (one >>> 16), 0x85ebca6b) ^ Math.imul(two ^ (two >>> 13), 0xc2b2ae35)
  two = Math.imul(two ^ (two >>> 16), 0x27d4eb2f) ^ Math.imul(one ^ (one >>> 13), 0x165667b1)
  return [one | 0, two | 0]
}
