// The store as each tab sees it: what guarded-store.ts and store-sync.ts do, as data. A synchronous one is read and
// written at once; the calls of a slow one wait in their turn and go on by moves of the world.
import { isOutdated, recordOf, type SessionState } from '../../src/session/machine/session-state.js'
import { type Effect, type FoundInStore, isOver, type SessionEvent } from '../../src/session/machine/state.js'
import { createMark, REFUSED, type SessionRecord, type StoredRecord } from '../../src/stores/store.js'
import { checkWrite } from './invariants.js'
import { credentialIn } from './server.js'
import type { Chain, StoreCall, Stored, Tab, World } from './world.js'

type SaveEffect = Extract<Effect, { do: 'save' }>

export function textOf(stored: Stored): string {
  return stored === undefined ? '' : stored === REFUSED ? REFUSED : JSON.stringify(stored)
}

/** Takes up what the store holds, if it answers at once. */
export function glance(world: World, tab: Tab): void {
  if (world.shape.store === 'sync') takeUp(world, tab, readNow(world, tab))
}

export function look(world: World, tab: Tab, next?: SessionEvent, run?: StoreCall['run']): void {
  if (world.shape.store === 'slow') {
    call(world, tab, { do: 'read', next, run })
    return
  }
  takeUp(world, tab, readNow(world, tab))
  if (next) world.links.dispatch(world, tab, next)
}

export function save(
  world: World,
  tab: Tab,
  { session, byUser = false, directly = false, next }: SaveEffect,
): void {
  const { store } = world.shape
  const chain = next?.type === 'stored' && store === 'slow' ? { done: false, next: [] } : undefined
  if (chain) tab.saving = chain
  const { calls } = tab.guard
  if (store === 'slow' && !directly && calls.length === 0) {
    call(world, tab, { do: 'read', writes: { session, byUser }, next, chain })
  } else write(world, tab, session, byUser, next, chain)
}

/** Or not: a session that has ended is not stored, nor one whose newer tokens another tab has. */
function write(
  world: World,
  tab: Tab,
  session: SessionState,
  byUser: boolean,
  next: SessionEvent | undefined,
  chain: Chain | undefined,
): void {
  if (byUser || !(isOver(tab.state, session) || isOutdated(session))) {
    put(world, tab, Object.freeze(recordOf(session)), undefined, byUser, next, chain)
    return
  }
  goOn(world, tab, next, chain)
}

export function clear(world: World, tab: Tab, reason: typeof REFUSED | undefined, byUser = false): void {
  put(world, tab, undefined, reason, byUser)
}

function put(
  world: World,
  tab: Tab,
  record: StoredRecord | undefined,
  reason: typeof REFUSED | undefined,
  byUser: boolean,
  next?: SessionEvent,
  chain?: Chain,
): void {
  const { guard, memory } = tab
  const leaves = byUser && !record ? memory.leaves : undefined
  if (byUser) guard.writesByUser++
  if (world.shape.store === 'slow') {
    call(world, tab, { do: 'write', record, reason, byUser, round: guard.drops, next, chain, leaves })
    return
  }
  if (isFailing(world)) recover(world, tab, record, byUser)
  else {
    setStored(world, tab, record ?? reason, leaves)
    guard.seen = textOf(record ?? reason)
  }
  goOn(world, tab, next, chain)
}

function goOn(world: World, tab: Tab, next: SessionEvent | undefined, chain: Chain | undefined): void {
  if (next) world.links.dispatch(world, tab, next)
  if (!chain) return
  chain.done = true
  tab.jobs.push(...chain.next)
}

function isFailing({ store }: World): boolean {
  if (!store.failsNext) return false
  store.failsNext = false
  store.hasFailed = true
  return true
}

/** Every write to the store goes through here. */
function setStored(world: World, tab: Tab, value: Stored, leaves?: string): void {
  checkWrite(world, tab, value)
  if (leaves && !world.signedOut.includes(leaves)) world.signedOut.push(leaves)
  world.store.value = value
  for (const [at, other] of world.tabs.entries())
    if (other !== tab && other.life !== 'gone') world.hints[at] = true
  if (typeof value !== 'object' || !value.tokens) return
  world.stored[value.sessionId] = Math.max(world.stored[value.sessionId] ?? 0, value.version)
}

/** A write failed: what it was to replace must not stay if its refresh token is spent. */
function recover(world: World, tab: Tab, record: StoredRecord | undefined, byUser: boolean): void {
  const { value } = world.store
  if (!record?.tokens || typeof value !== 'object' || !value.tokens || textOf(value) !== tab.guard.seen)
    return
  if (value.sessionId === record.sessionId && value.tokens.refreshToken === record.tokens.refreshToken) return
  const mark = byUser ? undefined : createMark(record)
  setStored(world, tab, mark)
  tab.guard.seen = textOf(mark)
}

