// Owns the processes of a run: one for the server, and a new one for each side in each round, which ends with its task.
// Promise: only one side works at a time, in an order that is new in every round.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { shuffled } from '../test/support/shuffle.js'
import type { Task } from './measure.js'
import type { BySide } from './results.js'

/** A process that takes longer hangs. */
const LIMIT_MS = 180_000

export interface Processes {
  /** Has every side do the task in every round. What it finds must be what that task answers. */
  inRounds<T>(rounds: number, sides: string[], task: Task): Promise<BySide<T>>
  close(): Promise<void>
}

export async function startProcesses(): Promise<Processes> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  // Bundled, so that no loader stands around what is measured, and what is measured is what is published.
  await build({
    entryPoints: ['./measure.ts', './server.ts'].map(pathOf),
    alias: { 'axios-auth-client': pathOf('../dist/index.js') },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    outdir: folder,
  })
  const server = start('server')
  const url = await answerOf<string>(server)

  return {
    async inRounds<T>(rounds: number, sides: string[], task: Task) {
      const found: BySide<T> = Object.fromEntries(sides.map((side) => [side, []]))
      for (let round = 1; round <= rounds; round++) {
        console.error(`bench: ${JSON.stringify(task)}: round ${round} of ${rounds}`)
        for (const side of shuffled(sides, Math.random() * 2 ** 32)) {
          const child = start('measure', JSON.stringify({ url, side, task }))
          found[side]?.push(await answerOf<T>(child))
          await end(child)
        }
      }
      return found
    },
    async close() {
      await end(server)
      await rm(folder, { recursive: true })
    },
  }

  function start(name: string, ...args: string[]): ChildProcess {
    const execArgv = ['--expose-gc', '--max-old-space-size=4096']
    return fork(join(folder, `${name}.cjs`), args, { execArgv })
  }
}

/** Its first message. */
async function answerOf<T>(child: ChildProcess): Promise<T> {
  const late = AbortSignal.timeout(LIMIT_MS)
  const [answer] = await Promise.race([
    once(child, 'message', { signal: late }),
    once(child, 'exit', { signal: late }).then(([code]) => {
      throw new Error(`${child.spawnargs.join(' ')} ended with ${code}`)
    }),
  ])
  return answer
}

/** They end by themselves once nobody listens. */
async function end(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.disconnect()
  await gone
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}
