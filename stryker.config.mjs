// Changes src/ in one place at a time and expects a test to fail. A surviving mutant is either untested behaviour or an
// equivalent mutant; for the second, scripts/mutation/harmless.mjs says why.
import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin'

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: ['src/**/*.ts'],
  plugins: ['@stryker-mutator/vitest-runner', './stryker.config.mjs'],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.config.ts', related: false },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // What is evaluated when a module loads: scripts/test-mutation.mjs has a second run for it.
  ignoreStatic: !process.env.MUTATES_AT_LOAD,
  ignorers: ['messages'],
  // A mutant that is not changed, and whose tests are not, keeps its result until the next run.
  incremental: true,
  incrementalFile: 'node_modules/.cache/stryker/incremental.json',
  reporters: ['progress-append-only', 'clear-text', 'json'],
  jsonReporter: { fileName: 'node_modules/.cache/stryker/report.json' },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, skipFull: true },
  timeoutMS: 20_000,
  // scripts/test-mutation.mjs decides whether the run fails.
  thresholds: { high: 95, low: 90, break: null },
}

// A sentence for people is not a promise to the caller; where it is one (it names the option, it holds no token), a
// test reads it. So a mutant that empties a message would only ask for tests that repeat the message.
const MAKES_A_MESSAGE = /^(\w*Error|badOption|expect|expectMethods|SessionRefused|signedOut)$/

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'messages', {
    shouldIgnore(path) {
      if (!path.isStringLiteral() && !path.isTemplateLiteral()) return undefined
      const call = path.findParent((parent) => parent.isNewExpression() || parent.isCallExpression())
      const { id, left } = path.parent
      const isMessage = MAKES_A_MESSAGE.test(call?.node.callee.name) || (id ?? left)?.name === 'message'
      return isMessage ? 'the words of an error message' : undefined
    },
  }),
]
