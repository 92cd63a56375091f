import axios from 'axios'
import { createAuthClient, refreshWithBody } from 'axios-auth-client'

/** A backend with tenants: an interceptor adds the tenant to requests, `headers` adds it to refreshes. */
export function createTenantApi(baseURL: string, currentTenant: () => string) {
  const api = axios.create({ baseURL })
  api.interceptors.request.use((config) => {
    config.headers.set('X-Tenant', currentTenant())
    return config
  })
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({
      url: '/auth/refresh',
      // A refresh passes no interceptor. Called for each attempt; it may be async.
      headers: () => ({ 'X-Tenant': currentTenant() }),
    }),
  })
  return { api, auth }
}
