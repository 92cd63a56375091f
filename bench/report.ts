// Writes the numbers of a run as words and tables, as Markdown: the README prints the same text as the terminal. Pure.
import type { Range, Results, Spread } from './results.js'
import { BARE } from './sides.js'

export const digits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
export const whole = new Intl.NumberFormat('en')

export function formatNumbers({ date, machine, versions, cost, burst, held, bytes }: Results): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const sizes = Object.entries(bytes).map(([name, size]) => `${name} ${(size / 1000).toFixed(1)} kB`)
  const oneRequest = pivot(
    cost,
    ({ request }) => request,
    ({ side, us, ratio }) => (side === BARE ? `${digits.format(us.median)} µs` : formatRatio(ratio)),
  )
  const outcome = pivot(burst, nameOf, ({ answered, refreshes, onTheWire }) =>
    [answered, refreshes, onTheWire].map(formatRange).join(' / '),
  )
  const burstTime = pivot(burst, nameOf, ({ side, count, answered, ms, ratio }) => {
    if (answered.least < count) return '–'
    return side === BARE ? `${digits.format(ms.median)} ms` : formatRatio(ratio)
  })
  const settleTime = pivot(held, nameOf, ({ settleMs }) => `${digits.format(settleMs.median)} ms`)
  const heap = pivot(held, nameOf, ({ side, bytes: { median } }) =>
    side === BARE ? '' : `${digits.format(median)} B`,
  )

  return `
Measured on ${date} (${machine}) with ${packages.join(', ')}. Each side runs in
processes of its own, in rounds of random order. Medians; in brackets the quartiles of the rounds.

**One request when nothing is wrong**: its time; bare axios is 1.

${table(oneRequest)}

**Many at once with a rejected token**, over HTTP, to a server that rotates refresh tokens and ends the session when one comes
twice: answered / refreshes / calls on the wire. Only the 401 shows that the token is no longer accepted; in the column
"expired", the token's \`exp\` shows it too. "By hand" is bare axios that sends all, refreshes once and sends all again. "Dedupe
off" is \`deduplicateRefresh: false\`, which is not what the README of axios-auth-refresh recommends.

${table(byHand(outcome))}

Their time, where all were answered; by hand is 1.

${table(byHand(burstTime))}

**Many waiting for one refresh**: the time from its answer until the last caller has theirs.

${table(settleTime)}

Heap for each of them, beyond that of a request that waits in bare axios:

${table(heap)}

**Size of the import**, minified and gzipped, without axios: ${sizes.join(' · ')}.
`.trim()
}

function nameOf({ count, expired = false }: { count: number; expired?: boolean }): string {
  return `${whole.format(count)}${expired ? ', expired' : ''}`
}

/** A row for each side and a column for each name, both in the order in which they come. */
function pivot<T extends { side: string }>(
  all: T[],
  nameOf: (one: T) => string,
  format: (one: T) => string,
): string[][] {
  const names = [...new Set(all.map(nameOf))]
  const sides = [...new Set(all.map(({ side }) => side))]
  return [
    ['', ...names],
    ...sides.map((side) => {
      const own = new Map(all.filter((one) => one.side === side).map((one) => [nameOf(one), format(one)]))
      return [side, ...names.map((name) => own.get(name) ?? '')]
    }),
  ]
}

function byHand(rows: string[][]): string[][] {
  return rows.map(([side = '', ...cells]) => [side === BARE ? 'by hand' : side, ...cells])
}

function table([head = [], ...rows]: string[][]): string {
  const lines = [head, head.map((_, column) => (column ? '---:' : '---')), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function formatRatio({ median, low, high }: Spread): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
}

function formatRange({ least, most }: Range): string {
  return least === most ? whole.format(least) : `${whole.format(least)}–${whole.format(most)}`
}
