// Attaches the session's token to a request and takes it off again, as the placement says.
// Promise: what was attached is off before anybody above sees the answer; a placement that throws breaks no request.
import type { AxiosRequestConfig } from 'axios'
import { type Events, isThenable } from '../events.js'
import { copyHeaders, readHeader } from '../headers.js'
import type { PlaceContext, Placement } from '../placements/placement.js'
import { isPlain } from '../redact.js'
import type { SessionManager } from '../session/manager.js'
import { type Call, callOf, optionIn, type RequestConfig } from './call.js'
import { createOwnership, type Ownership } from './ownership.js'
import type { Obstacle } from './skipped.js'

export interface CredentialDeps {
  manager: SessionManager
  events: Events
  place: Placement
  isAllowed(config: RequestConfig): boolean
  /** The address that a request goes to. */
  addressOf(config: RequestConfig): string
}

export interface Credential extends Ownership {
  /** Attaches the current token where it is not yet. Returns why there is none. */
  attachOrExplain(call: Call): Obstacle | undefined
  /** Attaches the current token, unless it is there. Returns whether the request carries the session. */
  attach(call: Call): boolean
  /**
   * For a placement that answers with a promise: attaches at the wire, anew for each sending. `undefined` for any other,
   * whose token is there already.
   */
  attachForSending(call: Call): Promise<boolean> | undefined
  detach(call: Call): void
  /** Whether what we wrote is there: a plug-in may have rebuilt the headers while it kept the request. */
  isAttached(call: Pick<Call, 'config' | 'option' | 'written'>): boolean
  /** Makes the config the caller's own again, but for the token. */
  giveBack(call: Call, config: RequestConfig): void
  /** The same for one that is sent again, or a copy of it, which still carries what was attached the first time. */
  undo(earlier: Call, config: RequestConfig): void
  /** A copy of a call's config for the refresh strategy: without our token, and so that nothing done to it shows. */
  withoutToken(call: Call): AxiosRequestConfig
  /** From now on nothing is attached. */
  release(): void
}

export function createCredential(deps: CredentialDeps): Credential {
  const { manager, place: placement, isAllowed } = deps
  const { guard } = deps.events
  /** The placement has answered with a promise: its token is attached when the request goes out. */
  let isAsync = false
  let isReleased = false
  const ownership = createOwnership(
    manager,
    placement,
    (config, token) => !isAsync && place(config, token) === true,
  )
  const { foreignCredential, isRefreshCall } = ownership
  const remove = (config: RequestConfig) => void guard(() => placement.remove(config as never))

  return {
    ...ownership,

    attachOrExplain(call) {
      const { config } = call
      if (isReleased || isRefreshCall(config)) return ''
      if (!isAllowed(config)) return 'origin'
      return foreignCredential(config, call) ?? (attach(call) ? undefined : 'not-placeable')
    },

    attach,

    attachForSending(call) {
      if (!isAsync || call.option?.place === false || !call.generation) return undefined
      const { attaching } = call
      call.attaching = undefined
      return Promise.resolve(attaching).then(async () => {
        remove(call.config)
        const found = await place(call.config, call.session.accessToken)
        note(call)
        return found
      })
    },

    detach,
    isAttached,
    giveBack,

    withoutToken(call) {
      const { headers, params, data } = call.config
      // A placement may change them in place, where the request itself goes on with them.
      const copy = {
        ...call.config,
        headers: copyHeaders(headers),
        params: copyOf(params),
        data: copyOf(data),
      } as RequestConfig
      if (call.generation && isAttached(call)) remove(copy)
      return copy as AxiosRequestConfig
    },

    undo(earlier, config) {
      giveBack(earlier, config)
      const { everAttached, option, written } = earlier
      if (everAttached && isAttached({ config, option, written })) remove(config)
    },

    release() {
      isReleased = true
    },
  }

  function attach(call: Call): boolean {
    const { config, session, option } = call
    if (call.generation === session.generation && isAttached(call)) return true
    detach(call)
    if (option?.place !== false && !isAsync) {
      const found = place(config, session.accessToken)
      if (found === false) return false
      if (found !== true) {
        isAsync = true
        call.attaching = found
      }
    }
    note(call)
    return true
  }

  function note(call: Call): void {
    const { config, session, option } = call
    if (option?.place !== false && placement.header)
      call.written = readHeader(config.headers, placement.header)
    call.everAttached = true
    call.generation = session.generation
    // What rests on a clock that may be wrong is not known.
    call.staleAtMs = session.estimated ? undefined : session.staleAtMs
  }

  function detach(call: Call): void {
    if (!call.generation) return
    call.generation = 0
    if (isAttached(call)) remove(call.config)
  }

  function isAttached({ config, option, written }: Pick<Call, 'config' | 'option' | 'written'>): boolean {
    if (option?.place === false) return false
    const { header } = placement
    return isAsync || !header || readHeader(config.headers, header) === written
  }

  /** Whether the placement found a place. One that throws has found none; one that returns nothing has. */
  function place(config: RequestConfig, accessToken: string): boolean | Promise<boolean> {
    const context = new Context(config, deps.addressOf)
    const answer = guard(() => placement.place(config as never, accessToken, context) ?? true)
    if (!isThenable(answer)) return !!answer
    return Promise.resolve(answer).then(
      (found) => found ?? true,
      () => false,
    )
  }

  function giveBack(call: Call, config: RequestConfig): void {
    if (config.adapter === call.wrapper) config.adapter = call.adapter as never
    const { authClient } = config
    if (authClient === undefined) config.authClient = call.option
    else if (callOf(authClient, manager)) config.authClient = optionIn(authClient, call)
  }
}

/** What can be copied at once; nothing of streams, forms and bytes. */
function copyOf(part: unknown): unknown {
  if (typeof part === 'string') return part
  if (part instanceof URLSearchParams) return new URLSearchParams(String(part))
  return isPlain(part) ? { ...part } : undefined
}

/** What a placement may know of the request. A class, so that an address which nobody asks for costs nothing. */
class Context implements PlaceContext {
  constructor(
    private readonly config: RequestConfig,
    private readonly addressOf: CredentialDeps['addressOf'],
  ) {}

  get method(): string {
    return String(this.config.method ?? 'get').toUpperCase()
  }

  get url(): string {
    return this.addressOf(this.config)
  }

  get signal(): AbortSignal | undefined {
    return this.config.signal as AbortSignal | undefined
  }
}
