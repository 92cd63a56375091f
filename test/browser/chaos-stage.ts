// Owns what the chaos and freeze tests begin with: a server that rotates refresh tokens, a window with some tabs that
// share a session, and the checks that every test ends with.
// Promise: the numbers of a test are in the summary, whether it passed or not; what happened in the tabs of one that
// failed is printed.
import { afterAll, beforeAll, describe, expect, onTestFinished, type TestContext } from 'vitest'
import { type AuthServer, type StartOptions, startAuthServer } from '../support/auth-server.js'
import type { App, Report } from './chaos-page.js'
import { launchWindows, type TabWindow, type WindowTab } from './chaos-window.js'
import { findChromium } from './chromium.js'
import { buildPage } from './pages.js'
import { tokensOf } from './stage.js'
import { createSummary } from './summary.js'

/** How long a tab waits for the one that refreshes, beyond the `refreshTimeoutMs`. */
export const MARGIN_MS = 2000

/** The machine may be busy: a tab that has given up on another still has its own refresh to do. */
export const TIME_LIMIT_MS = 15_000

export interface ChaosTab {
  readonly name: string
  readonly window: WindowTab
  readonly frozen: boolean
  signIn(user?: string): Promise<void>
  fire(count: number): Promise<void>
  report(): Promise<Report>
  token(): Promise<string | undefined>
  show(): Promise<void>
  freeze(): Promise<void>
  thaw(): Promise<void>
  /** What it had asked for dies with the page. */
  reload(): Promise<void>
  /** It goes to another page of the same origin, and is no tab of this app any more. */
  leave(): Promise<void>
  close(): Promise<void>
  crash(): Promise<void>
}

export interface ChaosOptions {
  /** How many tabs are open and share a session when the test begins. */
  tabs: number
  refreshTimeoutMs: number
  server?: StartOptions
  /** What the pages do without: see take-away.ts. */
  without?: readonly string[]
}

export interface ChaosStage {
  readonly server: AuthServer
  /** The living ones, in the order in which they were opened. */
  readonly tabs: readonly ChaosTab[]
  open(): Promise<ChaosTab>
  /** The server refuses every access token issued so far. */
  expire(): void
  /** How many requests of these tabs wait. */
  pending(tabs: readonly ChaosTab[]): Promise<number>
  /** Waits until these tabs (default: all that are awake) wait for nothing. */
  quiet(tabs?: readonly ChaosTab[]): Promise<void>
  /** All that was asked for in these tabs was answered, for this user and no one else. */
  expectAnswers(tabs: readonly ChaosTab[], user?: string): Promise<void>
  /** All living tabs are signed in with what the store holds, and none wrote over newer tokens. */
  expectAgreement(): Promise<void>
  /** Adds a line to what is printed when the test fails. */
  log(line: string): void
}

export type SetChaosStage = (context: TestContext, options: ChaosOptions) => Promise<ChaosStage>

/** Runs the tests in Chromium, the one browser that freezes a tab when asked to. */
export function inChromium(title: string, defineTests: (setStage: SetChaosStage) => void): void {
  const executablePath = findChromium()
  const note = createSummary()
  describe.skipIf(!executablePath)(title, { timeout: 60_000 }, () => {
    let windows: Awaited<ReturnType<typeof launchWindows>>
    let html: string

    beforeAll(async () => {
      ;[windows, html] = await Promise.all([
        launchWindows(executablePath as string),
        buildPage('./chaos-page.ts'),
      ])
    }, 60_000)

    afterAll(() => windows?.close())

    defineTests(async (context, options) => {
      const server = await startAuthServer({ tokens: 'opaque', realTime: true, ...options.server })
      const window = await windows.openWindow()
      const stage = createStage({ server, window, html, options })
      onTestFinished(async () => {
        if (context.task.result?.state === 'fail') console.error(await stage.history())
        const totals = await stage.totals()
        const { refreshes, reuses } = server.counts
        note(context, { test: context.task.name, browser: 'Chromium', refreshes, reuses, ...totals })
        await window.close()
        await server.stop()
      })
      // The others find the session in the store, so that this does not lean on what tabs defineTests each other.
      await (await stage.open()).signIn()
      await Promise.all(Array.from({ length: options.tabs - 1 }, stage.open))
      return stage
    })
  })
}

interface Parts {
  server: AuthServer
  window: TabWindow
  html: string
  options: ChaosOptions
}

