// The errors this package makes, and the guards that recognise them in any copy of it.
// Promise: nothing here ever holds a token; what a strategy threw is kept as `cause` only after it was cleaned.

/** Why the client could not do what was asked. Switch on it; the message is for people. */
export type AuthErrorCode =
  /** The refresh was refused for good: send the user to the login page. */
  | 'SESSION_EXPIRED'
  /** Someone signed in while this request waited: it belongs to a session that is over. */
  | 'SESSION_CHANGED'
  /** `signOut()` was called here or in another tab, or nobody is signed in. */
  | 'SIGNED_OUT'
  /** The refresh could not be done now. The session and its tokens stay: show "try again". */
  | 'REFRESH_FAILED'
  /** The refresh gave no answer within `refreshTimeoutMs`. The session and its tokens stay. */
  | 'REFRESH_TIMEOUT'
  /** The refresh endpoint answered with success, but without a usable new token. The session stays. */
  | 'BAD_GRANT'
  /** The session was renewed, but this request's body could be read only once: send it anew. */
  | 'BODY_NOT_REPLAYABLE'
  /** An option or argument is wrong. Thrown to the programmer, never at run time to a user. */
  | 'BAD_OPTION'
  /** `dispose()` was called. */
  | 'DISPOSED'

// A registered symbol is the same in every copy of the package (ESM beside CJS, two versions in one tree).
const BRAND = Symbol.for('axios-auth-client.error')

/** Every error this package makes. The endpoint's own error, cleaned of redactions, is its `cause`. */
export class AuthClientError extends Error {
  declare readonly code: AuthErrorCode

  constructor(code: AuthErrorCode, message: string, cause?: unknown) {
    super(message)
    this.name = 'AuthClientError'
    Object.assign(this, { code })
    if (cause !== undefined) setCause(this, cause)
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/**
 * What a `refresh` or a `readGrant` throws to end the session with a message of its own.
 * The message becomes that of the `SESSION_EXPIRED` error, so it must hold no secret.
 */
export class SessionRefused extends Error {
  constructor(message?: string) {
    super(message)
    this.name = 'SessionRefused'
  }
}

/** Whether `value` is an {@link AuthClientError}, made by this or by another copy of the package. */
export function isAuthClientError(value: unknown): value is AuthClientError {
  return isObject(value) && BRAND in value
}

/** The {@link AuthClientError} in a caught value: the value itself or its `cause`; otherwise `undefined`. */
export function authErrorOf(value: unknown): AuthClientError | undefined {
  if (isAuthClientError(value)) return value
  const cause = isObject(value) ? (value as { cause?: unknown }).cause : undefined
  return isAuthClientError(cause) ? cause : undefined
}

/** Like the native `cause`: present, but not enumerable. Set by hand, because ES2020 engines ignore the option. */
export function setCause(error: object, cause: unknown): void {
  // Where the error is frozen, it stays without.
  Reflect.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true })
}

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
