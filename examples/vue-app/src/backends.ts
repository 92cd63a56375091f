// The dialects of the backends that this app can be pointed at: how to sign in, renew, sign out, and get a figure.
import type { AxiosInstance } from 'axios'
import { type AuthClientOptions, refreshWithBearer, refreshWithBody, type Tokens } from 'axios-auth-client'

export interface Backend {
  options: Pick<AuthClientOptions, 'refresh' | 'shouldRefresh'>
  /** @throws {SignInRefused} or what axios throws */
  signIn(api: AxiosInstance, credentials: Credentials): Promise<Tokens>
  signOutUrl: string
  loadFigure(api: AxiosInstance, name: string, signal: AbortSignal): Promise<Figure>
  /** Lets the access token die at once, where there is such a route. */
  expireUrl?: string
  /** For those who have no account. */
  hint?: string
}

export interface Credentials {
  username: string
  password: string
}

export interface Figure {
  value: number | string
  series?: number[]
}

/** A no that came as a 200. */
export class SignInRefused extends Error {}

/** A sign-in is no matter of the session's: its 401 is about the password. */
const NO_SESSION = { authClient: false } as const

const embedded: Backend = {
  options: { refresh: refreshWithBody({ url: '/auth/refresh' }) },
  async signIn(api, credentials) {
    const { data } = await api.post('/auth/login', credentials, NO_SESSION)
    // Its tokens are opaque: they do not say whose they are.
    return { ...tokensIn(data), expiresInSeconds: data.expires_in, subject: credentials.username }
  },
  signOutUrl: '/auth/logout',
  loadFigure: async (api, name, signal) => (await api.get(`/figures/${name}`, { signal })).data,
  expireUrl: '/auth/expire',
  hint: 'Try ada with ada-likes-numbers, or bob with bob-likes-bricks.',
}

const sanic: Backend = {
  options: {
    refresh: refreshWithBody({
      url: '/api/v1/system/refresh_token/',
      readGrant(body) {
        const { code, token, refresh_token } = body as SanicAnswer
        if (code === 0) return null
        return code === 1 ? { accessToken: token, refreshToken: refresh_token } : undefined
      },
    }),
    // A 401 for a token that has not expired is about a forged one: a new one would not help.
    shouldRefresh: ({ response, expired }) => response.status === 401 && expired !== false,
  },
  async signIn(api, credentials) {
    const { data } = await api.post<SanicAnswer>('/api/v1/system/login/', credentials, NO_SESSION)
    if (data.code !== 1) throw new SignInRefused()
    return { accessToken: data.token, refreshToken: data.refresh_token }
  },
  signOutUrl: '/api/v1/system/logout/',
  loadFigure: askWhoAmI('/api/v1/system/me/'),
}

interface SanicAnswer {
  code: 0 | 1
  token: string
  refresh_token: string
}

const flaskHeader: Backend = {
  options: { refresh: refreshWithBearer({ url: '/auth/refresh' }) },
  signIn: async (api, credentials) => tokensIn((await api.post('/auth/login', credentials, NO_SESSION)).data),
  signOutUrl: '/auth/logout',
  loadFigure: askWhoAmI('/auth/me'),
}

const fastApi: Backend = {
  options: { refresh: refreshWithBearer({ url: '/refresh_token', method: 'GET' }) },
  async signIn(api, { username, password }) {
    const form = new URLSearchParams({ username, password })
    return tokensIn((await api.post('/token', form, NO_SESSION)).data)
  },
  signOutUrl: '/logout',
  loadFigure: askWhoAmI('/me'),
}

function tokensIn(data: { access_token: string; refresh_token: string }): Tokens {
  return { accessToken: data.access_token, refreshToken: data.refresh_token }
}

/** These backends have no figures, but they know who asks. */
function askWhoAmI(url: string): Backend['loadFigure'] {
  return async (api, name, signal) => {
    const { data } = await api.get<{ name: string }>(url, { params: { about: name }, signal })
    return { value: `for ${data.name}` }
  }
}

const backends = { embedded, 'a-sanic': sanic, 'c-flask-header': flaskHeader, 'd-fastapi': fastApi }
const name: keyof typeof backends = import.meta.env.VITE_BACKEND ?? 'embedded'

export const backend: Backend = backends[name]
