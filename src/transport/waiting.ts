// How requests wait: counted, reported, and given up at once when their caller gives up.
import type { Clock } from '../clock.js'
import type { AuthStats, Events } from '../events.js'
import { bareAddress, USERINFO } from '../redact.js'
import type { SessionManager, Waiting } from '../session/manager.js'
import type { RefreshCause } from '../strategies/strategy.js'
import { hold } from '../wait.js'
import type { Bare } from './bare.js'
import { expectBreak } from './body.js'
import type { Call, RequestConfig } from './call.js'
import { asRead } from './classify.js'
import type { Credential } from './credential.js'

export interface WaitingDeps {
  manager: SessionManager
  clock: Clock
  events: Events
  stats: AuthStats
}

export interface WaitingRoom {
  /** For new tokens. */
  readonly forTokens: Waiting<Call>
  /** For what has to come first: counted, and reported by the event `held`. */
  enter(config: RequestConfig, promise: Promise<void>): Promise<void>
  leave(): void
  /** For something short. */
  wait<T>(config: RequestConfig, promise: T | PromiseLike<T>): Promise<T>
  /** What events say of a request: its address, but for a token of ours in its query, and a name and password. */
  nameOf(config: RequestConfig): { method: string; url: string }
}

export function createWaitingRoom(
  { manager, clock, events, stats }: WaitingDeps,
  bare: Bare,
  withoutToken: Credential['withoutToken'],
): WaitingRoom {
  const leave = () => {
    stats.heldNow--
  }
  return {
    forTokens: {
      hold(call, gate) {
        // Less when it began, and more when it is over: the time between.
        call.heldMs -= clock.nowMs()
        return enter(call.config, gate)
      },
      leave(call) {
        leave()
        call.heldMs += clock.nowMs()
      },
      // A config of somebody's own may not let itself be copied: then the refresh goes without.
      cause: (call) => events.guard(() => causeOf(call)),
    },
    enter,
    leave,
    wait,
    nameOf,
  }

  function causeOf(call: Call): RefreshCause {
    const config = withoutToken(call)
    const { rejection } = call
    // Node keeps the head of what was sent under `request`, with the token in it.
    const response = rejection && { ...rejection, config: config as never, request: undefined }
    return { config, response: response && asRead(response, config) }
  }

  function enter(config: RequestConfig, promise: Promise<void>): Promise<void> {
    stats.heldNow++
    stats.heldPeak = Math.max(stats.heldPeak, stats.heldNow)
    events.emit('held', nameOf(config))
    expectBreak(config.data)
    return wait(config, promise)
  }

  function wait<T>(config: RequestConfig, promise: T | PromiseLike<T>): Promise<T> {
    return hold(Promise.resolve(promise), config, () => bare.cancellation(config as never))
  }

  function nameOf({ method = '', url = '' }: RequestConfig): { method: string; url: string } {
    const address = String(url).replace(USERINFO, '$1')
    const isSecret = /[?#]/.test(address) && manager.redactions().some((secret) => address.includes(secret))
    return { method, url: isSecret ? bareAddress(address) : address }
  }
}
