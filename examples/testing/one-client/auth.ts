import { createAuthClient, refreshWithBody } from 'axios-auth-client'
import { api } from './api.js'

export const auth = createAuthClient(api, { refresh: refreshWithBody({ url: '/auth/refresh' }) })

// Vite replaces this module while you work on it: its client goes with it, and gives the instance back.
import.meta.hot?.dispose(() => auth.dispose())
