// The contract between the transport and the place a token travels in.
import type { AxiosRequestConfig } from 'axios'

/** The config that a placement works on: before axios has serialised its body, or after. */
export type PlaceableConfig = AxiosRequestConfig

/**
 * Where the access token goes on a request. `place` may run several times for one request, on unserialised and on
 * serialised data alike, always with a `remove` in between; what both throw is reported, and the request goes on.
 */
export interface Placement {
  /**
   * Puts the token on the request; not into its `url`, which events tell: there are `params`. Returning `false` says:
   * not on this one; it goes out without, and so is not ours.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a placement of one's own may simply return nothing
  place(config: PlaceableConfig, accessToken: string): boolean | void
  /** Takes off what `place` put there, and nothing else. */
  remove(config: PlaceableConfig): void
  /** The header it writes, if any: a caller's own value in it is then left alone. `Authorization` always is. */
  readonly header?: string | undefined
  /**
   * The token is placed when the request is about to go out, and not before: no interceptor or transform sees it, and none
   * can wrap it into something where `remove` does not find it.
   */
  readonly late?: boolean | undefined
  /** There is no token in script: a cookie is the credential. */
  readonly tokenless?: boolean | undefined
}
