// Which tests run for which part of src/: those about it, the most likely to fail first. Running every test for every
// mutant would take days.

const guarantees = (...names) => names.map((name) => `test/guarantees/${name}.test.ts`)

/**
 * `src`: folders, or files by a glob. `likely`: a few that kill most mutants; `tests` run for those that survive them.
 * @type {readonly { name: string, src: readonly string[], likely?: readonly string[], tests: readonly string[] }[]}
 */
export const PARTS = [
  {
    name: 'session',
    src: ['src/session'],
    likely: [
      ...guarantees('outcomes', 'faults', 'late-answers', 'cool-down', 'excessive-refreshes', 'stores'),
      'test/client/methods.test.ts',
      'test/tabs/*.test.ts',
    ],
    tests: [
      ...guarantees(
        'single-flight',
        'session',
        'sign-out',
        'stores',
        'outcomes',
        'cool-down',
        'late-answers',
        'second-look',
      ),
      ...guarantees(
        'excessive-refreshes',
        'lifetime',
        'faults',
        'cancellation',
        'own-error',
        'replay',
        'replay-bytes',
        'safety',
      ),
      'test/client/*.test.ts',
      'test/tabs/*.test.ts',
      'test/stores/custom.test.ts',
      'test/strategies/g-cookies.test.ts',
      'test/bad-input.test.ts',
    ],
  },
  {
    name: 'transport',
    src: ['src/transport'],
    likely: [
      ...guarantees('replay', 'replay-bytes', 'own-error', 'cancellation', 'safety'),
      'test/client/{hooks,request-options}.test.ts',
      'test/placements/own.test.ts',
    ],
    tests: [
      ...guarantees('single-flight', 'replay', 'replay-bytes', 'own-error', 'cancellation', 'safety', 'urls'),
      ...guarantees('faults', 'excessive-refreshes', 'session', 'axios-features', 'second-look'),
      'test/client/*.test.ts',
      'test/placements/*.test.ts',
      'test/transport/{adapters,versions,two-axioses,beside-cache,beside-plugins,plugins-at-work}.test.ts',
    ],
  },
  {
    name: 'stores and tabs',
    src: ['src/stores'],
    tests: [
      'test/tabs/*.test.ts',
      'test/stores/*.test.ts',
      'test/testing/fake-tabs.test.ts',
      ...guarantees('stores', 'safety'),
      'test/client/start.test.ts',
    ],
  },
  {
    name: 'strategies and placements',
    src: ['src/strategies', 'src/placements'],
    tests: ['test/strategies/*.test.ts', 'test/placements/*.test.ts', ...guarantees('safety', 'outcomes')],
  },
  {
    name: 'the rest',
    src: ['src/*.ts', 'src/bindings'],
    likely: [
      'test/{options,errors,bad-input}.test.ts',
      'test/client/*.test.ts',
      'test/bindings/*.test.ts',
      ...guarantees('lifetime', 'cancellation'),
    ],
    tests: [
      'test/{options,errors,bad-input}.test.ts',
      'test/placements/*.test.ts',
      'test/strategies/strategies.test.ts',
      'test/client/*.test.ts',
      'test/bindings/*.test.ts',
      'test/tabs/*.test.ts',
      'test/stores/custom.test.ts',
      'test/transport/versions.test.ts',
      ...guarantees('lifetime', 'faults', 'cancellation', 'cool-down', 'outcomes'),
      ...guarantees('safety', 'own-error', 'single-flight'),
    ],
  },
  { name: 'testing', src: ['src/testing'], tests: ['test/testing/*.test.ts'] },
]
