// The reference model: what the contract lets happen, written from its text and from nothing of the code. It gets
// facts of the outside world (what was asked for, what went over the wire, what was read) and checks each at once.
// Promise: a violation throws where the fact is reported or at the next `check`, with the guarantee it breaks.
import { type AuthClient, authErrorOf } from '../../src/index.js'

export interface RequestFacts {
  readonly id: number
  readonly tab: number
  /** Who was signed in in its tab when it was made; `unknown` while the store had not been read. */
  readonly user: string | undefined | 'unknown'
  readonly foreign: boolean
}

interface Request extends RequestFacts {
  aborted: boolean
  settled: number
  /** The statuses and failures of its own that were delivered to it. */
  answers: (number | 'network')[]
  /** Its place among the facts. */
  madeAt: number
  /** Whether its last answer was about the newest token that its session had. */
  refusedNewest: boolean
}

const REFRESH_TIMEOUT_MS = 15_000
/** The tokens of the world live for 300 s, and are stale for the last 30 s of it. */
const STALE_AFTER_MS = 270_000

type EndReason = 'refused' | 'signed-out' | 'signed-out-elsewhere' | 'replaced' | 'replaced-elsewhere'

interface TabFacts {
  disposed: boolean
  /** Sessions that are over here. Nothing of theirs may happen in this tab any more. */
  over: Map<string, EndReason>
  /** What refreshes brought here, by user. */
  failures: Map<string, Set<string>>
  ends: string[]
  rejectedTokens: Map<string, number>
  subject: string | undefined
  known: Set<string>
  newest: string | undefined
  refreshing: boolean
  /** Tokens came from elsewhere during a refresh, so that what it brought may have been thrown away. */
  overtaken: boolean
  /** The refresh that was under way when the newest token came, or was asked for, still is: it may try again. */
  atIt: boolean
  /** Tokens that an answer has refused here. */
  refused: Set<string>
  /** Calls that ask for new tokens and have not come back. */
  asking: number
}

export class Model {
  readonly requests: Request[] = []
  private readonly tabs = new Map<number, TabFacts>()
  private readonly refreshes: { tab: number; user: string }[] = []
  private readonly spent = new Map<string, number>()
  private readonly violations: string[] = []
  private readonly bornMs = new Map<string, number>()
  /** By tab, the place of its last refresh among the facts. */
  private readonly lastRefresh = new Map<number, number>()
  private faulty = false
  private disordered = false
  private inStore: string | undefined
  private readonly takenOut = new Set<string>()
  /** A tab could not store its newer tokens, and has left a mark of that: who reads it cannot renew its own. */
  private marked = false
  private isUpdated = false
  private facts = 0
  /** How much time has passed, whatever the clock shows. */
  elapsedMs = 0

  /** @param serialised whether tabs can take turns: not without locks, or with a store that takes its time. */
  constructor(private serialised: boolean) {}

  private tab(id: number): TabFacts {
    let facts = this.tabs.get(id)
    if (!facts) {
      facts = {
        disposed: false,
        over: new Map(),
        failures: new Map(),
        ends: [],
        rejectedTokens: new Map(),
        subject: undefined,
        known: new Set(),
        newest: undefined,
        refreshing: false,
        overtaken: false,
        atIt: false,
        refused: new Set(),
        asking: 0,
      }
      this.tabs.set(id, facts)
    }
    return facts
  }

  private demand(holds: boolean, guarantee: string): void {
    if (!holds) this.violations.push(guarantee)
  }

  // ---- what the user did -----------------------------------------------------------------------------------------

  made(facts: RequestFacts): void {
    this.requests.push({
      ...facts,
      aborted: false,
      settled: 0,
      answers: [],
      madeAt: this.facts++,
      refusedNewest: false,
    })
  }

  aborted(id: number): void {
    this.request(id).aborted = true
  }

  /** Somebody asks for new tokens whatever the ones at hand are worth. */
  async asking(tab: number, call: Promise<unknown>): Promise<void> {
    const facts = this.tab(tab)
    facts.asking++
    await call.catch(() => {})
    facts.asking--
  }

