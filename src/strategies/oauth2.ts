// An OAuth 2.0 token endpoint: form-encoded, RFC 6749 section 6.
import { basic, formEncode } from '../encode.js'
import { createStrategy, type RefreshStrategy, refreshTokenOf, type StrategyOptions } from './strategy.js'

export interface RefreshWithOAuth2Options extends StrategyOptions {
  /** As it is registered with the server. */
  clientId: string
  /** For confidential clients, so never in a browser. Sent as HTTP Basic (RFC 6749 section 2.3.1). */
  clientSecret?: string | undefined
  /** At most the scope that was granted at first. Default: that one. */
  scope?: string | undefined
}

/** Refreshes at an OAuth 2.0 token endpoint, with or without rotation. */
export function refreshWithOAuth2(options: RefreshWithOAuth2Options): RefreshStrategy {
  return createStrategy(
    'refreshWithOAuth2',
    options,
    {
      clientId: 'text',
      clientSecret: 'text or empty or undefined',
      scope: 'text or empty or undefined',
    },
    ({ clientId, clientSecret, scope }, context) => {
      const isPublic = clientSecret === undefined
      const form = {
        grant_type: 'refresh_token',
        refresh_token: refreshTokenOf(context),
        scope,
        client_id: isPublic && clientId,
      }
      return {
        // As text: React Native's URLSearchParams is not one that axios recognises.
        data: Object.entries(form)
          .flatMap(([name, value]) => (value ? `${name}=${formEncode(value)}` : []))
          .join('&'),
        usual: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' },
        // RFC 6749 section 2.3.1: both parts are form-encoded before they become a Basic credential.
        headers: isPublic ? {} : { Authorization: basic(formEncode(clientId), formEncode(clientSecret)) },
      }
    },
  )
}
