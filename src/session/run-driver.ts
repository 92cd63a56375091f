// Carries out what a refresh needs from the outside: its turn, its time, the call, the pauses, and those who wait for it.
// Decides nothing: each step ends in an event for the state machine, which says what comes next.
// Promise: the gate of every run opens, and nothing of a run is left once it is released: no timer, no turn.
import { type Clock, createLimit, LATE_MS, type Limit, setLimit } from '../clock.js'
import type { RefreshCause } from '../strategies/strategy.js'
import { type Deferred, deferred } from '../wait.js'
import type { RefreshFailure } from './failure.js'
import type { GuardedStore } from './guarded-store.js'
import { timedOut } from './machine/reasons.js'
import type { RefreshRun, SessionEvent, State } from './machine/state.js'
import { failureOf, type Outcome } from './refresh.js'
import type { TokenReader } from './token-reader.js'

export interface RunDriverDeps {
  state: State
  clock: Clock
  nowMs(): number
  store: GuardedStore
  dispatch(event: SessionEvent): unknown
  /** Asks the endpoint, once. Never rejects. */
  ask(run: RefreshRun, signal: AbortSignal): Promise<Outcome>
  reader: Pick<TokenReader, 'fromGrant' | 'newId'>
  /** Takes up what the store holds. */
  glance(): void
  /** Whether an answer that came after `dispose` is still what the store waits for. */
  isStillKept(run: RefreshRun): boolean | Promise<boolean>
}

/** Made when it is asked for: it takes a copy, and a `remove` of the placement. */
export type FindCause = () => RefreshCause | undefined

/** What belongs to a run and is no data. */
interface Resources {
  readonly controller: AbortController
  /** Opens when there is something new to look at. */
  gate: Deferred
  /** Its turn lasts until it is released. */
  readonly released: Deferred
  isReleased?: boolean
  /** Its time, from when it has its turn. */
  limit?: Limit
  /** Ends its wait early: between two attempts, or for the store. */
  pause?: Deferred
  /** The request that asked for it, until it is over. */
  cause?: FindCause | undefined
  /** Resolves when its turn is over. */
  landed?: Promise<void>
}

export type RunDriver = ReturnType<typeof createRunDriver>

export function createRunDriver(deps: RunDriverDeps) {
  const { state, clock, nowMs, dispatch, reader } = deps
  const { refreshTimeoutMs } = state.rules
  const resources = new WeakMap<RefreshRun, Resources>()

  return {
    noteCause(run: RefreshRun, cause: FindCause | undefined): void {
      of(run).cause = cause
    },
    causeOf: (run: RefreshRun) => of(run).cause?.(),
    takeTurn,
    ask: (run: RefreshRun) => void ask(run),
    /** A wait that is cut short when the run ends. */
    pause(run: RefreshRun, delayMs: number): void {
      const dueAtMs = nowMs() + delayMs
      const resource = of(run)
      resource.pause = nap(delayMs, clock.setTimer)
      void resource.pause.promise.then(() => {
        // Where the process was stopped meanwhile, little of the time would be left for an answer.
        if (!resource.isReleased && nowMs() - dueAtMs > LATE_MS) resource.limit?.restart()
        deps.glance()
        dispatch({ type: 'paused', run })
      })
    },
    /** `looked` for so long at the most, also where it waits behind another call to the store. */
    within(run: RefreshRun, looked: Promise<void>, limitMs: number): Promise<void> {
      const pause = nap(limitMs, (expire, delayMs) => setLimit(clock, expire, delayMs))
      of(run).pause = pause
      return Promise.race([looked, pause.promise]).then(pause.resolve)
    },
    endPause: (run: RefreshRun) => of(run).pause?.resolve(),
    abort: (run: RefreshRun) => of(run).controller.abort(),
    release(run: RefreshRun): void {
      const resource = of(run)
      resource.isReleased = true
      resource.cause = undefined
      resource.limit?.cancel()
      resource.pause?.resolve()
      resource.released.resolve()
    },
    /** Wakes those who wait; those who come later wait for the next time. */
    wake(run: RefreshRun): void {
      const { gate } = of(run)
      of(run).gate = deferred()
      gate.resolve()
    },
    open: (run: RefreshRun) => of(run).gate.resolve(),
    gateOf: (run: RefreshRun) => of(run).gate.promise,
    signalOf: (run: RefreshRun) => of(run).controller.signal,
    /** Resolves when nothing of the run can come any more. */
    landed: (run: RefreshRun) => of(run).landed,
    /** For those who join the wait: see {@link Limit.look}. */
    lookAtLimit: (run: RefreshRun) => of(run).limit?.look(),
  }

  function of(run: RefreshRun): Resources {
    let found = resources.get(run)
    if (!found) {
      found = { controller: new AbortController(), gate: deferred(), released: deferred() }
      resources.set(run, found)
    }
    return found
  }

  function takeTurn(run: RefreshRun): void {
    const resource = of(run)
    resource.landed = new Promise<void>((resolve) => {
      resolve(deps.store.exclusively(() => begin(run), resource.controller.signal))
    }).catch((fault) => finish(run, failureOf(fault)))
  }

  async function begin(run: RefreshRun): Promise<void> {
    const resource = of(run)
    const expire = () => finish(run, { error: timedOut(refreshTimeoutMs) })
    if (!resource.isReleased) resource.limit = createLimit(clock, expire, refreshTimeoutMs)
    // A turn later than what started it, so that nothing comes between the look into the store and its use.
    await undefined
    dispatch({ type: 'turnTaken', run })
    return resource.released.promise
  }

  async function ask(run: RefreshRun): Promise<void> {
    const { controller, limit } = of(run)
    if (limit?.wasLate) limit.restart()
    try {
      const { grant, failure } = await deps.ask(run, controller.signal)
      // Another tab may have been faster while this one slept.
      if (!failure) deps.glance()
      if (state.disposal && !failure && !(await deps.isStillKept(run))) return finish(run)
      // An answer may be read before the timer that is as late as it.
      limit?.look()
      const credential = reader.fromGrant(grant)
      if (!failure) dispatch({ type: 'granted', run, credential, newId: reader.newId() })
      else {
        const dueAtMs = limit?.dueAtMs ?? 0
        dispatch({ type: 'failed', run, failure, credential, dueAtMs, random: Math.random() })
      }
    } catch (fault) {
      finish(run, failureOf(fault))
    }
  }

  function finish(run: RefreshRun, failure?: RefreshFailure): void {
    dispatch({ type: 'finished', run, failure })
  }
}

/** A wait that can be cut short by resolving it. Over at once where no timer can be had: the clock may be the app's own. */
function nap(delayMs: number, setTimer: Clock['setTimer']): Deferred {
  const { promise, resolve } = deferred()
  let cancel = () => {}
  try {
    cancel = setTimer(resolve, delayMs)
  } catch {
    resolve()
  }
  return {
    promise,
    resolve() {
      resolve()
      cancel()
    },
  }
}
