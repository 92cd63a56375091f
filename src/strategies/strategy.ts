// The contract of a way to refresh, and what the built-in ones share: one HTTP call, and how its answer is read.
import type { AxiosInstance, AxiosRequestConfig, AxiosResponse } from 'axios'
import { checkOptions } from '../checks.js'
import { AuthClientError, isAuthClientError, isObject, SessionRefused } from '../errors.js'
import { type RefreshReason, report } from '../events.js'
import { writeHeader } from '../headers.js'
import { readBody, redactionsIn, type Thrown } from '../redact.js'
import { type Grant, isUsableToken, stripBearer } from '../tokens.js'

/** What a refresh is handed. */
export interface RefreshContext {
  /** `undefined` when the refresh token is a cookie, or was never given. */
  refreshToken: string | undefined
  /** The token that is to be replaced; `undefined` while a session is restored. */
  accessToken: string | undefined
  /** Aborts when nobody waits any more. Pass it on. */
  signal: AbortSignal
  /** A bare sibling of your instance: its defaults, without interceptors. A call through the instance would wait for itself. */
  http: AxiosInstance
  reason: RefreshReason
  /**
   * The request that asked for the refresh, for a tenant or a trace id; the first, where several wait. `undefined` where none
   * did. Made when it is read, and gone once the refresh is over.
   */
  readonly cause?: RefreshCause | undefined
}

/** A request that asked for a refresh. Copies, without the token that was attached to it. */
export interface RefreshCause {
  /** As it was sent, or is about to be. A body that is a stream, a form or bytes is left out. */
  config: AxiosRequestConfig
  /**
   * The answer that rejected its token, without `request`; `data` is the JSON in it, or its text. `undefined` where the clock asked for the refresh.
   */
  response?: AxiosResponse | undefined
}

/**
 * A way to refresh. Resolves with a grant, or with `null` when the session is over. Throw {@link SessionRefused} to
 * end it with a message. What any other error means, and an answer that names one in the place of a token, is decided by
 * `isFinal`, by default by {@link isRefusal}; without an HTTP status it counts as "unavailable".
 */
export interface RefreshStrategy {
  (context: RefreshContext): Grant | null | undefined | PromiseLike<Grant | null | undefined>
  /** The refresh credential is a cookie, so a session can be restored without a token. */
  readonly cookies?: boolean | undefined
}

/**
 * Reads a grant from a refresh answer, its `body` parsed: `null` says refused, `undefined` says that this is no grant.
 * `response` is the whole answer, for a token or a date in its headers.
 */
export type ReadGrant = (
  body: unknown,
  response: AxiosResponse,
) => Grant | null | undefined | PromiseLike<Grant | null | undefined>

/** What every strategy takes. A key that it does not know is refused at creation, by a `BAD_OPTION` that names it. */
export interface StrategyOptions {
  /** The endpoint, absolute or relative to the instance's `baseURL`. */
  url: string
  /** @default 'POST' */
  method?: string | undefined
  /**
   * Headers of the call, or what makes them for each attempt, a promise of them too. This is the place for what your
   * interceptors add to other requests (a tenant, a locale, a trace id): the call passes none of them.
   * @default what the instance sends by default; none of it where `url` is of another origin than the instance's own
   */
  headers?:
    | StrategyHeaders
    | ((context: RefreshContext) => StrategyHeaders | PromiseLike<StrategyHeaders>)
    | undefined
  /** Whether a browser sends cookies to another origin. @default that of the instance; see `headers` */
  withCredentials?: boolean | undefined
  /** How to read the answer. @default readGrant */
  readGrant?: ReadGrant | undefined
}

/** What is `undefined` or `null` is not sent. A `Headers` or `Map` will do. */
export type StrategyHeaders =
  | Readonly<Record<string, string | null | undefined>>
  | Iterable<readonly [name: string, value: string]>

/** What a strategy adds to the options that all have in common. */
interface RequestParts {
  data?: unknown
  /** The default of the option. */
  withCredentials?: boolean
  /** The user's `headers` may replace these, */
  usual?: StrategyHeaders
  /** but not these, which are the credential. */
  headers?: StrategyHeaders
  xsrfCookieName?: string
}

/**
 * Makes a strategy: checks its options, once, and calls the endpoint with what `build` adds.
 * @throws {AuthClientError} code `BAD_OPTION`.
 */
