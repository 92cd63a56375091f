// What may happen next in a world, and how it happens. A move is plain data, with a name that says what it is in a
// counterexample; the same move in the same situation leads to the same one.
import { AuthClientError } from '../../src/errors.js'
import { timedOut } from '../../src/session/machine/reasons.js'
import { createSessionState, recordOf } from '../../src/session/machine/session-state.js'
import { answered, handle, lost, mixUp } from './endpoint.js'
import { check, remember } from './invariants.js'
import { accepted, rejected, resume, startRequest } from './requests.js'
import { credentialOf, exchange, familyOf, isAccepted, issueTokens } from './server.js'
import type { Budget, Machine, Shape } from './shape.js'
import { doCall, endCall, glance, loadNow, look } from './store.js'
import { beginTurn, dispatch, isWaiting, runJob, runJobs, signIn, signOut } from './tab.js'
import {
  createWorld,
  REFRESH_TIMEOUT_MS,
  type Request,
  type Resource,
  type Tab,
  type World,
} from './world.js'

export interface Move {
  readonly do: keyof typeof MOVES
  readonly tab: number
  /** Which request or refresh of the tab's. */
  readonly at: number
}

const NO_TURN = new AuthClientError('REFRESH_TIMEOUT', 'Other tabs try to refresh, and get no answer.')

const requestAt = (tab: Tab, at: number) => tab.requests[at] as Request
const resourceAt = (tab: Tab, at: number) => tab.resources[at] as Resource

type Perform = (world: World, tab: Tab, at: number) => void

const spend =
  (kind: keyof Budget, perform: Perform): Perform =>
  (world, tab, at) => {
    world.left[kind]--
    perform(world, tab, at)
  }

const excuse =
  (perform: Perform): Perform =>
  (world, tab, at) => {
    world.excused = true
    perform(world, tab, at)
  }

const MOVES = Object.freeze({
  // The app.
  'makes a request': spend('requests', (world, tab) => startRequest(world, tab, 'request')),
  'calls refresh()': spend('refreshes', (world, tab) => startRequest(world, tab, 'refresh')),
  'calls updateTokens()': spend('updates', updateTokens),
  'signs out': spend('signOuts', signOut),
  'signs in as Ada': spend('signIns', (world, tab) => signIn(world, tab, 'Ada')),
  'signs in as Bob': spend('signIns', (world, tab) => signIn(world, tab, 'Bob')),
  'is set to sign out when it is next notified': spend(
    'listeners',
    (_, tab) => void (tab.listener = 'signOut'),
  ),
  'is set to sign in when it is next notified': spend(
    'listeners',
    (_, tab) => void (tab.listener = 'signIn'),
  ),
  'is set to make a request when it is next notified': spend(
    'listeners',
    (_, tab) => void (tab.listener = 'request'),
  ),
  'is set to call refresh() when it is next notified': spend(
    'listeners',
    (_, tab) => void (tab.listener = 'refresh'),
  ),
  // The server.
  'has its request accepted': (world, tab, at) => accepted(world, tab, requestAt(tab, at)),
  'has its request rejected': (world, tab, at) => rejected(world, tab, requestAt(tab, at)),
  'has its refresh handled by the server': handle,
  "has its refresh handled as another user's": spend('mixUps', mixUp),
  'reads the answer to its refresh': answered,
  'reads the late answer to an aborted refresh': spend('delays', answered),
  'loses the answer to its refresh': spend('losses', excuse(lost)),
  'has its aborted refresh end': excuse(lost),
  // Time.
  'finds its refresh over its time': spend('delays', excuse(overTime)),
  'gives up the wait for its turn': spend('delays', giveUpTurn),
  'has paused before it tries again': paused,
  // The lock.
  'gets its turn': granted,
  'passes the frozen holder of the lock': (_, tab, at) => {
    tab.hasPassed = true
    resourceAt(tab, at).turn = 'waitingForNext'
  },
  // The store.
  'has its store call done': doCall,
  'has its store call answered': endCall,
  'learns that the store has changed': (world, tab) => {
    world.hints[world.tabs.indexOf(tab)] = false
    look(world, tab)
  },
  'has its jobs go on': runJob,
  // Accidents.
  crashes: spend('crashes', excuse(crash)),
  'crashes, and the server handles its refresh': spend(
    'crashes',
    excuse((world, tab) => {
      for (const { wire } of tab.resources) {
        if (wire?.token && !wire.answer) exchange(world.server, wire.token, world.shape.rotates, world.nowMs)
      }
      crash(world, tab)
    }),
  ),
  freezes: spend(
    'freezes',
    excuse((_, tab) => void (tab.life = 'frozen')),
  ),
  thaws: (_, tab) => void (tab.life = 'running'),
  // What concerns all.
  'has its token expire': spend('expiries', expire),
  'has its token become stale': spend('waits', stale),
  'has its cool-down end': spend('waits', coolOff),
  'has its access tokens rejected from now on': spend('rejections', reject),
  'will have its next write fail': spend('failedWrites', (world) => void (world.store.failsNext = true)),
} satisfies Record<string, Perform>)