  disposed(tab: number): void {
    this.tab(tab).disposed = true
  }

  /** Tokens may come from elsewhere now. */
  overtaking(tab: number): void {
    const facts = this.tab(tab)
    facts.overtaken ||= facts.refreshing
  }

  /** From now on nobody outside knows which token a tab takes for its newest. */
  updated(): void {
    this.isUpdated = true
  }

  slept(): void {
    this.serialised = false
  }

  /** What a write has put into the store; sessions that were taken out of it, or replaced, do not come back. */
  stored(session: string | undefined): void {
    if (this.inStore !== undefined && session !== this.inStore) this.takenOut.add(this.inStore)
    this.inStore = session
    // After a failed write, a store is emptied of what is spent, and its session goes on.
    const isBack = session !== undefined && this.takenOut.has(session)
    this.demand(this.faulty || this.disordered || !isBack, 'G13, G14: a session came back into the store')
  }

  /** Writes may land late, or in another order than they were made: what comes back by that is put right later. */
  writesOutOfOrder(): void {
    this.disordered = true
  }

  storeFailed(): void {
    this.faulty = true
  }

  markLeft(): void {
    this.marked = true
  }

  // ---- what the client did ---------------------------------------------------------------------------------------

  sent(facts: RequestFacts, token: string | undefined): void {
    const request = this.request(facts.id)
    this.demand(request.settled === 0, `G1: request ${facts.id} was sent after it had settled`)
    this.demand(!request.aborted, `G18: request ${facts.id} was sent after it had been aborted`)
    if (token === undefined) return
    this.learn(facts.tab, token)
    const user = userOf(token)
    const tab = this.tab(facts.tab)
    this.demand(!facts.foreign, `G20: request ${facts.id} took a token to a foreign origin`)
    this.demand(!tab.disposed, `dispose: request ${facts.id} carried a token of a disposed client`)
    this.demand(
      facts.user === 'unknown' || facts.user === user,
      `G14: request ${facts.id} of ${facts.user} was sent as ${user}`,
    )
    this.demand(!tab.over.has(user), `G13: tab ${facts.tab} sent a token of ${user}, whose session is over`)
    const rejectedAt = tab.rejectedTokens.get(token)
    this.demand(
      rejectedAt === undefined ||
        rejectedAt > request.madeAt ||
        this.isLimited(facts.tab) ||
        !this.serialised,
      `G3: request ${facts.id} was sent with a token known to be rejected`,
    )
  }

  answered(
    facts: RequestFacts,
    token: string | undefined,
    answer: { status: number; body: unknown } | 'network',
  ): void {
    const request = this.request(facts.id)
    request.answers.push(answer === 'network' ? answer : answer.status)
    const refused = answer !== 'network' && answer.status === 401
    if (refused && token) this.tab(facts.tab).refused.add(token)
    // G8: the answer of a request that has had its refresh says nothing about the token for the others.
    const hasRefreshed = (this.lastRefresh.get(facts.tab) ?? -1) > request.madeAt
    if (refused && token && !hasRefreshed && !this.isLimited(facts.tab)) {
      const { rejectedTokens } = this.tab(facts.tab)
      if (!rejectedTokens.has(token)) rejectedTokens.set(token, this.facts++)
    }
    request.refusedNewest = token !== undefined && this.tab(facts.tab).newest === token
  }

  refreshSent(tab: number, user: string, refreshToken: string): void {
    this.lastRefresh.set(tab, this.facts++)
    const facts = this.tab(tab)
    const { newest } = facts
    const worn = this.isWorn(newest)
    this.demand(
      this.isUpdated ||
        facts.asking > 0 ||
        facts.atIt ||
        facts.overtaken ||
        worn ||
        newest === undefined ||
        facts.refused.has(newest),
      `G2: tab ${tab} refreshes, though nobody has refused its token ${newest}`,
    )
    const rivals = this.refreshes.filter((at) => at.user === user && (this.serialised || at.tab === tab))
    this.demand(rivals.length === 0, `G1: a second refresh for ${user} while one is in flight`)
    this.refreshes.push({ tab, user })
    this.demand(!this.tab(tab).over.has(user), `G13: tab ${tab} refreshes for ${user}, whose session is over`)
    const readIn = this.spent.get(refreshToken)
    const known = readIn !== undefined && (readIn === tab || (this.serialised && !this.faulty))
    this.demand(!known, `G4: tab ${tab} sent ${refreshToken} after an answer with a newer one was read`)
  }

