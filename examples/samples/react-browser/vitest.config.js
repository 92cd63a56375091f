import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      // Without the variable it is the one that `npx playwright install chromium` has downloaded.
      provider: playwright({
        launchOptions: { executablePath: process.env.CHROMIUM_PATH, args: ['--no-sandbox'] },
      }),
      instances: [{ browser: 'chromium' }],
    },
    testTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
  },
})
