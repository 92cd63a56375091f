// What must hold in every situation (contract G1 to G4, G8, G10, G11, G13 to G16, G24), and once everything has come to
// rest. Knows the truth from the server's and its own notes, not from the machine's.
import type { SessionEndReason } from '../../src/events.js'
import type { Decision } from '../../src/session/machine/decide.js'
import { isOutdated } from '../../src/session/machine/session-state.js'
import type { RefreshRun } from '../../src/session/machine/state.js'
import { familyOf, partsOf } from './server.js'
import { noteFault, type Request, type Stored, type Tab, type World } from './world.js'

/** A slow store that does not compare can take a late write over another tab's: known, and why stores compare. */
export function isGuarded({ shape, store }: World): boolean {
  return !store.hasFailed && (shape.store === 'sync' || shape.compares || shape.tabs === 1)
}

// ---- in the middle of a move -----------------------------------------------------------------------------------------

export function checkWrite(world: World, tab: Tab, value: Stored): void {
  if (!value || !isGuarded(world)) return
  const { memory, name } = tab
  const fault = (text: string) => noteFault(world, `Tab ${name} writes ${text}.`)
  const before = typeof world.store.value === 'object' ? world.store.value : undefined
  if (typeof value !== 'object') {
    if (before?.sessionId === memory.id && before && before.version > memory.version)
      fault('that the session was refused over tokens that are newer than its own')
    return
  }
  // Its own sign-out comes right after, in the queue of a slow store.
  const isLeaving = tab.guard.calls.some((call) => call.do === 'write' && call.byUser && !call.record)
  if (world.signedOut.includes(value.sessionId) && !isLeaving)
    fault('a session into the store that was signed out of')
  if (before?.sessionId === value.sessionId && value.version < before.version)
    fault('an older version over a newer one')
}

export function checkAsk(world: World, tab: Tab, { sent, session }: RefreshRun): void {
  const fault = (text: string) => noteFault(world, `Tab ${tab.name} asks for a refresh ${text}.`)
  if (!session || session.ended) {
    fault('for a session that is over')
    return
  }
  if (tab.memory.spent.includes(sent as string)) fault('with a token whose successor it has read')
  for (const other of world.tabs) {
    const isAsking = other.resources.some(({ wire, aborted }) => wire && !aborted)
    if (isAsking && other === tab) fault('while it asks already')
    else if (isAsking && world.shape.lock && !world.excused) fault(`while tab ${other.name} asks`)
  }
}

export function checkEnd(world: World, { name, state, memory }: Tab, reason: SessionEndReason): void {
  const [id = ''] = state.endedIds
  if (memory.over.includes(id)) noteFault(world, `Session ${id} ends twice in tab ${name}.`)
  memory.over.push(id)
  // What a store holds after a refusal does not say of which session; where one has failed, tokens may be known as spent.
  const wasRefused = world.server.families.some((family) => family.wasRefused) || world.store.hasFailed
  if (reason === 'refused' && !wasRefused)
    noteFault(world, `Session ${id} ends as refused, which it was not.`)
}

export function checkDecision(world: World, { state }: Tab, decision: Decision): void {
  if (decision.do === 'refresh' && state.run)
    noteFault(world, 'A second refresh is started beside the first.')
}

/** A 401 says something of the token that the request was sent with, and of no other. */
export function checkRejected(
  world: World,
  { session, generation, number }: Request,
  wasRejected: boolean,
): void {
  if (session.rejected && !wasRejected && session.generation !== generation)
    noteFault(world, `The late 401 of request ${number} counts against a newer token.`)
}

/** Whoever has waited goes on: not before the new tokens are in the store. */
export function checkResumed(world: World, tab: Tab, request: Request): void {
  const { session, number, beyond } = request
  request.beyond = undefined
  if (beyond === undefined || session.ended || world.excused || !isGuarded(world) || isOutdated(session))
    return
  if (session.version > beyond && (world.stored[session.id] ?? 0) <= beyond)
    noteFault(world, `Request ${number} goes on in tab ${tab.name} before its token is in the store.`)
}

