// An app that shows its changes in order and late, and a client beside it, in random turns. Promise: what only the client
// has done ends no session, is adopted by nobody, and uses no refresh token twice; once the app has shown everything,
// both agree on the tokens.

import axios from 'axios'
import { appStore, createAuthClient, type Tokens } from 'axios-auth-client'
import fc from 'fast-check'
import { expect } from 'vitest'
import { holdsFor } from './seed.js'

type Step =
  | 'breaks'
  | 'mends'
  | 'refresh'
  | 'request'
  | 'signIn'
  | 'signOut'
  | 'show'
  | 'appLogsIn'
  | 'appRenews'
  | 'appLogsOut'
const BY_CLIENT: Step[] = ['refresh', 'request', 'signIn', 'signOut', 'show', 'show']
const BY_CLIENT_AND_FAULTS: Step[] = [...BY_CLIENT, 'breaks', 'mends']
const BY_BOTH: Step[] = [...BY_CLIENT, 'appLogsIn', 'appRenews', 'appLogsOut']

/** How an app may show what it holds. */
const SHAPES = {
  'as written': (tokens: Tokens): Tokens => tokens,
  'the two tokens alone': ({ accessToken, refreshToken }: Tokens): Tokens => ({ accessToken, refreshToken }),
}

function createScene(shape: (tokens: Tokens) => Tokens) {
  let count = 0
  const create = (): Tokens => ({ accessToken: `a${++count}`, refreshToken: `r${count}` })
  const queue: (Tokens | undefined)[] = []
  let shown: Tokens | undefined
  /** What the app holds in the end. */
  const last = () => (queue.length > 0 ? queue.at(-1) : shown)
  let isBroken = false
  const spent: unknown[] = []
  const sent: unknown[] = []
  const ends: string[] = []
  const api = axios.create({
    baseURL: 'https://api.example.com',
    adapter: async (config) => {
      sent.push(config.headers.Authorization)
      return { data: {}, status: 200, statusText: 'OK', headers: {}, config }
    },
  })
  const auth = createAuthClient(api, {
    store: appStore({
      read: () => shown && shape(shown),
      write(tokens) {
        if (isBroken) throw new Error('The app is full.')
        queue.push(tokens)
      },
    }),
    refresh: async ({ refreshToken }) => {
      spent.push(refreshToken)
      return create()
    },
    onSessionEnd: ({ reason }) => void ends.push(reason),
  })
  const steps: Record<Step, () => unknown> = {
    breaks() {
      isBroken = true
    },
    mends() {
      isBroken = false
    },
    refresh: () => auth.refresh().catch(() => {}),
    request: () => api.get('/x').catch(() => {}),
    signIn: () => auth.signIn(create()),
    signOut: () => auth.signOut(),
    async show() {
      if (queue.length > 0) shown = queue.shift()
      await steps.request()
    },
    appLogsIn: () => queue.push(create()),
    appRenews() {
      const tokens = last()
      if (tokens) queue.push({ ...tokens, accessToken: create().accessToken })
    },
    appLogsOut: () => queue.push(undefined),
  }
  return { auth, steps, queue, spent, sent, ends, last }
}

type Scene = ReturnType<typeof createScene>

/** After each sequence of `steps`, and once the app has shown everything, `check` finds nothing wrong. */
function inRandomTurns(promise: string, steps: Step[], check: (scene: Scene) => void | Promise<void>): void {
  for (const [shape, make] of Object.entries(SHAPES)) {
    const sequences = fc.array(fc.constantFrom(...steps), { maxLength: 25 })
    holdsFor(`${promise} (${shape})`, sequences, async (sequence) => {
      const scene = createScene(make)
      try {
        for (const step of sequence) await scene.steps[step]()
        while (scene.queue.length > 0) await scene.steps.show()
        await check(scene)
      } finally {
        scene.auth.dispose()
      }
    })
  }
}

inRandomTurns('takes none of its own writes for a change by the app', BY_CLIENT, ({ auth, ends, spent }) => {
  expect(ends.filter((reason) => reason.endsWith('elsewhere'))).toEqual([])
  expect(auth.stats().adopted).toBe(0)
  expect(new Set(spent).size).toBe(spent.length)
})

inRandomTurns(
  'uses no refresh token twice, whatever fails',
  BY_CLIENT_AND_FAULTS,
  async ({ steps, spent }) => {
    await steps.refresh()
    expect(new Set(spent).size).toBe(spent.length)
  },
)

inRandomTurns(
  'agrees with the app once that has shown everything',
  BY_BOTH,
  async ({ steps, sent, last }) => {
    await steps.request()
    const tokens = last()
    expect(sent.at(-1)).toBe(tokens && `Bearer ${tokens.accessToken}`)
  },
)
