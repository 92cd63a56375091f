// Owns the session: its tokens, its single refresh, its store. Knows no HTTP; it is told how to refresh.
// Promise: at most one refresh per session; whoever waits on it always comes back; tokens never come back after a
// sign-out. The queue is the run's gate: waiters await it and then look at the session again, so that nobody has to
// be told what happened and nobody can be forgotten.
import { badOption, checkTokens } from '../checks.js'
import { type Clock, createLimit, LATE_MS, type Limit, setLimit } from '../clock.js'
import { AuthClientError, isAuthClientError, isObject } from '../errors.js'
import {
  type AuthStats,
  type Events,
  type RefreshReason,
  reportUnreadable,
  type SessionEnd,
  type SessionEndReason,
} from '../events.js'
import { readClaims, type Source } from '../lifetime.js'
import { createSessionId, REFUSED, type SessionRecord } from '../stores/store.js'
import type { Tabs } from '../stores/web-lock.js'
import { encodingsOf, flawOf, type Grant, isUsableToken, type Tokens } from '../tokens.js'
import { type Deferred, deferred } from '../wait.js'
import { type RefreshFailure, retryAfterMs } from './failure.js'
import type { Found, GuardedStore } from './guarded-store.js'
import { createKnownTokens } from './known-tokens.js'
import { askForGrant } from './refresh.js'
import {
  createSessionState,
  isExcessive,
  isExpired,
  isNewer,
  isOutdated,
  isShort,
  isStale,
  learnAttainable,
  noteExcessive,
  noteOutdated,
  recordOf,
  renewSession,
  type SessionState,
} from './session-state.js'
import { type AuthSnapshot, snapshotOf } from './snapshot.js'
import { isOtherUser, readSubjects, type SubjectOf } from './subject.js'

/** What a refresh is told. The client adds `http` to it. */
export interface RefreshInput {
  refreshToken: string | undefined
  accessToken: string | undefined
  signal: AbortSignal
  reason: RefreshReason
}

/** Who waits for new tokens: a request, or a call of `getAccessToken`. */
export interface Waiter {
  /** The refresh it has started. One that reached for the network is its started; one that only adopted is not. */
  started: { readonly asked: boolean } | undefined
  /** It has waited for a refresh, so its token is fresh. */
  waited: boolean
  /** It may start a second refresh, because the token of the first ran out on the way to the server (G8). */
  mayStartAgain?: boolean
  /** How many refreshes it has waited for. */
  joined?: number
}

/** How somebody waits. Kept apart from the waiter, so that a request that waits holds nothing but itself. */
export interface Waiting<W extends Waiter> {
  /** Resolves with `gate`, or rejects earlier when the waiter gives up. */
  hold(waiter: W, gate: Promise<void>): Promise<void>
  /** The wait is over, however it ended. */
  leave?(waiter: W): void
}

export interface SessionDeps {
  /** `undefined`: there is no way to refresh, so a refused token ends the session and the clock decides nothing. */
  refresh: ((input: RefreshInput) => unknown) | undefined
  /** The refresh credential is a cookie: a session can be restored, and an answer on its way still changes cookies. */
  cookies: boolean
  /** The access credential is a cookie too: sessions have no token. */
  tokenless: boolean
  /** Tokens for a start without a stored session. */
  tokens?: Tokens | undefined
  store: GuardedStore
  tabs: Tabs
  clock: Clock
  events: Events
  stats: AuthStats
  refreshAheadMs: number
  refreshTimeoutMs: number
  refreshRetry: { limit: number; baseDelayMs: number }
  isFinal?: ((error: unknown) => unknown) | undefined
  subjectOf: SubjectOf
  onSessionEnd?: ((end: SessionEnd) => unknown) | undefined
}

/**
 * The session of whoever made a call, once {@link SessionManager.unsettled} is over; `undefined` when nobody was signed in.
 * @throws {AuthClientError} when somebody signed in or out before that could be known.
 */
export type Caller = () => SessionState | undefined

