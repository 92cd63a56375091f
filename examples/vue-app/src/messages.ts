// Owns the words: what a user is told about what went wrong.
import { isAxiosError } from 'axios'
import { authErrorOf, type SessionEnd, SessionRefused } from 'axios-auth-client'
import { SignInRefused } from './backends/backend.js'

const AWAY = 'The server cannot be reached right now. Please try again in a moment.'

/** About a sign-in that failed. */
export function signInFailure(error: unknown): string {
  if (error instanceof SignInRefused) return error.message
  // 400 is how the OAuth2 password form says it.
  const status = isAxiosError(error) ? error.response?.status : undefined
  return status === 400 || status === 401 ? 'That name and password do not fit.' : AWAY
}

/** About a request that failed. Nothing when the session is over: the login page tells that. */
export function requestFailure(error: unknown): string | undefined {
  switch (authErrorOf(error)?.code) {
    case 'SESSION_EXPIRED':
    case 'SESSION_CHANGED':
    case 'SIGNED_OUT':
      return undefined
    case 'REFRESH_FAILED':
    case 'REFRESH_TIMEOUT':
    case 'BAD_GRANT':
      return 'Could not renew your session. You are still signed in: please try again in a moment.'
    default:
      return AWAY
  }
}

/** About a session that has ended without the user asking for it in this tab. */
export function farewellOf(end: SessionEnd | undefined): string | undefined {
  switch (end?.reason) {
    case 'refused':
      return `${refusalOf(end) ?? 'Your session has ended'}. Please sign in again.`
    case 'signed-out-elsewhere':
      return 'You have signed out in another tab.'
    default:
      return undefined
  }
}

/** The server's own words, where its backend file hands them on. */
function refusalOf({ error }: SessionEnd): string | undefined {
  return error?.cause instanceof SessionRefused ? error.cause.message : undefined
}
