// Prints the summary of the browser stories when the run is over: one table, whichever files its rows came from.
// For `reporters` in vitest's config, or `--reporter` on the command line, beside the one you read otherwise.
import type { Reporter, TestModule, Vitest } from 'vitest/node'
import { drawSummary, type StoryRow } from './summary.js'

export default class SummaryReporter implements Reporter {
  onInit(vitest: Vitest): void {
    vitest.provide('hasSummary', true)
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows: StoryRow[] = []
    for (const { children } of modules) {
      for (const test of children.allTests()) {
        const { storyRow } = test.meta()
        if (storyRow) rows.push(storyRow)
      }
    }
    if (rows.length > 0) console.info(`\n${drawSummary(rows)}\n`)
  }
}
