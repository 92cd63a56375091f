// Owns jsdom as far as the tests of the backends use it: it brings no types.

export interface Cookie {
  key: string
  value: string
  path: string | null
  httpOnly: boolean
}

export interface CookieJar {
  getCookieStringSync(url: string): string
  getCookiesSync(url: string, options: { allPaths: boolean }): Cookie[]
  setCookieSync(cookie: string, url: string): unknown
  removeAllCookiesSync(): void
}

interface Jsdom {
  JSDOM: new (
    html: string,
    settings?: { url: string },
  ) => { window: Window & typeof globalThis; cookieJar: CookieJar }
  CookieJar: new () => CookieJar
}

const name: string = 'jsdom'
export const { JSDOM, CookieJar } = (await import(name)) as Jsdom
