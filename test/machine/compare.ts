// Whether the canonical form is right: situations that it counts as one must go on alike. All situations are kept apart
// here, by a text that leaves nothing out; those with the same canonical text must have the same successors.
import { textOfWorld } from './canonical.js'
import { copyWorld } from './copy.js'
import { type Bounds, isAtRest } from './explore.js'
import { checkRest } from './invariants.js'
import { describe, perform, startWorld } from './moves.js'
import { possibleMoves } from './possible.js'
import type { World } from './world.js'

export interface Comparison {
  /** How many situations there are, and how many once those that count as equal are one. */
  exact: number
  canonical: number
  /** The first thing that is wrong, as readable lines. */
  fault: string[]
}

interface Reached {
  world: World
  path: string[]
}

interface Known {
  path: string[]
  successors: string[]
}

/** @param textOf the canonical form that is tried */
export function compareMerged({ shape, budget, machine }: Bounds, textOf = textOfWorld): Comparison {
  const root = startWorld(shape, budget, machine)
  const exact = new Set([exactTextOf(root)])
  const known = new Map<string, Known>()
  let fault: string[] = []
  let frontier: Reached[] = [{ world: root, path: [] }]
  while (frontier.length > 0 && fault.length === 0) {
    const next: Reached[] = []
    for (const { world, path } of frontier) {
      const before = exactTextOf(world)
      const text = textOf(world)
      const here: Known = { path, successors: [] }
      for (const reached of goOn(world, textOf, here)) {
        const key = exactTextOf(reached.world)
        if (!exact.has(key)) next.push(reached)
        exact.add(key)
      }
      const like = known.get(text) ?? here
      known.set(text, like)
      if (exactTextOf(world) !== before) fault = [...path, 'is changed by what comes after it']
      else if (like.successors.join() !== here.successors.join()) fault = differenceOf(like, here)
      if (fault.length > 0) break
    }
    frontier = next
  }
  return { exact: exact.size, canonical: known.size, fault }
}

function goOn(world: World, textOf: (world: World) => string, here: Known): Reached[] {
  const successors = new Set([isAtRest(world) ? `at rest ${checkRest(copyWorld(world, -1)) ?? ''}` : ''])
  const reached: Reached[] = []
  for (const move of possibleMoves(world)) {
    const after = copyWorld(world, move.tab)
    successors.add(perform(after, move) ?? textOf(after))
    reached.push({ world: after, path: [...here.path, describe(world, move)] })
  }
  here.successors = [...successors].sort()
  return reached
}

function differenceOf(one: Known, other: Known): string[] {
  const only = (these: Known, those: Known) =>
    these.successors.filter((text) => !those.successors.includes(text)).map((text) => `  may become ${text}`)
  return [...one.path, ...only(one, other), 'counts as equal to', ...other.path, ...only(other, one)]
}

/** Every field as it is, and every object once, however many ways lead to it. */
function exactTextOf({ links: _links, shape: _shape, machine: _machine, tally: _tally, ...world }: World) {
  const met = new Map<object, number>()
  const write = (value: unknown): string => {
    if (value instanceof Error) return value.message
    if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
    const at = met.get(value)
    if (at !== undefined) return `#${at}`
    met.set(value, met.size)
    return `{${Object.entries(value).map(([name, inner]) => `${name}:${write(inner)}`)}}`
  }
  return write(world)
}
