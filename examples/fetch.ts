import { auth } from './quick-start.js'

/** `fetch` with the session's token, and once more with a newer one if the server rejects that. */
export async function authFetch(url: string, init: RequestInit = {}): Promise<Response> {
  const send = (token: string | undefined) => {
    const headers = new Headers(init.headers)
    if (token) headers.set('Authorization', `Bearer ${token}`)
    return fetch(url, { ...init, headers })
  }
  const token = await auth.getAccessToken()
  const response = await send(token)
  if (response.status !== 401 || !token) return response
  // Refresh only if nobody else has since: without this check every late 401 would start another refresh.
  if ((await auth.getAccessToken()) === token) await auth.refresh()
  return send(await auth.getAccessToken())
}
