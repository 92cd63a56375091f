// Prints the summary of the browser tests when the run is over: one table, whichever files its rows came from.
// For `reporters` in vitest's config, or `--reporter` on the command line, before the one you read otherwise: what failed
// must be the last thing on the screen.
import type { Reporter, TestModule, Vitest } from 'vitest/node'
import { drawSummary, type SummaryRow } from './summary.js'

export default class SummaryReporter implements Reporter {
  #vitest: Vitest | undefined

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
    vitest.provide('hasSummary', true)
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows: SummaryRow[] = []
    for (const { children } of modules) {
      for (const test of children.allTests()) {
        const { summaryRow } = test.meta()
        if (summaryRow) rows.push(summaryRow)
      }
    }
    if (rows.length > 0) this.#vitest?.logger.log(`\n${drawSummary(rows)}\n`)
  }
}
