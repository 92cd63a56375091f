// Owns one tab of a test: the app in it, the page around it, and the count of what it was asked to do.
// Promise: a request that nobody answered is counted as such, unless the test closed the tab.
import type { Page } from 'puppeteer-core'
import { createTabHandle, type TabHandle } from './tab-handle.js'
import type { Answers, StartTab } from './tab-page.js'

export interface TabCounts {
  requests: number
  adoptions: number
  unanswered: number
}

export interface StagedTab extends TabHandle {
  /** The tab as the browser knows it. */
  readonly page: Page
  /** Reloads the page and starts its app anew. */
  restart(): Promise<void>
  /** Its requests die with it. */
  close(): Promise<void>
  counts(): Promise<TabCounts>
}

export async function startTab(page: Page, serverUrl: string, start?: StartTab): Promise<StagedTab> {
  const handle = createTabHandle(page)
  const counts: TabCounts = { requests: 0, adoptions: 0, unanswered: 0 }
  await handle.start(serverUrl, start)

  function asked(count: number): void {
    counts.requests += count
    counts.unanswered += count
  }

  function settled(answers: Answers): Answers {
    counts.unanswered -= answers.answered + answers.codes.length
    return answers
  }

  /** The page forgets at its end what it has counted. */
  async function keepAdoptions(): Promise<void> {
    try {
      counts.adoptions += (await handle.state()).adopted
    } catch {
      // Closed, or elsewhere: nobody is there to ask.
    }
  }

  return {
    ...handle,
    page,
    async fire(count) {
      asked(count)
      return settled(await handle.fire(count))
    },
    fireOnReturn(count) {
      asked(count)
      return handle.fireOnReturn(count)
    },
    async returned() {
      const answers = await handle.returned()
      return answers && settled(answers)
    },
    async restart() {
      await keepAdoptions()
      await page.reload()
      await handle.start(serverUrl, start)
    },
    async close() {
      await keepAdoptions()
      counts.unanswered = 0
      await page.close()
    },
    async counts() {
      await keepAdoptions()
      return counts
    },
  }
}
