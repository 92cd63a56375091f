// The words for a backend: what the app needs to know of the one it talks to. One file each says it.
import type { AxiosInstance } from 'axios'
import type { AuthClientOptions, Tokens } from 'axios-auth-client'

export interface Backend {
  /** How its tokens are renewed. */
  options: Pick<AuthClientOptions, 'refresh' | 'shouldRefresh'>
  /** @throws {SignInRefused} with words for the user, or what axios throws */
  signIn(api: AxiosInstance, credentials: Credentials): Promise<Tokens>
  /** Ends the session at the server. */
  signOut(api: AxiosInstance, signal: AbortSignal): Promise<unknown>
  loadUser(api: AxiosInstance): Promise<string>
  loadFigure(api: AxiosInstance, name: string, signal: AbortSignal): Promise<Figure>
  /** What the login page tells those who have no account. */
  hint?: string
}

export interface Credentials {
  username: string
  password: string
}

export interface Figure {
  text: string
  /** In percent. */
  change?: number
  series?: readonly number[]
}

/** The server has looked at the password, and said no. */
export class SignInRefused extends Error {}

/** The dialects in which `access_token` and `refresh_token` are the usual names. */
export function tokensOf(data: {
  access_token: string
  refresh_token?: string
  expires_in?: number
}): Tokens {
  return {
    accessToken: data.access_token,
    refreshToken: data.refresh_token,
    expiresInSeconds: data.expires_in,
  }
}
