// The library's side of the comparison: one call, and its events for the timeline.
import { createAuthClient, refreshWithBody } from 'axios-auth-client'
import type { ClientEvent, Install } from './burst.js'

export const installAuthClient: Install = (instance, report) => {
  const auth = createAuthClient(instance, { refresh: refreshWithBody({ url: '/auth/refresh' }) })
  const names: ClientEvent['name'][] = ['held', 'replay', 'refreshStart', 'refreshed']
  for (const name of names) {
    auth.on(name, (event) => {
      const id = 'url' in event ? Number(/[?&]id=(\d+)/.exec(event.url)?.[1]) || undefined : undefined
      report({ name, id, atMs: performance.now() })
    })
  }
  return {
    signIn: auth.signIn,
    isSignedIn: () => auth.getSnapshot().status === 'signed-in',
    release: () => auth.dispose(),
  }
}
