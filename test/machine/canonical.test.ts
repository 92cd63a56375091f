// What the exploration rests on: situations with the same text are counted as one, so they must go on alike. A field that
// the text leaves out although it matters shows here, as two paths to one text after which different things can happen.
import { describe, expect, it } from 'vitest'
import { textOfWorld } from './canonical.js'
import { copyWorld } from './copy.js'
import { describe as describeMove, perform, startWorld } from './moves.js'
import { possibleMoves } from './possible.js'
import type { Budget, Shape } from './shape.js'
import type { World } from './world.js'
import { NOTHING, TWO_TABS } from './worlds.js'

interface Visited {
  world: World
  path: string[]
}

interface Difference {
  one: string[]
  other: string[]
  /** What can happen after one of them only. */
  after: string[]
}

/** How often two paths led to one text, and the first two that do not go on alike. */
function compareMerged(shape: Shape, budget: Budget): { merged: number; difference?: Difference } {
  const known = new Map<string, { path: string[]; next: Set<string> }>()
  let frontier: Visited[] = [{ world: startWorld(shape, budget), path: [] }]
  let merged = 0
  while (frontier.length > 0) {
    const next: Visited[] = []
    for (const { world, path } of frontier) {
      const text = textOfWorld(world)
      // The text of a tab is kept while other tabs move: it must still be what would be written now.
      const copy = world.tabs.reduce((from, _, at) => copyWorld(from, at), world)
      expect(text).toBe(textOfWorld(copy))
      const successors = successorsOf(world)
      const texts = new Set(successors.map((successor) => successor.text))
      const same = known.get(text)
      if (!same) {
        known.set(text, { path, next: texts })
        for (const { move, world: after } of successors) next.push({ world: after, path: [...path, move] })
        continue
      }
      merged++
      const after = successors.filter((successor) => !same.next.has(successor.text)).map(({ move }) => move)
      if (after.length > 0 || texts.size !== same.next.size)
        return { merged, difference: { one: same.path, other: path, after } }
    }
    frontier = next
  }
  return { merged }
}

function successorsOf(world: World) {
  return possibleMoves(world).map((move) => {
    const after = copyWorld(world, move.tab)
    const line = describeMove(world, move)
    const fault = perform(after, move) ?? ''
    return { move: line, world: after, text: textOfWorld(after) + fault }
  })
}

const BUDGETS: readonly Partial<Budget>[] = Object.freeze([
  { requests: 1, expiries: 1, losses: 1, delays: 1, freezes: 1 },
  { requests: 2, expiries: 1 },
  { requests: 2, rejections: 1, signOuts: 1 },
  { rejections: 1, signOuts: 1, signIns: 1 },
  { requests: 1, expiries: 1, rejections: 1, crashes: 1 },
  { requests: 1, waits: 2, delays: 1 },
  { requests: 1, rejections: 2, delays: 1 },
  { requests: 1, refreshes: 1, freezes: 1 },
  { requests: 1, updates: 1, mixUps: 1 },
  { requests: 1, rejections: 1, failedWrites: 1, delays: 1 },
  { requests: 1, refreshes: 1, listeners: 1 },
])

describe.each(Object.entries(TWO_TABS))(
  'situations of two tabs on one %s store that count as one',
  (_, shape) => {
    it.each(BUDGETS)('go on alike, with %o', { timeout: 120_000 }, (bounds) => {
      const { merged, difference } = compareMerged(shape, { ...NOTHING, ...bounds })
      expect(difference).toBeUndefined()
      expect(merged).toBeGreaterThan(10)
    })
  },
)
