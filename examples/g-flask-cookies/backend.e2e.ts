// Flask-JWT-Extended's cookie mode, run for real, in a page whose cookies are kept as a browser keeps them.
import './page.js'
import { beforeEach, describe, expect, it } from 'vitest'
import { tampered } from '../../test/support/auth-server.js'
import { startPython } from '../backends/python.js'
import {
  all,
  answersOf,
  countStatus,
  describeBackend,
  expired,
  giveStorages,
  onOneBackend,
  open,
  openApp,
  type Row,
  refreshesIn,
  settled,
  signedIn,
} from '../backends/suite.js'
import { createApp } from './client.js'
import { allCookies, clearCookies, port, setCookie } from './page.js'

beforeEach(clearCookies)

function openPage(url: string) {
  const app = createApp(url)
  return {
    ...app,
    whoAmI: async () => (await app.api.get<{ name: string }>('/auth/me')).data.name,
    visits: [],
  }
}

const row: Row = {
  start: (changes) => startPython('g-flask-cookies', { PORT: String(port), COOKIE_SECURE: '0', ...changes }),
  open: openPage,
  refresh: 'POST /auth/refresh',
  wrongPassword: { response: { status: 401, data: { msg: 'Bad username or password' } } },
  // Nobody in the page knows when an HttpOnly cookie ends.
  noticedBy: ['server'],
  async tamper() {
    const cookie = allCookies().find(({ key }) => key === 'access_token_cookie')
    if (!cookie) throw new Error('There is no access token to tamper with.')
    setCookie({ ...cookie, value: tampered(cookie.value) })
  },
  // Flask-JWT-Extended: a signature that is wrong is no expiry.
  tampered: { status: 422, refreshes: 0 },
  visitsAtEnd: [],
  copy() {
    const kept = allCookies()
    return (url) => {
      clearCookies()
      kept.forEach(setCookie)
      return openPage(url)
    }
  },
}

describeBackend('Flask-JWT-Extended with cookies', row)

describe('Flask-JWT-Extended with cookies: the page', () => {
  giveStorages()
  const shared = onOneBackend(row)

  it('is signed in again after a reload, whether the access token has expired or not', async () => {
    for (const { app, backend } of [await signedIn(shared), await expired(shared)]) {
      app.auth.dispose()
      await backend.forget()
      const reloaded = openApp(openPage, backend.url).app as ReturnType<typeof openPage>
      // The record says that there was a session; only the server knows whether there still is.
      expect(reloaded.auth.getSnapshot().status).toBe('signed-in')
      await reloaded.restore()
      expect(reloaded.auth.getSnapshot().status).toBe('signed-in')
      expect(await answersOf(Array.from({ length: 20 }, () => reloaded.whoAmI()))).toEqual(all(20, 'ada'))
      expect(refreshesIn(row, await backend.answered())).toEqual({ refreshes: 1, granted: 1 })
    }
  })

  it('stays signed out after a reload when there is nothing to restore, without calling onSessionEnd', async () => {
    const { app, ends } = await open(shared)
    await settled([(app as ReturnType<typeof openPage>).restore()])
    expect(app.auth.getSnapshot().status).toBe('signed-out')
    expect(ends).toEqual([])
  })

  it('sends a POST again with the CSRF token of the new access token', async () => {
    const { app, backend } = await expired(shared)
    const orders = Array.from({ length: 20 }, (_, number) => app.api.post('/orders', { number }))
    const answers = await Promise.all(orders)
    expect(answers.map(({ data }) => data)).toEqual(
      Array.from({ length: 20 }, (_, number) => ({ name: 'ada', order: { number } })),
    )
    const log = await backend.answered()
    expect(refreshesIn(row, log)).toEqual({ refreshes: 1, granted: 1 })
    expect(countStatus(log, 201)).toBe(20)
  })

  it('shows no token to script', async () => {
    await expired(shared)
    expect(document.cookie).toContain('csrf_access_token=')
    const secrets = allCookies().filter(({ httpOnly }) => httpOnly)
    expect(secrets.map(({ key }) => key).sort()).toEqual(['access_token_cookie', 'refresh_token_cookie'])
    const readable = [
      document.cookie,
      ...Object.values(localStorage),
      ...Object.values(sessionStorage),
    ].join()
    for (const { value } of secrets) expect(readable).not.toContain(value)
  })

  it('is the only one that can send changes: a form on another site has no CSRF token', async () => {
    const { backend } = await signedIn(shared)
    const sent = allCookies().map(({ key, value }) => `${key}=${value}`)
    const answer = await fetch(`${backend.url}/orders`, {
      method: 'POST',
      headers: { Cookie: sent.join('; '), 'Content-Type': 'application/json' },
      body: '{}',
    })
    expect([answer.status, await answer.json()]).toEqual([401, { msg: 'Missing CSRF token' }])
  })
})
