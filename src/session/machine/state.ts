// The state of a client's session as plain data, the events that change it, and the effects that are to follow.
// Nothing in it is a promise, a timer, a store or a clock: a test can copy it, compare it and try every order of events.
import type { AuthClientError } from '../../errors.js'
import type { AuthEvents, RefreshReason, SessionEnd } from '../../events.js'
import type { REFUSED, StoredRecord } from '../../stores/store.js'
import type { RefreshFailure } from '../failure.js'
import type { Credential } from './credential.js'
import type { SessionState } from './session-state.js'

export interface State {
  readonly rules: Rules
  /** `loading` until the store has been read, or somebody signed in or out before that. */
  phase: 'loading' | 'ready' | 'disposed'
  /** Whoever is signed in. */
  current: SessionState | undefined
  /** The refresh that is under way: who needs a token joins it. */
  run: RefreshRun | undefined
  /** Runs of ended sessions whose answers may still change cookies. */
  abandoned: RefreshRun[]
  /** Sessions that ended here: what a store or another tab still holds of them does not bring them back. */
  endedIds: string[]
  /** Counts the times that it was decided here who is signed in: calls from before are another's. */
  decisions: number
  /** What they are rejected with. */
  decision?: AuthClientError | undefined
  /** Why everything ends once the client is disposed of. The session itself goes on in the store. */
  disposal?: AuthClientError | undefined
}

/** What this client can do; it never changes. */
export interface Rules {
  /** There is a way to refresh. */
  canRefresh: boolean
  /** The refresh credential is a cookie: a session can be restored, and an answer on its way still changes cookies. */
  cookies: boolean
  /** The access credential is a cookie too: sessions have no token. */
  tokenless: boolean
  refreshTimeoutMs: number
  refreshRetry: { limit: number; baseDelayMs: number }
}

/**
 * Where a refresh is. `queued`: it waits for its turn among tabs. `looking`: the store may have newer tokens. `asking`: the
 * endpoint was asked. `pausing`: it will be asked again. `confirming`: it refused, and the store is read once more before
 * that is believed. `saving`: new tokens are in memory and on their way into the store. `abandoned`: its session is gone,
 * or has better tokens. `over`: a grant that still arrives may count all the same.
 */
export type RefreshStage =
  | 'queued'
  | 'looking'
  | 'asking'
  | 'pausing'
  | 'confirming'
  | 'saving'
  | 'abandoned'
  | 'over'

export interface RefreshRun {
  /** `undefined`: a session is to be restored by a cookie. */
  readonly session: SessionState | undefined
  readonly reason: RefreshReason
  /** What it is to replace, and whose failure is remembered. */
  readonly generation: number | undefined
  readonly version: number | undefined
  /** See {@link State.decisions}. */
  readonly decisions: number
  stage: RefreshStage
  startedAtMs: number
  /** What the session had when the endpoint was asked last: once that has moved on, its grant has been overtaken. */
  epoch: number | undefined
  /** How often the endpoint was asked. */
  attempts: number
  /** The refresh token it was asked with last. */
  sent?: string | undefined
  /** How it got tokens: `grant` once they are in memory, though perhaps not yet in the store. */
  brought: 'nothing' | 'grant' | 'adoption'
  /** It has replaced a rejected or expired token: nobody goes on before the new one is in the store. */
  revives?: SessionState | undefined
  /** What its last attempt failed with. */
  failure?: RefreshFailure | undefined
  /** What it failed with, once it is over. */
  error?: AuthClientError | undefined
}

/** What a look into the store found. */
export interface FoundInStore {
  record: StoredRecord | undefined
  /** The record's tokens, where they may be news. */
  credential?: Credential | undefined
  /** The last session there was refused. */
  refused: boolean
  /** Whether somebody else has changed it since; `undefined` where that is not known. */
  news: boolean | undefined
  /** The store holds this instead of what we meant to put there, so it counts whatever its version. */
  isConflict?: boolean | undefined
}

/** New tokens, and the name that another user's session with them would get. */
interface Brought {
  credential: Credential
  newId: string
}

