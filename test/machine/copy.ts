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
function copyOf(value: unknown, copies: Map<object, object>): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error || Object.isFrozen(value))
    return value
  const known = copies.get(value)
  if (known) return known
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [] : {}
  copies.set(value, copy)
  for (const name in value) {
    ;(copy as Record<string, unknown>)[name] = copyOf((value as Record<string, unknown>)[name], copies)
  }
  return copy
}
