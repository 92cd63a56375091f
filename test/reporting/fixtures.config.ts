import { defineConfig } from 'vitest/config'
import base from '../../vitest.config.js'

// The runs that failures.test.ts looks at: what they print is what `npm test` prints.
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/reporting/fixtures/*.ts'] },
})
