// Owns the tables in README.md.

const MARKERS = ['<!-- versions -->', '<!-- /versions -->']
const SIGNS = { pass: '✓', fail: '✗' }

export function tablesOf({ tests, types }) {
  const nodes = Object.keys(Object.values(tests)[0].nodes)
  const axioses = Object.keys(Object.values(types)[0])
  const rows = Object.entries(tests).map(([version, { adapters, nodes: by, leftOut }]) => [
    version,
    adapters.join(', '),
    ...nodes.map((node) => SIGNS[by[node]]),
    leftOut.join(', '),
  ])
  return [
    ...table(['axios', 'adapters', ...nodes.map((node) => `Node ${node}`), 'not in that axios'], rows),
    '',
    ...table(
      ['types', ...axioses.map((version) => `axios ${version}`)],
      Object.entries(types).map(([version, by]) => [
        `TypeScript ${version}`,
        ...axioses.map((axios) => SIGNS[by[axios]]),
      ]),
    ),
  ].join('\n')
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) =>
    `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |'),
  )
}

/** The document with these tables between the markers. */
export function withTables(document, tables) {
  const [start, end] = MARKERS.map((marker) => document.indexOf(marker))
  if (start < 0 || end < start) throw new Error(`there is no ${MARKERS.join(' … ')} in the document`)
  return `${document.slice(0, start)}${MARKERS[0]}\n\n${tables}\n\n${document.slice(end)}`
}
