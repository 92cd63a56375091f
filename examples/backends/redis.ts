// Owns the Redis of a test: a real redis-server on a free loopback port, which writes nothing to disk.
import { connect } from 'node:net'
import { freePort, type RunningProcess, runFolder, startProcess } from './process.js'

export interface Redis {
  readonly url: string
  /** Starts it again where it was, empty. */
  start(): Promise<void>
  /** Sends one command; resolves with the line that answers it. */
  command(...words: string[]): Promise<string>
  stop(): Promise<void>
}

export async function startRedis(): Promise<Redis> {
  const port = await freePort()
  let running: RunningProcess | undefined

  const redis: Redis = {
    url: `redis://127.0.0.1:${port}/0`,
    async start() {
      running ??= startProcess({
        command: 'redis-server',
        args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
        cwd: runFolder(),
      })
      await running.until(async () => (await send(port, ['PING'])) === '+PONG')
    },
    command: (...words) => send(port, words),
    async stop() {
      const stopping = running
      running = undefined
      await stopping?.stop()
    },
  }
  try {
    await redis.start()
  } catch (error) {
    await redis.stop()
    throw error
  }
  return redis
}

/** One line of Redis's protocol for one command in it. */
function send(port: number, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.setEncoding('utf8')
    socket.once('error', reject)
    socket.once('connect', () => socket.write(`${words.join(' ')}\r\n`))
    socket.on('data', (text: string) => {
      answer += text
      const end = answer.indexOf('\r\n')
      if (end < 0) return
      socket.end()
      resolve(answer.slice(0, end))
    })
  })
}
