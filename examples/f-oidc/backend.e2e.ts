// An OpenID provider (oidc-provider) run for real: its own rotation and reuse detection, and the sign-in through its page.
import { generateKeyPairSync } from 'node:crypto'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import axios from 'axios'
import { describe, expect, it } from 'vitest'
import { failureOf, outcomesOf } from '../../test/support/client.js'
import { startBackend } from '../backends/process.js'
import { backendEnv, USERS } from '../backends/python.js'
import {
  all,
  answersOf,
  burst,
  describeBackend,
  giveStorages,
  onOneBackend,
  open,
  openApp,
  type Row,
  refreshesIn,
  settled,
  signedIn,
} from '../backends/suite.js'
import { openBrowser } from './browser.js'
import { createApp } from './client.js'

// Nobody serves the app's pages: the browser of the tests stops when it is sent to one.
const APP_URL = 'http://127.0.0.1:5173'
const CALLBACK = `${APP_URL}/callback`
const ADA = { username: 'ada', password: USERS.ada }

interface Granted {
  access_token: string
  refresh_token: string
}

/** What each sign-in brought, in order: the client keeps it in memory, where no test can look. */
const granted: Granted[] = []
const lastGranted = () => granted.at(-1) as Granted

function openPage(url: string, browser = openBrowser(APP_URL)) {
  const app = createApp(url, CALLBACK)
  app.api.interceptors.response.use((response) => {
    if (response.config.url === '/token') granted.push(response.data as Granted)
    return response
  })
  return {
    ...app,
    browser,
    async signIn(username: string, password: string) {
      await app.finishSignIn(await browser.visit(await app.startSignIn('login'), { username, password }))
    },
    whoAmI: async () => (await app.api.get<{ sub: string }>('/me')).data.sub,
    visits: [],
  }
}

function signingKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return JSON.stringify(privateKey.export({ format: 'jwk' }))
}

const row: Row = {
  start: (changes) =>
    startBackend({
      command: process.execPath,
      args: ['server.mjs'],
      cwd: dirname(fileURLToPath(import.meta.url)),
      env: backendEnv({ APP_URL, SIGNING_KEY: signingKey(), ...changes }),
    }),
  open: openPage,
  refresh: 'POST /token#refresh_token',
  wrongPassword: { message: 'Wrong name or password' },
  noticedBy: ['client', 'server'],
  // An opaque token that the provider does not know is one that has expired, for all it says.
  tampered: { status: 200, refreshes: 1 },
  visitsAtEnd: [],
  copy() {
    const { access_token: accessToken, refresh_token: refreshToken } = lastGranted()
    return (url) => {
      const page = openPage(url)
      void page.auth.signIn({ accessToken, refreshToken })
      return page
    }
  },
}

describeBackend('oidc-provider', row)

