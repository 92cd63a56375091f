// What each part of the library adds to `createAuthClient` + `refreshWithBody`, minified and gzipped: for the person who
// wants to make it smaller, and for the one who asks what the bytes are for.
//
// A part is measured by leaving it out: its modules are replaced by empty ones of the same exports, and the bundle is
// made anew. What calls the part stays, so a part costs a little more than its line says.
//
// The table stands in README.md, between `<!-- size-parts -->` and `<!-- /size-parts -->`; a line there that is out by more than
// 0.1 kB fails.
//
// Usage: npm run size:parts [-- --write]
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { bytesOf } from '../bench/bytes.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const EXPORT = /^export (?:async )?(?:function|const|class) (\w+)/gm

/** What it is for, and where its modules are. */
const PARTS = [
  ['options are checked at creation', ['src/options.ts', 'src/checks.ts']],
  [
    'slow, hung and failing stores',
    ['guarded-store', 'store-view', 'failed-write', 'store-calls', 'store-turns'].map(
      (name) => `src/session/${name}.ts`,
    ),
  ],
  [
    'the default store, and turns in a page',
    ['src/stores/page-memory.ts', 'src/stores/hints.ts', 'src/stores/turns.ts'],
  ],
  ['stored records are checked', ['src/stores/store.ts']],
  ['which failure means what', ['src/session/failure.ts']],
  ['errors without secrets', ['src/redact.ts']],
  ['the session as a state machine', ['src/session/machine/']],
  [
    'what runs its effects',
    ['interpreter', 'run-driver', 'store-sync', 'publisher', 'refresh'].map(
      (name) => `src/session/${name}.ts`,
    ),
  ],
  ['lifetimes, JWTs and jwt-decode', ['src/lifetime.ts', 'node_modules/jwt-decode']],
  ['where a token may go', ['src/transport/origin.ts']],
  [
    '`http`: calls beside the interceptors, on every axios',
    ['src/transport/bare.ts', 'src/transport/http.ts'],
  ],
  [
    'which answers and bodies can be read or sent again',
    ['src/transport/classify.ts', 'src/transport/body.ts'],
  ],
  ['headers of every axios', ['src/headers.ts']],
  ['events, gates, snapshots', ['src/events.ts', 'src/wait.ts', 'src/session/snapshot.ts']],
]

/** A plug-in of esbuild that takes empty modules for those at these paths. */
function leaveOut(places) {
  return {
    name: 'leave-out',
    setup(build) {
      build.onLoad({ filter: /\.[jt]s$/ }, ({ path: file }) => {
        if (!places.some((place) => file.startsWith(path.join(ROOT, place)))) return undefined
        const exported = Array.from(readFileSync(file, 'utf8').matchAll(EXPORT), ([, name]) => name)
        return { contents: exported.map((name) => `export const ${name} = 0`).join('\n') }
      })
    },
  }
}

const from = new URL('../src/index.ts', import.meta.url).href
const take = '{ createAuthClient, refreshWithBody }'
const all = PARTS.flatMap(([, places]) => places)
const [whole, rest, ...without] = await bytesOf(
  [[], all, ...PARTS.map(([, places]) => places)].map((places) => ({
    from,
    take,
    plugins: [leaveOut(places)],
  })),
)

const rows = [
  ...PARTS.map(([purpose, places], index) => {
    const cost = whole - without[index]
    if (cost <= 0) throw new Error(`Leaving out ${places.join(' and ')} leaves out nothing.`)
    return [purpose, cost]
  }),
  ['what is left without all of these: the transport, the client, the strategy', rest],
  ['**`createAuthClient` + `refreshWithBody`**', whole],
].map(([purpose, bytes]) => [purpose, bytes / 1000])
for (const [purpose, kB] of rows) console.log(`${kB.toFixed(2).padStart(6)} kB  ${purpose}`)

const README = path.join(ROOT, 'README.md')
const BLOCK = /(<!-- size-parts -->\n)(.*?)(<!-- \/size-parts -->)/s
const TOLERANCE_KB = 0.1
const document = readFileSync(README, 'utf8')
const [, , stands = ''] = BLOCK.exec(document) ?? []
if (process.argv.includes('--write')) {
  const lines = rows.map(([purpose, kB]) => `| ${purpose} | ${kB.toFixed(1)} kB |`)
  const table = ['', '| what for | minified, gzipped |', '|---|---|', ...lines, '', ''].join('\n')
  writeFileSync(
    README,
    document.replace(BLOCK, (_, start, __, end) => start + table + end),
  )
} else {
  const claimed = new Map(
    Array.from(stands.matchAll(/^\| (.+) \| ([\d.]+) kB \|$/gm), ([, purpose, kB]) => [purpose, Number(kB)]),
  )
  const isRight = ([purpose, kB]) => Math.abs((claimed.get(purpose) ?? Number.NaN) - kB) <= TOLERANCE_KB
  const wrong = rows.filter((row) => !isRight(row))
  for (const [purpose] of wrong) console.error(`README.md says otherwise: ${purpose}`)
  if (wrong.length > 0 || claimed.size !== rows.length) {
    console.error('size-parts: run npm run size:parts -- --write')
    process.exitCode = 1
  }
}
