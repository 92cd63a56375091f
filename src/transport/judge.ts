// Reads a request or its answer. Pure: decides nothing beyond the question in its name.
import type { AxiosRequestConfig, AxiosResponse } from 'axios'
import { readHeader } from '../headers.js'
import { spellingsOf } from '../tokens.js'
import type { RequestConfig } from './exchange.js'

/** What `shouldRefresh` is asked about. */
export interface RefreshQuestion {
  response: AxiosResponse
  config: AxiosRequestConfig
  /** Whether the token that was sent is stale or replaced by now; `undefined` where its lifetime is unknown. */
  expired: boolean | undefined
}

/** Whether the server refused the token: a 401, unless it says that the token is good and its scope too small. */
export function isTokenRefused({ status, headers }: { status: number; headers?: unknown }): boolean {
  // RFC 6750 section 3.1: a new token of the same grant has the same scope.
  return (
    status === 401 && !String(readHeader(headers, 'WWW-Authenticate') ?? '').includes('insufficient_scope')
  )
}

/** Whether a request carries this token anywhere a refresh call would put it. */
export function carries({ url, params, data, headers }: RequestConfig, token: string): boolean {
  const texts: unknown[] = [url, headers, params, data]
  // FormData and URLSearchParams say nothing as JSON.
  const { forEach } = (data ?? {}) as { forEach?: (visit: (value: unknown) => void) => void }
  if (typeof forEach === 'function') forEach.call(data, (value) => texts.push(value))
  const text = texts.map(writeOut).join()
  return spellingsOf(token).some((spelling) => text.includes(spelling))
}

function writeOut(value: unknown): string {
  try {
    return typeof value === 'string' ? value : JSON.stringify(value)
  } catch {
    return ''
  }
}