function readNow(world: World, tab: Tab): FoundInStore {
  return understand(tab, world.store.value, tab.guard.writesByUser)
}

function understand({ guard }: Tab, value: Stored, writesByUser: number): FoundInStore {
  const text = textOf(value)
  const news = guard.seen === undefined ? undefined : text !== guard.seen
  guard.seen = text
  return {
    record: typeof value === 'object' ? value : undefined,
    refused: value === REFUSED,
    news: writesByUser === guard.writesByUser && news,
  }
}

/** What the first look finds. */
export function loadNow(world: World, tab: Tab): FoundInStore {
  return withCredential(world, readNow(world, tab))
}

function takeUp(world: World, tab: Tab, found: FoundInStore): void {
  const { current, phase } = tab.state
  const { record } = found
  const isKnown =
    !found.isConflict &&
    record?.tokens &&
    record.sessionId === current?.id &&
    !world.machine.isNewer(record, current)
  if (phase === 'ready' && !isKnown)
    world.links.dispatch(world, tab, { type: 'found', ...withCredential(world, found) })
}

function withCredential({ nowMs }: World, found: FoundInStore): FoundInStore {
  const { record } = found
  return { ...found, credential: record?.tokens && credentialIn(record as SessionRecord, nowMs) }
}

// ---- the calls of a slow store ---------------------------------------------------------------------------------------

function call(world: World, tab: Tab, part: Pick<StoreCall, 'do'> & Partial<StoreCall>): void {
  const { calls, seen } = tab.guard
  // What is known when the call is made; what it finds beside that is somebody else's.
  const before = calls.filter((other) => other.do === 'write').at(-1)
  calls.push({
    phase: 'queued',
    record: undefined,
    reason: undefined,
    byUser: false,
    round: 0,
    writesByUser: 0,
    expects: before ? textOf(before.record ?? before.reason) : seen,
    outcome: undefined,
    run: undefined,
    next: undefined,
    writes: undefined,
    chain: undefined,
    leaves: undefined,
    ...part,
  })
  if (calls.length === 1) begin(world, tab)
}

function begin(world: World, tab: Tab): void {
  const [head] = tab.guard.calls
  if (head?.phase !== 'queued') return
  head.phase = 'called'
  if (head.byUser) tab.guard.begunByUser++
  head.writesByUser = tab.guard.begunByUser
  const isDropped = head.do === 'write' && !head.byUser && head.round !== tab.guard.drops
  if (isDropped) endCall(world, tab)
}

/** The store does what it was called for. */
export function doCall(world: World, tab: Tab): void {
  const head = tab.guard.calls[0] as StoreCall
  const { record, reason, byUser, expects } = head
  head.phase = 'done'
  if (head.do === 'read') head.outcome = { value: world.store.value }
  else if (isFailing(world)) head.outcome = 'failed'
  else if (world.shape.compares && !byUser && expects !== undefined && textOf(world.store.value) !== expects)
    head.outcome = 'conflict'
  else {
    setStored(world, tab, record ?? reason, head.leaves)
    head.outcome = 'written'
  }
}

/** Its answer arrives. */
export function endCall(world: World, tab: Tab): void {
  const { guard } = tab
  const head = guard.calls[0] as StoreCall
  const { outcome, record, reason, byUser, writes, next, chain } = head
  guard.calls.shift()
  if (outcome === 'written') guard.seen = textOf(record ?? reason)
  else if (outcome === 'failed') {
    if (!guard.calls.some((other) => other.do === 'write')) recover(world, tab, record, byUser)
  } else if (outcome === 'conflict') {
    const news = guard.begunByUser === guard.writesByUser
    takeUp(world, tab, { ...readNow(world, tab), news, isConflict: true })
  } else if (outcome) takeUp(world, tab, understand(tab, outcome.value, head.writesByUser))
  if (writes) write(world, tab, writes.session, writes.byUser, next, chain)
  else goOn(world, tab, next, chain)
  begin(world, tab)
}

/** The wait of a run for the store is brought to its end; the look itself goes on. */
export function endLook({ guard, jobs }: Tab, run: StoreCall['run']): void {
  for (const pending of guard.calls) {
    if (pending.run !== run || !pending.next) continue
    jobs.push({ do: 'dispatch', event: pending.next })
    pending.next = undefined
  }
}
