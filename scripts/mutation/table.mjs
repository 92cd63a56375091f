// Writes docs/mutation.md: the scores of the files that were measured, and the list of harmless survivors.
import { percentOf } from './report.mjs'

/** A code span that may hold backticks, in a cell of a table. */
const code = (text) => {
  const short = text.length > 110 ? `${text.slice(0, 100)} …` : text
  const fence = short.includes('`') ? '``' : '`'
  return `${fence}${short.includes('`') ? ` ${short} ` : short}${fence}`.replaceAll('|', '\\|')
}

const row = (name, { killed, survived }, on) =>
  `| ${name} | ${killed + survived} | ${killed} | ${survived} | ${percentOf(killed, survived).toFixed(1)} % | ${on} |`

/**
 * @param {Record<string, import('./report.mjs').Score>} scores of the files that were measured
 * @param {readonly string[]} missing the others
 * @param {readonly import('./report.mjs').Harmless[]} harmless
 */
export function scoresDocument(scores, missing, harmless) {
  const files = Object.keys(scores)
    .filter((file) => scores[file].killed + scores[file].survived > 0)
    .sort()
  const sum = (part) => files.reduce((total, file) => total + scores[file][part], 0)
  const listed = files.filter((file) => harmless.some((entry) => entry.file === file))
  return `# Mutation tests

\`\`\`sh
npm run test:mutation                       # all of src/: hours the first time, then only what has changed
npm run test:mutation -- src/session/guarded-store.ts
\`\`\`

[Stryker](https://stryker-mutator.io) changes \`src/\` in one place at a time (a condition turned around, a call left out, a
text emptied) and runs the tests about it ([which ones](../scripts/mutation/tests.mjs)). A surviving mutant is either untested
behaviour or an equivalent mutant. The texts of error messages are not mutated. Random tests do not take part: a mutant that they
kill in one run may survive the next. Each score is that of the file as it was on that day.

| file | mutants | killed | survived | score | measured on |
|---|---|---|---|---|---|
${files.map((file) => row(file, scores[file], scores[file].on)).join('\n')}
${row('**together**', { killed: sum('killed'), survived: sum('survived') }, '')}
${missing.length === 0 ? '' : `\nNot measured yet, or with a survivor that is not explained: ${missing.map(code).join(', ')}.\n`}
## What survived, and why it is harmless

The list is [scripts/mutation/harmless.mjs](../scripts/mutation/harmless.mjs). The command fails for a survivor that is not on
it, and for an entry that a test kills by now.
${listed
  .map((file) => {
    const rows = harmless
      .filter((entry) => entry.file === file)
      .map(({ was, becomes, why }) => `| ${code(was)} | ${code(becomes)} | ${why} |`)
    return `\n### ${file}\n\n| this | as this | why it makes no difference |\n|---|---|---|\n${[...new Set(rows)].join('\n')}\n`
  })
  .join('')}`
}
