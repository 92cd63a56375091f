import axios from 'axios'
import { createAuthClient, refreshWithOAuth2 } from 'axios-auth-client'

/** Tokens come from an identity provider at another origin, such as `https://id.example.com/token`. */
export function createProviderApi(baseURL: string, tokenUrl: string, apiKey: string) {
  // For the API alone: a refresh at another origin takes none of these headers, params and cookies along.
  const api = axios.create({ baseURL, headers: { 'X-Api-Key': apiKey }, withCredentials: true })
  const auth = createAuthClient(api, {
    refresh: refreshWithOAuth2({
      url: tokenUrl,
      clientId: 'spa',
      // What the provider itself wants is named here; so is `withCredentials: true`, for a cookie of its own.
      headers: { 'X-Provider-Version': '2' },
    }),
  })
  return { api, auth }
}
