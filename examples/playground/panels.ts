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

export function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T
}

/** Touches nothing that is as it should be: a live region would be read out again. */
export function write(id: string, text: string): void {
  const target = element(id)
  if (target.textContent !== text) target.textContent = text
}

export function writeList(id: string, texts: string[]): void {
  const list = element(id)
  if (texts.join() === [...list.children].map(({ textContent }) => textContent).join()) return
  list.replaceChildren(
    ...texts.map((textContent) => Object.assign(document.createElement('li'), { textContent })),
  )
}

export function drawLegend(): void {
  element('legend').innerHTML = LEGEND.map(
    ([sample, name, meaning]) =>
      `<li><svg class="timeline" width="28" height="18" aria-hidden="true">${sample}</svg><span><b>${name}</b>: ${meaning}</span></li>`,
  ).join('')
}

/** A column for each tab. */
export function drawCounters(tabs: [name: string, stats: AuthStats][]): void {
  const cells = (tag: 'td' | 'th scope="col"', texts: (string | number)[]) =>
    texts.map((text) => `<${tag}>${text}</${tag.slice(0, 2)}>`).join('')
  const heads = cells('th scope="col"', ['Counter', ...tabs.map(([name]) => name), 'What it counts'])
  element('counters-head').innerHTML = `<tr>${heads}</tr>`
  element('counters').innerHTML = COUNTERS.map(([key, label, meaning]) => {
    const counted = cells('td', [...tabs.map(([, stats]) => stats[key]), meaning])
    return `<tr><th scope="row">${label}</th>${counted}</tr>`
  }).join('')
}
