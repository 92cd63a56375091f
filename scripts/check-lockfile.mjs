// The failure this exists to catch: a lock file written behind a private registry or a mirror, which nobody else can
// install from, or one that no longer says what package.json says.
//
// It refuses a download address other than the public npm registry's (none at all is fine: npm then asks the registry
// it is set to), a git or file dependency, an entry without a checksum, development dependencies that are not pinned
// to one version, any difference to package.json, and a dependency without an entry: npm leaves out the packages for
// other platforms when the registry it asks does not have them, and `npm ci` then fails everywhere.
//
// Usage: node scripts/check-lockfile.mjs [--self-test]
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Each with a lock file of its own. */
const FOLDERS = ['', 'scripts/matrix/']
const PUBLIC_REGISTRY = 'https://registry.npmjs.org/'
const MIRRORED = [
  'name',
  'version',
  'license',
  'dependencies',
  'devDependencies',
  'peerDependencies',
  'engines',
]

/** One line per fault in the two parsed files. */
export function findFaults(manifest, lock) {
  const faults = []
  if (lock.lockfileVersion !== 3) faults.push(`lockfileVersion is ${lock.lockfileVersion}, not 3`)
  const root = lock.packages?.[''] ?? {}
  for (const field of MIRRORED) {
    if (canonical(manifest[field]) !== canonical(root[field])) {
      faults.push(`"${field}" differs between package.json and the lock file: run npm install`)
    }
  }
  for (const [name, range] of Object.entries(manifest.devDependencies ?? {})) {
    const version = /^(?:npm:.+@)?(\d+\.\d+\.\d+(?:-[\w.]+)?)$/.exec(range)?.[1]
    if (!version) faults.push(`devDependencies: ${name} is "${range}", not one exact version`)
    else checkInstalled(name, (installed) => installed === version, range)
  }
  for (const [name, range] of Object.entries(manifest.dependencies ?? {}))
    checkInstalled(name, () => true, range)
  for (const [place, entry] of Object.entries(lock.packages ?? {})) {
    if (place === '') continue
    if (entry.link) faults.push(`${place}: a link to a folder`)
    if (entry.resolved !== undefined && !String(entry.resolved).startsWith(PUBLIC_REGISTRY)) {
      faults.push(`${place}: comes from ${originOf(entry.resolved)}, not from the public npm registry`)
    }
    if (!entry.link && !entry.inBundle && !entry.integrity) faults.push(`${place}: has no checksum`)
    for (const name of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })) {
      if (!hasEntry(place, name)) faults.push(`${place}: needs ${name}, which has no entry`)
    }
    if (entry.extraneous) faults.push(`${place}: belongs to no dependency: run npm install`)
  }
  return faults

  /** Whether Node, looking from this folder upwards, would find the package. */
  function hasEntry(place, name) {
    for (
      let folder = place;
      folder;
      folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))
    ) {
      if (lock.packages[`${folder}/node_modules/${name}`]) return true
    }
    return lock.packages[`node_modules/${name}`] !== undefined
  }

  function checkInstalled(name, matches, range) {
    const installed = lock.packages?.[`node_modules/${name}`]?.version
    if (!installed || !matches(installed)) {
      faults.push(`${name}: package.json wants ${range}, the lock file has ${installed ?? 'none'}`)
    }
  }
}

/** JSON with sorted keys. */
function canonical(value) {
  return JSON.stringify(value, (_key, inner) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** Only scheme and host: an address may carry credentials. */
function originOf(address) {
  return URL.canParse(address) ? new URL(address).origin : 'something that is no address'
}

function selfTest() {
  const manifest = {
    name: 'p',
    version: '1.0.0',
    dependencies: { a: '^1.0.0' },
    devDependencies: { b: '2.0.0', c: 'npm:b@1.0.0' },
  }
  const entry = (version, more) => ({ version, integrity: 'sha512-x', ...more })
  const lock = {
    lockfileVersion: 3,
    packages: {
      '': { ...manifest },
      'node_modules/a': entry('1.2.0', { resolved: `${PUBLIC_REGISTRY}a/-/a-1.2.0.tgz` }),
      'node_modules/b': entry('2.0.0', {
        dependencies: { a: '1', d: '1' },
        optionalDependencies: { e: '1' },
      }),
      'node_modules/b/node_modules/d': entry('1.0.0', { dependencies: { e: '1' } }),
      'node_modules/b/node_modules/e': entry('1.0.0', { optional: true }),
      'node_modules/c': entry('1.0.0', { name: 'b' }),
    },
  }
  const broken = [
    [
      'not from the public',
      (l) => void (l.packages['node_modules/a'].resolved = 'https://npm.example.com/a.tgz'),
    ],
    [
      'not from the public',
      (l) => void (l.packages['node_modules/a'].resolved = 'git+ssh://git@example.com/a.git'),
    ],
    ['not from the public', (l) => void (l.packages['node_modules/a'].resolved = '../a')],
    ['has no checksum', (l) => void delete l.packages['node_modules/a'].integrity],
    ['a link', (l) => void (l.packages['node_modules/a'].link = true)],
    ['"dependencies" differs', (_l, m) => void (m.dependencies.d = '1.0.0')],
    ['d: package.json wants', (_l, m) => void (m.dependencies.d = '1.0.0')],
    ['"version" differs', (_l, m) => void (m.version = '1.0.1')],
    [
      'not one exact version',
      (l, m) => void (m.devDependencies.b = l.packages[''].devDependencies.b = '^2.0.0'),
    ],
    ['b: package.json wants', (l) => void (l.packages['node_modules/b'].version = '2.0.1')],
    ['needs e, which', (l) => void delete l.packages['node_modules/b/node_modules/e']],
    ['lockfileVersion', (l) => void (l.lockfileVersion = 2)],
    ['belongs to no dependency', (l) => void (l.packages['node_modules/a'].extraneous = true)],
  ]
  const failures = findFaults(manifest, lock).map((fault) => `refused, though nothing is wrong: ${fault}`)
  for (const [expected, spoil] of broken) {
    const [m, l] = [structuredClone(manifest), structuredClone(lock)]
    spoil(l, m)
    if (!findFaults(m, l).some((fault) => fault.includes(expected))) failures.push(`not caught: ${expected}`)
  }
  return { failures, cases: broken.length + 1 }
}

function main() {
  if (process.argv.includes('--self-test')) {
    const { failures, cases } = selfTest()
    for (const failure of failures) console.error(`check-lockfile: ${failure}`)
    console.log(`check-lockfile: self-test, ${cases - failures.length} of ${cases} cases as expected`)
    return failures.length === 0
  }
  return FOLDERS.map(checkFolder).every(Boolean)
}

function checkFolder(folder) {
  const [manifestFile, lockFile] = ['package.json', 'package-lock.json'].map((name) =>
    fileURLToPath(new URL(`../${folder}${name}`, import.meta.url)),
  )
  if (!existsSync(lockFile)) {
    console.error(`check-lockfile: there is no ${folder}package-lock.json: run npm install`)
    return false
  }
  const lock = JSON.parse(readFileSync(lockFile, 'utf8'))
  const faults = findFaults(JSON.parse(readFileSync(manifestFile, 'utf8')), lock)
  for (const fault of faults) console.error(`${folder}package-lock.json: ${fault}`)
  const count = Object.keys(lock.packages ?? {}).length - 1
  console.log(`check-lockfile: ${folder}package-lock.json, ${count} packages, ${faults.length} faults`)
  return faults.length === 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main() ? 0 : 1
