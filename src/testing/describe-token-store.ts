// The contract of a store, as a suite that runs over one of your own: in vitest, jest, node:test or whatever has `describe`
// and `it`. Knows the public interface only, and no client.
// Promise: a store that passes keeps what the client relies on; what fails says what was expected and what came.
import type { TokenStore } from '../index.js'
import { keeping, replacing } from './store-records.js'
import { news, turns } from './store-sharing.js'

/** What a test runner has: pass it where it is not on `globalThis`. */
export interface SuiteRunner {
  describe(name: string, run: () => void): unknown
  it(name: string, run: () => Promise<void>): unknown
}

export interface DescribeTokenStoreOptions {
  /** `true`: its `save` and `clear` heed `replaces`. @default false */
  replaces?: boolean | undefined
  /** `true`: its `exclusively` runs work unguarded when there was no turn in time, instead of rejecting. @default false */
  unguarded?: boolean | undefined
  /** @default globalThis */
  runner?: SuiteRunner | undefined
}

/**
 * Declares the tests of a store.
 * @param setUp makes an empty place to keep a session in, and returns what opens a store on it: as one more tab or process
 * would, or, where there is only one, the same store again. Called once for each test.
 */
export function describeTokenStore(
  name: string,
  setUp: () => () => TokenStore,
  options: DescribeTokenStoreOptions = {},
): void {
  const { describe, it } = options.runner ?? (globalThis as unknown as SuiteRunner)
  const scenarios = {
    ...keeping,
    ...(options.replaces ? replacing : {}),
    ...turns(!!options.unguarded),
    ...news,
  }
  describe(`${name}: the contract of a store`, () => {
    for (const [title, run] of Object.entries(scenarios)) it(title, async () => run(setUp()))
  })
}
