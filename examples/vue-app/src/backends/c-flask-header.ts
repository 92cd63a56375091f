// Flask-JWT-Extended with header tokens: see ../../../c-flask-header. It has no figures, so who is asked about is asked often.
import { refreshWithBearer } from 'axios-auth-client'
import { type Backend, tokensOf } from './backend.js'

export const flaskHeader: Backend = {
  options: { refresh: refreshWithBearer({ url: '/auth/refresh' }) },
  async signIn(api, credentials) {
    return tokensOf((await api.post('/auth/login', credentials, { authClient: false })).data)
  },
  signOut: (api, signal) => api.post('/auth/logout', undefined, { signal }),
  loadUser: async (api) => (await api.get<{ name: string }>('/auth/me')).data.name,
  async loadFigure(api, name, signal) {
    const { data } = await api.get<{ name: string }>('/auth/me', { params: { about: name }, signal })
    return { text: `for ${data.name}` }
  },
}
