// A page that comes back from the back/forward cache, as alive as it was left.
// Promise: a client keeps no page out of that cache, and one that returns looks into the store before its first request.
import { expect, it } from 'vitest'
import { inEachBrowser, POLL } from './stage.js'
import type { StagedTab } from './staged-tab.js'
import type { Answers } from './tab-page.js'

inEachBrowser('the back/forward cache', (setStage) => {
  it('a restored page keeps its client, which continues', async (context) => {
    const { server, tabs, elsewhereUrl, signIn, expire } = await setStage(context, { tabs: 1 })
    const [tab] = tabs as [StagedTab]
    await signIn('ada')
    expire()
    await tab.fire(5)
    await leave(tab, elsewhereUrl)

    expect(await comeBack(tab)).toMatchObject({ users: Array(5).fill('ada') })
    expire()
    expect(await tab.fire(5)).toMatchObject({ users: Array(5).fill('ada') })
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
  })

  it('a restored page has the newest tokens before its first request', async (context) => {
    const { server, tabs, elsewhereUrl, signIn, expire } = await setStage(context, { tabs: 3 })
    const [tab, other, witness] = tabs as [StagedTab, StagedTab, StagedTab]
    await signIn('ada')
    await leave(tab, elsewhereUrl)
    expire()
    await other.fire(5)
    // What is written to localStorage takes a moment to reach another process: a third tab has it by now.
    await expect.poll(async () => (await witness.state()).adopted, POLL).toBe(1)
    server.forget()

    expect(await comeBack(tab)).toMatchObject({ users: Array(5).fill('ada') })
    expect(server.counts).toMatchObject({ refreshes: 0, answered401: 0, protectedOk: 5 })
    expect((await tab.state()).adopted).toBe(1)
  })

  it('a restored page knows about a sign-out before its first request', async (context) => {
    const { server, tabs, elsewhereUrl, signIn } = await setStage(context, { tabs: 3 })
    const [tab, other, witness] = tabs as [StagedTab, StagedTab, StagedTab]
    await signIn('ada')
    await leave(tab, elsewhereUrl)
    await other.signOut()
    await expect.poll(async () => (await witness.state()).status, POLL).toBe('signed-out')
    server.forget()

    expect((await comeBack(tab)).codes).toEqual(Array(5).fill('401'))
    expect(server.tokensSeen()).toEqual([])
    expect(await tab.state()).toMatchObject({ status: 'signed-out', ends: ['signed-out-elsewhere'] })
  })

  it('when a page leaves during its refresh, another one refreshes', async (context) => {
    const { server, tabs, elsewhereUrl, signIn, expire } = await setStage(context, { tabs: 2 })
    const [tab, other] = tabs as [StagedTab, StagedTab]
    await signIn('ada')
    expire()
    const refresh = server.holdRefresh({ first: 1 })
    await tab.page.evaluate('void tab.fire(5)')
    await refresh.waiting(1)
    await tab.page.goto(elsewhereUrl)
    expect(await other.fire(5)).toMatchObject({ users: Array(5).fill('ada') })
    refresh.releaseAll()
    expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
  })
})

/** Goes elsewhere; when it is back, the app of the page makes five requests before its client is notified. */
async function leave(tab: StagedTab, elsewhereUrl: string): Promise<void> {
  await tab.fireOnReturn(5)
  const held = 'navigator.locks.query().then(({ held, pending }) => held.length + pending.length)'
  await expect.poll(() => tab.page.evaluate(held), POLL).toBe(0)
  await tab.page.goto(elsewhereUrl)
}

async function comeBack({ page, returned }: StagedTab): Promise<Answers> {
  await page.evaluate('history.back()')
  await expect.poll(() => page.evaluate('location.pathname'), POLL).toBe('/secure')
  const answers = await returned()
  if (!answers) throw new Error(`The page was loaded anew: ${await whyNot(page)}`)
  return answers
}

/** What kept the page out of the cache, as far as the browser says so. */
function whyNot(page: StagedTab['page']): Promise<unknown> {
  return page.evaluate(`JSON.stringify(performance.getEntriesByType('navigation')[0].notRestoredReasons)`)
}
