// The refresh token travels in a JSON body: the most common way of home-made backends.
import {
  createStrategy,
  type RefreshContext,
  type RefreshStrategy,
  refreshTokenOf,
  resolve,
  type StrategyOptions,
} from './strategy.js'

export interface RefreshWithBodyOptions extends StrategyOptions {
  /** The field that holds the refresh token. @default 'refresh_token' */
  field?: string | undefined
  /** Further fields, or what makes them, a promise of them too: a device id, the access token. */
  extra?: Fields | ((context: RefreshContext) => Fields | PromiseLike<Fields>) | undefined
}

type Fields = Record<string, unknown>

/** Sends the refresh token in a JSON body. */
export function refreshWithBody(options: RefreshWithBodyOptions): RefreshStrategy {
  return createStrategy(
    'refreshWithBody',
    options,
    { field: 'text or undefined', extra: 'object or function or undefined' },
    async ({ field = 'refresh_token', extra }, context) => {
      const refreshToken = refreshTokenOf(context)
      return {
        data: { ...(await resolve(extra, context)), [field]: refreshToken },
        // With another default type of the instance, axios would make a form of it.
        usual: { 'Content-Type': 'application/json' },
      }
    },
  )
}
