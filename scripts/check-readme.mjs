// The failure this exists to catch: a README whose code does not run as printed, or that promises a size the package
// no longer has.
//
// In README.md and docs/*.md
//   - each `<!-- examples/xyz.ts -->` stands above a fenced block whose text is that file, and each
//     `<!-- examples/xyz.ts#part -->` above one whose text is what stands there between `// #region part` and
//     `// #endregion`, moved to the left margin;
//   - every ts and tsx block has such a comment above it, so that nothing is printed that was not compiled and run;
//   - each `<!-- size:core -->5.1 kB<!-- /size -->` is within 0.1 kB of what size-limit measures on dist/ (gzip differs
//     by some bytes between versions of Node). "core" is the first word of the entry's name in .size-limit.json;
//   - each linked file of test/ exists, and each quoted title after its link is a whole title there:
//     `[stores](../test/stores.test.ts) "G15: keeps …", "G15: leaves …"`;
//   - between `<!-- numbers -->` and `<!-- /numbers -->` stands what bench/results.json says, and docs/bench.svg is drawn
//     from it.
//
// Usage: tsx scripts/check-readme.mjs [--write] [--no-sizes] [--self-test]
//   --write     puts the files' text, the measured sizes and the numbers into the documents
//   --no-sizes  leaves the sizes alone; without it, a document that states one needs `npm run build` first
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { drawPlot } from '../bench/plot.ts'
import { formatNumbers } from '../bench/report.ts'

const SOURCE_COMMENT = /^\s*<!--\s*(examples\/[\w./-]+?)(?:#([\w-]+))?\s*-->\s*$/
const FENCE = /^\s*(`{3,}|~{3,})\s*([\w-]*)/
const SIZE = /<!--\s*size:([\w-]+)\s*-->(.*?)<!--\s*\/size\s*-->/g
const REGION_LINE = /^\s*\/\/\s*#(?:end)?region\b/
const NUMBERS = /<!-- numbers -->([\s\S]*?)<!-- \/numbers -->/g
const TEST_LINK = /\]\((?:\.\.\/)?(test\/[\w./-]+)\)((?:,? "[^"]+")*)/g
const TOLERANCE_BYTES = 100

/**
 * @param {string} text the document
 * @param {(file: string) => string | undefined} readFile the text of an example or a test, '' for a folder
 * @param {((name: string) => number | undefined) | undefined} sizeOf bytes; undefined: sizes are not looked at
 * @param {string} numbers what the benchmark's last results say
 * @returns {{ faults: string[], fixed: string, snippets: number }} line numbers in the faults; the corrected document
 */
export function checkDocument(text, readFile, sizeOf, numbers) {
  const faults = []
  const lines = text.split('\n')
  const fixed = []
  let source
  let snippets = 0
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]
    const comment = SOURCE_COMMENT.exec(line)
    const fence = FENCE.exec(line)
    if (!fence) {
      if (source && line.trim() !== '') {
        faults.push(`${source.at + 1}: no code block follows <!-- ${source.label} -->`)
        source = undefined
      }
      if (comment) {
        const [, file, region] = comment
        source = { at, file, region, label: region ? `${file}#${region}` : file }
      }
      fixed.push(line)
      continue
    }
    const close = lines.findIndex(
      (later, index) =>
        index > at && later.trim().startsWith(fence[1]) && later.trim().replace(/[`~]/g, '') === '',
    )
    if (close < 0) {
      faults.push(`${at + 1}: the code block never ends`)
      fixed.push(...lines.slice(at))
      break
    }
    const printed = lines.slice(at + 1, close)
    fixed.push(line)
    if (!source) {
      if (/^tsx?$|^typescript$/.test(fence[2])) {
        faults.push(`${at + 1}: a ${fence[2]} block without <!-- examples/... --> above it`)
      }
      fixed.push(...printed)
    } else {
      snippets++
      const wanted = snippetOf(readFile(source.file), source.region)
      if ('flaw' in wanted) {
        faults.push(`${source.at + 1}: ${source.label}: ${wanted.flaw}`)
        fixed.push(...printed)
      } else {
        if (printed.join('\n') !== wanted.lines.join('\n')) {
          const differs = wanted.lines.findIndex((wantedLine, index) => wantedLine !== printed[index])
          const where = at + 2 + (differs < 0 ? wanted.lines.length : differs)
          faults.push(`${where}: differs from ${source.label}: run npm run readme:write`)
        }
        fixed.push(...wanted.lines)
      }
      source = undefined
    }
    fixed.push(lines[close])
    at = close
  }
  if (source) faults.push(`${source.at + 1}: no code block follows <!-- ${source.label} -->`)

  for (const [index, line] of lines.entries()) {
    for (const [, file, titles] of line.matchAll(TEST_LINK)) {
      const source = readFile(file)
      if (source === undefined) faults.push(`${index + 1}: there is no ${file}`)
      for (const [, title] of titles.matchAll(/"([^"]+)"/g)) {
        if (!['"', "'", '`'].some((quote) => source?.includes(quote + title + quote)))
          faults.push(`${index + 1}: ${file} has no test "${title}"`)
      }
    }
  }

  const result = fixed.map((line, index) =>
    line.replace(SIZE, (whole, name, claim) => {
      if (!sizeOf) return whole
      const bytes = sizeOf(name)
      const claimed = /^\s*(\d+(?:\.\d+)?) kB\s*$/.exec(claim)?.[1]
      if (bytes === undefined) {
        faults.push(`${index + 1}: size:${name} is no entry of .size-limit.json`)
        return whole
      }
      const measured = `${(bytes / 1000).toFixed(1)} kB`
      if (claimed !== undefined && Math.abs(Number(claimed) * 1000 - bytes) <= TOLERANCE_BYTES) return whole
      faults.push(`${index + 1}: size:${name} says "${claim.trim()}", measured ${measured}`)
      return `<!-- size:${name} -->${measured}<!-- /size -->`
    }),
  )
  const withNumbers = result.join('\n').replace(NUMBERS, (whole, printed, offset, before) => {
    if (printed === `\n\n${numbers}\n\n`) return whole
    const line = before.slice(0, offset).split('\n').length
    faults.push(`${line}: the numbers are not those of bench/results.json: run npm run readme:write`)
    return `<!-- numbers -->\n\n${numbers}\n\n<!-- /numbers -->`
  })
  if (/<!-- \/?numbers -->/.test(text.replace(NUMBERS, '')))
    faults.push('1: a half of the numbers is missing')
  return { faults, fixed: withNumbers, snippets }
}

