// Owns the tabs of one process: clients that share a store, the locks in `navigator`, and a clock that the test moves.

import axios from 'axios'
import { onTestFinished } from 'vitest'
import { createAuthClient, refreshWithBody, type TokenStore } from '../../src/index.js'
import { announceCommits } from '../../src/stores/announced-commits.js'
import { createWatchedClock, startServer } from './client.js'
import { microtasksDone } from './real-time.js'
import { createOpenStore, type OpenStore } from './stores.js'

const NO_RETRY = { limit: 0, baseDelayMs: 300 }

/** A server, and a store whose tabs take turns as `app`; `openTab` makes one more client of it. */
export async function setUpTabs({ clock = createWatchedClock(), graceMs = 0 } = {}) {
  const server = await startServer({ tokens: 'opaque', graceMs })
  const store: OpenStore = createOpenStore()
  /** As localStorageStore does it: turns by Web Locks, and what was written in one is announced to the next. */
  const openStore = () => announceCommits('app', store)
  const openTab = (refresh = refreshWithBody({ url: '/auth/refresh' }), seen: TokenStore = openStore()) => {
    const api = axios.create({ baseURL: server.url })
    const auth = createAuthClient(api, { refresh, store: seen, clock, refreshRetry: NO_RETRY })
    onTestFinished(() => auth.dispose())
    return { api, auth }
  }
  return { server, store, clock, openStore, openTab }
}

/** The names of the locks that are held once everybody has done what needs no time. */
export const heldLocks = (): Promise<(string | undefined)[]> => lockNames('held')

/** The same for those that are waited for. */
export const pendingLocks = (): Promise<(string | undefined)[]> => lockNames('pending')

async function lockNames(state: 'held' | 'pending'): Promise<(string | undefined)[]> {
  await microtasksDone()
  return ((await navigator.locks.query())[state] ?? []).map(({ name }) => name)
}
