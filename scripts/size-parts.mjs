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
import { bytesOf } from '../bench/bytes.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const EXPORT = /^export (?:async )?(?:function|const|class) (\w+)/gm

/** What it is for, and where its modules are. */
const PARTS = [
  ['options are checked at creation', ['src/options.ts', 'src/checks.ts']],
  [
    'slow, hung and failing stores (G15, G17)',
    ['guarded-store', 'failed-write', 'store-calls', 'store-turns'].map((name) => `src/session/${name}.ts`),
  ],
  [
    'the default store, and turns in a page',
    ['src/stores/page-memory.ts', 'src/stores/hints.ts', 'src/stores/turns.ts'],
  ],
  ['stored records are checked (G23)', ['src/stores/store.ts']],
  ['which failure means what (G10)', ['src/session/failure.ts']],
  ['errors without secrets (G9)', ['src/redact.ts']],
  ['the session as a state machine', ['src/session/machine/']],
  [
    'what runs its effects',
    ['interpreter', 'run-driver', 'store-sync', 'publisher', 'refresh'].map(
      (name) => `src/session/${name}.ts`,
    ),
  ],
  ['lifetimes, JWTs and jwt-decode (G19)', ['src/lifetime.ts', 'node_modules/jwt-decode']],
  ['where a token may go (G20)', ['src/transport/origin.ts']],
  [
    '`http`: calls beside the interceptors, on every axios (G5)',
    ['src/transport/bare.ts', 'src/transport/http.ts'],
  ],
  [
    'which answers and bodies can be read or sent again (G6, G7)',
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
const tell = (bytes, what) => console.log(`${(bytes / 1000).toFixed(2).padStart(6)} kB  ${what}`)
tell(whole, 'createAuthClient + refreshWithBody')
for (const [index, [purpose, places]] of PARTS.entries()) {
  const cost = whole - without[index]
  if (cost <= 0) throw new Error(`Leaving out ${places.join(' and ')} leaves out nothing.`)
  tell(cost, purpose)
}
tell(rest, 'what is left without all of these')
