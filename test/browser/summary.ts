// Owns the summary of the browser tests: one row per test and browser, printed when the run is over.
// Promise: a test that failed has its row too, with the numbers that it came to.
import { afterAll, inject, type TestContext } from 'vitest'

export interface SummaryRow {
  test: string
  browser: string
  tabs: number
  requests: number
  expiries: number
  /** Calls of the refresh endpoint, counted at the server. */
  refreshes: number
  /** Newer tokens that a tab took over from another. */
  adoptions: number
  /** Spent refresh tokens that came again. */
  reuses: number
  /** Requests that had neither answer nor error. */
  unanswered: number
}

declare module 'vitest' {
  interface TaskMeta {
    summaryRow?: SummaryRow
  }
  interface ProvidedContext {
    /** The run has the reporter of vitest-summary.ts. */
    hasSummary: boolean
  }
}

const COLUMNS = [
  'test',
  'browser',
  'tabs',
  'requests',
  'expiries',
  'refreshes',
  'adoptions',
  'reuses',
  'unanswered',
] as const
/** So many of the columns, the first ones, hold words. */
const WORDS = 2

/** The rows under their headings, aligned: words to the left, numbers to the right. */
export function drawSummary(rows: readonly SummaryRow[]): string {
  const lines = [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column]))]
  const widths = COLUMNS.map((_, at) => Math.max(...lines.map((cells) => String(cells[at]).length)))
  const draw = (cell: string | number, at: number) =>
    at < WORDS ? String(cell).padEnd(widths[at] ?? 0) : String(cell).padStart(widths[at] ?? 0)
  return lines.map((cells) => cells.map(draw).join(' | ')).join('\n')
}

/** Returns what notes the row of a test; without the reporter of the run, the file prints its own table. */
export function createSummary(): (context: TestContext, row: SummaryRow) => void {
  const rows: SummaryRow[] = []
  afterAll(() => {
    if (!inject('hasSummary') && rows.length > 0) console.info(drawSummary(rows))
  })
  return ({ task }, row) => {
    task.meta.summaryRow = row
    rows.push(row)
  }
}
