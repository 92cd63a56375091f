// npm run bench: the library beside the others, in numbers. Owns the flags, the plan and the exit code: 0 when our side
// answered everybody with one refresh, 1 when it did not or something failed, 2 for a wrong flag.
import { existsSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { devDependencies } from '../package.json' with { type: 'json' }
import { measureBytes } from './bytes.js'
import type { BurstFound, BurstPlan, CostFound, HeldFound } from './measure.js'
import { drawPlot } from './plot.js'
import { type Processes, startProcesses } from './processes.js'
import { formatNumbers } from './report.js'
import {
  type Burst,
  type Held,
  type Results,
  summariseBursts,
  summariseCost,
  summariseHeld,
} from './results.js'
import { DEDUPLICATE_OFF, HEADER, OURS, SIDES } from './sides.js'

const HELP = `Usage: npm run bench -- [--quick]

Compares axios-auth-client with bare axios and with other ways to refresh tokens, prints the numbers as tables, and
writes them to bench/results.json and docs/bench.svg. Takes some minutes; leave the machine alone meanwhile.

  --quick   a little of everything, to see that it works and that our side answers everybody; writes nothing
  --help    print this`

interface Plan {
  cost: { rounds: number; batches: number }
  bursts: { rounds: number; bursts: BurstPlan[] }[]
  held: { rounds: number; count: number }[]
}

const FULL: Plan = {
  cost: { rounds: 9, batches: 10 },
  bursts: [
    { rounds: 5, bursts: [1, 10, 100, 1000].map(refused) },
    { rounds: 2, bursts: [refused(10_000)] },
    { rounds: 5, bursts: [{ count: 1000, expired: true }] },
  ],
  held: [
    { rounds: 3, count: 1000 },
    { rounds: 3, count: 10_000 },
    { rounds: 2, count: 100_000 },
  ],
}

const QUICK: Plan = {
  cost: { rounds: 1, batches: 1 },
  bursts: [{ rounds: 1, bursts: [...[1, 100, 1000].map(refused), { count: 1000, expired: true }] }],
  held: [{ rounds: 1, count: 1000 }],
}

/** Those with something to compare in a refresh; bare axios does it by hand. */
const REFRESHING = Object.keys(SIDES).filter((side) => side !== HEADER)

const ROOT = new URL('../', import.meta.url)

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error('bench:', error)
    process.exitCode = 1
  },
)

async function main(flags: string[]): Promise<number> {
  const unknown = flags.find((flag) => flag !== '--quick' && flag !== '--help')
  if (unknown) {
    console.error(`bench: unknown flag ${unknown}; there are --quick and --help`)
    return 2
  }
  if (flags.includes('--help')) {
    console.log(HELP)
    return 0
  }
  if (!existsSync(new URL('dist/index.js', ROOT))) {
    throw new Error('What is measured is what is published, and there is no dist/: run npm run build.')
  }
  const isQuick = flags.includes('--quick')
  const results = await measureAll(isQuick ? QUICK : FULL)
  const plot = drawPlot(results)
  console.log(formatNumbers(results))
  const broken = brokenPromises(results)
  for (const promise of broken) console.error(`bench: BROKEN: ${promise}`)
  if (broken.length > 0) return 1
  if (!isQuick) {
    writeFileSync(new URL('bench/results.json', ROOT), `${JSON.stringify(results, null, 2)}\n`)
    writeFileSync(new URL('docs/bench.svg', ROOT), plot)
    console.log('Written. `npm run readme:write` puts it into the README.')
  }
  return 0
}

async function measureAll(plan: Plan): Promise<Results> {
  const processes = await startProcesses()
  try {
    const { axios, 'axios-auth-refresh': authRefresh, 'axios-jwt': jwt } = devDependencies
    return {
      date: new Date().toISOString().slice(0, 10),
      machine: `${availableParallelism()} cores, Node ${process.versions.node.replace(/\.\d+$/, '')}`,
      versions: { axios, 'axios-auth-refresh': authRefresh, 'axios-jwt': jwt },
      cost: await measureCost(processes, plan),
      burst: await measureBursts(processes, plan),
      held: await measureHeld(processes, plan),
      bytes: await measureBytes(),
    }
  } finally {
    await processes.close()
  }
}

async function measureCost(processes: Processes, { cost: { rounds, batches } }: Plan) {
  // The option is about refreshes.
  const sides = Object.keys(SIDES).filter((side) => side !== DEDUPLICATE_OFF)
  return summariseCost(await processes.inRounds<CostFound>(rounds, sides, { measure: 'cost', batches }))
}

async function measureBursts(processes: Processes, plan: Plan) {
  const found: Burst[] = []
  for (const { rounds, bursts } of plan.bursts) {
    const task = { measure: 'burst', bursts } as const
    found.push(...summariseBursts(bursts, await processes.inRounds<BurstFound>(rounds, REFRESHING, task)))
  }
  return found
}

async function measureHeld(processes: Processes, plan: Plan) {
  const found: Held[] = []
  for (const { rounds, count } of plan.held) {
    const task = { measure: 'held', count } as const
    found.push(...summariseHeld(count, await processes.inRounds<HeldFound>(rounds, REFRESHING, task)))
  }
  return found
}

/** What our side owes, on any machine. */
function brokenPromises({ burst, held }: Results): string[] {
  const ours = <T extends { side: string }>(all: T[]) => all.filter(({ side }) => side === OURS)
  return [
    ...ours(burst)
      .filter(
        ({ count, answered, refreshes, onTheWire }) =>
          answered.least !== count ||
          refreshes.least !== 1 ||
          refreshes.most !== 1 ||
          onTheWire.most > 2 * count + 1,
      )
      .map((one) => `a burst was not answered whole, or with more than one refresh: ${JSON.stringify(one)}`),
    ...ours(held)
      .filter(({ count, answered }) => answered.least !== count)
      .map((one) => `not all that waited were answered: ${JSON.stringify(one)}`),
  ]
}

/** The server rejects the token; nothing else shows that it is no longer accepted. */
function refused(count: number): BurstPlan {
  return { count, expired: false }
}
