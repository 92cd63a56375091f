// One text for all situations that are equal: what is only ever compared is written as the comparison, a moment as its
// distance from now, what can no longer matter not at all. What is not known here is written as it is, so that a new
// field can make more situations different, and never fewer. canonical.test.ts proves that equal situations go on alike.
import type { SessionState } from '../../src/session/machine/session-state.js'
import type { RefreshRun } from '../../src/session/machine/state.js'
import type { StoredRecord } from '../../src/stores/store.js'
import { hashOf } from './hash.js'
import type { Chain, Guard, Request, StoreCall, Stored, Tab, World } from './world.js'

/** The text in full, to be read. */
export function textOfWorld(world: World): string {
  return textWith(world, textOfTab)
}

/** The same in short: tabs by their hashes. */
export function keyOfWorld(world: World): string {
  return textWith(world, hashOfTab)
}

/** Tabs are alike, so two situations with exchanged tabs are one. */
function textWith(world: World, textOf: (tab: Tab, nowMs: number) => string): string {
  const tabs = world.tabs.map((tab, at) => textOf(tab, world.nowMs) + (world.hints[at] ? '!' : '')).sort()
  const { left, store, signedOut, stored, server, excused, nowMs } = world
  let text = `${tabs.join('|')}|${[...signedOut].sort()}|${excused} ${store.failsNext} ${store.hasFailed}|`
  text += textOfStored(store.value, nowMs)
  for (const name in left) text += ` ${left[name as keyof typeof left]}`
  for (const id of Object.keys(stored).sort()) text += ` ${id} ${stored[id]}`
  for (const { endsAtMs, user, session, latest, validFrom, revoked, wasRefused } of server.families) {
    text += `|${user} ${session} ${latest} ${validFrom} ${revoked} ${wasRefused}`
    for (const endMs of endsAtMs) text += ` ${Math.max(0, endMs - nowMs)}`
  }
  return text
}

/** Hashes of tabs that a move of another tab has left as they were. */
const hashes = new WeakMap<Tab, { nowMs: number; hash: string }>()

function hashOfTab(tab: Tab, nowMs: number): string {
  const known = hashes.get(tab)
  if (known?.nowMs === nowMs) return known.hash
  const hash = hashOf(textOfTab(tab, nowMs)).join()
  hashes.set(tab, { nowMs, hash })
  return hash
}

// ---- a tab -----------------------------------------------------------------------------------------------------------

interface Writing {
  readonly tab: Tab
  readonly nowMs: number
  /** Numbered in the order in which they are met. */
  readonly runs: RefreshRun[]
}

function textOfTab(tab: Tab, nowMs: number): string {
  const { name: _, life, requests, jobs, state, memory, resources, guard, saving, ...rest } = tab
  const over = [...memory.over].sort().join()
  if (life === 'gone') return `gone ${over}`
  const writing: Writing = { tab, nowMs, runs: [] }
  const { rules, endedIds, decisions, decision, ...machine } = state
  const { current } = state
  const isRejected = memory.rejected === `${current?.id} ${current?.generation}`
  let text = `${life} ${over} ${isRejected} ${[...endedIds].sort()} ${[...memory.spent].sort()} `
  text += write(writing, { ...memory, over: undefined, spent: undefined, rejected: undefined })
  text += write(writing, machine) + write(writing, resources)
  text += writeGuard(writing, guard) + writeChain(writing, saving) + write(writing, rest)
  // Those who wait go on in their order; whoever waits next comes after them.
  for (const request of waitingIn(tab)) text += writeRequest(writing, request)
  const sent = requests
    .filter(({ stage }) => stage === 'sent')
    .map((request) => writeRequest(writing, request))
  return text + sent.sort().join() + write(writing, jobs)
}

function waitingIn({ requests }: Tab): Request[] {
  return requests.filter(({ stage }) => stage === 'waiting')
}

function write(writing: Writing, value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Error) return value.message
  if (Array.isArray(value)) return `[${value.map((item) => write(writing, item)).join()}]`
  if ('freshRejectedAtMs' in value) return writeSession(writing, value as SessionState)
  if ('attempts' in value) return writeRun(writing, value as RefreshRun)
  if ('waitsSince' in value) return `waiter ${waitingIn(writing.tab).indexOf(value as Request)}`
  return writeFields(writing, value as Record<string, unknown>)
}

function writeFields(writing: Writing, fields: Record<string, unknown>): string {
  let text = '{'
  for (const name in fields) {
    const value = fields[name]
    if (value === undefined) continue
    const isMoment = name.endsWith('AtMs') || name === 'sinceMs'
    text += `${name} ${isMoment ? writing.nowMs - (value as number) : write(writing, value)},`
  }
  return `${text}}`
}

/** Longer ago than this, a rejection of a fresh token cannot count any more: twice the time that three must lie within. */
const LONGEST_AGO_MS = 60_000

