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

export type Extent = 'short' | 'ci' | 'full'

export interface Explored {
  name: string
  shape: Shape
  budget: Budget
}

/** What may happen beside the requests; how many of those there are in each extent. Without a number, it is left out. */
interface Row extends Partial<Budget> {
  name: string
  /** Between two jobs of a tab too, its app may act. */
  inBetween?: true
  short?: number
  ci?: number
  full: number
}

/** Two expiries: one that the clock shows, and one that only a 401 shows. */
const EXPIRIES = Object.freeze({ expiries: 1, rejections: 1 })
/** An answer of the refresh endpoint is lost, and one is late. */
const ANSWERS = Object.freeze({ losses: 1, delays: 1 })

const SYNC: readonly Row[] = Object.freeze([
  { name: 'sign-out, crash', short: 1, ci: 2, full: 3, ...EXPIRIES, ...ANSWERS, signOuts: 1, crashes: 1 },
  { name: 'sign-out, freeze', short: 1, ci: 2, full: 2, ...EXPIRIES, ...ANSWERS, signOuts: 1, freezes: 1 },
  { name: 'user switch, crash', ci: 1, full: 2, ...EXPIRIES, ...ANSWERS, signIns: 1, crashes: 1 },
  { name: 'user switch, freeze', ci: 1, full: 1, ...EXPIRIES, ...ANSWERS, signIns: 1, freezes: 1 },
  { name: 'user switch', short: 1, ci: 2, full: 2, ...EXPIRIES, signIns: 1 },
  {
    name: 'user switch and sign-out, crash',
    ci: 1,
    full: 1,
    ...EXPIRIES,
    signIns: 1,
    signOuts: 1,
    crashes: 1,
  },
  { name: 'crash, freeze', short: 1, ci: 2, full: 2, ...EXPIRIES, ...ANSWERS, crashes: 1, freezes: 1 },
  { name: 'two expiries by the clock', ci: 2, full: 2, expiries: 2, ...ANSWERS },
  { name: 'staleness, cool-down', short: 1, ci: 2, full: 2, rejections: 1, waits: 2, ...ANSWERS },
  { name: 'tokens of the app, refresh()', ci: 1, full: 1, ...EXPIRIES, refreshes: 1, updates: 1 },
  { name: 'failed write', short: 1, ci: 2, full: 2, ...EXPIRIES, losses: 1, failedWrites: 1 },
  { name: "another user's answer", ci: 2, full: 2, ...EXPIRIES, mixUps: 1, freezes: 1 },
  { name: 'listeners that act', ci: 1, full: 2, ...EXPIRIES, listeners: 1, losses: 1 },
  { name: 'app acts in between', ci: 1, full: 2, ...EXPIRIES, signOuts: 1, losses: 1, inBetween: true },
] satisfies Row[])

/** A slow store takes three moves for each call, so there are many more situations. */
const SLOW: readonly Row[] = Object.freeze([
  { name: 'sign-out, crash', ci: 1, full: 1, ...EXPIRIES, ...ANSWERS, signOuts: 1, crashes: 1 },
  { name: 'sign-out, freeze', full: 1, ...EXPIRIES, ...ANSWERS, signOuts: 1, freezes: 1 },
  { name: 'user switch, crash', full: 1, ...EXPIRIES, losses: 1, signIns: 1, crashes: 1 },
  { name: 'user switch, freeze', full: 1, ...EXPIRIES, losses: 1, signIns: 1, freezes: 1 },
  { name: 'user switch', ci: 1, full: 1, rejections: 1, signIns: 1 },
  { name: 'crash', short: 1, ci: 2, full: 2, ...EXPIRIES, crashes: 1 },
  { name: 'freeze', short: 1, ci: 1, full: 2, ...EXPIRIES, freezes: 1 },
  { name: 'lost and late answers', ci: 1, full: 2, ...EXPIRIES, ...ANSWERS },
  { name: 'staleness, cool-down', ci: 1, full: 1, rejections: 1, waits: 2, ...ANSWERS },
  { name: 'tokens of the app, refresh()', short: 1, ci: 1, full: 1, refreshes: 1, updates: 1 },
  { name: 'failed write', short: 1, ci: 1, full: 2, ...EXPIRIES, failedWrites: 1 },
] satisfies Row[])

export function worldsOf(extent: Extent): Explored[] {
  return [
    ...SYNC.map((row) => worldOf(row, 'sync', extent)),
    ...SLOW.map((row) => worldOf(row, 'slow', extent)),
  ].filter(({ budget }) => budget.requests > 0)
}

function worldOf(row: Row, store: keyof typeof TWO_TABS, extent: Extent): Explored {
  const { name, inBetween, short, ci, full, ...accidents } = row
  const requests = { short, ci, full }[extent] ?? 0
  return {
    name: `${store} store: ${name}`,
    shape: { ...TWO_TABS[store], eager: !inBetween },
    budget: { ...NOTHING, ...accidents, requests },
  }
}
