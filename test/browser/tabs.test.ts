// Stories of several tabs in a real browser, against a real server that revokes on reuse. What no fake can show: the
// order in which locks and storage reach another process.
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuthServer, startAuthServer } from '../support/auth-server.js'
import { findChromium, launchChromium, servePage } from './chromium.js'
import type { Answers, Tab } from './tab-page.js'

const executablePath = findChromium()

describe.skipIf(!executablePath)('several tabs in Chromium', { timeout: 120_000 }, () => {
  let browser: Awaited<ReturnType<typeof launchChromium>>
  let pages: Awaited<ReturnType<typeof servePage>>

  beforeAll(async () => {
    pages = await servePage('./tab-page.ts')
    browser = await launchChromium(executablePath as string)
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await pages?.close()
  })

  async function openTabs(
    count: number,
    server: AuthServer,
  ): Promise<{ tabs: TabHandle[]; context: BrowserContext }> {
    const context = await browser.newContext()
    const tabs: TabHandle[] = []
    for (let index = 0; index < count; index++) {
      const page = await context.newPage()
      await page.goto(pages.url)
      const tab = handle(page)
      await tab.start(server.url)
      tabs.push(tab)
    }
    return { tabs, context }
  }

  it('six tabs share one refresh per expiry, twenty times, and every request is answered', async () => {
    const server = await startAuthServer({ tokens: 'opaque' })
    const { tabs, context } = await openTabs(6, server)
    await tabs[0]?.signIn(tokensOf(server.login('ada')))
    await everyTab(tabs, 'signed-in')

    let answered = 0
    for (let expiry = 0; expiry < 20; expiry++) {
      server.killAccessTokens()
      const answers = await Promise.all(tabs.map((tab) => tab.fire(100)))
      answered += answers.reduce((sum, { answered }) => sum + answered, 0)
    }

    const { refreshes, reuses } = server.counts
    const states = await Promise.all(tabs.map((tab) => tab.state()))
    const adoptions = states.reduce((sum, { adopted }) => sum + adopted, 0)
    console.info(
      `tabs 6 | requests 12000 | expiries 20 | refreshes ${refreshes} | adoptions ${adoptions} | reuses ${reuses} | unanswered ${12_000 - answered}`,
    )
    expect({ answered, refreshes, reuses }).toEqual({ answered: 12_000, refreshes: 20, reuses: 0 })
    await context.close()
    await server.stop()
  })

  it('a sign-out in one tab ends the session in all of them while three refresh, and nobody comes back', async () => {
    const server = await startAuthServer({ tokens: 'opaque' })
    const { tabs, context } = await openTabs(4, server)
    await tabs[0]?.signIn(tokensOf(server.login('ada')))
    await everyTab(tabs, 'signed-in')
    server.killAccessTokens()
    const refresh = server.holdRefresh()
    const answers = tabs.slice(0, 3).map((tab) => tab.fire(20))
    await refresh.waiting(1)

    await tabs[3]?.signOut()
    await everyTab(tabs, 'signed-out')
    refresh.releaseAll()

    for (const { answered, codes } of await Promise.all(answers)) {
      expect(answered).toBe(0)
      expect(new Set(codes)).toEqual(new Set(['SIGNED_OUT']))
    }
    const states = await Promise.all(tabs.map((tab) => tab.state()))
    expect(states.map(({ status }) => status)).toEqual(Array(4).fill('signed-out'))
    expect(states.map(({ ends }) => ends)).toEqual([
      ['signed-out-elsewhere'],
      ['signed-out-elsewhere'],
      ['signed-out-elsewhere'],
      ['signed-out'],
    ])
    await context.close()
    await server.stop()
  })

  it('a sign-in as another user in one tab answers no request of the first as the second', async () => {
    const server = await startAuthServer({ tokens: 'opaque' })
    const { tabs, context } = await openTabs(3, server)
    await tabs[0]?.signIn(tokensOf(server.login('ada')))
    await everyTab(tabs, 'signed-in')
    server.killAccessTokens()
    const refresh = server.holdRefresh()
    const answers = tabs.map((tab) => tab.fire(20))
    await refresh.waiting(1)

    await tabs[1]?.signIn(tokensOf(server.login('grace')))
    const [, second] = tabs
    await expect.poll(async () => (await second?.state())?.ends).toEqual(['replaced'])
    for (const tab of [tabs[0], tabs[2]]) {
      await expect.poll(async () => (await tab?.state())?.ends).toEqual(['replaced-elsewhere'])
    }
    refresh.releaseAll()

    for (const { users, codes } of await Promise.all(answers)) {
      expect(users).toEqual([])
      expect(new Set(codes)).toEqual(new Set(['SESSION_CHANGED']))
    }
    for (const tab of tabs) expect((await tab.fire(1)).users).toEqual(['grace'])
    await context.close()
    await server.stop()
  })
})

type TabHandle = {
  [Name in keyof Tab]: (...args: Parameters<Tab[Name]>) => Promise<Awaited<ReturnType<Tab[Name]>>>
}

function handle(page: Page): TabHandle {
  const call =
    (name: keyof Tab) =>
    (...args: unknown[]) =>
      page.evaluate(
        ({ name, args }) =>
          (globalThis as unknown as { tab: Record<string, (...args: unknown[]) => unknown> }).tab[name]?.(
            ...args,
          ),
        { name, args },
      )
  return {
    start: call('start') as TabHandle['start'],
    signIn: call('signIn') as TabHandle['signIn'],
    signOut: call('signOut') as TabHandle['signOut'],
    fire: call('fire') as (count: number) => Promise<Answers>,
    state: call('state') as TabHandle['state'],
  }
}

async function everyTab(tabs: TabHandle[], status: string): Promise<void> {
  for (const tab of tabs) await expect.poll(async () => (await tab.state()).status).toBe(status)
}

function tokensOf({ access_token, refresh_token }: { access_token: string; refresh_token: string }) {
  return { accessToken: access_token, refreshToken: refresh_token }
}
