// npm run demo: what happens when many requests meet an expired token, on real HTTP, in a terminal. Owns the flags, the
// order of the output and the exit code: 0 when every guarantee held, 1 when one did not, 2 for a wrong flag.
import { installAuthClient } from './auth-client.js'
import { type BurstResult, FEWEST, MOST, runBurst } from './burst.js'
import { installFlagAndQueue } from './flag-and-queue.js'
import { checkGuarantees, type Guarantee } from './guarantees.js'
import { createInk, type Ink, wantsColour } from './ink.js'
import { drawSummary, type Side, summarise } from './summary.js'
import { drawLegend, drawTimeline } from './timeline.js'

const HELP = `Usage: npm run demo -- [--requests N] [--json]

Signs in to a server on loopback, lets the access token die and fires N requests at once. Draws what became of each
of them, and compares the outcome with that of the usual flag-and-queue interceptor.

  --requests N   how many requests, from ${FEWEST} to ${MOST} (default 50)
  --json         print the figures and the guarantees as JSON, and nothing else
  --help         print this

Exit code: 0 when every guarantee held, 1 when one did not, 2 for a wrong flag.`

interface Flags {
  requests: number
  json: boolean
  help: boolean
}

// As an app in production: one of the guarantees asks a foreign origin, which in development is worth a note.
process.env.NODE_ENV = 'production'

main().catch((error: unknown) => {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})

async function main(): Promise<void> {
  const flags = readFlags(process.argv.slice(2))
  if (typeof flags === 'string') {
    console.error(`demo: ${flags}`)
    process.exitCode = 2
    return
  }
  if (flags.help) return console.log(HELP)

  // Thrown away: without it, the timeline would show an engine that is still compiling.
  await runBurst(FEWEST, installAuthClient)
  const ours = await runBurst(flags.requests, installAuthClient)
  const theirs = await runBurst(flags.requests, installFlagAndQueue)
  const guarantees = checkGuarantees(ours)
  const sides: Side[] = [
    { name: 'axios-auth-client', summary: summarise(ours) },
    { name: 'flag-and-queue', summary: summarise(theirs) },
  ]
  const broken = guarantees.filter(({ held }) => !held)
  for (const { promise, seen } of broken) console.error(`demo: BROKEN: ${promise} (${seen})`)
  if (broken.length) process.exitCode = 1

  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  if (flags.json) {
    const ok = broken.length === 0
    const summaries = Object.fromEntries(sides.map(({ name, summary }) => [name, summary]))
    return console.log(
      JSON.stringify({ ok, requests: flags.requests, sides: summaries, guarantees }, null, 2),
    )
  }
  // Some terminals do not know their width and say 0.
  const columns = process.stdout.columns || 100
  const ink = createInk(wantsColour(process.stdout, process.env))
  console.log(drawAll(ours, sides, guarantees, columns, ink).join('\n'))
}

function drawAll(
  ours: BurstResult,
  sides: Side[],
  guarantees: Guarantee[],
  columns: number,
  ink: Ink,
): string[] {
  return [
    '',
    ink('bold', `  ${ours.requests.length} requests at once meet a token that has just died`),
    '  GET, JSON and form data. One gets its 401 late, one is aborted while it waits,',
    '  one goes to another origin, one is made while the refresh runs.',
    '',
    ...drawTimeline(ours, { columns, ink }),
    '',
    ...drawLegend(ink),
    '',
    ...drawSummary(sides, ink),
    '',
    ...guarantees.map(({ promise, held, seen }) =>
      held
        ? `  ${ink('green', '✓')} ${promise} ${ink('dim', `(${seen})`)}`
        : `  ${ink('red', `✗ BROKEN: ${promise} (${seen})`)}`,
    ),
    '',
  ]
}

/** The flags, or what is wrong with them. */
function readFlags(args: string[]): Flags | string {
  const flags: Flags = { requests: 50, json: false, help: false }
  const rest = [...args]
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [name, ...inline] = arg.split('=')
    if (name === '--requests') {
      const value = inline.length ? inline.join('=') : rest.shift()
      const expected = `--requests takes a whole number from ${FEWEST} to ${MOST}`
      if (value === undefined) return `${expected}, and none was given`
      const requests = Number(value)
      if (!/^\d+$/.test(value) || requests < FEWEST || requests > MOST) {
        return `${expected}, got ${JSON.stringify(value)}`
      }
      flags.requests = requests
    } else if (arg === '--json') flags.json = true
    else if (arg === '--help' || arg === '-h') flags.help = true
    else return `unknown flag ${JSON.stringify(arg)}; there are --requests N, --json and --help`
  }
  return flags
}
