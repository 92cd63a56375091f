// One request of the caller's, from its interceptors to its answer, however often it is sent.
import type { AxiosAdapter, AxiosRequestConfig, AxiosResponse } from 'axios'
import type { SessionState } from '../session/machine/session-state.js'
import type { Caller, Waiter } from '../session/manager.js'
import type { AuthRequestOptions } from './augment.js'

/** On the calls that a refresh makes before its first await. Not under `authClient`, which the call itself may set. */
export const REFRESH_MARK = 'axios-auth-client.refresh'

/**
 * Who made the call, on the config from the moment of the call until our interceptor runs: another one may be
 * asynchronous and run before it. A function, so that nobody who prints a config prints a session.
 */
export const CALLER = 'axios-auth-client.caller'

/**
 * Whose request it was, on the config of an error, for a retry plug-in that sends it again when somebody else has signed
 * in (axios before 1.19 does not copy it). A symbol, because that config is the caller's; a function for the same reason.
 */
export const SENT_BY = Symbol('axios-auth-client.sent-by')

const HANDLE = 'axios-auth-client.handle'

/** A config as it passes through here: `authClient` holds the caller's option, or the handle of the call. */
export type RequestConfig = Omit<AxiosRequestConfig, 'authClient'> & {
  authClient?: unknown
  [REFRESH_MARK]?: unknown
  [CALLER]?: Caller | undefined
  [SENT_BY]?: ((owner: unknown) => SessionState | undefined) | undefined
}

/** A class, because V8 keeps objects of one literal that often outlive a request in old space, where they cost twice. */
export class Call implements Waiter {
  /** The adapter that would have run without us. */
  readonly adapter: AxiosRequestConfig['adapter']
  /** The adapter in its place while the interceptors run. */
  wrapper: AxiosAdapter | undefined
  /** The generation of the token on the config; 0 while there is none. */
  generation = 0
  /** The generation that the interceptors and `beforeReplay` have seen last; 0 when they saw no token of ours. */
  seen = 0
  /** Whether it was ever on one; a plug-in may have kept a copy from that time. */
  everAttached = false
  /** An asynchronous placement is at work since the interceptors. */
  attaching: Promise<boolean> | undefined
  /** The generation of the token for which the placement has answered a challenge. */
  answered = 0
  /** From when on that token counts as expired, for `shouldRefresh`; `undefined` where that is not known for sure. */
  staleAtMs: number | undefined
  /** What was last written into the placement's header, so that a value of somebody else's is recognised. */
  written: unknown
  started: Waiter['started']
  waited = false
  /** The answer that rejected its token, while a newer one is to be had. */
  rejection: AxiosResponse | undefined
  /** It was never sent, because its session was over. */
  refused = false
  heldMs = 0
  /** How often it went out. */
  sent = 0
  /** Sends the config as it is now. Set once the transport has it; without it, a plug-in has answered. */
  send: AxiosAdapter | undefined

  constructor(
    /** Who made the request. */
    readonly session: SessionState,
    /** The caller's `authClient`, put back before the request goes out. */
    public option: AuthRequestOptions | undefined,
    public config: RequestConfig,
  ) {
    this.adapter = config.adapter
  }
}

/**
 * What stands in the caller's `authClient` while the interceptors run, to find the call again in whatever they make
 * of the config. A function leads there: it keeps its identity in the copies of lodash and the like, in spread objects,
 * behind the proxies of Vue and MobX (symbols, private fields and class instances do not), and shows no token to a logger.
 */
export function handleOf({ wrapper, option }: Call): object {
  return { ...option, [HANDLE]: wrapper }
}

/** The call behind an `authClient`, if `owner` made its handle. */
export function callOf(authClient: unknown, owner: unknown): Call | undefined {
  const wrapper = (authClient as { [HANDLE]?: unknown } | null | undefined)?.[HANDLE]
  // Asked without a config, it says whose it is.
  const found = typeof wrapper === 'function' && wrapper(undefined, owner)
  return found instanceof Call ? found : undefined
}

type Fields = Record<string, unknown>

/** The caller's `authClient` behind its handle, or what interceptors have made of it since. */
export function optionIn(handle: unknown, { option }: Call): AuthRequestOptions | undefined {
  const isSame = (name: string) => name === HANDLE || (handle as Fields)[name] === (option as Fields)?.[name]
  if (Object.keys(handle as object).every(isSame)) return option
  const { [HANDLE]: _, ...rest } = handle as Fields
  return rest
}

/** For a sending beside another one, with a config and a token of its own. */
export function copyOf(call: Call): Call {
  return Object.assign(Object.create(Call.prototype), call)
}
