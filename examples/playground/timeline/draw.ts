// Draws a scene as SVG: a row for each request over one axis of time, a lane for each tab, and every refresh as a band
// across its lane. Pure: the same scene and options give the same text, in the page and in the README's picture.
import type { SessionEndReason } from 'axios-auth-client'
import { drawMark, drawSpan, MARK_RADIUS, round } from './look.js'
import type { Lane, Refresh, Row, Scene } from './scene.js'

export interface DrawOptions {
  /** In pixels: the drawing does not scale, so that text stays readable on a phone. */
  width: number
  /** How far open bars reach. Default: to the last thing that happened. */
  nowMs?: number
  /** The heading of each lane, by tab. Default: none. */
  names?: Record<string, string>
  /** What the picture shows, for those who do not see it. */
  label: string
  /** A line that explains the marks, and a frame. Default: neither. */
  isAlone?: boolean
  /** CSS that travels with the picture. */
  style?: string
}

const AXIS_HEIGHT = 26
const HEADING_HEIGHT = 28
const REFRESH_HEIGHT = 36
const END_HEIGHT = 18
const LANE_GAP = 12
const LEGEND_HEIGHT = 40
const FRAME = 14
/** Below this there is room for the number of a request, and not for its name. */
const WIDE = 560
/** The column on the left. */
const LABELS = 190
const NUMBERS = 26
/** A rough measure: text is drawn by whatever font the reader has. */
const CHARACTER = 6.2

const ENDS: Record<SessionEndReason, string> = {
  refused: 'session over',
  'signed-out': 'signed out',
  'signed-out-elsewhere': 'signed out in another tab',
  replaced: 'another user',
  'replaced-elsewhere': 'another user, in another tab',
}

interface Plot {
  left: number
  right: number
  /** Where text on the right has to end. */
  edge: number
  nowMs: number
  rowHeight: number
  isWide: boolean
  xAt(atMs: number): number
}

