// Requests of the app, and calls of `refresh()`: what access.ts, verbs.ts and the transport do with them, as data.

import { isToBeRenewed, MOST_REFRESHES } from '../../src/session/machine/decide.js'
import { isUnusable } from '../../src/session/machine/run.js'
import { coolingDown } from '../../src/session/machine/session-state.js'
import type { RefreshRun } from '../../src/session/machine/state.js'
import { checkDecision, checkRejected, checkResumed, checkSend } from './invariants.js'
import { isAccepted } from './server.js'
import { releaseOne, resourceOf, startRun } from './tab.js'
import { noteFault, type Request, type Tab, type World } from './world.js'

/** How often one request goes out at the most: see the transport. */
const MOST_SENDINGS = 5

export function startRequest(world: World, tab: Tab, kind: Request['kind']): void {
  const session = tab.state.current
  if (!session) return
  const request: Request = {
    kind,
    number: world.nextNumber++,
    session,
    user: session.subjects.named,
    stage: 'waiting',
    sent: 0,
    token: '',
    wasValid: false,
    generation: 0,
    run: undefined,
    waitsSince: 0,
    beyond: undefined,
    started: undefined,
    waited: false,
  }
  tab.requests.push(request)
  if (kind === 'refresh') {
    joinRefresh(world, tab, request)
    return
  }
  if (isUnusable(tab.state, session, world.nowMs)) {
    ensureFresh(world, tab, request)
    return
  }
  if (isToBeRenewed(tab.state, session, world.nowMs)) request.started = startRun(world, tab, session, 'stale')
  // By a listener.
  if (session.ended) {
    settle(tab, request)
    return
  }
  send(world, tab, request)
}

function ensureFresh(world: World, tab: Tab, request: Request): void {
  const { state } = tab
  const { session } = request
  const decision = world.machine.decide(state, session, request, world.nowMs, 0)
  checkDecision(world, tab, decision)
  if (decision.do === 'fail') {
    settle(tab, request)
    return
  }
  // A request that has an answer passes it on; one that has none goes out as things are.
  if (decision.do === 'pass' && request.sent > 0) {
    settle(tab, request)
    return
  }
  if (decision.do === 'send' || decision.do === 'pass') {
    send(world, tab, request, decision.do === 'pass')
    return
  }
  const { generation } = session
  let run: RefreshRun
  if (decision.do === 'wait') run = decision.run
  else {
    if (coolingDown(session, world.nowMs))
      noteFault(world, 'A request starts a refresh during the cool-down.')
    run = startRun(world, tab, session, decision.reason)
    world.machine.noteStarted(request, run)
  }
  wait(tab, request, run, generation)
}

function wait(tab: Tab, request: Request, run: RefreshRun, generation: number): void {
  // Those who wait go on in the order in which their waits began.
  tab.requests = [...tab.requests.filter((other) => other !== request), request]
  request.stage = 'waiting'
  request.run = run
  request.waitsSince = generation
  request.beyond = run.version
  if (resourceOf(tab, run).open) releaseOne(tab, request)
}

/** Its wait is over. */
export function resume(world: World, tab: Tab, request: Request): void {
  const { session, run, kind } = request
  if (!run || !tab.requests.includes(request)) return
  request.run = undefined
  if (kind === 'refresh') {
    const isDone = session.ended || run.error || run.attempts || !isUnusable(tab.state, session, world.nowMs)
    if (isDone) {
      if (!run.error) checkResumed(world, tab, request)
      settle(tab, request)
    } else if (++request.sent >= MOST_REFRESHES) settle(tab, request)
    else joinRefresh(world, tab, request)
    return
  }
  try {
    world.machine.noteWaited(session, request, run, request.waitsSince, 0)
  } catch {
    settle(tab, request)
    return
  }
  ensureFresh(world, tab, request)
}

function joinRefresh(world: World, tab: Tab, request: Request): void {
  const { generation } = request.session
  wait(tab, request, tab.state.run ?? startRun(world, tab, request.session, 'asked'), generation)
}

export function send(world: World, tab: Tab, request: Request, isPassed = false): void {
  const { session } = request
  if (session.ended) {
    settle(tab, request)
    return
  }
  request.stage = 'sent'
  request.sent++
  request.token = session.accessToken
  request.generation = session.generation
  request.wasValid = isAccepted(world.server, request.token, world.nowMs)
  checkSend(world, tab, request, isPassed)
  checkResumed(world, tab, request)
}

export function accepted(world: World, tab: Tab, request: Request): void {
  if (request.waited) world.machine.noteAccepted(request.session, request.generation)
  settle(tab, request)
}

export function rejected(world: World, tab: Tab, request: Request): void {
  const { session, generation } = request
  const wasRejected = session.rejected
  const mayGoOn = world.machine.noteRejected(tab.state, session, generation, request, world.nowMs)
  checkRejected(world, request, wasRejected)
  if (session.generation === generation) {
    // Or it is passed on as it came: one endpoint that rejects a fresh token proves nothing.
    if (mayGoOn) tab.memory.rejected = `${session.id} ${generation}`
    else if (!session.rejected) tab.memory.rejected = undefined
  }
  if (!mayGoOn || request.sent >= MOST_SENDINGS) settle(tab, request)
  else ensureFresh(world, tab, request)
}

/** The app has its answer, of whatever kind. */
function settle(tab: Tab, request: Request): void {
  tab.requests = tab.requests.filter((other) => other !== request)
}
