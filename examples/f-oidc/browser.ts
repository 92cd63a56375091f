// Plays the browser in which a user signs in: real redirects, real cookies, and the provider's own form, filled in.

import { CookieJar, JSDOM } from '../backends/jsdom.js'

export interface Credentials {
  username: string
  password: string
}

export interface Browser {
  /**
   * Opens an address, and signs in where a form asks for it.
   * @returns the address of the app's page in which it ends
   * @throws with the words that the page shows, when it does not let the user in
   */
  visit(address: string, credentials?: Credentials): Promise<string>
}

/** @param app where the app's pages are: nobody serves them, the browser stops when it is sent there */
export function openBrowser(app: string): Browser {
  const cookies = new CookieJar()

  async function send(url: URL, form?: URLSearchParams): Promise<Response> {
    const headers = { Cookie: cookies.getCookieStringSync(url.href) }
    const answer = await fetch(url, {
      method: form ? 'POST' : 'GET',
      body: form ?? null,
      headers,
      redirect: 'manual',
    })
    for (const cookie of answer.headers.getSetCookie()) cookies.setCookieSync(cookie, url.href)
    return answer
  }

  return {
    async visit(address, credentials) {
      let url = new URL(address)
      let answer = await send(url)
      for (let steps = 0; steps < 10; steps++) {
        const location = answer.headers.get('location')
        if (location) {
          url = new URL(location, url)
          if (url.href.startsWith(app)) return url.href
          answer = await send(url)
          continue
        }
        const { document } = new JSDOM(await answer.text()).window
        const problem = document.querySelector('[role=alert]')?.textContent
        const form = document.querySelector('form')
        if (problem || !form || !credentials) throw new Error(problem ?? document.body.textContent ?? '')
        url = new URL(form.getAttribute('action') ?? '', url)
        answer = await send(url, fill(form, credentials))
      }
      throw new Error(`${address} leads nowhere.`)
    },
  }
}

/** Also the provider's own form without a field to fill in: its page sends that by itself to replace who is signed in. */
function fill(form: HTMLFormElement, { username, password }: Credentials): URLSearchParams {
  const filled = new URLSearchParams()
  for (const { name, type, value } of form.querySelectorAll('input')) {
    filled.set(name, type === 'hidden' ? value : type === 'password' ? password : username)
  }
  return filled
}
