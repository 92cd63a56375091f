// Runs the tests of the repository on another axios and another Node. They run in a copy of the sources whose
// node_modules are the repository's, but for axios: so the library, the tests and the plug-ins, CommonJS or not, all meet
// the same axios, by Node's own rules.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { missingIn } from './left-out.mjs'

const SOURCES = ['src', 'test', 'examples', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.ts']

/** These bring an axios of their own, whatever the folder has. */
const OWN_AXIOS = ['test/transport/versions.test.ts', 'test/transport/versions-xhr.test.ts']

/** What meets axios: the tests of the transport and of the guarantees. */
const SUITES = ['test/guarantees', 'test/transport']

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

/**
 * Runs the tests in a project, but for those that its axios cannot pass.
 * @returns {{ faults: string[], passed: number, adapters: string[], leftOut: string, seconds: number }} `adapters` are
 *   those that passed a test of their own
 */
export function runTests(place, { node, version }) {
  const begin = Date.now()
  const report = path.join(place, 'report.json')
  rmSync(report, { force: true })
  const missing = missingIn(version)
  const options = [
    '--reporter=json',
    `--outputFile=${report}`,
    ...OWN_AXIOS.map((file) => `--exclude=${file}`),
  ]
  if (missing.length > 0)
    options.push('-t', `^(?!.*(?:${missing.map(({ tests }) => tests.source).join('|')}))`)
  const vitest = path.join(place, 'node_modules', 'vitest', 'vitest.mjs')
  const { status, stderr } = spawnSync(node, [vitest, 'run', ...SUITES, ...options], {
    cwd: place,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 1e9,
  })
  const files = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults : []
  const tests = files.flatMap((file) => file.assertionResults)
  const titlesOf = (is) => tests.filter((test) => is(test.status)).map((test) => test.fullName)
  const passed = titlesOf((it) => it === 'passed')
  const leftOut = titlesOf((it) => it !== 'passed' && it !== 'failed')

  const faults = tests
    .filter((test) => test.status === 'failed')
    .map((test) => `${test.fullName}\n    ${test.failureMessages[0]?.split('\n')[0]}`)
  for (const file of files) {
    // It could not be loaded.
    if (file.status === 'failed' && file.assertionResults.length === 0)
      faults.push(`${path.relative(place, file.name)}: ${file.message}`)
  }
  const counts = missing.map(({ what, tests: pattern, why }) => {
    const count = leftOut.filter((title) => pattern.test(title)).length
    if (count === 0) faults.push(`nothing to leave out for: ${what}`)
    return `\n    ${count} left out: ${what}: ${why}`
  })
  if (passed.length === 0) faults.push('no test has passed')
  // An error that no test caught, for one.
  if (status !== 0 && faults.length === 0) faults.push(`vitest ended with ${status}:\n${stderr}`)
  return {
    faults,
    passed: passed.length,
    adapters: ['http', 'xhr', 'fetch'].filter((name) =>
      passed.some((title) => title.includes(`${name} adapter`)),
    ),
    leftOut: counts.join(''),
    seconds: Math.round((Date.now() - begin) / 1000),
  }
}
