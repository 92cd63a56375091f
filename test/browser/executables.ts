// Owns the search for a browser that is installed already. Downloads nothing.
// Promise: one that is missing is said aloud, and in CI it is a failure.
import { existsSync } from 'node:fs'

export interface Wanted {
  name: string
  /** The environment variable that names another place. */
  variable: string
  paths: readonly string[]
  /** The package of Debian that has it. */
  debian: string
}

export function findExecutable({ name, variable, paths, debian }: Wanted): string | undefined {
  const found = [process.env[variable], ...paths].find((path) => path && existsSync(path))
  if (!found) {
    console.warn(
      `\n!! No ${name} found: its browser tests were NOT run.\n` +
        `!! Install one (Debian: apt-get install ${debian}), or set ${variable}.\n`,
    )
    // Where everything has to hold, a browser that is missing is a failure.
    if (process.env.CI) throw new Error(`No ${name} found, and CI needs one.`)
  }
  return found
}
