// The failure this exists to catch: everything is green on the axios, the Node and the TypeScript of this repository, and
// not on those of the user.
//
// It installs the versions of scripts/matrix/package.json, runs the tests of the repository on each axios and each Node,
// compiles the built package's types with each TypeScript, prints what it found, and compares that with the record in
// scripts/matrix/results.json and the tables in README.md.
//
// Usage: node scripts/test-matrix.mjs [--short] [--write] [version of axios]...   (needs npm run build)
//   --short  what CI has the time for: a few of the axioses on the oldest Node, the newest on the newest
//   --write  puts what was found into the record and the README
//   with versions, only these. MATRIX_CACHE is the folder for installations, otherwise below node_modules/.cache.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { isOlder, missingIn } from './matrix/left-out.mjs'
import { layOut, runTests } from './matrix/suites.mjs'
import { tablesOf, withTables } from './matrix/table.mjs'
import { compile } from './matrix/types.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PINS = path.join(ROOT, 'scripts', 'matrix')
const RECORD = path.join(PINS, 'results.json')
const README = path.join(ROOT, 'README.md')
const TYPED_AXIOS = ['0.27.2', '1.2.6']
/** The oldest, the one with the fewest abilities since, and one of those that need another AxiosHeaders. */
const SHORT = ['0.27.2', '1.0.0', '1.7.9']

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'))

/** The folder of what scripts/matrix/package.json pins; installed once per lock file. */
function install() {
  const lock = readFileSync(path.join(PINS, 'package-lock.json'))
  const key = createHash('sha256').update(lock).digest('hex').slice(0, 16)
  const cache = process.env.MATRIX_CACHE ?? path.join(ROOT, 'node_modules', '.cache', 'matrix')
  const place = path.join(cache, key)
  // Written last, so that half an installation is not taken for a whole one.
  const done = path.join(place, 'installed')
  if (existsSync(done)) return place
  console.log('installing the versions of scripts/matrix/package.json')
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place, { recursive: true })
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(path.join(PINS, file), path.join(place, file))
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: place,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error('npm ci failed, see above')
  writeFileSync(done, '')
  return place
}

/** Folders by version of each kind, the repository's own among them, oldest first. */
function foldersIn(place) {
  const folders = (kind, keyOf) =>
    Object.keys(readJson(path.join(PINS, 'package.json')).devDependencies)
      .filter((name) => name.startsWith(`${kind}-`))
      .map((name) => path.join(place, 'node_modules', name))
      .concat(kind === 'node' ? [] : path.join(ROOT, 'node_modules', kind))
      .map((folder) => [keyOf(readJson(path.join(folder, 'package.json')).version), folder])
      .sort(([a], [b]) => (isOlder(a, b) ? -1 : 1))
  return {
    axios: folders('axios', (version) => version),
    node: folders('node', (version) => version.split('.')[0]),
    typescript: folders('typescript', (version) => version.split('.').slice(0, 2).join('.')),
  }
}

/** Runs the tests on one axios; cells that are not looked at now stay as they are recorded. */
function testAxios({ version, axios, nodes, place, recorded, faults }) {
  const project = path.join(place, 'with', version)
  layOut(ROOT, project, axios)
  const row = {
    adapters: [],
    nodes: { ...recorded?.nodes },
    leftOut: missingIn(version).map(({ what }) => what),
  }
  for (const [major, folder] of nodes) {
    const cell = `axios ${version} on Node ${major}`
    const result = runTests(project, { node: path.join(folder, 'bin', 'node'), version })
    row.adapters = result.adapters
    row.nodes[major] = result.faults.length === 0 ? 'pass' : 'fail'
    faults.push(...result.faults.map((fault) => `${cell}: ${fault}`))
    console.log(
      `${cell}: ${result.passed} passed, ${result.faults.length} faults, ${result.seconds} s${result.leftOut}`,
    )
  }
  return row
}

async function main(args) {
  const short = args.includes('--short')
  const place = install()
  const folders = foldersIn(place)
  const newest = folders.axios.at(-1)[0]
  const named = args.filter((arg) => !arg.startsWith('--'))
  const wanted = short ? [...SHORT, newest] : named
  const record = existsSync(RECORD) ? readJson(RECORD) : { tests: {}, types: {} }
  const found = { tests: {}, types: {} }
  const faults = []
  for (const [version, axios] of folders.axios) {
    const recorded = record.tests[version]
    const oneNode = version === newest ? folders.node.slice(-1) : folders.node.slice(0, 1)
    const nodes = short ? oneNode : folders.node
    found.tests[version] =
      wanted.length > 0 && !wanted.includes(version)
        ? recorded
        : testAxios({ version, axios, nodes, place, recorded, faults })
  }
  for (const [typescript, compiler] of folders.typescript) {
    found.types[typescript] = {}
    for (const [version, axios] of folders.axios.filter(
      ([one]) => one === newest || TYPED_AXIOS.includes(one),
    )) {
      const errors = await compile(ROOT, path.join(place, 'types'), { typescript: compiler, axios })
      found.types[typescript][version] = errors.length === 0 ? 'pass' : 'fail'
      faults.push(...errors.map((error) => `TypeScript ${typescript} with axios ${version}: ${error}`))
    }
  }

  const readme = readFileSync(README, 'utf8')
  const tables = tablesOf(found)
  const mended = withTables(readme, tables)
  console.log(`\n${tables}\n`)
  if (args.includes('--write')) {
    writeFileSync(RECORD, `${JSON.stringify(found, null, 2)}\n`)
    writeFileSync(README, mended)
  } else {
    const differ = 'differs from what was found: run npm run test:matrix -- --write'
    if (JSON.stringify(found) !== JSON.stringify(record)) faults.push(`scripts/matrix/results.json ${differ}`)
    if (mended !== readme) faults.push(`README.md ${differ}`)
  }
  for (const fault of faults) console.error(`test-matrix: ${fault}`)
  console.log(`test-matrix: ${faults.length} faults`)
  return faults.length === 0
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1
