// The contract of a way to refresh, and what the built-in ones share: one HTTP call, and how its answer is read.
import type { AxiosInstance, AxiosRequestConfig } from 'axios'
import { AuthClientError, isAuthClientError } from '../errors.js'
import { type RefreshReason, report } from '../events.js'
import type { Grant } from '../tokens.js'

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
}

/**
 * A way to refresh. Resolves with a grant, or with `null` when the session is over. Throw {@link SessionRefused} to
 * end it with a message; any other error is judged by its HTTP status, or counts as "unavailable" without one.
 */
export interface RefreshStrategy {
  (context: RefreshContext): Grant | null | undefined | PromiseLike<Grant | null | undefined>
  /** The refresh credential is a cookie, so a session can be restored without a token. */
  readonly cookies?: boolean
}

/** Reads a grant from the body of a refresh answer: `null` says refused, `undefined` says that this is no grant. */
export type ReadGrant = (body: unknown) => Grant | null | undefined

export interface StrategyOptions {
  /** The refresh endpoint, absolute or relative to the instance's `baseURL`. */
  url: string
  /**
   * How to read the answer. By default it reads `access_token`, `accessToken` or `token`; `refresh_token` or
   * `refreshToken`; `expires_in` or `expiresIn` in seconds (RFC 6749 section 5.1).
   */
  readGrant?: ReadGrant
}

export async function callEndpoint(
  { http, signal }: RefreshContext,
  read: ReadGrant,
  request: AxiosRequestConfig,
): Promise<Grant | null | undefined> {
  const { data, status } = await http.request<unknown>({
    ...request,
    signal,
    // The address is the app's own, whatever its requests may do (axios 1.8 and later).
    allowAbsoluteUrls: true,
    // A refresh token must not follow a redirect to wherever it points. Node's adapter, then fetch (axios 1.7 and later);
    // XMLHttpRequest cannot be told.
    maxRedirects: 0,
    ...({ fetchOptions: { redirect: 'manual' } } as object),
  })
  // What fetch answers instead of a redirect, and axios takes for a success.
  if (!status) throw new AuthClientError('REFRESH_FAILED', 'The refresh endpoint redirects.')
  try {
    return read(data)
  } catch (error) {
    if (isAuthClientError(error) || (error as { name?: unknown } | undefined)?.name === 'SessionRefused')
      throw error
    // It tripped over a body that it does not know. The endpoint did answer, so asking again would spend another token.
    report(error)
    return undefined
  }
}

/** The default reading of a refresh answer: see {@link StrategyOptions}. */
export function readGrant(body: unknown): Grant {
  const fields = (body ?? {}) as Record<string, unknown>
  // Not checked here: the session does, and it keeps a rotated refresh token even where the access token is useless.
  return {
    accessToken: fields.access_token ?? fields.accessToken ?? fields.token,
    refreshToken: fields.refresh_token ?? fields.refreshToken ?? undefined,
    expiresInSeconds: fields.expires_in ?? fields.expiresIn,
  } as Grant
}
