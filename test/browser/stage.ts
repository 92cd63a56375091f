// Owns what every browser test begins with: a server that revokes on reuse, a profile of its own with some tabs in
// it, and the count of what went through them. All of it is gone when the test is over.
// Promise: the numbers of a test are in the summary, whether it passed or not.
import { afterAll, beforeAll, describe, expect, onTestFinished, type TestContext } from 'vitest'
import { type AuthServer, type StartOptions, startAuthServer } from '../support/auth-server.js'
import { type Browser, findBrowsers, INSECURE_HOST, type Profile } from './browsers.js'
import { buildPage } from './pages.js'
import { type StagedTab, startTab } from './staged-tab.js'
import { createSummary } from './summary.js'
import type { StartTab, TabState } from './tab-page.js'

export interface StageOptions {
  /** How many tabs are open and started when the test begins. */
  tabs: number
  server?: StartOptions
  /** How the apps in the tabs set their clients up. */
  start?: StartTab
  /** None is hidden, so no browser slows its timers down. Default: they hide each other. */
  visible?: boolean
  /** Where the pages are. Default: a secure context. */
  place?: keyof typeof PLACES
  /** What the pages do without: see take-away.ts. */
  without?: readonly string[]
}

export interface Stage {
  readonly server: AuthServer
  readonly tabs: readonly StagedTab[]
  /** The address of a page without a client, of the same origin. */
  readonly elsewhereUrl: string
  /** Opens and starts one more tab. */
  openTab(): Promise<StagedTab>
  /** Signs a user in, in the first tab, and waits until every tab knows. */
  signIn(user?: string): Promise<void>
  /** The server refuses every access token issued so far. */
  expire(): void
  /** What each tab says of itself, in order. */
  states(): Promise<TabState[]>
  /** Waits until all tabs have this status. */
  allAre(status: string): Promise<void>
}

export type SetStage = (context: TestContext, options: StageOptions) => Promise<Stage>

/** Hidden tabs run their timers once a second, and slow machines take their time. */
export const POLL = { timeout: 10_000 }

const HTML = { 'content-type': 'text/html; charset=utf-8' }
const ELSEWHERE = '/elsewhere'
const PLACES = {
  secure: HTML,
  /** Without Web Locks: plain http on a host that is not localhost. */
  insecure: HTML,
  /** An origin like no other, where storage and locks exist and refuse. */
  opaque: { ...HTML, 'content-security-policy': 'sandbox allow-scripts' },
}

/** Runs the tests in every browser of this machine. */
export function inEachBrowser(title: string, defineTests: (setStage: SetStage) => void): void {
  const note = createSummary()
  let building: Promise<string> | undefined
  for (const kind of findBrowsers()) {
    describe.skipIf(!kind.found)(`${title} (${kind.name})`, { timeout: 60_000 }, () => {
      let browser: Browser
      let html: string

      beforeAll(async () => {
        ;[browser, html] = await Promise.all([kind.launch(), (building ??= buildPage('./tab-page.ts'))])
      }, 60_000)

      afterAll(() => browser?.close())

      defineTests(async (context, options) => {
        const server = await startAuthServer({ tokens: 'opaque', ...options.server })
        const profile = await browser.profile()
        const tabs: StagedTab[] = []
        let expiries = 0
        onTestFinished(async () => {
          const { refreshes, reuses } = server.counts
          const totals = { requests: 0, expiries, refreshes, adoptions: 0, reuses, unanswered: 0 }
          for (const tab of tabs) {
            const { requests, adoptions, unanswered } = await tab.counts()
            totals.requests += requests
            totals.adoptions += adoptions
            totals.unanswered += unanswered
          }
          note(context, { test: context.task.name, browser: kind.name, tabs: tabs.length, ...totals })
          await profile.close()
          await server.stop()
        })

        const openTab = serveTabs(server, html, profile, options)
        tabs.push(...(await Promise.all(Array.from({ length: options.tabs }, openTab))))
        const states = () => Promise.all(tabs.map((tab) => tab.state()))

        async function allAre(status: string): Promise<void> {
          const statuses = async () => (await states()).map((state) => state.status)
          await expect.poll(statuses, POLL).toEqual(tabs.map(() => status))
        }

        return {
          server,
          tabs,
          elsewhereUrl: server.url + ELSEWHERE,
          async openTab() {
            const tab = await openTab()
            tabs.push(tab)
            return tab
          },
          async signIn(user) {
            await tabs[0]?.signIn(tokensOf(server, user))
            await allAre('signed-in')
          },
          expire() {
            expiries++
            server.killAccessTokens()
          },
          states,
          allAre,
        }
      })
    })
  }
}

/** The pages come from the API's own server: one origin, as behind a reverse proxy, and no preflight per request. */
function serveTabs(
  server: AuthServer,
  html: string,
  profile: Profile,
  { place = 'secure', without = [], visible = false, start }: StageOptions,
): () => Promise<StagedTab> {
  server.route(`/${place}`, () => ({ status: 200, headers: PLACES[place], body: html }))
  server.route(ELSEWHERE, () => ({
    status: 200,
    headers: HTML,
    body: '<!doctype html><title>elsewhere</title>',
  }))
  const { port } = new URL(server.url)
  const serverUrl = place === 'insecure' ? `http://${INSECURE_HOST}:${port}` : server.url
  const query = new URLSearchParams(without.map((name) => ['without', name]))
  return async () => {
    const page = await profile.open(`${serverUrl}/${place}?${query}`, visible)
    return startTab(page, serverUrl, start)
  }
}

/** What a login over HTTP would have handed to the app. */
export function tokensOf(server: AuthServer, user?: string): { accessToken: string; refreshToken: string } {
  const { access_token, refresh_token } = server.login(user)
  return { accessToken: access_token, refreshToken: refresh_token }
}

/** Why sessions ended, tab by tab. */
export async function endsOf(states: Promise<TabState[]>): Promise<string[][]> {
  return (await states).map(({ ends }) => ends)
}
