// The moves that are possible in a situation: those that come by themselves, and those that the app, time or bad luck
// make as long as their budget lasts.
import { coolingDown, isExpired, isStale } from '../../src/session/machine/session-state.js'
import { type Move, mayReject } from './moves.js'
import { familyOf, partsOf } from './server.js'
import { isWaiting } from './tab.js'
import type { Resource, Tab, World } from './world.js'

/** @param byThemselves leaves out what need not happen: nothing is at rest before all of these are done */
export function possibleMoves(world: World, byThemselves = false): Move[] {
  const moves: Move[] = []
  const isBusy = world.tabs.some(({ jobs, life }) => jobs.length > 0 && life === 'running')
  for (const [at, tab] of world.tabs.entries()) {
    const add = (what: Move['do'], which = 0) => moves.push({ do: what, tab: at, at: which })
    if (tab.life === 'gone') continue
    if (tab.life === 'frozen') {
      add('thaws')
      addAtServer(world, tab, add)
      continue
    }
    // Only the app's own code may run between two jobs of its tab.
    if (isBusy && tab.jobs.length === 0) continue
    if (!byThemselves) addOfApp(world, tab, add)
    if (isBusy) {
      add('has its jobs go on')
      continue
    }
    addAtServer(world, tab, add)
    addOnItsOwn(world, at, tab, add)
    if (!byThemselves) addAccidents(world, tab, add)
  }
  return moves
}

type Add = (what: Move['do'], which?: number) => void

function addOfApp({ left }: World, { state, listener }: Tab, add: Add): void {
  const { current } = state
  if (left.signIns > 0) {
    add('signs in as Ada')
    add('signs in as Bob')
  }
  if (left.listeners > 0 && !listener) {
    add('is set to sign out when it is next notified')
    add('is set to sign in when it is next notified')
    add('is set to make a request when it is next notified')
    add('is set to call refresh() when it is next notified')
  }
  if (!current) return
  if (left.requests > 0) add('makes a request')
  if (left.refreshes > 0) add('calls refresh()')
  if (left.updates > 0) add('calls updateTokens()')
  if (left.signOuts > 0) add('signs out')
}

function addAtServer({ left }: World, tab: Tab, add: Add): void {
  for (const [at, { wire }] of tab.resources.entries()) {
    if (!wire || wire.answer) continue
    add('has its refresh handled by the server', at)
    if (left.mixUps > 0) add("has its refresh handled as another user's", at)
  }
}

function addOnItsOwn(world: World, at: number, tab: Tab, add: Add): void {
  const { guard, requests, resources } = tab
  for (const [which, request] of requests.entries()) {
    if (request.stage !== 'sent') continue
    const [isAccepted, isRejected] = mayReject(world, request)
    if (isAccepted) add('has its request accepted', which)
    if (isRejected) add('has its request rejected', which)
  }
  for (const [which, resource] of resources.entries()) {
    const { wire, aborted, pausing } = resource
    if (wire && aborted) add('has its aborted refresh end', which)
    else if (wire?.answer) add('reads the answer to its refresh', which)
    if (pausing) add('has paused before it tries again', which)
    addTurns(world, resource, which, add)
  }
  const [call] = guard.calls
  if (call?.phase === 'called') add('has its store call done')
  if (call?.phase === 'done') add('has its store call answered')
  if (world.hints[at]) add('learns that the store has changed')
}

function addTurns({ tabs }: World, resource: Resource, which: number, add: Add): void {
  if (!isWaiting(resource)) return
  const held = resource.turn === 'waiting' ? 'held' : 'heldNext'
  const holder = tabs.find(
    ({ resources, life }) => life !== 'gone' && resources.some(({ turn }) => turn === held),
  )
  if (!holder) add('gets its turn', which)
  else if (holder.life === 'frozen' && held === 'held') add('passes the frozen holder of the lock', which)
}

function addAccidents(world: World, tab: Tab, add: Add): void {
  const { left, server, nowMs, store } = world
  for (const [at, resource] of tab.resources.entries()) {
    const { wire, aborted, begun, released } = resource
    if (wire && !aborted && left.losses > 0) add('loses the answer to its refresh', at)
    if (left.delays <= 0) continue
    if (wire?.answer && aborted) add('reads the late answer to an aborted refresh', at)
    if (begun && !released) add('finds its refresh over its time', at)
    if (isWaiting(resource)) add('gives up the wait for its turn', at)
  }
  if (left.crashes > 0) {
    add('crashes')
    if (tab.resources.some(({ wire }) => wire && !wire.answer))
      add('crashes, and the server handles its refresh')
  }
  if (left.freezes > 0) add('freezes')
  if (left.failedWrites > 0 && !store.failsNext) add('will have its next write fail')
  const { current } = tab.state
  // Of tabs with the same token one is enough: time passes for all.
  const first = world.tabs.find((other) => other === tab || (other.life === 'running' && isSame(other, tab)))
  if (!current || first !== tab) return
  if (left.expiries > 0 && !isExpired(current, nowMs)) add('has its token expire')
  if (left.waits > 0 && !isStale(current, nowMs)) add('has its token become stale')
  if (left.waits > 0 && coolingDown(current, nowMs)) add('has its cool-down end')
  const family = familyOf(server, current.accessToken)
  if (left.rejections > 0 && partsOf(current.accessToken)[1] >= family.validFrom)
    add('has its access tokens rejected from now on')
}

function isSame({ state: { current: one } }: Tab, { state: { current: other } }: Tab): boolean {
  if (one?.coolDown || other?.coolDown || one?.rejected !== other?.rejected) return false
  return one?.accessToken === other?.accessToken && one?.staleAtMs === other?.staleAtMs
}
