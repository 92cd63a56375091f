// Compiles what a TypeScript user writes against the built package, with another TypeScript and another axios, in each
// way in which TypeScript can resolve modules.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

/** Files of the repository, and what the user's own are called in each way. */
const SOURCES = { 'test/package/consumer/api.ts': 'api', 'test/types/surface.ts': 'surface' }
const WAYS = [
  { extensions: ['.mts', '.cts'], options: { module: 'node16', moduleResolution: 'node16' } },
  { extensions: ['.ts'], options: { module: 'esnext', moduleResolution: 'bundler' } },
]

/** @returns {Promise<string[]>} what the compiler found */
export async function compile(root, place, { typescript, axios }) {
  rmSync(place, { recursive: true, force: true })
  const installed = path.join(place, 'node_modules')
  const own = path.join(installed, 'axios-auth-client')
  mkdirSync(own, { recursive: true })
  symlinkSync(axios, path.join(installed, 'axios'))
  cpSync(path.join(root, 'package.json'), path.join(own, 'package.json'))
  cpSync(path.join(root, 'dist'), path.join(own, 'dist'), { recursive: true })
  const faults = []
  for (const { extensions, options } of WAYS) {
    const files = extensions.flatMap((extension) =>
      Object.entries(SOURCES).map(([source, name]) => {
        cpSync(path.join(root, source), path.join(place, name + extension))
        return name + extension
      }),
    )
    const compilerOptions = {
      ...options,
      target: 'es2022',
      lib: ['es2022', 'dom'],
      types: [],
      strict: true,
      noEmit: true,
    }
    const project = path.join(place, `tsconfig.${options.module}.json`)
    writeFileSync(project, JSON.stringify({ compilerOptions, files }))
    const tsc = path.join(typescript, 'bin', 'tsc')
    await promisify(execFile)(process.execPath, [tsc, '--pretty', 'false', '-p', project], {
      cwd: place,
    }).catch(({ stdout, message }) => faults.push(stdout || message))
  }
  return faults
}
