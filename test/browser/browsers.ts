// Owns the browsers of the tests. One library drives both: Firefox by WebDriver BiDi, Chromium by the DevTools
// protocol. Unlike with Playwright, which makes every page believe that it is in front, tabs hide each other.
// Promise: pages of one profile share their storage and cookies, two profiles share nothing.
import puppeteer, { type BrowserContext, type LaunchOptions, type Page } from 'puppeteer-core'
import { CHROMIUM_ARGS, findChromium } from './chromium.js'
import { findExecutable } from './executables.js'

/** Not localhost, so a page there is on an insecure origin; it leads to this machine all the same. */
export const INSECURE_HOST = 'app.test'

/** Tabs with one storage: what a user would call a container, or a window in private mode. */
export interface Profile {
  /** @param visible whether the page believes to be in front; else it is until the next one is opened */
  open(url: string, visible: boolean): Promise<Page>
  close(): Promise<void>
}

export interface Browser {
  profile(): Promise<Profile>
  close(): Promise<void>
}

export interface BrowserKind {
  readonly name: 'Chromium' | 'Firefox'
  /** Whether this machine has it. */
  readonly found: boolean
  launch(): Promise<Browser>
}

export function findBrowsers(): BrowserKind[] {
  const chromium = findChromium()
  const firefox = findFirefox()
  return [
    {
      name: 'Chromium',
      found: !!chromium,
      launch: () =>
        launch(
          {
            browser: 'chrome',
            executablePath: chromium,
            args: [...CHROMIUM_ARGS, `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`],
            // Automation turns off what every user has.
            ignoreDefaultArgs: [
              '--disable-back-forward-cache',
              '--disable-background-timer-throttling',
              '--disable-renderer-backgrounding',
            ],
          },
          // Without a screen its windows hide each other as well.
          async (context) => {
            const page = await context.newPage()
            await page.emulateFocusedPage(true)
            return page
          },
        ),
    },
    {
      name: 'Firefox',
      found: !!firefox,
      launch: () =>
        launch(
          {
            browser: 'firefox',
            executablePath: firefox,
            extraPrefsFirefox: { 'network.dns.localDomains': INSECURE_HOST },
          },
          (context) => context.newPage({ type: 'window' }),
        ),
    },
  ]
}

function findFirefox(): string | undefined {
  return findExecutable({
    name: 'Firefox',
    variable: 'FIREFOX_PATH',
    debian: 'firefox-esr',
    paths: ['/usr/bin/firefox-esr', '/usr/bin/firefox', '/Applications/Firefox.app/Contents/MacOS/firefox'],
  })
}

async function launch(
  options: LaunchOptions,
  openVisible: (context: BrowserContext) => Promise<Page>,
): Promise<Browser> {
  // A test makes thousands of requests; an event for each would be too many.
  const browser = await puppeteer.launch({ ...options, headless: true, networkEnabled: false })
  return {
    async profile() {
      const context = await browser.createBrowserContext()
      return {
        async open(url, visible) {
          const page = await (visible ? openVisible(context) : context.newPage())
          await page.goto(url)
          return page
        },
        close: () => context.close(),
      }
    },
    close: () => browser.close(),
  }
}
