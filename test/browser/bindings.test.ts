// The React and Vue bindings in a real browser, with the scheduler and the hydration of the real frameworks.
// Promise: what a panel shows is one session at every moment, from the server's markup on, and nothing listens after it.

import type { Tokens } from 'axios-auth-client'
import type { Browser, Page } from 'playwright-core'
import { createElement } from 'react'
import { renderToString as renderReact } from 'react-dom/server'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSSRApp } from 'vue'
import { renderToString as renderVue } from 'vue/server-renderer'
import { clientOf } from '../bindings/client-of.js'
import { startAuthServer } from '../support/auth-server.js'
import type { BindingsPage, Framework, Start } from './bindings-page.js'
import { ReactPanel, vuePanel } from './bindings-panels.js'
import { findChromium, launchChromium } from './chromium.js'
import { buildPage } from './pages.js'
import { tokensOf } from './stage.js'

/** In the page. */
declare const bindings: BindingsPage

const chromium = findChromium()

describe.skipIf(!chromium)('the bindings in a browser', { timeout: 60_000 }, () => {
  let browser: Browser
  let script: string

  beforeAll(async () => {
    ;[browser, script] = await Promise.all([launchChromium(chromium!), buildPage('./bindings-page.tsx')])
  }, 60_000)

  afterAll(() => browser?.close())

  /** A page of a server where Ada is signed in. What the server rendered is in it, if it did. */
  async function openPage(renderOnServer?: (tokens: Tokens) => Promise<string>) {
    const server = await startAuthServer()
    const context = await browser.newContext()
    onTestFinished(async () => {
      await context.close()
      await server.stop()
    })
    const tokens = tokensOf(server, 'ada')
    const markup = (await renderOnServer?.(tokens)) ?? ''
    server.route('/page', () => ({
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8' },
      body: `${script}<link rel="icon" href="data:,"><div id="app">${markup}</div>`,
    }))
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => {
      if (['warning', 'error'].includes(message.type())) complaints.push(message.text())
    })
    await page.goto(`${server.url}/page`)
    return { server, page, complaints, tokens, markup }
  }

  const renderOnServer: Record<Framework, (tokens: Tokens) => Promise<string>> = {
    React: async (tokens) => renderReact(createElement(ReactPanel, { auth: clientOf({ tokens }) })),
    Vue: (tokens) => renderVue(createSSRApp(vuePanel({ auth: clientOf({ tokens }) }))),
  }

  describe.each(['React', 'Vue'] as const)('%s', (framework) => {
    const start = (page: Page, options: Start) =>
      page.evaluate(([framework, options]) => bindings.start(framework, options), [
        framework,
        options,
      ] as const)

    it('renders a part again only when its selection changes', async () => {
      const { server, page, tokens, complaints } = await openPage()
      await start(page, { tokens })
      await shows(page, 'signed-in ada idle')
      expect((await notesOf(page)).renders).toEqual({ status: 1, user: 1, activity: 1 })

      const refresh = server.holdRefresh()
      const refreshed = page.evaluate(() => bindings.auth.refresh())
      await shows(page, 'signed-in ada busy')
      await refresh.waiting(1)
      refresh.release()
      await refreshed
      await shows(page, 'signed-in ada idle')
      expect((await notesOf(page)).renders).toEqual({ status: 1, user: 1, activity: 3 })

      await page.evaluate((grace) => bindings.auth.signIn(grace), tokensOf(server, 'grace'))
      await shows(page, 'signed-in grace idle')
      expect((await notesOf(page)).renders).toMatchObject({ status: 1, user: 2 })
      expect(complaints).toEqual([])
    })

    it('hydrates the server’s markup, and follows the session from there', async () => {
      const { page, tokens, markup, complaints } = await openPage(renderOnServer[framework])
      expect(markup).toBe('<ul><li>signed-in</li><li>ada</li><li>idle</li></ul>')
      await start(page, { tokens, strict: true })
      await page.evaluate(() => bindings.auth.signOut())
      await shows(page, 'signed-out nobody idle')
      expect((await notesOf(page)).shown).toEqual(['signed-in ada idle', 'signed-out nobody idle'])
      expect(await page.evaluate(() => bindings.keepsElements())).toBe(true)
      expect(complaints).toEqual([])
    })

    it('hydrates the server’s markup, and then shows the session that the browser stored', async () => {
      const open = async (careless: boolean) => {
        const { server, page, tokens, complaints } = await openPage(renderOnServer[framework])
        await start(page, { tokens, stored: tokensOf(server, 'grace'), careless, strict: true })
        await shows(page, 'signed-in grace idle')
        const { shown } = await notesOf(page)
        return { shown, kept: await page.evaluate(() => bindings.keepsElements()), complaints }
      }
      expect(await open(false)).toEqual({
        shown: ['signed-in ada idle', 'signed-in grace idle'],
        kept: true,
        complaints: [],
      })
      // Read past the binding, it is complained about: the silence above says something.
      expect((await open(true)).complaints.join()).toMatch(/hydrat/i)
    })

    it('removes every listener when it is closed, and renders nothing more', async () => {
      const { server, page, tokens, complaints } = await openPage()
      await start(page, { tokens })
      await shows(page, 'signed-in ada idle')
      expect(await notesOf(page)).toMatchObject({ listeners: 3 })
      await page.evaluate(() => bindings.close())
      const { listeners, renders } = await notesOf(page)
      expect(listeners).toBe(0)
      await page.evaluate((grace) => bindings.auth.signIn(grace), tokensOf(server, 'grace'))
      expect((await notesOf(page)).renders).toEqual(renders)
      expect(complaints).toEqual([])
    })
  })

  describe('React', () => {
    it('keeps one listener per part under StrictMode, and none when it is closed', async () => {
      const { page, tokens, complaints } = await openPage()
      await page.evaluate((options) => bindings.start('React', options), { tokens, strict: true })
      await shows(page, 'signed-in ada idle')
      // StrictMode did mount each twice.
      expect(await notesOf(page)).toMatchObject({ listeners: 3, everListened: 6 })
      await page.evaluate(() => bindings.close())
      expect(await notesOf(page)).toMatchObject({ listeners: 0 })
      expect(complaints).toEqual([])
    })

    it('shows one session throughout a transition that a sign-in interrupts', async () => {
      const open = async (careless: boolean) => {
        const { server, page, tokens } = await openPage()
        const options = { tokens, careless, meanwhile: tokensOf(server, 'grace') }
        await page.evaluate((options) => bindings.interrupt(options), options)
        return (await notesOf(page)).shown
      }
      expect(await open(false)).toEqual(['grace'])
      // Read past the binding, the first parts show one user and the last ones another: it was interrupted.
      expect(await open(true)).toEqual(['ada grace'])
    })
  })
})

const shows = (page: Page, text: string) => page.evaluate((wanted) => bindings.shows(wanted), text)
const notesOf = (page: Page) => page.evaluate(() => bindings.notes())
