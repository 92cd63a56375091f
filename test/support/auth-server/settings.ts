// Owns what a test may choose about the server, with its defaults.

import type { ReceivedRequest } from './request.js'

export interface AuthServerOptions {
  /** JWT (HS256, really verified) or random text. Default 'jwt'. */
  tokens?: 'jwt' | 'opaque'
  /** Default 300. */
  accessLifetimeSeconds?: number
  /** Default 30 days. */
  refreshLifetimeSeconds?: number
  /** Whether answers say `expires_in`. Default true. */
  expiresIn?: boolean
  /**
   * Whether a refresh spends the refresh token, in the dialects that can rotate. Default true.
   * `false`: it stays good and the answer leaves it out; `'echo'`: it stays good and the answer repeats it.
   */
  rotate?: boolean | 'echo'
  /** How long a spent refresh token still gets the answer that its spender got. Default 0. */
  graceMs?: number
  /**
   * What a spent refresh token gets within the grace time. `'same'`: the tokens that its spender got. `'successor'`: new
   * ones, unless a token of the next generation was spent already: only the direct predecessor is forgiven. Default
   * 'same'.
   */
  graceAnswer?: 'same' | 'successor'
  /** How long after its expiry the server renews a sliding token. Default 600. */
  slidingWindowSeconds?: number
  /** Whether every request with the old sliding token gets the new one, or only the first. Default true. */
  slidingRepeats?: boolean
  /** The headers in which a renewed sliding token is sent. Default: `Authorization`, without a scheme. */
  slidingHeaders?: (token: string) => Record<string, string>
  /** Registered OAuth clients and their secrets; a public one has none. Default: `spa`, and `web` with `s3cret`. */
  oauthClients?: Readonly<Record<string, string | undefined>>
  /** What login and refresh by cookie answer; 'token': the access token, for script to place. Default 'no-content' (204). */
  cookieAnswer?: 'no-content' | 'json' | 'token'
  /** Where `/api/*` looks for the access token; default the Bearer of `Authorization`. */
  readAccessToken?: (request: ReceivedRequest) => string | undefined
  /** Whether requests are kept in `log`; a benchmark says no. Default true. */
  keepLog?: boolean
}

/** The options with every default in; live: a test may change them between requests. */
export type AuthServerSettings = Required<Omit<AuthServerOptions, 'tokens'>>

export interface Counts {
  /** Everything received, CORS preflights excepted. */
  requests: number
  /** Calls to a refresh endpoint, counted on arrival. */
  refreshes: number
  /** Refreshes that gave tokens (also when the answer was then lost or spoilt). */
  granted: number
  /** Refreshes refused for what they carried; made-up failures do not count. */
  refused: number
  /** Spent refresh tokens that came again, each the end of its family. */
  reuses: number
  /** 401 answers of protected routes; those of refresh and login do not count. */
  answered401: number
  /** Requests that a protected route let through. */
  protectedOk: number
  /** Sliding tokens renewed. */
  slid: number
  /** Logins over HTTP. */
  login: number
  preflights: number
}

export function noCounts(): Counts {
  return {
    requests: 0,
    refreshes: 0,
    granted: 0,
    refused: 0,
    reuses: 0,
    answered401: 0,
    protectedOk: 0,
    slid: 0,
    login: 0,
    preflights: 0,
  }
}

export function resolveSettings(options: AuthServerOptions, bearer: AuthServerSettings['readAccessToken']) {
  return {
    accessLifetimeSeconds: options.accessLifetimeSeconds ?? 300,
    refreshLifetimeSeconds: options.refreshLifetimeSeconds ?? 30 * 86_400,
    expiresIn: options.expiresIn ?? true,
    rotate: options.rotate ?? true,
    graceMs: options.graceMs ?? 0,
    graceAnswer: options.graceAnswer ?? 'same',
    slidingWindowSeconds: options.slidingWindowSeconds ?? 600,
    slidingRepeats: options.slidingRepeats ?? true,
    slidingHeaders: options.slidingHeaders ?? ((token) => ({ authorization: token })),
    oauthClients: options.oauthClients ?? { spa: undefined, web: 's3cret' },
    cookieAnswer: options.cookieAnswer ?? 'no-content',
    readAccessToken: options.readAccessToken ?? bearer,
    keepLog: options.keepLog ?? true,
  } satisfies AuthServerSettings
}