describe('oidc-provider: rotation', () => {
  giveStorages()
  const shared = onOneBackend(row)

  it('uses each new refresh token once', async () => {
    const world = await signedIn(shared)
    const { app, backend, ends } = world
    const first = lastGranted().refresh_token
    for (let turn = 0; turn < 3; turn++) {
      await settled(all(10, undefined).map(() => app.auth.refresh()))
      expect(await answersOf(burst(world, 20))).toEqual(all(20, 'ada'))
    }
    expect(refreshesIn(row, await backend.answered())).toEqual({ refreshes: 3, granted: 3 })
    expect(ends).toEqual([])
    expect(await redeem(backend.url, first)).toMatchObject({ status: 400, data: { error: 'invalid_grant' } })
  })

  it('ends the session, once and for everybody, when somebody sends a used refresh token', async () => {
    const world = await signedIn(shared)
    const { app, backend, ends } = world
    const stolen = lastGranted().refresh_token
    await app.auth.refresh()
    expect(await redeem(backend.url, stolen)).toMatchObject({ status: 400, data: { error: 'invalid_grant' } })
    await backend.forget()
    const results = await settled(burst(world, 20))
    expect(outcomesOf(results)).toEqual(all(20, 'SESSION_EXPIRED'))
    for (const result of results) {
      expect(result).toMatchObject({ reason: { isAxiosError: true, response: { status: 401 } } })
    }
    expect(refreshesIn(row, await backend.answered())).toEqual({ refreshes: 1, granted: 0 })
    expect(ends).toMatchObject([{ reason: 'refused', error: { cause: { response: { status: 400 } } } }])
  })

  it('ends the thief’s session too when the thief was first', async () => {
    const { app, backend, ends } = await signedIn(shared)
    const { data: theirs } = await redeem(backend.url, lastGranted().refresh_token)
    expect((await me(backend.url, theirs.access_token)).status).toBe(200)
    expect(await failureOf(app.auth.refresh())).toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(ends).toMatchObject([{ reason: 'refused' }])
    expect((await me(backend.url, theirs.access_token)).status).toBe(401)
    expect(await redeem(backend.url, theirs.refresh_token)).toMatchObject({ status: 400 })
  })

  it('ends every session that sends the same refresh token at the same moment', async () => {
    const { app, backend } = await signedIn(shared)
    // Round after round, over connections that are open already: so they do come at the same moment, most times.
    for (let round = 0; round < 10; round++) {
      await app.signIn('ada', USERS.ada)
      const { refresh_token } = lastGranted()
      const answers = await Promise.all(all(8, undefined).map(() => redeem(backend.url, refresh_token)))
      const [first, ...others] = answers.filter(({ status }) => status === 200)
      expect([first?.status, others.length]).toEqual([200, 0])
      expect((await me(backend.url, first?.data.access_token)).status).toBe(401)
      expect(await redeem(backend.url, first?.data.refresh_token)).toMatchObject({ status: 400 })
    }
    expect(await failureOf(app.auth.refresh())).toMatchObject({ code: 'SESSION_EXPIRED' })
  })

  it('leaves another sign-in of the same user in the same browser alone when one is signed out', async () => {
    const { app, backend } = await signedIn(shared)
    const first = lastGranted()
    const { browser } = app as ReturnType<typeof openPage>
    const other = openApp((url) => openPage(url, browser), backend.url).app
    await other.signIn('ada', USERS.ada)
    await app.signOut()
    expect((await me(backend.url, first.access_token)).status).toBe(401)
    await other.auth.refresh()
    expect(await other.whoAmI()).toBe('ada')
  })
})

