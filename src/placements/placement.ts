// The contract between the transport and the place a token travels in.
import type { AxiosRequestConfig, AxiosResponse } from 'axios'
import type { SessionEndReason } from '../events.js'

/** The config that a placement works on: before axios has serialised its body, or after. */
export type PlaceableConfig = AxiosRequestConfig

/** What a placement may know of the request that it is to change. Read it before the first `await`. */
export interface PlaceContext {
  /** In capital letters. */
  readonly method: string
  /** Where the request goes: `baseURL`, `url` and `params` joined as axios joins them, absolute where a page resolves it. */
  readonly url: string
  /** The request's own. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Where the access token goes on a request. `place` may run several times for one request, on unserialised and on
 * serialised data alike, always with a `remove` in between; what both throw is reported, and the request goes on.
 */
export interface Placement {
  /**
   * Puts the token on the request; not into its `url`, which events show: there are `params`. Returning `false` says:
   * not on this one; it goes out without, and so is not ours.
   *
   * It may return a promise (a signature made with WebCrypto). The request then waits for it and for nothing more: it is
   * asked when the request goes out, anew for each sending, so that no interceptor sees what it writes. A request that is
   * aborted meanwhile is not sent.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a placement of one's own may simply return nothing
  place(config: PlaceableConfig, accessToken: string, context: PlaceContext): MaybePromise<boolean | void>
  /** Takes off what `place` put there, and nothing else. */
  remove(config: PlaceableConfig): void
  /** The header it writes, if any: a caller's own value in it is then left alone. `Authorization` always is. */
  readonly header?: string | undefined
  /**
   * The authentication scheme (RFC 9110 section 11) whose challenges are about this token, such as `DPoP`.
   * @default the first word of what it writes into `header`
   */
  readonly scheme?: string | undefined
  /**
   * The token is attached when the request is about to go out, and not before: no interceptor or transform sees it, and none
   * can wrap it into something where `remove` does not find it.
   */
  readonly late?: boolean | undefined
  /** There is no token in script: a cookie is the credential. */
  readonly tokenless?: boolean | undefined
  /**
   * Its own reading of a refusal (a status of 400 or more): `true` asks for the same request once more with the same token,
   * such as one with a fresh nonce (RFC 9449 section 9). At most once per call and token; it starts no refresh. A body that
   * can be read only once is not sent again: the caller gets the refusal, with a cause `BODY_NOT_REPLAYABLE`.
   */
  answer?: ((response: AxiosResponse, config: PlaceableConfig) => MaybePromise<boolean>) | undefined
  /** Shows every answer to a request that carried the token, successes too. What it returns is ignored. */
  observe?: ((response: AxiosResponse, config: PlaceableConfig) => unknown) | undefined
  /** The session has ended in this client. */
  sessionEnded?: ((reason: SessionEndReason) => unknown) | undefined
}

type MaybePromise<T> = T | PromiseLike<T>
