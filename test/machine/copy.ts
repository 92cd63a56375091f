// Copies a world, sharing what a move cannot change: the other tabs, frozen records, errors, the rules.
import type { Tab, World } from './world.js'

/** @param at the tab that the next move is of: the others are shared with the original */
export function copyWorld(world: World, at: number): World {
  return {
    ...world,
    left: { ...world.left },
    server: {
      families: world.server.families.map((family) => ({ ...family, endsAtMs: [...family.endsAtMs] })),
    },
    store: { ...world.store },
    hints: [...world.hints],
    stored: { ...world.stored },
    signedOut: [...world.signedOut],
    tabs: world.tabs.map((tab, other) => (other === at ? (copyOf(tab, new Map()) as Tab) : tab)),
  }
}

/** The whole graph, with every object once, however many ways lead to it. */
function copyOf(value: object, copies: Map<object, object>): object {
  const known = copies.get(value)
  if (known) return known
  if (value instanceof Error || Object.isFrozen(value)) return value
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>
  copies.set(value, copy)
  for (const name in copy) {
    const inner = copy[name]
    if (typeof inner === 'object' && inner !== null) copy[name] = copyOf(inner, copies)
  }
  return copy
}
