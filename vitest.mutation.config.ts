import { relative } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import base from './vitest.config.js'

/** The file that told the last mutant first, then what the guarantees say, the quick ones before the slow. */
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

// The stories that tell a mutant of src/ within seconds. `npm run test:mutation` runs those about its part of src/ once per
// mutant (scripts/mutation/stories.mjs).
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    reporters: ['default'],
    include: process.env.MUTATION_STORIES?.split(' ') ?? ['test/**/*.test.ts'],
    exclude: [
      // Needs a build, a browser or a process of its own.
      'test/{package,browser,demo,examples,reporting}/**',
      // Random: a mutant that is found today would live tomorrow.
      'test/{model,fuzz}/**',
      // Evaluates src/ anew, and what follows would go on with the mutant of that moment.
      'test/two-copies.test.ts',
      // The test servers' own tests.
      'test/support/**',
      // The same stories once more: in jsdom, under Vite.
      'test/transport/{versions-xhr,adapters-xhr}.test.ts',
      'test/testing/{hot-reload,anywhere,double-mount}.test.ts',
    ],
    setupFiles: ['scripts/mutation/attribute.mjs'],
    // Half the time of a run goes into loading axios and msw anew for each file. What a mutant changes when a module
    // loads has to be loaded, though.
    isolate: !!process.env.MUTATES_AT_LOAD,
    // The slowest story takes 0.7 seconds on a machine that is not busy. A mutant that lets one hang is told by then.
    testTimeout: 5_000,
    hookTimeout: 5_000,
    sequence: { sequencer: LikelyFirst },
  },
})
