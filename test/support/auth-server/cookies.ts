// Owns the cookies of backend G: two that script cannot read, and one that it must.
// Session cookies without Max-Age: the server's own clock decides, not the browser's.

import type { Grant } from './families.js'
import type { AuthServerSettings } from './settings.js'

export function sessionCookies({ accessToken, refreshToken, csrf }: Grant): string[] {
  const cookies = [`access=${encodeURIComponent(accessToken)}; Path=/cookie; HttpOnly; SameSite=Lax`]
  if (refreshToken !== undefined) {
    cookies.push(`refresh=${encodeURIComponent(refreshToken)}; Path=/cookie; HttpOnly; SameSite=Lax`)
  }
  // Path=/, because document.cookie shows a page only what its own path may see.
  cookies.push(`csrf_refresh=${encodeURIComponent(csrf)}; Path=/; SameSite=Lax`)
  return cookies
}

/** What the answer says besides; `undefined`: nothing. */
export function cookieBody(
  { accessToken, lifetimeSeconds }: Grant,
  { cookieAnswer, expiresIn }: AuthServerSettings,
): Record<string, unknown> | undefined {
  if (cookieAnswer === 'no-content') return undefined
  return {
    ok: true,
    ...(cookieAnswer === 'token' ? { access_token: accessToken } : {}),
    ...(expiresIn ? { expires_in: lifetimeSeconds } : {}),
  }
}

export function clearedCookies(): string[] {
  return [
    'access=; Path=/cookie; HttpOnly; SameSite=Lax; Max-Age=0',
    'refresh=; Path=/cookie; HttpOnly; SameSite=Lax; Max-Age=0',
    'csrf_refresh=; Path=/; SameSite=Lax; Max-Age=0',
  ]
}