export function createStrategy<Options extends StrategyOptions>(
  owner: string,
  options: Options,
  types: Record<string, string>,
  build: (options: Options, context: RefreshContext) => RequestParts | PromiseLike<RequestParts>,
): RefreshStrategy {
  // A copy: what the caller does to the object later changes nothing.
  const own = checkOptions(owner, options, {
    url: 'text',
    method: 'text or undefined',
    headers: 'object or function or undefined',
    withCredentials: 'boolean or undefined',
    readGrant: 'function or undefined',
    ...types,
  })
  const { url, method = 'POST', headers, withCredentials, readGrant: read = readGrant } = own
  const prepare = async (context: RefreshContext) => {
    const { usual, headers: credential, ...request } = await build(own, context)
    const config: AxiosRequestConfig = { ...request, url, method, headers: {} }
    if (withCredentials !== undefined) config.withCredentials = withCredentials
    for (const part of [usual, await resolve(headers, context), credential]) {
      const entries = part && (Symbol.iterator in part ? part : Object.entries(part))
      for (const [name, value] of entries ?? []) {
        if (value !== undefined && value !== null) writeHeader(config, name, value)
      }
    }
    return config
  }
  return async (context) => {
    const config = await prepare(context).catch((error: unknown) => {
      throw mark(error, { unasked: true })
    })
    return callEndpoint(context, read, config)
  }
}

/** Notes on an error what the table of failures has to know. */
export function mark(error: unknown, marks: Pick<Thrown, 'csrf' | 'unasked'>): unknown {
  return isObject(error) && Object.isExtensible(error) ? Object.assign(error, marks) : error
}

/** An option that may be a function of the context. */
export function resolve<T>(
  option: T | ((context: RefreshContext) => T | PromiseLike<T>),
  context: RefreshContext,
): T | PromiseLike<T> {
  return typeof option === 'function' ? (option as (context: RefreshContext) => T)(context) : option
}

/** The refresh token; without one there is nothing to ask with, and the session is over. */
export function refreshTokenOf({ refreshToken }: RefreshContext): string {
  if (!refreshToken) throw new SessionRefused('There is no refresh token.')
  return refreshToken
}

export async function callEndpoint(
  { http, signal, refreshToken, accessToken }: RefreshContext,
  read: ReadGrant,
  request: AxiosRequestConfig,
): Promise<Grant | null | undefined> {
  const response = await http.request<unknown>({
    ...request,
    signal,
    // The address is the app's own, whatever its requests may do (axios 1.8 and later).
    allowAbsoluteUrls: true,
    // A refresh token must not follow a redirect to wherever it points. Node's adapter, then fetch (axios 1.7 and later);
    // XMLHttpRequest has no such option.
    maxRedirects: 0,
    ...({ fetchOptions: { redirect: 'manual' } } as object),
  })
  // What fetch answers instead of a redirect, and axios takes for a success.
  if (!response.status) throw new AuthClientError('REFRESH_FAILED', 'The refresh endpoint redirects.')
  let grant: Grant | null | undefined
  try {
    grant = await read(response.data, response)
  } catch (error) {
    if (isAuthClientError(error) || (error as { name?: unknown } | undefined)?.name === 'SessionRefused')
      throw error
    // It tripped over a body that it does not know. The endpoint did answer, so asking again would spend another token.
    report(error, redactionsIn([refreshToken, accessToken, readBody(response.data)]))
  }
  if (grant === null || isUsableToken(grant?.accessToken)) return grant
  // Whoever commits it sees whether the answer names an error.
  return { ...(grant as Grant), ...{ response } }
}

/**
 * The default reading of a refresh answer, for a login's too: `auth.signIn(readGrant(data))`. It reads `access_token`,
 * `accessToken`, `token` or `access`, without a `Bearer` before it; `refresh_token`, `refreshToken` or `refresh`;
 * `expires_in` or `expiresIn`, in seconds (RFC 6749 section 5.1). Of the body itself: what is nested in it is not found.
 */
export function readGrant(body: unknown): Grant {
  const fields = (body ?? {}) as Record<string, unknown>
  // Not checked here: the session does, and it keeps a rotated refresh token even where the access token is useless.
  return {
    accessToken: stripBearer(fields.access_token ?? fields.accessToken ?? fields.token ?? fields.access),
    refreshToken: stripBearer(fields.refresh_token ?? fields.refreshToken ?? fields.refresh ?? undefined),
    expiresInSeconds: fields.expires_in ?? fields.expiresIn,
  } as Grant
}