export function checkSend(world: World, { memory }: Tab, request: Request, isPassed: boolean): void {
  const { session, token, user, number } = request
  const fault = (text: string) => noteFault(world, `Request ${number} is sent ${text}.`)
  const family = familyOf(world.server, token)
  if (memory.over.includes(session.id)) fault('after its session has ended')
  if (family.session !== session.id) fault("with another session's token")
  if (family.user !== user) fault("with another user's token")
  // One that has had all its refreshes, and no token in time, is sent all the same (G8).
  if (isPassed) return
  if (memory.rejected === `${session.id} ${session.generation}` || session.rejected)
    fault('with a token that was rejected')
  if (world.nowMs >= (family.endsAtMs[partsOf(token)[1]] as number)) fault('with a token that has expired')
}

// ---- after each move -------------------------------------------------------------------------------------------------

export function check(world: World): string | undefined {
  for (const tab of world.tabs) if (tab.life === 'running') checkTab(world, tab)
  return world.fault
}

/** For the tab that has moved, and no other: worlds share those. */
export function remember({ state: { current }, memory }: Tab): void {
  memory.id = current?.id
  memory.version = current?.version ?? memory.version
}

function checkTab(world: World, tab: Tab): void {
  const { state, memory, name } = tab
  const { current } = state
  const fault = (text: string) => noteFault(world, `Tab ${name} ${text}.`)
  if (current) {
    if (memory.over.includes(current.id) || current.ended) fault('is signed in to a session that has ended')
    if (familyOf(world.server, current.accessToken).user !== current.subjects.named)
      fault("has another user's token in a session")
    if (memory.spent.includes(current.refreshToken as string) && !isOutdated(current))
      fault('keeps a refresh token whose successor it has read')
    if (current.id === memory.id && current.version < memory.version && !world.shape.compares)
      fault('goes back to an older version')
  }
  for (const { stage, run, number } of tab.requests) {
    if (stage !== 'waiting' || run === state.run) continue
    const isComing =
      tab.jobs.some((job) => ('request' in job ? job.request.number === number : job.do === 'open')) ||
      (run && tab.guard.calls.some(({ chain }) => chain?.next.some((job) => 'run' in job && job.run === run)))
    if (!isComing) fault(`leaves request ${number} waiting for a refresh that is over`)
  }
}

// ---- at rest ---------------------------------------------------------------------------------------------------------

/** Nothing is under way any more: everybody has an answer, and all agree. */
export function checkRest(world: World): string | undefined {
  for (const tab of world.tabs) if (tab.life === 'running') checkTabAtRest(world, tab)
  return world.fault
}

function checkTabAtRest(world: World, tab: Tab): void {
  const { name, state, requests, resources, guard, memory } = tab
  const { current } = state
  const fault = (text: string) => noteFault(world, `At rest, tab ${name} ${text}.`)
  const [request] = requests
  if (request) fault(`has not answered request ${request.number}`)
  if (state.run) fault(`has a refresh that is still ${state.run.stage}`)
  if (state.abandoned.length > 0 || resources.length > 0 || guard.calls.length > 0)
    fault('has something left to do')
  if (!isGuarded(world)) return
  const { value } = world.store
  const record = typeof value === 'object' ? value : undefined
  // After an accident, a session that is over here may go on in another tab until that tab learns of it.
  if (world.excused && record && memory.over.includes(record.sessionId)) return
  if (record?.sessionId !== current?.id || record?.version !== current?.version)
    fault(
      `has ${current ? `${current.id}, version ${current.version}` : 'no session'}, and the store ${record ? `${record.sessionId}, version ${record.version}` : 'none'}`,
    )
  else if (record?.tokens && record.tokens.accessToken !== current?.accessToken)
    fault('has another token than the store')
}
