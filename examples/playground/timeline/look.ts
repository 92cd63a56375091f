// How the timeline looks: its colours in light and dark, and its marks as paths, so that no font decides.
import type { Mark, Span } from './scene.js'

/** For the document that holds the drawing. */
export const STYLE = `
.timeline {
  --ground: #ffffff; --edge: #d0d7de; --ink: #1f2328; --dim: #59636e; --line: #e4e8ec;
  --sent: #6e7b8a; --held: #bf8700; --good: #1a7f37; --bad: #cf222e; --band: #0969da; --paper: #ffffff;
  color: var(--ink); font: 12px/1 system-ui, -apple-system, 'Segoe UI', 'Noto Sans', sans-serif;
}
@media (prefers-color-scheme: dark) {
  .timeline {
    --ground: #0d1117; --edge: #30363d; --ink: #e6edf3; --dim: #9198a1; --line: #21262d;
    --sent: #8b98a7; --held: #d29922; --good: #3fb950; --bad: #f85149; --band: #58a6ff; --paper: #0d1117;
  }
}
.timeline text { fill: var(--ink); font-variant-numeric: tabular-nums; }
.timeline .dim { fill: var(--dim); font-size: 11px; }
.timeline .strong { font-weight: 600; }
.timeline .ground { fill: var(--ground); stroke: var(--edge); }
.timeline .grid { stroke: var(--line); }
.timeline .band { fill: var(--band); fill-opacity: .09; }
.timeline .band-edge { stroke: var(--band); stroke-opacity: .55; }
.timeline .pill { fill: var(--band); fill-opacity: .18; stroke: var(--band); }
.timeline .attempt { stroke: var(--band); stroke-width: 3; }
.timeline .adopted .pill, .timeline .adopted .band-edge { stroke-dasharray: 4 3; }
.timeline .unsuccessful .band { fill: var(--bad); }
.timeline .unsuccessful .pill { fill: var(--bad); stroke: var(--bad); }
.timeline .unsuccessful .band-edge, .timeline .unsuccessful .attempt { stroke: var(--bad); }
.timeline .end { stroke: var(--bad); stroke-dasharray: 2 3; }
.timeline .sent { stroke: var(--sent); stroke-width: 2; }
.timeline .held { stroke: var(--held); stroke-width: 8; stroke-dasharray: 2 3; }
.timeline .renewed { stroke: var(--good); stroke-width: 4; }
.timeline .mark circle { stroke-width: 1.5; }
.timeline .mark path { fill: none; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
.timeline .refused circle { fill: var(--ground); stroke: var(--bad); }
.timeline .refused path { stroke: var(--bad); }
.timeline .replayed circle { fill: var(--ground); stroke: var(--good); }
.timeline .replayed path { stroke: var(--good); }
.timeline .answered circle { fill: var(--good); stroke: var(--good); }
.timeline .aborted circle { fill: var(--ground); stroke: var(--held); }
.timeline .aborted path { stroke: var(--held); }
.timeline .failed circle { fill: var(--bad); stroke: var(--bad); }
.timeline .answered path, .timeline .failed path { stroke: var(--paper); }
`

/** Inside a circle of radius 7 around the origin. */
const MARKS: Record<Mark['mark'], string> = {
  refused: 'M-2.5-2.5L2.5 2.5M2.5-2.5L-2.5 2.5',
  replayed: 'M3 1.2A3.2 3.2 0 1 1 2.6-1.9M2.9-4V-1.7H.6',
  answered: 'M-3 .3L-.8 2.5L3.2-2.3',
  aborted: 'M-4.4 4.4L4.4-4.4',
  failed: 'M0-3.4V.8M0 3.3V3.4',
}

export const MARK_RADIUS = 7

export function drawMark(mark: Mark['mark'], x: number, y: number, scale = 1): string {
  const size = scale === 1 ? '' : ` scale(${scale})`
  return `<g class="mark ${mark}" transform="translate(${round(x)} ${round(y)})${size}"><circle r="7"/><path d="${MARKS[mark]}"/></g>`
}

export function drawSpan(phase: Span['phase'], fromX: number, toX: number, y: number): string {
  return `<path class="${phase}" d="M${round(fromX)} ${round(y)}H${round(toX)}"/>`
}

export function round(value: number): number {
  return Math.round(value * 10) / 10
}
