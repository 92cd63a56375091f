// The failure this exists to catch: a configuration that is right for our idea of a backend, and wrong for the backend.
//
// It installs what each backend of examples/ pins into a virtual environment of its own (kept for the next time), runs
// the end-to-end tests against the real frameworks, and ends every process that they started, whatever happens.
// Without Python or Redis it says what is missing and how to get it.
//
// Usage: node scripts/test-backends.mjs [folder of examples/]... [option of vitest]...
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const EXAMPLES = join(ROOT, 'examples')
const CACHE = join(ROOT, 'node_modules', '.cache', 'backends')
const GRACE_MS = 5_000
/** This one has no backend of its own: its tests start those of other folders. */
const NEEDS = { 'vue-app': ['a-sanic', 'c-flask-header', 'd-fastapi'] }

/** A fault of the machine or of the call, printed as a sentence without a stack. */
class Missing extends Error {}

/** The folders with an end-to-end test: those that were asked for, or all. */
function wantedFolders(words) {
  const all = readdirSync(EXAMPLES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .filter((folder) => readdirSync(join(EXAMPLES, folder)).some((file) => file.endsWith('.e2e.ts')))
  const unknown = words.filter((word) => !all.includes(word))
  if (unknown.length > 0)
    throw new Missing(`no such backend: ${unknown.join(', ')}. There are ${all.join(', ')}.`)
  return words.length > 0 ? words : all
}

function requirementsOf(folder) {
  const file = join(EXAMPLES, folder, 'requirements.txt')
  return existsSync(file) ? { file, text: readFileSync(file, 'utf8') } : undefined
}

/** The answer of a program to a short question, or `undefined` when it is not there or says no. */
function ask(command, ...args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

function findPython() {
  const question = 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10); print(sys.version)'
  for (const command of ['python3', 'python']) {
    const version = ask(command, '-c', question)
    if (version) return { command, version }
  }
  throw new Missing(
    'Python 3.10 or later with its venv module is missing. Debian and Ubuntu: apt-get install python3 python3-venv. ' +
      'macOS: brew install python. Windows: winget install Python.Python.3.12. Or https://www.python.org/downloads/',
  )
}

function assertRedis() {
  if (ask('redis-server', '--version')) return
  throw new Missing(
    'redis-server is missing. Debian and Ubuntu: apt-get install redis-server. macOS: brew install redis. ' +
      'Otherwise https://redis.io/docs/latest/operate/oss_and_stack/install/. It need not be running.',
  )
}

/** An interpreter with exactly these requirements. Made once per content and Python. */
function install(folder, { file, text }, python) {
  const key = createHash('sha256').update(text).update(python.version).digest('hex').slice(0, 16)
  const place = join(CACHE, key)
  const interpreter =
    process.platform === 'win32' ? join(place, 'Scripts', 'python.exe') : join(place, 'bin', 'python')
  // Written last, so that half an installation is not taken for a whole one.
  const done = join(place, 'installed')
  if (existsSync(done)) return interpreter
  console.log(`installing the requirements of ${folder}`)
  mkdirSync(CACHE, { recursive: true })
  run(python.command, '-m', 'venv', '--clear', place)
  run(interpreter, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', file)
  writeFileSync(done, '')
  return interpreter

  function run(command, ...args) {
    const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    if (status !== 0) throw new Missing(`could not install ${file}: ${error?.message ?? 'see above'}`)
  }
}

/** Signals a process that we started, and those it started: it leads a group. Returns whether it was still there. */
function kill(pid, signal) {
  try {
    return process.kill(-pid, signal)
  } catch {
    return false
  }
}

/** Ends what the tests have written down and not ended themselves; resolves when it is gone. */
async function sweep(folder) {
  const pids = readdirSync(folder).flatMap((file) =>
    file.endsWith('.pid') ? [Number.parseInt(file, 10)] : [],
  )
  const lateAtMs = Date.now() + GRACE_MS
  while (pids.filter((pid) => kill(pid, 'SIGKILL')).length > 0 && Date.now() < lateAtMs) await setTimeout(20)
}

/** Runs vitest; resolves with its exit code once everything that it started is gone. */
async function runTests(folders, options, pythons) {
  const folder = mkdtempSync(join(tmpdir(), 'backends-'))
  const tests = spawn(
    process.execPath,
    [
      join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--config',
      join(ROOT, 'vitest.backends.config.ts'),
      ...folders.map((name) => `examples/${name}/`),
      ...options,
    ],
    {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        BACKENDS_RUN: folder,
        BACKENDS_PYTHONS: JSON.stringify(pythons),
        // Where an interrupted vitest leaves its own files.
        TMPDIR: folder,
        TEMP: folder,
      },
      detached: true,
    },
  )
  let interrupted
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      interrupted ??= signal
      kill(tests.pid, 'SIGTERM')
      setTimeout(GRACE_MS, undefined, { ref: false }).then(() => kill(tests.pid, 'SIGKILL'))
    })
  }
  const code = await new Promise((resolve) => {
    tests.once('error', () => resolve(1))
    tests.once('exit', (status) => resolve(status ?? 1))
  })
  // Its workers too, before the list is read: none of them starts another process now.
  kill(tests.pid, 'SIGKILL')
  await sweep(folder)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  return interrupted ? 128 + constants.signals[interrupted] : code
}

async function main(args) {
  const folders = wantedFolders(args.filter((arg) => !arg.startsWith('-')))
  const required = folders
    .flatMap((one) => NEEDS[one] ?? one)
    .flatMap((folder) => {
      const requirements = requirementsOf(folder)
      return requirements ? [{ folder, ...requirements }] : []
    })
  if (required.some(({ text }) => /^redis==/m.test(text))) assertRedis()
  const python = required.length > 0 ? findPython() : undefined
  const pythons = Object.fromEntries(required.map((one) => [one.folder, install(one.folder, one, python)]))
  return runTests(
    folders,
    args.filter((arg) => arg.startsWith('-')),
    pythons,
  )
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof Missing)) throw error
  console.error(`test-backends: ${error.message}`)
  process.exitCode = 1
}
