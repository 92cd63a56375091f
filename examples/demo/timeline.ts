// Draws a burst: a row for each request over one axis of time, and the refresh as a band across all rows. Pure.
// Each glyph means one thing in every place, so that it reads without colours too.
import type { BurstResult, RequestRecord } from './burst.js'
import { isAnswered } from './guarantees.js'
import type { Colour, Ink } from './ink.js'

export interface TimelineOptions {
  /** Width of the terminal. */
  columns: number
  ink: Ink
}

type Phase = 'wire' | 'held' | 'renewed' | 'nothing'
type Mark = 'refused' | 'replayed' | 'answered' | 'aborted' | 'failed'

/** Something that happened to a request: a mark in its row, or only the beginning of another phase. */
interface Moment {
  atMs: number
  mark?: Mark
  /** What it is in from then on. */
  phase: Phase
}

interface Band {
  from: number
  to: number
  startMs: number
  endMs: number
}

/** A character and its colour. A row is put together from these, so that colours never count as width. */
interface Cell {
  glyph: string
  colour?: Colour
}

const PHASES: Record<Phase, Cell> = {
  wire: { glyph: '─' },
  held: { glyph: '░', colour: 'yellow' },
  renewed: { glyph: '━', colour: 'green' },
  nothing: { glyph: ' ' },
}

const MARKS: Record<Mark, Cell> = {
  refused: { glyph: '×', colour: 'red' },
  replayed: { glyph: '↻', colour: 'green' },
  answered: { glyph: '✓', colour: 'green' },
  aborted: { glyph: '⊘', colour: 'yellow' },
  failed: { glyph: '!', colour: 'red' },
}

/** Where the edge of the band crosses a line, the line goes on. */
const CROSSINGS: Record<string, string> = { '─': '┼', '━': '┿' }

const NOTES: Record<RequestRecord['role'], string> = {
  ordinary: '',
  late: 'late 401',
  aborted: 'aborted',
  foreign: 'other origin',
  during: 'made during',
}
const NOTE_WIDTH = 12
const KIND_WIDTH = 9

/** With more requests than this, most of them are summarised in one line. */
const MOST_ROWS = 60
const ROWS_WHEN_MANY = 36

// Marks that fall into one cell move on to the right; the last ones need somewhere to go.
const SPARE_CELLS = 4

export function drawTimeline(result: BurstResult, { columns, ink }: TimelineOptions): string[] {
  const { requests, startedAtMs, events } = result
  const idWidth = String(requests.length).length
  const labelWidth = 2 + idWidth + 1 + KIND_WIDTH + 1 + NOTE_WIDTH + 1
  const width = Math.max(30, Math.min(columns, 180) - labelWidth - 1)
  const { shown, hidden } = choose(requests)
  const lastMs = Math.max(
    ...requests.map(({ settledAtMs = 0 }) => settledAtMs),
    ...result.trips.map(({ answeredAtMs = 0 }) => answeredAtMs),
  )
  const scale = (width - SPARE_CELLS - 1) / Math.max(1, lastMs - startedAtMs)
  const cellAt = (atMs: number) => Math.round((atMs - startedAtMs) * scale)

  const starts = events.filter(({ name }) => name === 'refreshStart').length
  const band = bandOf(result, cellAt)
  const paint = (cells: Cell[]) => paintCells(cells, ink)
  const label = (text: string) => text.padEnd(labelWidth)

  const lines = [
    label('  milliseconds') + ink('dim', drawAxis(width, scale).trimEnd()),
    band
      ? label('  the refresh') + paint(headerOf(band))
      : `  no refresh ${starts ? 'came to its end' : ''}`.trimEnd(),
  ]
  for (const [index, request] of shown.entries()) {
    if (hidden.length && index === shown.findIndex(({ role }) => role !== 'ordinary')) {
      lines.push(ink('dim', `${' '.repeat(2 + idWidth)} … and ${describeHidden(hidden)}`))
    }
    const { id, kind, role } = request
    const name = kind === 'GET' ? 'GET' : `POST ${kind}`
    const head = `  ${String(id).padStart(idWidth)} ${name.padEnd(KIND_WIDTH)} ${NOTES[role].padEnd(NOTE_WIDTH)} `
    const cells = rowOf(momentsOf(request, result), cellAt, width, band)
    lines.push(head + paint(cells).trimEnd())
  }
  if (starts > 1) lines.push(ink('red', `  there were ${starts} refreshes: the first one is drawn`))
  return lines
}

export function drawLegend(ink: Ink): string[] {
  const entries: [Cell, string][] = [
    [PHASES.wire, 'sent'],
    [MARKS.refused, 'refused'],
    [PHASES.held, 'held'],
    [MARKS.replayed, 'replayed'],
    [PHASES.renewed, 'new token'],
    [MARKS.answered, 'answered'],
    [MARKS.aborted, 'aborted'],
  ]
  return [`  ${entries.map(([{ glyph, colour }, text]) => `${ink(colour, glyph)} ${text}`).join('  ')}`]
}

