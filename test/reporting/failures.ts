// Owns the last lines of a run that failed: what failed, in a list that one screen holds.
// Promise: whatever made the run fail is in it: a test, a hook, a file that could not be loaded, an error that nobody
// caught. One that does not fit is counted.
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { SerializedError, TestModule } from 'vitest/node'

interface Failure {
  /** The file, and which part of it. */
  where: string
  error: SerializedError | undefined
}

/** Two lines for each, and one before and after them: twenty. */
const MOST = 9
const LONGEST_LINE = 160

/** The list; `undefined` when nothing failed. */
export function drawFailures(
  modules: readonly TestModule[],
  unhandled: readonly SerializedError[],
  root: string,
): string | undefined {
  const failures = [...modules.flatMap(failuresOf), ...unhandled.map(failureOutside)]
  if (failures.length === 0) return undefined
  const lines = [`Failed: ${failures.length}`]
  for (const { where, error } of failures.slice(0, MOST))
    lines.push(`× ${where}`, `    ${firstLineOf(error)}`)
  if (failures.length > MOST) lines.push(`and ${failures.length - MOST} more`)
  return lines.map(shorten).join('\n')

  function failureOutside(error: SerializedError): Failure {
    const { VITEST_TEST_PATH: path, VITEST_TEST_NAME: name } = error as Record<string, unknown>
    const file = path ? relative(root, String(path)) : 'in no file'
    return { where: `${file} > unhandled error${name ? `, perhaps of "${name}"` : ''}`, error }
  }
}

function failuresOf(module: TestModule): Failure[] {
  const file = module.relativeModuleId
  const failures: Failure[] = module.errors().map((error) => ({ where: file, error }))
  for (const suite of module.children.allSuites())
    failures.push(...suite.errors().map((error) => ({ where: `${file} > ${suite.fullName}`, error })))
  for (const test of module.children.allTests('failed'))
    failures.push({ where: `${file} > ${test.fullName}`, error: test.result().errors?.[0] })
  return failures
}

function firstLineOf(error: SerializedError | undefined): string {
  const [line = 'failed without an error'] = stripVTControlCharacters(String(error?.message ?? ''))
    .split('\n')
    .filter((text) => text.trim())
  return error?.name ? `${error.name}: ${line.trim()}` : line.trim()
}

function shorten(line: string): string {
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE - 1)}…` : line
}
