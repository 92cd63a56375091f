// The tests of `npm run playground`, in a Chromium: what the page draws is what the server saw, for everybody who uses
// it, with a mouse, by keyboard, on a phone, in the dark and without motion. And the picture of the README is up to date.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { SLOW_PATH } from '../../examples/playground/server/pace.js'
import { type Playground, servePlayground } from '../../examples/playground/server/serve.js'
import { type Browser, findBrowsers, type Profile } from './browsers.js'
import { shoot } from './screenshots.js'

const TIME_LIMIT = { timeout: 20_000 }
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const chromium = findBrowsers().find(({ name }) => name === 'Chromium')

/** What is closed waits, and goes on once it is opened by hand. */
function createGate() {
  let open = Promise.resolve()
  let release = () => {}
  return {
    pass: () => open,
    close() {
      open = new Promise((resolve) => {
        release = resolve
      })
    },
    open: () => release(),
  }
}

const refreshGate = createGate()
const lateGate = createGate()
const pace = {
  beforeAnswer: (path: string, _id: number, status: number) =>
    path === SLOW_PATH && status === 401 ? lateGate.pass() : Promise.resolve(),
  beforeRefreshAnswer: () => refreshGate.pass(),
}

/** What the server delays in a test is released by hand. */
const LONG_MS = 40_000
const options = { port: 0, pace, refreshTimeoutMs: LONG_MS }

