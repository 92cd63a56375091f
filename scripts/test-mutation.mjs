// The failure this exists to catch: a line of src/ that could be wrong without any test failing.
//
// Runs Stryker (stryker.config.mjs) on all of src/, or on the files and folders that are named, part by part with the
// tests about it (scripts/mutation/tests.mjs), and compares what survived with scripts/mutation/harmless.mjs: it fails
// for a survivor that is not on that list, and for an entry of the list that a test kills by now. Code that is evaluated
// when a module loads has a run of its own, because the first one keeps modules loaded from mutant to mutant.
//
// Usage: npm run test:mutation -- [--write] [file or folder]... [option of stryker]...
//   --write  puts the scores into scripts/mutation/scores.json and docs/mutation.md
//
// A mutant keeps its result until it or its tests change; --force runs all again. Mutants of code that is evaluated at
// load always run again.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import stryker from '../stryker.config.mjs'
import { HARMLESS } from './mutation/harmless.mjs'
import { compare, lives, mutantsIn, scoreOf } from './mutation/report.mjs'
import { scoresDocument } from './mutation/table.mjs'
import { PARTS } from './mutation/tests.mjs'

const REPORT = stryker.jsonReporter.fileName
const GOAL_PERCENT = stryker.thresholds.low
const SCORES = 'scripts/mutation/scores.json'
const DOCUMENT = 'docs/mutation.md'

const args = process.argv.slice(2)
const write = args.includes('--write')
const words = args.filter((word) => word !== '--write')
const firstOption = words.findIndex((word) => word.startsWith('-'))
const [paths, options] =
  firstOption < 0 ? [words, []] : [words.slice(0, firstOption), words.slice(firstOption)]
const wanted = paths.map((path) => path.replace(/\/$/, ''))

const unknown = wanted.filter((path) => !existsSync(path))
if (unknown.length > 0) {
  console.error(`test-mutation: there is no ${unknown.join(', no ')}`)
  process.exit(1)
}

const sources = readdirSync('src', { recursive: true })
  .map((path) => `src/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.ts'))
  .sort()
const chosen = sources.filter(
  (file) => wanted.length === 0 || wanted.some((path) => file === path || file.startsWith(`${path}/`)),
)
const isOf = (file) => (place) => file.startsWith(`${place}/`) || `${dirname(file)}/*.ts` === place
const uncovered = sources.filter((file) => !PARTS.some(({ src }) => src.some(isOf(file))))
if (uncovered.length > 0) {
  console.error(`test-mutation: scripts/mutation/tests.mjs names no tests for ${uncovered.join(', ')}`)
  process.exit(1)
}

/** Runs Stryker, and returns its mutants of these files. */
function runStryker(files, mutate, cache, env) {
  rmSync(REPORT, { force: true })
  const more = ['--mutate', mutate.join(','), '--incrementalFile', `${dirname(REPORT)}/${cache}.json`]
  // Stryker does not know which tests cover code that is evaluated at load, nor therefore whether they have changed.
  if (env.MUTATES_AT_LOAD) more.push('--force')
  // npm has put the packages' commands on the path.
  const { status } = spawnSync('stryker', ['run', ...options, ...more], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  if (status !== 0 || !existsSync(REPORT)) process.exit(status || 1)
  return mutantsIn(JSON.parse(readFileSync(REPORT, 'utf8'))).filter(({ file }) => files.includes(file))
}

function runPart({ name, src, likely, tests }) {
  const files = chosen.filter((file) => src.some(isOf(file)))
  if (files.length === 0) return []
  const cache = name.replaceAll(' ', '-')
  const run = (mutate, suffix, by, env) =>
    runStryker(files, mutate, cache + suffix, { MUTATION_TESTS: by.join(' '), ...env })
  /** Runs some of them again; their new results replace the old ones. */
  const again = (mutants, isMeant, suffix, env) => {
    const ranges = new Set(mutants.filter(isMeant).map(({ range }) => range))
    if (ranges.size === 0) return mutants
    const results = new Map(run([...ranges], suffix, tests, env).map((mutant) => [mutant.key, mutant]))
    return mutants.map((mutant) => (isMeant(mutant) && results.get(mutant.key)) || mutant)
  }
  const first = run(files, likely ? '-likely' : '', likely ?? tests)
  const second = likely ? again(first, (mutant) => lives(mutant) && !mutant.isStatic, '') : first
  return again(second, ({ isStatic }) => isStatic, '-at-load', { MUTATES_AT_LOAD: '1' })
}

const mutants = PARTS.flatMap(runPart)
const { survivors, faults, percent } = compare(mutants, HARMLESS)
console.log(`\n${percent.toFixed(1)} % of the mutants were killed; ${survivors.length} survived.`)
if (percent < GOAL_PERCENT) faults.push(`fewer than ${GOAL_PERCENT} % of the mutants were killed`)
for (const fault of faults) console.error(`FAULT: ${fault}`)

if (write && faults.length === 0) {
  const on = new Date().toISOString().slice(0, 10)
  const before = JSON.parse(readFileSync(SCORES, 'utf8'))
  const scoreNow = (file) =>
    chosen.includes(file)
      ? scoreOf(
          mutants.filter((mutant) => mutant.file === file),
          on,
        )
      : before[file]
  const scores = Object.fromEntries(
    sources.map((file) => [file, scoreNow(file)]).filter(([, score]) => score !== undefined),
  )
  writeFileSync(SCORES, `${JSON.stringify(scores, null, 2)}\n`)
  writeFileSync(
    DOCUMENT,
    scoresDocument(
      scores,
      sources.filter((file) => !scores[file]),
      HARMLESS,
    ),
  )
  console.log(`wrote ${SCORES} and ${DOCUMENT}`)
}
process.exitCode = faults.length > 0 ? 1 : 0