describe('oidc-provider: the sign-in', () => {
  giveStorages()
  const shared = onOneBackend(row)

  /** A page and its browser; the browser may have been used before. */
  const openHere = async (browser?: ReturnType<typeof openBrowser>) => {
    const { backend } = await open(shared)
    const { app } = openApp((url) => openPage(url, browser), backend.url)
    return { backend, page: app as ReturnType<typeof openPage> }
  }

  it('restores the session without a password after a reload: the provider recognises the browser', async () => {
    const { page, backend } = await openHere()
    await page.signIn('ada', USERS.ada)
    page.auth.dispose()
    const { page: reloaded } = await openHere(page.browser)
    expect(reloaded.auth.getSnapshot().status).toBe('signed-out')
    await reloaded.finishSignIn(await reloaded.browser.visit(await reloaded.startSignIn()))
    expect(await reloaded.whoAmI()).toBe('ada')
    const log = await backend.answered()
    expect(log.filter(({ method, path }) => method === 'POST' && path.startsWith('/interaction'))).toEqual([])
  })

  it('reports that nobody is signed in at the provider when no page may be shown', async () => {
    const { page } = await openHere()
    const address = await page.browser.visit(await page.startSignIn('none'))
    await expect(page.finishSignIn(address)).rejects.toThrow(/authentication/i)
    expect(page.auth.getSnapshot().status).toBe('signed-out')
  })

  it('rejects an answer to a sign-in that began elsewhere, and one that comes twice', async () => {
    const { page: attacker } = await openHere()
    const address = await attacker.browser.visit(await attacker.startSignIn(), ADA)
    sessionStorage.clear()
    const { page, backend } = await openHere()
    await expect(page.finishSignIn(address)).rejects.toThrow('did not begin here')
    await page.startSignIn()
    await expect(page.finishSignIn(address)).rejects.toThrow('did not begin here')

    const own = await page.browser.visit(await page.startSignIn(), ADA)
    await page.finishSignIn(own)
    await backend.forget()
    await expect(page.finishSignIn(own)).rejects.toThrow('did not begin here')
    expect(await backend.answered()).toEqual([])
    expect(page.auth.getSnapshot().status).toBe('signed-in')
  })

  it.each([
    ['no verifier', {}],
    ['another verifier', { code_verifier: 'a'.repeat(43) }],
  ])('issues no tokens for a stolen code with %s', async (_, verifier) => {
    const { page, backend } = await openHere()
    const address = await page.browser.visit(await page.startSignIn(), ADA)
    const answer = await exchange(backend.url, address, verifier)
    expect(answer).toMatchObject({ status: 400, data: { error: 'invalid_grant' } })
  })

  it('cannot begin without a challenge', async () => {
    const { page } = await openHere()
    const start = new URL(await page.startSignIn())
    start.searchParams.delete('code_challenge')
    start.searchParams.delete('code_challenge_method')
    await expect(page.finishSignIn(await page.browser.visit(start.href, ADA))).rejects.toThrow(/PKCE/)
  })

  it('is revoked when its code is used a second time', async () => {
    const { page, backend } = await openHere()
    const start = await page.startSignIn()
    const { verifier } = JSON.parse(sessionStorage.getItem('sign-in') ?? '{}') as { verifier: string }
    const address = await page.browser.visit(start, ADA)
    await page.finishSignIn(address)
    expect(await page.whoAmI()).toBe('ada')
    const again = await exchange(backend.url, address, { code_verifier: verifier })
    expect(again).toMatchObject({ status: 400, data: { error: 'invalid_grant' } })
    expect(await failureOf(page.whoAmI())).toMatchObject({ cause: { code: 'SESSION_EXPIRED' } })
  })

  it('asks for the password in the browser that began it, and in no other', async () => {
    const { page, backend } = await openHere()
    const start = await fetch(await page.startSignIn(), { redirect: 'manual' })
    const form = new URL(start.headers.get('location') ?? '', backend.url)
    const Cookie = start.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; ')
    expect((await fetch(form, { headers: { Cookie } })).status).toBe(200)
    expect((await fetch(form)).status).toBe(400)
    const body = new URLSearchParams(ADA)
    expect((await fetch(form, { method: 'POST', body, redirect: 'manual' })).status).toBe(400)
  })

  it('accepts nothing but a name and a password', async () => {
    const { page } = await openHere()
    const start = await page.startSignIn()
    const long = { ...ADA, password: 'x'.repeat(10_000) }
    await expect(page.browser.visit(start, long)).rejects.toThrow('Payload Too Large')
  })

  it('is offered to the app’s own origin only', async () => {
    const { backend } = await open(shared)
    const from = async (origin: string) => {
      const form = new URLSearchParams({ client_id: 'spa', grant_type: 'refresh_token', refresh_token: 'x' })
      const { headers } = await axios.post(`${backend.url}/token`, form, {
        headers: { Origin: origin },
        validateStatus: () => true,
      })
      return headers['access-control-allow-origin'] as string | undefined
    }
    expect(await from(APP_URL)).toBe(APP_URL)
    expect(await from('http://evil.example')).toBeUndefined()
  })
})

describe('oidc-provider: the sign-out', () => {
  giveStorages()
  const shared = onOneBackend(row)

  it('revokes the refresh token with the access token', async () => {
    const { app, backend } = await signedIn(shared)
    const { access_token, refresh_token } = lastGranted()
    await app.signOut()
    expect((await me(backend.url, access_token)).status).toBe(401)
    expect(await redeem(backend.url, refresh_token)).toMatchObject({
      status: 400,
      data: { error: 'invalid_grant' },
    })
  })
})

function me(url: string, token: string) {
  return axios.get(`${url}/me`, { headers: { Authorization: `Bearer ${token}` }, validateStatus: () => true })
}

/** Somebody who has the refresh token, and is not the app. */
function redeem(url: string, refresh_token: string) {
  return post(`${url}/token`, { client_id: 'spa', grant_type: 'refresh_token', refresh_token })
}

/** Somebody who has seen the address to which the provider sent the browser back. */
function exchange(url: string, address: string, verifier: Record<string, string>) {
  return post(`${url}/token`, {
    client_id: 'spa',
    grant_type: 'authorization_code',
    redirect_uri: CALLBACK,
    code: new URL(address).searchParams.get('code') ?? '',
    ...verifier,
  })
}

function post(url: string, form: Record<string, string>) {
  return axios.post(url, new URLSearchParams(form), { validateStatus: () => true })
}
