// What exploring keeps of each situation: 64 bits of its key, and by which move from where it was reached first.
// Its path is found again by going it. Promise: some 40 bytes a situation, so that millions fit.
import { hashOf } from './hash.js'

export type States = ReturnType<typeof createStates>

export function createStates() {
  let table = new Int32Array(1 << 16).fill(-1)
  const low = growing()
  const high = growing()
  const parents = growing()
  const moves = growing()
  const from = growing()
  const to = growing()

  return {
    count: () => low.size(),
    link(one: number, other: number) {
      from.push(one)
      to.push(other)
    },
    add(text: string, parent: number, move: number): { index: number; isNew: boolean } {
      const [one, two] = hashOf(text)
      let slot = slotOf(one, two)
      const known = table[slot] as number
      if (known >= 0) return { index: known, isNew: false }
      if (low.size() * 2 > table.length) {
        grow()
        slot = slotOf(one, two)
      }
      const index = low.size()
      table[slot] = index
      low.push(one)
      high.push(two)
      parents.push(parent)
      moves.push(move)
      return { index, isNew: true }
    },
    pathTo(state: number): number[] {
      const path: number[] = []
      for (let at = state; at > 0; at = parents.at(at)) path.unshift(moves.at(at))
      return path
    },
    /** One that can come round to itself again by moves that were linked; -1 if there is none. */
    circle: () => circleIn(low.size(), from, to),
  }

  function slotOf(one: number, two: number): number {
    let slot = one & (table.length - 1)
    for (;;) {
      const at = table[slot] as number
      if (at < 0 || (low.at(at) === one && high.at(at) === two)) return slot
      slot = (slot + 1) & (table.length - 1)
    }
  }

  function grow(): void {
    table = new Int32Array(table.length * 2).fill(-1)
    for (let at = 0; at < low.size(); at++) table[slotOf(low.at(at), high.at(at))] = at
  }
}

/** Takes away what nothing leads to any more, until nothing is left, or a circle and what comes after it. */
function circleIn(count: number, from: Growing, to: Growing): number {
  const { begins, targets } = linksByOrigin(count, from, to)
  const arrivals = new Int32Array(count)
  for (const target of targets) arrivals[target] = (arrivals[target] as number) + 1
  const ready = new Int32Array(count)
  let known = 0
  for (let at = 0; at < count; at++) if (arrivals[at] === 0) ready[known++] = at
  for (let done = 0; done < known; done++) {
    const state = ready[done] as number
    for (let at = begins[state] as number; at < (begins[state + 1] as number); at++) {
      const target = targets[at] as number
      const left = (arrivals[target] as number) - 1
      arrivals[target] = left
      if (left === 0) ready[known++] = target
    }
  }
  if (known === count) return -1
  // Each that is left comes from another that is left, so going back leads into a circle.
  const origins = new Int32Array(count)
  for (let at = 0; at < from.size(); at++) if (arrivals[from.at(at)]) origins[to.at(at)] = from.at(at)
  let state = arrivals.findIndex((left) => left > 0)
  for (let steps = 0; steps < count; steps++) state = origins[state] as number
  return state
}

/** `targets` from `begins[state]` on, up to the next state's, are what `state` leads to. */
function linksByOrigin(count: number, from: Growing, to: Growing) {
  const begins = new Int32Array(count + 1)
  for (let at = 0; at < from.size(); at++) begins[from.at(at) + 1] = (begins[from.at(at) + 1] as number) + 1
  for (let at = 0; at < count; at++) begins[at + 1] = (begins[at + 1] as number) + (begins[at] as number)
  const filled = begins.slice()
  const targets = new Int32Array(from.size())
  for (let at = 0; at < from.size(); at++) {
    const slot = filled[from.at(at)] as number
    filled[from.at(at)] = slot + 1
    targets[slot] = to.at(at)
  }
  return { begins, targets }
}

type Growing = ReturnType<typeof growing>

function growing() {
  let items = new Int32Array(1 << 12)
  let size = 0
  return {
    size: () => size,
    at: (at: number) => items[at] as number,
    push(item: number) {
      if (size === items.length) {
        const larger = new Int32Array(size * 2)
        larger.set(items)
        items = larger
      }
      items[size++] = item
    },
  }
}