export interface SessionManager {
  readonly ready: Promise<void>
  /** @throws {AuthClientError} code `DISPOSED`. */
  assertAlive(): void
  current(): SessionState | undefined
  /** The access tokens of late, of ended sessions too, so that a request which still carries one is recognised. */
  knownTokens(): readonly string[]
  /** Whether this was an access token of ours, however long ago. */
  knows(token: unknown): boolean
  /** What must not be in anything that is handed out. */
  redactions(): readonly string[]
  /** What a request has to wait for before it is known who makes it; `undefined` when that is known. */
  unsettled(): Promise<void> | undefined
  /** Notes who is signed in at the moment of a call. */
  caller(): Caller
  signIn(tokens: Tokens | undefined): Promise<void>
  signOut(): Promise<void>
  updateTokens(tokens: Tokens): Promise<void>
  refresh(): Promise<AuthSnapshot>
  /** Reads the store again: somebody else may have changed it. */
  reread(): void
  /** The network is back: failures of before say nothing about now. */
  endCoolDown(): void
  /** Whether the current token must not go out: it was refused, or its time is over. */
  isDead(session: SessionState): boolean
  /** Renews a token that is about to expire, while requests go on using it. */
  renewAhead(session: SessionState, waiter: Waiter): void
  /**
   * Waits until the session's token may go out, or is valid for `minValidityMs` after one refresh at the most.
   * `false`: it may not, and this waiter's started of refreshes is used up.
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
  /** The server refused the token of `generation`. Returns whether `ensureFresh` can lead to a better one. */
  tokenRejected(session: SessionState, generation: number, waiter: Waiter): boolean
  /** The server accepted a token that its request had waited for. */
  tokenAccepted(session: SessionState, generation: number): void
  /** The server pushed new tokens in its answer to `generation`. */
  take(session: SessionState, generation: number, grant: Grant): void | Promise<void>
  /** The refresh that is under way, so that a call made by it can be told from one that waits for it. */
  underWay(): { signal: AbortSignal; refreshToken: string | undefined } | undefined
  getSnapshot(): AuthSnapshot
  /** The same in every place where a page is rendered: only what the `tokens` known at the start tell. */
  getServerSnapshot(): AuthSnapshot
  /** Returns the end of a refresh that is still on its way into the store. */
  dispose(): Promise<void> | undefined
}

/** One refresh. It is over once it is no longer the current run; a grant that still arrives may count. */
interface RefreshRun {
  readonly session: SessionState | undefined
  readonly reason: RefreshReason
  startedAtMs: number
  /** What it is to replace, and whose failure is remembered. */
  readonly generation: number | undefined
  readonly version: number | undefined
  /** What the session had when it took off; once that has moved on, its grant has been overtaken. */
  epoch: number | undefined
  /** It has reached for the network. */
  asked: boolean
  /** The refresh token it asked with last. */
  spent?: string | undefined
  readonly controller: AbortController
  /** Opens when there is something new to look at. */
  gate: Deferred
  /** Its time, from when it has its turn. */
  limit?: Limit
  /** Ends its wait between two attempts early. */
  pause?: Deferred
  /** Resolves when the strategy has let go, or its time is up. */
  landed: Promise<void>
  /** Its session is gone, or has better tokens: whatever it brings is thrown away. */
  dropped: boolean
  /** How it got tokens: `refreshed` once they are in memory, though perhaps not yet in the store. */
  brought: 'nothing' | 'grant' | 'adoption'
  /** Whose dead token it has replaced: nobody goes on before the new one is in the store. */
  revives?: SessionState
  error?: AuthClientError | undefined
}

/** How many refreshes one call waits for at the most; each has ended in tokens that are of no use to it. */
const MOST_REFRESHES = 5
const FIRST_COOL_DOWN_MS = 1000
const LONGEST_COOL_DOWN_MS = 30_000
/** A plug-in that sends a request again hours later, when the device is back online, holds a token of long ago. */
const KNOWN_TOKENS = 20

