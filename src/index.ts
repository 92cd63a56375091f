// The front door: what the package promises, name by name. Everything else may change.
export { type AuthClient, createAuthClient } from './client.js'
export type { Clock } from './clock.js'
export {
  AuthClientError,
  type AuthErrorCode,
  authErrorOf,
  isAuthClientError,
  SessionRefused,
} from './errors.js'
export type {
  AuthEvents,
  AuthListener,
  AuthStats,
  RefreshReason,
  SessionEnd,
  SessionEndReason,
} from './events.js'
export type { Claims } from './lifetime.js'
export type { AuthClientOptions } from './options.js'
export { type BearerHeaderOptions, basicUser, bearerHeader } from './placement/header.js'
export { jsonBodyField } from './placement/json-body-field.js'
export { noCredential } from './placement/no-credential.js'
export type { PlaceableConfig, Placement } from './placement/placement.js'
export { tokenFromHeader } from './placement/token-from-header.js'
export { isRefusal } from './session/failure.js'
export type { AuthSnapshot } from './session/snapshot.js'
export { memoryStore } from './storage/memory.js'
export type { SessionRecord, SpentRecord, StoredRecord, TokenStore } from './storage/store.js'
export { localStorageStore, sessionStorageStore, type WebStoreOptions } from './storage/web.js'
export { type RefreshWithBearerOptions, refreshWithBearer } from './strategies/bearer.js'
export { type RefreshWithBodyOptions, refreshWithBody } from './strategies/body.js'
export { type CsrfOptions, type RefreshWithCookieOptions, refreshWithCookie } from './strategies/cookie.js'
export { type RefreshWithOAuth2Options, refreshWithOAuth2 } from './strategies/oauth2.js'
export {
  type ReadGrant,
  type RefreshContext,
  type RefreshStrategy,
  readGrant,
  type StrategyHeaders,
  type StrategyOptions,
} from './strategies/strategy.js'
export type { Grant, Tokens } from './tokens.js'
export type { AuthRequestOptions } from './transport/augment.js'
export type { AxiosLike } from './transport/bare.js'
export type { RefreshQuestion } from './transport/judge.js'
