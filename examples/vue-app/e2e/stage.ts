// Owns what the stories of this app begin with: its dev server, and users who sit in front of it in a real browser.
// Promise: what a page throws or complains about fails the story, and all of it is gone when the story is over.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { build, createServer, type InlineConfig, type Plugin, preview, type ViteDevServer } from 'vite'
import { expect, onTestFinished, vi } from 'vitest'
import type { Backend } from '../backend/server.js'
import type { EmbeddedBackend } from '../backend/vite-plugin.js'

export interface RunningApp {
  url: string
  /** The embedded backend, unless VITE_BACKEND names another. */
  backend?: Backend
  close(): Promise<void>
}

export interface DevApp extends RunningApp {
  vite: ViteDevServer
}

/** A machine with much to do takes its time. */
export const POLL = { timeout: 10_000 }
const ANY_PORT = { port: 0, host: '127.0.0.1' }

/** What `npm run dev` starts, with these environment variables. */
export function startDev(env: Record<string, string> = {}): Promise<DevApp> {
  return inEnv(env, async () => {
    const { config, cleanUp } = await newConfig()
    // Nothing is reloaded because somebody edits a file during the tests.
    const vite = await createServer({ ...config, server: { ...ANY_PORT, watch: null } })
    await vite.listen()
    return {
      vite,
      url: vite.resolvedUrls?.local[0] ?? '',
      backend: backendOf(vite.config.plugins),
      async close() {
        await vite.close()
        await cleanUp()
      },
    }
  })
}

/** What `npm run build` and `npm run preview` come to. */
export function startBuilt(env: Record<string, string> = {}): Promise<RunningApp> {
  return inEnv({ ...env, NODE_ENV: 'production' }, async () => {
    const { config, cleanUp } = await newConfig()
    await build(config)
    const server = await preview({ ...config, preview: ANY_PORT })
    return {
      url: server.resolvedUrls?.local[0] ?? '',
      backend: backendOf(server.config.plugins),
      async close() {
        await server.close()
        await cleanUp()
      },
    }
  })
}

async function inEnv<T>(env: Record<string, string>, run: () => Promise<T>): Promise<T> {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  try {
    return await run()
  } finally {
    vi.unstubAllEnvs()
  }
}

/** The app's own configuration, writing to a folder of its own: the reader's caches stay as they are. */
async function newConfig() {
  const folder = await mkdtemp(join(tmpdir(), 'vue-app-'))
  const config: InlineConfig = {
    configFile: fileURLToPath(new URL('../vite.config.ts', import.meta.url)),
    // What fails is thrown, or shown in the page; a proxy without a backend is part of a story.
    logLevel: 'silent',
    cacheDir: join(folder, 'cache'),
    build: { outDir: join(folder, 'dist') },
  }
  return { config, cleanUp: () => rm(folder, { recursive: true, force: true }) }
}

function backendOf(plugins: readonly Plugin[]): Backend | undefined {
  const { api } = plugins.find(({ name }) => name === 'embedded-backend') ?? {}
  return (api as EmbeddedBackend | undefined)?.backend
}

/** A browser profile: its tabs share a storage, and no other profile's. */
export interface Profile {
  context: BrowserContext
  open(path: string): Promise<Tab>
}

export async function newProfile(browser: Browser, app: RunningApp): Promise<Profile> {
  const context = await browser.newContext({ baseURL: app.url })
  context.setDefaultTimeout(10_000)
  const complaints: string[] = []
  context.on('weberror', (error) => complaints.push(String(error.error())))
  context.on('console', (message) => {
    // The browser says of each 401 that it came; whether it may come is the story's business.
    const isAnswer = message.text().startsWith('Failed to load resource')
    if (['error', 'warning'].includes(message.type()) && !isAnswer) complaints.push(message.text())
  })
  onTestFinished(async () => {
    await context.close()
    expect(complaints).toEqual([])
  })
  return {
    context,
    async open(path) {
      const page = await context.newPage()
      await page.goto(path)
      return tabOf(page)
    },
  }
}

/** One tab, in the words of who sits in front of it. */
export interface Tab {
  page: Page
  /** Fills in the form and sends it. */
  signIn(username: string, password: string): Promise<void>
  /** Waits until the tab is there. @param path with query and hash */
  isAt(path: string): Promise<void>
  /** Waits until every card of the dashboard is loaded. */
  hasDozen(): Promise<void>
  cards(state: 'loading' | 'ready' | 'failed'): Locator
  loadAgain(): Promise<void>
  /** Asks for new tokens, whatever the old ones are good for. */
  renew(): Promise<void>
  signOut(): Promise<void>
  /** A line of the session panel. */
  panel(line: 'status' | 'time-left' | 'refreshes' | 'replays' | 'adopted'): Locator
  /** The text of the first element of this kind, once there is one. */
  says(role: 'alert' | 'status'): Promise<string>
}

export function tabOf(page: Page): Tab {
  const cards: Tab['cards'] = (state) => page.locator(`.card[data-state=${state}]`)
  const tab: Tab = {
    page,
    async signIn(username, password) {
      await page.getByLabel('Name').fill(username)
      await page.getByLabel('Password').fill(password)
      await page.getByRole('button', { name: 'Sign in' }).click()
    },
    isAt: (path) => page.waitForURL((url) => url.pathname + url.search + url.hash === path),
    async hasDozen() {
      const states = () => page.locator('.card').evaluateAll((all) => all.map((one) => one.dataset.state))
      await expect.poll(states, POLL).toEqual(Array(12).fill('ready'))
    },
    cards,
    async loadAgain() {
      await page.getByRole('button', { name: 'Load again' }).click()
    },
    async renew() {
      await page.getByRole('button', { name: 'Renew now' }).click()
    },
    async signOut() {
      await page.getByRole('button', { name: 'Sign out' }).click()
    },
    panel: (line) => page.locator(`[data-test=${line}]`),
    says: (role) => page.getByRole(role).first().innerText(),
  }
  return tab
}
