import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: {
    alias: [
      {
        find: /^axios-auth-client\/testing$/,
        replacement: fileURLToPath(new URL('./src/testing/index.ts', import.meta.url)),
      },
      { find: /^axios-auth-client$/, replacement: fileURLToPath(new URL('./src/index.ts', import.meta.url)) },
      {
        find: /^axios-auth-client\/(react|vue)$/,
        replacement: fileURLToPath(new URL('./src/bindings/$1.ts', import.meta.url)),
      },
    ],
  },
  test: {
    // A test that needs a page says so itself: `// @vitest-environment jsdom`.
    environment: 'node',
    // In the order in which they print: the table of the browser tests, vitest's own report, and what failed in short.
    reporters: ['./test/browser/vitest-summary.ts', 'default', './test/reporting/vitest-failures.ts'],
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    // Needs a build and an installation: `npm run test:package`.
    exclude: ['test/package/**'],
    // A hang is a finding: a waiting request that never settles must fail here within seconds.
    testTimeout: 10_000,
    hookTimeout: 10_000,
    teardownTimeout: 5_000,
    retry: 0,
    restoreMocks: true,
    unstubGlobals: true,
    unstubEnvs: true,
    // An unhandled rejection is a caller that nobody answered.
    dangerouslyIgnoreUnhandledErrors: false,
    // Each client says once why a request goes without its token. The tests of that spy on the console.
    onConsoleLog: (log) => !/^axios-auth-client: .* went out without the token/.test(log),
    allowOnly: !process.env.CI,
    passWithNoTests: false,
  },
})
