// Draws a run as an SVG that is readable on light and on dark pages: docs/bench.svg. Pure: the same results give the same
// picture, so that the check of the README notices one that is out of date.
import { digits, whole } from './report.js'
import type { Results } from './results.js'
import { BARE, OURS } from './sides.js'

const WIDTH = 420
const GAP = 40
const ROW = 34
const TOP = 62
/** For the text behind the longest bar. */
const TEXT = 170

const STYLE = `
  svg { font: 12px system-ui, sans-serif; --text: #1f2328; --muted: #59636e; --other: #9aa4ae; --ours: #0969da }
  @media (prefers-color-scheme: dark) {
    svg { --text: #e6edf3; --muted: #9198a1; --other: #6e7681; --ours: #4493f8 }
  }
  text { fill: var(--text) }
  .title { font-size: 14px; font-weight: 600 }
  .muted { fill: var(--muted) }
  rect { fill: var(--other) }
  text.ours { font-weight: 600 }
  rect.ours { fill: var(--ours) }
  path { stroke: var(--text); stroke-width: 1.5 }
`

interface Bar {
  side: string
  value: number
  /** Its quartiles. */
  spread?: { low: number; high: number }
  text: string
}

export function drawPlot({ cost, burst, held, date, machine }: Results): string {
  const request = cost[0]?.request ?? ''
  const costs = cost
    .filter((one) => one.request === request)
    .map(({ side, us, ratio }) => ({
      side,
      value: ratio.median,
      spread: ratio,
      text: side === BARE ? `${digits.format(us.median)} µs` : `× ${ratio.median.toFixed(2)}`,
    }))
  const answers = burst
    .filter(({ side, count, expired }) => side !== BARE && count === 1000 && !expired)
    .map(({ side, answered, refreshes: { most } }) => ({
      side,
      value: answered.least,
      text: `${whole.format(answered.least)} answered, ${most} refresh${most === 1 ? '' : 'es'}`,
    }))
  const [most = 0, fewer = 0] = [...new Set(held.map(({ count }) => count))].sort((a, b) => b - a)
  const largest = held.filter(({ count }) => count === most)
  const settles = largest.map(({ side, settleMs: { median, low, high } }) => {
    const before = held.find((one) => one.side === side && one.count === fewer)
    const growth = before ? `, × ${(median / before.settleMs.median).toFixed(1)}` : ''
    return { side, value: median, spread: { low, high }, text: `${digits.format(median)} ms${growth}` }
  })
  const heaps = largest
    .filter(({ side }) => side !== BARE)
    .map(({ side, bytes }) => ({
      side,
      value: bytes.median,
      spread: bytes,
      text: `${digits.format(bytes.median)} B`,
    }))

  const right = WIDTH + GAP
  const lower = TOP + costs.length * ROW + GAP
  const bottom = lower + TOP + settles.length * ROW + 16
  const growth = fewer ? `; × that of ${whole.format(fewer)}` : ''
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${right + WIDTH} ${bottom + 8}">
<title>axios-auth-client beside others</title>
<style>${STYLE}</style>
${panel(0, 0, 'One request, nothing wrong', `time, ${request}; bare axios is 1`, costs)}
${panel(right, 0, '1,000 at once with a rejected token', 'callers that are answered; only the 401 shows the rejection', answers)}
${panel(0, lower, `${whole.format(most)} waiting for one refresh`, `time until the last one is answered${growth}`, settles)}
${panel(right, lower, `${whole.format(most)} waiting for one refresh`, 'heap for each, beyond that of bare axios', heaps)}
<text class="muted" y="${bottom}">${date}, ${machine}</text>
</svg>
`
}

function panel(x: number, y: number, title: string, subtitle: string, bars: Bar[]): string {
  const scale = (WIDTH - TEXT) / Math.max(...bars.map(({ value, spread }) => spread?.high ?? value))
  return `<g transform="translate(${x} ${y})">
<text class="title" y="18">${title}</text>
<text class="muted" y="38">${subtitle}</text>
${bars.map((bar, row) => drawBar(bar, TOP + row * ROW, scale)).join('\n')}
</g>`
}

/** The name of the side, and under it the bar, with the quartiles as a line across its end. */
function drawBar({ side, value, spread, text }: Bar, y: number, scale: number): string {
  const lengthOf = (of: number) => Math.max(1, Math.round(of * scale))
  const isOurs = side === OURS ? ' class="ours"' : ''
  const whisker = spread ? `<path d="M${lengthOf(spread.low)} ${y + 10}H${lengthOf(spread.high)}"/>` : ''
  return `<text${isOurs} y="${y}">${side}</text>
<rect${isOurs} y="${y + 6}" width="${lengthOf(value)}" height="8"/>${whisker}
<text class="muted" x="${lengthOf(spread?.high ?? value) + 8}" y="${y + 14}">${text}</text>`
}
