// Owns the making of tokens for tests: JWTs or random text, from a seed. No cryptography, so it runs everywhere.
// Promise: the same seed and the same calls give the same tokens, and no two tokens of one factory are equal.
import type { Clock, Tokens } from '../index.js'

/** How `createTokenFactory` makes its tokens. `undefined` always means the default. */
export interface TokenFactoryOptions {
  /** A number that repeats the same tokens. @default a random one, readable as `factory.seed` */
  seed?: number | undefined
  /** @default 'jwt' */
  kind?: 'jwt' | 'opaque' | undefined
  /** Where `iat` and `exp` come from. @default the real time */
  clock?: Pick<Clock, 'nowMs'> | undefined
}

/** Whom a token is for, and for how long. */
export interface TokenRequest {
  /** The `sub` claim. @default 'ada' */
  subject?: string | undefined
  /** @default 300 */
  lifetimeSeconds?: number | undefined
  /** Further claims of a JWT, such as `{ roles: ['admin'] }`; they win over ours. */
  claims?: Record<string, unknown> | undefined
}

/** Makes tokens; see {@link createTokenFactory}. */
export interface TokenFactory {
  readonly seed: number
  /** An access token. A JWT says HS256, but its signature is random text: only a server that knows it by heart takes it. */
  accessToken(request?: TokenRequest): string
  /** A refresh token: opaque, whatever the access tokens are. */
  refreshToken(): string
  /** What a login would answer, ready for `signIn`, `updateTokens` or the option `tokens`. */
  tokens(request?: TokenRequest): Tokens & { refreshToken: string; expiresInSeconds: number }
}

const URL_SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const DEFAULT_LIFETIME_SECONDS = 300

/** Makes tokens for tests: `createTokenFactory({ seed: 1 }).tokens({ subject: 'ada' })`. */
export function createTokenFactory({
  seed = Math.floor(Math.random() * 2 ** 32),
  kind = 'jwt',
  clock,
}: TokenFactoryOptions = {}): TokenFactory {
  if (!['jwt', 'opaque'].includes(kind)) {
    throw new Error(`createTokenFactory: kind: expected 'jwt' or 'opaque', got ${JSON.stringify(kind)}.`)
  }
  const random = createRandom(seed)
  const text = (length: number) => Array.from({ length }, () => URL_SAFE[Math.floor(random() * 64)]).join('')

  function accessToken({
    subject = 'ada',
    lifetimeSeconds = DEFAULT_LIFETIME_SECONDS,
    claims,
  }: TokenRequest = {}): string {
    if (kind === 'opaque') return `access-${text(32)}`
    const iat = Math.floor((clock?.nowMs() ?? Date.now()) / 1000)
    const payload = { sub: subject, jti: text(12), iat, exp: iat + lifetimeSeconds, ...claims }
    return `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(payload)}.${text(43)}`
  }
  const refreshToken = () => `refresh-${text(32)}`

  return {
    seed,
    accessToken,
    refreshToken,
    tokens: (request) => ({
      accessToken: accessToken(request),
      refreshToken: refreshToken(),
      expiresInSeconds: request?.lifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS,
    }),
  }
}

/** JSON in base64url. What is not ASCII is escaped in the JSON, because `btoa` takes bytes only. */
function encode(value: object): string {
  const ascii = JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return btoa(ascii).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')
}

/** The mulberry32 generator: small, fast, good enough for tests, no use for secrets. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