describe.skipIf(!chromium?.found)('the playground (Chromium)', { timeout: 60_000 }, () => {
  let browser: Browser
  let playground: Playground

  beforeAll(async () => {
    ;[browser, playground] = await Promise.all([chromium!.launch(), servePlayground(options)])
  }, 60_000)

  afterAll(() => Promise.all([browser?.close(), playground?.close()]))

  it('draws how six rejected requests share one refresh, by keyboard alone', async () => {
    const { page, counted } = await openPlayground()
    refreshGate.close()
    lateGate.close()
    await focus(page, 'Expire the token, send 6 requests')
    await page.keyboard.press('Enter')

    const waiting = 'sent held · refused'
    await seeRows(page, [[...Array(5).fill(waiting), 'sent']])
    expect(await refreshesOf(page)).toEqual([['running']])
    expect(await textOf(page, '#news')).toBe('One refresh asks for a new token. Everybody else waits for it.')
    await shoot(page, 'playground-held')

    refreshGate.open()
    const answered = 'sent held renewed · refused replayed answered'
    await seeRows(page, [[...Array(5).fill(answered), 'sent']])
    // Its 401 is about the old token, and comes when the new one is there.
    lateGate.open()
    await seeRows(page, [[...Array(5).fill(answered), 'sent renewed · refused replayed answered']])
    await seeNews(page, 'Done: one refresh, all 6 answered.')
    await shoot(page, 'playground-answered')
    expect(await refreshesOf(page)).toEqual([['granted']])
    await expect
      .poll(() => countersOf(page), TIME_LIMIT)
      .toEqual([{ refreshes: 1, adopted: 0, refused: 6, replays: 6, 'held now': 0, 'held peak': 5 }])
    expect(counted()).toMatchObject({ served: 6, refused: 6, refreshes: 1, reuses: 0 })
  })

  it('draws every tab in every tab, and one refresh for all of them', async () => {
    const { page, openTab, counted } = await openPlayground()
    const second = await openTab()
    await expect.poll(() => textOf(page, '#tabs'), TIME_LIMIT).toBe('from every open tab (2)')
    refreshGate.close()
    await press(page, 'from every open tab (2)')
    await press(page, 'Expire the token, send 6 requests')
    const waiting = Array(6).fill('sent held · refused')
    for (const tab of [page, second]) {
      await tab.bringToFront()
      await seeRows(tab, [waiting, waiting])
    }
    // One that is opened in the middle of it sees the same.
    const third = await openTab()
    await seeRows(third, [waiting, waiting])

    refreshGate.open()
    const answered = Array(6).fill('sent held renewed · refused replayed answered')
    for (const tab of [page, second, third]) {
      await tab.bringToFront()
      await seeRows(tab, [answered, answered])
      await seeNews(tab, 'Done: one refresh, all 12 answered.')
      expect((await refreshesOf(tab)).flat().sort()).toEqual(['adopted', 'granted'])
    }
    await shoot(third, 'playground-tabs')
    expect(await textsOf(second, '#plot .lane > .strong')).toEqual(['Tab 1', 'Tab 2 (this one)'])
    expect((await countersOf(second)).map(({ refreshes, adopted }) => refreshes! + adopted!)).toEqual([
      1, 1, 0,
    ])
    expect(counted()).toMatchObject({ served: 12, refused: 12, refreshes: 1, reuses: 0 })

    await third.close()
    await page.bringToFront()
    await expect.poll(() => textOf(page, '#tabs'), TIME_LIMIT).toBe('from every open tab (2)')
  })

  it('draws a refused refresh as the end of the session for every waiting request', async () => {
    const { page, counted } = await openPlayground()
    await press(page, 'be refused')
    await press(page, 'Expire the token, send 6 requests')
    await seeNews(page, 'Done: one refresh, all 6 failed.')
    expect(new Set(await textsOf(page, '#plot .row .dim:last-child'))).toEqual(new Set(['session over']))
    expect(await refreshesOf(page)).toEqual([['unsuccessful']])
    expect(await textOf(page, '#who')).toBe('Signed out')
    expect(counted()).toMatchObject({ served: 0, refreshes: 1 })
  })

  it('draws every attempt at a server that is down, and keeps the session', async () => {
    const { page, counted } = await openPlayground()
    await press(page, 'find the server down')
    await press(page, 'Expire the token, send 6 requests')
    await seeNews(page, 'Done: one refresh, all 6 failed.')
    await shoot(page, 'playground-down')
    expect(await page.$$eval('#plot .attempt', (attempts) => attempts.length)).toBe(3)
    expect(await textOf(page, '#who')).toBe('Signed in as Ada')
    expect(counted()).toMatchObject({ served: 0, refreshes: 3 })
  })

  it('draws a refresh that is never answered until the client gives up on it', async () => {
    options.refreshTimeoutMs = 300
    const { page } = await openPlayground()
    options.refreshTimeoutMs = LONG_MS
    await press(page, 'never be answered')
    await press(page, 'Expire the token, send 6 requests')
    await seeNews(page, 'Done: one refresh, all 6 failed.')
    expect(new Set(await textsOf(page, '#plot .row .dim:last-child'))).toEqual(new Set(['timed out']))
    expect(await textOf(page, '#who')).toBe('Signed in as Ada')
  })

  it.each([
    ['Abort one', 'aborted', 'Done: one refresh, 5 answered, 1 aborted.'],
    ['Sign out', 'signed out', 'Done: one refresh, all 6 failed.'],
    ['Switch to Grace', 'user changed', 'Done: one refresh, all 6 failed.'],
  ])('"%s" rejects waiting requests at once, and is drawn', async (button, reason, news) => {
    const { page, counted } = await openPlayground()
    refreshGate.close()
    await press(page, 'Expire the token, send 6 requests')
    await seeRows(page, [Array(6).fill('sent held · refused')])
    await press(page, button)
    await expect.poll(() => textsOf(page, '#plot .row .dim:last-child'), TIME_LIMIT).toContain(reason)
    refreshGate.open()
    await seeNews(page, news)
    // Nobody who gave up is sent again.
    const served = button === 'Abort one' ? 5 : 0
    expect(counted()).toMatchObject({ served, refused: 6, refreshes: 1, reuses: 0 })
  })

  it('names every control and shows where the focus is', async () => {
    const { page } = await openPlayground()
    const seen: string[] = []
    for (let step = 0; step < 11; step++) {
      await page.keyboard.press('Tab')
      const { name, outline } = await page.evaluate(() => {
        const focused = document.activeElement as HTMLInputElement
        const { outlineStyle, outlineWidth } = getComputedStyle(focused)
        const label = focused.labels?.[0] ?? focused
        return { name: label.innerText.trim(), outline: `${outlineStyle} ${outlineWidth}` }
      })
      expect({ name, outline }).toEqual({ name, outline: 'solid 3px' })
      seen.push(name)
    }
    expect(seen).toEqual([
      ...['Expire the token, send 6 requests', 'Abort one', 'Sign out', 'Switch to Grace'],
      ...['The same in words', 'succeed', 'Expire it', 'How many', 'from every open tab (1)', 'Send them'],
      'Open a second tab',
    ])
  })

  it('describes the drawing in words for screen readers', async () => {
    const { page } = await openPlayground()
    await press(page, 'Send them')
    await seeNews(page, 'Done: no refresh, all 6 answered. The token is still good: expire it first.')
    const sentences = await textsOf(page, '#sentences li')
    expect(sentences).toHaveLength(2)
    const [role, label] = await page.$eval('#plot svg', (svg) => [svg.role, svg.ariaLabel])
    expect({ role, label }).toEqual({ role: 'img', label: sentences.join(' ') })
    expect(await page.$eval('#news', (news) => news.role)).toBe('status')
  })

  it('animates nothing under prefers-reduced-motion', async () => {
    const { page } = await openPlayground()
    const stillness = (value: 'reduce' | 'no-preference') =>
      page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value }])
    await stillness('reduce')
    refreshGate.close()
    await press(page, 'Expire the token, send 6 requests')
    await seeRows(page, [Array(6).fill('sent held · refused')])
    expect(await drawingsWithin(page, 30)).toBe(1)
    await stillness('no-preference')
    await press(page, 'Abort one')
    expect(await drawingsWithin(page, 30)).toBeGreaterThan(3)
    refreshGate.open()
    await seeNews(page, 'Done: one refresh, 5 answered, 1 aborted.')
  })

  it.each(['light', 'dark'])('fits a phone and is readable in %s mode', async (scheme) => {
    const { page } = await openPlayground()
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
    await page.setViewport({ width: 360, height: 740 })
    await press(page, 'be refused')
    await press(page, 'Expire the token, send 6 requests')
    await seeNews(page, 'Done: one refresh, all 6 failed.')
    await shoot(page, `playground-phone-${scheme}`)
    const { width, small, pale } = await page.evaluate(measure)
    expect(width).toBeLessThanOrEqual(360)
    expect(small).toEqual([])
    expect(pale).toEqual([])
  })

  // ---- What the tests are made of --------------------------------------------------------------------------------------

  /** A page in a profile of its own, signed in as Ada, and what the server counted since. */
  async function openPlayground() {
    const profile: Profile = await browser.profile()
    const problems: string[] = []
    onTestFinished(async () => {
      refreshGate.open()
      lateGate.open()
      await profile.close()
      expect(problems).toEqual([])
    })
    async function openTab() {
      const page = await profile.open(playground.url, true)
      page.on('pageerror', (error) => problems.push(String(error)))
      await expect.poll(() => textOf(page, '#who'), TIME_LIMIT).toBe('Signed in as Ada')
      return page
    }
    const page = await openTab()
    // As the test before may have left it.
    await fetch(`${playground.url}playground/refresh`, { method: 'POST', body: 'granted' })
    const { counts } = playground.state()
    const counted = () =>
      Object.fromEntries(
        Object.entries(playground.state().counts).map(([name, now]) => [
          name,
          now - counts[name as keyof typeof counts],
        ]),
      )
    return { page, openTab, counted }
  }
})

