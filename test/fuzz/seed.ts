// Owns chance in the hostile-input tests: one seed for a whole run, printed in every title, so that it can be run again.
// `FUZZ_SEED=… FUZZ_RUNS=… FUZZ_PATH=… npm run test:fuzz -- -t "<title>"`; fast-check prints seed and path of a failure.
import fc from 'fast-check'
import { it } from 'vitest'

/** How many runs a property of weight 1 gets. */
export const RUNS = Number(process.env.FUZZ_RUNS ?? 250)
export const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
const path = process.env.FUZZ_PATH

export interface Weight {
  /** Cheap properties get more runs than dear ones. Default 1. */
  weight?: number
  /** What the runs together must have shown, or the property may hold for want of cases. */
  afterwards?: () => void
}

/** A test that `promise` holds for every generated value. */
export function holdsFor<T>(
  promise: string,
  values: fc.Arbitrary<T>,
  property: (value: T) => unknown,
  { weight = 1, afterwards }: Weight = {},
): void {
  const numRuns = Math.ceil(RUNS * weight)
  it(`${promise} (${numRuns} runs, seed ${SEED})`, { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(values, async (value) => void (await property(value))),
      { numRuns, seed: SEED, ...(path === undefined ? {} : { path }) },
    )
    // A rerun of one path has one case only.
    if (path === undefined) afterwards?.()
  })
}
