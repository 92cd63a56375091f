// What the page and the embedded server know of each other.
import type { AuthServerCounts } from 'axios-auth-client/testing'

/** How the refresh endpoint ends, as the page lets one choose. */
export type RefreshMode = (typeof REFRESH_MODES)[number]
export const REFRESH_MODES = ['granted', 'slow', 'refused', 'unavailable', 'hang'] as const

export interface ServerState {
  refreshMode: RefreshMode
  /** Whether the newest access token was expired by hand. */
  isExpired: boolean
  counts: AuthServerCounts
  refreshTimeoutMs: number
}

/** The event that announces a change to every open page, over Vite's own socket. */
export const STATE_EVENT = 'playground:state'