function snippetOf(text, region) {
  if (text === undefined) return { flaw: 'there is no such file' }
  let lines = text.replace(/\s+$/, '').split('\n')
  if (region) {
    const start = lines.findIndex((line) => new RegExp(`^\\s*//\\s*#region ${region}\\s*$`).test(line))
    if (start < 0) return { flaw: 'there is no such region' }
    const end = lines.findIndex((line, index) => index > start && /^\s*\/\/\s*#endregion\b/.test(line))
    if (end < 0) return { flaw: 'the region never ends' }
    lines = lines.slice(start + 1, end)
  }
  lines = lines.filter((line) => !REGION_LINE.test(line))
  while (lines[0]?.trim() === '') lines.shift()
  while (lines.at(-1)?.trim() === '') lines.pop()
  const margin = Math.min(...lines.filter((line) => line.trim()).map((line) => line.search(/\S/)))
  return { lines: lines.map((line) => (line.trim() ? line.slice(margin) : '')) }
}

function selfTest() {
  const examples = {
    'examples/a.ts':
      "import x from 'x'\n\n  // #region use\n  use(x)\n\n  if (x) {\n    x()\n  }\n  // #endregion\n",
    'examples/open.ts': '// #region use\nuse()\n',
    'test/a.test.ts': "it('G1: one')\nit.each(rows)(`G2: %s of it`)\nit(\"G3: it's three\")\n",
    'test/folder': '',
  }
  const check = (text) =>
    checkDocument(
      text,
      (file) => examples[file],
      (name) => ({ core: 5120 })[name],
      'It takes 12 ms.',
    )
  const region = 'use(x)\n\nif (x) {\n  x()\n}'
  const good = `# T\n\n<!-- examples/a.ts#use -->\n\n\`\`\`ts\n${region}\n\`\`\`\n\n\`\`\`sh\nnpm i\n\`\`\`\n<!-- size:core -->5.1 kB<!-- /size -->\n\n<!-- numbers -->\n\nIt takes 12 ms.\n\n<!-- /numbers -->\n\nSee [a](../test/a.test.ts) "G1: one", "G3: it's three"; [b](test/folder).\n`
  const broken = [
    ['differs from examples/a.ts#use', good.replace('use(x)\n', 'use(y)\n')],
    ['differs from examples/a.ts#use', good.replace('\n}\n```', '\n}\nmore()\n```')],
    ['differs from examples/a.ts:', good.replace('a.ts#use', 'a.ts')],
    ['no such file', good.replace('a.ts#use', 'b.ts')],
    ['no such region', good.replace('#use', '#other')],
    ['the region never ends', good.replace('a.ts#use', 'open.ts#use')],
    ['a ts block without', good.replace('<!-- examples/a.ts#use -->', '')],
    ['a tsx block without', good.replace('```sh', '```tsx')],
    ['no code block follows', good.replace('```ts', 'Text.\n\n```ts')],
    ['no code block follows', '<!-- examples/a.ts -->'],
    ['never ends', '```sh\nnpm i\n'],
    ['measured 5.1 kB', good.replace('5.1 kB', '4.9 kB')],
    ['measured 5.1 kB', good.replace('5.1 kB', 'small')],
    ['are not those of bench/results.json', good.replace('12 ms', '11 ms')],
    ['are not those of bench/results.json', good.replace('12 ms.', '12 ms. Or less.')],
    ['there is no test/b.test.ts', good.replace('a.test', 'b.test')],
    ['has no test "G1: one"', good.replace('a.test', 'b.test')],
    ['has no test "G1: on"', good.replace('G1: one', 'G1: on')],
    ['has no test "G3: its three"', good.replace("it's", 'its')],
    ['there is no test/other', good.replace('test/folder', 'test/other')],
    ['is no entry', good.replace('size:core', 'size:other')],
    ['a half of the numbers', good.replace('<!-- /numbers -->', '')],
    ['a half of the numbers', good.replace('<!-- numbers -->', '')],
  ]
  const failures = check(good).faults.map((fault) => `refused, though nothing is wrong: ${fault}`)
  for (const [expected, text] of broken) {
    if (!check(text).faults.some((fault) => fault.includes(expected)))
      failures.push(`not caught: ${expected}`)
  }
  const mended = [0, 1, 11, 12, 13, 14]
  for (const index of mended) {
    if (check(broken[index][1]).fixed !== good) failures.push(`--write does not mend: ${broken[index][0]}`)
  }
  return { failures, cases: 1 + broken.length + mended.length }
}

function main() {
  const known = ['--write', '--no-sizes', '--self-test']
  const unknown = process.argv.slice(2).find((flag) => !known.includes(flag))
  if (unknown) {
    console.error(`check-readme: unknown argument ${unknown}; there are ${known.join(', ')}`)
    return false
  }
  if (process.argv.includes('--self-test')) {
    const { failures, cases } = selfTest()
    for (const failure of failures) console.error(`check-readme: ${failure}`)
    console.log(`check-readme: self-test, ${cases - failures.length} of ${cases} cases as expected`)
    return failures.length === 0
  }
  const root = fileURLToPath(new URL('..', import.meta.url))
  if (!existsSync(path.join(root, 'README.md'))) {
    console.error('check-readme: there is no README.md')
    return false
  }
  const docs = existsSync(path.join(root, 'docs')) ? readdirSync(path.join(root, 'docs')) : []
  const documents = [
    'README.md',
    ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
  ]
  const texts = new Map(documents.map((name) => [name, readFileSync(path.join(root, name), 'utf8')]))
  const claimsSize = [...texts.values()].some((text) => text.search(SIZE) >= 0)
  const sizes = claimsSize && !process.argv.includes('--no-sizes') ? measureSizes(root) : undefined
  if (sizes === null) return false

  const results = JSON.parse(readFileSync(path.join(root, 'bench/results.json'), 'utf8'))
  const numbers = formatNumbers(results)
  const check = (text) =>
    checkDocument(
      text,
      (file) => {
        const full = path.join(root, file)
        if (!existsSync(full)) return undefined
        return statSync(full).isDirectory() ? '' : readFileSync(full, 'utf8')
      },
      sizes && ((size) => sizes.get(size)),
      numbers,
    )

  let faultCount = 0
  let snippetCount = 0
  for (const [name, text] of texts) {
    let { faults, fixed, snippets } = check(text)
    snippetCount += snippets
    if (process.argv.includes('--write') && fixed !== text) {
      writeFileSync(path.join(root, name), fixed)
      console.log(`check-readme: rewrote ${name}`)
      faults = check(fixed).faults
    }
    for (const fault of faults) console.error(`${name}:${fault}`)
    faultCount += faults.length
  }
  const plot = path.join(root, 'docs/bench.svg')
  if (process.argv.includes('--write')) writeFileSync(plot, drawPlot(results))
  if (!existsSync(plot) || readFileSync(plot, 'utf8') !== drawPlot(results)) {
    console.error('docs/bench.svg: not drawn from bench/results.json: run npm run readme:write')
    faultCount++
  }
  console.log(`check-readme: ${documents.length} documents, ${snippetCount} snippets, ${faultCount} faults`)
  return faultCount === 0
}

/** Bytes by the first word of the entry's name; null when they cannot be measured. */
function measureSizes(root) {
  if (!existsSync(path.join(root, 'dist/index.js'))) {
    console.error(
      'check-readme: sizes are stated, but there is no dist/: run npm run build, or pass --no-sizes',
    )
    return null
  }
  let output
  try {
    output = execFileSync(process.execPath, [path.join(root, 'node_modules/size-limit/bin.js'), '--json'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } catch (error) {
    // Over the limit it exits with 1 and still answers; that fault is `npm run size`'s to report.
    output = error.stdout
    if (!output?.trim().startsWith('[')) {
      console.error(`check-readme: size-limit failed: ${error.stderr || error.message}`)
      return null
    }
  }
  return new Map(JSON.parse(output).map(({ name, size }) => [/^[\w-]+/.exec(name)?.[0], size]))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main() ? 0 : 1
