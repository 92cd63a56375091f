// What the app can do with the session: sign in and out, bring tokens, refresh, dispose.
import { badOption } from '../checks.js'
import type { Tokens } from '../tokens.js'
import type { Caller } from './access.js'
import type { Interpreter } from './interpreter.js'
import { MOST_REFRESHES } from './machine/decide.js'
import { disposed, nobodySignedIn } from './machine/reasons.js'
import { isUnusable } from './machine/run.js'
import type { AuthSnapshot } from './snapshot.js'

export interface Verbs {
  signIn(tokens: Tokens | undefined): Promise<void>
  signOut(): Promise<void>
  updateTokens(tokens: Tokens): Promise<void>
  refresh(): Promise<AuthSnapshot>
  /** Returns the end of a refresh that is still on its way into the store. */
  dispose(): Promise<void> | undefined
}

export function createVerbs(
  { state, nowMs, reader, runs, publisher, dispatch, glance, start, joinable, loading }: Interpreter,
  caller: () => Caller,
  assertAlive: () => void,
  close: () => void,
): Verbs {
  return {
    async signIn(tokens) {
      assertAlive()
      await dispatch({ type: 'signedIn', session: reader.newSession(tokens) })
    },

    async signOut() {
      assertAlive()
      await dispatch({ type: 'signedOut' })
      // The answer on its way may set cookies; the caller's own logout call has to come after it.
      await Promise.all(state.abandoned.map(runs.landed))
    },

    async updateTokens(tokens) {
      assertAlive()
      const credential = reader.fromApp(tokens)
      const whose = caller()
      if (loading()) await loading()
      assertAlive()
      const session = whose()
      // What another tab has stored meanwhile must not be lost under these.
      glance()
      if (!session || session.ended) throw session?.ended ?? nobodySignedIn()
      await dispatch({ type: 'updated', session, credential, newId: reader.newId(), byApp: true })
    },

    async refresh() {
      assertAlive()
      caller()
      const { decisions } = state
      const assertUndecided = () => {
        if (state.decisions !== decisions) throw state.decision
      }
      // Without a further turn, so that it has begun before those look who wait for the store as well.
      if (loading()) await loading()
      assertAlive()
      const { canRefresh, cookies } = state.rules
      if (!canRefresh) throw badOption('refresh', 'a strategy', undefined)
      assertUndecided()
      const session = state.current
      if (!session && !cookies) throw nobodySignedIn()
      for (let joins = 0; joins < MOST_REFRESHES; joins++) {
        const run = joinable() ?? start(session, session ? 'asked' : 'restore')
        await runs.gateOf(run)
        assertAlive()
        if (session?.ended) throw session.ended
        if (!session) assertUndecided()
        if (run.error) throw run.error
        // Otherwise, what it found was another tab's, and is over as well.
        if (!session || run.attempts || !isUnusable(state, session, nowMs())) break
      }
      return publisher.snapshot()
    },

    dispose() {
      if (state.disposal) return undefined
      const { run } = state
      dispatch({ type: 'disposed', error: disposed() })
      publisher.silence()
      // One that has asked already keeps its turn until its answer is in the store.
      const landed = run && run.stage !== 'abandoned' ? runs.landed(run) : undefined
      if (landed) void landed.then(close)
      else close()
      return landed
    },
  }
}
