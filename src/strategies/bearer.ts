// The refresh token is the Bearer of an empty request, as Flask-JWT-Extended and many FastAPI backends have it.
import { checkOptions } from '../checks.js'
import { SessionRefused } from '../errors.js'
import { callEndpoint, type RefreshStrategy, readGrant, type StrategyOptions } from './strategy.js'

export interface RefreshWithBearerOptions extends StrategyOptions {
  /** @default 'POST' */
  method?: 'GET' | 'POST'
}

/** Sends the refresh token as `Authorization: Bearer` of an empty request. */
export function refreshWithBearer(options: RefreshWithBearerOptions): RefreshStrategy {
  checkOptions('refreshWithBearer', options, {
    url: 'text',
    method: 'text or undefined',
    readGrant: 'function or undefined',
  })
  const { url, method = 'POST', readGrant: read = readGrant } = options
  return async (context) => {
    const { refreshToken } = context
    if (!refreshToken) throw new SessionRefused('There is no refresh token.')
    return callEndpoint(context, read, { url, method, headers: { Authorization: `Bearer ${refreshToken}` } })
  }
}