export function createSessionManager(deps: SessionDeps): SessionManager {
  const { store, clock, events, stats, refreshAheadMs, refreshTimeoutMs, tokenless } = deps
  const { guard, report } = events
  const subjectOf: SubjectOf = (claims) => guard(() => deps.subjectOf(claims))
  const nowMs = () => clock.nowMs()
  /** Sessions that ended here: whatever a store or another tab still holds of them is a ghost. */
  const endedIds = new Set<string>()
  let knownTokens: readonly string[] = []
  /** The refresh tokens of late: none may be shown, spent ones neither. */
  let knownRefreshTokens: readonly string[] = []
  /** Both in all encodings, until there is a new one. */
  let knownEncodings: string[] | undefined
  const everKnown = createKnownTokens()
  let current: SessionState | undefined
  let run: RefreshRun | undefined
  /** Dropped runs whose answers may still change cookies. */
  const abandonedRuns = new Set<RefreshRun>()
  let loading: Deferred | undefined
  let disposed: AuthClientError | undefined
  /** The client is disposed of: no event and no change of the snapshot is published. */
  let isSilent = false
  /** The last sign-in or sign-out of this page: a call made before it, by somebody not known yet, is refused so. */
  let takeover: AuthClientError | undefined
  /** Who makes calls while it is known who is signed in. */
  let usualSession: SessionState | undefined
  let usualCaller: Caller = () => undefined
  /** The way of the newest tokens from elsewhere into a slow store. */
  let saving: void | Promise<void>

  /** Fields of tokens that could not be read: each is reported once, or every refresh would report it again. */
  const unreadable = new Set<string>()

  const tokensAtStart = deps.tokens && newSession(deps.tokens, 'given')
  // Without the moment of expiry: server and browser received the tokens at different times.
  const serverSnapshot = snapshotOf(
    tokensAtStart && { ...tokensAtStart, expiresAtMs: undefined },
    true,
    false,
  )
  let snapshot = snapshotOf(undefined, false, false)
  store.present = () => current && recordOf(current)
  const ready = load()

  return {
    ready,
    assertAlive,
    current: () => current,
    knownTokens: () => knownTokens,
    knows: everKnown.has,
    redactions,
    unsettled,
    caller,
    signIn,
    signOut,
    updateTokens,
    refresh,
    reread: () => void guard(look),
    endCoolDown() {
      if (current) current.coolDown = undefined
    },
    isDead,
    renewAhead,
    ensureFresh,
    mayHelp: (session) => !session.ended && (!isDead(session) || !!run || !coolingDown(session)),
    tokenRejected,
    tokenAccepted,
    take,
    underWay,
    getSnapshot: () => snapshot,
    getServerSnapshot: () => serverSnapshot,
    dispose,
  }

  // ---- the store -------------------------------------------------------------------------------------------------

  function load(): Promise<void> {
    const found = store.read()
    // Whatever goes wrong inside: it is known then that nobody is signed in.
    if (!(found instanceof Promise)) return begin(found).catch(report)
    const gate = deferred()
    loading = gate
    publish()
    return found.then(async (late) => {
      // A sign-in or sign-out in the meantime has opened the gate: it knows better than the store.
      if (loading === gate) await begin(late).catch(report)
      settle()
    })
  }

  /** The session that this client starts with: the stored one, or the one made of the tokens it was given. */
  async function begin(found: Found): Promise<void> {
    const record = found?.record
    if (record?.tokens) enter(record)
    else current = tokensAtStart
    publish()
    // A store that failed, or holds what this version cannot read, is not written over by what was only known at start.
    if (found && !record?.tokens && current) await write(current)
  }

  /** A look into the store may be followed by an attempt to restore the session. */
  function unsettled(): Promise<void> | undefined {
    if (loading) {
      store.look()
      return loading.promise.then(unsettled)
    }
    const restoring = joinable()
    return restoring && !restoring.session ? restoring.gate.promise : undefined
  }

  function caller(): Caller {
    const session = current
    if (!loading && (session || !run)) {
      // Not a function for each request.
      if (session !== usualSession) usualCaller = () => session
      usualSession = session
      return usualCaller
    }
    const before = takeover
    return () => {
      if (takeover !== before) throw takeover
      return current
    }
  }

  /** From now on it is known who is signed in. */
  function settle(): void {
    const gate = loading
    loading = undefined
    publish()
    gate?.resolve()
  }

  /** Takes a record found in the store as the current session. */
  function enter(record: SessionRecord): void {
    const session = createSessionState(record.sessionId)
    renew(session, record, record.version)
    current = session
  }

  /** At once where that can be: what is done in the same turn must come after it, or it would undo that. */
  function look(limitMs?: number): void | Promise<void> {
    const found = store.read(limitMs)
    return found instanceof Promise ? found.then(reconcile) : reconcile(found)
  }

  /** Brings what is known here in line with what the store says. */
  function reconcile(found: Found): void {
    try {
      if (found && !disposed && !loading) follow(found)
    } catch (error) {
      // It was not taken up: the next look must find it again.
      store.forget()
      throw error
    }
  }

  function follow(found: NonNullable<Found>): void {
    const { record, refused, news } = found
    const before = current
    if (record && before && record.sessionId === before.id) {
      if (!record.tokens) noteOutdated(before, record.version)
      else if (!isNewer(record, before)) return
      else if (isOthers(before, { ...record, ...record.tokens }, true)) enterInstead(record)
      else adopt(before, record)
      return
    }
    // What a failed write of ours has left there is not the truth; nor is what was there before anything was known of it.
    if (!(news ?? !before)) return
    if (record && endedIds.has(record.sessionId)) return
    // Or they would bring back what is over.
    store.dropWrites()
    if (record?.tokens) enterInstead(record)
    else if (before && refused) {
      const error = new AuthClientError('SESSION_EXPIRED', 'The session was refused in another tab.')
      end(before, 'refused', error)
    } else if (before) end(before, 'signed-out-elsewhere', signedOut('The user signed out in another tab.'))
  }

  /** Takes a record of somebody else's session, or of another session, in the place of the current one. */
  function enterInstead(record: SessionRecord): void {
    const before = current
    dropForAnother()
    enter(record)
    if (before) end(before, 'replaced-elsewhere', sessionChanged())
    publish()
  }

  function adopt(session: SessionState, record: SessionRecord): void {
    const { refreshToken = '', ...others } = record.tokens
    const isSpent = session.spent.includes(refreshToken)
    renew(session, isSpent ? { ...record, tokens: others } : record, record.version)
    // Whoever wrote that had not heard of the newer one, nor had the store.
    if (isSpent) void write(session)
    // Also where the refresh token is the same: the tokens of a run that began before are older than these.
    session.epoch++
    stats.adopted++
    if (run && isNeedless(run)) run.brought = 'adoption'
    publish()
    wake()
  }

  /** Puts newer tokens of a session into the store. */
  function save(session: SessionState): void | Promise<void> {
    return unlessOver(session, () => write(session))
  }

  /** Somebody may have signed out in the store meanwhile; or what is there now is not to be replaced. */
  function unlessOver(session: SessionState, write: () => void | Promise<void>): void | Promise<void> {
    const looked = store.needsLook() && look(refreshTimeoutMs / 2)
    // A disposed client still stores what it has fetched; one whose session has ended does not.
    return looked ? looked.then(() => (isOver(session) ? undefined : write())) : write()
  }

  function write(session: SessionState): void | Promise<void> {
    // Where another tab has the newer tokens, its mark stays.
    if (!isOutdated(session)) return store.save(recordOf(session))
  }

  // ---- tokens ----------------------------------------------------------------------------------------------------

  function newSession(tokens: Tokens | undefined, source?: Source): SessionState {
    const session = createSessionState(createSessionId(nowMs()))
    renew(session, { tokens: checked(tokens) }, undefined, source)
    return session
  }

  function renew(
    session: SessionState,
    from: { tokens: Partial<Tokens> } & Partial<Omit<SessionRecord, 'tokens'>>,
    version?: number,
    source: Source = version ? 'stored' : 'received',
  ): void {
    const { tokens, ...rest } = from
    renewSession(session, { ...rest, ...tokens }, version, source, {
      nowMs,
      refreshAheadMs,
      subjectOf,
      onUnreadable(field) {
        if (!unreadable.has(field)) reportUnreadable(field)
        unreadable.add(field)
      },
    })
    knownTokens = [session.accessToken, ...knownTokens].slice(0, KNOWN_TOKENS)
    everKnown.add(session.accessToken)
    rememberRefreshToken(session)
  }

  /** Whether tokens are known to be another user's than the session they are for (G24). */
  function isOthers(session: SessionState, tokens: Partial<Tokens>, fromRecord = false): boolean {
    const claims = readClaims(tokens.accessToken ?? '')
    return isOtherUser(session.subjects, readSubjects(tokens, claims, subjectOf, fromRecord))
  }

  function rememberRefreshToken({ refreshToken }: SessionState): void {
    if (refreshToken && !knownRefreshTokens.includes(refreshToken))
      knownRefreshTokens = [refreshToken, ...knownRefreshTokens].slice(0, KNOWN_TOKENS)
    knownEncodings = undefined
  }

  function redactions(): string[] {
    knownEncodings ??= [...knownTokens, ...knownRefreshTokens].flatMap(encodingsOf)
    return knownEncodings
  }

  /** The caller's tokens, fit for use. @throws {AuthClientError} code `BAD_OPTION`. */
  function checked(tokens: Tokens | undefined): Partial<Tokens> {
    checkTokens(tokens, tokenless)
    return tokens ?? {}
  }

  /** Newer tokens for the same session, from elsewhere than our own refresh. */
  function replaceTokens(session: SessionState, tokens: Partial<Tokens>): void | Promise<void> {
    renew(session, { tokens })
    const release = () => {
      // With a new refresh token, what the run was asking with is spent.
      if (run && isOvertaken(run)) dropRun()
      else wake()
      publish()
    }
    const saved = save(session)
    saving = saved
    return saved ? saved.then(release) : release()
  }

  function take(session: SessionState, generation: number, grant: Grant): void | Promise<void> {
    // As in updateTokens: what another tab has stored meanwhile must not be lost under these.
    reconcile(store.glance())
    const current = !session.ended && session.generation === generation
    // An answer out of a cache brings a token that has been replaced since.
    if (current && !flawOf(grant) && !knownTokens.includes(grant.accessToken)) {
      return isOthers(session, grant) ? handOver(session, grant) : replaceTokens(session, grant)
    }
  }

  // ---- from outside ----------------------------------------------------------------------------------------------

  async function signIn(tokens: Tokens | undefined): Promise<void> {
    assertAlive()
    const saved = startSession(newSession(tokens), 'replaced')
    settle()
    await saved
  }

  /** A session in the place of the one there is. */
  function startSession(
    session: SessionState,
    reason: 'replaced' | 'replaced-elsewhere',
  ): void | Promise<void> {
    const before = current
    dropForAnother()
    takeover = sessionChanged()
    current = session
    // Before anybody hears of it: what they do about it looks into the store.
    const saved = store.save(recordOf(session), reason === 'replaced')
    if (before) end(before, reason, takeover)
    return saved
  }

  /** The server has brought another user's tokens. */
  function handOver(session: SessionState, grant: Grant): void | Promise<void> {
    return unlessOver(session, () => startSession(newSession(grant), 'replaced-elsewhere'))
  }

  async function signOut(): Promise<void> {
    assertAlive()
    const session = current
    takeover = signedOut('The user signed out.')
    dropRun()
    const cleared = store.clear(undefined, true)
    if (session) end(session, 'signed-out', takeover)
    settle()
    await cleared
    // The answer on its way may set cookies; the caller's own logout call has to come after it.
    await Promise.all([...abandonedRuns].map(({ landed }) => landed))
  }

  async function updateTokens(tokens: Tokens): Promise<void> {
    assertAlive()
    const sound = checked(tokens)
    const whose = caller()
    if (loading) await loading.promise
    assertAlive()
    const session = whose()
    // What another tab has stored meanwhile must not be lost under these.
    reconcile(store.glance())
    if (!session || session.ended) throw session?.ended ?? signedOut()
    await (isOthers(session, sound)
      ? startSession(newSession(tokens), 'replaced')
      : replaceTokens(session, sound))
  }

  async function refresh(): Promise<AuthSnapshot> {
    assertAlive()
    const before = takeover
    // Without a further turn, so that it has begun before those look who wait for the store as well.
    if (loading) await loading.promise
    assertAlive()
    if (!deps.refresh) throw badOption('refresh', 'a strategy', undefined)
    if (takeover !== before) throw takeover
    const session = current
    if (!session && !deps.cookies) throw signedOut()
    for (let joins = 0; joins < MOST_REFRESHES; joins++) {
      const joined = joinable() ?? start(session, session ? 'asked' : 'restore')
      await joined.gate.promise
      assertAlive()
      if (session?.ended) throw session.ended
      if (!session && takeover !== before) throw takeover
      if (joined.error) throw joined.error
      // Otherwise, what it found was another tab's, and is over as well.
      if (!session || joined.asked || !isDead(session)) break
    }
    return snapshot
  }

  function dispose(): Promise<void> | undefined {
    if (disposed) return undefined
    disposed = new AuthClientError('DISPOSED', 'This auth client was disposed.')
    // The session itself goes on in the store, so this is no end that anybody is told about.
    if (current) current.ended = disposed
    // What a refresh brings that has asked already still goes into the store: it would hold a spent token otherwise.
    const last = run?.asked && run.session ? run : undefined
    if (last) {
      run = undefined
      last.pause?.resolve()
      last.gate.resolve()
    }
    dropForAnother()
    const close = () => {
      store.close()
      deps.tabs.close()
    }
    if (last) void last.landed.then(close)
    else close()
    settle()
    isSilent = true
    return last?.landed
  }

  function assertAlive(): void {
    if (disposed) throw disposed
  }

  function signedOut(message = 'Nobody is signed in.'): AuthClientError {
    return new AuthClientError('SIGNED_OUT', message)
  }

  function sessionChanged(): AuthClientError {
    return new AuthClientError('SESSION_CHANGED', 'Someone else signed in; this request was not theirs.')
  }

  function publish(): void {
    if (isSilent) return
    guard(() => {
      const last = snapshot
      snapshot = snapshotOf(current, !!loading, !!run, last)
      if (snapshot !== last) events.emit('change', snapshot)
    })
  }

  /** Ends a session for everybody here: no one gets at its tokens any more, and it cannot come back. */
  function end(session: SessionState, reason: SessionEndReason, error: AuthClientError): void {
    session.ended = error
    endedIds.add(session.id)
    if (current === session) current = undefined
    dropRun()
    if (isSilent) return
    publish()
    const told: SessionEnd = { reason, error }
    events.emit('sessionEnd', told)
    guard(() => deps.onSessionEnd?.(told))
  }

  // ---- waiting for tokens ----------------------------------------------------------------------------------------

  function isDead(session: SessionState): boolean {
    if (run?.revives === session) return true
    // Without a way to refresh the clock decides nothing: tokens go out as they are.
    return session.refused || (!!deps.refresh && isExpired(session, nowMs()))
  }

  function renewAhead(session: SessionState, waiter: Waiter): void {
    if (!deps.refresh || session.ended || run || !isStale(session, nowMs()) || coolingDown(session)) return
    if (isOutdated(session)) return
    waiter.started = start(session, 'stale')
  }

  function coolingDown(session: SessionState): AuthClientError | undefined {
    const { coolDown } = session
    // A clock that was set back ends it: it would last for hours otherwise.
    const elapsedMs = coolDown ? nowMs() - coolDown.sinceMs : 0
    return coolDown && elapsedMs >= 0 && elapsedMs < coolDown.lengthMs ? coolDown.error : undefined
  }

  // Promises chained by hand: while a hundred thousand wait, an async function would hold twice as much for each.
  function ensureFresh<W extends Waiter>(
    session: SessionState,
    waiter: W,
    waiting: Waiting<W>,
    minValidityMs = 0,
  ): Promise<boolean> {
    try {
      if (session.ended) throw session.ended
      const short = !waiter.waited && deps.refresh && isShort(session, nowMs(), minValidityMs)
      if (!short && !isDead(session)) return Promise.resolve(true)
      const underWay = joinable()
      if (!underWay) {
        const failure = coolingDown(session)
        if (failure) throw failure
        if (waiter.started?.asked && !waiter.mayStartAgain) return Promise.resolve(false)
        // A store may bring other tokens at each look.
        waiter.joined = (waiter.joined ?? 0) + 1
        if (waiter.joined > MOST_REFRESHES) return Promise.resolve(!isDead(session))
        waiter.mayStartAgain &&= false
      }
      const joined =
        underWay ??
        (waiter.started = start(session, session.refused ? 'refused' : isDead(session) ? 'expired' : 'asked'))
      const { generation } = session
      return waiting.hold(waiter, joined.gate.promise).then(
        () => {
          waiting.leave?.(waiter)
          waiter.waited = joined.asked
          if (joined.error && session.generation === generation && !session.ended) throw joined.error
          if (joined === waiter.started) {
            // Somebody else was faster between its attempts: what they brought is not what it was started for.
            if (joined.brought === 'adoption') waiter.started = undefined
            else if (joined.asked) learnAttainable(session, minValidityMs)
          }
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

  function tokenRejected(session: SessionState, generation: number, waiter: Waiter): boolean {
    if (session.ended || session.generation !== generation) return true
    if (isExpired(session, nowMs())) {
      if (waiter.started?.asked) waiter.mayStartAgain ??= true
    } else if (session.unproven && waiter.waited) noteExcessive(session, nowMs())
    if (isExcessive(session, nowMs())) {
      session.refused = false
      return false
    }
    // A fresh token that one endpoint refuses is not proven dead: it is passed on unmarked, or every such answer
    // would cost the next request a refresh. Where a failure is known, it costs nothing and explains the 401.
    const isDone = waiter.started?.asked && !waiter.mayStartAgain
    if (isDone && !run && !session.refused && !coolingDown(session)) return false
    session.refused = true
    return true
  }

  function tokenAccepted(session: SessionState, generation: number): void {
    if (session.generation !== generation) return
    session.unproven = false
    session.excessiveAtMs = []
  }

  function underWay() {
    if (!run) return undefined
    const { session, spent } = run
    // What the strategy was handed: the session may have heard of a newer one since.
    const refreshToken = spent ?? session?.refreshToken
    // A token that is its own refresh token is on every request.
    return {
      signal: run.controller.signal,
      refreshToken: refreshToken === session?.accessToken ? undefined : refreshToken,
    }
  }

  // ---- the run ------------------------------------------------------------------------------------------------

  /** The refresh that is under way, for whoever is about to wait for it. */
  function joinable(): RefreshRun | undefined {
    run?.limit?.look()
    return run
  }

  function start(session: SessionState | undefined, reason: RefreshReason): RefreshRun {
    const controller = new AbortController()
    const mine: RefreshRun = {
      session,
      reason,
      startedAtMs: nowMs(),
      generation: session?.generation,
      version: session?.version,
      epoch: session?.epoch,
      asked: false,
      controller,
      gate: deferred(),
      landed: Promise.resolve(),
      dropped: false,
      brought: 'nothing',
    }
    // Published before anything else happens, so that whoever looks from now on joins it.
    run = mine
    publish()
    events.emit('refreshStart', { reason })
    const turn = { signal: controller.signal, written: () => written(mine), hasCaughtUp }
    mine.landed = new Promise<RefreshFailure | undefined>((resolve) => {
      resolve(deps.tabs.exclusively(() => runInTime(mine), turn))
    })
      .catch(
        (fault): RefreshFailure => ({
          error: isAuthClientError(fault)
            ? fault
            : new AuthClientError('REFRESH_FAILED', 'The refresh failed.'),
        }),
      )
      .then((failure) => finish(mine, failure))
    return mine
  }

  /** For other tabs: what to look for in the store before they refresh. Hints, no tokens. */
  function written({ asked, session }: RefreshRun): string | undefined {
    if (!asked || !store.inSync() || !session) return undefined
    return `${session.id} ${isOver(session) ? Infinity : session.version}`
  }

  function hasCaughtUp(written: string): boolean {
    const found = store.glance()
    // An asynchronous store is asked when the run begins, and says itself when it has taken what was written.
    if (!found) return true
    guard(() => reconcile(found))
    const [id, version] = written.split(' ')
    return !current || current.id !== id || current.version >= Number(version)
  }

  /** The time counts from here: waiting for another tab's refresh has a limit of its own. */
  async function runInTime(mine: RefreshRun): Promise<RefreshFailure | undefined> {
    mine.startedAtMs = nowMs()
    const { promise, resolve } = deferred()
    mine.limit = createLimit(clock, resolve, refreshTimeoutMs)
    return Promise.race([perform(mine), promise.then((): RefreshFailure => ({ error: timedOut() }))])
  }

  /** One refresh: look whether somebody else was faster, ask, commit. */
  async function perform(mine: RefreshRun): Promise<RefreshFailure | undefined> {
    const { session } = mine
    // A turn later than what started it, so that nothing comes between the look and its use.
    await undefined
    if (mine.dropped) return undefined
    // Half of the time at the most, so that a store that hangs leaves enough for the refresh itself.
    await lookInTime(mine, refreshTimeoutMs / 2)
    // Also if it was adopted on a hint, while this tab waited for its turn.
    if (isNeedless(mine)) return undefined
    if (!deps.refresh || isOutdated(session)) {
      const message = `The token was refused, and ${deps.refresh ? 'another tab has spent the refresh token' : 'there is no way to refresh it'}.`
      return refuse(mine, new AuthClientError('SESSION_EXPIRED', message))
    }
    stats.refreshes++
    mine.asked = true
    const outcome = await askForGrant({
      ask() {
        // Where the process was stopped meanwhile, little of the time would be left for an answer.
        if (mine.limit?.wasLate) mine.limit.restart()
        // The newest there is: another tab, or the app, may have brought it since.
        mine.epoch = session?.epoch
        mine.spent = session?.refreshToken
        return deps.refresh?.({
          refreshToken: mine.spent,
          accessToken: session?.accessToken || undefined,
          signal: mine.controller.signal,
          reason: mine.reason,
        })
      },
      isFinal: (error) => guard(() => deps.isFinal?.(error)),
      keepRefreshToken: (answer) => keepRefreshToken(mine, answer as Grant),
      retry: deps.refreshRetry,
      redactions,
      nowMs,
      deadlineMs() {
        // An answer may be read before the timer that is as late as it.
        mine.limit?.look()
        return mine.limit?.dueAtMs ?? 0
      },
      async sleep(delayMs) {
        const dueAtMs = nowMs() + delayMs
        mine.pause = nap(delayMs)
        await mine.pause.promise
        if (nowMs() - dueAtMs > LATE_MS) mine.limit?.restart()
        // This tab may have been asleep itself, and passed.
        reconcile(store.glance())
      },
      isWanted: () => run === mine && !isNeedless(mine) && !isOutdated(session),
    })
    if ('answer' in outcome) return commit(mine, outcome.answer)
    if (isNeedless(mine)) return undefined
    if (outcome.error.code !== 'SESSION_EXPIRED') return outcome
    return refuse(mine, outcome.error)
  }

  /** For so long at the most, also where the look waits behind another call to the store. */
  function lookInTime(mine: RefreshRun, limitMs: number): void | Promise<void> {
    const looked = look(limitMs)
    if (!looked) return
    const pause = nap(limitMs, (expire) => setLimit(clock, expire, limitMs))
    mine.pause = pause
    return Promise.race([looked, pause.promise]).then(pause.resolve)
  }

  async function commit(mine: RefreshRun, answer: unknown): Promise<RefreshFailure | undefined> {
    const { session } = mine
    // Another tab may have been faster while this one slept.
    reconcile(store.glance())
    if (disposed && !(await isStillKept(mine))) return undefined
    const grant = (isObject(answer) ? answer : tokenless ? {} : undefined) as Grant | undefined
    if (isOvertaken(mine)) {
      await keepRefreshToken(mine, grant)
      return undefined
    }

    const repeated = session?.refused && !tokenless && grant?.accessToken === session.accessToken
    const flaw = flawOf(grant, tokenless) ?? (repeated ? 'the access token that was just refused' : undefined)
    if (flaw || !grant) {
      await keepRefreshToken(mine, grant)
      const message = `The refresh answered with ${flaw}. If it did not, map its fields with readGrant.`
      return { error: new AuthClientError('BAD_GRANT', message), pauseMs: retryAfterMs(answer, nowMs()) }
    }
    if (session && isOthers(session, grant)) {
      await handOver(session, grant)
      return undefined
    }
    const target = session ?? createSessionState(createSessionId(nowMs()))
    noteSpent(mine, grant.refreshToken)
    if (isDead(target)) mine.revives = target
    // In memory at once: the old refresh token is spent, whatever becomes of the store.
    renew(target, { tokens: grant })
    target.unproven = true
    // Overtakes every run that is still under way, this one included: its work is done.
    target.epoch++
    mine.brought = 'grant'
    current = target
    await save(target)
    if (run === mine) return undefined
    // Late, and good all the same. What a later run asked with is spent.
    if (run && isOvertaken(run)) dropRun()
    publish()
    return undefined
  }

  /** An answer of no use otherwise may still have replaced the refresh token: the one that was sent is spent. */
  async function keepRefreshToken(mine: RefreshRun, grant: Grant | undefined): Promise<void> {
    const { session, spent } = mine
    const refreshToken: unknown = grant?.refreshToken
    if (!session || isOver(session) || session.refreshToken !== spent || !isUsableToken(refreshToken)) return
    if (isOthers(session, grant ?? {})) return
    noteSpent(mine, refreshToken)
    session.refreshToken = refreshToken
    rememberRefreshToken(session)
    await save(session)
  }

  function noteSpent({ session, spent }: RefreshRun, successor: string | undefined): void {
    if (session && spent && successor && successor !== spent)
      session.spent = [spent, ...session.spent].slice(0, KNOWN_TOKENS)
  }

  /** Whether the store holds what a refresh of a disposed client has asked with, and nobody has gone on from there. */
  async function isStillKept({ session, spent }: RefreshRun): Promise<boolean> {
    const record = (await store.read())?.record
    return record?.sessionId === session?.id && record?.tokens?.refreshToken === spent
  }

  async function refuse(mine: RefreshRun, error: AuthClientError): Promise<RefreshFailure | undefined> {
    const { session, reason, startedAtMs } = mine
    // Another tab may have spent the refresh token a moment before: its newer tokens are in the store then.
    await lookInTime(mine, refreshTimeoutMs / 4)
    const isMoot = () => isNeedless(mine) || isOvertaken(mine)
    if (isMoot() || run !== mine) return undefined
    // Or it could not store them: then this tab uses its access token to its end, and leaves the mark alone.
    const outdated = isOutdated(session)
    if (session && outdated && !isDead(session)) {
      return { error: new AuthClientError('REFRESH_FAILED', 'Another tab has spent the refresh token.') }
    }
    events.emit('refreshFailed', { reason, durationMs: nowMs() - startedAtMs, error })
    // A listener may have brought newer tokens, or ended the session itself.
    if (isMoot()) return undefined
    // A session that could not be restored has not ended: there was none.
    if (session && !session.ended) {
      if (!outdated) void store.clear(REFUSED)
      end(session, 'refused', error)
    }
    return undefined
  }

  /** Whether there are better tokens already, or nobody to get them for. */
  function isNeedless({ dropped, session, generation, version }: RefreshRun): boolean {
    if (dropped || !session) return dropped
    // The same token with a new lifetime, or a new refresh token beside it.
    const isRenewed = session.version !== version && !isOutdated(session) && !isDead(session)
    return session.generation !== generation || isRenewed
  }

  /** Whether the run's grant would replace something newer, or bring back what is over. */
  function isOvertaken({ dropped, session, epoch }: RefreshRun): boolean {
    return dropped || (session ? isOver(session) || session.epoch !== epoch : !!current)
  }

  /** Whether a session has ended. It goes on in the store where only the client has. */
  function isOver({ ended }: SessionState): boolean {
    return !!ended && ended !== disposed
  }

  /** Opens the gate, once, and whatever goes wrong inside. */
  function finish(mine: RefreshRun, result: RefreshFailure | undefined): void {
    guard(() => {
      mine.limit?.cancel()
      mine.pause?.resolve()
      if (result) mine.controller.abort()
    })
    abandonedRuns.delete(mine)
    if (run !== mine) return
    run = undefined
    // A grant that has been read counts, even if its way into the store took too long.
    const failure = mine.brought === 'nothing' ? result : undefined
    mine.error = failure?.error
    guard(() => {
      const { session, reason, brought, generation, startedAtMs } = mine
      const durationMs = nowMs() - startedAtMs
      // Tokens that came in the meantime are not judged by it.
      const coolDownMs =
        failure &&
        session?.generation === generation &&
        session &&
        coolDown(session, failure.error, failure.pauseMs)
      publish()
      if (failure) {
        const { error } = failure
        events.emit('refreshFailed', { reason, durationMs, error, ...(coolDownMs && { coolDownMs }) })
      } else if (brought !== 'nothing')
        events.emit('refreshed', { reason, durationMs, adopted: brought === 'adoption' })
    })
    // Tokens that came meanwhile may be on their way into the store.
    if (saving) void saving.then(mine.gate.resolve, mine.gate.resolve)
    else mine.gate.resolve()
  }

  /** Lets everybody go on without the run. With cookies it goes on in the dark: `signOut` waits for its answer. */
  function dropRun(): void {
    const mine = run
    if (!mine) return
    run = undefined
    mine.dropped = true
    mine.gate.resolve()
    // One that has not asked never will.
    const mayChangeCookies = deps.cookies && mine.asked
    if (mayChangeCookies) abandonedRuns.add(mine)
    guard(() => {
      mine.pause?.resolve()
      if (!mayChangeCookies) abandon(mine)
    })
  }

  /** For somebody else's session, or for none. Aborted with cookies too: a late answer would overwrite theirs. */
  function dropForAnother(): void {
    dropRun()
    abandonedRuns.forEach(abandon)
  }

  function abandon(mine: RefreshRun): void {
    mine.controller.abort()
    mine.limit?.expire()
  }

  /** Lets those go on who have something new to look at, while the run itself goes on. */
  function wake(): void {
    if (!run || !isNeedless(run)) return
    const { gate } = run
    run.gate = deferred()
    gate.resolve()
    // It has nothing to do any more, so it need not wait for its turn.
    if (!run.asked) run.controller.abort()
  }

  function coolDown(session: SessionState, error: AuthClientError, pauseMs = 0): number {
    const grownMs = Math.min(LONGEST_COOL_DOWN_MS, FIRST_COOL_DOWN_MS * 2 ** session.failures++)
    const coolDownMs = Math.max(pauseMs, grownMs)
    session.coolDown = { sinceMs: nowMs(), lengthMs: coolDownMs, error }
    return coolDownMs
  }

  /** A wait that can be cut short by resolving it. */
  function nap(delayMs: number, setTimer = clock.setTimer): Deferred {
    const { promise, resolve } = deferred()
    const cancel = setTimer(resolve, delayMs)
    return {
      promise,
      resolve() {
        resolve()
        cancel()
      },
    }
  }

  function timedOut(): AuthClientError {
    return new AuthClientError(
      'REFRESH_TIMEOUT',
      `The refresh gave no answer within ${refreshTimeoutMs} ms. If it calls the wrapped instance, it waits for itself: use \`http\`.`,
    )
  }
}
