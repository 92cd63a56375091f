// Runs the state machine: hands it events, and carries out the effects that it answers with, in their order.
// Promise: an effect that fails is reported and keeps none of the later ones back, so that those who wait are released.
import type { Clock } from '../clock.js'
import type { AuthStats, RefreshReason } from '../events.js'
import type { Tokens } from '../tokens.js'
import { deferred } from '../wait.js'
import type { GuardedStore } from './guarded-store.js'
import type { KnownTokens } from './known-tokens.js'
import { createRun } from './machine/run.js'
import { createState, type Effect, type RefreshRun, type SessionEvent } from './machine/state.js'
import { step } from './machine/step.js'
import type { SubjectOf } from './machine/subject.js'
import { createPublisher, type PublisherDeps } from './publisher.js'
import { askForGrant } from './refresh.js'
import { createRunDriver, type FindCause } from './run-driver.js'
import { createStoreSync } from './store-sync.js'
import { createTokenReader } from './token-reader.js'

/** What a refresh is handed. The client adds `http` to it. */
export interface RefreshInput {
  refreshToken: string | undefined
  accessToken: string | undefined
  signal: AbortSignal
  reason: RefreshReason
  cause: FindCause
}

export interface SessionDeps extends PublisherDeps {
  /** `undefined`: there is no way to refresh, so a rejected token ends the session and the clock decides nothing. */
  refresh: ((input: RefreshInput) => unknown) | undefined
  /** The refresh credential is a cookie: a session can be restored, and an answer on its way still changes cookies. */
  cookies: boolean
  /** The access credential is a cookie too: sessions have no token. */
  tokenless: boolean
  /** Tokens for a start without a stored session. */
  tokens?: Tokens | undefined
  store: GuardedStore
  clock: Clock
  known: KnownTokens
  stats: AuthStats
  refreshAheadMs: number
  refreshTimeoutMs: number
  refreshRetry: { limit: number; baseDelayMs: number }
  isFinal?: ((error: unknown) => unknown) | undefined
  subjectOf: SubjectOf
}

export type Interpreter = ReturnType<typeof createInterpreter>

export function createInterpreter(deps: SessionDeps) {
  const { store, clock, events, stats, known, refreshTimeoutMs, tokenless, cookies } = deps
  const { guard, report } = events
  let lastNowMs = 0
  // The clock may be the app's own, and throw: no event must be lost for that.
  const nowMs = () => (lastNowMs = guard(() => clock.nowMs()) ?? lastNowMs)
  const { refreshRetry } = deps
  const state = createState({
    canRefresh: !!deps.refresh,
    cookies,
    tokenless,
    refreshTimeoutMs,
    refreshRetry,
  })
  const reader = createTokenReader({ ...deps, nowMs }, known)
  const sync = createStoreSync({ state, store, read: reader.fromRecord, dispatch })
  const glance = () => void guard(sync.glance)
  const runs = createRunDriver({
    state,
    clock,
    nowMs,
    store,
    dispatch,
    ask,
    reader,
    glance,
    isStillKept,
  })
  /** Opens when it is known who is signed in. */
  let loading: ReturnType<typeof deferred> | undefined = deferred()
  const publisher = createPublisher(state, () => !!loading, deps)
  /** The way of the newest tokens from elsewhere into a slow store. */
  let saving: void | Promise<void>

  return {
    state,
    nowMs,
    known,
    reader,
    sync,
    runs,
    publisher,
    dispatch,
    glance,
    start,
    joinable,
    ready,
    loading: () => loading?.promise,
  }

  /** Takes an event. Resolves when what it has brought is in the store; at once where that is. */
  function dispatch(event: SessionEvent): void | Promise<void> {
    let writes: Promise<unknown>[] | undefined
    for (const effect of step(state, event, nowMs())) {
      const write = guard(() => perform(effect))
      if (write) (writes ??= []).push(write.catch(report))
    }
    return writes && Promise.all(writes).then(() => {})
  }

  function perform(effect: Effect): void | Promise<void> {
    switch (effect.do) {
      case 'save':
        return save(effect)
      case 'clear':
        return sync.clear(effect)
      case 'dropWrites':
        return store.dropWrites()
      case 'look':
        return look(effect)
      case 'pause':
        return runs.pause(effect.run, effect.delayMs)
      case 'release':
      case 'open':
        // Tokens that came meanwhile may be on their way into the store.
        if (effect.afterWrites && saving) void saving.then(() => runs[effect.do](effect.run))
        else runs[effect.do](effect.run)
        return
      case 'count':
        stats[effect.what]++
        return
      case 'publish':
        return publisher.publish()
      case 'ready':
        return ready()
      case 'emit':
        return publisher.emit(effect)
      case 'end':
        return publisher.end(effect)
      case 'next':
        return dispatch(effect.event)
      default:
        return runs[effect.do](effect.run)
    }
  }

  function save(effect: Extract<Effect, { do: 'save' }>): void | Promise<void> {
    const saved = sync.save(effect)
    const { next } = effect
    if (!next) return saved
    const goOn = () => dispatch(next)
    const done = saved ? saved.then(goOn, goOn) : goOn()
    if (next.type === 'stored') saving = done
    return done
  }

  function look({ run, part, next }: Extract<Effect, { do: 'look' }>): void | Promise<void> {
    const limitMs = refreshTimeoutMs * part
    const looked = guard(() => sync.look(limitMs))
    const goOn = () => dispatch(next)
    if (!looked) return goOn()
    return (run ? runs.within(run, looked, limitMs) : looked).then(goOn, goOn)
  }

  function start(
    session: RefreshRun['session'],
    reason: RefreshReason,
    cause?: FindCause | undefined,
  ): RefreshRun {
    const run = createRun(state, session, reason, nowMs())
    runs.noteCause(run, cause)
    void dispatch({ type: 'runStarted', run })
    return run
  }

  /** The refresh that is under way, for whoever is about to wait for it. */
  function joinable(): RefreshRun | undefined {
    if (state.run) runs.lookAtLimit(state.run)
    return state.run
  }

  /** The strategy's first turn is in the turn of the call, so that what it does there is recognised as its own. */
  function ask(run: RefreshRun, signal: AbortSignal) {
    const { session, sent, reason } = run
    const cause = () => runs.causeOf(run)
    const accessToken = session?.accessToken || undefined
    return askForGrant({
      ask: () => deps.refresh?.({ refreshToken: sent, accessToken, signal, reason, cause }),
      isFinal: (error) => guard(() => deps.isFinal?.(error)),
      tokenless,
      redactions: known.redactions,
      nowMs,
    })
  }

  /** Whether the store holds what a refresh of a disposed client has asked with, and nobody has gone on from there. */
  async function isStillKept({ session, sent }: RefreshRun): Promise<boolean> {
    const record = (await store.read())?.record
    return record?.sessionId === session?.id && record?.tokens?.refreshToken === sent
  }

  /** From now on it is known who is signed in. */
  function ready(): void {
    const gate = loading
    loading = undefined
    guard(publisher.publish)
    gate?.resolve()
  }
}
