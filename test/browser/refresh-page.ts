// The page of refresh-call.test.ts: an app whose refresh is whatever the test asks for.
import axios from 'axios'
import { createAuthClient, refreshWithBearer, refreshWithCookie, refreshWithOAuth2 } from 'axios-auth-client'

export interface Wanted {
  api: string
  url: string
  strategy: 'bearer' | 'cookie' | 'oauth2'
  adapter: 'xhr' | 'fetch'
  times: number
}

async function refresh({ api, url, strategy, adapter, times }: Wanted): Promise<string[]> {
  const instance = axios.create({ baseURL: api, adapter, onUploadProgress: () => undefined })
  instance.defaults.headers.common['X-Api-Key'] = 'home-key'
  const auth = createAuthClient(instance, {
    refreshRetry: { limit: 0 },
    tokens: { accessToken: 'a', refreshToken: 'r' },
    refresh: {
      bearer: refreshWithBearer({ url, method: 'GET' }),
      cookie: refreshWithCookie({ url, method: 'GET' }),
      oauth2: refreshWithOAuth2({ url, clientId: 'spa' }),
    }[strategy],
  })
  const tokens: string[] = []
  for (let round = 0; round < times; round++) {
    await auth.refresh()
    tokens.push((await auth.getAccessToken()) ?? '')
  }
  auth.dispose()
  return tokens
}

Object.assign(globalThis, { refresh })
