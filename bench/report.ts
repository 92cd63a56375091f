// Tells the numbers of a run in words and tables, as Markdown: the README prints the same text as the terminal. Pure.
import type { Range, Results, Spread } from './results.js'
import { BARE } from './sides.js'

const digits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const whole = new Intl.NumberFormat('en')

export function tellNumbers({ date, machine, versions, cost, burst, held, bytes }: Results): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const perRequest = pivot(
    cost,
    ({ request }) => request,
    ({ side, us, ratio }) => (side === BARE ? `${digits.format(us.median)} µs` : tellRatio(ratio)),
  )
  const byBurst = ({ count, expired }: { count: number; expired: boolean }) =>
    `${whole.format(count)}${expired ? ', expired' : ''}`
  const outcome = pivot(burst, byBurst, ({ answered, refreshes, onTheWire }) =>
    [answered, refreshes, onTheWire].map(tellRange).join(' / '),
  )
  const burstTime = pivot(burst, byBurst, ({ side, count, answered, ms, ratio }) => {
    if (answered.least < count) return '–'
    return side === BARE ? `${digits.format(ms.median)} ms` : tellRatio(ratio)
  })
  const byCount = ({ count }: { count: number }) => whole.format(count)
  const settleTime = pivot(held, byCount, ({ settleMs }) => `${digits.format(settleMs.median)} ms`)
  const heap = pivot(
    held.filter(({ side }) => side !== BARE),
    byCount,
    ({ bytes: { median } }) => `${digits.format(median)} B`,
  )
  const sizes = Object.entries(bytes).map(([name, size]) => [name, `${(size / 1000).toFixed(1)} kB`])

  return `
Measured on ${date} (${machine}), each side in processes of its own, in rounds of random order. Medians; in brackets the
quartiles of the rounds. ${packages.join(', ')}.

**One request when nothing is wrong**: its time; bare axios is 1.

${table(perRequest)}

**Many at once with a dead token**, over HTTP, to a server that rotates refresh tokens and ends the session when one comes
twice: answered / refreshes / calls on the wire. That the token is dead, only the 401 tells; in the last column its \`exp\`
does, too. By hand is bare axios that sends all, refreshes once and sends all again.

${table(renameBare(outcome, 'by hand'))}

Their time, where everybody was answered; by hand is 1.

${table(renameBare(burstTime, 'by hand'))}

**Many held by one refresh**: the time from its answer until the last caller has theirs.

${table(settleTime)}

Heap per held request, beyond one that waits in bare axios:

${table(heap)}

**What an import weighs**, minified and gzipped, without axios:

${table([['', 'size'], ...sizes])}
`.trim()
}

/** A row for each side and a column for each name, both in the order in which they come. */
function pivot<T extends { side: string }>(
  all: T[],
  nameOf: (one: T) => string,
  tell: (one: T) => string,
): string[][] {
  const names = [...new Set(all.map(nameOf))]
  const sides = [...new Set(all.map(({ side }) => side))]
  return [
    ['', ...names],
    ...sides.map((side) => {
      const own = new Map(all.filter((one) => one.side === side).map((one) => [nameOf(one), tell(one)]))
      return [side, ...names.map((name) => own.get(name) ?? '')]
    }),
  ]
}

function renameBare(rows: string[][], name: string): string[][] {
  return rows.map(([side = '', ...cells]) => [side === BARE ? name : side, ...cells])
}

function table([head = [], ...rows]: string[][]): string {
  const lines = [head, head.map((_, column) => (column ? '---:' : '---')), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function tellRatio({ median, low, high }: Spread): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
}

function tellRange({ least, most }: Range): string {
  return least === most ? whole.format(least) : `${whole.format(least)}–${whole.format(most)}`
}
