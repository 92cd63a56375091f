// Owns an app whose requests are noted instead of sent, for what takes place before and after the wire.
import axios, { type AxiosAdapter, type AxiosInstance, type InternalAxiosRequestConfig } from 'axios'
import { type AuthClient, type AuthClientOptions, type AuthEvents, createAuthClient } from 'axios-auth-client'

export interface App {
  api: AxiosInstance
  auth: AuthClient
  storeErrors: AuthEvents['storeError'][]
  ends: string[]
  /** Makes a request; resolves with the `Authorization` it carried. */
  carried(): Promise<string | undefined>
}

export type Answer = (config: InternalAxiosRequestConfig) => { status: number; data?: unknown }

/** @param answer what the network does; by default it says 200 to everything */
export function startApp(options: AuthClientOptions = {}, answer: Answer = () => ({ status: 200 })): App {
  let last: string | undefined
  const adapter: AxiosAdapter = async (config) => {
    last = config.headers.Authorization?.toString()
    const { status, data = '' } = answer(config)
    const response = { data, status, statusText: '', headers: {}, config }
    if (status < 300) return response
    throw new axios.AxiosError(`status ${status}`, undefined, config, undefined, response as never)
  }
  const api = axios.create({ baseURL: 'https://api.test', adapter })
  const ends: string[] = []
  const auth = createAuthClient(api, { ...options, onSessionEnd: ({ reason }) => void ends.push(reason) })
  const storeErrors: AuthEvents['storeError'][] = []
  auth.on('storeError', (event) => void storeErrors.push(event))
  return {
    api,
    auth,
    storeErrors,
    ends,
    async carried() {
      last = undefined
      await api.get('/me')
      return last
    },
  }
}
