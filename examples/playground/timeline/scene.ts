// Makes a scene of events: a lane for each tab, in it a row for each request and the refreshes. Pure.
import type { SessionEndReason } from 'axios-auth-client'
import type { TimelineEvent } from './events.js'

export interface Scene {
  startMs: number
  /** When the last thing happened. */
  lastMs: number
  /** Whether every caller has an answer and no refresh runs. */
  isOver: boolean
  lanes: Lane[]
}

export interface Lane {
  tab: string
  rows: Row[]
  refreshes: Refresh[]
  ends: { atMs: number; reason: SessionEndReason }[]
}

export interface Row {
  id: number
  name: string
  note: string
  spans: Span[]
  marks: Mark[]
  outcome: 'open' | 'answered' | 'aborted' | 'failed'
  /** Why it failed. */
  reason: string
  madeAtMs: number
  settledAtMs: number | undefined
}

/** `sent`: on its way for the first time; `renewed`: with the new token. Open ones have no end yet. */
export interface Span {
  phase: 'sent' | 'held' | 'renewed'
  fromMs: number
  toMs: number | undefined
}

export interface Mark {
  mark: 'refused' | 'replayed' | 'answered' | 'aborted' | 'failed'
  atMs: number
}

export interface Refresh {
  outcome: 'running' | 'granted' | 'adopted' | 'failed' | 'dropped'
  /** Why it failed. */
  reason: string
  fromMs: number
  toMs: number | undefined
  /** What went over the wire for it; none where another tab did it. */
  attempts: { fromMs: number; toMs: number | undefined; status: number | undefined }[]
}

/** @param tabs in the order of their lanes; those that did nothing get none */
export function readScene(events: readonly TimelineEvent[], tabs: readonly string[]): Scene {
  const sorted = [...events].sort((a, b) => a.atMs - b.atMs)
  const lanes = [...new Set([...tabs, ...sorted.map(({ tab }) => tab)])]
    .map((tab) =>
      readLane(
        tab,
        sorted.filter((event) => event.tab === tab),
      ),
    )
    .filter(({ rows, refreshes }) => rows.length + refreshes.length > 0)
  return {
    startMs: sorted[0]?.atMs ?? 0,
    lastMs: sorted.at(-1)?.atMs ?? 0,
    isOver: lanes.every(
      ({ rows, refreshes }) =>
        rows.every(({ outcome }) => outcome !== 'open') &&
        refreshes.every(({ outcome }) => outcome !== 'running'),
    ),
    lanes,
  }
}

function readLane(tab: string, events: TimelineEvent[]): Lane {
  const lane: Lane = { tab, rows: [], refreshes: [], ends: [] }
  for (const event of events) {
    const refresh = lane.refreshes.at(-1)
    const { atMs } = event
    switch (event.what) {
      case 'made':
        lane.rows.push({
          ...{ id: event.id, name: event.name, note: event.note ?? '', spans: [], marks: [], reason: '' },
          ...{ outcome: 'open', madeAtMs: atMs, settledAtMs: undefined },
        })
        break
      case 'refreshStart':
        lane.refreshes.push({ outcome: 'running', reason: '', fromMs: atMs, toMs: undefined, attempts: [] })
        break
      case 'refreshSent':
        refresh?.attempts.push({ fromMs: atMs, toMs: undefined, status: undefined })
        break
      case 'refreshAnswered':
        Object.assign(refresh?.attempts.at(-1) ?? {}, { toMs: atMs, status: event.status })
        break
      case 'refreshed':
        Object.assign(refresh ?? {}, { toMs: atMs, outcome: event.adopted ? 'adopted' : 'granted' })
        break
      case 'refreshFailed':
        Object.assign(refresh ?? {}, { toMs: atMs, outcome: 'failed', reason: event.reason })
        break
      case 'sessionEnd':
        lane.ends.push({ atMs, reason: event.reason })
        // Nobody wants its answer any more, and no event reports its end.
        if (refresh?.outcome === 'running') Object.assign(refresh, { toMs: atMs, outcome: 'dropped' })
        break
      default: {
        const row = lane.rows.find(({ id }) => id === event.id)
        if (row) continueRow(row, event)
      }
    }
  }
  return lane
}

function continueRow(
  row: Row,
  event: TimelineEvent & { what: 'sent' | 'refused' | 'held' | 'answered' | 'aborted' | 'failed' },
): void {
  const { what, atMs } = event
  const span = row.spans.at(-1)
  if (span) span.toMs ??= atMs
  switch (what) {
    case 'sent':
      if (row.spans.some(({ phase }) => phase !== 'held')) row.marks.push({ mark: 'replayed', atMs })
      row.spans.push({ phase: span ? 'renewed' : 'sent', fromMs: atMs, toMs: undefined })
      break
    case 'held':
      row.spans.push({ phase: 'held', fromMs: atMs, toMs: undefined })
      break
    case 'refused':
      row.marks.push({ mark: 'refused', atMs })
      break
    case 'failed':
      row.reason = event.reason
      settle(row, what, atMs)
      break
    default:
      settle(row, what, atMs)
  }
}

function settle(row: Row, outcome: 'answered' | 'aborted' | 'failed', atMs: number): void {
  row.outcome = outcome
  row.settledAtMs = atMs
  row.marks.push({ mark: outcome, atMs })
}
