import axios, { type AxiosRequestConfig } from 'axios'
import { createAuthClient, refreshWithBody } from 'axios-auth-client'

/** Each request carries a signature over its token, which a replay with a newer token has to renew. */
export function createSignedApi(baseURL: string, sign: (text: string) => string) {
  const api = axios.create({ baseURL })
  const addSignature = (config: AxiosRequestConfig) => {
    const headers = config.headers as Record<string, unknown>
    headers['X-Signature'] = sign(`${config.method} ${config.url} ${headers.Authorization}`)
  }
  // Before createAuthClient: axios runs request interceptors in reverse order, so this one sees the token.
  api.interceptors.request.use((config) => {
    addSignature(config)
    return config
  })
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    // Before each replay, and before the first sending of a request that waited. A rate limiter would count here, if
    // `sentBefore`.
    beforeReplay: (config) => addSignature(config),
  })
  return { api, auth }
}
