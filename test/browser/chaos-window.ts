// Owns one window of Chromium with tabs that hide each other, and what can happen to a tab there: it is frozen, it
// crashes, it is closed, it goes elsewhere. All over the DevTools protocol, as the browser itself does it.
// Promise: each of these has happened when its promise resolves.
import puppeteer, { type CDPSession, type Page } from 'puppeteer-core'
import { CHROMIUM_ARGS } from './chromium.js'

export interface WindowTab {
  /** Runs the expression in the page, also in a frozen one if it waits for nothing. Only JSON comes back. */
  evaluate<T>(expression: string): Promise<T>
  /** Brings it to the front. */
  show(): Promise<void>
  /** As the browser does with a tab in the background to save power: it is hidden first. */
  freeze(): Promise<void>
  /** It stays in the background. */
  thaw(): Promise<void>
  reload(): Promise<void>
  goto(url: string): Promise<void>
  /** Its process dies, and what is left of the tab is closed. */
  crash(): Promise<void>
  close(): Promise<void>
}

export interface TabWindow {
  open(url: string): Promise<WindowTab>
  close(): Promise<void>
}

/** @returns what opens windows that share nothing, in one browser */
export async function launchWindows(
  executablePath: string,
): Promise<{ openWindow(): Promise<TabWindow>; close(): Promise<void> }> {
  // Here the timers of hidden tabs run at full speed, so that a test takes seconds; tabs.test.ts has slow ones.
  const browser = await puppeteer.launch({
    browser: 'chrome',
    executablePath,
    args: CHROMIUM_ARGS,
    headless: true,
    networkEnabled: false,
  })
  return {
    async openWindow() {
      const context = await browser.createBrowserContext()
      // Stands in front when a tab has to be hidden, so that no other tab comes to the front in its place.
      const cover = await context.newPage()
      return {
        async open(url) {
          const page = await context.newPage({ type: 'tab' })
          await page.evaluateOnNewDocument(NOTE_FREEZE)
          await page.goto(url)
          return tabOf(page, cover, await page.createCDPSession())
        },
        close: () => context.close(),
      }
    },
    close: () => browser.close(),
  }
}

const NOTE_FREEZE = `
  globalThis.frozen = false
  document.addEventListener('freeze', () => { frozen = true })
  document.addEventListener('resume', () => { frozen = false })`

function tabOf(page: Page, cover: Page, devtools: CDPSession): WindowTab {
  // Not `waitForFunction`: it polls inside the page, which may be frozen.
  async function until(condition: string): Promise<void> {
    while (!(await page.evaluate(condition))) {
      // Each look is a round trip to the page.
    }
  }

  async function hide(): Promise<void> {
    await cover.bringToFront()
    await until('document.visibilityState === "hidden"')
  }

  return {
    evaluate: <T>(expression: string) => page.evaluate(expression) as Promise<T>,
    show: () => page.bringToFront(),
    async freeze() {
      await hide()
      await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
      await until('frozen')
    },
    async thaw() {
      await devtools.send('Page.setWebLifecycleState', { state: 'active' })
      await until('!frozen')
    },
    async reload() {
      await page.reload()
    },
    async goto(url) {
      await page.goto(url)
    },
    async crash() {
      const crashed = new Promise((resolve) => page.once('error', resolve))
      // The process that would answer is the one that dies.
      devtools.send('Page.crash').catch(() => {})
      await crashed
      await closeBehind(cover)
    },
    close: () => closeBehind(cover),
  }

  /** The tab that comes to the front when another is closed must not be a frozen one: that would wake it. */
  async function closeBehind(front: Page): Promise<void> {
    await front.bringToFront()
    await page.close()
  }
}
