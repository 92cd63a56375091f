import { appStore, type Tokens } from 'axios-auth-client'
import Cookies from 'js-cookie'

/** For `createAuthClient(api, { store: cookieTokens('session'), ... })`. One cookie, so that both tokens change at once. */
export function cookieTokens(name: string) {
  return appStore({
    read: () => JSON.parse(Cookies.get(name) ?? 'null') as Tokens | null,
    write(tokens) {
      if (tokens) Cookies.set(name, JSON.stringify(tokens), { sameSite: 'strict' })
      else Cookies.remove(name)
    },
  })
}
