// The failure this exists to catch: a line of src/ that could be wrong without any story noticing.
//
// Runs Stryker (stryker.config.mjs) on all of src/, or on the files and folders that are named.
//
// Usage: npm run test:mutation -- [file or folder]... [option of stryker]...
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'

const args = process.argv.slice(2)
const firstOption = args.findIndex((word) => word.startsWith('-'))
const [wanted, options] = firstOption < 0 ? [args, []] : [args.slice(0, firstOption), args.slice(firstOption)]

const missing = wanted.filter((path) => !existsSync(path))
if (missing.length > 0) {
  console.error(`test-mutation: there is no ${missing.join(', no ')}`)
  process.exit(1)
}
const globs = wanted.map((path) =>
  statSync(path).isDirectory() ? `${path.replace(/\/$/, '')}/**/*.ts` : path,
)
const mutate = globs.length > 0 ? ['--mutate', globs.join(',')] : []

// npm has put the packages' commands on the path.
const { status } = spawnSync('stryker', ['run', ...mutate, ...options], { stdio: 'inherit' })
process.exitCode = status ?? 1