function createStage({ server, window, html, options }: Parts) {
  const headers = { 'content-type': 'text/html; charset=utf-8' }
  server.route('/', () => ({ status: 200, headers, body: html }))
  server.route('/elsewhere', () => ({
    status: 200,
    headers,
    body: '<!doctype html><title>elsewhere</title>',
  }))
  const query = new URLSearchParams(options.without?.map((name) => ['without', name]))
  const living: ChaosTab[] = []
  const journal: { atMs: number; what: string }[] = []
  const totals = { tabs: 0, requests: 0, expiries: 0, adoptions: 0, unanswered: 0 }

  const log = (what: string) => void journal.push({ atMs: Date.now(), what })
  const awake = () => living.filter((tab) => !tab.frozen)

  async function open(): Promise<ChaosTab> {
    const name = `tab ${++totals.tabs}`
    const page = await window.open(`${server.url}/?${query}`)
    const call = <T>(method: keyof App, ...args: unknown[]): Promise<T> =>
      page.evaluate(`app.${method}(${args.map((arg) => JSON.stringify(arg)).join()})`)
    const start = () =>
      call<void>('start', { name, serverUrl: server.url, refreshTimeoutMs: options.refreshTimeoutMs })
    await start()
    let frozen = false

    /** The last words of a page that is about to go. */
    async function bury(): Promise<void> {
      const { adopted, journal: its } = await tab.report()
      totals.adoptions += adopted
      for (const { atMs, what } of its) journal.push({ atMs, what: `${name} ${what}` })
    }

    async function end(how: () => Promise<void>): Promise<void> {
      await bury()
      living.splice(living.indexOf(tab), 1)
      await how()
    }

    const tab: ChaosTab = {
      name,
      window: page,
      get frozen() {
        return frozen
      },
      signIn: (user) => call('signIn', tokensOf(server, user)),
      fire(count) {
        totals.requests += count
        return call('fire', count)
      },
      report: () => call('report'),
      token: () => call('token'),
      show: () => page.show(),
      async freeze() {
        await page.freeze()
        frozen = true
      },
      async thaw() {
        await page.thaw()
        frozen = false
      },
      async reload() {
        await bury()
        await page.reload()
        await start()
      },
      leave: () => end(() => page.goto(`${server.url}/elsewhere`)),
      close: () => end(() => page.close()),
      crash: () => end(() => page.crash()),
    }
    living.push(tab)
    return tab
  }

  async function pending(tabs: readonly ChaosTab[]): Promise<number> {
    const reports = await Promise.all(tabs.map((tab) => tab.report()))
    return reports.reduce((sum, one) => sum + one.pending, 0)
  }

  async function expectAnswers(tabs: readonly ChaosTab[], user = 'ada'): Promise<void> {
    for (const tab of tabs) {
      const { pending, outcomes } = await tab.report()
      const wrong = outcomes.filter((outcome) => outcome.status !== 200 || outcome.user !== user)
      expect({ tab: tab.name, pending, wrong }).toEqual({ tab: tab.name, pending: 0, wrong: [] })
    }
  }

  return {
    server,
    tabs: living,
    open,
    log,
    expire() {
      totals.expiries++
      server.killAccessTokens()
    },
    pending,
    async quiet(tabs?: readonly ChaosTab[]): Promise<void> {
      await expect
        .poll(() => pending(tabs ?? awake()), { timeout: TIME_LIMIT_MS, message: 'requests that wait' })
        .toBe(0)
    },
    expectAnswers,
    async expectAgreement(): Promise<void> {
      for (const tab of living) {
        const { status, ends, overwrites, stored } = await tab.report()
        const held = (JSON.parse(stored ?? 'null') as { tokens: { accessToken: string } } | null)?.tokens
          .accessToken
        expect({ tab: tab.name, status, ends, overwrites, sends: await tab.token() }).toEqual({
          tab: tab.name,
          status: 'signed-in',
          ends: [],
          overwrites: [],
          sends: held,
        })
      }
    },
    async totals() {
      const reports = await Promise.all(living.map((tab) => tab.report()))
      for (const { adopted, pending } of reports) {
        totals.adoptions += adopted
        totals.unanswered += pending
      }
      return totals
    },
    /** Everything that happened, in order. */
    async history(): Promise<string> {
      const lines = [...journal]
      for (const tab of living) {
        const { journal: its } = await tab.report()
        for (const { atMs, what } of its) lines.push({ atMs, what: `  ${tab.name} ${what}` })
      }
      const aheadMs = server.clock.nowMs - Date.now()
      for (const { atMs, method, path, status, body } of server.log) {
        const who = (body as { tab?: string } | undefined)?.tab
        if (who)
          lines.push({ atMs: atMs - aheadMs, what: `    server: ${method} ${path} of ${who}: ${status}` })
      }
      const startMs = Math.min(...lines.map(({ atMs }) => atMs))
      return lines
        .sort((one, other) => one.atMs - other.atMs)
        .map(({ atMs, what }) => `${String(atMs - startMs).padStart(6)} ms  ${what}`)
        .join('\n')
    },
  }
}