  refreshOver(tab: number, user: string): void {
    this.refreshes.splice(
      this.refreshes.findIndex((at) => at.tab === tab && at.user === user),
      1,
    )
  }

  /** The client hung up on a refresh that had taken this long. */
  refreshLost(tab: number, user: string, tookMs: number): void {
    this.refreshOver(tab, user)
    if (tookMs >= REFRESH_TIMEOUT_MS) this.failuresOf(tab, user).add('REFRESH_TIMEOUT')
  }

  /** An answer of the refresh endpoint was delivered while its caller still listened. */
  refreshRead(
    tab: number,
    user: string,
    refreshToken: string,
    answer: { status: number; body: unknown } | 'network',
  ): void {
    const failures = this.failuresOf(tab, user)
    if (answer === 'network' || answer.status === 503) failures.add('REFRESH_FAILED')
    else if (answer.status === 401) failures.add('SESSION_EXPIRED')
    else if (typeof answer.body === 'string') failures.add('BAD_GRANT')
    else {
      const body = answer.body as { access_token: string; refresh_token?: string }
      this.bornMs.set(body.access_token, this.elapsedMs)
      // Without turns, it may be thrown away for what another tab brought at the same time.
      if (this.serialised) this.learn(tab, body.access_token)
      if (body.refresh_token) this.spent.set(refreshToken, tab)
    }
  }

  /** A tab has this token: it was handed to it, read by it, or is sent by it because another tab had it. */
  learn(tab: number, accessToken: string): void {
    const facts = this.tab(tab)
    if (facts.known.has(accessToken)) return
    facts.known.add(accessToken)
    facts.newest = accessToken
    if (!this.bornMs.has(accessToken)) this.bornMs.set(accessToken, this.elapsedMs)
    facts.atIt = facts.refreshing
  }

  /** Whether the client may think that this token is at its end. */
  private isWorn(token: string | undefined): boolean {
    return this.elapsedMs - (this.bornMs.get(token ?? '') ?? 0) >= STALE_AFTER_MS
  }

  private failuresOf(tab: number, user: string): Set<string> {
    const { failures } = this.tab(tab)
    const found = failures.get(user) ?? new Set<string>()
    failures.set(user, found)
    return found
  }

  ended(tab: number, reason: string): void {
    const facts = this.tab(tab)
    const user = facts.subject
    facts.ends.push(reason)
    this.demand(user !== undefined, `onSessionEnd: tab ${tab} was ended as "${reason}" without a session`)
    if (user === undefined) return
    this.demand(!facts.over.has(user), `onSessionEnd: the session of ${user} ended twice in tab ${tab}`)
    facts.over.set(user, reason as EndReason)
    facts.subject = undefined
    if (reason !== 'refused') return
    const refused = this.failuresOf(tab, user).has('SESSION_EXPIRED') || this.marked
    this.demand(refused, `G10: the session of ${user} ended as refused, and nobody had refused it`)
  }

  endReported(tab: number, reason: string): void {
    const last = this.tab(tab).ends
    this.demand(last.length > 0 || reason !== '', 'events: sessionEnd without an end')
  }

  settled(id: number, result: { value?: { status: number; data: unknown }; error?: unknown }): void {
    const request = this.request(id)
    request.settled++
    this.demand(request.settled === 1, `G1: request ${id} settled twice`)
    const violation = result.value
      ? this.checkAnswer(request, result.value)
      : this.checkError(request, result.error)
    if (violation) this.violations.push(`request ${id} of tab ${request.tab}: ${violation}`)
  }

  private checkAnswer(request: Request, { data }: { data: unknown }): string | undefined {
    const { user } = data as { user: string | null }
    if (request.foreign || request.user === 'unknown') return undefined
    return user === request.user ? undefined : `G14: ${request.user} was answered as ${user}`
  }

