// @vitest-environment jsdom
// A page that comes back from the back/forward cache: who is notified first. In jsdom, whose events have their phases.

import axios from 'axios'
import { createAuthClient, localStorageStore, sessionStorageStore } from 'axios-auth-client'
import { expect, it, onTestFinished } from 'vitest'

function openPage(createStore: typeof localStorageStore) {
  const api = axios.create({ baseURL: 'https://api.example.com' })
  const auth = createAuthClient(api, { store: createStore({ key: 'my-app' }) })
  onTestFinished(() => auth.dispose())
  return auth
}

it.each([
  ['localStorage', localStorageStore],
  ['sessionStorage', sessionStorageStore],
])('the session in %s is up to date when the app’s listeners are called', async (_, createStore) => {
  const shown: string[] = []
  const onPageShow = () => void shown.push(auth.getSnapshot().status)
  // Before ours: apps listen from their first line on.
  window.addEventListener('pageshow', onPageShow)
  onTestFinished(() => window.removeEventListener('pageshow', onPageShow))
  const auth = openPage(createStore)
  await auth.signIn({ accessToken: 'a' })
  await openPage(createStore).signOut()
  window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
  expect(shown).toEqual(['signed-out'])
})
