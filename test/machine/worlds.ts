// The bounded worlds that are explored: what each can do, and what it cannot. Together they hold what the machine is
// proven for; a world with everything in it at once would have more situations than fit anywhere.
import type { Budget, Shape } from './shape.js'

export const NOTHING: Budget = Object.freeze({
  requests: 0,
  refreshes: 0,
  updates: 0,
  signOuts: 0,
  signIns: 0,
  expiries: 0,
  rejections: 0,
  waits: 0,
  losses: 0,
  delays: 0,
  crashes: 0,
  freezes: 0,
  failedWrites: 0,
  mixUps: 0,
  listeners: 0,
})

const ALONE: Shape = Object.freeze({
  tabs: 1,
  store: 'sync',
  compares: false,
  lock: false,
  rotates: true,
  retries: 1,
  eager: true,
})

export const ONE_TAB = Object.freeze({ sync: ALONE, slow: { ...ALONE, store: 'slow' } satisfies Shape })

export const TWO_TABS = Object.freeze({
  sync: { ...ALONE, tabs: 2, lock: true } satisfies Shape,
  slow: { ...ALONE, tabs: 2, lock: true, store: 'slow', compares: true } satisfies Shape,
})

/** Two expiries in most of them: one that the clock tells, one that only a 401 does. */
const EXPIRIES = Object.freeze({ expiries: 1, rejections: 1 })

export interface Explored {
  name: string
  budget: Budget
  /** Too large for the short version in a slow store. */
  isLarge: boolean
}

export const WORLDS: readonly Explored[] = Object.freeze(
  [
    { name: 'a sign-out', isLarge: true, budget: { requests: 3, ...EXPIRIES, signOuts: 1 } },
    { name: 'a crash', budget: { requests: 3, ...EXPIRIES, crashes: 1 } },
    { name: 'a freeze', budget: { requests: 3, ...EXPIRIES, freezes: 1 } },
    { name: 'a user switch', isLarge: true, budget: { requests: 3, ...EXPIRIES, signIns: 1 } },
    { name: 'a lost answer and a late one', budget: { requests: 3, ...EXPIRIES, losses: 1, delays: 1 } },
    { name: 'a crash and a lost answer', budget: { requests: 2, ...EXPIRIES, crashes: 1, losses: 1 } },
    { name: 'a freeze and a late answer', budget: { requests: 2, ...EXPIRIES, freezes: 1, delays: 1 } },
    {
      name: 'staleness, a cool-down, a lost answer and a late one',
      budget: { requests: 2, rejections: 1, waits: 2, losses: 1, delays: 1 },
    },
    {
      name: 'a sign-in, a sign-out and a crash',
      isLarge: true,
      budget: { requests: 1, rejections: 1, signIns: 1, signOuts: 1, crashes: 1 },
    },
    { name: 'tokens that the app brings', budget: { requests: 2, refreshes: 1, updates: 1 } },
    { name: 'a write that fails', budget: { requests: 2, ...EXPIRIES, failedWrites: 1 } },
  ].map(({ name, isLarge = false, budget }) => ({ name, isLarge, budget: { ...NOTHING, ...budget } })),
)

/** How many requests there are at the most: a slow store takes three moves for each call, so it has more situations. */
const MOST_REQUESTS = Object.freeze({
  short: { sync: 1, slow: 1 },
  ci: { sync: 2, slow: 1 },
  full: { sync: 3, slow: 2 },
})

export function boundsOf(
  { budget }: Explored,
  kind: 'sync' | 'slow',
  extent: keyof typeof MOST_REQUESTS,
): Budget {
  return { ...budget, requests: Math.min(budget.requests, MOST_REQUESTS[extent][kind]) }
}
