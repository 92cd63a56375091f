// One tab: hands events to its state machine and carries out the effects in their order, as interpreter.ts and
// run-driver.ts do, but on plain data. What takes time ends here in a note that it is outstanding; moves.ts goes on.

import type { RefreshReason } from '../../src/events.js'
import { createRun } from '../../src/session/machine/run.js'
import { createSessionState } from '../../src/session/machine/session-state.js'
import type { Effect, RefreshRun, SessionEvent } from '../../src/session/machine/state.js'
import { checkAsk, checkEnd } from './invariants.js'
import { credentialOf, issueTokens } from './server.js'
import { clear, endLook, glance, look, save } from './store.js'
import { noteFault, type Request, type Resource, type Tab, type World } from './world.js'

export function dispatch(world: World, tab: Tab, event: SessionEvent): void {
  world.tally.events++
  for (const effect of world.machine.step(tab.state, event, world.nowMs)) perform(world, tab, effect)
}

function perform(world: World, tab: Tab, effect: Effect): void {
  switch (effect.do) {
    case 'save':
      save(world, tab, effect)
      return
    case 'clear':
      clear(world, tab, effect.reason, effect.byUser)
      return
    case 'dropWrites':
      tab.guard.drops++
      return
    case 'look':
      look(world, tab, effect.next, effect.run)
      return
    case 'next':
      dispatch(world, tab, effect.event)
      return
    case 'open':
    case 'release':
      if (effect.afterWrites && tab.saving && !tab.saving.done)
        tab.saving.next.push({ do: effect.do, run: effect.run })
      else performOnRun(world, tab, effect)
      return
    case 'emit':
      notify(world, tab)
      return
    case 'end':
      checkEnd(world, tab, effect.end.reason)
      notify(world, tab)
      return
    case 'count':
    case 'publish':
    case 'ready':
      return
    default:
      performOnRun(world, tab, effect)
      return
  }
}

type RunEffect = Extract<
  Effect,
  { run: RefreshRun; do: 'takeTurn' | 'ask' | 'pause' | 'endPause' | 'wake' | 'release' | 'abort' | 'open' }
>

function performOnRun(world: World, tab: Tab, { do: name, run }: Pick<RunEffect, 'do' | 'run'>): void {
  const resource = resourceOf(tab, run)
  switch (name) {
    case 'takeTurn':
      if (world.shape.lock && !resource.aborted) resource.turn = tab.hasPassed ? 'waitingForNext' : 'waiting'
      else beginTurn(tab, resource)
      return
    case 'ask':
      checkAsk(world, tab, run)
      resource.wire = { token: run.sent, answer: undefined }
      return
    case 'pause':
      resource.pausing = true
      return
    case 'wake':
      release(tab, run)
      return
    case 'abort':
      if (resource.aborted) return
      resource.aborted = true
      // It goes on without a turn, having nothing to do any more.
      if (isWaiting(resource)) beginTurn(tab, resource)
      return
    case 'release':
      resource.released = true
      if (!isWaiting(resource)) resource.turn = 'none'
      endPause(tab, resource)
      return
    case 'open':
      open(tab, run)
      return
    default:
      endPause(tab, resource)
      return
  }
}

export function isWaiting({ turn }: Resource): boolean {
  return turn === 'waiting' || turn === 'waitingForNext'
}

export function resourceOf(tab: Tab, run: RefreshRun): Resource {
  let found = tab.resources.find((resource) => resource.run === run)
  if (!found) {
    found = {
      run,
      turn: 'none',
      begun: false,
      released: false,
      aborted: false,
      open: false,
      pausing: false,
      wire: undefined,
    }
    tab.resources.push(found)
  }
  return found
}

/** A turn later than what started it. */
export function beginTurn(tab: Tab, resource: Resource, turn: Resource['turn'] = 'none'): void {
  resource.turn = resource.released ? 'none' : turn
  resource.begun = true
  tab.jobs.push({ do: 'turnTaken', run: resource.run })
}

function endPause(tab: Tab, resource: Resource): void {
  if (resource.pausing) tab.jobs.push({ do: 'paused', run: resource.run })
  resource.pausing = false
  endLook(tab, resource.run)
}

function open(tab: Tab, run: RefreshRun): void {
  resourceOf(tab, run).open = true
  release(tab, run)
}

/** In the order in which they came. */
function release(tab: Tab, run: RefreshRun): void {
  for (const request of tab.requests) {
    if (request.run === run && request.stage === 'waiting') releaseOne(tab, request)
  }
}

export function releaseOne({ jobs }: Tab, request: Request): void {
  // What comes after this is not what it has waited for.
  if (request.session.version === request.beyond) request.beyond = undefined
  if (!jobs.some((job) => job.do === 'resume' && job.request === request))
    jobs.push({ do: 'resume', request })
}

export function startRun(
  world: World,
  tab: Tab,
  session: RefreshRun['session'],
  reason: RefreshReason,
): RefreshRun {
  const run = createRun(tab.state, session, reason, world.nowMs)
  dispatch(world, tab, { type: 'runStarted', run })
  return run
}

/** What the app does in the middle of a notification. */
function notify(world: World, tab: Tab): void {
  const { listener } = tab
  tab.listener = undefined
  if (listener === 'signOut') signOut(world, tab)
  else if (listener === 'signIn') signIn(world, tab, 'Bob')
  else if (listener && tab.state.current) world.links.startRequest(world, tab, listener)
}

export function signOut(world: World, tab: Tab): void {
  tab.memory.leaves = tab.state.current?.id
  dispatch(world, tab, { type: 'signedOut' })
}

export function signIn(world: World, tab: Tab, user: string): void {
  const id = `s${world.server.families.length}`
  const family = issueTokens(world.server, user, id, world.nowMs)
  const session = createSessionState(id, credentialOf(world.server, family, 0, true))
  dispatch(world, tab, { type: 'signedIn', session })
}

/** What is in the job queue is done before the next event from outside. */
export function runJob(world: World, tab: Tab): void {
  const job = tab.jobs.shift()
  if (!job) return
  switch (job.do) {
    case 'resume':
      world.links.resume(world, tab, job.request)
      return
    case 'turnTaken':
      dispatch(world, tab, { type: 'turnTaken', run: job.run })
      return
    case 'paused':
      glance(world, tab)
      dispatch(world, tab, { type: 'paused', run: job.run })
      return
    case 'open':
    case 'release':
      performOnRun(world, tab, { do: job.do, run: job.run })
      return
    case 'dispatch':
      dispatch(world, tab, job.event)
      return
  }
}

const MOST_JOBS = 1000

export function runJobs(world: World, tab: Tab): void {
  for (let count = 0; tab.jobs.length > 0; count++) {
    if (count === MOST_JOBS) {
      noteFault(world, 'A tab never comes to the end of its jobs.')
      return
    }
    runJob(world, tab)
  }
}
