// Owns the app's one axios instance and the session on it.
import axios from 'axios'
import { createAuthClient, localStorageStore } from 'axios-auth-client'
import { aSanic } from './backends/a-sanic.js'
import type { Backend } from './backends/backend.js'
import { flaskHeader } from './backends/c-flask-header.js'
import { fastapi } from './backends/d-fastapi.js'
import { embedded } from './backends/embedded.js'

const BACKENDS: Record<string, Backend> = {
  'a-sanic': aSanic,
  'c-flask-header': flaskHeader,
  'd-fastapi': fastapi,
}

export const backend = BACKENDS[import.meta.env.VITE_BACKEND ?? ''] ?? embedded

// On the page's own origin: vite.config.ts hands it on.
export const api = axios.create({ baseURL: '/backend', timeout: 10_000 })

export const auth = createAuthClient(api, {
  ...backend.options,
  // All tabs share one session, and one refresh.
  store: localStorageStore({ key: 'vue-app' }),
})

if (import.meta.hot) {
  // A module that is replaced must not go on listening beside its successor.
  import.meta.hot.dispose(() => auth.dispose())
  // Vite disposes of those modules only that accept their own update. The others have to take over the new client.
  import.meta.hot.accept(() => import.meta.hot?.invalidate())
}
