// The backend of the soak, in a process of its own so that the client's heap and sockets are the client's alone: the auth
// server of the tests, with strict reuse detection, whose refresh endpoint fails one time in five on demand.

import type { RefreshBehaviour } from '../support/auth-server/refresh.js'
import { startAuthServer } from '../support/auth-server.js'
import type { Answered, Asked } from './backend-process.js'

/**
 * Every way to fail that leaves the session alive (G10). The refresh token stays good, but for `same-token-rotated`, which
 * is useless and still hands over the next one.
 */
const FAULTS: [name: string, behaviour: RefreshBehaviour][] = [
  ['same token, rotated', 'same-token-rotated'],
  ['503', 503],
  ['500', 500],
  ['429, Retry-After 1', { status: 429, retryAfter: 1 }],
  ['408', 408],
  ['404', 404],
  ['302', 302],
  ['400 invalid_client', { status: 400, error: 'invalid_client' }],
  ['dropped before', 'drop-before'],
  ['no answer', 'never'],
  ['empty 200', 'empty'],
  ['captive portal', 'html'],
  ['rubbish, 2 MB', 'two-megabytes-of-rubbish'],
  ['unusable token', 'line-break-token'],
  ['same token', 'same-token'],
]

const FAULTY_PART = 1 / 5

const server = await startAuthServer({
  tokens: 'opaque',
  realTime: true,
  keepLog: false,
})
const faults: Record<string, number> = {}
let faulty = false
let failed = 0

server.route('/auth/refresh', () => {
  if (!faulty || Math.random() >= FAULTY_PART) return undefined
  // In turn, so that every one of them comes.
  const [name, behaviour] = FAULTS[failed++ % FAULTS.length] as (typeof FAULTS)[number]
  faults[name] = (faults[name] ?? 0) + 1
  server.refresh.next(behaviour)
  return undefined
})

process.on('message', ({ id, ask, lifetimeSeconds = 1 }: Asked) => {
  const reply = (answer: unknown) => process.send?.({ id, answer } satisfies Answered)
  switch (ask) {
    case 'url':
      return reply(server.url)
    case 'login':
      server.settings.accessLifetimeSeconds = lifetimeSeconds
      return reply(server.login())
    case 'faulty':
      faulty = true
      return reply(undefined)
    case 'sound':
      faulty = false
      return reply(undefined)
    case 'kill-access-tokens':
      server.killAccessTokens()
      server.forget()
      return reply(undefined)
    case 'counts':
      return reply({ ...server.counts, faults, sockets: server.sockets().length })
  }
})
process.on('disconnect', () => process.exit())
