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

/** Two expiries in most of them: one that the clock shows, one that only a 401 does. */
const EXPIRIES = Object.freeze({ expiries: 1, rejections: 1 })

const EXTENTS = Object.freeze({ short: 0, ci: 1, full: 2 })
export type Extent = keyof typeof EXTENTS

/** Requests in the short version, in CI's and in the full one; with 0 the world is left out. */
type Requests = readonly [short: number, ci: number, full: number]

export interface Explored {
  name: string
  /** Beside the requests. */
  budget: Partial<Budget>
  /** A slow store takes three moves for each call, so its worlds have more situations. */
  sync: Requests
  slow: Requests
}

const SMALL = Object.freeze({ sync: [1, 2, 3], slow: [1, 1, 2] } satisfies Partial<Explored>)
const LARGE = Object.freeze({ sync: [1, 2, 3], slow: [0, 1, 2] } satisfies Partial<Explored>)

/** All that may go wrong with a refresh at once, and one more accident. */
const EVERYTHING = Object.freeze({ ...EXPIRIES, losses: 1, delays: 1 })

export const WORLDS: readonly Explored[] = Object.freeze([
  {
    name: 'a sign-out, a crash, a lost answer and a late one',
    budget: { ...EVERYTHING, signOuts: 1, crashes: 1 },
    sync: [1, 2, 3],
    slow: [0, 1, 1],
  },
  {
    name: 'a sign-out, a freeze, a lost answer and a late one',
    budget: { ...EVERYTHING, signOuts: 1, freezes: 1 },
    sync: [1, 1, 3],
    slow: [0, 1, 1],
  },
  {
    name: 'a user switch, a crash, a lost answer and a late one',
    budget: { ...EVERYTHING, signIns: 1, crashes: 1 },
    sync: [0, 1, 2],
    slow: [0, 0, 1],
  },
  {
    name: 'a user switch, a freeze, a lost answer and a late one',
    budget: { ...EVERYTHING, signIns: 1, freezes: 1 },
    sync: [0, 1, 2],
    slow: [0, 0, 1],
  },
  { name: 'a sign-out', budget: { ...EXPIRIES, signOuts: 1 }, ...LARGE },
  { name: 'a crash', budget: { ...EXPIRIES, crashes: 1 }, ...SMALL },
  { name: 'a freeze', budget: { ...EXPIRIES, freezes: 1 }, ...SMALL },
  { name: 'a user switch', budget: { ...EXPIRIES, signIns: 1 }, ...LARGE },
  { name: 'a lost answer and a late one', budget: { ...EXPIRIES, losses: 1, delays: 1 }, ...SMALL },
  {
    name: 'staleness, a cool-down, a lost answer and a late one',
    budget: { rejections: 1, waits: 2, losses: 1, delays: 1 },
    sync: [1, 1, 2],
    slow: [1, 1, 2],
  },
  {
    name: 'a sign-in, a sign-out and a crash',
    budget: { rejections: 1, signIns: 1, signOuts: 1, crashes: 1 },
    sync: [0, 1, 1],
    slow: [0, 0, 1],
  },
  {
    name: 'tokens that the app brings',
    budget: { refreshes: 1, updates: 1 },
    sync: [1, 2, 2],
    slow: [0, 1, 2],
  },
  { name: 'a write that fails', budget: { ...EXPIRIES, failedWrites: 1 }, ...SMALL },
])

export function boundsOf({ budget, ...most }: Explored, kind: 'sync' | 'slow', extent: Extent): Budget {
  return { ...NOTHING, ...budget, requests: most[kind][EXTENTS[extent]] }
}
