// The state machine alone, in random worlds: no promise, no timer, no axios, so that a million events take seconds.
// `MACHINE_EVENTS=1000000 MACHINE_SEED=… npx vitest run test/machine/random` runs the same again.
import { expect, it } from 'vitest'
import { createRandom } from '../support/shuffle.js'
import { playAtRandom, reportOf } from './random.js'

const EVENTS = Number(process.env.MACHINE_EVENTS ?? 100_000)
const seed = Number(process.env.MACHINE_SEED ?? Math.floor(Math.random() * 2 ** 31))

it(`keeps every promise in ${EVENTS} random events (seed ${seed})`, { timeout: 600_000 }, () => {
  // Of this process: other programs on the machine do not count.
  const begun = process.cpuUsage()
  const outcome = playAtRandom(EVENTS, createRandom(seed))
  const seconds = process.cpuUsage(begun).user / 1e6
  const { events, moves, worlds } = outcome
  console.info(
    `${events} events in ${worlds} worlds, by ${moves} moves, in ${seconds.toFixed(1)} s of work: ` +
      `${Math.round(events / seconds)} events a second (seed ${seed})`,
  )
  expect(reportOf(outcome)).toBe('')
})
