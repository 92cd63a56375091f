// Why a session is over, or will get no newer token now: the errors that those who wait reject with.
import { AuthClientError } from '../../errors.js'

export const nobodySignedIn = () => signedOut('Nobody is signed in.')
export const signedOutHere = () => signedOut('The user signed out.')
export const signedOutElsewhere = () => signedOut('The user signed out in another tab.')

export function sessionChanged(): AuthClientError {
  return new AuthClientError('SESSION_CHANGED', 'Someone else signed in; this request was not theirs.')
}

export function refusedElsewhere(): AuthClientError {
  return new AuthClientError('SESSION_EXPIRED', 'The session was refused in another tab.')
}

/** @param canRefresh there is a strategy, so it is the refresh token that is missing */
export function notRenewable(canRefresh: boolean): AuthClientError {
  const why = canRefresh ? 'another tab has spent the refresh token' : 'there is no way to refresh it'
  return new AuthClientError('SESSION_EXPIRED', `The token was refused, and ${why}.`)
}

/** While the access token is still good. */
export function spentElsewhere(): AuthClientError {
  return new AuthClientError('REFRESH_FAILED', 'Another tab has spent the refresh token.')
}

/** @param flaw what is wrong with it, in words */
export function badGrant(flaw: string): AuthClientError {
  const message = `The refresh answered with ${flaw}. If it did not, map its fields with readGrant.`
  return new AuthClientError('BAD_GRANT', message)
}

export function timedOut(limitMs: number): AuthClientError {
  return new AuthClientError(
    'REFRESH_TIMEOUT',
    `The refresh gave no answer within ${limitMs} ms. If it calls the wrapped instance, it waits for itself: use \`http\`.`,
  )
}

export function disposed(): AuthClientError {
  return new AuthClientError('DISPOSED', 'This auth client was disposed.')
}

function signedOut(message: string): AuthClientError {
  return new AuthClientError('SIGNED_OUT', message)
}