describe('the picture of the README', () => {
  it('matches what is drawn today, apart from the times', async () => {
    // Rejects when the script does not exit with 0.
    await promisify(execFile)('node', ['--import', 'tsx', 'examples/playground/picture.ts', '--check'], {
      cwd: ROOT,
    })
  }, 30_000)

  it('is linked, and has a light and a dark theme', async () => {
    const readme = await readFile(`${ROOT}README.md`, 'utf8')
    const [, path] = /!\[[^\]]{40,}\]\((docs\/[\w-]+\.svg)\)/.exec(readme) ?? []
    expect(await readFile(ROOT + path, 'utf8')).toContain('@media (prefers-color-scheme: dark)')
  })
})

/** As a user of assistive technology finds it: by what it is called. */
async function press(page: Page, name: string): Promise<void> {
  // A browser draws what is in front, and little of the rest.
  await page.bringToFront()
  await page.locator(`::-p-aria(${name})`).click()
}

async function focus(page: Page, name: string): Promise<void> {
  const isThere = () => page.evaluate(() => (document.activeElement as HTMLElement).innerText)
  for (let step = 0; step < 30; step++) {
    await page.keyboard.press('Tab')
    if ((await isThere()) === name) return
  }
  throw new Error(`The Tab key never reaches "${name}".`)
}

