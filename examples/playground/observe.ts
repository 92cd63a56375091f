// Watches an axios instance and its auth client from outside, and tells what happens to each request: what its caller
// sees, what goes over the wire (an adapter beneath everything), and what the client says of itself.
// Knows only what every user of the package knows.
import axios, { type AxiosInstance } from 'axios'
import { type AuthClient, authErrorOf } from 'axios-auth-client'
import type { Tell } from './timeline/events.js'

const REFRESH_URL = '/auth/refresh'

/** The request that an address is about: each carries its number as `?id=`. */
function idIn(url = ''): number | undefined {
  return Number(/[?&]id=(\d+)/.exec(url)?.[1]) || undefined
}

/** Tells of everything that this instance really sends, the refresh included. */
export function watchWire(instance: AxiosInstance, tell: Tell): void {
  const adapter = instance.defaults.adapter
  instance.defaults.adapter = async (config) => {
    const send = axios.getAdapter(adapter, config)
    const id = idIn(config.url)
    const isRefresh = config.url === REFRESH_URL
    if (isRefresh) tell({ what: 'refreshSent' })
    else if (id) tell({ what: 'sent', id })
    const onStatus = (status: number | undefined) => {
      if (isRefresh) tell({ what: 'refreshAnswered', status })
      else if (id && status === 401) tell({ what: 'refused', id })
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

/** Tells what the client says of itself. */
export function watchClient(auth: AuthClient, tell: Tell): void {
  auth.on('held', ({ url }) => {
    const id = idIn(url)
    if (id) tell({ what: 'held', id })
  })
  auth.on('refreshStart', () => tell({ what: 'refreshStart' }))
  auth.on('refreshed', ({ adopted }) => tell({ what: 'refreshed', adopted }))
  auth.on('refreshFailed', ({ error }) => tell({ what: 'refreshFailed', reason: error.code }))
  auth.on('sessionEnd', ({ reason }) => tell({ what: 'sessionEnd', reason }))
}

/** Tells how a request ended for its caller. Never rejects. */
export async function watchCaller(id: number, request: Promise<unknown>, tell: Tell): Promise<void> {
  try {
    await request
    tell({ what: 'answered', id })
  } catch (error) {
    if (axios.isCancel(error)) tell({ what: 'aborted', id })
    else tell({ what: 'failed', id, reason: reasonOf(error) })
  }
}

function reasonOf(error: unknown): string {
  if (axios.isAxiosError(error) && !authErrorOf(error)) return String(error.response?.status ?? error.code)
  return authErrorOf(error)?.code ?? String(error)
}
