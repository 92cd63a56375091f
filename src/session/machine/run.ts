// One refresh, as data: what it is still good for, and how those who wait for it are released. Pure.
import type { RefreshReason } from '../../events.js'
import { isExpired, isOutdated, type SessionState } from './session-state.js'
import { type Effect, isOver, type RefreshRun, type State, type Step } from './state.js'

export function createRun(
  { decisions }: State,
  session: SessionState | undefined,
  reason: RefreshReason,
  nowMs: number,
): RefreshRun {
  return {
    session,
    reason,
    generation: session?.generation,
    version: session?.version,
    decisions,
    stage: 'queued',
    startedAtMs: nowMs,
    epoch: session?.epoch,
    attempts: 0,
    brought: 'nothing',
  }
}

/** Whether the current token must not go out: it was rejected, or its time is over. */
export function isUnusable({ rules, run }: State, session: SessionState, nowMs: number): boolean {
  // Without a way to refresh the clock decides nothing: tokens go out as they are.
  return session.rejected || run?.revives === session || (rules.canRefresh && isExpired(session, nowMs))
}

/** Whether there are better tokens already, or nobody to get them for. */
export function isNeedless(state: State, run: RefreshRun, nowMs: number): boolean {
  const { session, stage, generation, version } = run
  if (stage === 'abandoned' || !session) return stage === 'abandoned'
  // The same token with a new lifetime, or a new refresh token beside it.
  const isRenewed = session.version !== version && !isOutdated(session) && !isUnusable(state, session, nowMs)
  return session.generation !== generation || isRenewed
}

/** Whether its grant would replace something newer, or bring back what is over. */
export function isOvertaken(state: State, { stage, session, epoch, decisions }: RefreshRun): boolean {
  if (stage === 'abandoned') return true
  if (session) return isOver(state, session) || session.epoch !== epoch
  return !!state.current || state.decisions !== decisions
}

/** Whether an answer is still of use. */
export function isWanted(state: State, run: RefreshRun, nowMs: number): boolean {
  return state.run === run && !isNeedless(state, run, nowMs) && !isOutdated(run.session)
}

/** Wakes those who have something new to look at, while the run itself goes on. */
export function wake({ state, effects, nowMs }: Step): void {
  const { run } = state
  if (!run || !isNeedless(state, run, nowMs)) return
  effects.push({ do: 'wake', run })
  // It has nothing to do any more, so it need not wait for its turn.
  if (!run.attempts) effects.push({ do: 'abort', run })
}

/** Drops the run, and releases those who wait for it. With cookies, `signOut` still waits for its answer. */
export function dropRun({ state, effects }: Step): void {
  const { run } = state
  if (!run) return
  state.run = undefined
  run.stage = 'abandoned'
  effects.push({ do: 'open', run })
  // One that has not asked never will.
  if (state.rules.cookies && run.attempts) {
    state.abandoned.push(run)
    effects.push({ do: 'endPause', run })
  } else abandon(run, effects)
}

/** For somebody else's session, or for none. Aborted with cookies too: a late answer would overwrite theirs. */
export function dropForAnother(step: Step): void {
  dropRun(step)
  for (const run of step.state.abandoned) abandon(run, step.effects)
}

function abandon(run: RefreshRun, effects: Effect[]): void {
  effects.push({ do: 'abort', run }, { do: 'release', run })
}
