// Owns chance in the hostile-input tests: every property has a seed, printed in its title, so that it can be run again.
// `FUZZ_SEED=… FUZZ_PATH=… npx vitest run test/fuzz -t '<title>'`, with what fast-check prints of a failure.
import fc from 'fast-check'
import { it } from 'vitest'

/** How many runs a property of weight 1 gets. */
export const RUNS = Number(process.env.FUZZ_RUNS ?? 200)
const { FUZZ_SEED, FUZZ_PATH: path } = process.env

/** A test that `promise` holds for every generated value. Cheap properties weigh more and get more runs. */
export function holdsFor<T>(
  promise: string,
  values: fc.Arbitrary<T>,
  property: (value: T) => unknown,
  weight = 1,
): void {
  const numRuns = Math.ceil(RUNS * weight)
  const seed = Number(FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
  it(`${promise} (${numRuns} runs, seed ${seed})`, { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(values, async (value) => void (await property(value))),
      { numRuns, seed, ...(path === undefined ? {} : { path }) },
    )
  })
}
