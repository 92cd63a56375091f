// The failure this exists to catch: an app's author follows docs/testing.md and nothing runs, because the published
// package, msw and their test runner do not go together.
// It installs each app of examples/samples, as it is, outside of the repository, and runs its tests there.
import { copyFileSync, cpSync, existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { findChromium } from '../browser/chromium.js'
import { checkTypes, install, type Packed, packPackage, repository, run } from './packing.js'

const SAMPLES = path.join(repository, 'examples/samples')

/** What every sample shows. */
const FOUR = [
  'sends one refresh for five requests',
  'sends the user to the login page when the refresh is refused',
  'keeps the user signed in while the network is down, and continues when it is back',
  'sends the user to the login page when they sign out in another tab',
]

let packed: Packed

beforeAll(async () => {
  packed = await packPackage()
  // Where the samples' package.json look for it.
  copyFileSync(packed.tarball, path.join(packed.place, 'axios-auth-client.tgz'))
})

afterAll(() => packed?.remove())

describe('an app that installs the package', () => {
  it('is tested with vitest in Node', async () => {
    expect(await testsOf('vitest-node', '--reporter=json')).toEqual([...FOUR].sort())
  })

  it('is tested with jest in jsdom', async () => {
    expect(await testsOf('jest-jsdom', '--json')).toEqual([...FOUR].sort())
  })

  const chromium = findChromium()
  it.skipIf(!chromium)('is tested with React in a browser', async () => {
    vi.stubEnv('CHROMIUM_PATH', chromium)
    expect(await testsOf('react-browser', '--reporter=json')).toEqual(
      [...FOUR, 'creates one client under StrictMode, and none is left after unmounting'].sort(),
    )
  })
})

/** Installs a sample, checks its types, runs its tests, and returns the titles of those that passed. */
async function testsOf(sample: string, jsonReport: string): Promise<string[]> {
  const project = path.join(packed.place, sample)
  cpSync(path.join(SAMPLES, sample), project, { recursive: true })
  await install(project)
  if (existsSync(path.join(project, 'tsconfig.json'))) await checkTypes(project)
  await run('npm', ['test', '--', jsonReport, '--outputFile=report.json'], project)
  const { testResults } = JSON.parse(readFileSync(path.join(project, 'report.json'), 'utf8')) as {
    testResults: { assertionResults: { title: string; status: string }[] }[]
  }
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'passed')
    .map(({ title }) => title)
    .sort()
}
