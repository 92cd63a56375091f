// What a world is made for: the machine that is tried, how many tabs on which store, and what may happen how often.
import {
  decide,
  noteAccepted,
  noteRejected,
  noteStarted,
  noteWaited,
} from '../../src/session/machine/decide.js'
import { isNewer } from '../../src/session/machine/session-state.js'
import { step } from '../../src/session/machine/step.js'

/** What is tried: the functions of the machine, so that one with a bug can stand in. */
export const MACHINE = Object.freeze({
  step,
  decide,
  noteStarted,
  noteWaited,
  noteRejected,
  noteAccepted,
  isNewer,
})
export type Machine = { readonly [Name in keyof typeof MACHINE]: (typeof MACHINE)[Name] }

/** How often each of these may happen in one run of the world. */
export interface Budget {
  requests: number
  /** Calls of `refresh()`. */
  refreshes: number
  /** Calls of `updateTokens()`. */
  updates: number
  signOuts: number
  signIns: number
  /** The clock passes the end of a token's life. */
  expiries: number
  /** The server stops to accept an access token before its end. */
  rejections: number
  /** The clock goes on by less than that: to where a token is stale, or to the end of a cool-down. */
  waits: number
  /** An answer of the refresh endpoint is lost, on its way there or back. */
  losses: number
  /** A time limit is over before what it waits for has come. */
  delays: number
  crashes: number
  freezes: number
  /** A write that the store fails. */
  failedWrites: number
  /** The refresh endpoint answers with another user's tokens, as with cookies after a sign-in in another tab. */
  mixUps: number
  /** A listener of the app's acts in the middle of what it is notified of. */
  listeners: number
}

export interface Shape {
  tabs: number
  /** `slow`: it answers later, and each call takes three moves: called, done, answered. */
  store: 'sync' | 'slow'
  /** A slow store refuses a background write over what it has not shown: `save(record, { replaces })`. */
  compares: boolean
  /** Tabs take turns. */
  lock: boolean
  /** A refresh brings a new refresh token, and the old one ends the session. */
  rotates: boolean
  retries: number
  /** What waits in the job queue is done before anything else happens; otherwise the app may act in between. */
  eager: boolean
}
