// A cookie as the owner of the tokens, by js-cookie: with all that is known, and with the two tokens alone.

import Cookies from 'js-cookie'
import { cookieTokens } from '../../../examples/app-store-cookie.js'
import { appStore, type Tokens } from '../../../src/index.js'
import type { CreateOwner } from './owner.js'

export const cookieOwner: CreateOwner = (whenOver) => {
  whenOver(() => Cookies.remove('session'))
  return {
    open: () => cookieTokens('session'),
    tokens: () => JSON.parse(Cookies.get('session') ?? 'null') as Tokens | null,
    replace: (tokens) => void Cookies.set('session', JSON.stringify(tokens)),
    logOut: () => Cookies.remove('session'),
    flush: async () => {},
  }
}

export const bareCookieOwner: CreateOwner = (whenOver) => {
  whenOver(() => Cookies.remove('tokens'))
  const read = (): Tokens | undefined => {
    const [accessToken, refreshToken] = Cookies.get('tokens')?.split(' ') ?? []
    return accessToken ? { accessToken, refreshToken } : undefined
  }
  const write = (tokens: Tokens | undefined) => {
    if (tokens) Cookies.set('tokens', `${tokens.accessToken} ${tokens.refreshToken ?? ''}`)
    else Cookies.remove('tokens')
  }
  return {
    open: () => appStore({ read, write }),
    tokens: read,
    replace: write,
    logOut: () => write(undefined),
    flush: async () => {},
  }
}
