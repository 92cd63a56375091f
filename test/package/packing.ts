// Owns the package as it would be published, and projects outside of the repository that install it.
// Promise: what `npm run build` made is what they get, and a build that is older than its source is refused.
// Needs the registry, or npm's cache.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const repository = fileURLToPath(new URL('../..', import.meta.url))

export interface Packed {
  /** A folder of its own for the projects of one test file. */
  place: string
  tarball: string
  /** The paths of the files in it. */
  files: string[]
  remove(): void
}

export async function packPackage(): Promise<Packed> {
  refuseStaleBuild()
  const place = mkdtempSync(path.join(tmpdir(), 'axios-auth-client-'))
  const { stdout } = await run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', place],
    repository,
  )
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
  return {
    place,
    tarball: path.join(place, filename),
    files: files.map((file) => file.path),
    remove: () => rmSync(place, { recursive: true, force: true }),
  }
}

/** Installs what the project's package.json asks for, and these packages. */
export async function install(project: string, ...packages: string[]): Promise<void> {
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
  await run('npm', ['install', ...quiet, ...packages], project)
}

/** Type-checks a project with the repository's TypeScript. */
export async function checkTypes(project: string): Promise<void> {
  const tsc = path.join(repository, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [tsc, '--pretty', 'false'], project)
}

export interface Manifest {
  version: string
  dependencies?: Record<string, string>
  scripts?: Record<string, string>
  sideEffects?: boolean
}

export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest
}

/** The result of a program that ended well; otherwise an error with everything that it said. */
export async function run(program: string, args: string[], cwd: string): Promise<{ stdout: string }> {
  try {
    return await promisify(execFile)(program, args, { cwd, maxBuffer: 1e8 })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(
      `${path.basename(program)} ${args.join(' ')} failed:\n${stdout}${stderr || String(error)}`,
    )
  }
}

function refuseStaleBuild(): void {
  const built = path.join(repository, 'dist/index.d.cts')
  const newest = readdirSync(path.join(repository, 'src'), { recursive: true, encoding: 'utf8' })
    .map((file) => statSync(path.join(repository, 'src', file)).mtimeMs)
    .reduce((a, b) => Math.max(a, b), 0)
  if (!existsSync(built) || statSync(built).mtimeMs < newest) {
    throw new Error('dist/ is missing or older than src/: run npm run build first')
  }
}
