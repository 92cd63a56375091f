// The end-to-end tests that run for every backend in its own framework: what a user of its app gets.
// Promise: everybody who asked is answered, and what reached the server is counted in the server's own access log.

import axios, { type AxiosInstance } from 'axios'
import { type AuthClient, authErrorOf, type SessionEnd } from 'axios-auth-client'
import { afterAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { FakeStorage } from '../../test/contracts/fake-storage.js'
import { tampered } from '../../test/support/auth-server.js'
import { failureOf, outcomesOf } from '../../test/support/client.js'
import { realMs } from '../../test/support/real-time.js'
import { settleAll } from '../../test/support/settle-all.js'
import type { AnsweredRequest, Backend, Env } from './process.js'
import { USERS } from './python.js'

/** A reader's app: the client of the row's client.ts, and the calls that the app makes. */
export interface App {
  api: AxiosInstance
  auth: AuthClient
  /** Rejects with the app's error when the server says no. */
  signIn(user: string, password: string): Promise<unknown>
  /** The server first, then `auth.signOut()`. */
  signOut(): Promise<unknown>
  /** A protected request; resolves with the name of the user it was answered for. */
  whoAmI(): Promise<string>
  /** Where the app sent its user, in order. */
  visits: string[]
}

export interface Row {
  /** Starts the backend. The tests set ACCESS_SECONDS and REFRESH_SECONDS, and change them by a restart. */
  start(changes: Env): Promise<Backend>
  /** An app in a fresh page: it shares nothing with others but what the storages (or cookies) hold. */
  open(url: string): App
  /** The refresh call in the access log, such as 'POST /refresh'. Default: none, the server renews by itself. */
  refresh?: string
  /** What `signIn` rejects with for a wrong password. */
  wrongPassword: object
  /**
   * Who notices that a token has died: the client by the clock, before it sends anything; the server by a 401 to a
   * token that the client takes for good.
   */
  noticedBy: readonly ('client' | 'server')[]
  /** Makes the app's access token a forged one. Default: a character of its payload is another one. */
  tamper?(app: App): Promise<void>
  /** What a request with a forged token comes to. */
  tampered: { status: number; refreshes: number }
  /** Where the app sends its user when the session has ended. */
  visitsAtEnd: readonly string[]
  /** The words that reach the caller when the refresh token is refused. */
  refusal?: RegExp
  /** What the storages hold is enough to go on after a reload of the page. */
  survivesReload?: boolean
  /** Takes a copy of all that the app keeps; returns what opens an app with it. Default: of the web storages. */
  copy?(): (url: string) => App
}

export interface World {
  backend: Backend
  app: App
  /** How the sessions of this app ended. */
  ends: SessionEnd[]
}

export const ANSWERED_WITHIN_MS = 30_000

const LONG = { ACCESS_SECONDS: '60' }
// Servers cut off the fraction of a second, so this is one second at least: time to sign in.
const SHORT = { ACCESS_SECONDS: '2' }
const SHORT_MS = 2_000
/** A session that has ended once `waitUntilExpired` is through, its refresh token included. */
export const SHORT_SESSION = { ...SHORT, REFRESH_SECONDS: '2' }

/** Each test gets empty storages. */
export function giveStorages(): void {
  beforeEach(() => {
    vi.stubGlobal('localStorage', new FakeStorage())
    vi.stubGlobal('sessionStorage', new FakeStorage())
  })
}

/** The row with one backend for all its tests, restarted only where its environment changes. */
export function onOneBackend(row: Row): Row {
  let backend: Backend | undefined
  afterAll(() => backend?.stop())
  return {
    ...row,
    async start(changes) {
      backend ??= await row.start(LONG)
      await backend.runWith(changes)
      await backend.forget()
      return backend
    },
  }
}

/** A running backend, and an app that nobody has signed in to. */
export async function open(row: Row, changes: Env = LONG): Promise<World> {
  const backend = await row.start(changes)
  return { backend, ...openApp(row.open, backend.url) }
}

export function openApp(opening: (url: string) => App, url: string): Pick<World, 'app' | 'ends'> {
  const app = opening(url)
  onTestFinished(() => app.auth.dispose())
  const ends: SessionEnd[] = []
  app.auth.on('sessionEnd', (end) => void ends.push(end))
  return { app, ends }
}

/** Ada is signed in; what the server has answered until then does not count. */
export async function signedIn(row: Row, changes?: Env): Promise<World> {
  const world = await open(row, changes)
  await world.app.signIn('ada', USERS.ada)
  await world.backend.forget()
  return world
}

/**
 * Signed in, and by now the server refuses the access token; what it grants from now on lives long.
 * @param noticedBy 'server': the client takes the token for one that lives for an hour
 */
export async function expired(row: Row, noticedBy = row.noticedBy[0], changes: Env = {}): Promise<World> {
  const world = await open(row, { ...SHORT, ...changes })
  const { backend, app } = world
  await app.signIn('ada', USERS.ada)
  const accessToken = await app.auth.getAccessToken()
  if (accessToken && noticedBy === 'server') {
    await app.auth.updateTokens({ accessToken, expiresInSeconds: 3600 })
  }
  await waitUntilExpired(backend, LONG)
  return world
}

/** Restarts the backend, and waits until the short-lived tokens that it granted have expired. */
export async function waitUntilExpired(backend: Backend, changes: Env): Promise<void> {
  const expiredAtMs = Date.now() + SHORT_MS
  await backend.restart(changes)
  await backend.forget()
  // The one thing here that takes its time is the life of a real token.
  await realMs(Math.max(0, expiredAtMs - Date.now()))
}

export function burst({ app }: Pick<World, 'app'>, count: number): Promise<string>[] {
  return Array.from({ length: count }, () => app.whoAmI())
}

export const all = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

export function settled<T>(promises: Iterable<Promise<T>>) {
  return settleAll(promises, ANSWERED_WITHIN_MS)
}

export async function answersOf(promises: Iterable<Promise<string>>): Promise<string[]> {
  const results = await settled(promises)
  return results.map((result) => (result.status === 'fulfilled' ? result.value : String(result.reason)))
}

/** How often the refresh endpoint was called, and how often it granted. */
export function refreshesIn(row: Pick<Row, 'refresh'>, log: readonly AnsweredRequest[]) {
  const calls = log.filter(({ method, path }) => `${method} ${path}` === row.refresh)
  return { refreshes: calls.length, granted: calls.filter(({ status }) => status < 300).length }
}

export const countStatus = (log: readonly AnsweredRequest[], status: number): number =>
  log.filter((request) => request.status === status).length

export function describeBackend(name: string, anyRow: Row): void {
  describe(name, () => {
    const row = onOneBackend(anyRow)
    giveStorages()
    testSigningIn(row)
    testExpiry(row)
    testRefusal(row)
    testTampering(row)
    testRestarts(row)
    testSigningOut(row)
    testUsers(row)
  })
}

export function testSigningIn(row: Row): void {
  it('lets a user in with the right password', async () => {
    const { app, backend } = await open(row)
    await app.signIn('ada', USERS.ada)
    expect(app.auth.getSnapshot().status).toBe('signed-in')
    expect(await app.whoAmI()).toBe('ada')
    const log = await backend.answered()
    expect([countStatus(log, 401), refreshesIn(row, log).refreshes]).toEqual([0, 0])
  })

  it.each([
    ['a wrong password', 'ada', 'ada-likes-letters'],
    ['a name that nobody has', 'eve', USERS.ada],
  ])('rejects %s, and nobody is signed in', async (_, user, password) => {
    const { app, backend } = await open(row)
    expect(await failureOf(app.signIn(user, password))).toMatchObject(row.wrongPassword)
    expect(app.auth.getSnapshot().status).toBe('signed-out')
    expect(refreshesIn(row, await backend.answered()).refreshes).toBe(0)
    expect(app.visits).toEqual([])
  })

  it('keeps a live session when somebody tries a wrong password', async () => {
    const { app, backend, ends } = await signedIn(row)
    expect(await failureOf(app.signIn('bob', 'wrong'))).toMatchObject(row.wrongPassword)
    expect(await app.whoAmI()).toBe('ada')
    expect(refreshesIn(row, await backend.answered()).refreshes).toBe(0)
    expect(ends).toEqual([])
  })
}

export function testExpiry(row: Row): void {
  if (row.noticedBy.includes('client')) {
    it('sends one refresh, and no expired token, for 100 requests made after the expiry', async () => {
      const world = await expired(row, 'client')
      expect(await answersOf(burst(world, 100))).toEqual(all(100, 'ada'))
      const log = await world.backend.answered()
      expect(refreshesIn(row, log)).toEqual({ refreshes: 1, granted: 1 })
      expect(log).toHaveLength(101)
      expect(world.ends).toEqual([])
    })
  }

  if (row.noticedBy.includes('server')) {
    it('sends one refresh when the server rejects the token of 100 requests', async () => {
      const world = await expired(row, 'server')
      expect(await answersOf(burst(world, 100))).toEqual(all(100, 'ada'))
      const log = await world.backend.answered()
      expect(refreshesIn(row, log)).toEqual({ refreshes: 1, granted: 1 })
      expect([countStatus(log, 401), log.length]).toEqual([100, 201])
      expect(world.ends).toEqual([])
    })
  }

  it('sends no further refresh while the new token is valid', async () => {
    const world = await expired(row)
    await answersOf(burst(world, 5))
    await world.backend.forget()
    expect(await answersOf(burst(world, 100))).toEqual(all(100, 'ada'))
    expect(await world.backend.answered()).toHaveLength(100)
  })

  if (row.survivesReload) {
    it('continues after a page reload with one refresh', async () => {
      const { app, backend } = await expired(row)
      app.auth.dispose()
      const reloaded = openApp(row.open, backend.url)
      expect(reloaded.app.auth.getSnapshot().status).toBe('signed-in')
      expect(await answersOf(burst(reloaded, 20))).toEqual(all(20, 'ada'))
      expect(refreshesIn(row, await backend.answered())).toEqual({ refreshes: 1, granted: 1 })
    })
  }
}

export function testRefusal(row: Row): void {
  it('ends the session once and settles every request when the refresh token has expired too', async () => {
    const world = await expired(row, undefined, SHORT_SESSION)
    const { app, backend, ends } = world
    const results = await settled(burst(world, 20))
    expect(outcomesOf(results)).toEqual(all(20, 'SESSION_EXPIRED'))
    for (const result of results) {
      const reason: unknown = result.status === 'rejected' ? result.reason : undefined
      expect(axios.isAxiosError(reason)).toBe(true)
      if (row.refusal) expect(authErrorOf(reason)?.message).toMatch(row.refusal)
    }
    expect(refreshesIn(row, await backend.answered()).refreshes).toBe(1)
    expect(ends).toMatchObject([{ reason: 'refused' }])
    expect(app.visits).toEqual(row.visitsAtEnd)
    expect(app.auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
  })
}

export function testTampering(row: Row): void {
  it(
    row.tampered.refreshes === 0
      ? `passes the ${row.tampered.status} of a forged token on, without a refresh`
      : 'replaces a forged token with one refresh',
    async () => {
      const world = await signedIn(row)
      const { app, backend, ends } = world
      await (row.tamper ?? tamperToken)(app)
      const results = await settled(burst(world, 5))
      const expected = row.tampered.status < 300 ? 'ada' : row.tampered.status
      expect(
        results.map((result) =>
          result.status === 'fulfilled' ? result.value : (result.reason.response?.status as unknown),
        ),
      ).toEqual(all(5, expected))
      expect(refreshesIn(row, await backend.answered()).refreshes).toBe(row.tampered.refreshes)
      expect(ends).toEqual([])
    },
  )
}

async function tamperToken({ auth }: App): Promise<void> {
  await auth.updateTokens({ accessToken: tampered((await auth.getAccessToken()) ?? '') })
}

export function testRestarts(row: Row): void {
  it('settles every request when the server restarts in the middle of a burst', async () => {
    const world = await expired(row)
    const { app, backend, ends } = world
    const first = burst(world, 60)
    // One of them is through, so the refresh is over. What the server has not answered by now is cut off.
    await Promise.any(first)
    const down = backend.stop()
    const second = burst(world, 40)
    const results = await settled([...first, ...second])
    await down
    for (const result of results) {
      if (result.status === 'fulfilled') expect(result.value).toBe('ada')
      else expectUnreachable(result.reason)
    }
    expect(results.filter(({ status }) => status === 'rejected').length).toBeGreaterThanOrEqual(40)
    expect(ends).toEqual([])

    await backend.start()
    await backend.forget()
    expect(await answersOf(burst(world, 100))).toEqual(all(100, 'ada'))
    expect(await backend.answered()).toHaveLength(100)
    expect(app.visits).toEqual([])
  })

  it('keeps the session when the server is down while the token expires', async () => {
    const world = await expired(row)
    const { app, backend, ends } = world
    await backend.stop()
    for (const reason of await Promise.all(burst(world, 20).map(failureOf))) expectUnreachable(reason)
    expect(app.auth.getSnapshot().status).toBe('signed-in')

    await backend.start()
    await backend.forget()
    if (row.refresh) await app.auth.refresh()
    expect(await answersOf(burst(world, 20))).toEqual(all(20, 'ada'))
    if (row.refresh) expect(refreshesIn(row, await backend.answered())).toEqual({ refreshes: 1, granted: 1 })
    expect(ends).toEqual([])
  })
}

/** The caller's own error, of a server that fell silent: before it answered, or after the head of a 200. */
function expectUnreachable(reason: unknown): void {
  expect(reason).toMatchObject({ isAxiosError: true })
  expect((reason as { response?: { status: number } }).response?.status ?? 200).toBe(200)
}

export function testSigningOut(row: Row): void {
  const signedOutEverywhere = async ({ app, backend, ends }: World) => {
    const openCopy = row.copy ? row.copy() : copyStorages(row)
    await app.signOut()
    expect(app.auth.getSnapshot().status).toBe('signed-out')
    expect(ends).toMatchObject([{ reason: 'signed-out' }])
    const { app: thief } = openApp(openCopy, backend.url)
    await backend.forget()
    await settled<unknown>([row.refresh ? thief.auth.refresh() : thief.whoAmI()])
    expect(await backend.answered()).toHaveLength(1)
    expect(thief.auth.getSnapshot().status).toBe('signed-out')
  }

  it('revokes at the server the tokens of a copied session', async () => {
    const world = await signedIn(row)
    expect(await world.app.whoAmI()).toBe('ada')
    await signedOutEverywhere(world)
  })

  it('revokes them also when the access token has expired', async () =>
    signedOutEverywhere(await expired(row)))

  it('signs out here when the server cannot be reached, and reports that to the caller', async () => {
    const { app, backend, ends } = await signedIn(row)
    await backend.stop()
    await expect(app.signOut()).rejects.toMatchObject({ isAxiosError: true })
    expect(app.auth.getSnapshot().status).toBe('signed-out')
    expect(ends).toMatchObject([{ reason: 'signed-out' }])
  })
}

/** What somebody takes who reads the storages now, opened elsewhere. */
function copyStorages(row: Row): (url: string) => App {
  const copies = (['localStorage', 'sessionStorage'] as const).map((name) => {
    const copy = new FakeStorage()
    const original = globalThis[name]
    for (let i = 0; i < original.length; i++) {
      const key = original.key(i) ?? ''
      copy.setItem(key, original.getItem(key) ?? '')
    }
    return [name, copy] as const
  })
  return (url) => {
    for (const [name, copy] of copies) vi.stubGlobal(name, copy)
    return row.open(url)
  }
}

export function testUsers(row: Row): void {
  it('answers each of two users as themselves, one after the other', async () => {
    const { app } = await signedIn(row)
    expect(await app.whoAmI()).toBe('ada')
    await app.signOut()
    await app.signIn('bob', USERS.bob)
    expect(await answersOf(burst({ app }, 20))).toEqual(all(20, 'bob'))
    await app.signIn('ada', USERS.ada)
    expect(await answersOf(burst({ app }, 20))).toEqual(all(20, 'ada'))
  })

  it('leaves the first user’s expired token alone once the second has signed in', async () => {
    const world = await expired(row)
    const { app, backend } = world
    await app.signIn('bob', USERS.bob)
    expect(await answersOf(burst(world, 20))).toEqual(all(20, 'bob'))
    expect(refreshesIn(row, await backend.answered()).refreshes).toBe(0)
  })
}
