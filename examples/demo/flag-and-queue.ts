// The other side: the interceptor pair that most tutorials print, with a flag, a queue of callbacks and replays through
// the instance. A careful copy of the idea: it keeps the rotated refresh token, refreshes through bare axios, marks what
// it has retried and lowers the flag in `finally`, which many of them forget.
import axios, { type AxiosError, type InternalAxiosRequestConfig } from 'axios'
import type { Install } from './burst.js'

export const installFlagAndQueue: Install = (api) => {
  // Stands for localStorage.
  const storage = new Map<string, string>()
  let isRefreshing = false
  let failedQueue: { resolve(token: string): void; reject(error: unknown): void }[] = []

  const processQueue = (error: unknown, token = '') => {
    for (const waiting of failedQueue) {
      if (error) waiting.reject(error)
      else waiting.resolve(token)
    }
    failedQueue = []
  }

  api.interceptors.request.use((config) => {
    const token = storage.get('accessToken')
    if (token) config.headers.Authorization = `Bearer ${token}`
    return config
  })

  api.interceptors.response.use(
    (response) => response,
    async (error: AxiosError) => {
      const originalRequest = error.config as InternalAxiosRequestConfig & { _retry?: boolean }
      if (error.response?.status !== 401 || originalRequest._retry) return Promise.reject(error)

      if (isRefreshing) {
        return new Promise<string>((resolve, reject) => {
          failedQueue.push({ resolve, reject })
        }).then((token) => {
          originalRequest.headers.Authorization = `Bearer ${token}`
          return api(originalRequest)
        })
      }

      originalRequest._retry = true
      isRefreshing = true
      try {
        const { baseURL, httpAgent, proxy } = api.defaults
        const { data } = await axios.post(
          `${baseURL}/auth/refresh`,
          { refresh_token: storage.get('refreshToken') },
          { httpAgent, proxy },
        )
        storage.set('accessToken', data.access_token)
        storage.set('refreshToken', data.refresh_token)
        processQueue(null, data.access_token)
        originalRequest.headers.Authorization = `Bearer ${data.access_token}`
        return api(originalRequest)
      } catch (refreshError) {
        processQueue(refreshError)
        // Where a page would go to its login.
        storage.clear()
        return Promise.reject(refreshError)
      } finally {
        isRefreshing = false
      }
    },
  )

  return {
    signIn({ accessToken, refreshToken }) {
      storage.set('accessToken', accessToken)
      storage.set('refreshToken', refreshToken)
    },
    isSignedIn: () => storage.has('accessToken'),
    release() {
      api.interceptors.request.clear()
      api.interceptors.response.clear()
    },
  }
}
