// The refresh token is the Bearer of an empty request, as Flask-JWT-Extended and many FastAPI backends have it.
import { createStrategy, type RefreshStrategy, refreshTokenOf, type StrategyOptions } from './strategy.js'

export type RefreshWithBearerOptions = StrategyOptions

/** Sends the refresh token as `Authorization: Bearer` of an empty request: a POST, or with `method: 'GET'` a GET. */
export function refreshWithBearer(options: RefreshWithBearerOptions): RefreshStrategy {
  return createStrategy('refreshWithBearer', options, {}, (_, context) => ({
    headers: { Authorization: `Bearer ${refreshTokenOf(context)}` },
  }))
}
