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
export { type BearerHeaderOptions, basicUser, bearerHeader } from './placements/header.js'
export { jsonBodyField } from './placements/json-body-field.js'
export { noCredential } from './placements/no-credential.js'
export type { PlaceableConfig, PlaceContext, Placement } from './placements/placement.js'
export { tokenFromHeader } from './placements/token-from-header.js'
export { isRefusal } from './session/failure.js'
export type { AuthSnapshot } from './session/snapshot.js'
export { type AppStoreOptions, appStore } from './stores/app.js'
export { type KeyValueStorage, type KeyValueStoreOptions, keyValueStore } from './stores/key-value.js'
export { type MemoryStoreOptions, memoryStore } from './stores/memory.js'
export type {
  Exclusively,
  SessionRecord,
  SpentRecord,
  StoredRecord,
  TokenStore,
  Turn,
  Unsubscribe,
  WriteOptions,
  Written,
} from './stores/store.js'
export { localStorageStore, sessionStorageStore, type WebStoreOptions } from './stores/web.js'
export { webLock } from './stores/web-lock.js'
export { type RefreshWithBearerOptions, refreshWithBearer } from './strategies/bearer.js'
export { type RefreshWithBodyOptions, refreshWithBody } from './strategies/body.js'
export { type CsrfOptions, type RefreshWithCookieOptions, refreshWithCookie } from './strategies/cookie.js'
export { type RefreshWithOAuth2Options, refreshWithOAuth2 } from './strategies/oauth2.js'
export {
  type ReadGrant,
  type RefreshCause,
  type RefreshContext,
  type RefreshStrategy,
  readGrant,
  type StrategyHeaders,
  type StrategyOptions,
} from './strategies/strategy.js'
export type { Grant, Tokens } from './tokens.js'
export type { AuthRequestOptions } from './transport/augment.js'
export type { AxiosLike } from './transport/bare.js'
export type { RefreshQuestion } from './transport/classify.js'
