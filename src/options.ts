// The options of `createAuthClient`: what they mean, their defaults, and their one check, at creation.
import type { AxiosRequestConfig, AxiosResponse } from 'axios'
import { badOption, type Check, checkOptions, checkTokens } from './checks.js'
import { type Clock, LONGEST_TIMER_MS, realClock } from './clock.js'
import { isObject } from './errors.js'
import type { SessionEnd } from './events.js'
import type { Claims } from './lifetime.js'
import { bearerHeader } from './placements/header.js'
import type { Placement } from './placements/placement.js'
import { createPageMemory } from './stores/page-memory.js'
import type { TokenStore } from './stores/store.js'
import type { RefreshStrategy } from './strategies/strategy.js'
import type { Grant, Tokens } from './tokens.js'
import type { RefreshQuestion } from './transport/classify.js'
import { originOf } from './transport/origin.js'

/**
 * What `createAuthClient` takes. `undefined` always means the default. Everything is checked once, at creation.
 * @throws {AuthClientError} code `BAD_OPTION`, with a message that names the option and what came.
 */
export interface AuthClientOptions {
  /**
   * How to get new tokens: a strategy such as `refreshWithBody`, or a function of your own.
   * Without it a refused token ends the session, and tokens go out as they are, whatever the clock says.
   * @default none
   */
  refresh?: RefreshStrategy | undefined
  /**
   * Tokens that are known at the start: from server-side rendering, a test, an older scheme. A stored session wins over
   * them; otherwise they are saved as by `signIn`, before `ready`.
   * @default none
   */
  tokens?: Tokens | undefined
  /** Where the session is kept. @default memoryStore() */
  store?: TokenStore | undefined
  /** Where the token travels on a request. @default bearerHeader() */
  place?: Placement | undefined
  /**
   * Reads tokens that the server pushes in any answer, such as `tokenFromHeader('authorization')`. They are taken only
   * if the answered request carried the current token of the current session. `response.data` is the JSON in it, or its
   * text: your `transformResponse` has not run. Not asked about an answer that a redirect fetched from a foreign origin;
   * axios's fetch adapter does not say where an answer came from, so with it your API must not redirect away.
   * @default none
   */
  readResponse?: ((response: AxiosResponse) => Grant | undefined) | undefined
  /**
   * All origins a token may be sent to, such as `['https://api.example.com']`: they take the place of the default. Any
   * other request goes out without one, and its 401 is not ours. The refresh call itself goes where the strategy says.
   * A `<base>` element changes where relative URLs lead, and not what is allowed.
   * @default the origin of the instance's `baseURL`; in a page and for a relative one, the page's own. Where there is
   * neither (a build, a server), a `baseURL` that is set later counts; until then, requests of a session reject with
   * `BAD_OPTION`
   */
  origins?: readonly string[] | undefined
  /**
   * The user that a JWT names, for servers that do not use `sub`. A session belongs to one user: tokens that name
   * another one end it with `replaced-elsewhere`, and begin a new one.
   * @default (claims) => claims.sub
   */
  subjectOf?: ((claims: Claims) => string | number | undefined) | undefined
  /**
   * Whether an answer says that the token is no longer accepted. Asked about every answer to a request that carries
   * the session, successes too, for servers that report expiry in a body. `response.data` is the JSON in it, or its
   * text: your `transformResponse` has not run. If it throws, the status decides.
   * @default status 401, unless its challenge for our scheme names `insufficient_scope`, `insufficient_claims`,
   * `insufficient_user_authentication` or `invalid_request`, or carries `claims` (RFC 6750 section 3.1, RFC 9470)
   */
  shouldRefresh?: ((question: RefreshQuestion) => boolean | PromiseLike<boolean>) | undefined
  /**
   * Whether this failure of the refresh ends the session, instead of being tried again later. `undefined`: the default
   * decides. Not asked about `null`, {@link SessionRefused} and a success without a token.
   * @default isRefusal
   */
  isFinal?: ((error: unknown) => boolean | undefined) | undefined
  /**
   * How long before its end a token counts as stale, so that it is renewed in the background before the server refuses
   * it. Milliseconds, 0 or more; never more than 15 % of the token's lifetime.
   * @default 30_000
   */
  refreshAheadMs?: number | undefined
  /** How long a refresh may take, retries included. Milliseconds, more than 0. @default 15_000 */
  refreshTimeoutMs?: number | undefined
  /**
   * How a refresh is tried again when the endpoint cannot be reached: `limit` further attempts, with exponential
   * back-off from `baseDelayMs` and full jitter; a `Retry-After` is honoured.
   * @default { limit: 2, baseDelayMs: 300 }
   */
  refreshRetry?: { limit?: number | undefined; baseDelayMs?: number | undefined } | undefined
  /**
   * Runs whenever a request is about to go out with another token than its interceptors saw: before each replay
   * (`sentBefore: true`), and before the first sending of one that waited (`false`). A signer signs anew here; a rate
   * limiter counts where `sentBefore`. It may change the config in place; what it returns is ignored, and so is its
   * failure, which is reported.
   * @default none
   */
  beforeReplay?: ((config: AxiosRequestConfig, info: { sentBefore: boolean }) => unknown) | undefined
  /**
   * Called once when a session ends. `refused`, `signed-out-elsewhere`: send the user to the login page. `signed-out`: the
   * app did it itself. `replaced`, `replaced-elsewhere`: somebody else is signed in already; show their page.
   */
  onSessionEnd?: ((end: SessionEnd) => unknown) | undefined
  /** Time, for tests. @default the real one */
  clock?: Clock | undefined
}

