// An OAuth 2.0 token endpoint: form-encoded, RFC 6749 section 6.
import { checkOptions } from '../checks.js'
import { SessionRefused } from '../errors.js'
import { callEndpoint, type RefreshStrategy, readGrant, type StrategyOptions } from './strategy.js'

export interface RefreshWithOAuth2Options extends StrategyOptions {
  /** As it is registered with the server. */
  clientId: string
  /** For confidential clients, so never in a browser. Sent as HTTP Basic (RFC 6749 section 2.3.1). */
  clientSecret?: string
  /** At most the scope that was granted at first. Default: that one. */
  scope?: string
}

/** Refreshes at an OAuth 2.0 token endpoint, with or without rotation. */
export function refreshWithOAuth2(options: RefreshWithOAuth2Options): RefreshStrategy {
  checkOptions('refreshWithOAuth2', options, {
    url: 'text',
    clientId: 'text',
    clientSecret: 'text or empty or undefined',
    scope: 'text or empty or undefined',
    readGrant: 'function or undefined',
  })
  const { url, clientId, clientSecret, scope, readGrant: read = readGrant } = options
  return async (context) => {
    const { refreshToken } = context
    if (!refreshToken) throw new SessionRefused('There is no refresh token.')
    const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
    if (scope) form.set('scope', scope)
    const headers: Record<string, string> = {
      'Content-Type': 'application/x-www-form-urlencoded',
      Accept: 'application/json',
    }
    if (clientSecret === undefined) form.set('client_id', clientId)
    else headers.Authorization = `Basic ${btoa(`${formEncode(clientId)}:${formEncode(clientSecret)}`)}`
    // As text: React Native's URLSearchParams is not one that axios recognises.
    return callEndpoint(context, read, { url, method: 'POST', data: form.toString(), headers })
  }
}

// RFC 6749 section 2.3.1: both parts are form-encoded before they become a Basic credential.
function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