/** A world in which somebody is signed in, and every tab knows. */
export function startWorld(shape: Shape, budget: Budget, machine?: Machine): World {
  const world = createWorld({ dispatch, resume, startRequest }, shape, budget, machine)
  const credential = credentialOf(world.server, 0, 0, true)
  world.store.value = Object.freeze(recordOf(createSessionState('s0', credential)))
  world.stored.s0 = 1
  for (const tab of world.tabs) {
    dispatch(world, tab, { type: 'loaded', found: loadNow(world, tab), given: undefined })
    remember(tab)
  }
  return world
}

/** Performs a move, and everything that follows at once. Returns the fault that it shows. */
export function perform(world: World, move: Move): string | undefined {
  const tab = world.tabs[move.tab] as Tab
  const act: Perform = MOVES[move.do]
  act(world, tab, move.at)
  if (world.shape.eager) runJobs(world, tab)
  tab.resources = tab.resources.filter((resource) => isInUse(tab, resource))
  check(world)
  if (tab.life === 'running') remember(tab)
  return world.fault
}

function isInUse(
  { state, guard, jobs }: Tab,
  { run, turn, wire, pausing, released, begun }: Resource,
): boolean {
  if (run === state.run || state.abandoned.includes(run) || turn !== 'none' || wire || pausing) return true
  if (jobs.some((job) => 'run' in job && job.run === run)) return true
  return (begun && !released) || guard.calls.some((call) => call.run === run && call.next)
}

export function describe({ tabs }: World, { do: what, tab: at, at: which }: Move): string {
  const tab = tabs[at] as Tab
  const request = what.startsWith('has its request') ? ` (request ${tab.requests[which]?.number})` : ''
  return `tab ${tab.name} ${what}${request}`
}

function updateTokens(world: World, tab: Tab): void {
  const session = tab.state.current
  glance(world, tab)
  if (!session || session.ended) return
  const family = issueTokens(world.server, session.subjects.named as string, session.id, world.nowMs)
  const credential = credentialOf(world.server, family, 0, true)
  dispatch(world, tab, { type: 'updated', session, credential, newId: 'unused', byApp: true })
}

function overTime(world: World, tab: Tab, at: number): void {
  const { run } = resourceAt(tab, at)
  dispatch(world, tab, { type: 'finished', run, failure: { error: timedOut(REFRESH_TIMEOUT_MS) } })
}

function giveUpTurn(world: World, tab: Tab, at: number): void {
  const { run } = resourceAt(tab, at)
  resourceAt(tab, at).turn = 'none'
  dispatch(world, tab, { type: 'finished', run, failure: { error: NO_TURN } })
}

function paused(world: World, tab: Tab, at: number): void {
  const { run } = resourceAt(tab, at)
  resourceAt(tab, at).pausing = false
  glance(world, tab)
  dispatch(world, tab, { type: 'paused', run })
}

function granted(_: World, tab: Tab, at: number): void {
  const resource = resourceAt(tab, at)
  if (isWaiting(resource)) beginTurn(tab, resource, resource.turn === 'waiting' ? 'held' : 'heldNext')
}

/** Everything of it is gone; the browser frees its locks. */
function crash(world: World, tab: Tab): void {
  tab.life = 'gone'
  tab.requests = []
  tab.resources = []
  tab.jobs = []
  tab.guard.calls = []
  world.hints[world.tabs.indexOf(tab)] = false
}

function reject({ server }: World, tab: Tab): void {
  const token = tab.state.current?.accessToken
  if (!token) return
  const family = familyOf(server, token)
  family.validFrom = family.latest + 1
}

function expire(world: World, tab: Tab): void {
  world.nowMs = tab.state.current?.expiresAtMs ?? world.nowMs
}

function stale(world: World, tab: Tab): void {
  world.nowMs = tab.state.current?.staleAtMs ?? world.nowMs
}

function coolOff(world: World, tab: Tab): void {
  const { coolDown } = tab.state.current ?? {}
  if (coolDown) world.nowMs = coolDown.sinceMs + coolDown.lengthMs
}

export function mayReject(
  { server, nowMs }: World,
  { token, wasValid }: Request,
): [yes: boolean, no: boolean] {
  const isValid = isAccepted(server, token, nowMs)
  return [wasValid, !wasValid || !isValid]
}