/** The options with every default in place. The raw object is never read again. */
export interface ResolvedOptions extends Omit<AuthClientOptions, 'refreshRetry'> {
  store: TokenStore
  place: Placement
  origins: readonly string[] | undefined
  subjectOf: (claims: Claims) => string | number | undefined
  refreshAheadMs: number
  refreshTimeoutMs: number
  refreshRetry: { limit: number; baseDelayMs: number }
  clock: Clock
}

export function resolveOptions(raw: AuthClientOptions = {}): ResolvedOptions {
  const options = checkOptions(
    'createAuthClient',
    raw,
    {
      refresh: FUNCTION,
      tokens: ['', () => true],
      store: withMethods('load', 'save', 'clear'),
      place: withMethods('place', 'remove'),
      readResponse: FUNCTION,
      origins: ['an array', Array.isArray],
      subjectOf: FUNCTION,
      shouldRefresh: FUNCTION,
      isFinal: FUNCTION,
      refreshAheadMs: MS,
      refreshTimeoutMs: ['milliseconds, more than 0', (value) => isMs(value) && value > 0],
      refreshRetry: 'object or undefined',
      beforeReplay: FUNCTION,
      onSessionEnd: FUNCTION,
      clock: withMethods('nowMs', 'setTimer'),
    },
    '',
  )
  const { limit = 2, baseDelayMs = 300 } = checkOptions(
    'refreshRetry',
    options.refreshRetry ?? {},
    { limit: ['a whole number, 0 or more', (value) => isMs(value) && value % 1 === 0], baseDelayMs: MS },
    'refreshRetry.',
  )
  const { tokens, place = bearerHeader() } = options
  if (tokens !== undefined) checkTokens(tokens, place.tokenless)
  return Object.freeze({
    ...options,
    place,
    store: options.store ?? createPageMemory(),
    origins: options.origins?.map(readOrigin),
    subjectOf: options.subjectOf ?? ((claims: Claims) => claims.sub as string | undefined),
    refreshAheadMs: options.refreshAheadMs ?? 30_000,
    // No more than a timer can have: a clock of the app's own may refuse more.
    refreshTimeoutMs: Math.min(options.refreshTimeoutMs ?? 15_000, LONGEST_TIMER_MS),
    refreshRetry: { limit, baseDelayMs },
    clock: options.clock ?? realClock(),
  })
}

function readOrigin(entry: unknown): string {
  const isWhole = typeof entry === 'string' && /^[a-z][a-z\d+\-.]*:\/\/[^*]+$/i.test(entry)
  const origin = isWhole && originOf(entry)
  if (!origin) throw badOption('origins', 'origins such as "https://api.example.com"', entry)
  return origin
}

const FUNCTION = 'function or undefined'
const isMs = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 0
const MS = ['milliseconds, 0 or more', isMs] as const

function withMethods(...methods: string[]): Check {
  const has = (value: object, method: string) =>
    typeof (value as Record<string, unknown>)[method] === 'function'
  return [
    `an object with ${methods.join(', ')}`,
    (value) => isObject(value) && methods.every((method) => has(value, method)),
  ]
}