export function drawTimeline(scene: Scene, options: DrawOptions): string {
  const { width, names = {}, isAlone = false, nowMs = scene.lastMs } = options
  const plot = layOut(scene, { width, nowMs, frame: isAlone ? FRAME : 0 })
  let y = (isAlone ? FRAME : 0) + AXIS_HEIGHT
  const lanes = scene.lanes.map((lane, index) => {
    if (index > 0) y += LANE_GAP
    const drawn = drawLane(lane, names[lane.tab], plot, y)
    y += drawn.height
    return drawn.text
  })
  const axis = drawAxis(scene, plot, isAlone ? FRAME : 0, y)
  const legend = isAlone ? drawLegend(plot.left, y + LEGEND_HEIGHT / 2 + 4) : ''
  const height = y + (isAlone ? LEGEND_HEIGHT + FRAME / 2 : 6)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="timeline" role="img" width="${width}" height="${height}"`,
    ` viewBox="0 0 ${width} ${height}" aria-label="${escapeText(options.label)}">`,
    options.style ? `<style>${options.style}</style>` : '',
    isAlone ? `<rect class="ground" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>` : '',
    ...[axis, ...lanes, legend],
    '</svg>',
  ].join('\n')
}

function layOut(
  scene: Scene,
  { width, nowMs, frame }: { width: number; nowMs: number; frame: number },
): Plot {
  const isWide = width >= WIDE
  const rows = scene.lanes.flatMap((lane) => lane.rows)
  const hasReasons = rows.some(({ outcome }) => outcome === 'failed')
  const left = frame + (isWide ? LABELS : NUMBERS)
  const edge = width - frame
  const right = edge - (hasReasons ? 108 : 52)
  const untilMs = Math.max(nowMs, scene.lastMs)
  // While it goes on, the axis grows in steps: bars move, and what has been drawn stays where it is for a while.
  const spanMs = scene.isOver ? Math.max(1, scene.lastMs - scene.startMs) : stepAbove(untilMs - scene.startMs)
  const scale = (right - left) / spanMs
  return {
    ...{ left, right, edge, nowMs: untilMs, isWide },
    rowHeight: rows.length > 24 ? 15 : rows.length > 12 ? 19 : 23,
    xAt: (atMs) => left + (atMs - scene.startMs) * scale,
  }
}

/** The next of a row of round spans, each about a third longer than the one before. */
function stepAbove(ms: number): number {
  let step = 1000
  while (step < ms * 1.05) step *= 4 / 3
  return step
}

function drawAxis({ startMs }: Scene, { left, right, xAt }: Plot, top: number, bottom: number): string {
  const steps = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000]
  const step = steps.find((ms) => xAt(startMs + ms) - left >= 58) ?? 60_000
  const ticks: string[] = []
  for (let ms = 0; xAt(startMs + ms) <= right; ms += step) {
    const x = round(xAt(startMs + ms))
    const text = step >= 200 ? `${ms / 1000} s` : `${ms} ms`
    ticks.push(
      `<path class="grid" d="M${x} ${top + 18}V${round(bottom)}"/>`,
      `<text class="dim" x="${x}" y="${top + 12}"${ms ? ' text-anchor="middle"' : ''}>${text}</text>`,
    )
  }
  return `<g class="axis">${ticks.join('')}</g>`
}

function drawLane(
  lane: Lane,
  name: string | undefined,
  plot: Plot,
  top: number,
): { text: string; height: number } {
  const heading = name ? HEADING_HEIGHT : 0
  const rowsTop = top + heading + REFRESH_HEIGHT
  const bottom = rowsTop + lane.rows.length * plot.rowHeight
  const x = plot.left - (plot.isWide ? LABELS : NUMBERS)
  const parts = [
    name ? `<text class="strong" x="${x}" y="${top + 18}">${escapeText(name)}</text>` : '',
    plot.isWide
      ? `<text class="dim" x="${plot.left - 12}" y="${top + heading + 20}" text-anchor="end">the refresh</text>`
      : '',
    ...lane.refreshes.map((refresh) => drawBand(refresh, plot, top + heading, bottom)),
    ...lane.ends.map(({ atMs, reason }) => drawEnd(reason, round(plot.xAt(atMs)), top + heading, bottom)),
    ...lane.rows.map((row, index) => drawRow(row, plot, rowsTop + (index + 0.5) * plot.rowHeight)),
  ]
  const height = bottom - top + (lane.ends.length ? END_HEIGHT : 0)
  return { text: `<g class="lane">${parts.join('\n')}</g>`, height }
}

/** The end of a session, with its reason below the rows. */
function drawEnd(reason: SessionEndReason, x: number, top: number, bottom: number): string {
  const line = `<path class="end" d="M${x} ${top}V${round(bottom)}"/>`
  return `${line}<text class="dim" x="${x}" y="${round(bottom + 13)}" text-anchor="middle">${ENDS[reason]}</text>`
}

function drawBand(refresh: Refresh, plot: Plot, top: number, bottom: number): string {
  const from = plot.xAt(refresh.fromMs)
  const to = Math.max(plot.xAt(refresh.toMs ?? plot.nowMs), from + 3)
  const isGood = refresh.outcome !== 'failed' && refresh.outcome !== 'dropped'
  const kind = isGood ? refresh.outcome : 'unsuccessful'
  const text = describeBand(refresh)
  const width = text.length * CHARACTER + 12
  // Beside it where it does not fit.
  const [x, anchor] =
    to - from >= width
      ? [(from + to) / 2, 'middle']
      : to + width <= plot.edge
        ? [to + 6, 'start']
        : [from - 6, 'end']
  const attempts = refresh.attempts.map(({ fromMs, toMs }) => {
    const end = Math.max(plot.xAt(toMs ?? plot.nowMs), plot.xAt(fromMs) + 2)
    return `<path class="attempt" d="M${round(plot.xAt(fromMs))} ${top + 24}H${round(end)}"/>`
  })
  return [
    `<g class="refresh ${kind}">`,
    `<rect class="band" x="${round(from)}" y="${top + 16}" width="${round(to - from)}" height="${round(bottom - top - 16)}"/>`,
    `<path class="band-edge" d="M${round(from)} ${top + 16}V${round(bottom)}M${round(to)} ${top + 16}V${round(bottom)}"/>`,
    `<rect class="pill" x="${round(from)}" y="${top + 4}" width="${round(to - from)}" height="24" rx="4"/>`,
    ...attempts,
    `<text class="strong" x="${round(x)}" y="${top + 17}" text-anchor="${anchor}">${text}</text>`,
    '</g>',
  ].join('')
}

function describeBand({ outcome, fromMs, toMs, attempts, reason }: Refresh): string {
  const took = toMs === undefined ? '' : formatDuration(toMs - fromMs)
  switch (outcome) {
    case 'running':
      if (attempts.length === 0) return 'waits its turn'
      return attempts.length > 1 ? `refreshing, attempt ${attempts.length}` : 'refreshing'
    case 'granted':
      return `one refresh, ${took}`
    case 'adopted':
      return 'the other tab refreshes'
    case 'dropped':
      return 'refresh dropped'
    case 'failed':
      return reason === 'SESSION_EXPIRED' ? 'refresh refused' : 'refresh failed'
  }
}

function drawRow(row: Row, plot: Plot, y: number): string {
  const { xAt, left, isWide, rowHeight } = plot
  const scale = rowHeight < 19 ? 0.8 : 1
  const radius = MARK_RADIUS * scale
  const spans = row.spans.map(({ phase, fromMs, toMs }) =>
    drawSpan(phase, xAt(fromMs), xAt(toMs ?? plot.nowMs), y),
  )
  let beyond = -Infinity
  const marks = row.marks.map(({ mark, atMs }) => {
    // Marks that would cover each other move on to the right.
    const x = Math.max(xAt(atMs), beyond)
    beyond = x + 2 * radius + 1
    return drawMark(mark, x, y, scale)
  })
  const name = isWide ? `${row.id}  ${row.name}` : String(row.id)
  const after = row.outcome === 'failed' ? describeReason(row.reason) : ''
  const took =
    row.outcome === 'answered' && row.settledAtMs !== undefined
      ? formatDuration(row.settledAtMs - row.madeAtMs)
      : row.outcome === 'aborted'
        ? 'aborted'
        : after
  return [
    `<g class="row ${row.outcome}-row">`,
    `<title>${escapeText(`${row.id} ${row.name}: ${took || 'under way'}`)}</title>`,
    `<text x="${isWide ? left - LABELS : left - 8}" y="${round(y + 4)}"${isWide ? '' : ' text-anchor="end"'}>${escapeText(name)}</text>`,
    isWide && row.note
      ? `<text class="dim" x="${left - 12}" y="${round(y + 4)}" text-anchor="end">${escapeText(row.note)}</text>`
      : '',
    ...spans,
    ...marks,
    took ? `<text class="dim" x="${round(beyond - radius + 2)}" y="${round(y + 4)}">${took}</text>` : '',
    '</g>',
  ].join('')
}

/** The codes of our errors, in words that fit behind a bar. */
export function describeReason(reason: string): string {
  const words: Record<string, string> = {
    SESSION_EXPIRED: 'session over',
    SESSION_CHANGED: 'user changed',
    SIGNED_OUT: 'signed out',
    REFRESH_FAILED: 'refresh failed',
    REFRESH_TIMEOUT: 'timed out',
    401: 'not signed in',
  }
  return escapeText(words[reason] ?? reason)
}

export function formatDuration(ms: number): string {
  return ms < 995 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

function drawLegend(x: number, y: number): string {
  let at = x
  const entry = (sample: (x: number) => string, text: string) => {
    const drawn = `${sample(at)}<text class="dim" x="${at + 26}" y="${y + 4}">${text}</text>`
    at += 26 + text.length * CHARACTER + 16
    return drawn
  }
  return [
    '<g class="legend">',
    entry((left) => drawSpan('sent', left, left + 20, y), 'sent'),
    entry((left) => drawMark('refused', left + 12, y), 'refused (401)'),
    entry((left) => drawSpan('held', left, left + 20, y), 'held'),
    entry((left) => drawMark('replayed', left + 12, y), 'replayed'),
    entry((left) => drawSpan('renewed', left, left + 20, y), 'with the new token'),
    entry((left) => drawMark('answered', left + 12, y), 'answered'),
    entry((left) => drawMark('aborted', left + 12, y), 'aborted'),
    '</g>',
  ].join('')
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
