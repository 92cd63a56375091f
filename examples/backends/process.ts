// Owns the backends that the end-to-end tests start: one process each, on a free loopback port.
// Promise: `start` resolves when it answers, `stop` when it is gone; what it answered is read from its access log, and
// every process is written down by its pid, so that the runner can end what a crashed test left behind.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { isDeepStrictEqual, stripVTControlCharacters } from 'node:util'
import { afterRealMs, realMs } from '../../test/support/real-time.js'
import { createWatch } from '../../test/support/watch.js'

export type Env = Record<string, string>

/** How a backend is started; `env` comes on top of the little that every process needs. */
export interface Program {
  command: string
  args: readonly string[]
  cwd?: string
  env?: Env
}

export interface AnsweredRequest {
  method: string
  /** Without the query. */
  path: string
  status: number
}

export interface Backend {
  readonly url: string
  readonly port: number
  /** What it has answered since the start or the last `forget`, restarts included, in the order of its access log. */
  answered(): Promise<AnsweredRequest[]>
  forget(): Promise<void>
  /** Ends it at once, as a crash does: what it was answering is cut off. */
  stop(): Promise<void>
  /** On the same port again, with these changes to its environment. Does nothing while it runs. */
  start(changes?: Env): Promise<void>
  /** `stop`, then `start`. */
  restart(changes?: Env): Promise<void>
  /** Runs with its first environment and these changes, restarted only if that is not so already. */
  runWith(changes: Env): Promise<void>
}

const LIMIT_MS = 20_000

/** Starts a program that serves HTTP on 127.0.0.1:$PORT, by default on a port that is free. */
export async function startBackend(program: Program): Promise<Backend> {
  const port = Number(program.env?.PORT ?? (await freePort()))
  const url = `http://127.0.0.1:${port}`
  const log = createAccessLog()
  const firstEnv: Env = { ...program.env, PORT: String(port) }
  let env = firstEnv
  let running: RunningProcess | undefined
  let marks = 0

  const newMark = () => `/mark-${++marks}`

  const backend: Backend = {
    url,
    port,
    async answered() {
      // The log comes through a pipe: once this request is in it, everything before it is as well.
      const mark = newMark()
      await fetch(url + mark)
      await log.waitFor(mark)
      return log.requests.filter(({ path }) => !path.startsWith('/mark-'))
    },
    async forget() {
      await backend.answered()
      log.requests.length = 0
    },
    async stop() {
      const stopping = running
      running = undefined
      await stopping?.stop()
    },
    async start(changes = {}) {
      if (running) return
      env = { ...env, ...changes }
      running = startProcess({ ...program, env }, log.read)
      const mark = newMark()
      await running.until(async () => {
        await fetch(url + mark)
        // Only if it answered itself: on a port that somebody else got, it would be them.
        return log.names(mark)
      })
    },
    async restart(changes) {
      await backend.stop()
      await backend.start(changes)
    },
    async runWith(changes) {
      const wanted = { ...firstEnv, ...changes }
      if (!running || !isDeepStrictEqual(wanted, env)) await backend.restart(wanted)
    },
  }
  try {
    await backend.start()
  } catch (error) {
    await backend.stop()
    throw error
  }
  return backend
}

export interface RunningProcess {
  /** Resolves once the question is answered with yes; rejects with what it wrote if it ends before, or never is. */
  until(question: () => Promise<boolean>): Promise<void>
  stop(): Promise<void>
}

/** Starts a process in a group of its own. `onLine` gets each line of what it writes. */
export function startProcess(
  { command, args, cwd, env }: Program,
  onLine: (line: string) => void = () => {},
): RunningProcess {
  const { PATH = '', SystemRoot } = process.env
  const child = spawn(command, args, {
    cwd,
    env: { PATH, ...(SystemRoot && { SystemRoot }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const written = collectLines(child, onLine)
  const gone = once(child, 'close').catch(() => {})
  let failed: Error | undefined
  child.once('error', (error) => {
    failed = error
  })
  const forgetPid = child.pid === undefined ? () => {} : rememberPid(child.pid)
  const hasEnded = () => failed !== undefined || child.exitCode !== null || child.signalCode !== null

  return {
    async until(question) {
      let late = false
      const cancel = afterRealMs(LIMIT_MS, () => {
        late = true
      })
      try {
        while (!(await question().catch(() => false))) {
          if (hasEnded() || late) {
            throw new Error(
              `${command} ${args.join(' ')} ${late ? 'does not answer' : 'ended'}: ${failed?.message ?? ''}\n${written.tail()}`,
            )
          }
          await realMs(20)
        }
      } finally {
        cancel()
      }
    },
    async stop() {
      if (!hasEnded() && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      await gone
      forgetPid()
    },
  }
}

/**
 * A port of the loopback interface that nobody listens on. It is below those that systems hand out by themselves: one of
 * these could go to another program while a backend starts, or is down to be restarted.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 20; tries++) {
    const port = randomInt(20_000, 32_768)
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch {
      continue
    }
    server.close()
    await once(server, 'close')
    return port
  }
  throw new Error('There is no free port on 127.0.0.1.')
}

/** The folder that the runner made for this run; it ends the processes that are written down in it. */
export function runFolder(): string {
  const { BACKENDS_RUN } = process.env
  if (!BACKENDS_RUN) throw new Error('These tests need their backends: run `npm run test:backends`.')
  return BACKENDS_RUN
}

function rememberPid(pid: number): () => void {
  const file = join(runFolder(), `${pid}.pid`)
  writeFileSync(file, '')
  return () => rmSync(file, { force: true })
}

function collectLines(child: ChildProcess, onLine: (line: string) => void): { tail(): string } {
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream?.setEncoding('utf8')
    stream?.on('data', (text: string) => {
      const parts = (rest + text).split(/\r?\n/)
      rest = parts.pop() ?? ''
      for (const part of parts) {
        const line = stripVTControlCharacters(part)
        lines.push(line)
        onLine(line)
      }
    })
  }
  return { tail: () => lines.slice(-30).join('\n') }
}

/** Reads the lines in which Werkzeug, Uvicorn, Sanic and others say what they answered. */
function createAccessLog() {
  const watch = createWatch()
  const requests: AnsweredRequest[] = []
  const names = (path: string) => requests.some((request) => request.path === path)
  return {
    requests,
    names,
    read(line: string) {
      const [, method, path, status] =
        /\b(GET|POST|PUT|PATCH|DELETE|OPTIONS|HEAD) (?:https?:\/\/[^/\s]+)?(\/[^\s?"]*)\S*(?: HTTP\/[\d.]+)?"?\s+(\d{3})\b/.exec(
          line,
        ) ?? []
      if (!method || !path) return
      requests.push({ method, path, status: Number(status) })
      watch.changed()
    },
    async waitFor(path: string) {
      await watch.until(
        () => names(path),
        () => `the access log names ${path}`,
        LIMIT_MS,
      )
    },
  }
}
