// Reads a request or its answer. Pure: decides nothing beyond the question in its name.
import type { AxiosRequestConfig, AxiosResponse } from 'axios'
import { readHeader } from '../headers.js'
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
  // A slash is part of many a token, and stands around one in a path.
  const entries: unknown[] = [url, url?.replaceAll('/', ' '), headers, params, data]
  // FormData and URLSearchParams say nothing as JSON.
  const { forEach } = (data ?? {}) as { forEach?: (visit: (value: unknown) => void) => void }
  if (typeof forEach === 'function') forEach.call(data, (value) => entries.push(value))
  const spellings = [token, encodeURIComponent(token), new URLSearchParams([['', token]]).toString().slice(1)]
  return entries.some((entry) => {
    const text = typeof entry === 'string' ? entry : writeOut(entry)
    return spellings.some((spelling) => standsIn(text, spelling))
  })
}

/** Whether `token` stands in `text` as a whole: a short one is part of many an innocent word. */
function standsIn(text: string, token: string): boolean {
  for (let at = text.indexOf(token); at >= 0; at = text.indexOf(token, at + 1)) {
    const around = [text[at - 1], text[at + token.length]]
    if (around.every((char) => char === undefined || !/[\w.~+/%-]/.test(char))) return true
  }
  return false
}

function writeOut(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return ''
  }
}
