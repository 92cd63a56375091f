// Tests of process.ts. The failure: on a busy machine somebody else gets the port of a backend that is about to start,
// answers in its stead, and a test waits for an access log that nobody writes.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect, it, onTestFinished } from 'vitest'
import { startBackend } from './process.js'

const SERVER = `
  const { createServer } = require('node:http')
  const answer = ({ method, url }, response) => {
    console.log(method, url, 200)
    response.end()
  }
  createServer(answer).listen(process.env.PORT, '127.0.0.1')`

const program = { command: process.execPath, args: ['--eval', SERVER] }

it('does not mistake another server’s answer for that of the backend', async () => {
  const other = createServer((_, response) => response.end())
  onTestFinished(() => void other.close().closeAllConnections())
  await once(other.listen(0, '127.0.0.1'), 'listening')
  const { port } = other.address() as { port: number }
  await expect(startBackend({ ...program, env: { PORT: String(port) } })).rejects.toThrow('EADDRINUSE')
})

it('reports what the backend answered, across restarts, without its own health checks', async () => {
  const backend = await startBackend(program)
  onTestFinished(() => backend.stop())
  await fetch(`${backend.url}/before`, { method: 'POST' })
  await backend.restart()
  await fetch(`${backend.url}/after?secret=1`)
  expect(await backend.answered()).toEqual([
    { method: 'POST', path: '/before', status: 200 },
    { method: 'GET', path: '/after', status: 200 },
  ])
})
