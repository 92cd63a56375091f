// One text for all situations that are equal: what is only ever compared is written as the comparison, a moment as its
// distance from now, what can no longer matter not at all. What is not known here is written as it is, so that a new
// field can make more situations different, and never fewer.
import type { SessionState } from '../../src/session/machine/session-state.js'
import type { RefreshRun } from '../../src/session/machine/state.js'
import type { SessionRecord } from '../../src/stores/store.js'
import type { Request, Stored, Tab, World } from './world.js'

interface Writing {
  readonly tab: Tab
  readonly nowMs: number
  /** Numbered in the order in which they are met. */
  readonly sessions: SessionState[]
  readonly runs: RefreshRun[]
}

/** Texts of tabs that a move of another tab has left as they were. */
const known = new WeakMap<Tab, { nowMs: number; text: string }>()

/** Tabs are alike, so two situations with exchanged tabs are one. */
export function textOfWorld(world: World): string {
  const tabs = world.tabs.map((tab, at) => textOfTab(tab, world.nowMs) + world.hints[at]).sort()
  const { left, store, signedOut, stored, server, excused, nowMs } = world
  let text = `${tabs.join('|')}|${signedOut}|${excused}|${store.failsNext}${store.hasFailed}|${textOfStored(store.value, nowMs)}`
  for (const name in left) text += ` ${left[name as keyof typeof left]}`
  for (const id in stored) text += ` ${id} ${stored[id]}`
  for (const { endsAtMs, user, session, latest, validFrom, revoked, wasRefused } of server.families) {
    text += `|${user} ${session} ${latest} ${validFrom} ${revoked} ${wasRefused}`
    for (const endMs of endsAtMs) text += ` ${Math.max(0, endMs - nowMs)}`
  }
  return text
}

function textOfStored(stored: Stored, nowMs: number): string {
  if (typeof stored !== 'object') return String(stored)
  const { sessionId, version, tokens, expiresAtMs = 0, subject } = stored as SessionRecord
  return `${sessionId} ${version} ${tokens?.accessToken} ${tokens?.refreshToken} ${expiresAtMs - nowMs} ${subject}`
}

function textOfTab(tab: Tab, nowMs: number): string {
  const found = known.get(tab)
  if (found?.nowMs === nowMs) return found.text
  const writing: Writing = { tab, nowMs, sessions: [], runs: [] }
  const { name: _, requests, jobs, state, memory, ...rest } = tab
  const { rules, endedIds, decisions, decision, ...machine } = state
  const { current } = state
  const rejected = memory.rejected === `${current?.id} ${current?.generation}`
  const own = write(writing, [machine, [...endedIds].sort(), rest, { ...memory, rejected }])
  // Those who wait go on in their order; whoever waits next comes after them.
  const waiting = requests.filter(({ stage }) => stage === 'waiting')
  const sent = requests.filter(({ stage }) => stage === 'sent')
  const texts = sent.map((request) => write(writing, request)).sort()
  const text = own + write(writing, waiting) + texts.join() + write(writing, jobs)
  known.set(tab, { nowMs, text })
  return text
}

function write(writing: Writing, value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Error) return value.message
  if (Array.isArray(value)) return `[${value.map((item) => write(writing, item)).join()}]`
  if ('freshRejectedAtMs' in value) return writeSession(writing, value as SessionState)
  if ('attempts' in value) return writeRun(writing, value as RefreshRun)
  if ('waitsSince' in value) return writeRequest(writing, value as Request)
  return writeFields(writing, value as Record<string, unknown>)
}

function writeFields(writing: Writing, fields: Record<string, unknown>): string {
  let text = '{'
  for (const name in fields) {
    const value = fields[name]
    if (value === undefined) continue
    text +=
      name +
      (name.endsWith('AtMs') || name === 'sinceMs'
        ? writing.nowMs - (value as number)
        : write(writing, value))
    text += ','
  }
  return `${text}}`
}

function writeSession(writing: Writing, session: SessionState): string {
  const { sessions } = writing
  const at = sessions.indexOf(session)
  if (at >= 0) return `session ${at}`
  sessions.push(session)
  const { generation, epoch, freshRejectedAtMs, ended, id, ...rest } = session
  if (ended) return `session ${id} ${ended.message}`
  const { expiresAtMs = 0, staleAtMs = 0, lifetimeMs, coolDown, ...others } = rest
  const { nowMs } = writing
  return writeFields(writing, {
    ...others,
    id,
    ends: Math.max(0, expiresAtMs - nowMs),
    staleIn: Math.max(0, staleAtMs - nowMs),
    coolsFor: coolDown && Math.max(0, coolDown.sinceMs + coolDown.lengthMs - nowMs),
    fresh: freshRejectedAtMs.map((atMs) => nowMs - atMs),
  })
}

function writeRun(writing: Writing, run: RefreshRun): string {
  const { runs, tab } = writing
  const at = runs.indexOf(run)
  if (at >= 0) return `run ${at}`
  // Over and done with: only whether it has asked is ever looked at.
  const isKept =
    run === tab.state.run ||
    tab.resources.some((resource) => resource.run === run) ||
    tab.requests.some((request) => request.run === run)
  if (!isKept) return `old run ${run.attempts > 0}`
  runs.push(run)
  const { session, generation, version, epoch, decisions, startedAtMs, reason, ...rest } = run
  const isNow = [session?.generation === generation, session?.version === version, session?.epoch === epoch]
  return `${isNow} ${write(writing, session)} ${writeFields(writing, { ...rest })}`
}

function writeRequest(writing: Writing, request: Request): string {
  const { number, session, generation, waitsSince, user, ...rest } = request
  const isNow = [session.generation === generation, session.generation === waitsSince]
  return `${isNow} ${write(writing, session)} ${writeFields(writing, { ...rest })}`
}
