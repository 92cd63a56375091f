// The session of a client, as the rest of the library sees it. It puts the state machine (machine/) together with what that
// decides over, and knows no HTTP: it is handed a way to refresh.
// Promise: at most one refresh per session; whoever waits for it is always released; tokens never come back after a sign-out.
import { type Access, createAccess } from './access.js'
import { createInterpreter, type SessionDeps } from './interpreter.js'
import { serverSnapshotOf } from './publisher.js'
import type { AuthSnapshot } from './snapshot.js'
import { createVerbs, type Verbs } from './verbs.js'

export type { Caller, Waiting } from './access.js'
export type { RefreshInput } from './interpreter.js'
export type { Waiter } from './machine/decide.js'

export interface SessionManager extends Verbs, Access {
  readonly ready: Promise<void>
  /** @throws {AuthClientError} code `DISPOSED`. */
  assertAlive(): void
  /** The access tokens of late, of ended sessions too, so that a request which still carries one is recognised. */
  knownTokens(): readonly string[]
  /** Whether this was an access token of ours, however long ago. */
  knows(token: unknown): boolean
  /** What must not be in anything that is handed out. */
  redactions(): readonly string[]
  /** Reads the store again: somebody else may have changed it. */
  reread(): void
  /** The network is back: failures of before say nothing about now. */
  endCoolDown(): void
  getSnapshot(): AuthSnapshot
  /** The same in every place where a page is rendered: only what the `tokens` known at the start say. */
  getServerSnapshot(): AuthSnapshot
}

export function createSessionManager(deps: SessionDeps): SessionManager {
  const { store, tokens, events } = deps
  const core = createInterpreter(deps)
  const { state, dispatch, publisher, known } = core
  const given = tokens && core.reader.newSession(tokens, 'given')
  const serverSnapshot = serverSnapshotOf(given)
  const access = createAccess(core, store)

  return {
    ...access,
    ...createVerbs(core, access.caller, assertAlive, store.close),
    ready: load(),
    assertAlive,
    knownTokens: known.recent,
    knows: known.has,
    redactions: known.redactions,
    reread: () => void events.guard(core.sync.look),
    endCoolDown: () => void dispatch({ type: 'online' }),
    getSnapshot: publisher.snapshot,
    getServerSnapshot: () => serverSnapshot,
  }

  function assertAlive(): void {
    if (state.disposal) throw state.disposal
  }

  /** At once where the store answers at once, so that a page with localStorage is never pending. */
  function load(): Promise<void> {
    const found = core.sync.load()
    if (!(found instanceof Promise)) {
      const saved = dispatch({ type: 'loaded', found, given })
      core.ready()
      return Promise.resolve(saved)
    }
    publisher.publish()
    return found.then(async (late) => {
      await dispatch({ type: 'loaded', found: late, given })
      core.ready()
    })
  }
}
