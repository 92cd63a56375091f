import { defineConfig } from 'vitest/config'

// The tests of the package as it is published. They need `npm run build` first, and the registry or npm's cache.
export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/package/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 240_000,
    retry: 0,
    allowOnly: !process.env.CI,
  },
})
