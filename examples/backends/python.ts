// Owns how a Python backend of `examples/<folder>` is started: in the environment that the runner has made for its
// requirements, with a database, a secret and two users of its own.
import { randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Backend, type Env, runFolder, startBackend } from './process.js'

/** Their passwords are in the environment of each backend: `DEMO_USERS`. */
export const USERS = { ada: 'ada-likes-numbers', bob: 'bob-likes-bricks' } as const

/** What each backend reads: lifetimes in seconds, where to keep what must survive a restart, its key, its users. */
export function backendEnv(changes: Env = {}): Env {
  return {
    ACCESS_SECONDS: '60',
    REFRESH_SECONDS: '600',
    DATABASE: join(mkdtempSync(join(runFolder(), 'data-')), 'accounts.sqlite'),
    SECRET_KEY: randomBytes(32).toString('hex'),
    DEMO_USERS: Object.entries(USERS)
      .map(([name, password]) => `${name}:${password}`)
      .join(','),
    ...changes,
  }
}

/** Starts `examples/<folder>/server.py`. */
export function startPython(folder: string, changes?: Env): Promise<Backend> {
  const shared = dirname(fileURLToPath(import.meta.url))
  return startBackend({
    command: pythonOf(folder),
    args: ['server.py'],
    cwd: join(shared, '..', folder),
    env: {
      ...backendEnv(changes),
      PYTHONPATH: shared,
      // The access log is read while it is written, and no folder gets a __pycache__.
      PYTHONUNBUFFERED: '1',
      PYTHONDONTWRITEBYTECODE: '1',
    },
  })
}

function pythonOf(folder: string): string {
  const pythons = JSON.parse(process.env.BACKENDS_PYTHONS ?? '{}') as Record<string, string>
  const python = pythons[folder]
  if (!python) throw new Error(`Nothing is installed for ${folder}: run \`npm run test:backends ${folder}\`.`)
  return python
}