/** What happened to one request, from its caller, from the log of the servers and from the client's events. */
function momentsOf(request: RequestRecord, { trips, events }: BurstResult): Moment[] {
  const moments: Moment[] = []
  const own = events.filter(({ id }) => id === request.id)
  for (const trip of trips) {
    if (trip.id !== request.id || trip.status !== 401 || trip.answeredAtMs === undefined) continue
    const { answeredAtMs } = trip
    // The client says at once what it does about a 401: that is when it had read it.
    const readMs = own.find(({ atMs }) => atMs >= answeredAtMs)?.atMs
    moments.push({ atMs: readMs ?? answeredAtMs, mark: 'refused', phase: 'nothing' })
  }
  for (const { name, atMs } of own) {
    if (name === 'held') moments.push({ atMs, phase: 'held' })
    if (name === 'replay') moments.push({ atMs, mark: 'replayed', phase: 'renewed' })
  }
  const firstArrivalMs = trips.find(({ id }) => id === request.id)?.arrivedAtMs ?? Infinity
  const wasHeldFirst = moments.some(({ phase, atMs }) => phase === 'held' && atMs < firstArrivalMs)
  // One that waited before it was ever sent goes out when the refresh is over. No event says so.
  const releasedMs = events.find(({ name, atMs }) => name === 'refreshed' && atMs > request.madeAtMs)?.atMs
  if (wasHeldFirst) moments.push({ atMs: releasedMs ?? firstArrivalMs, phase: 'renewed' })
  moments.sort((a, b) => a.atMs - b.atMs)
  moments.unshift({ atMs: request.madeAtMs, phase: wasHeldFirst ? 'held' : 'wire' })
  if (request.settledAtMs !== undefined) {
    const mark = isAnswered(request) ? 'answered' : request.outcome === 'canceled' ? 'aborted' : 'failed'
    moments.push({ atMs: request.settledAtMs, mark, phase: 'nothing' })
  }
  return moments
}

function rowOf(
  moments: Moment[],
  cellAt: (atMs: number) => number,
  width: number,
  band: Band | undefined,
): Cell[] {
  const cells = Array.from({ length: width }, () => PHASES.nothing)
  let next = 0
  let phase: Phase = 'nothing'
  const fillTo = (end: number) => {
    while (next < Math.min(end, width)) cells[next++] = PHASES[phase]
  }
  for (const { atMs, mark, phase: following } of moments) {
    // What comes after the refresh stands behind its band, also where both fall into one cell.
    const isAfter = band && atMs >= band.endMs
    fillTo(isAfter ? Math.max(cellAt(atMs), band.to + 1) : cellAt(atMs))
    if (mark && next < width) cells[next++] = MARKS[mark]
    phase = following
  }
  // Whoever never came back stays what it is until the end.
  if (phase !== 'nothing') fillTo(width)

  for (const edge of band ? [band.from, band.to] : []) {
    const cell = cells[edge]
    if (!cell || Object.values(MARKS).includes(cell)) continue
    cells[edge] = { glyph: CROSSINGS[cell.glyph] ?? '│', colour: 'cyan' }
  }
  return cells
}

function bandOf({ events }: BurstResult, cellAt: (atMs: number) => number): Band | undefined {
  const startMs = events.find(({ name }) => name === 'refreshStart')?.atMs
  const endMs = events.find(({ name }) => name === 'refreshed')?.atMs
  if (startMs === undefined || endMs === undefined) return undefined
  // The refusal that set it off stands in front of it.
  const firstHeldMs = events.find(({ name }) => name === 'held')?.atMs ?? startMs
  const from = Math.max(cellAt(startMs), cellAt(firstHeldMs) + 1)
  return { from, to: Math.max(cellAt(endMs), from + 2), startMs, endMs }
}

function headerOf({ from, to, startMs, endMs }: Band): Cell[] {
  const inside = to - from - 1
  const text = [` one refresh, ${Math.round(endMs - startMs)} ms `, ' refresh '].find(
    (fitting) => fitting.length <= inside,
  )
  const left = Math.floor((inside - (text?.length ?? 0)) / 2)
  const bar = `┌${'─'.repeat(left)}${text ?? ''}${'─'.repeat(inside - left - (text?.length ?? 0))}┐`
  return [...`${' '.repeat(from)}${bar}`].map((glyph) => ({ glyph, colour: 'cyan' }))
}

function drawAxis(width: number, scale: number): string {
  const steps = [5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000]
  const step = steps.find((ms) => ms * scale >= 8) ?? 20_000
  let axis = ''
  for (let ms = 0; ; ms += step) {
    const at = Math.round(ms * scale)
    const tick = `╷${ms}`
    if (at + tick.length > width) return axis
    axis = axis.padEnd(at) + tick
  }
}

/** All of them, or of many a part: the first ordinary ones, every special one, and any that went wrong. */
function choose(requests: RequestRecord[]): { shown: RequestRecord[]; hidden: RequestRecord[] } {
  if (requests.length <= MOST_ROWS) return { shown: requests, hidden: [] }
  const isOdd = (request: RequestRecord) => request.role !== 'ordinary' || !isAnswered(request)
  let room = ROWS_WHEN_MANY
  const shown = requests.filter((request) => room-- > 0 || request.role !== 'ordinary')
  // Those that went wrong are what one looks for; the line below counts whatever does not fit.
  const wrong = requests.filter((request) => isOdd(request) && !shown.includes(request)).slice(0, 10)
  const rows = [...shown, ...wrong].sort((a, b) => a.id - b.id)
  const seen = new Set(rows)
  return { shown: rows, hidden: requests.filter((request) => !seen.has(request)) }
}

function describeHidden(hidden: RequestRecord[]): string {
  const answered = hidden.filter(isAnswered).length
  const rest = hidden.length - answered
  const all = rest ? `${answered} answered, ${rest} not` : 'all answered'
  return `${hidden.length} more like these, ${all}`
}

/** Neighbours of one colour share an escape code. */
function paintCells(cells: Cell[], ink: Ink): string {
  let text = ''
  let run = ''
  let colour: Colour | undefined
  for (const cell of cells) {
    if (cell.colour !== colour) {
      text += ink(colour, run)
      run = ''
      colour = cell.colour
    }
    run += cell.glyph
  }
  return text + ink(colour, run)
}
