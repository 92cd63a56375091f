// FastAPI with the OAuth2 password form: see ../../../d-fastapi.
import { refreshWithBearer } from 'axios-auth-client'
import { type Backend, tokensOf } from './backend.js'

export const fastapi: Backend = {
  options: { refresh: refreshWithBearer({ url: '/refresh_token', method: 'GET' }) },
  async signIn(api, { username, password }) {
    const form = new URLSearchParams({ grant_type: 'password', username, password })
    return tokensOf((await api.post('/token', form, { authClient: false })).data)
  },
  signOut: (api, signal) => api.post('/logout', undefined, { signal }),
  loadUser: async (api) => (await api.get<{ name: string }>('/me')).data.name,
  async loadFigure(api, name, signal) {
    const { data } = await api.get<{ name: string }>('/me', { params: { about: name }, signal })
    return { text: `for ${data.name}` }
  },
}
