import { relative } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import base from './vitest.config.js'

/** The file that told the last mutant first, then the quick ones: most mutants are told within a second. */
class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]) {
    const rank = ({ project, moduleId }: TestSpecification) => {
      const key = `${project.name}:${relative(this.ctx.config.root, moduleId)}`
      const last = this.ctx.cache.getFileTestResults(key)
      return last?.failed ? 0 : 1 + (last?.duration ?? 0)
    }
    return [...files].sort((a, b) => rank(a) - rank(b))
  }
}

// The stories that tell a mutant of src/ within seconds. `npm run test:mutation` runs them once per mutant.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    reporters: ['default'],
    include: ['test/**/*.test.ts'],
    exclude: [
      // Needs a build, a browser, a process of its own, or a thousand random sequences.
      'test/{package,browser,demo,model,examples}/**',
      // Evaluates src/ anew, and what follows would go on with the mutant of that moment.
      'test/two-copies.test.ts',
      // The test servers' own tests.
      'test/support/**',
      // The same stories once more: on older versions of axios, in jsdom, under Vite.
      'test/transport/{versions,versions-xhr,adapters-xhr}.test.ts',
      'test/testing/{hot-reload,anywhere,double-mount}.test.ts',
    ],
    // Half the time of a run goes into loading axios and msw anew for each file.
    isolate: false,
    // A machine that is busy with mutants must not take the blame off a story, nor tell a mutant that nobody has told.
    retry: 1,
    // The slowest story takes 1.3 seconds; what a mutant lets hang is told in three.
    testTimeout: 3_000,
    hookTimeout: 3_000,
    sequence: { sequencer: QuickFirst },
  },
})
