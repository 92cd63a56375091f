// The end of a run's output, as whoever started it sees it: the real reporters, in a process of their own.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const TIMEOUT_MS = 30_000

/** Runs these files of fixtures/, and returns what the terminal shows: both streams, in their order. */
function run(...names: string[]): Promise<{ code: number | null; lines: string[] }> {
  const files = names.map((name) => `test/reporting/fixtures/${name}.ts`)
  const vitest = `exec "$0" node_modules/vitest/vitest.mjs run --config test/reporting/fixtures.config.ts "$@" 2>&1`
  return new Promise((resolve) => {
    const child = execFile(
      '/bin/sh',
      ['-c', vitest, process.execPath, ...files],
      { cwd: root, env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' } },
      (_error, stdout) => resolve({ code: child.exitCode, lines: stdout.trimEnd().split('\n') }),
    )
  })
}

const at = (lines: readonly string[], text: string) => lines.findIndex((line) => line.includes(text))

describe('npm test', { timeout: TIMEOUT_MS }, () => {
  it('ends with everything that failed, and why, in a line each', async () => {
    const { code, lines } = await run('failing', 'not-loadable', 'rows')
    expect(code).toBe(1)
    const list = lines.slice(lines.indexOf('Failed: 6'))
    expect(list.length).toBeLessThanOrEqual(20)
    const [failing, notLoadable] = ['failing', 'not-loadable'].map(
      (name) => `test/reporting/fixtures/${name}.ts`,
    )
    expect(list.slice(1).sort()).toEqual(
      [
        `× ${failing} > a group > compares numbers`,
        '    AssertionError: expected 1 to be 2 // Object.is equality',
        `× ${failing} > a group > compares objects`,
        '    AssertionError: expected { a: 1, b: [ 1 ] } to deeply equal { a: 1, b: [ 2 ] }',
        `× ${failing} > a group > throws several lines`,
        '    TypeError: the first line',
        `× ${failing} > a group without its set-up`,
        '    Error: no set-up',
        `× ${failing} > unhandled error, perhaps of "throws an error that nobody catches"`,
        '    Error: nobody caught this',
        `× ${notLoadable}`,
        '    Error: this file cannot be loaded',
      ].sort(),
    )
    // The table of the browser tests stands before all that, so that it pushes nothing off the screen.
    expect(at(lines, 'row 79')).toBeGreaterThan(0)
    expect(at(lines, 'row 79')).toBeLessThan(at(lines, 'Failed Suites'))
  })

  it('ends with at most twenty lines and the number of further failures', async () => {
    const { lines } = await run('many')
    const list = lines.slice(lines.indexOf('Failed: 30'))
    expect(list).toHaveLength(20)
    expect(list.at(-1)).toBe('and 21 more')
    for (const line of list) expect(line.length).toBeLessThanOrEqual(160)
  })

  it('ends with the totals when everything has passed', async () => {
    const { code, lines } = await run('rows')
    expect(code).toBe(0)
    expect(at(lines, 'Failed')).toBe(-1)
    expect(at(lines, 'row 79')).toBeGreaterThan(0)
    expect(at(lines, 'row 79')).toBeLessThan(at(lines, 'Test Files'))
  })
})
