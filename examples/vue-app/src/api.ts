// The app's one axios instance, and the session on it.
import axios from 'axios'
import { createAuthClient, localStorageStore } from 'axios-auth-client'
import { backend } from './backends.js'

// On the page's own origin: see vite.config.ts.
export const api = axios.create({ baseURL: '/backend', timeout: 10_000 })

export const auth = createAuthClient(api, {
  ...backend.options,
  // All tabs share one session, and one refresh.
  store: localStorageStore({ key: 'vue-app' }),
})
