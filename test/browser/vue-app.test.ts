// Stories of a user of examples/vue-app, in a real browser, with its embedded backend: of the app as it was built, and
// of a developer's dev server.
// Promise: what the user sees is what the backend counted.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Backend } from '../../examples/vue-app/backend/server.js'
import {
  newProfile,
  POLL,
  type Profile,
  type RunningApp,
  startBuilt,
  startDev,
  type Tab,
} from '../../examples/vue-app/e2e/stage.js'
import { findChromium, launchChromium } from './chromium.js'

const executable = findChromium()
const ADA = ['ada', 'ada-likes-numbers'] as const
const BOB = ['bob', 'bob-likes-bricks'] as const

describe.skipIf(!executable)('the Vue app', { timeout: 30_000 }, () => {
  let browser: Browser
  let app: RunningApp
  let backend: Backend
  let profile: Profile

  beforeAll(async () => {
    ;[browser, app] = await Promise.all([launchChromium(executable ?? ''), startBuilt()])
    backend = app.backend as Backend
  }, 30_000)

  beforeEach(async () => {
    profile = await newProfile(browser, app)
    backend.endSessions()
    backend.forget()
  })

  afterAll(async () => {
    await browser?.close()
    await app?.close()
  })

  async function signedIn(path = '/', user: readonly [string, string] = ADA): Promise<Tab> {
    const tab = await profile.open(path)
    await tab.signIn(...user)
    await tab.isAt(path)
    if (path === '/') await tab.hasDozen()
    backend.forget()
    return tab
  }

  const stored = (page: Page) => page.evaluate(() => JSON.stringify({ ...localStorage }))

  describe('signing in', () => {
    it('says so when the password is wrong, and lets the user in when it is right', async () => {
      const tab = await profile.open('/')
      await tab.isAt('/login?redirect=/')
      await tab.signIn('ada', 'wrong')
      expect(await tab.says('alert')).toBe('That name and password do not fit.')
      expect(backend.counts).toEqual({ granted: 0, refused: 0, figures: 0 })

      // The form waits for another try: the name is still there, the cursor is where it is needed.
      await tab.page.keyboard.type(ADA[1])
      await tab.page.keyboard.press('Enter')
      await tab.isAt('/')
      await tab.hasDozen()
      await expect.poll(() => tab.page.locator('.user').innerText(), POLL).toBe('ada')
      expect(backend.counts).toEqual({ granted: 0, refused: 0, figures: 12 })
    })

    it('takes the user to the guarded page that they wanted, with its query and hash', async () => {
      const tab = await profile.open('/account?tab=billing#cards')
      await tab.isAt('/login?redirect=/account?tab=billing%23cards')
      expect(await stored(tab.page)).toBe('{}')
      await tab.signIn(...ADA)
      await tab.isAt('/account?tab=billing#cards')
      expect(await tab.page.locator('h1').innerText()).toBe('Account')
    })

    it('takes the user to no other site, and to no page that is none', async () => {
      const login = (redirect: string) => `/login?redirect=${encodeURIComponent(redirect)}`
      const tab = await profile.open(login('//elsewhere.test/'))
      await tab.signIn(...ADA)
      await tab.isAt('/')
      for (const redirect of ['/\\elsewhere.test', 'https://elsewhere.test/', '/login', '/nowhere']) {
        await tab.page.goto(login(redirect))
        await tab.isAt('/')
      }
      await tab.page.goto(login('/account'))
      await tab.isAt('/account')
    })

    it('can be done by keyboard, past a link that skips to the content', async () => {
      const { page, ...tab } = await profile.open('/login')
      await page.locator('h1').waitFor()
      await page.keyboard.press('Tab')
      expect(await page.locator(':focus').innerText()).toBe('Skip to the content')
      await page.keyboard.press('Tab')
      await page.keyboard.type(ADA[0])
      await page.keyboard.press('Tab')
      await page.keyboard.type(ADA[1])
      await page.keyboard.press('Tab')
      const button = page.locator(':focus-visible')
      expect(await button.innerText()).toBe('Sign in')
      expect(await button.evaluate((element) => getComputedStyle(element).outlineStyle)).toBe('solid')
      await page.keyboard.press('Space')
      await tab.isAt('/')
      // The new page has the focus, so a screen reader says where it is.
      await expect.poll(() => page.locator(':focus').innerText(), POLL).toBe('Dashboard')
      expect(await page.title()).toBe('Dashboard · Shop floor')
    })
  })

  describe('when the access token is dead', () => {
    it('shows a dozen results after one refresh, and counts it', async () => {
      const tab = await signedIn()
      expect(await tab.panel('refreshes').innerText()).toBe('0')
      backend.expireAccessTokens()
      await tab.loadAgain()
      await tab.hasDozen()
      expect(backend.counts).toEqual({ granted: 1, refused: 0, figures: 12 })
      expect(await tab.panel('refreshes').innerText()).toBe('1')
      expect(await tab.panel('replays').innerText()).toBe('12')
      expect(await tab.panel('status').innerText()).toBe('signed in')
    })

    it('knows the session after a reload, and refreshes once', async () => {
      const tab = await signedIn()
      backend.expireAccessTokens()
      await tab.page.reload()
      await tab.isAt('/')
      await tab.hasDozen()
      await expect.poll(() => tab.page.locator('.user').innerText(), POLL).toBe('ada')
      expect(backend.counts).toEqual({ granted: 1, refused: 0, figures: 12 })
    })

    it('refreshes once for two tabs that ask at the same time', async () => {
      const tabs = [await signedIn(), await profile.open('/')]
      for (const tab of tabs) await tab.hasDozen()
      backend.forget()
      backend.expireAccessTokens()
      await Promise.all(tabs.map((tab) => tab.loadAgain()))
      for (const tab of tabs) await tab.hasDozen()
      expect(backend.counts).toEqual({ granted: 1, refused: 0, figures: 24 })
      const told = await Promise.all(
        tabs.flatMap((tab) => [tab.panel('refreshes').innerText(), tab.panel('adopted').innerText()]),
      )
      expect(told.sort()).toEqual(['0', '0', '1', '1'])
    })

    it('goes to the login page with a message when the refresh is refused, and comes back from there', async () => {
      const tab = await signedIn('/account')
      await tab.page.getByRole('link', { name: 'Dashboard' }).click()
      await tab.hasDozen()
      backend.endSessions()
      await tab.loadAgain()
      await tab.isAt('/login?redirect=/')
      expect(await tab.says('status')).toBe('Your session has ended. Please sign in again.')
      expect(backend.counts).toMatchObject({ granted: 0, refused: 1 })
      expect(await stored(tab.page)).not.toContain('refreshToken')

      await tab.signIn(...ADA)
      await tab.isAt('/')
      await tab.hasDozen()
      await tab.signOut()
      await tab.isAt('/login')
      expect(await tab.page.locator('.notice').count()).toBe(0)
    })
  })

  describe('a token that lives for two seconds', () => {
    it('is seen to run out, and the next load renews it without a 401', async () => {
      const quick = await startBuilt({ ACCESS_SECONDS: '2' })
      onTestFinished(() => quick.close())
      const { open } = await newProfile(browser, quick)
      const tab = await open('/')
      await tab.signIn(...ADA)
      await tab.hasDozen()
      await expect.poll(() => tab.panel('time-left').innerText(), POLL).toBe('over')
      quick.backend?.forget()
      const refused = refusalsIn(tab.page)
      await tab.loadAgain()
      await tab.hasDozen()
      expect(quick.backend?.counts).toEqual({ granted: 1, refused: 0, figures: 12 })
      expect(refused()).toBe(0)
      await expect.poll(() => tab.panel('time-left').innerText(), POLL).toMatch(/^[12] s$/)
    })
  })

  describe('without a network', () => {
    it('says so on each card, keeps the session, and goes on when it is back', async () => {
      const tab = await signedIn()
      await profile.context.setOffline(true)
      await tab.loadAgain()
      await expect.poll(() => tab.cards('failed').count(), POLL).toBe(12)
      expect(await tab.says('alert')).toBe(
        'The server cannot be reached right now. Please try again in a moment.',
      )
      await profile.context.setOffline(false)
      await tab.loadAgain()
      await tab.hasDozen()
      expect(backend.counts).toEqual({ granted: 0, refused: 0, figures: 12 })
    })

    it('signs out all the same', async () => {
      const tab = await signedIn('/account')
      await profile.context.setOffline(true)
      await tab.signOut()
      await tab.page.locator('form').waitFor()
      expect(await stored(tab.page)).not.toContain('refreshToken')
    })
  })

  describe('two tabs', () => {
    it('are signed in together and signed out together, at the server too', async () => {
      const first = await profile.open('/')
      const second = await profile.open('/account')
      await second.isAt('/login?redirect=/account')
      await first.signIn(...ADA)
      await first.isAt('/')
      await second.isAt('/account')
      const record = await stored(first.page)

      await second.signOut()
      await second.isAt('/login')
      await first.isAt('/login?redirect=/')
      expect(await first.says('status')).toBe('You have signed out in another tab.')
      expect(await second.page.locator('.notice').count()).toBe(0)

      // Whoever has kept the tokens cannot go on with them.
      backend.forget()
      const thief = await (await newProfile(browser, app)).open('/login')
      await thief.page.evaluate((text) => Object.assign(localStorage, JSON.parse(text)), record)
      await thief.page.goto('/')
      await thief.isAt('/login?redirect=/')
      expect(backend.counts).toEqual({ granted: 0, refused: 1, figures: 0 })
    })

    it('show nothing of one user to the next', async () => {
      const tab = await signedIn()
      const bobs = await (await newProfile(browser, app)).open('/')
      await bobs.signIn(...BOB)
      await bobs.isAt('/')
      await bobs.hasDozen()
      backend.forget()

      // As if the first had slept through a sign-out and a sign-in in another tab.
      const other = await profile.open('/nowhere')
      const record = await stored(bobs.page)
      await other.page.evaluate((text) => Object.assign(localStorage, JSON.parse(text)), record)
      await expect.poll(() => tab.page.locator('.user').innerText(), POLL).toBe('bob')
      await tab.isAt('/')
      await tab.hasDozen()
      // The dashboard was loaded anew, for him.
      expect(backend.counts).toEqual({ granted: 0, refused: 0, figures: 12 })
    })
  })

  describe('for its developer', () => {
    it('leaves no second client behind when its modules are replaced in the running page', async () => {
      const dev = await startDev()
      onTestFinished(() => dev.close())
      const { page, ...tab } = await (await newProfile(browser, dev)).open('/account')
      await tab.signIn(...ADA)
      await tab.isAt('/account')
      await page.getByRole('link', { name: 'Dashboard' }).click()
      await tab.hasDozen()
      expect(await countListeners(page)).toBe(1)

      await page.locator('html').evaluate((html) => {
        html.dataset.page = 'the first'
      })
      const [module] = dev.vite.moduleGraph.getModulesByFile(`${dev.vite.config.root}/src/api.ts`) ?? []
      if (!module) throw new Error('The page has not loaded src/api.ts.')
      for (let time = 1; time <= 2; time++) {
        await page.locator('main').evaluate((main) => {
          main.dataset.old = 'true'
        })
        await dev.vite.reloadModule(module)
        await page.locator('main:not([data-old])').waitFor()
        await tab.hasDozen()
      }
      expect(await page.locator('html').getAttribute('data-page')).toBe('the first')
      expect(await countListeners(page)).toBe(1)
      dev.backend?.forget()
      dev.backend?.expireAccessTokens()
      await tab.loadAgain()
      await tab.hasDozen()
      expect(dev.backend?.counts).toEqual({ granted: 1, refused: 0, figures: 12 })
    })

    it('names the backends there are when VITE_BACKEND names none of them', async () => {
      await expect(startDev({ VITE_BACKEND: 'b-flask' })).rejects.toThrow(
        'VITE_BACKEND=b-flask: there are a-sanic, c-flask-header, d-fastapi.',
      )
    })
  })
})

/** Counts the answers with status 401 from now on. */
function refusalsIn(page: Page): () => number {
  let refusals = 0
  page.on('response', (response) => {
    if (response.status() === 401) refusals++
  })
  return () => refusals
}

/** How many clients listen for the network to come back. */
async function countListeners(page: Page): Promise<number> {
  const devTools = await page.context().newCDPSession(page)
  const { result } = await devTools.send('Runtime.evaluate', {
    expression: 'getEventListeners(window).online?.length ?? 0',
    includeCommandLineAPI: true,
  })
  await devTools.detach()
  return Number(result.value)
}
