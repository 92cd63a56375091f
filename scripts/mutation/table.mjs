// Writes docs/mutation.md.
import { isTold, lives, percentOf } from './report.mjs'

const folderOf = (file) =>
  file.split('/').length > 2 ? `${file.split('/').slice(0, 2).join('/')}/` : 'src/*.ts'

function row(name, mutants) {
  const told = mutants.filter(isTold).length
  const survived = mutants.filter(lives).length
  return `| ${name} | ${told + survived} | ${told} | ${survived} | ${percentOf(told, survived).toFixed(1)} % |`
}

/** A code span that may hold backticks, in a cell of a table. */
const code = (text) => {
  const short = text.length > 110 ? `${text.slice(0, 100)} …` : text
  const fence = short.includes('`') ? '``' : '`'
  return `${fence}${short.includes('`') ? ` ${short} ` : short}${fence}`.replaceAll('|', '\\|')
}

/** @param {import('./report.mjs').Mutant[]} mutants */
export function tellScores(mutants, survivors) {
  const folders = [...new Set(mutants.map(({ file }) => folderOf(file)))].sort()
  const files = [...new Set(survivors.map(({ file }) => file))].sort()
  return `# Mutation tests

\`\`\`sh
npm run test:mutation                       # all of src/: hours the first time, then only what has changed
npm run test:mutation -- src/session/vault.ts
\`\`\`

[Stryker](https://stryker-mutator.io) changes \`src/\` in one place at a time (a condition turned around, a call left out, a
text emptied) and runs the stories that pass there. A mutant that no story tells from the original survives. The words of
error messages are not changed: they are meant for people. Random tests do not take part, as what they find today they
may miss tomorrow.

| folder | mutants | told | survived | score |
|---|---|---|---|---|
${folders
  .map((folder) =>
    row(
      folder,
      mutants.filter(({ file }) => folderOf(file) === folder),
    ),
  )
  .join('\n')}
${row('**all**', mutants)}

## What survived, and why it is harmless

The list is [scripts/mutation/harmless.mjs](../scripts/mutation/harmless.mjs). The command fails for a survivor that is not on
it, and for an entry that a story tells by now.
${files
  .map((file) => {
    const rows = survivors
      .filter((mutant) => mutant.file === file)
      .map(({ was, becomes, why }) => `| ${code(was)} | ${code(becomes)} | ${why} |`)
    return `\n### ${file}\n\n| this | as this | why it makes no difference |\n|---|---|---|\n${[...new Set(rows)].join('\n')}\n`
  })
  .join('')}`
}
