// The failure this exists to catch: somebody puts the current token into a variable at module scope, or lets a tool
// reach up into the session, and two users of one server are served each other's data (guarantee G21).
//
// It reads src/ and refuses
//   - an import that goes against the order of layers below, of types too: a file explains itself by what lies under it;
//   - a cycle, between files or between the folders of one layer;
//   - `axios` imported as a value outside src/transport/ (`import type` is fine anywhere);
//   - an import by an entry of anything but types from index.ts: what an app cannot reach, its entries cannot either;
//   - `export *` in index.ts: what is public is listed by name;
//   - state at module scope: `let` or `var`; `new Map`, `Set`, `WeakMap`, `WeakSet` or `Array`; an array or object
//     literal without `as const` or `Object.freeze`; a /g or /y regular expression (it has a lastIndex); a static
//     class field that is not `readonly`.
// What it cannot see: state behind a call (`const shared = createThing()`). Reviews and the tests of G21 look there.
//
// Usage: node scripts/check-layers.mjs [--self-test]
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

// From the ground up. Each name is a file or a folder of src/; a layer may import from its own and from those below.
const LAYERS = [
  {
    name: 'words',
    holds: [
      'tokens.ts',
      'errors.ts',
      'checks.ts',
      'events.ts',
      'redact.ts',
      'clock.ts',
      'encode.ts',
      'listen.ts',
    ],
  },
  {
    name: 'tools',
    holds: ['wait.ts', 'headers.ts', 'lifetime.ts', 'stores/', 'placements/', 'strategies/'],
  },
  { name: 'session', holds: ['session/'] },
  { name: 'transport', holds: ['transport/'] },
  { name: 'client', holds: ['client.ts', 'options.ts'] },
  { name: 'index', holds: ['index.ts'] },
  // Published beside the front door, each as an entry of its own; they know index.ts, and no more than its types.
  { name: 'entries', holds: ['testing/', 'bindings/'], opensOnly: 'index.ts' },
]
const MUTABLE_CLASSES = new Set(['Map', 'Set', 'WeakMap', 'WeakSet', 'Array'])

/** @param {Map<string, string>} files path within src/ -> text. Returns one line per fault. */
export function findFaults(files) {
  const faults = []
  const fileEdges = new Map()
  const unitEdges = new Map()
  for (const [file, text] of files) {
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
    const report = (node, message) => {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source))
      faults.push(`src/${file}:${line + 1}: ${message}`)
    }
    const layer = layerOf(file)
    if (layer < 0) {
      report(source, 'is in no layer: give it a place in scripts/check-layers.mjs')
      continue
    }
    fileEdges.set(file, [])
    for (const { node, specifier, typeOnly } of importsOf(source)) {
      if (/^axios(\/|$)/.test(specifier) && !typeOnly && !file.startsWith('transport/')) {
        report(node, 'imports axios as a value: only src/transport/ may (use `import type`)')
      }
      if (!specifier.startsWith('.')) continue
      const target = resolve(file, specifier, files)
      if (!target) {
        report(node, `cannot find ${specifier}`)
        continue
      }
      const targetLayer = layerOf(target)
      if (targetLayer > layer) {
        report(
          node,
          `${LAYERS[layer].name} may not import ${target}, which is ${LAYERS[targetLayer].name}: against the order`,
        )
      }
      const { opensOnly } = LAYERS[layer]
      if (opensOnly && unitOf(target) !== unitOf(file) && !(target === opensOnly && typeOnly)) {
        report(
          node,
          `${unitOf(file)} may import types of ${opensOnly} and nothing else of src/, not ${target}`,
        )
      }
      fileEdges.get(file).push(target)
      if (unitOf(file) !== unitOf(target)) {
        unitEdges.set(unitOf(file), [...(unitEdges.get(unitOf(file)) ?? []), unitOf(target)])
      }
    }
    if (file === 'index.ts') {
      for (const statement of source.statements) {
        if (ts.isExportDeclaration(statement) && !statement.exportClause)
          report(statement, '`export *`: list the names')
      }
    }
    for (const { node, message } of moduleState(source)) report(node, message)
  }
  const cycles = [...findCycles(fileEdges), ...findCycles(unitEdges)]
  return [...faults, ...cycles.map((cycle) => `cycle: ${cycle.join(' -> ')}`)]
}

function layerOf(file) {
  return LAYERS.findIndex(({ holds }) =>
    holds.some((name) => (name.endsWith('/') ? file.startsWith(name) : file === name)),
  )
}

