import { auth } from './quick-start.js'

/** `fetch` as a request of the session: with its token, and once more with a newer one if that is refused. */
export async function authFetch(url: string, init: RequestInit = {}): Promise<Response> {
  const send = (token: string | undefined) => {
    const headers = new Headers(init.headers)
    if (token) headers.set('Authorization', `Bearer ${token}`)
    return fetch(url, { ...init, headers })
  }
  const token = await auth.getAccessToken()
  const response = await send(token)
  if (response.status !== 401 || !token) return response
  // Without the comparison, every late 401 would refresh again.
  if ((await auth.getAccessToken()) === token) await auth.refresh()
  return send(await auth.getAccessToken())
}
