// The app in front of the backends of the neighbouring folders, each in its own framework.
// Promise: the same tests as with the embedded backend, counted in what the backend answered.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { findChromium, launchChromium } from '../../test/browser/chromium.js'
import { newProfile, POLL, startBuilt, type Tab } from '../../test/browser/vue-app-stage.js'
import { type Env, freePort } from '../backends/process.js'
import { startPython, USERS } from '../backends/python.js'
import { waitUntilExpired } from '../backends/suite.js'

interface Row {
  folder: string
  refresh: string
  signOut: string
  env?: Env
}

const rows: Row[] = [
  {
    folder: 'a-sanic',
    refresh: 'POST /api/v1/system/refresh_token/ 200',
    signOut: 'POST /api/v1/system/logout/ 200',
  },
  {
    folder: 'c-flask-header',
    refresh: 'POST /auth/refresh 200',
    signOut: 'POST /auth/logout 204',
    env: { GOOGLE_CLIENT_ID: 'nobody' },
  },
  { folder: 'd-fastapi', refresh: 'GET /refresh_token 200', signOut: 'POST /logout 204' },
]

const LONG = { ACCESS_SECONDS: '60' }
const AWAY = 'The server cannot be reached right now. Please try again in a moment.'
const executable = findChromium()

describe.skipIf(!executable)('the Vue app', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchChromium(executable ?? '')
  })
  afterAll(() => browser?.close())

  describe.each(rows)('in front of $folder', (row) => {
    async function open() {
      const backend = await startPython(row.folder, { ...LONG, ...row.env })
      onTestFinished(() => backend.stop())
      const app = await startBuilt({ VITE_BACKEND: row.folder, BACKEND_URL: backend.url })
      onTestFinished(() => app.close())
      const profile = await newProfile(browser, app)
      return { backend, app, profile, tab: await profile.open('/') }
    }

    async function isFor(tab: Tab, user: string) {
      await tab.hasDozen()
      expect(await tab.page.locator('.card .value').allInnerTexts()).toEqual(Array(12).fill(`for ${user}`))
      expect(await tab.page.locator('.user').innerText()).toBe(user)
    }

    it('signs in with the password, refreshes once for a dozen requests, and continues after a reload', async () => {
      const { backend, app, tab } = await open()
      await tab.isAt('/login?redirect=/')
      await tab.signIn('ada', 'wrong')
      await tab.says('alert', 'That name and password do not fit.')
      await tab.signIn('ada', USERS.ada)
      await isFor(tab, 'ada')

      // The sign-in had all the time that it needs; from here on there is a short life to wait for.
      await backend.restart({ ACCESS_SECONDS: '2' })
      await tab.press('Renew now')
      // Answered, not only begun: one that the next restart cuts off is tried again, and gets a long life.
      await expect.poll(() => app.count(row.refresh), POLL).toBe(1)
      await waitUntilExpired(backend, LONG)
      app.forget()
      await tab.press('Load again')
      // What was there before looks the same.
      await expect.poll(() => app.count(row.refresh), POLL).toBe(1)
      await isFor(tab, 'ada')
      await tab.page.reload()
      await isFor(tab, 'ada')
      expect(app.count(row.refresh)).toBe(1)
    })

    it('signs out in all tabs and at the server', async () => {
      const { app, profile, tab } = await open()
      await tab.signIn('bob', USERS.bob)
      await isFor(tab, 'bob')
      const other = await profile.open('/account')
      await other.press('Sign out')
      await other.isAt('/login')
      await tab.isAt('/login?redirect=/')
      expect(app.count(row.signOut)).toBe(1)
    })

    it('goes to the login page when the session is over, and not when the backend is down', async () => {
      const { backend, tab } = await open()
      await tab.signIn('ada', USERS.ada)
      await isFor(tab, 'ada')
      await backend.stop()
      await tab.press('Load again')
      await tab.says('alert', AWAY)
      await tab.isAt('/')

      // Another key: no token of before is good any more.
      await backend.start({ SECRET_KEY: 'another-key-of-at-least-thirty-two-bytes' })
      await tab.press('Renew now')
      await tab.isAt('/login?redirect=/')
      await tab.says('status', 'Your session has ended. Please sign in again.')
    })
  })

  it('says that the backend cannot be reached when there is none', async () => {
    const app = await startBuilt({
      VITE_BACKEND: 'd-fastapi',
      BACKEND_URL: `http://127.0.0.1:${await freePort()}`,
    })
    onTestFinished(() => app.close())
    const tab = await (await newProfile(browser, app)).open('/')
    await tab.signIn('ada', USERS.ada)
    await tab.says('alert', AWAY)
  })
})