/** A folder counts as one: stores/ and tabs/ may not know each other both ways. */
function unitOf(file) {
  return file.includes('/') ? file.slice(0, file.indexOf('/') + 1) : file
}

function importsOf(source) {
  const found = []
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) {
      const bindings = node.importClause?.namedBindings
      const eachIsType =
        !!bindings &&
        ts.isNamedImports(bindings) &&
        bindings.elements.length > 0 &&
        !node.importClause.name &&
        bindings.elements.every((element) => element.isTypeOnly)
      found.push({
        node,
        specifier: node.moduleSpecifier.text,
        typeOnly: !!node.importClause?.isTypeOnly || eachIsType,
      })
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      found.push({ node, specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly })
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      found.push({ node, specifier: node.argument.literal.text, typeOnly: true })
    } else if (
      ts.isCallExpression(node) &&
      (node.expression.kind === ts.SyntaxKind.ImportKeyword ||
        node.expression.getText(source) === 'require') &&
      node.arguments[0] &&
      ts.isStringLiteralLike(node.arguments[0])
    ) {
      found.push({ node, specifier: node.arguments[0].text, typeOnly: false })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function resolve(file, specifier, files) {
  const base = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier))
  const stem = base.replace(/\.js$/, '')
  return [`${stem}.ts`, `${stem}/index.ts`, base].find((name) => files.has(name))
}

function moduleState(source) {
  const found = []
  for (const statement of source.statements) {
    if (ts.isVariableStatement(statement)) {
      const ambient = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword)
      if (ambient) continue
      if (!(statement.declarationList.flags & ts.NodeFlags.Const)) {
        found.push({
          node: statement,
          message: '`let` or `var` at module scope: state lives in the closure of a factory',
        })
        continue
      }
      for (const { name, initializer } of statement.declarationList.declarations) {
        const why = initializer && whyMutable(initializer)
        if (why) found.push({ node: name, message: `${name.getText(source)} at module scope is ${why}` })
      }
    } else if (ts.isClassDeclaration(statement)) {
      for (const member of statement.members) {
        const kinds = (ts.isPropertyDeclaration(member) && member.modifiers?.map(({ kind }) => kind)) || []
        if (kinds.includes(ts.SyntaxKind.StaticKeyword) && !kinds.includes(ts.SyntaxKind.ReadonlyKeyword)) {
          found.push({
            node: member,
            message: 'a static field that is not `readonly` is state at module scope',
          })
        }
      }
    }
  }
  return found
}

/** Why this initialiser makes a value that can change; undefined when it does not. */
function whyMutable(node) {
  if (ts.isAsExpression(node)) {
    return node.type.getText() === 'const' ? undefined : whyMutable(node.expression)
  }
  if (ts.isSatisfiesExpression(node) || ts.isParenthesizedExpression(node) || ts.isNonNullExpression(node)) {
    return whyMutable(node.expression)
  }
  if (ts.isArrayLiteralExpression(node)) return 'an array that can change: add `as const` or Object.freeze'
  if (ts.isObjectLiteralExpression(node)) return 'an object that can change: add `as const` or Object.freeze'
  if (ts.isNewExpression(node) && MUTABLE_CLASSES.has(node.expression.getText())) {
    return `a ${node.expression.getText()}: it can change`
  }
  if (ts.isRegularExpressionLiteral(node) && /\/[a-z]*[gy][a-z]*$/.test(node.text)) {
    return 'a /g or /y regular expression: its lastIndex is state'
  }
  return undefined
}

function findCycles(edges) {
  const cycles = []
  const done = new Set()
  const walk = (node, trail) => {
    const at = trail.indexOf(node)
    if (at >= 0) {
      cycles.push([...trail.slice(at), node])
      return
    }
    if (done.has(node)) return
    for (const next of new Set(edges.get(node) ?? [])) walk(next, [...trail, node])
    done.add(node)
  }
  for (const node of edges.keys()) walk(node, [])
  return cycles
}

