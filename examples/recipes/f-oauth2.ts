import axios from 'axios'
import { createAuthClient, memoryStore, refreshWithOAuth2 } from 'axios-auth-client'

/** An OAuth 2.0 server, with or without rotation. The authorization code itself is fetched by a library made for it. */
export function createOAuthApi(baseURL: string, tokenUrl: string) {
  const api = axios.create({ baseURL })
  const auth = createAuthClient(api, {
    store: memoryStore(),
    refresh: refreshWithOAuth2({ url: tokenUrl, clientId: 'spa' }),
  })
  return { api, auth }
}
