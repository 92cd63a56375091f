// Owns what the tests of examples/vue-app begin with: the running app, and users who sit in front of it in a browser.
// Promise: what a page throws or warns about fails its test, and all of it is gone when the test is over.
import { mkdtemp, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { build, createServer, type InlineConfig, preview, type ViteDevServer } from 'vite'
import { expect, onTestFinished, vi } from 'vitest'

export interface RunningApp {
  url: string
  /** How often the server gave this answer since `forget`, such as 'POST /auth/refresh 200'. */
  count(answer: string): number
  /** Every answer of the backend since `forget`. */
  answers(): string[]
  forget(): void
  close(): Promise<void>
}

type Env = Record<string, string>

/** A machine with much to do takes its time. */
export const POLL = { timeout: 15_000 }
const SERVER = { port: 0, host: '127.0.0.1' }

/** What `npm run build` and `npm run preview` come to, with these environment variables. */
export function startBuilt(env: Env = {}): Promise<RunningApp> {
  return inFolder({ ...env, NODE_ENV: 'production' }, async (config) => {
    await build(config)
    const server = await preview({ ...config, preview: SERVER })
    return { server, httpServer: server.httpServer as Server }
  })
}

/** What `npm run dev` starts. */
export async function startDev(env: Env = {}): Promise<RunningApp & { vite: ViteDevServer }> {
  let vite: ViteDevServer | undefined
  const app = await inFolder(env, async (config) => {
    // Nothing is reloaded because somebody edits a file during the tests.
    vite = await createServer({ ...config, server: { ...SERVER, watch: null } })
    const server = await vite.listen()
    return { server, httpServer: server.httpServer as Server }
  })
  return { ...app, vite: vite as ViteDevServer }
}

/** Starts the app with its own configuration; what Vite writes goes to a folder that `close` removes. */
async function inFolder(
  env: Env,
  start: (config: InlineConfig) => Promise<{ server: { close(): Promise<void> }; httpServer: Server }>,
): Promise<RunningApp> {
  const folder = await mkdtemp(join(tmpdir(), 'vue-app-'))
  const cleanUp = () => rm(folder, { recursive: true, force: true })
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  try {
    const { server, httpServer } = await start({
      configFile: fileURLToPath(new URL('../../examples/vue-app/vite.config.ts', import.meta.url)),
      // What fails is thrown, or shown in the page; a proxy without a backend is part of a test.
      logLevel: 'silent',
      cacheDir: join(folder, 'cache'),
      build: { outDir: join(folder, 'dist') },
    })
    const answers = collectAnswers(httpServer)
    const { port } = httpServer.address() as { port: number }
    return {
      url: `http://127.0.0.1:${port}/`,
      count: (answer) => answers.filter((one) => one === answer).length,
      answers: () => [...answers],
      forget: () => void answers.splice(0),
      async close() {
        await server.close()
        await cleanUp()
      },
    }
  } catch (error) {
    await cleanUp()
    throw error
  } finally {
    vi.unstubAllEnvs()
  }
}

/** Every answer of the backend, embedded or behind the proxy, as the browser got it. */
function collectAnswers(server: Server): string[] {
  const answers: string[] = []
  // Before anybody takes the prefix off.
  server.prependListener('request', ({ method, url = '' }, response) => {
    const [, path] = /^\/backend(\/[^?]*)/.exec(url) ?? []
    if (path) response.once('finish', () => answers.push(`${method} ${path} ${response.statusCode}`))
  })
  return answers
}

/** A browser profile: its tabs share a storage, and no other profile's. */
export interface Profile {
  context: BrowserContext
  open(path: string): Promise<Tab>
}

export async function newProfile(browser: Browser, app: RunningApp): Promise<Profile> {
  const context = await browser.newContext({ baseURL: app.url })
  context.setDefaultTimeout(POLL.timeout)
  const complaints: string[] = []
  context.on('weberror', (error) => complaints.push(String(error.error())))
  context.on('console', (message) => {
    // The browser says of each 401 that it came; whether it may come is for the test to decide.
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
      return tabOf(page, app.url)
    },
  }
}

/** One tab, in the words of who sits in front of it. */
export type Tab = ReturnType<typeof tabOf>

function tabOf(page: Page, appUrl: string) {
  const cards = (state: 'ready' | 'failed'): Locator => page.locator(`.card.${state}`)
  /** The lines of the session panel. */
  async function panel() {
    const lines = await page.locator('.panel dl div').allInnerTexts()
    return Object.fromEntries(lines.map((line) => line.split(/\s*\n\s*/)))
  }

  return {
    page,
    cards,
    /** Fills in the form and sends it. */
    async signIn(username: string, password: string) {
      await page.getByLabel('Name').fill(username)
      await page.getByLabel('Password').fill(password)
      await page.getByRole('button', { name: 'Sign in' }).click()
    },
    /** Waits until the tab is there. @param path with query and hash */
    isAt: (path: string) => page.waitForURL(({ href }) => href === new URL(path, appUrl).href),
    press: (name: 'Load again' | 'Renew now' | 'Let the token die' | 'Sign out') =>
      page.getByRole('button', { name }).click(),
    /** Waits until every card of the dashboard is loaded. */
    async hasDozen() {
      await expect.poll(() => cards('ready').count(), POLL).toBe(12)
    },
    panel,
    /** Waits until the session panel says so. */
    panelSays: (lines: object) => expect.poll(panel, POLL).toMatchObject(lines),
    /** Waits until there is such a message. */
    async says(role: 'alert' | 'status', text: string) {
      await expect.poll(() => page.getByRole(role).allInnerTexts(), POLL).toContain(text)
    },
  }
}
