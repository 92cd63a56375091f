// Owns the process of the backend, and the questions that it answers.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Counts, LoginAnswer } from '../support/auth-server.js'

export interface Asked {
  id: number
  ask: 'url' | 'login' | 'faulty' | 'sound' | 'kill-access-tokens' | 'counts'
  lifetimeSeconds?: number
}

export interface Answered {
  id: number
  answer: unknown
}

export interface BackendCounts extends Counts {
  /** How often it failed in which way. */
  faults: Record<string, number>
  /** Open now. */
  sockets: number
}

export interface Backend {
  readonly url: string
  /** Signs somebody in. From now on every access token lives that long. */
  login(lifetimeSeconds: number): Promise<LoginAnswer>
  /** Whether one refresh in five fails. */
  setFaulty(on: boolean): Promise<void>
  /** Every access token is refused from now on, and all counts begin anew. */
  killAccessTokens(): Promise<void>
  counts(): Promise<BackendCounts>
  stop(): Promise<void>
}

export async function startBackend(): Promise<Backend> {
  const child = fork(fileURLToPath(new URL('./backend.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
  })
  const exited = once(child, 'exit')
  const waiting = new Map<number, (answer: unknown) => void>()
  let lastId = 0
  child.on('message', ({ id, answer }: Answered) => {
    waiting.get(id)?.(answer)
    waiting.delete(id)
  })

  function ask<T>(question: Omit<Asked, 'id'>): Promise<T> {
    const id = ++lastId
    child.send({ ...question, id })
    const ended = exited.then(([code]) =>
      Promise.reject(new Error(`The backend ended with ${String(code)}.`)),
    )
    return Promise.race([new Promise<T>((resolve) => waiting.set(id, resolve as () => void)), ended])
  }

  return {
    url: await ask({ ask: 'url' }),
    login: (lifetimeSeconds) => ask({ ask: 'login', lifetimeSeconds }),
    setFaulty: (on) => ask({ ask: on ? 'faulty' : 'sound' }),
    killAccessTokens: () => ask({ ask: 'kill-access-tokens' }),
    counts: () => ask({ ask: 'counts' }),
    async stop() {
      child.disconnect()
      await exited
    },
  }
}
