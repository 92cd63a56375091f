// The refresh endpoint: what the server does with a call, and what becomes of its answer on the way back.
import { AuthClientError } from '../../src/errors.js'
import { isGuarded } from './invariants.js'
import { credentialOf, exchange, familyOf, issueTokens, partsOf } from './server.js'
import { glance } from './store.js'
import { dispatch } from './tab.js'
import { noteFault, REFRESH_TIMEOUT_MS, type Resource, type Tab, type World } from './world.js'

const UNAVAILABLE = new AuthClientError('REFRESH_FAILED', 'The endpoint did not answer.')
const REFUSAL = new AuthClientError('SESSION_EXPIRED', 'The refresh was refused.')

export function handle(world: World, tab: Tab, at: number): void {
  const { wire } = tab.resources[at] as Resource
  if (!wire) return
  const answer = exchange(world.server, wire.token as string, world.shape.rotates, world.nowMs)
  wire.answer = answer === 'reused' ? 'refused' : answer
  const { session } = familyOf(world.server, wire.token as string)
  // A tab that has yet to learn of a sign-out may still use what the user has left.
  const isLeft = world.tabs.some(({ memory }) => memory.over.includes(session))
  if (answer === 'reused' && !world.excused && isGuarded(world) && !isLeft)
    noteFault(world, `The refresh token ${wire.token} is sent twice, and the server ends the session.`)
}

export function mixUp(world: World, tab: Tab, at: number): void {
  const { wire } = tab.resources[at] as Resource
  const user = tab.state.current?.subjects.named === 'Cem' ? 'Dan' : 'Cem'
  const family = issueTokens(world.server, user, `s${world.server.families.length}`, world.nowMs)
  if (wire) wire.answer = { family, number: 0, hasRefreshToken: true }
}

export function answered(world: World, tab: Tab, at: number): void {
  const { run, wire } = tab.resources[at] as Resource
  const answer = wire?.answer
  if (!wire || !answer) return
  ;(tab.resources[at] as Resource).wire = undefined
  if (answer === 'lost') {
    failed(world, tab, run, UNAVAILABLE)
    return
  }
  if (answer === 'refused') {
    familyOf(world.server, wire.token as string).wasRefused = true
    failed(world, tab, run, REFUSAL)
    return
  }
  const { family, number, hasRefreshToken } = answer
  if (hasRefreshToken && wire.token && partsOf(wire.token)[0] === family) tab.memory.spent.push(wire.token)
  // Another tab may have been faster.
  glance(world, tab)
  const credential = credentialOf(world.server, family, number, hasRefreshToken)
  const newId = (world.server.families[family] as { session: string }).session
  dispatch(world, tab, { type: 'granted', run, credential, newId })
}

export function lost(world: World, tab: Tab, at: number): void {
  const { wire } = tab.resources[at] as Resource
  if (wire) wire.answer = 'lost'
  answered(world, tab, at)
}

function failed(world: World, tab: Tab, run: Resource['run'], error: AuthClientError): void {
  dispatch(world, tab, {
    type: 'failed',
    run,
    failure: { error, mayTryAgain: error === UNAVAILABLE },
    random: 0.5,
    dueAtMs: world.nowMs + REFRESH_TIMEOUT_MS,
  })
}
