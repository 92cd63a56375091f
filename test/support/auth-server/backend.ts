// The contract between the auth server and a backend that it speaks instead of the built-in ones.

import type { Answer } from './answer.js'
import type { Families } from './families.js'
import type { Dialect } from './refresh-dialects.js'
import type { ReceivedRequest } from './request.js'
import type { AuthServerSettings, Counts } from './settings.js'

export interface Backend {
  /** How it speaks of a refresh; every misbehaviour that a test asks for is worded by them. */
  dialects: readonly Dialect[]
  /** Everything else: login and resources; `undefined` is a 404. */
  answer(request: ReceivedRequest): Answer | undefined
}

/** What a backend works with; the counters are those of the server. */
export interface BackendParts {
  families: Families
  settings: AuthServerSettings
  counts(): Counts
  nowMs(): number
}

export type CreateBackend = (parts: BackendParts) => Backend
