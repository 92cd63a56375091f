// The messages for a user about what went wrong.
import { isAxiosError } from 'axios'
import { authErrorOf } from 'axios-auth-client'
import { SignInRefused } from './backends.js'

const AWAY = 'The server cannot be reached right now. Please try again in a moment.'

export function signInFailure(error: unknown): string {
  const status = isAxiosError(error) ? error.response?.status : undefined
  // 400 is how the OAuth2 password form says it.
  const isRefused = error instanceof SignInRefused || status === 400 || status === 401
  return isRefused ? 'That name and password do not fit.' : AWAY
}

/** Nothing when the session is over: the login page says that. */
export function requestFailure(error: unknown): string {
  switch (authErrorOf(error)?.code) {
    case 'SESSION_EXPIRED':
    case 'SESSION_CHANGED':
    case 'SIGNED_OUT':
      return ''
    case 'REFRESH_FAILED':
    case 'REFRESH_TIMEOUT':
    case 'BAD_GRANT':
      return 'Your session could not be renewed. You are still signed in: please try again in a moment.'
    default:
      return AWAY
  }
}