  private checkError(request: Request, error: unknown): string | undefined {
    const { answers, user, aborted } = request
    const facts = this.tab(request.tab)
    const { name, response } = error as { name?: string; response?: { status: number } }
    if (name === 'CanceledError') return aborted ? undefined : 'G18: cancelled without having been aborted'
    const code = authErrorOf(error)?.code
    if (code === undefined) {
      const own = response ? response.status : 'network'
      if (!answers.includes(own)) return `it failed by "${own}", which nobody answered (${String(error)})`
      if (own !== 401) return undefined
      if (user === undefined || user === 'unknown' || request.foreign || facts.disposed) return undefined
      // G8: a request that has had a refresh of its own, and was refused with what that brought.
      // Without turns, what it brought may have been thrown away for what another tab brought at the same time.
      const overtaken = facts.overtaken || this.isUpdated || !this.serialised
      const newest = request.refusedNewest || this.isWorn(facts.newest) || overtaken
      const hadItsRefresh = newest && (this.lastRefresh.get(request.tab) ?? -1) > request.madeAt
      return hadItsRefresh || this.isLimited(request.tab)
        ? undefined
        : 'G1: it got a 401 that a refresh could have answered'
    }
    if (code === 'DISPOSED') return facts.disposed ? undefined : 'DISPOSED without dispose()'
    if (user === 'unknown') return undefined
    if (user === undefined) return `it was made signed out and failed with ${code}`
    const reason = facts.over.get(user)
    const byReason: Record<string, readonly EndReason[]> = {
      SIGNED_OUT: ['signed-out', 'signed-out-elsewhere'],
      SESSION_CHANGED: ['replaced', 'replaced-elsewhere'],
      SESSION_EXPIRED: ['refused'],
    }
    const reasons = byReason[code]
    if (reasons)
      return reason && reasons.includes(reason)
        ? undefined
        : `${code}, but the session ${reason ?? 'goes on'}`
    const failures = this.failuresOf(request.tab, user)
    // A store that does not answer can use up the time before the endpoint is asked.
    if (code === 'REFRESH_TIMEOUT' && this.elapsedMs >= REFRESH_TIMEOUT_MS) failures.add(code)
    const isMarks = code === 'REFRESH_FAILED' && this.marked
    return failures.has(code) || isMarks ? undefined : `${code}, which no refresh brought`
  }

  /** Whether refreshing has stopped to help there: then 401s pass, as G8 has it. */
  private isLimited(tab: number): boolean {
    const refused = this.requests.flatMap(({ tab: id, answers }) => (id === tab ? answers : []))
    return refused.filter((status) => status === 401).length > 3
  }

  // ---- after every step ------------------------------------------------------------------------------------------

  check(tabs: readonly { id: number; auth: AuthClient; alive: boolean }[]): void {
    for (const { id, auth, alive } of tabs) {
      if (!alive) continue
      const { status, subject, refreshing } = auth.getSnapshot()
      const facts = this.tab(id)
      facts.refreshing = refreshing
      facts.atIt = refreshing && (facts.atIt || facts.asking > 0)
      facts.subject = status === 'signed-in' ? subject : undefined
      this.demand(
        subject === undefined || !facts.over.has(subject),
        `G13: ${subject} came back in tab ${id} after the session was over`,
      )
    }
    this.raise()
  }

  /** When everything has happened that could. */
  checkEnd(tabs: readonly { id: number; auth: AuthClient }[]): void {
    for (const { id, settled } of this.requests) this.demand(settled === 1, `G1: request ${id} never settled`)
    for (const { id, auth } of tabs) this.demand(auth.stats().heldNow === 0, `tab ${id} still holds requests`)
    this.raise()
  }

  private raise(): void {
    if (this.violations.length > 0) throw new Error(this.violations.join('\n'))
  }

  private request(id: number): Request {
    return this.requests[id] as Request
  }
}

function userOf(token: string): string {
  return token.split('-')[1] as string
}