async function textsOf(page: Page, selector: string): Promise<string[]> {
  return page.$$eval(selector, (found) => found.map(({ textContent }) => textContent ?? ''))
}

async function textOf(page: Page, selector: string): Promise<string | undefined> {
  return (await textsOf(page, selector))[0]
}

function seeNews(page: Page, news: string) {
  return expect.poll(() => textOf(page, '#news'), TIME_LIMIT).toBe(news)
}

/** For each lane the rows, each by its bars and its marks. */
function seeRows(page: Page, rows: string[][]) {
  const read = () =>
    page.$$eval('#plot .lane', (lanes) =>
      lanes.map((lane) =>
        [...lane.querySelectorAll('.row')].map((row) => {
          const bars = [...row.querySelectorAll(':scope > path')].map((bar) => bar.classList[0])
          const marks = [...row.querySelectorAll('.mark')].map((mark) => mark.classList[1])
          return [bars.join(' '), ...(marks.length ? [marks.join(' ')] : [])].join(' · ')
        }),
      ),
    )
  return expect.poll(read, TIME_LIMIT).toEqual(rows)
}

/** For each lane how its refreshes ended. */
function refreshesOf(page: Page): Promise<(string | undefined)[][]> {
  return page.$$eval('#plot .lane', (lanes) =>
    lanes.map((lane) => [...lane.querySelectorAll('.refresh')].map((band) => band.classList[1])),
  )
}

/** The table of `stats()`, for each tab. */
function countersOf(page: Page): Promise<Record<string, number>[]> {
  return page.$$eval('#counters tr', (rows) => {
    const tabs: Record<string, number>[] = []
    for (const row of rows) {
      const [name, ...cells] = [...row.children].map(({ textContent }) => textContent ?? '')
      cells.slice(0, -1).forEach((cell, index) => {
        ;(tabs[index] ??= {})[name ?? ''] = Number(cell)
      })
    }
    return tabs
  })
}

/** How many different drawings there are within so many frames. */
function drawingsWithin(page: Page, frames: number): Promise<number> {
  return page.evaluate(async (count) => {
    const seen = new Set<string>()
    for (let frame = 0; frame < count; frame++) {
      await new Promise(requestAnimationFrame)
      seen.add(document.getElementById('plot')!.innerHTML)
    }
    return seen.size
  }, frames)
}

/** In the page: its width, what is too small to hit, and what is too pale to read (WCAG 2.2, 2.5.8 and 1.4.3). */
function measure() {
  const luminance = (colour: string) => {
    const [r = 0, g = 0, b = 0] = colour.match(/[\d.]+/g)!.map((part) => {
      const value = Number(part) / 255
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const groundOf = (element: Element | null): string => {
    const colour = element ? getComputedStyle(element).backgroundColor : 'rgb(255, 255, 255)'
    return /, 0\)$/.test(colour) ? groundOf(element!.parentElement) : colour
  }
  const isText = (element: Element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.nodeValue?.trim())
  const pale = [...document.querySelectorAll('body *')].filter(isText).flatMap((element) => {
    const { color, fill } = getComputedStyle(element)
    if (element.matches('title, style')) return []
    const text = element instanceof SVGElement ? fill : color
    const [light = 0, dark = 0] = [luminance(text), luminance(groundOf(element))].sort((a, b) => b - a)
    return (light + 0.05) / (dark + 0.05) >= 4.5 ? [] : [`${element.textContent?.trim()}: ${text}`]
  })
  const small = [...document.querySelectorAll('button, label, summary')]
    .filter((element) => element.getBoundingClientRect().height < 24)
    .map(({ textContent }) => textContent)
  return { width: document.documentElement.scrollWidth, small, pale }
}
