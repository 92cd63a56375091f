// What a run of the benchmark found, as bench/results.json holds it, and how it is drawn from the rounds. Pure.
// Promise: a ratio compares what was measured in the same round, so that a machine that gets slower does not show in it.
import type { BurstFound, BurstPlan, CostFound, HeldFound } from './measure.js'
import { BARE } from './sides.js'

/** The median of the rounds, and the quartiles around it. */
export interface Spread {
  median: number
  low: number
  high: number
}

/** The least and the most that was counted in any round. */
export interface Range {
  least: number
  most: number
}

/** What one request costs when nothing is wrong. */
export interface Cost {
  side: string
  request: string
  us: Spread
  /** To bare axios. */
  ratio: Spread
}

/** Requests that were made at once with a rejected token. */
export interface Burst extends BurstPlan {
  side: string
  answered: Range
  refreshes: Range
  onTheWire: Range
  reuses: Range
  ms: Spread
  /** To doing it by hand. */
  ratio: Spread
}

/** Requests that waited for one refresh. */
export interface Held {
  side: string
  count: number
  answered: Range
  /** Heap per request that waits, beyond that of one that waits in bare axios. */
  bytes: Spread
  /** From the answer of the refresh until the last caller had theirs. */
  settleMs: Spread
}

export interface Results {
  date: string
  /** Cores and Node's version. */
  machine: string
  versions: Record<string, string>
  cost: Cost[]
  burst: Burst[]
  held: Held[]
  /** By what is imported: minified and gzipped, axios left out. */
  bytes: Record<string, number>
}

/** What each side found, one entry for each round. */
export type BySide<T> = Record<string, T[]>

export function summariseCost(found: BySide<CostFound>): Cost[] {
  return sidesOf(found).flatMap(({ side, rounds, bare }) =>
    Object.keys(rounds[0] ?? {}).map((request) => {
      const us = rounds.map((round) => round[request] ?? Number.NaN)
      const bareUs = bare.map((round) => round[request] ?? Number.NaN)
      return { side, request, us: spreadOf(us), ratio: ratioOf(us, bareUs) }
    }),
  )
}

export function summariseBursts(plans: BurstPlan[], found: BySide<BurstFound>): Burst[] {
  return sidesOf(found).flatMap(({ side, rounds, bare }) =>
    plans.map((plan, at) => {
      const all = rounds.flatMap((round) => round[at] ?? [])
      const count = (of: 'answered' | 'refreshes' | 'onTheWire' | 'reuses') =>
        rangeOf(all.map((one) => one[of]))
      const msOf = (found: BurstFound[]) =>
        found.map((round) => median((round[at] ?? []).map(({ ms }) => ms)))
      return {
        side,
        ...plan,
        answered: count('answered'),
        refreshes: count('refreshes'),
        onTheWire: count('onTheWire'),
        reuses: count('reuses'),
        ms: spreadOf(msOf(rounds)),
        ratio: ratioOf(msOf(rounds), msOf(bare)),
      }
    }),
  )
}

export function summariseHeld(count: number, found: BySide<HeldFound>): Held[] {
  return sidesOf(found).map(({ side, rounds, bare }) => ({
    side,
    count,
    answered: rangeOf(rounds.map(({ answered }) => answered)),
    bytes: spreadOf(rounds.map(({ bytes }, round) => bytes - (bare[round]?.bytes ?? Number.NaN))),
    settleMs: spreadOf(rounds.map(({ settleMs }) => settleMs)),
  }))
}

/** Between two neighbours, in proportion. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * part
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

function sidesOf<T>(found: BySide<T>) {
  return Object.entries(found).map(([side, rounds]) => ({ side, rounds, bare: found[BARE] ?? [] }))
}

function spreadOf(values: readonly number[]): Spread {
  return {
    median: rounded(median(values)),
    low: rounded(quantile(values, 0.25)),
    high: rounded(quantile(values, 0.75)),
  }
}

function ratioOf(values: readonly number[], bare: readonly number[]): Spread {
  return spreadOf(values.map((value, round) => value / (bare[round] ?? Number.NaN)))
}

function rangeOf(counts: readonly number[]): Range {
  return { least: Math.min(...counts), most: Math.max(...counts) }
}

/** More digits than these mean nothing. */
function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
