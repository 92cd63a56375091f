// What the parts of the transport are made with, and what they are to each other.
import type { AxiosRequestConfig, AxiosResponse } from 'axios'
import type { Clock } from '../clock.js'
import type { AuthClientError } from '../errors.js'
import type { AuthStats, Events } from '../events.js'
import type { Placement } from '../placements/placement.js'
import type { SessionManager } from '../session/manager.js'
import type { Grant } from '../tokens.js'
import type { Outcome } from './answer.js'
import type { Bare } from './bare.js'
import type { Call, RequestConfig } from './call.js'
import type { RefreshQuestion } from './classify.js'
import type { Credential } from './credential.js'
import type { Obstacle } from './skipped.js'
import type { WaitingRoom } from './waiting.js'

export interface TransportDeps {
  manager: SessionManager
  clock: Clock
  events: Events
  stats: AuthStats
  place: Placement
  isAllowedOrigin(origin: string | undefined): boolean
  /** What is wrong where no origin at all is allowed. */
  findNoOrigins(): AuthClientError | undefined
  shouldRefresh?: ((question: RefreshQuestion) => boolean | PromiseLike<boolean>) | undefined
  readResponse?: ((response: AxiosResponse) => Grant | undefined) | undefined
  beforeReplay?: ((config: AxiosRequestConfig, info: { sentBefore: boolean }) => unknown) | undefined
  /** Whether the calls that are made now are the refresh's own. */
  isAsking(): boolean
  reportSkipped(call: Call, reason: Obstacle): void
  /** A session can appear while a request is being made: the store is asynchronous, or a cookie can restore it. */
  maySettleLate: boolean
}

export interface Parts {
  bare: Bare
  credential: Credential
  waiting: WaitingRoom
  isReleased(): boolean
}

export interface Sender {
  /** The way of a call through our adapter. */
  transmit(call: Call, config: RequestConfig): Promise<AxiosResponse>
  /** What an answer means, whoever brought it: the wire, or a plug-in that stands in for it. */
  conclude(call: Call, outcome: Outcome): AxiosResponse | Promise<AxiosResponse>
}
