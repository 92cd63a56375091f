// Reads a report of Stryker (mutation-testing-elements, schema 1), and compares it with the list of harmless survivors.

/**
 * @typedef {object} Mutant
 * @property {string} key what it is, whatever else stands in its file
 * @property {string} file
 * @property {string} range as Stryker's --mutate takes it
 * @property {number} line
 * @property {string} was the source text that it replaces, on one line
 * @property {string} becomes
 * @property {string} status
 * @property {boolean} isStatic evaluated when its module loads, and only then
 *
 * @typedef {object} Score
 * @property {number} killed
 * @property {number} survived
 * @property {string} on the day
 *
 * @typedef {object} Harmless
 * @property {string} file
 * @property {string} was
 * @property {string} becomes
 * @property {string} why
 * @property {string} [in] a part of the line it stands in, where the same text means different things
 */

const onOneLine = (text) => text.replace(/\s+/g, ' ').trim()

/** @returns {Mutant[]} */
export function mutantsIn({ files }) {
  return Object.entries(files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n')
    return mutants.map(({ location: { start, end }, replacement, mutatorName, status, statusReason }) => {
      const touched = lines.slice(start.line - 1, end.line)
      // The end first: on one line, cutting the beginning would move it.
      touched[touched.length - 1] = touched.at(-1).slice(0, end.column - 1)
      touched[0] = touched[0].slice(start.column - 1)
      return {
        key: `${file}:${start.line}:${start.column}-${end.line}:${end.column} ${mutatorName} ${replacement}`,
        file,
        range: `${file}:${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`,
        line: start.line,
        text: lines[start.line - 1].trim(),
        was: onOneLine(touched.join('\n')),
        becomes: onOneLine(replacement ?? mutatorName),
        status,
        isStatic: /^Static mutant/.test(statusReason ?? ''),
      }
    })
  })
}

export const lives = ({ status }) => ['Survived', 'NoCoverage'].includes(status)
export const isKilled = ({ status }) => ['Killed', 'Timeout', 'RuntimeError'].includes(status)

/** @param {Mutant[]} mutants @param {readonly Harmless[]} harmless */
export function compare(mutants, harmless) {
  const means = (entry, mutant) =>
    entry.file === mutant.file &&
    entry.was === mutant.was &&
    entry.becomes === mutant.becomes &&
    mutant.text.includes(entry.in ?? '')
  const survivors = mutants
    .filter(lives)
    .map((mutant) => ({ ...mutant, why: harmless.find((entry) => means(entry, mutant))?.why }))
  const killed = mutants.filter(isKilled)
  const faults = survivors
    .filter(({ why }) => !why)
    .map(({ file, line, was, becomes }) => `${file}:${line} survived: \`${was}\` as \`${becomes}\``)
  const files = new Set(mutants.map(({ file }) => file))
  for (const entry of harmless) {
    if (!files.has(entry.file) || survivors.some((mutant) => means(entry, mutant))) continue
    const fate = killed.some((mutant) => means(entry, mutant)) ? 'is killed by a test' : 'is not there'
    faults.push(
      `${entry.file}: \`${entry.was}\` as \`${entry.becomes}\` is listed as a survivor, and ${fate}`,
    )
  }
  return { survivors, faults, percent: percentOf(killed.length, survivors.length) }
}

/** @param {Mutant[]} mutants @returns {Score} */
export function scoreOf(mutants, on) {
  return { killed: mutants.filter(isKilled).length, survived: mutants.filter(lives).length, on }
}

export const percentOf = (killed, survived) =>
  killed + survived === 0 ? 100 : (100 * killed) / (killed + survived)
