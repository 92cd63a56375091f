// Finds and starts a Chromium. Playwright's own download is not needed: a system's Chromium will do.
import { type Browser, chromium } from 'playwright-core'
import { findExecutable } from './executables.js'

export { servePage } from './pages.js'

/** The path of a Chromium on this machine; says loudly when there is none. */
export function findChromium(): string | undefined {
  return findExecutable({
    name: 'Chromium',
    variable: 'CHROMIUM_PATH',
    debian: 'chromium',
    paths: [
      '/usr/bin/chromium',
      '/usr/bin/chromium-browser',
      '/usr/bin/google-chrome',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
    ],
  })
}

/** How a Chromium starts here: without what it does for itself, and in the confines of a container. */
export const CHROMIUM_ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: CHROMIUM_ARGS })
}
