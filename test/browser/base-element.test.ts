// G20 in a real Chromium: a <base> element that was injected into the page takes no token away, before or after the
// client was made.
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNetwork, type Network } from '../fuzz/network.js'
import type { BasePage } from './base-page.js'
import { CHROMIUM_ARGS, findChromium } from './chromium.js'
import { buildPage } from './pages.js'

declare const page: BasePage

const HOME = 'http://home.example'
const EVIL = 'http://evil.example/'
const executablePath = findChromium()

describe.skipIf(!executablePath)('G20: a <base> element in Chromium', () => {
  let network: Network
  let browser: Browser

  beforeAll(async () => {
    network = await createNetwork([HOME], await buildPage('./base-page.ts'))
    const { home, foreign } = network.ports
    const rules = `MAP home.example:80 127.0.0.1:${home}, MAP * 127.0.0.1:${foreign}`
    browser = await puppeteer.launch({
      executablePath,
      args: [...CHROMIUM_ARGS, `--host-resolver-rules=${rules}`],
      headless: true,
    })
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await network?.close()
  })

  async function openPage(): Promise<Page> {
    const tab = await browser.newPage()
    await tab.goto(`${HOME}/page`)
    network.look()
    return tab
  }

  const addBase = (tab: Page, href: string) =>
    tab.evaluate((target) => {
      const base = document.createElement('base')
      base.href = target
      document.head.append(base)
    }, href)

  const arrivals = () =>
    network
      .look()
      // The browser fetches an icon, and looks around for itself.
      .filter(({ everything }) => /^(\/folder)?\/(x|auth)\n/.test(everything))
      .map(({ at, everything }) => `${at} ${/the-(access|refresh)-token/.exec(everything)?.[1] ?? 'bare'}`)

  it.each([
    ['before the client is made', true, undefined],
    ['after it was', false, undefined],
    ['where `origins` is given', true, [HOME]],
  ])('G20: sends no token to another origin %s', async (_, isFirst, origins) => {
    const tab = await openPage()
    const signIn = () => tab.evaluate((list) => page.signIn(list), origins)
    if (!isFirst) await signIn()
    await addBase(tab, EVIL)
    if (isFirst) await signIn()
    const outcomes = await tab.evaluate(() => page.send('/x'))
    expect(outcomes.filter((one) => one === 'REFRESH_FAILED')).toHaveLength(2)
    expect(arrivals()).toEqual(['foreign bare', 'foreign bare'])
    await tab.evaluate((url) => page.send(url), `${HOME}/x`)
    expect(arrivals().sort()).toEqual(['home access', 'home access'])
    await tab.close()
  })

  it('G20: changes nothing when it points to another folder of the same origin', async () => {
    const tab = await openPage()
    await addBase(tab, `${HOME}/folder/`)
    await tab.evaluate(() => page.signIn())
    await tab.evaluate(() => page.send('x'))
    expect(arrivals().sort()).toEqual(['home access', 'home access', 'home refresh', 'home refresh'])
    await tab.close()
  })
})
