// Flask-JWT-Extended with header tokens, run for real; Google's key server is a local one, what verifies is not.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failureOf } from '../../test/support/client.js'
import { type Env, freePort } from '../backends/process.js'
import { startPython } from '../backends/python.js'
import {
  burst,
  describeBackend,
  expired,
  giveStorages,
  onOneBackend,
  open,
  openApp,
  type Row,
  SHORT_SESSION,
  settled,
  signedIn,
  waitUntilExpired,
} from '../backends/suite.js'
import { createApp } from './client.js'
import { type Google, type IdToken, startGoogle } from './google.js'

let google: Google
beforeAll(async () => {
  google = await startGoogle()
})
afterAll(() => google.stop())

function openPage(url: string) {
  const visits: string[] = []
  const app = createApp(url, (path) => visits.push(path))
  return {
    ...app,
    whoAmI: async () => (await app.api.get<{ name: string }>('/auth/me')).data.name,
    visits,
  }
}

const row: Row = {
  start: (changes) =>
    startPython('c-flask-header', {
      GOOGLE_CLIENT_ID: google.clientId,
      GOOGLE_KEYS_URL: google.keysUrl,
      ...changes,
    }),
  open: openPage,
  refresh: 'POST /auth/refresh',
  wrongPassword: { response: { status: 401, data: { msg: 'Bad username or password' } } },
  noticedBy: ['client', 'server'],
  // Flask-JWT-Extended: a signature that is wrong is no expiry.
  tampered: { status: 422, refreshes: 0 },
  visitsAtEnd: ['/signin'],
  survivesReload: true,
}

describeBackend('Flask-JWT-Extended with header tokens', row)

describe('Flask-JWT-Extended with header tokens: the user’s details', () => {
  giveStorages()
  const shared = onOneBackend(row)
  const openHere = async (changes?: Env) => {
    const { backend } = await open(shared, changes)
    return openApp(openPage, backend.url).app as ReturnType<typeof openPage>
  }

  it('are loaded after sign-in and dropped with the session', async () => {
    const world = await signedIn(shared, SHORT_SESSION)
    const app = world.app as ReturnType<typeof openPage>
    expect(app.user()).toEqual({ id: 'local:ada', name: 'ada' })
    await waitUntilExpired(world.backend, {})
    await settled(burst(world, 5))
    expect(app.user()).toBeUndefined()
    expect(app.visits).toEqual(['/signin'])
  })

  it('can be loaded for a stored session after a reload', async () => {
    const { app, backend } = await expired(shared)
    app.auth.dispose()
    const reloaded = openApp(openPage, backend.url).app as ReturnType<typeof openPage>
    expect(await reloaded.loadUser()).toEqual({ id: 'local:ada', name: 'ada' })
  })

  it('come from Google’s id token when the user signs in with it', async () => {
    const app = await openHere()
    await app.signInWithGoogle(google.idToken())
    expect(app.user()).toEqual({ id: 'google:1234567890', name: 'Grace' })
    await app.auth.refresh()
    expect(await app.whoAmI()).toBe('Grace')
  })

  it.each<[what: string, token: IdToken]>([
    ['for another site', { claims: { aud: 'other.apps.googleusercontent.test' } }],
    ['of another issuer', { claims: { iss: 'https://accounts.example.com' } }],
    ['that has expired', { claims: { exp: 1_700_000_000 } }],
    ['without an end', { claims: { exp: undefined } }],
    ['signed by a stranger', { signedBy: 'stranger' }],
    ['signed with the public key as if it were a secret', { signedBy: 'public' }],
    ['that nobody signed', { signedBy: 'nobody' }],
  ])('do not come from an id token %s', async (_, token) => {
    const app = await openHere()
    expect(await failureOf(app.signInWithGoogle(google.idToken(token)))).toMatchObject({
      response: { status: 401, data: { msg: 'Bad id token' } },
    })
    expect([app.user(), app.auth.getSnapshot().status]).toEqual([undefined, 'signed-out'])
  })

  it('do not come from an id token while Google’s keys cannot be fetched', async () => {
    const app = await openHere({ GOOGLE_KEYS_URL: `http://127.0.0.1:${await freePort()}/` })
    expect(await failureOf(app.signInWithGoogle(google.idToken()))).toMatchObject({
      response: { status: 503, data: { msg: "Google's keys cannot be fetched" } },
    })
    expect(app.auth.getSnapshot().status).toBe('signed-out')
  })
})
