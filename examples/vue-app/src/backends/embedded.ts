// The backend that `npm run dev` starts: see ../../backend/server.ts.
import { refreshWithBody } from 'axios-auth-client'
import { type Backend, tokensOf } from './backend.js'

const NUMBER = new Intl.NumberFormat('en')

export const embedded: Backend = {
  options: { refresh: refreshWithBody({ url: '/auth/refresh' }) },
  hint: 'Try ada with ada-likes-numbers, or bob with bob-likes-bricks.',
  async signIn(api, credentials) {
    // Nothing to do with a session: a 401 is about the password.
    return tokensOf((await api.post('/auth/login', credentials, { authClient: false })).data)
  },
  signOut: (api, signal) => api.post('/auth/logout', undefined, { signal }),
  loadUser: async (api) => (await api.get<{ name: string }>('/auth/me')).data.name,
  async loadFigure(api, name, signal) {
    const { data } = await api.get(`/figures/${name}`, { signal })
    return { ...data, text: [NUMBER.format(data.value), data.unit].filter(Boolean).join(' ') }
  },
}
