// Tests of scripts/test-backends.mjs, run as a user runs it.
// Promise: it leaves nothing behind when it is interrupted, and says what a machine lacks.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { realMs } from '../../test/support/real-time.js'
import { type Env, runFolder } from './process.js'

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), '../../scripts/test-backends.mjs')

/** The script, with a folder of its own for what it writes down. */
function run(folder: string, env: Env = {}) {
  const place = mkdtempSync(join(runFolder(), 'runner-'))
  const child = spawn(process.execPath, [SCRIPT, folder], {
    env: { ...process.env, TMPDIR: place, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGINT'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  return {
    child,
    ended: once(child, 'close').then(([code]) => ({ code: code as number, said })),
    /** The ids of the processes that are written down. */
    pids: () =>
      readdirSync(place, { recursive: true, encoding: 'utf8' }).flatMap((file) => {
        const [, pid] = /(\d+)\.pid$/.exec(file) ?? []
        return pid ? [Number(pid)] : []
      }),
    left: () => readdirSync(place),
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

it.each([
  ['Python', 'b-flask-json', /Python 3\.10 or later .* is missing.*apt-get install python3/],
  ['Redis', 'e-flask-redis', /redis-server is missing.*apt-get install redis-server/],
])('fails and says how to install %s where it is missing', async (_, folder, words) => {
  const { code, said } = await run(folder, { PATH: '/nonexistent' }).ended
  expect(said).toMatch(words)
  expect(code).toBe(1)
})

it('fails and lists the backends when it is asked for an unknown one', async () => {
  const { code, said } = await run('h-cobol').ended
  expect(said).toMatch(/no such backend: h-cobol\. There are .*b-flask-json/)
  expect(code).toBe(1)
})

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('ends everything it started when it gets a %s', async (signal, expected) => {
  const { child, ended, pids, left } = run('b-flask-json')
  // The process of a backend is written down when it starts.
  while (pids().length === 0 && child.exitCode === null) await realMs(20)
  const started = pids()
  expect(started).toHaveLength(1)
  child.kill(signal)
  expect((await ended).code).toBe(expected)
  expect(started.filter(isRunning)).toEqual([])
  expect(left()).toEqual([])
})
