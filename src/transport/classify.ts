// Reads a request or its answer. Pure: decides nothing beyond the question in its name.
import type { AxiosRequestConfig, AxiosResponse } from 'axios'
import type { Clock } from '../clock.js'
import { type Events, isThenable } from '../events.js'
import { readHeader } from '../headers.js'
import type { Placement } from '../placements/placement.js'
import { encodingsOf } from '../tokens.js'
import { isReplayable } from './body.js'
import type { Call, RequestConfig } from './call.js'
import { canNewTokenAnswer } from './challenge.js'

/** What `shouldRefresh` is asked about. */
export interface RefreshQuestion {
  /** The answer; `data` is the JSON in it, or its text. */
  response: AxiosResponse
  /** The request as it was sent: the token is still on it. */
  config: AxiosRequestConfig
  /**
   * Whether the token that was sent is stale or replaced by now. `undefined` where its lifetime is unknown, or rests on
   * this machine's clock alone: `expiresAtMs`, an `exp` without `iat`, or tokens that were not just received.
   */
  expired: boolean | undefined
}

/** The response as its caller will read it: beneath axios's transforms, JSON is still a text. */
export function asRead(response: AxiosResponse, { responseType }: RequestConfig): AxiosResponse {
  const { data } = response
  if (typeof data !== 'string' || responseType === 'text') return response
  return {
    ...response,
    get data() {
      try {
        return JSON.parse(data)
      } catch {
        return data
      }
    },
  }
}

export interface ClassifierDeps {
  clock: Clock
  events: Events
  place: Placement
  shouldRefresh?: ((question: RefreshQuestion) => boolean | PromiseLike<boolean>) | undefined
}

/** Decides whether an answer rejects the token that its request carried: the app's `shouldRefresh`, or {@link isTokenRejected}. */
export function createClassifier({ clock, events, place, shouldRefresh }: ClassifierDeps) {
  return (call: Call, response: AxiosResponse): boolean | PromiseLike<boolean> => {
    const byDefault = () =>
      response.status === 401 && isTokenRejected(response, place.scheme ?? schemeOf(call.written))
    if (!shouldRefresh) return byDefault()
    const { session, generation, staleAtMs, config } = call
    const expired =
      generation !== session.generation || (staleAtMs === undefined ? undefined : clock.nowMs() >= staleAtMs)
    // A hook that fails has said nothing, so the status decides.
    const byStatus = (error: unknown) => {
      events.report(error, response)
      return byDefault()
    }
    try {
      const question = { response: asRead(response, config), config: config as AxiosRequestConfig, expired }
      const answer = shouldRefresh(question)
      return isThenable(answer) ? answer.then(Boolean, byStatus) : !!answer
    } catch (error) {
      return byStatus(error)
    }
  }
}

/** Whether the server rejected the token: a 401, unless its challenge for this scheme is one that no newer token answers. */
export function isTokenRejected({ status, headers }: Answer, scheme: string | undefined): boolean {
  return status === 401 && canNewTokenAnswer(readHeader(headers, 'WWW-Authenticate'), scheme?.toLowerCase())
}

/** The first word of the header that the token travelled in, if it did in one. */
function schemeOf(written: unknown): string | undefined {
  return /^(\S+) /.exec(String(written))?.[1]
}

interface Answer {
  status: number
  headers?: unknown
}

/** Whether a request carries this token anywhere a refresh call would put it. */
export function carries({ url, params, data, headers }: RequestConfig, token: string): boolean {
  const texts: unknown[] = [url, headers]
  for (const part of [params, data]) {
    // Bytes are no text, and many.
    if (ArrayBuffer.isView(part)) continue
    texts.push(part)
    // FormData and URLSearchParams say nothing as JSON. The `forEach` of Node's streams would read them away.
    const { forEach } = (part ?? {}) as { forEach?: (visit: (value: unknown) => void) => void }
    if (typeof forEach === 'function' && isReplayable(part)) forEach.call(part, (value) => texts.push(value))
  }
  const text = texts.map(writeOut).join()
  return encodingsOf(token).some((encoding) => text.includes(encoding))
}

function writeOut(value: unknown): string {
  try {
    return typeof value === 'string' ? value : JSON.stringify(value)
  } catch {
    return ''
  }
}
