import { relative } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import base from './vitest.config.js'

/** The file that killed the last mutant first, then the tests of the guarantees, the quick ones before the slow. */
class LikelyFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]) {
    const rank = ({ project, moduleId }: TestSpecification) => {
      const path = relative(this.ctx.config.root, moduleId)
      const last = this.ctx.cache.getFileTestResults(`${project.name}:${path}`)
      if (last?.failed) return 0
      return (path.startsWith('test/guarantees/') ? 0 : 1e6) + (last?.duration ?? 0)
    }
    return [...files].sort((a, b) => rank(a) - rank(b))
  }
}

// The tests that kill a mutant of src/ within seconds. `npm run test:mutation` runs those about its part of src/ once per
// mutant (scripts/mutation/tests.mjs).
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    reporters: ['default'],
    include: process.env.MUTATION_TESTS?.split(' ') ?? ['test/**/*.test.ts'],
    exclude: [
      // Needs a build, a browser or a process of its own.
      'test/{package,browser,demo,examples,reporting}/**',
      // Random: a mutant that they kill today may survive tomorrow.
      'test/{model,fuzz}/**',
      // Loads src/ again; the tests after it would keep the mutant that was active then.
      'test/two-copies.test.ts',
      // The test servers' own tests.
      'test/support/**',
      // The same tests once more: in jsdom, under Vite.
      'test/transport/{versions-xhr,adapters-xhr}.test.ts',
      'test/testing/{hot-reload,anywhere,double-mount}.test.ts',
    ],
    setupFiles: ['scripts/mutation/attribute.mjs'],
    // Half the time of a run goes into loading axios and msw anew for each file. What a mutant changes when a module
    // loads has to be loaded, though.
    isolate: !!process.env.MUTATES_AT_LOAD,
    // The slowest test takes 0.7 seconds on an idle machine. By then, a mutant that makes one hang counts as killed.
    testTimeout: 5_000,
    hookTimeout: 5_000,
    sequence: { sequencer: LikelyFirst },
  },
})
