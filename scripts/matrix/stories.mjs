// Runs the tests of the repository on another axios and another Node. They run in a copy of the sources whose
// node_modules are the repository's, but for axios: so the library, the tests and the plug-ins, CommonJS or not, all meet
// the same axios, by Node's own rules.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { LEFT_OUT } from './left-out.mjs'

const SOURCES = ['src', 'test', 'examples', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.ts']

/** These bring an axios of their own, whatever the folder has. */
const OWN_AXIOS = ['test/transport/versions.test.ts', 'test/transport/versions-xhr.test.ts']

export const WHOLE = [
  'test/bad-input',
  'test/client',
  'test/errors',
  'test/guarantees',
  'test/model',
  'test/options',
  'test/placement',
  'test/storage',
  'test/strategies',
  'test/transport',
]
export const SHORT = ['test/guarantees', 'test/transport']

/** A project with this axios; made anew, as the sources may have changed. */
export function layOut(root, place, axios) {
  rmSync(place, { recursive: true, force: true })
  mkdirSync(path.join(place, 'node_modules'), { recursive: true })
  for (const name of SOURCES) cpSync(path.join(root, name), path.join(place, name), { recursive: true })
  for (const name of readdirSync(path.join(root, 'node_modules'))) {
    const from = path.join(root, 'node_modules', name)
    const to = path.join(place, 'node_modules', name)
    if (name === 'axios') symlinkSync(axios, to)
    // Through a link it would find the axios beside the link's target.
    else if (asksForAxios(from)) cpSync(from, to, { recursive: true })
    else if (!name.startsWith('.')) symlinkSync(from, to)
  }
}

function asksForAxios(folder) {
  const file = path.join(folder, 'package.json')
  if (!existsSync(file)) return false
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(file, 'utf8'))
  return 'axios' in { ...dependencies, ...peerDependencies }
}

/** Whether `version` is older than `other`; both of three numbers. */
export function isOlder(version, other) {
  return version.localeCompare(other, 'en', { numeric: true }) < 0
}

/**
 * @returns {{ faults: string[], passed: number, adapters: string[], leftOut: Record<string, number>, seconds: number }}
 *   the adapters that passed a test of their own; how many tests were left out, by what is not there
 */
export function tell(place, { node, version, suites }) {
  const begin = Date.now()
  const report = path.join(place, 'report.json')
  rmSync(report, { force: true })
  const missing = LEFT_OUT.filter(
    ({ before, from }) => isOlder(version, before) && !(from && isOlder(version, from)),
  )
  const args = ['run', '--reporter=json', `--outputFile=${report}`, ...suites]
  for (const file of OWN_AXIOS) args.push('--exclude', file)
  if (missing.length > 0) args.push('-t', `^(?!.*(?:${missing.map(({ tests }) => tests.source).join('|')}))`)
  const { status, stderr } = spawnSync(
    node,
    [path.join(place, 'node_modules', 'vitest', 'vitest.mjs'), ...args],
    {
      cwd: place,
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
      maxBuffer: 1e9,
      env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' },
    },
  )
  if (!existsSync(report))
    return { faults: [`vitest did not run:\n${stderr}`], passed: 0, adapters: [], leftOut: {}, seconds: 0 }

  const files = JSON.parse(readFileSync(report, 'utf8')).testResults
  const tests = files.flatMap((file) => file.assertionResults)
  const titles = (wanted) => tests.filter((test) => test.status === wanted).map((test) => test.fullName)
  const passed = titles('passed')
  const faults = [
    ...files
      .filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
      .map((file) => `${path.relative(place, file.name)}: ${file.message}`),
    ...tests
      .filter((test) => test.status === 'failed')
      .map((test) => `${test.fullName}\n    ${test.failureMessages[0]?.split('\n')[0]}`),
  ]
  const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed')
  const leftOut = {}
  for (const { what, tests: pattern } of missing) {
    leftOut[what] = skipped.filter(({ fullName }) => pattern.test(fullName)).length
  }
  // An error that no test caught, for one.
  if (status !== 0 && faults.length === 0) faults.push(`vitest ended with ${status}:\n${stderr}`)
  if (passed.length === 0) faults.push('no test ran')
  return {
    faults,
    passed: passed.length,
    adapters: ['http', 'xhr', 'fetch'].filter((name) =>
      passed.some((title) => title.includes(`${name} adapter`)),
    ),
    leftOut,
    seconds: Math.round((Date.now() - begin) / 1000),
  }
}
