// Random lives of the world, from a seed; a failing one is made as short as it can be.

import type { Random } from '../support/shuffle.js'
import { checkRest } from './invariants.js'
import { describe, type Move, perform, startWorld } from './moves.js'
import { possibleMoves } from './possible.js'
import type { Budget, Machine, Shape } from './shape.js'
import type { World } from './world.js'

export interface Failure {
  fault: string
  /** The moves, as readable lines. */
  path: string[]
}

export interface Outcome {
  moves: number
  events: number
  worlds: number
  failure?: (Failure & { shape: Shape; eventsUntilFound: number }) | undefined
}

export const SHAPES: readonly Shape[] = Object.freeze([
  { tabs: 1, store: 'sync', compares: false, lock: false },
  { tabs: 1, store: 'slow', compares: false, lock: false },
  { tabs: 2, store: 'sync', compares: false, lock: true },
  { tabs: 3, store: 'sync', compares: false, lock: true },
  { tabs: 2, store: 'slow', compares: true, lock: true },
  { tabs: 2, store: 'slow', compares: false, lock: true },
] satisfies Partial<Shape>[] as Shape[])

/** Plays worlds until their machines have taken `events` events, or one shows a fault. */
export function playAtRandom(events: number, random: Random, machine?: Machine): Outcome {
  const outcome: Outcome = { moves: 0, events: 0, worlds: 0 }
  while (outcome.events < events) {
    const shape = randomShape(random)
    const budget = randomBudget(random, shape)
    const world = startWorld(shape, budget, machine)
    const played: Move[] = []
    const fault = play(world, random, played)
    outcome.moves += played.length
    outcome.events += world.tally.events
    outcome.worlds++
    if (!fault) continue
    const short = shrink(played, () => startWorld(shape, budget, machine))
    outcome.failure = { ...short, shape, eventsUntilFound: outcome.events }
    break
  }
  return outcome
}

function randomShape(random: Random): Shape {
  return {
    ...(SHAPES[Math.floor(random() * SHAPES.length)] as Shape),
    rotates: random() < 0.85,
    retries: Math.floor(random() * 3),
    eager: random() < 0.5,
  }
}

function randomBudget(random: Random, { tabs, store }: Shape): Budget {
  const upTo = (most: number) => Math.floor(random() * (most + 1))
  // Most worlds are free of most accidents: what is excused after one of them must not hide the rest.
  const seldom = (most: number) => (random() < 0.2 ? upTo(most) : 0)
  return {
    requests: 3 + upTo(12),
    refreshes: upTo(3),
    updates: seldom(2),
    signOuts: seldom(3),
    signIns: seldom(3),
    expiries: upTo(4),
    rejections: upTo(5),
    waits: upTo(4),
    losses: seldom(3),
    delays: seldom(3),
    crashes: seldom(1),
    freezes: seldom(2),
    failedWrites: seldom(2),
    // Known: in a slow store that tabs share, another user's session is not there before the turn is over.
    mixUps: tabs > 1 && store === 'slow' ? 0 : seldom(1),
    listeners: seldom(2),
  }
}

const MOST_MOVES = 3000

function play(world: World, random: Random, played: Move[]): string | undefined {
  const free = 20 + Math.floor(random() * 120)
  for (;;) {
    const isFree = played.length < free
    const moves = possibleMoves(world, !isFree)
    if (moves.length === 0) {
      if (!isFree) return checkRest(world)
      if (possibleMoves(world, true).length === 0) return checkRest(world)
    }
    if (played.length === MOST_MOVES) return NEVER_AT_REST
    const move = moves[Math.floor(random() * moves.length)] as Move
    played.push(move)
    const fault = perform(world, move)
    if (fault) return fault
  }
}

const NEVER_AT_REST = 'It never comes to rest.'

/** What becomes of these moves; those that are not possible are left out. Then it is brought to rest. */
function replay(world: World, moves: readonly Move[]): Failure & { played: Move[] } {
  const path: string[] = []
  const played: Move[] = []
  const go = (move: Move) => {
    path.push(describe(world, move))
    played.push(move)
    return perform(world, move)
  }
  const isSame = (move: Move) => (other: Move) =>
    other.do === move.do && other.tab === move.tab && other.at === move.at
  for (const move of moves) {
    const fault = possibleMoves(world).some(isSame(move)) && go(move)
    if (fault) return { fault, path, played }
  }
  for (;;) {
    const [move] = possibleMoves(world, true)
    const fault = !move ? (checkRest(world) ?? '') : played.length === MOST_MOVES ? NEVER_AT_REST : go(move)
    if (!move || fault) return { fault: fault ?? '', path, played }
  }
}

/** Leaves out what is not needed for a fault, until nothing can be left out any more. */
export function shrink(moves: readonly Move[], start: () => World): Failure {
  let best = replay(start(), moves)
  for (let size = Math.ceil(best.played.length / 2); size > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.played.length; ) {
      const shorter = replay(start(), [...best.played.slice(0, at), ...best.played.slice(at + size)])
      if (shorter.fault && shorter.played.length < best.played.length) best = shorter
      else at += size
    }
  }
  return { fault: best.fault, path: best.path }
}

/** A failure for people: what went wrong, where, and the shortest way there. */
export function reportOf({ failure }: Outcome): string {
  if (!failure) return ''
  const { fault, path, shape } = failure
  return [fault, JSON.stringify(shape), ...path.map((line, at) => `${at + 1}. ${line}`)].join('\n')
}
