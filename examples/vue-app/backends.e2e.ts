// The app in front of the backends of the neighbouring folders, each in its own framework.
// Promise: the same stories as with the embedded backend, counted in the backend's own access log.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { findChromium, launchChromium } from '../../test/browser/chromium.js'
import { realMs } from '../../test/support/real-time.js'
import { type Env, freePort } from '../backends/process.js'
import { startPython, USERS } from '../backends/python.js'
import { letDie } from '../backends/stories.js'
import { newProfile, POLL, startDev, type Tab } from './e2e/stage.js'

interface Row {
  folder: string
  env?: Env
  refresh: string
  signOut: string
  wrongPassword: string
  farewell: string
}

const rows: Row[] = [
  {
    folder: 'a-sanic',
    refresh: 'POST /api/v1/system/refresh_token/ 200',
    signOut: 'POST /api/v1/system/logout/ 200',
    wrongPassword: 'Wrong user name or password',
    farewell: 'The refresh token has expired. Please sign in again.',
  },
  {
    folder: 'c-flask-header',
    env: { GOOGLE_CLIENT_ID: 'nobody.apps.googleusercontent.test' },
    refresh: 'POST /auth/refresh 200',
    signOut: 'POST /auth/logout 204',
    wrongPassword: 'That name and password do not fit.',
    farewell: 'Your session has ended. Please sign in again.',
  },
  {
    folder: 'd-fastapi',
    refresh: 'GET /refresh_token 200',
    signOut: 'POST /logout 204',
    wrongPassword: 'That name and password do not fit.',
    farewell: 'Your session has ended. Please sign in again.',
  },
]

// Sanic's and PyJWT's times are whole seconds: a token that lives for one may live for none.
const LONG = { ACCESS_SECONDS: '60' }
const executable = findChromium()

describe.skipIf(!executable).each(rows)('the Vue app in front of $folder', (row) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchChromium(executable ?? '')
  })
  afterAll(() => browser?.close())

  async function open(changes?: Env) {
    const backend = await startPython(row.folder, { ...LONG, ...row.env, ...changes })
    onTestFinished(() => backend.stop())
    const app = await startDev({ VITE_BACKEND: row.folder, BACKEND_URL: backend.url })
    onTestFinished(() => app.close())
    const profile = await newProfile(browser, app)
    const count = async (line: string) => {
      const answered = await backend.answered()
      return answered.filter(({ method, path, status }) => `${method} ${path} ${status}` === line).length
    }
    return { backend, count, profile, tab: await profile.open('/') }
  }

  const isFor = async (tab: Tab, user: string) => {
    await tab.hasDozen()
    expect(await tab.page.locator('.card .value').allInnerTexts()).toEqual(Array(12).fill(`for ${user}`))
  }

  it('lets in who has the password, refreshes once for a dozen requests, and goes on after a reload', async () => {
    const { backend, count, tab } = await open()
    await tab.isAt('/login?redirect=/')
    await tab.signIn('ada', 'wrong')
    expect(await tab.says('alert')).toBe(row.wrongPassword)
    await tab.signIn('ada', USERS.ada)
    await tab.isAt('/')
    await isFor(tab, 'ada')

    await backend.restart({ ACCESS_SECONDS: '1' })
    await tab.renew()
    await expect.poll(() => tab.panel('refreshes').innerText(), POLL).toBe('1')
    await letDie(backend, LONG)
    await tab.loadAgain()
    await isFor(tab, 'ada')
    expect(await count(row.refresh)).toBe(1)
    await tab.page.reload()
    await isFor(tab, 'ada')
    expect(await count(row.refresh)).toBe(1)
  })

  it('signs out in all tabs and at the server, which the next reload shows', async () => {
    const { count, profile, tab } = await open()
    await tab.signIn('bob', USERS.bob)
    await isFor(tab, 'bob')
    const other = await profile.open('/account')
    await other.signOut()
    await other.isAt('/login')
    await tab.isAt('/login?redirect=/')
    expect(await count(row.signOut)).toBe(1)
    await other.page.reload()
    await other.isAt('/login')
  })

  it('goes to the login page when the session is over, and not when the backend is away', async () => {
    const { backend, tab } = await open({ REFRESH_SECONDS: '3' })
    await tab.signIn('ada', USERS.ada)
    await isFor(tab, 'ada')
    const deadAtMs = Date.now() + 3_000
    await backend.stop()
    await tab.loadAgain()
    expect(await tab.says('alert')).toContain('try again in a moment')
    await tab.isAt('/')

    await backend.start()
    await realMs(Math.max(0, deadAtMs - Date.now()))
    await tab.renew()
    await tab.isAt('/login?redirect=/')
    expect(await tab.says('status')).toBe(row.farewell)
  })
})

it('says that it cannot be reached when there is no backend at all', async () => {
  const app = await startDev({
    VITE_BACKEND: 'd-fastapi',
    BACKEND_URL: `http://127.0.0.1:${await freePort()}`,
  })
  onTestFinished(() => app.close())
  const browser = await launchChromium(executable ?? '')
  onTestFinished(() => browser.close())
  const tab = await (await newProfile(browser, app)).open('/')
  await tab.signIn('ada', USERS.ada)
  expect(await tab.says('alert')).toBe(
    'The server cannot be reached right now. Please try again in a moment.',
  )
})
