// The refresh token travels in a JSON body: the most common way of home-made backends.
import { checkOptions } from '../checks.js'
import { SessionRefused } from '../errors.js'
import {
  callEndpoint,
  type RefreshContext,
  type RefreshStrategy,
  readGrant,
  type StrategyOptions,
} from './strategy.js'

export interface RefreshWithBodyOptions extends StrategyOptions {
  /** @default 'POST' */
  method?: string
  /** The field that holds the refresh token. @default 'refresh_token' */
  field?: string
  /** Further fields, or what makes them: a device id, the access token. */
  extra?: Record<string, unknown> | ((context: RefreshContext) => Record<string, unknown>)
}

/** Sends the refresh token in a JSON body. */
export function refreshWithBody(options: RefreshWithBodyOptions): RefreshStrategy {
  checkOptions('refreshWithBody', options, {
    url: 'text',
    method: 'text or undefined',
    field: 'text or undefined',
    extra: 'object or function or undefined',
    readGrant: 'function or undefined',
  })
  const { url, method = 'POST', field = 'refresh_token', extra, readGrant: read = readGrant } = options
  return async (context) => {
    const { refreshToken } = context
    if (!refreshToken) throw new SessionRefused('There is no refresh token.')
    const more = typeof extra === 'function' ? extra(context) : extra
    return callEndpoint(context, read, {
      url,
      method,
      data: { ...more, [field]: refreshToken },
      // With another default type of the instance, axios would make a form of it.
      headers: { 'Content-Type': 'application/json' },
    })
  }
}
