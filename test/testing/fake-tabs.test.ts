// Several tabs in one process, by the kit: a shared storage with news, and locks that stand in for the browser's.
// Promise: what a tab does reaches the others as in a browser, and two tabs never spend one refresh token twice.

import { describe, expect, it, vi } from 'vitest'
import { createFakeTabs, type FakeTabs } from '../../src/testing/index.js'
import { startApp, startBackend } from './kit.js'

/** Two tabs of one app, both signed in as ada. */
async function twoTabs(tabs = createFakeTabs()) {
  const backend = startBackend()
  const here = startApp(backend, { store: tabs.openTab() })
  const there = startApp(backend, { store: tabs.openTab() })
  await here.auth.signIn(backend.login())
  await tabs.settled()
  return { tabs, backend, here, there }
}

describe('the storage of the tabs', () => {
  it('signs every tab in and out together', async () => {
    const { tabs, here, there } = await twoTabs()
    expect(there.auth.getSnapshot()).toMatchObject({ status: 'signed-in', subject: 'ada' })
    await there.auth.signOut()
    await tabs.settled()
    expect(here.auth.getSnapshot().status).toBe('signed-out')
    expect(here.ends.map(({ reason }) => reason)).toEqual(['signed-out-elsewhere'])
    expect(there.ends.map(({ reason }) => reason)).toEqual(['signed-out'])
    expect(tabs.stored).toBeUndefined()
  })

  it('notifies the other tabs that a refresh was refused', async () => {
    const { tabs, backend, here, there } = await twoTabs()
    backend.revokeSessions()
    await expect(there.api.get('/me')).rejects.toMatchObject({ cause: { code: 'SESSION_EXPIRED' } })
    await tabs.settled()
    expect(here.ends.map(({ reason }) => reason)).toEqual(['refused'])
    expect(tabs.stored).toBeUndefined()
  })

  it('passes refreshed tokens to the other tabs, which then need no refresh', async () => {
    const { tabs, backend, here, there } = await twoTabs()
    backend.expireAccessTokens()
    expect((await here.api.get('/me')).status).toBe(200)
    await tabs.settled()
    expect((await there.api.get('/me')).status).toBe(200)
    expect(backend.counts).toMatchObject({ refreshes: 1, refused: 1, served: 2 })
    expect(tabs.stored?.tokens.accessToken).toBe(await there.auth.getAccessToken())
  })

  it('ends the session in every tab when it is cleared from outside', async () => {
    const { tabs, here, there } = await twoTabs()
    tabs.clearStorage()
    await tabs.settled()
    expect([here, there].map(({ auth }) => auth.getSnapshot().status)).toEqual(['signed-out', 'signed-out'])
  })

  it.each([
    [createFakeTabs(), 'fake-tabs:refresh'],
    [createFakeTabs('mine'), 'mine:refresh'],
  ])('is refreshed under one lock, with its name in front (%#)', async (tabs, lock) => {
    const { here, there, backend } = await twoTabs(tabs)
    backend.expireAccessTokens()
    const hold = backend.refresh.hold()
    const both = [here, there].map(({ api }) => api.get('/me'))
    await hold.waiting()
    await tabs.settled()
    const { held, pending } = await tabs.locks.query()
    expect([held, pending].map((locks) => locks?.map(({ name }) => name))).toEqual([[lock], [lock]])
    hold.release()
    await Promise.all(both)
    expect(backend.counts).toMatchObject({ refreshes: 1, reuses: 0 })
  })

  it('is available to a tab that is opened later', async () => {
    const { tabs, backend } = await twoTabs()
    const late = startApp(backend, { store: tabs.openTab() })
    await late.auth.ready
    expect((await late.api.get('/me')).data.user).toBe('ada')
  })

  it('notifies no tab of its own writes or of writes that change nothing', async () => {
    const tabs = createFakeTabs()
    const [one, other] = [tabs.openTab(), tabs.openTab()]
    const notified: string[] = []
    await one.subscribe?.(() => void notified.push('one'))
    const stop = await other.subscribe?.(() => void notified.push('other'))
    const record = { v: 1, sessionId: 's', version: 1, tokens: { accessToken: 'a' } } as const
    await one.save(record)
    await one.save(record)
    expect(notified).toEqual([])
    await tabs.settled()
    expect(notified).toEqual(['other'])
    await one.clear()
    await one.clear()
    await tabs.settled()
    expect(notified).toEqual(['other', 'other'])
    stop?.()
    await one.save(record)
    await tabs.settled()
    expect(notified).toHaveLength(2)
  })

  it('is separate for each set of tabs', async () => {
    const { there } = await twoTabs()
    const elsewhere = startApp(startBackend(), { store: createFakeTabs('another-browser').openTab() })
    await elsewhere.auth.ready
    expect(elsewhere.auth.getSnapshot().status).toBe('signed-out')
    expect(there.auth.getSnapshot().status).toBe('signed-in')
  })
})

