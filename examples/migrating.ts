import axios from 'axios'
import { createAuthClient, localStorageStore, refreshWithBody } from 'axios-auth-client'

export const api = axios.create({ baseURL: 'https://api.example.com' })

export const auth = createAuthClient(api, {
  refresh: refreshWithBody({ url: '/auth/refresh' }),
  store: localStorageStore({
    key: 'session',
    importFrom() {
      const accessToken = localStorage.getItem('access')
      const refreshToken = localStorage.getItem('refresh') ?? undefined
      localStorage.removeItem('access')
      localStorage.removeItem('refresh')
      return accessToken ? { accessToken, refreshToken } : undefined
    },
  }),
})
