// The sides of the comparison: each is put on an axios instance as its own README says, with tokens to start from.
// Every side is imported when it is asked for, so that a process runs the code of one of them only.
import axios, { type AxiosInstance } from 'axios'

export interface Tokens {
  accessToken: string
  refreshToken: string
}

export type Install = (api: AxiosInstance, tokens: Tokens) => Promise<void> | void

export const OURS = 'axios-auth-client'
export const BARE = 'bare axios'
/** Has a token and no refresh: the least that can be done. */
export const HEADER = 'a header interceptor'

/** Its README recommends the default, but then only the request that started the refresh is sent again. */
export const DEDUPLICATE_OFF = 'axios-auth-refresh, dedupe off'

export const SIDES: Readonly<Record<string, Install>> = {
  [BARE]: () => {},

  [HEADER](api, { accessToken }) {
    api.interceptors.request.use((config) => {
      config.headers.Authorization = `Bearer ${accessToken}`
      return config
    })
  },

  async [OURS](api, tokens) {
    const { createAuthClient, refreshWithBody } = await import('axios-auth-client')
    const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }) })
    await auth.signIn(tokens)
  },

  async 'flag-and-queue'(api, tokens) {
    const { installFlagAndQueue } = await import('../examples/demo/flag-and-queue.js')
    await installFlagAndQueue(api, () => {}).signIn(tokens)
  },

  'axios-auth-refresh': authRefresh({}),

  [DEDUPLICATE_OFF]: authRefresh({ deduplicateRefresh: false }),

  async 'axios-jwt'(api, tokens) {
    const { applyAuthTokenInterceptor, setAuthTokens } = await import('axios-jwt')
    // Stands for localStorage.
    const storage = new Map<string, string>()
    applyAuthTokenInterceptor(api, {
      requestRefresh: (refreshToken) => refreshByHand(api, refreshToken),
      getStorage: () => ({
        get: async (key) => storage.get(key) ?? null,
        set: async (key, value) => void storage.set(key, value),
        remove: async (key) => void storage.delete(key),
      }),
    })
    await setAuthTokens(tokens)
  },
}

function authRefresh(options: { deduplicateRefresh?: boolean }): Install {
  return async (api, tokens) => {
    const { createAuthRefresh } = await import('axios-auth-refresh')
    let current = tokens
    api.interceptors.request.use((config) => {
      config.headers.Authorization = `Bearer ${current.accessToken}`
      return config
    })
    const refresh = async () => {
      current = await refreshByHand(api, current.refreshToken)
    }
    createAuthRefresh(api, refresh, options)
  }
}

/** Through axios itself, where the instance's interceptors do not see it, and over the instance's sockets. */
export async function refreshByHand(api: AxiosInstance, refreshToken: string): Promise<Tokens> {
  const { baseURL, httpAgent, proxy } = api.defaults
  const { data } = await axios.post(
    `${baseURL}/auth/refresh`,
    { refresh_token: refreshToken },
    { httpAgent, proxy },
  )
  return { accessToken: data.access_token, refreshToken: data.refresh_token }
}
