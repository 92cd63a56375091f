// What a request, or a call of `getAccessToken`, asks of the session: who makes it, whether its token may go out, and what
// the answer to it means.
import type { RefreshCause } from '../strategies/strategy.js'
import { flawOf, type Grant } from '../tokens.js'
import type { GuardedStore } from './guarded-store.js'
import type { Interpreter } from './interpreter.js'
import {
  decide,
  isToBeRenewed,
  mayHelp,
  noteAccepted,
  noteRejected,
  noteStarted,
  noteWaited,
  type Waiter,
} from './machine/decide.js'
import { isUnusable } from './machine/run.js'
import type { SessionState } from './machine/session-state.js'
import type { FindCause } from './run-driver.js'

/**
 * The session of whoever made a call, once {@link Access.unsettled} is over; `undefined` when nobody was signed in.
 * @throws {AuthClientError} when somebody signed in or out before that could be known.
 */
export type Caller = () => SessionState | undefined

/** How somebody waits. Kept apart from the waiter, so that a request that waits holds nothing but itself. */
export interface Waiting<W extends Waiter> {
  /** Resolves with `gate`, or rejects earlier when the waiter gives up. */
  hold(waiter: W, gate: Promise<void>): Promise<void>
  /** The wait is over, however it ended. */
  leave?(waiter: W): void
  /** What the strategy may know of a waiter that starts a refresh. */
  cause?(waiter: W): RefreshCause | undefined
}

export interface Access {
  current(): SessionState | undefined
  /** Looks at a store that somebody changes without a word; at any other, not at all. */
  glance(): void
  /** What a request has to wait for before it is known who makes it; `undefined` when that is known. */
  unsettled(): Promise<void> | undefined
  /** Notes who is signed in at the moment of a call. */
  caller(): Caller
  /** Whether the current token must not go out: it was rejected, or its time is over. */
  isUnusable(session: SessionState): boolean
  /** Renews a token that is about to expire, while requests go on using it. */
  renewAhead<W extends Waiter>(session: SessionState, waiter: W, waiting?: Waiting<W>): void
  /**
   * Waits until the session's token may go out, or is valid for `minValidityMs` after one refresh at the most.
   * `false`: it may not, and this waiter has had its refresh.
   * @throws {AuthClientError} why there will be no token.
   */
  ensureFresh<W extends Waiter>(
    session: SessionState,
    waiter: W,
    waiting: Waiting<W>,
    minValidityMs?: number,
  ): Promise<boolean>
  /** Whether waiting can bring a better token, instead of the failure that is known already. */
  mayHelp(session: SessionState): boolean
  /** The server rejected the token of `generation`. Returns whether `ensureFresh` can lead to a better one. */
  tokenRejected(session: SessionState, generation: number, waiter: Waiter): boolean
  /** The server accepted a token that its request had waited for. */
  tokenAccepted(session: SessionState, generation: number): void
  /** The server pushed new tokens in its answer to `generation`. */
  take(session: SessionState, generation: number, grant: Grant): void | Promise<void>
  /** The refresh that is under way, so that a call made by it is not taken for one that waits for it. */
  underWay(): { signal: AbortSignal; refreshToken: string | undefined } | undefined
}

export function createAccess(
  { state, nowMs, known, reader, runs, dispatch, glance, start, joinable, loading }: Interpreter,
  store: GuardedStore,
): Access {
  /** Who makes calls while it is known who is signed in. */
  let usualSession: SessionState | undefined
  let usualCaller: Caller = () => undefined

  return {
    current: () => state.current,
    glance: lookIfLive,
    unsettled,

    caller() {
      lookIfLive()
      const session = state.current
      if (!loading() && (session || !state.run)) {
        // Not a function for each request.
        if (session !== usualSession) usualCaller = () => session
        usualSession = session
        return usualCaller
      }
      const { decisions } = state
      return () => {
        if (state.decisions !== decisions) throw state.decision
        return state.current
      }
    },

    isUnusable: (session) => isUnusable(state, session, nowMs()),
    mayHelp: (session) => mayHelp(state, session, nowMs()),
    tokenRejected: (session, generation, waiter) => noteRejected(state, session, generation, waiter, nowMs()),
    tokenAccepted: noteAccepted,

    renewAhead(session, waiter, waiting) {
      if (isToBeRenewed(state, session, nowMs()))
        waiter.started = start(session, 'stale', waiting && findCause(waiter, waiting))
    },

    ensureFresh,

    take(session, generation, grant) {
      // As in updateTokens: what another tab has stored meanwhile must not be lost under these.
      glance()
      if (session.ended || session.generation !== generation) return
      // An answer out of a cache brings a token that has been replaced since.
      if (flawOf(grant) || known.recent().includes(grant.accessToken)) return
      const credential = reader.fromGrant(grant)
      return dispatch({ type: 'updated', session, credential, newId: reader.newId(), byApp: false })
    },

    underWay() {
      const { run } = state
      if (!run) return undefined
      const { session, sent } = run
      // What the strategy was handed: the session may have a newer one since.
      const refreshToken = sent ?? session?.refreshToken
      // A token that is its own refresh token is on every request.
      return {
        signal: runs.signalOf(run),
        refreshToken: refreshToken === session?.accessToken ? undefined : refreshToken,
      }
    },
  }

  function lookIfLive(): void {
    if (store.live) glance()
  }

  /** A look into the store may be followed by an attempt to restore the session. */
  function unsettled(): Promise<void> | undefined {
    const gate = loading()
    if (gate) {
      store.look()
      return gate.then(unsettled)
    }
    const restoring = state.run && joinable()
    return restoring && !restoring.session ? runs.gateOf(restoring) : undefined
  }

  // Promises chained by hand: while a hundred thousand wait, an async function would hold twice as much for each.
  function ensureFresh<W extends Waiter>(
    session: SessionState,
    waiter: W,
    waiting: Waiting<W>,
    minValidityMs = 0,
  ): Promise<boolean> {
    try {
      joinable()
      const decision = decide(state, session, waiter, nowMs(), minValidityMs)
      if (decision.do === 'fail') throw decision.error
      if (decision.do === 'send' || decision.do === 'pass') return Promise.resolve(decision.do === 'send')
      const { generation } = session
      const run =
        decision.do === 'wait' ? decision.run : start(session, decision.reason, findCause(waiter, waiting))
      if (decision.do === 'refresh') noteStarted(waiter, run)
      return waiting.hold(waiter, runs.gateOf(run)).then(
        () => {
          waiting.leave?.(waiter)
          noteWaited(session, waiter, run, generation, minValidityMs)
          return ensureFresh(session, waiter, waiting, minValidityMs)
        },
        (reason) => {
          waiting.leave?.(waiter)
          throw reason
        },
      )
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

function findCause<W extends Waiter>(waiter: W, { cause }: Waiting<W>): FindCause | undefined {
  return cause && (() => cause(waiter))
}
