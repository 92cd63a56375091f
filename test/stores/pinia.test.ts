// @vitest-environment jsdom
// A Vue app that keeps its tokens in Pinia: what its components show, and what its watchers do about it.

import axios from 'axios'
import { expect, it, onTestFinished } from 'vitest'
import { effectScope, nextTick, watch, watchEffect } from 'vue'
import { createAuthClient, refreshWithBody, type SessionEnd } from '../../src/index.js'
import { outcomesOf, startServer, tokensOf } from '../support/client.js'
import { createPiniaOwner } from './owners/pinia.js'

async function setUp() {
  const server = await startServer()
  const owner = createPiniaOwner(onTestFinished)
  const api = axios.create({ baseURL: server.url, adapter: 'http' })
  const ends: SessionEnd['reason'][] = []
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    store: owner.open(),
    onSessionEnd: ({ reason }) => void ends.push(reason),
  })
  onTestFinished(() => auth.dispose())
  const scope = effectScope(true)
  onTestFinished(() => scope.stop())
  return { server, owner, api, auth, ends, scope, login: server.login() }
}

it('a component follows the client through sign-in, refresh and sign-out', async () => {
  const { owner, auth, login } = await setUp()
  await auth.signIn(tokensOf(login))
  await nextTick()
  expect(owner.shown()).toBe(`signed in: ${login.access_token}`)
  await auth.refresh()
  await nextTick()
  expect(owner.shown()).toBe(`signed in: ${await auth.getAccessToken()}`)
  expect(owner.shown()).not.toContain(login.access_token)
  await auth.signOut()
  await nextTick()
  expect(owner.shown()).toBe('nobody')
})

it('a watcher that loads the user’s page at sign-in gets their page, and starts no refresh', async () => {
  const { server, owner, api, auth, ends, scope, login } = await setUp()
  const users: Promise<unknown>[] = []
  scope.run(() =>
    watch(
      () => owner.session.tokens?.accessToken,
      (token) => {
        if (token) users.push(api.get<{ user: string }>('/api/me').then(({ data }) => data.user))
      },
    ),
  )
  await auth.signIn(tokensOf(login))
  await nextTick()
  server.killAccessTokens()
  await api.get('/api/a')
  await nextTick()
  const { access_token, refresh_token } = server.login('grace')
  owner.replace({ accessToken: access_token, refreshToken: refresh_token })
  await nextTick()
  owner.logOut()
  await nextTick()
  expect(await Promise.all(users)).toEqual(['ada', 'ada', 'grace'])
  expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
  expect(ends).toEqual(['replaced-elsewhere', 'signed-out-elsewhere'])
})

it('an effect that sends a request does not run again because of its token', async () => {
  const { server, api, auth, scope, login } = await setUp()
  await auth.signIn(tokensOf(login))
  const made: Promise<unknown>[] = []
  scope.run(() => watchEffect(() => void made.push(api.get('/api/a'))))
  server.killAccessTokens()
  await auth.refresh()
  await nextTick()
  expect(outcomesOf(await Promise.allSettled(made))).toEqual(['ok'])
})

it('a watcher can log out in answer to a refresh, and the tokens do not come back', async () => {
  const { owner, api, auth, ends, scope, login } = await setUp()
  await auth.signIn(tokensOf(login))
  await nextTick()
  scope.run(() =>
    watch(
      () => owner.session.tokens,
      () => owner.logOut(),
    ),
  )
  await Promise.allSettled([auth.refresh()])
  await nextTick()
  expect(outcomesOf(await Promise.allSettled([api.get('/api/a')]))[0]).toMatch('401')
  expect(owner.shown()).toBe('nobody')
  expect(ends).toEqual(['signed-out-elsewhere'])
})
