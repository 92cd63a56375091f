// The page of the tests: jsdom's, with cookies kept as a browser keeps them, on the origin that the backend will have.
// Imported before axios, which looks for a page and its origin once, when it is loaded.
import { type Cookie, JSDOM } from '../backends/jsdom.js'
import { freePort } from '../backends/process.js'

export const port = await freePort()
const url = `http://127.0.0.1:${port}/`
const { window, cookieJar } = new JSDOM('', { url })
Object.assign(globalThis, { window, document: window.document, XMLHttpRequest: window.XMLHttpRequest })

/** All cookies of the page, those included that no script sees. */
export function allCookies(): Cookie[] {
  return cookieJar.getCookiesSync(url, { allPaths: true })
}

export function setCookie({ key, value, path, httpOnly }: Cookie): void {
  cookieJar.setCookieSync(`${key}=${value}; Path=${path ?? '/'}${httpOnly ? '; HttpOnly' : ''}`, url)
}

export function clearCookies(): void {
  cookieJar.removeAllCookiesSync()
}
