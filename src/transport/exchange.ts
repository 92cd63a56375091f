// One request of the caller's, from its interceptors to its answer, however often it is sent.
import type { AxiosAdapter, AxiosRequestConfig } from 'axios'
import type { Login } from '../session/login.js'
import type { Caller, Waiter } from '../session/session.js'
import type { AuthRequestOptions } from './augment.js'

/**
 * A default of the instance while a refresh starts: axios copies the defaults in the same turn, and so marks the calls
 * that the refresh makes. Not under `authClient`, where the call's own option would hide it.
 */
export const REFRESH_MARK = 'axios-auth-client.refresh'

/**
 * Who made the call, on the config from the moment of the call until our interceptor runs: another one may be
 * asynchronous and run before it. A function, so that nobody who prints a config prints a session.
 */
export const CALLER = 'axios-auth-client.caller'

/** A config as it passes through here: `authClient` holds the caller's option, or the key to the exchange. */
export type RequestConfig = Omit<AxiosRequestConfig, 'authClient'> & {
  authClient?: unknown
  [REFRESH_MARK]?: unknown
  [CALLER]?: Caller | undefined
}

/** A class, because V8 keeps objects of one literal that often outlive a request in old space, where they cost twice. */
export class Exchange implements Waiter {
  /** The adapter that would have run without us. */
  readonly adapter: AxiosRequestConfig['adapter']
  /** The adapter in its place while the interceptors run. */
  wrapper: AxiosAdapter | undefined
  /** The edition of the token on the config; 0 while there is none. */
  edition = 0
  /** Whether it was ever on one; a plug-in may have kept a copy from that time. */
  everPlaced = false
  /** From when on that token counts as expired, for `shouldRefresh`; `undefined` where that is not known for sure. */
  staleAtMs: number | undefined
  /** What was last written into the placement's header, so that a value of somebody else's is recognised. */
  written: unknown
  share: Waiter['share']
  waited = false
  /** It was never sent, because its session was over. */
  refused = false
  heldMs = 0
  /** How often it went out. */
  sent = 0
  /** Sends the config as it is now. Set once the transport has it; without it, a plug-in has answered. */
  send: AxiosAdapter | undefined

  constructor(
    /** Who made the request. */
    readonly login: Login,
    /** The caller's `authClient`, put back before the request goes out. */
    public option: AuthRequestOptions | undefined,
    public config: RequestConfig,
  ) {
    this.adapter = config.adapter
  }
}

/**
 * Stands in the caller's `authClient` while the interceptors run, to find the exchange again: class instances keep
 * their identity through axios's merging, symbols do not (before 1.19). Private, so that a logger prints no token.
 */
export class Ticket {
  readonly #exchange: Exchange
  readonly #owner: unknown

  /** `owner`: the session, so that each of its instances knows the request when it is sent again. */
  constructor(exchange: Exchange, owner: unknown) {
    this.#exchange = exchange
    this.#owner = owner
  }

  /** The exchange behind `value`, if `owner` issued it. */
  static read(value: unknown, owner: unknown): Exchange | undefined {
    return value instanceof Ticket && value.#owner === owner ? value.#exchange : undefined
  }
}
