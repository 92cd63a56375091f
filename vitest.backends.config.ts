import { defineConfig } from 'vitest/config'
import base from './vitest.config.js'

// The backends of examples/, each in its own framework. `npm run test:backends` starts this with all it needs.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['examples/*/*.e2e.ts'],
    exclude: [],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Each test starts processes of its own.
    maxWorkers: 2,
  },
})