export type SessionEvent =
  /** The store has been read for the first time; `given`: tokens known at the start. */
  | { type: 'loaded'; found: FoundInStore | undefined; given: SessionState | undefined }
  | ({ type: 'found' } & FoundInStore)
  | { type: 'signedIn'; session: SessionState }
  | { type: 'signedOut' }
  /** Newer tokens for a session, from the app or pushed by the server. */
  | ({ type: 'updated'; session: SessionState; byApp: boolean } & Brought)
  /** They are in the store. */
  | { type: 'stored'; session: SessionState; version: number }
  /** The server has handed out another user's tokens. */
  | ({ type: 'replaced'; session: SessionState; run?: RefreshRun } & Brought)
  | { type: 'online' }
  | { type: 'disposed'; error: AuthClientError }
  | { type: 'runStarted'; run: RefreshRun }
  | { type: 'turnTaken'; run: RefreshRun }
  | { type: 'looked'; run: RefreshRun }
  | ({ type: 'granted'; run: RefreshRun } & Brought)
  /** `credential`: what came beside the failure. `random`: from 0 to 1, for the back-off. */
  | {
      type: 'failed'
      run: RefreshRun
      failure: RefreshFailure
      credential?: Credential | undefined
      random: number
      dueAtMs: number
    }
  /** The pause between two attempts is over. */
  | { type: 'paused'; run: RefreshRun }
  /** The store was read once more before a refusal is believed. */
  | { type: 'confirmed'; run: RefreshRun }
  /** Listeners know of the refusal. */
  | { type: 'refused'; run: RefreshRun }
  | { type: 'saved'; run: RefreshRun }
  /** It is over: done, out of time, or never granted a turn. */
  | { type: 'finished'; run: RefreshRun; failure?: RefreshFailure | undefined }

export type EventOf<Type extends SessionEvent['type']> = Extract<SessionEvent, { type: Type }>

export type Effect =
  /** In the background, but for a sign-in. `directly`: without a look at what it replaces. */
  | {
      do: 'save'
      session: SessionState
      byUser?: boolean
      directly?: boolean
      next?: SessionEvent
    }
  | { do: 'clear'; reason?: typeof REFUSED; byUser?: boolean }
  /** Writes that have not come to their turn are of a session that ended elsewhere. */
  | { do: 'dropWrites' }
  /** Reads the store, for a part of the refresh's time at the most. */
  | { do: 'look'; run?: RefreshRun; part: number; next: SessionEvent }
  /** `wake` lets those look who wait. */
  | { do: 'takeTurn' | 'ask' | 'endPause' | 'wake' | 'abort'; run: RefreshRun }
  /**
   * `release` ends the run's turn and its timers; with `open` those who wait go on, for good. `afterWrites`: once newer
   * tokens that came meanwhile are in the store.
   */
  | { do: 'release' | 'open'; run: RefreshRun; afterWrites?: boolean }
  | { do: 'pause'; run: RefreshRun; delayMs: number }
  | { do: 'count'; what: 'refreshes' | 'adopted' }
  /** `ready`: it is known who is signed in. */
  | { do: 'publish' | 'ready' }
  | EmitEffect<'refreshStart' | 'refreshed' | 'refreshFailed'>
  /** `isElsewhere`: another tab or client ended it, and this one has only found out. */
  | { do: 'end'; end: SessionEnd; isElsewhere: boolean }
  | { do: 'next'; event: SessionEvent }

type EmitEffect<Name extends keyof AuthEvents> = Name extends unknown
  ? { do: 'emit'; name: Name; event: AuthEvents[Name] }
  : never

/** What is at hand while one event is taken. */
export interface Step {
  readonly state: State
  readonly nowMs: number
  /** In the order in which they are to happen. */
  readonly effects: Effect[]
}

export function createState(rules: Rules): State {
  return {
    rules,
    phase: 'loading',
    current: undefined,
    run: undefined,
    abandoned: [],
    endedIds: [],
    decisions: 0,
  }
}

/** Whether a session has ended. It goes on in the store where only the client has. */
export function isOver({ disposal }: State, { ended }: SessionState): boolean {
  return !!ended && ended !== disposal
}
