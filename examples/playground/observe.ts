// Watches an axios instance and its auth client from outside, and reports what happens to each request: what its caller
// sees, what goes over the wire (an adapter beneath everything), and what the client says of itself.
// Knows only what every user of the package knows.
import axios, { type AxiosInstance } from 'axios'
import { type AuthClient, authErrorOf } from 'axios-auth-client'
import type { Report } from './timeline/events.js'

const REFRESH_URL = '/auth/refresh'

/** The request that an address is about: each carries its number as `?id=`. */
function idIn(url = ''): number | undefined {
  return Number(/[?&]id=(\d+)/.exec(url)?.[1]) || undefined
}

/** Reports everything that this instance really sends, the refresh included. */
export function watchWire(instance: AxiosInstance, report: Report): void {
  const adapter = instance.defaults.adapter
  instance.defaults.adapter = async (config) => {
    const send = axios.getAdapter(adapter, config)
    const id = idIn(config.url)
    const isRefresh = config.url === REFRESH_URL
    if (isRefresh) report({ what: 'refreshSent' })
    else if (id) report({ what: 'sent', id })
    const onStatus = (status: number | undefined) => {
      if (isRefresh) report({ what: 'refreshAnswered', status })
      else if (id && status === 401) report({ what: 'refused', id })
    }
    try {
      const response = await send(config)
      onStatus(response.status)
      return response
    } catch (error) {
      onStatus(axios.isAxiosError(error) ? error.response?.status : undefined)
      throw error
    }
  }
}

/** Reports the client's own events. */
export function watchClient(auth: AuthClient, report: Report): void {
  auth.on('held', ({ url }) => {
    const id = idIn(url)
    if (id) report({ what: 'held', id })
  })
  auth.on('refreshStart', () => report({ what: 'refreshStart' }))
  auth.on('refreshed', ({ adopted }) => report({ what: 'refreshed', adopted }))
  auth.on('refreshFailed', ({ error }) => report({ what: 'refreshFailed', reason: error.code }))
  auth.on('sessionEnd', ({ reason }) => report({ what: 'sessionEnd', reason }))
}

/** Reports how a request ended for its caller. Never rejects. */
export async function watchCaller(id: number, request: Promise<unknown>, report: Report): Promise<void> {
  try {
    await request
    report({ what: 'answered', id })
  } catch (error) {
    if (axios.isCancel(error)) report({ what: 'aborted', id })
    else report({ what: 'failed', id, reason: reasonOf(error) })
  }
}

function reasonOf(error: unknown): string {
  if (axios.isAxiosError(error) && !authErrorOf(error)) return String(error.response?.status ?? error.code)
  return authErrorOf(error)?.code ?? String(error)
}
