// A user of examples/vue-app, in a real browser, with its embedded backend: of the app as it is built, and of
// a developer's dev server.
// Promise: what the user sees is what the server answered.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { findChromium, launchChromium } from './chromium.js'
import { shoot } from './screenshots.js'
import {
  newProfile,
  POLL,
  type Profile,
  type RunningApp,
  startBuilt,
  startDev,
  type Tab,
} from './vue-app-stage.js'

const executable = findChromium()
const ADA = ['ada', 'ada-likes-numbers'] as const
const BOB = ['bob', 'bob-likes-bricks'] as const

describe.skipIf(!executable)('the Vue app', { timeout: 60_000 }, () => {
  let browser: Browser
  let app: RunningApp
  let profile: Profile

  beforeAll(async () => {
    ;[browser, app] = await Promise.all([
      launchChromium(executable ?? ''),
      startBuilt({ ACCESS_SECONDS: '600' }),
    ])
  }, 60_000)

  beforeEach(async () => {
    profile = await newProfile(browser, app)
    app.forget()
  })

  afterAll(async () => {
    await browser?.close()
    await app?.close()
  })

  /** Ada in front of her dashboard; what was answered until then does not count. */
  async function signedIn(): Promise<Tab> {
    const tab = await profile.open('/')
    await tab.signIn(...ADA)
    await tab.hasDozen()
    app.forget()
    return tab
  }

  async function letTokenDie(tab: Tab): Promise<void> {
    await tab.press('Let the token die')
    await expect.poll(() => app.count('POST /auth/expire 204'), POLL).toBe(1)
  }

  /** How often each route of the session answered, and how many figures were sent. */
  const counted = () => ({
    granted: app.count('POST /auth/refresh 200'),
    refused: app.count('POST /auth/refresh 401'),
    figures: app.answers().filter((answer) => /^GET \/figures\/\w+ 200$/.test(answer)).length,
  })

  describe('signing in', () => {
    it('reports a wrong password, and with the right one goes to the page that the user wanted', async () => {
      const tab = await profile.open('/account?tab=billing#cards')
      await tab.isAt('/login?redirect=/account?tab=billing%23cards')
      await tab.signIn('ada', 'wrong')
      await tab.says('alert', 'That name and password do not fit.')
      await shoot(tab.page, 'vue-app-wrong-password')
      await tab.signIn(...ADA)
      await tab.isAt('/account?tab=billing#cards')
      expect(await tab.page.locator('.user').innerText()).toBe('ada')
      expect(app.answers()).toEqual(['POST /auth/login 401', 'POST /auth/login 200'])
    })

    it('does not redirect to another site or to a page that does not exist', async () => {
      const tab = await profile.open(loginFor('//elsewhere.test/'))
      await tab.signIn(...ADA)
      await tab.isAt('/')
      for (const redirect of ['/\\elsewhere.test', 'https://elsewhere.test/', '/login', '/nowhere']) {
        await tab.page.goto(loginFor(redirect))
        await tab.isAt('/')
      }
      await tab.page.goto(loginFor('/account'))
      await tab.isAt('/account')
    })
  })

  describe('when the access token has expired', () => {
    it('shows a dozen results after one refresh, and counts it', async () => {
      const tab = await signedIn()
      await tab.panelSays({ Status: 'signed in', 'Time left': '10 min', Refreshes: '0', 'Sent again': '0' })
      await letTokenDie(tab)
      await tab.press('Load again')
      await tab.panelSays({ Status: 'signed in', Refreshes: '1', 'Sent again': '12' })
      await tab.hasDozen()
      await shoot(tab.page, 'vue-app-refreshed')
      expect(counted()).toEqual({ granted: 1, refused: 0, figures: 12 })
    })

    it('restores the session after a reload, and refreshes once', async () => {
      const tab = await signedIn()
      await letTokenDie(tab)
      await tab.page.reload()
      await tab.hasDozen()
      expect(await tab.page.locator('.user').innerText()).toBe('ada')
      expect(counted()).toEqual({ granted: 1, refused: 0, figures: 12 })
    })

    it('refreshes once for two tabs that send requests at the same time', async () => {
      const tab = await signedIn()
      const other = await profile.open('/')
      await other.hasDozen()
      await letTokenDie(tab)
      app.forget()
      await Promise.all([tab.press('Load again'), other.press('Load again')])
      await expect.poll(() => counted().figures, POLL).toBe(24)
      expect(counted()).toEqual({ granted: 1, refused: 0, figures: 24 })
      const panels = () => Promise.all([tab.panel(), other.panel()])
      const renewed = { Refreshes: '1', 'From other tabs': '0' }
      const adopted = { Refreshes: '0', 'From other tabs': '1' }
      await expect.poll(panels, POLL).toContainEqual(expect.objectContaining(renewed))
      await expect.poll(panels, POLL).toContainEqual(expect.objectContaining(adopted))
    })

    it('goes to the login page with a message when the refresh is refused, and returns after signing in', async () => {
      const tab = await signedIn()
      await endAtServer(tab.page)
      await tab.press('Load again')
      await tab.isAt('/login?redirect=/')
      await tab.says('status', 'Your session has ended. Please sign in again.')
      expect(counted()).toEqual({ granted: 0, refused: 1, figures: 0 })
      expect(await stored(tab.page)).not.toContain('refreshToken')
      await tab.signIn(...ADA)
      await tab.hasDozen()
    })
  })

  describe('without a network', () => {
    it('reports that, keeps the session, continues when it is back, and can sign out meanwhile', async () => {
      const tab = await signedIn()
      await profile.context.setOffline(true)
      await tab.press('Load again')
      await tab.says('alert', 'The server cannot be reached right now. Please try again in a moment.')
      await expect.poll(() => tab.cards('failed').count(), POLL).toBe(12)
      await shoot(tab.page, 'vue-app-offline')
      await profile.context.setOffline(false)
      await tab.press('Load again')
      await tab.hasDozen()
      expect(counted()).toEqual({ granted: 0, refused: 0, figures: 12 })

      await profile.context.setOffline(true)
      await tab.press('Sign out')
      await tab.isAt('/login')
      expect(await stored(tab.page)).not.toContain('refreshToken')
    })
  })

  describe('two tabs', () => {
    it('sign in together and sign out together, at the server too', async () => {
      const first = await profile.open('/')
      const second = await profile.open('/account')
      await second.isAt('/login?redirect=/account')
      await first.signIn(...ADA)
      await first.hasDozen()
      await second.isAt('/account')
      const record = await stored(first.page)

      await second.press('Sign out')
      await second.isAt('/login')
      await first.isAt('/login?redirect=/')
      await first.says('status', 'You have signed out in another tab.')
      await shoot(first.page, 'vue-app-signed-out-elsewhere')
      expect(await second.page.locator('.notice').count()).toBe(0)

      // Whoever has kept the tokens cannot go on with them.
      app.forget()
      const thief = await (await newProfile(browser, app)).open('/login')
      await store(thief.page, record)
      await thief.page.goto('/')
      await thief.isAt('/login?redirect=/')
      expect(counted()).toEqual({ granted: 0, refused: 1, figures: 0 })
    })

    it('show nothing of one user to the next', async () => {
      const tab = await signedIn()
      const adas = await figuresIn(tab.page)
      const bobs = await (await newProfile(browser, app)).open('/')
      await bobs.signIn(...BOB)
      await bobs.hasDozen()

      // As if the first had slept through a sign-out and a sign-in in another tab.
      const other = await profile.open('/account')
      await store(other.page, await stored(bobs.page))
      await expect.poll(() => tab.page.locator('.user').innerText(), POLL).toBe('bob')
      await tab.hasDozen()
      expect(await figuresIn(tab.page)).toEqual(await figuresIn(bobs.page))
      expect(await figuresIn(tab.page)).not.toEqual(adas)
    })
  })

  it('fits a phone: no page is wider than the screen', async () => {
    const tab = await profile.open('/')
    await tab.page.setViewportSize({ width: 360, height: 740 })
    const width = () => tab.page.evaluate(() => document.documentElement.scrollWidth)
    expect(await width()).toBe(360)
    await tab.signIn(...ADA)
    await tab.hasDozen()
    await shoot(tab.page, 'vue-app-phone')
    expect(await width()).toBe(360)
  })

  describe('on the dev server', () => {
    it('refreshes an expired token without a 401, and stays signed in when a module is edited', async () => {
      const dev = await startDev({ ACCESS_SECONDS: '3' })
      onTestFinished(() => dev.close())
      const tab = await (await newProfile(browser, dev)).open('/')
      await tab.signIn(...ADA)
      await tab.hasDozen()
      await tab.panelSays({ 'Time left': 'over' })
      const before = await tab.panel()
      dev.forget()
      await tab.press('Load again')
      await tab.panelSays({
        ...before,
        'Time left': expect.any(String),
        Refreshes: `${Number(before.Refreshes) + 1}`,
      })
      await tab.hasDozen()
      expect(dev.count('POST /auth/refresh 200')).toBe(1)

      const [module] = dev.vite.moduleGraph.getModulesByFile(`${dev.vite.config.root}/src/api.ts`) ?? []
      if (!module) throw new Error('The page has not loaded src/api.ts.')
      await Promise.all([tab.page.waitForEvent('load'), dev.vite.reloadModule(module)])
      await tab.hasDozen()
      expect(dev.answers().filter((answer) => !answer.endsWith(' 200'))).toEqual([])
    })

    it('lists the backends when VITE_BACKEND names none of them', async () => {
      await expect(startDev({ VITE_BACKEND: 'b-flask' })).rejects.toThrow(
        'VITE_BACKEND=b-flask: there are a-sanic, c-flask-header, d-fastapi.',
      )
    })
  })
})

const loginFor = (redirect: string) => `/login?redirect=${encodeURIComponent(redirect)}`

/** What this origin has in its localStorage. */
const stored = (page: Page) => page.evaluate(() => JSON.stringify({ ...localStorage }))

const store = (page: Page, record: string) =>
  page.evaluate((text) => void Object.assign(localStorage, JSON.parse(text)), record)

const figuresIn = (page: Page) => page.locator('.card .value').allInnerTexts()

/** Ends the session at the server, without the app's knowledge. */
function endAtServer(page: Page): Promise<void> {
  return page.evaluate(async () => {
    const { accessToken } = JSON.parse(localStorage.getItem('vue-app') ?? '').tokens
    const headers = { authorization: `Bearer ${accessToken}` }
    await fetch('/backend/auth/logout', { method: 'POST', headers })
  })
}
