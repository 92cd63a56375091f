// The front door of axios-auth-client/testing: what it promises, name by name.
export {
  type AuthServer,
  type AuthServerCounts,
  type AuthServerLogEntry,
  type AuthServerOptions,
  createAuthServer,
  type RefreshControl,
} from './auth-server.js'
export { type DescribePlacementOptions, describePlacement } from './describe-placement.js'
export {
  type DescribeTokenStoreOptions,
  describeTokenStore,
  type SuiteRunner,
} from './describe-token-store.js'
export { createFakeTabs, type FakeTabs } from './fake-tabs.js'
export type { Hold } from './holds.js'
export { createManualClock, type ManualClock } from './manual-clock.js'
export type { RefreshOutcome } from './refresh-outcome.js'
export type { IssuedTokens } from './sessions.js'
export {
  createTokenFactory,
  type TokenFactory,
  type TokenFactoryOptions,
  type TokenRequest,
} from './token-factory.js'
