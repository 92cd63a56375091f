// What stands around the drawing and explains it: the legend, and the counters of every tab.
import type { AuthStats } from 'axios-auth-client'
import { drawMark, drawSpan } from './timeline/look.js'

const LEGEND: [sample: string, name: string, meaning: string][] = [
  [drawSpan('sent', 1, 27, 9), 'Sent', 'on its way, with the token that the page has'],
  [drawMark('refused', 14, 9), 'Refused', 'the server says 401: this token is no longer good'],
  [drawSpan('held', 1, 27, 9), 'Held', 'waits for the new token, costs nothing meanwhile'],
  [drawMark('replayed', 14, 9), 'Replayed', 'the same request again, to the byte'],
  [drawSpan('renewed', 1, 27, 9), 'With the new token', 'on its way again'],
  [drawMark('answered', 14, 9), 'Answered', 'whoever made the request has the answer'],
  [drawMark('aborted', 14, 9), 'Aborted', 'given up by whoever made it'],
  [drawMark('failed', 14, 9), 'Failed', 'whoever made it got an error that says why'],
]

const COUNTERS: [name: keyof AuthStats, label: string, meaning: string][] = [
  ['refreshes', 'refreshes', 'this tab asked the server for a new token'],
  ['adopted', 'adopted', 'new tokens taken over from another tab instead'],
  ['refused', 'refused', 'answers with 401'],
  ['replays', 'replays', 'requests sent again'],
  ['heldNow', 'held now', 'requests that wait at this moment'],
  ['heldPeak', 'held peak', 'the most that ever waited at once'],
]

export function drawLegend(): void {
  const list = document.getElementById('legend') as HTMLElement
  list.innerHTML = LEGEND.map(
    ([sample, name, meaning]) =>
      `<li><svg class="timeline" width="28" height="18" aria-hidden="true">${sample}</svg><span><b>${name}</b>: ${meaning}</span></li>`,
  ).join('')
}

/** A column for each tab. */
export function drawCounters(names: string[], stats: AuthStats[]): void {
  const head = document.getElementById('counters-head') as HTMLElement
  const body = document.getElementById('counters') as HTMLElement
  head.innerHTML = `<tr><th scope="col">Counter</th>${names
    .map((name) => `<th scope="col">${name}</th>`)
    .join('')}<th scope="col">What it counts</th></tr>`
  body.innerHTML = COUNTERS.map(
    ([key, label, meaning]) =>
      `<tr><th scope="row">${label}</th>${stats
        .map((counted) => `<td>${counted[key]}</td>`)
        .join('')}<td>${meaning}</td></tr>`,
  ).join('')
}
