// G20 in a real Chromium, whose parser takes back-slashes, tabs and much else for what Node does not: a page at home sends
// to hostile addresses by XMLHttpRequest and by fetch, and the servers say what they got.
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM_ARGS, findChromium } from '../browser/chromium.js'
import { buildPage } from '../browser/pages.js'
import { HOME, hostileTarget, ordinaryAddress, type Target } from './addresses.js'
import { createNetwork, type Network } from './network.js'
import { holdsFor, RUNS } from './seed.js'
import type { Sender } from './url-page.js'

const SECRETS = { accessToken: 'the-access-token', refreshToken: 'the-refresh-token' }
const isSecret = (text: string) => Object.values(SECRETS).some((secret) => text.includes(secret))

declare const sender: Sender

const executablePath = findChromium()

describe.skipIf(!executablePath)(`G20: on a page of ${HOME}`, () => {
  let network: Network
  let browser: Browser
  let page: Page
  const arrived = { homeWithToken: 0, foreign: 0 }

  beforeAll(async () => {
    network = await createNetwork([HOME], await buildPage('../fuzz/url-page.ts'))
    const { home, foreign } = network.ports
    const rules = `MAP home.example:80 127.0.0.1:${home}, MAP * 127.0.0.1:${foreign}`
    browser = await puppeteer.launch({
      executablePath,
      args: [...CHROMIUM_ARGS, `--host-resolver-rules=${rules}`],
      headless: true,
    })
    page = await browser.newPage()
    await page.goto(`${HOME}/page`)
    await page.evaluate((options) => sender.start(options), { home: HOME, ...SECRETS })
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await network?.close()
  })

  async function send(target: Target) {
    await page.evaluate((wanted) => sender.send(wanted), target)
    return network.look()
  }

  holdsFor(
    'no hostile address takes a token to a foreign origin',
    hostileTarget,
    async (target) => {
      for (const { at, everything } of await send(target)) {
        if (at === 'foreign') {
          arrived.foreign++
          expect(everything).not.toSatisfy(isSecret)
        } else if (isSecret(everything)) arrived.homeWithToken++
      }
    },
    0.5,
  )

  it('many of them reach both servers, and none of them starts a refresh', async () => {
    expect(arrived.homeWithToken).toBeGreaterThan(RUNS / 20)
    expect(arrived.foreign).toBeGreaterThan(RUNS / 20)
    expect(await page.evaluate(() => sender.refreshes())).toBe(0)
  })

  holdsFor(
    'an ordinary address at home arrives there with its token',
    ordinaryAddress.filter((url) => /^http:/i.test(url)),
    async (url) => {
      // The browser has requests of its own, which name no page.
      const isOfPage = ({ everything }: { everything: string }) => everything.includes('home.example')
      const arrivals = (await send({ url, asObject: false })).filter(isOfPage)
      expect(arrivals.map(({ at, everything }) => [at, isSecret(everything)])).toEqual([
        ['home', true],
        ['home', true],
      ])
    },
    0.1,
  )
})
