// Sanic + PyJWT: see ../../../a-sanic. A refusal is a 200 with `code: 0`.
import { refreshWithBody, SessionRefused, type Tokens } from 'axios-auth-client'
import { type Backend, SignInRefused } from './backend.js'

interface Answer {
  code: number
  message: string
  token: string
  refresh_token: string
}

export const aSanic: Backend = {
  options: {
    refresh: refreshWithBody({
      url: '/api/v1/system/refresh_token/',
      readGrant(body) {
        const answer = body as Answer
        // The user reads why on the login page.
        if (answer.code === 0) throw new SessionRefused(answer.message)
        return answer.code === 1 ? tokensIn(answer) : undefined
      },
    }),
    // A 401 for a token that has not expired is about a forged one: a new one would not help.
    shouldRefresh: ({ response, expired }) => response.status === 401 && expired !== false,
  },
  async signIn(api, credentials) {
    const { data } = await api.post<Answer>('/api/v1/system/login/', credentials, { authClient: false })
    if (data.code !== 1) throw new SignInRefused(data.message)
    return tokensIn(data)
  },
  signOut: (api, signal) => api.post('/api/v1/system/logout/', undefined, { signal }),
  loadUser: async (api) => (await api.get<{ name: string }>('/api/v1/system/me/')).data.name,
  async loadFigure(api, name, signal) {
    const { data } = await api.get<{ name: string }>('/api/v1/system/me/', {
      params: { about: name },
      signal,
    })
    return { text: `for ${data.name}` }
  },
}

function tokensIn({ token, refresh_token }: Answer): Tokens {
  return { accessToken: token, refreshToken: refresh_token }
}