function selfTest() {
  const clean = {
    'tokens.ts':
      "import type { AxiosInstance } from 'axios'\nexport type T = AxiosInstance\nexport const A = ['x'] as const",
    'wait.ts':
      "import { A } from './tokens.js'\nexport const B = Object.freeze({ A })\nexport const C = /x/i\nexport const D = 1",
    'stores/web.ts':
      "import { B } from '../wait.js'\nexport const make = () => {\n  let x = B\n  return () => x\n}",
    'transport/bare.ts': "import axios from 'axios'\nexport const get = () => axios",
    'index.ts': "export { make } from './stores/web.js'",
    'testing/a.ts': "import type { make } from '../index.js'\nimport { c } from './c.js'\nexport const a = c",
    'testing/c.ts': 'export const c = 1',
  }
  const broken = [
    [
      'against the order',
      {
        'wait.ts': "import type { S } from './session/session.js'",
        'session/session.ts': 'export type S = 1',
      },
    ],
    [
      'against the order',
      { 'session/session.ts': "export const f = () => import('../client.js')", 'client.ts': '' },
    ],
    [
      'against the order',
      { 'tokens.ts': "export { B } from './lifetime.js'", 'lifetime.ts': 'export const B = 1' },
    ],
    ['imports axios as a value', { 'client.ts': "import axios from 'axios'\nexport const a = axios" }],
    ['imports axios as a value', { 'client.ts': "import { type AxiosInstance, isCancel } from 'axios'" }],
    ['is in no layer', { 'utils.ts': 'export const a = 1' }],
    ['cannot find', { 'wait.ts': "import { a } from './nowhere.js'" }],
    ['`export *`', { 'index.ts': "export * from './wait.js'", 'wait.ts': 'export const a = 1' }],
    [
      'entries: against the order',
      { 'index.ts': "export { a } from './testing/a.js'", 'testing/a.ts': 'export const a = 1' },
    ],
    [
      'testing/ may import types',
      { 'testing/a.ts': "import type { B } from '../wait.js'", 'wait.ts': 'export type B = 1' },
    ],
    [
      'testing/ may import types',
      { 'testing/a.ts': "import { b } from '../index.js'", 'index.ts': 'export const b = 1' },
    ],
    [
      'bindings/ may import types',
      { 'bindings/a.ts': "export type { B } from '../testing/b.js'", 'testing/b.ts': 'export type B = 1' },
    ],
    [
      'cycle: tokens.ts',
      {
        'tokens.ts': "import type { E } from './errors.js'",
        'errors.ts': "import type { T } from './tokens.js'",
      },
    ],
    [
      'cycle: stores/',
      {
        'stores/a.ts': "import '../placements/b.js'",
        'stores/d.ts': 'export {}',
        'placements/b.ts': 'export {}',
        'placements/c.ts': "import '../stores/d.js'",
      },
    ],
    ['`let` or `var`', { 'wait.ts': 'let current: string | undefined' }],
    ['`let` or `var`', { 'wait.ts': 'export var current = 1' }],
    ['a WeakMap', { 'wait.ts': 'const seen = new WeakMap<object, string>()' }],
    ['an array that can change', { 'wait.ts': 'const queue: string[] = []' }],
    ['an object that can change', { 'wait.ts': 'export const defaults = { a: 1 } satisfies object' }],
    ['lastIndex', { 'wait.ts': 'const AT = /a/gi' }],
    ['a static field', { 'wait.ts': 'export class A { static shared?: string }' }],
  ]
  const read = (sources) => findFaults(new Map(Object.entries(sources)))
  const failures = read(clean).map((fault) => `refused, though nothing is wrong: ${fault}`)
  for (const [expected, sources] of broken) {
    if (!read(sources).some((fault) => fault.includes(expected))) failures.push(`not caught: ${expected}`)
  }
  return { failures, cases: broken.length + 1 }
}

function readSources(folder) {
  const files = new Map()
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue
    const file = path.join(entry.parentPath ?? entry.path, entry.name)
    files.set(path.relative(folder, file).split(path.sep).join('/'), readFileSync(file, 'utf8'))
  }
  return files
}

function main() {
  if (process.argv.includes('--self-test')) {
    const { failures, cases } = selfTest()
    for (const failure of failures) console.error(`check-layers: ${failure}`)
    console.log(`check-layers: self-test, ${cases - failures.length} of ${cases} cases as expected`)
    return failures.length === 0
  }
  const folder = fileURLToPath(new URL('../src', import.meta.url))
  const files = existsSync(folder) ? readSources(folder) : new Map()
  if (!files.has('index.ts')) {
    console.error('check-layers: there is no src/index.ts')
    return false
  }
  const faults = findFaults(files)
  for (const fault of faults) console.error(fault)
  console.log(`check-layers: ${files.size} files, ${faults.length} faults`)
  return faults.length === 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main() ? 0 : 1