function writeSession(writing: Writing, session: SessionState): string {
  const { generation, epoch, freshRejectedAtMs, ended, id, ...rest } = session
  // Nobody gets at its tokens any more. Which of its errors comes back makes no difference here.
  if (ended) return `ended ${id}`
  const { expiresAtMs = 0, staleAtMs = 0, lifetimeMs, coolDown, ...others } = rest
  const { nowMs, tab } = writing
  const coolsForMs = coolDown ? coolDown.sinceMs + coolDown.lengthMs - nowMs : 0
  const name = session === tab.state.current ? 'current' : ''
  return (
    `${name} ${id} ${Math.max(0, expiresAtMs - nowMs)} ${Math.max(0, staleAtMs - nowMs)} ${Math.max(0, coolsForMs)} ` +
    `${freshRejectedAtMs.map((atMs) => Math.min(LONGEST_AGO_MS, nowMs - atMs))} ${writeFields(writing, others)}`
  )
}

function writeRun(writing: Writing, run: RefreshRun): string {
  const { runs, tab } = writing
  const at = runs.indexOf(run)
  if (at >= 0) return `run ${at}`
  runs.push(run)
  const { session, generation, version, epoch, decisions, startedAtMs, reason, ...rest } = run
  const { stage, attempts, sent, brought, revives, failure, error, ...others } = rest
  const whose = !session
    ? ''
    : session.ended
      ? 'ended'
      : session === tab.state.current
        ? 'current'
        : session.id
  return (
    `${whose} ${session?.generation === generation} ${version} ${session?.epoch === epoch} ${stage} ${attempts} ${sent} ` +
    `${brought} ${revives && !revives.ended} ${write(writing, failure)} ${!!error} ${writeFields(writing, others)}`
  )
}

function writeRequest(writing: Writing, request: Request): string {
  const { runs, tab } = writing
  const { number: _, user: _user, session, started, ...rest } = request
  const { stage, generation, waitsSince, run, beyond, token, wasValid, ...fields } = rest
  const { kind, sent, waited, mayStartAgain, joined = 0, ...others } = fields
  const whose = session.ended ? 'ended' : session === tab.state.current ? 'current' : session.id
  let text = `(${kind} ${stage} ${whose} ${sent} ${waited} ${mayStartAgain} ${joined} ${writeFields(writing, others)}`
  // What was sent last matters until its answer is there, what is waited for as long as it waits.
  if (stage === 'sent') text += ` ${token} ${wasValid} ${session.generation === generation}`
  else text += ` ${run && write(writing, run)} ${session.generation === waitsSince} ${beyond}`
  // Of a refresh that is over, only whether it has asked is ever looked at.
  const at = runs.indexOf(started as RefreshRun)
  return `${text} ${at >= 0 ? at : started && started.attempts > 0})`
}

// ---- the store -------------------------------------------------------------------------------------------------------

function writeGuard(writing: Writing, guard: Guard): string {
  const { seen, drops, writesByUser, begunByUser, calls, ...others } = guard
  let text = `${shortOf(seen)} ${writesByUser - begunByUser} ${write(writing, others)}`
  for (const call of calls) text += writeCall(writing, call, guard)
  return text
}

function writeCall(writing: Writing, call: StoreCall, { drops, writesByUser }: Guard): string {
  const { record, expects, outcome, round, chain, ...others } = call
  const { nowMs } = writing
  const found = typeof outcome === 'object' ? textOfStored(outcome.value, nowMs) : outcome
  return (
    `<${textOfStored(record, nowMs)} ${shortOf(expects)} ${found} ${round === drops} ${writesByUser - call.writesByUser} ` +
    `${writeChain(writing, chain)} ${writeFields(writing, { ...others, writesByUser: undefined })}>`
  )
}

/** Once it is done, nobody looks at it any more. */
function writeChain(writing: Writing, chain: Chain | undefined): string {
  return !chain || chain.done ? '-' : write(writing, chain.next)
}

/** Texts of records without the moment at which their token ends. */
const shortTexts = new Map<string, string>()

/** A token ends at one moment, so a record without it is as good, and the same at any time. */
function shortOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  let short = shortTexts.get(text)
  if (short === undefined) {
    short = text.replace(/"expiresAtMs":\d+,?/, '').replace(/[{}":]|accessToken|refreshToken|sessionId/g, '')
    shortTexts.set(text, short)
  }
  return short
}

const storedTexts = new WeakMap<StoredRecord, string>()

function textOfStored(stored: Stored, nowMs: number): string {
  if (typeof stored !== 'object') return String(stored)
  let text = storedTexts.get(stored)
  if (text === undefined) {
    text = shortOf(JSON.stringify(stored)) as string
    storedTexts.set(stored, text)
  }
  return 'expiresAtMs' in stored ? `${text} ${(stored.expiresAtMs as number) - nowMs}` : text
}
