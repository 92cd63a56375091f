import { authErrorOf } from 'axios-auth-client'

/** The message to show the user for a failed request. */
export function messageFor(error: unknown): string | undefined {
  switch (authErrorOf(error)?.code) {
    case 'SESSION_EXPIRED':
    case 'SESSION_CHANGED':
    case 'SIGNED_OUT':
      return undefined // the session is over, and onSessionEnd has dealt with it
    case 'REFRESH_FAILED':
    case 'REFRESH_TIMEOUT':
    case 'BAD_GRANT':
      return 'The server cannot be reached right now. You are still signed in: try again in a moment.'
    case 'BODY_NOT_REPLAYABLE':
      return 'The upload was interrupted. Please start it again.'
    default:
      return 'Something went wrong.' // not about the session: look at the AxiosError
  }
}
