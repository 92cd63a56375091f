// The failure this exists to catch: a line of src/ that could be wrong without any story noticing.
//
// Runs Stryker (stryker.config.mjs) on all of src/, or on the files and folders that are named, and compares what
// survived with scripts/mutation/harmless.mjs: a survivor fails that is not on that list, and an entry of the list fails
// that a story tells by now. What is evaluated when a module loads has a run of its own, because the first one keeps
// modules from mutant to mutant.
//
// Usage: npm run test:mutation -- [--write] [file or folder]... [option of stryker]...
//   --write  puts scores and survivors into docs/mutation.md (only of all of src/)
//
// A mutant that is not changed, and whose story is not, keeps its verdict until the next run; --force asks anew.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import stryker from '../stryker.config.mjs'
import { HARMLESS } from './mutation/harmless.mjs'
import { compare, mutantsIn } from './mutation/report.mjs'
import { tellScores } from './mutation/table.mjs'

const REPORT = stryker.jsonReporter.fileName
const GOAL_PERCENT = stryker.thresholds.low
const DOCUMENT = 'docs/mutation.md'

const args = process.argv.slice(2)
const write = args.includes('--write')
const words = args.filter((word) => word !== '--write')
const firstOption = words.findIndex((word) => word.startsWith('-'))
const [paths, options] =
  firstOption < 0 ? [words, []] : [words.slice(0, firstOption), words.slice(firstOption)]
const wanted = paths.map((path) => path.replace(/\/$/, ''))

const missing = wanted.filter((path) => !existsSync(path))
if (missing.length > 0) {
  console.error(`test-mutation: there is no ${missing.join(', no ')}`)
  process.exit(1)
}

if (write && wanted.length > 0) {
  console.error('test-mutation: --write is for all of src/')
  process.exit(1)
}

/** Runs Stryker, and returns its mutants of the files that were asked for. */
function runStryker(mutate, more, env) {
  rmSync(REPORT, { force: true })
  // npm has put the packages' commands on the path.
  const { status } = spawnSync(
    'stryker',
    ['run', ...(mutate.length > 0 ? ['--mutate', mutate.join(',')] : []), ...options, ...more],
    { stdio: 'inherit', env: { ...process.env, ...env } },
  )
  if (status !== 0 || !existsSync(REPORT)) process.exit(status || 1)
  const inScope = (file) =>
    wanted.length === 0 || wanted.some((path) => file === path || file.startsWith(`${path}/`))
  return mutantsIn(JSON.parse(readFileSync(REPORT, 'utf8'))).filter(({ file }) => inScope(file))
}

const globs = wanted.map((path) => (statSync(path).isDirectory() ? `${path}/**/*.ts` : path))
const first = runStryker(globs, [], {})
const atLoad = first.filter(({ isStatic }) => isStatic)
const second =
  atLoad.length === 0
    ? []
    : runStryker(
        atLoad.map(({ range }) => range),
        ['--incrementalFile', 'node_modules/.cache/stryker/at-load.json'],
        { MUTATES_AT_LOAD: '1' },
      )
const toldAtLoad = new Map(second.map((mutant) => [mutant.key, mutant]))
const mutants = first.map((mutant) => (mutant.isStatic && toldAtLoad.get(mutant.key)) || mutant)

const { survivors, faults, percent } = compare(mutants, HARMLESS)
console.log(`\n${percent.toFixed(1)} % of the mutants are told by a story; ${survivors.length} survived.`)
if (percent < GOAL_PERCENT) faults.push(`fewer than ${GOAL_PERCENT} % of the mutants are told by a story`)
for (const fault of faults) console.error(`FAULT: ${fault}`)
if (write && faults.length === 0) {
  writeFileSync(DOCUMENT, tellScores(mutants, survivors))
  console.log(`wrote ${DOCUMENT}`)
}
process.exitCode = faults.length > 0 ? 1 : 0