describe('the locks of the tabs', () => {
  it('let one tab refresh at a time: the others adopt its tokens', async () => {
    const { backend, here, there } = await twoTabs()
    backend.expireAccessTokens()
    const hold = backend.refresh.hold()
    const both = Promise.all([here.api.get('/me'), there.api.get('/me')])
    await hold.waiting()
    hold.release()
    expect((await both).map(({ status }) => status)).toEqual([200, 200])
    expect(backend.counts).toMatchObject({ refreshes: 1, granted: 1, reuses: 0 })
    expect(here.auth.stats().adopted + there.auth.stats().adopted).toBe(1)
  })

  it('let one tab refresh at a time where there is no MessageChannel, as in jsdom', async () => {
    vi.stubGlobal('MessageChannel', undefined)
    const { backend, here, there } = await twoTabs()
    backend.expireAccessTokens()
    const answers = await Promise.all([here.api.get('/me'), there.api.get('/me')])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(backend.counts).toMatchObject({ refreshes: 1, reuses: 0 })
  })

  it('are exclusive, first come first served, and report who holds and who waits', async () => {
    const { locks } = createFakeTabs()
    const order: string[] = []
    let release = () => {}
    const first = locks.request(
      'a',
      () =>
        new Promise<void>((resolve) => {
          order.push('first')
          release = resolve
        }),
    )
    const second = locks.request('a', {}, async () => {
      order.push('second')
      throw new Error('its own fault')
    })
    const third = locks.request('a', (lock) => {
      expect(lock).toEqual({ name: 'a', mode: 'exclusive' })
      return 'result'
    })
    await locks.request('b', () => order.push('another lock'))
    const { held, pending } = await locks.query()
    expect(held).toMatchObject([{ name: 'a', mode: 'exclusive' }])
    expect(pending).toHaveLength(2)
    expect(new Set([...(held ?? []), ...(pending ?? [])].map(({ clientId }) => clientId)).size).toBe(3)
    release()
    await first
    await expect(second).rejects.toThrow('its own fault')
    await expect(third).resolves.toBe('result')
    expect(order).toEqual(['first', 'another lock', 'second'])
    expect(await locks.query()).toEqual({ held: [], pending: [] })
  })

  it('can be aborted only while waiting', async () => {
    const { locks } = createFakeTabs()
    let release = () => {}
    const holder = new AbortController()
    const held = locks.request(
      'a',
      { signal: holder.signal },
      () =>
        new Promise<string>((resolve) => {
          release = () => resolve('done')
        }),
    )
    await Promise.resolve()
    const waiter = new AbortController()
    const waiting = locks.request('a', { signal: waiter.signal }, () => 'never')
    const next = locks.request('a', () => 'next')
    waiter.abort()
    holder.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    expect((await locks.query()).held).toHaveLength(1)
    release()
    expect([await held, await next]).toEqual(['done', 'next'])
    await expect(locks.request('a', { signal: AbortSignal.abort() }, () => 'never')).rejects.toThrow()
    expect(await locks.query()).toEqual({ held: [], pending: [] })
  })

  it('reject unknown options', async () => {
    const { locks } = createFakeTabs()
    for (const special of [{ mode: 'shared' }, { ifAvailable: true }, { steal: true }] as LockOptions[]) {
      await expect(locks.request('a', special, () => 1)).rejects.toThrow(
        'createFakeTabs: these locks are exclusive',
      )
    }
  })

  it.each<{ where: string; page: { locks?: string } | undefined }>([
    { where: 'without a navigator', page: undefined },
    { where: 'with a navigator that has none', page: {} },
    { where: 'with a navigator that has some', page: { locks: 'its own' } },
  ])('come and go $where', ({ page }) => {
    vi.stubGlobal('navigator', page)
    const tabs: FakeTabs = createFakeTabs()
    const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
    const remove = tabs.installLocks()
    expect(navigator.locks).toBe(tabs.locks)
    remove()
    expect(Object.getOwnPropertyDescriptor(globalThis, 'navigator')).toEqual(before)
    expect(globalThis.navigator?.locks).toBe(page?.locks)
  })
})
