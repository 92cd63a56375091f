// Owns the plans of the chaos tests: what happens to the tabs and in which order, drawn from a seed.
// Knows no browser and nothing of how a plan goes, so that one seed is one plan, on every machine.
import { createRandom, type Random } from '../support/shuffle.js'

/**
 * `expire`: the access tokens die, and some tabs ask at once. `hold`: the next refresh is answered late. `fail`: it gets
 * a 503 first. `lose`, `freeze`: preferably the tab that refreshes.
 */
export type Action =
  | 'fire'
  | 'expire'
  | 'hold'
  | 'release'
  | 'fail'
  | 'show'
  | 'open'
  | 'lose'
  | 'freeze'
  | 'thaw'
export type Loss = 'close' | 'crash' | 'reload'

export interface Step {
  action: Action
  /** In [0, 1): which of the tabs that could be meant. */
  pick: number
  /** How many requests, or how many tabs. */
  count: number
  /** Where a held refresh stops: before the server has spent the token, or after. */
  at: 'arrival' | 'answer'
  loss: Loss
}

/** How often each action comes up. */
const WEIGHTS: Record<Action, number> = {
  fire: 3,
  expire: 6,
  hold: 5,
  release: 1,
  fail: 2,
  show: 1,
  open: 3,
  lose: 4,
  freeze: 3,
  thaw: 4,
}

const LOSSES = ['close', 'crash', 'reload'] as const

export function createPlan(seed: number, length: number): Step[] {
  const random = createRandom(seed)
  return Array.from({ length }, () => ({
    action: draw(random),
    pick: random(),
    count: 1 + Math.floor(random() * 4),
    at: random() < 0.3 ? 'arrival' : 'answer',
    loss: LOSSES[Math.floor(random() * LOSSES.length)] as Loss,
  }))
}

function draw(random: Random): Action {
  const actions = Object.keys(WEIGHTS) as Action[]
  let left = random() * actions.reduce((sum, action) => sum + WEIGHTS[action], 0)
  return actions.find((action) => (left -= WEIGHTS[action]) < 0) as Action
}
