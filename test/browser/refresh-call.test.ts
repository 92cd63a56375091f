// G5 in a real Chromium: no refresh is answered from its HTTP cache, and none is preflighted that was not before.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findChromium, launchChromium } from './chromium.js'
import { servePage } from './pages.js'
import type { Wanted } from './refresh-page.js'

declare const refresh: (wanted: Wanted) => Promise<string[]>

const executablePath = findChromium()

describe.skipIf(!executablePath)('G5: in Chromium, a refresh', () => {
  const closings: (() => unknown)[] = []
  let browser: Browser
  let page: Page
  let home: string
  let authority: string
  /** What arrived at the authority: `GET /token`, or `OPTIONS` and what it asks for. */
  const arrived: string[] = []

  beforeAll(async () => {
    const served = await servePage('refresh-page.ts')
    closings.push(served.close)
    let issued = 0
    const server = createServer((request, response) => {
      arrived.push(nameOf(request))
      response.setHeader('access-control-allow-origin', new URL(served.url).origin)
      response.setHeader('access-control-allow-credentials', 'true')
      // No more than that: another header of ours would be refused.
      response.setHeader('access-control-allow-headers', 'authorization')
      response.setHeader('cache-control', 'max-age=60')
      response.setHeader('content-type', 'application/json')
      response.end(request.method === 'OPTIONS' ? '' : JSON.stringify({ access_token: `t${++issued}` }))
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    closings.push(
      () => server.closeAllConnections(),
      () => server.close(),
    )
    authority = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    home = served.url
    browser = await launchChromium(executablePath as string)
    page = await browser.newPage()
    await page.goto(home)
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    for (const close of closings) await close()
  })

  async function run(wanted: Pick<Wanted, 'strategy' | 'adapter'>) {
    arrived.length = 0
    const tokens = await page.evaluate((all) => refresh(all), {
      ...wanted,
      api: home,
      url: `${authority}/token`,
      times: 3,
    })
    return { tokens, arrived: [...arrived] }
  }

  it.each(['xhr', 'fetch'] as const)(
    'by GET with cookies is never answered from the cache nor preflighted: %s',
    async (adapter) => {
      const { tokens, arrived } = await run({ strategy: 'cookie', adapter })
      expect(new Set(tokens).size).toBe(3)
      expect(arrived).toEqual(Array(3).fill('GET /token'))
    },
  )

  it.each(['xhr', 'fetch'] as const)(
    'by GET with a Bearer token is never answered from the cache and adds no header to its preflight: %s',
    async (adapter) => {
      const { tokens, arrived } = await run({ strategy: 'bearer', adapter })
      expect(new Set(tokens).size).toBe(3)
      expect(arrived.filter((name) => name === 'GET /token')).toHaveLength(3)
      expect(new Set(arrived)).toEqual(new Set(['OPTIONS authorization', 'GET /token']))
    },
  )

  it.each(['xhr', 'fetch'] as const)(
    'of a public OAuth client at another origin is not preflighted: %s',
    async (adapter) => {
      const { tokens, arrived } = await run({ strategy: 'oauth2', adapter })
      expect(tokens).toHaveLength(3)
      expect(arrived).toEqual(Array(3).fill('POST /token'))
    },
  )
})

function nameOf({ method, url = '', headers }: IncomingMessage): string {
  return method === 'OPTIONS'
    ? `OPTIONS ${headers['access-control-request-headers']}`
    : `${method} ${url.replace(/\?.*/, '')}`
}
