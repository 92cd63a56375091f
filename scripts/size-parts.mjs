// What each part of the library adds to `createAuthClient` + `refreshWithBody`, minified and gzipped: for the person who
// wants to make it smaller, and for the one who asks what the bytes are for.
//
// A part is measured by leaving it out: its modules are replaced by empty ones of the same exports, and the bundle is
// made anew. What calls the part stays, so a part costs a little more than its line says.
//
// Usage: npm run size:parts
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const EXPORT = /^export (?:async )?(?:function|const|class) (\w+)/gm

/** What it is for, and its modules below `src/`. */
const PARTS = [
  ['options are checked at creation', ['options.ts', 'checks.ts']],
  ['one refresh among tabs: locks, frozen and crashed holders (section 5)', ['tabs/tabs.ts']],
  ['slow, hung and failing stores (G15, G17)', ['session/vault.ts']],
  ['stored records are checked (G23)', ['storage/store.ts']],
  ['which failure means what; causes without secrets (G9, G10)', ['session/verdict.ts']],
  ['a refresh is tried again (G10)', ['session/refresh.ts']],
  ['lifetimes, JWTs and jwt-decode (G19)', ['lifetime.ts', 'node_modules/jwt-decode']],
  ['where a token may go (G20)', ['transport/origin.ts']],
  ['`http`: calls beside the interceptors, on every axios (G5)', ['transport/bare.ts']],
  [
    'which answers and bodies can be read or sent again (G6, G7)',
    ['transport/judge.ts', 'transport/replay.ts'],
  ],
  ['headers of every axios', ['headers.ts']],
  ['events, gates, snapshots', ['events.ts', 'gate.ts', 'session/snapshot.ts']],
]

/** @param {string[]} leftOut ends of the paths of the modules that are replaced by empty ones */
async function sizeWithout(leftOut) {
  const empty = {
    name: 'leave-out',
    setup(build) {
      build.onLoad({ filter: /\.[jt]s$/ }, ({ path: file }) => {
        const from = path.relative(ROOT, file).replaceAll(path.sep, '/')
        if (!leftOut.some((part) => from === `src/${part}` || from.startsWith(`${part}/`))) return undefined
        const names = Array.from(readFileSync(file, 'utf8').matchAll(EXPORT), ([, name]) => name)
        if (from.startsWith('node_modules/jwt-decode')) names.push('jwtDecode')
        return { contents: [...new Set(names)].map((name) => `export const ${name} = 0`).join('\n') }
      })
    },
  }
  const { outputFiles } = await build({
    stdin: {
      contents: "export { createAuthClient, refreshWithBody } from './src/index.ts'",
      resolveDir: ROOT,
    },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['axios'],
    write: false,
    logLevel: 'error',
    plugins: [empty],
  })
  return gzipSync(outputFiles[0].contents, { level: 9 }).length
}

const told = (bytes) => `${(bytes / 1000).toFixed(2).padStart(6)} kB`
const whole = await sizeWithout([])
console.log(`${told(whole)}  createAuthClient + refreshWithBody`)
for (const [purpose, modules] of PARTS) {
  const cost = whole - (await sizeWithout(modules))
  if (cost <= 0) throw new Error(`Leaving out ${modules.join(' and ')} leaves out nothing.`)
  console.log(`${told(cost)}  ${purpose}`)
}
console.log(
  `${told(await sizeWithout(PARTS.flatMap(([, modules]) => modules)))}  what is left without all of these`,
)
