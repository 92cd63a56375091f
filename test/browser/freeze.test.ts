// A tab that holds the lock, or waits for it, and then sleeps or dies. In real Chromium, because no fake
// shows what a frozen page does with its locks, timers and answers once it wakes.
// Promise: the order of events is made by hand, at the server and at the tabs; nothing is left to a sleep.
import { expect, it } from 'vitest'
import { type ChaosStage, type ChaosTab, inChromium, MARGIN_MS } from './chaos-stage.js'

/** As real servers do it: a client that lost the answer may ask once more. */
const GRACE = { graceMs: 60_000, graceAnswer: 'successor' } as const
const REFRESH = '/auth/refresh'

inChromium('frozen and lost tabs', (setStage) => {
  it('when a tab freezes during its refresh, the others continue with one refresh', async (context) => {
    const stage = await setStage(context, { tabs: 4, refreshTimeoutMs: 1000 })
    const { server, tabs, quiet } = stage
    const [sleeper, ...others] = tabs as [ChaosTab, ...ChaosTab[]]
    const held = server.holdRefresh()
    stage.expire()
    await sleeper.fire(3)
    await held.waiting(1)
    await sleeper.freeze()

    for (const tab of others) await tab.fire(3)
    await held.waiting(2)
    // The other two stand behind the one that asks; they could be asking too.
    await expect.poll(async () => (await locksOf(others[0])).pending.length).toBe(2)
    expect(server.counts.refreshes).toBe(2)
    held.releaseAt(1)
    await quiet(others)

    await sleeper.thaw()
    await quiet()
    await stage.expectAnswers(tabs)
    await stage.expectAgreement()
    expect(server.counts).toMatchObject({ refreshes: 2, granted: 1, reuses: 0 })
  })

  it('a tab that wakes with an old grant does not overwrite the others’ newer tokens', async (context) => {
    const stage = await setStage(context, { tabs: 3, refreshTimeoutMs: 1000, server: GRACE })
    const { server, tabs, quiet } = stage
    const [sleeper, ...others] = tabs as [ChaosTab, ...ChaosTab[]]
    await freezeWithAnswer(stage, sleeper)

    for (let expiry = 0; expiry < 2; expiry++) {
      for (const tab of others) await tab.fire(2)
      await quiet(others)
      stage.expire()
    }
    for (const tab of others) await tab.fire(2)
    await quiet(others)
    const { stored } = await others[0]!.report()

    await sleeper.thaw()
    await quiet()
    await stage.expectAnswers(tabs)
    await stage.expectAgreement()
    expect((await sleeper.report()).stored).toBe(stored)
    // It goes on with what it took over.
    stage.expire()
    await sleeper.fire(2)
    await quiet()
    await stage.expectAnswers(tabs)
    expect(server.counts).toMatchObject({ granted: 5, reuses: 0 })
  })

  it('a tab that froze between two attempts does not send a refresh token that others have used', async (context) => {
    const stage = await setStage(context, { tabs: 2, refreshTimeoutMs: 3000 })
    const { server, tabs, quiet } = stage
    const [sleeper, other] = tabs as [ChaosTab, ChaosTab]
    server.refresh.next({ status: 503, retryAfter: 2 })
    stage.expire()
    await sleeper.fire(2)
    await server.until(() => server.requestsTo(REFRESH)[0]?.status === 503)
    await sleeper.freeze()
    expect(server.counts.refreshes).toBe(1)

    await other.fire(2)
    await quiet([other])
    expect(server.counts).toMatchObject({ refreshes: 2, granted: 1 })

    await sleeper.thaw()
    await quiet()
    await stage.expectAnswers(tabs)
    await stage.expectAgreement()
    expect(server.counts).toMatchObject({ refreshes: 2, granted: 1, reuses: 0 })
  })

  it('a tab whose refresh is refused when it wakes adopts the others’ newer tokens', async (context) => {
    const stage = await setStage(context, { tabs: 3, refreshTimeoutMs: 1000 })
    const { server, tabs, quiet } = stage
    const [sleeper, ...others] = tabs as [ChaosTab, ...ChaosTab[]]
    const held = server.holdRefresh({ first: 1 })
    stage.expire()
    await sleeper.fire(2)
    await held.waiting(1)
    await sleeper.freeze()
    for (const tab of others) await tab.fire(2)
    await quiet(others)

    server.refresh.next(401)
    held.releaseAll()
    await server.idle()
    await sleeper.thaw()
    await quiet()
    await stage.expectAnswers(tabs)
    await stage.expectAgreement()
    expect(server.counts).toMatchObject({ refreshes: 2, granted: 1, reuses: 0 })
  })

  it('a tab that was frozen longer than refreshTimeoutMs uses the grant that arrived meanwhile', async (context) => {
    const refreshTimeoutMs = 1000
    const stage = await setStage(context, { tabs: 2, refreshTimeoutMs })
    const { server, tabs, quiet } = stage
    const [sleeper, other] = tabs as [ChaosTab, ChaosTab]
    await freezeWithAnswer(stage, sleeper)
    const wakeAtMs = Date.now() + 2 * refreshTimeoutMs
    await expect.poll(() => Date.now(), { timeout: 3 * refreshTimeoutMs }).toBeGreaterThan(wakeAtMs)

    await sleeper.thaw()
    await quiet()
    await other.fire(2)
    await sleeper.fire(2)
    await quiet()
    await stage.expectAgreement()
    expect(server.counts).toMatchObject({ refreshes: 1, granted: 1, reuses: 0 })
  })

  it.for(['close', 'crash', 'leave', 'reload'] as const)(
    'when the refreshing tab is gone (%s), the next one refreshes at once',
    async (way, context) => {
      // Far longer than this test has: nobody is passed here.
      const stage = await setStage(context, { tabs: 3, refreshTimeoutMs: 60_000 })
      await loseHolder(stage, way)
    },
  )

  it('when a frozen refreshing tab is closed, the next one refreshes at once', async (context) => {
    const stage = await setStage(context, { tabs: 3, refreshTimeoutMs: 60_000 })
    await loseHolder(stage, 'close', (holder) => holder.freeze())
  })

  it('a tab that gets the lock while frozen blocks the others no longer than a refresh may take', async (context) => {
    const refreshTimeoutMs = 1000
    const stage = await setStage(context, { tabs: 4, refreshTimeoutMs })
    const { server, tabs, quiet } = stage
    const [holder, sleeper, ...others] = tabs as [ChaosTab, ChaosTab, ...ChaosTab[]]
    const held = server.holdRefresh({ first: 1 })
    stage.expire()
    await holder.fire(2)
    await held.waiting(1)
    await sleeper.fire(2)
    await expect.poll(async () => (await locksOf(holder)).pending.length).toBe(1)
    const [next] = (await locksOf(holder)).pending
    await sleeper.freeze()
    held.releaseAll()
    await quiet([holder])
    await expect.poll(async () => (await locksOf(holder)).held).toEqual([next])

    stage.expire()
    const beganMs = Date.now()
    for (const tab of others) await tab.fire(2)
    await quiet(others)
    // What a busy machine adds is far less than a second round of waiting.
    expect(Date.now() - beganMs).toBeLessThan(2 * (refreshTimeoutMs + MARGIN_MS))
    expect((await locksOf(holder)).held).toContain(next)

    await sleeper.thaw()
    await quiet()
    await stage.expectAnswers(tabs)
    await stage.expectAgreement()
    expect(server.counts).toMatchObject({ refreshes: 2, granted: 2, reuses: 0 })
  })

  it.for([
    ['that was notified', ['locks']],
    ['that was not notified', ['locks', 'hints']],
  ] as const)(
    'a refused refresh does not sign out a tab %s when another tab was faster',
    async ([, without], context) => {
      const stage = await setStage(context, { tabs: 2, refreshTimeoutMs: 10_000, without })
      const { server, tabs, quiet } = stage
      const [slow, fast] = tabs as [ChaosTab, ChaosTab]
      const held = server.holdRefresh({ first: 1 })
      stage.expire()
      await slow.fire(3)
      await held.waiting(1)
      await fast.fire(3)
      await quiet([fast])
      server.refresh.next(401)
      held.releaseAll()

      await quiet()
      await server.idle()
      await stage.expectAnswers(tabs)
      await stage.expectAgreement()
      expect((await slow.report()).adopted).toBe(1)
      expect(server.counts).toMatchObject({ refreshes: 2, granted: 1, reuses: 0 })
    },
  )
})

type Stage = ChaosStage

/** The refresh token is spent, and what came for it waits in a tab that sleeps. */
async function freezeWithAnswer({ server, expire }: Stage, sleeper: ChaosTab): Promise<void> {
  const held = server.holdRefresh({ at: 'answer', first: 1 })
  expire()
  await sleeper.fire(2)
  await held.waiting(1)
  await sleeper.freeze()
  held.releaseAll()
  await server.idle()
}

/** The one that refreshes is lost before the server has received it: nothing is spent, and the next must ask. */
async function loseHolder(
  stage: Stage,
  way: 'close' | 'crash' | 'leave' | 'reload',
  before?: (holder: ChaosTab) => Promise<void>,
): Promise<void> {
  const { server, tabs, quiet } = stage
  const [holder, ...others] = tabs as [ChaosTab, ...ChaosTab[]]
  const held = server.holdRefresh({ first: 1 })
  stage.expire()
  await holder.fire(2)
  await held.waiting(1)
  for (const tab of others) await tab.fire(2)
  await expect.poll(async () => (await locksOf(others[0])).pending.length).toBe(others.length)
  await before?.(holder)

  const beganMs = Date.now()
  await holder[way]()
  await quiet(others)
  expect(Date.now() - beganMs).toBeLessThan(5000)
  await stage.expectAnswers(others)
  await stage.expectAgreement()
  expect(server.counts).toMatchObject({ refreshes: 2, granted: 1, reuses: 0 })
}

/** Who holds the locks of this origin and who waits for them, each by the browser's own name for the tab. */
async function locksOf(tab: ChaosTab | undefined): Promise<{ held: string[]; pending: string[] }> {
  const found = await tab?.window.evaluate<LockManagerSnapshot>('navigator.locks.query()')
  // Not those that only say what was written: nobody waits for them.
  const clients = (locks: LockInfo[] = []) =>
    locks.filter(({ name }) => name?.includes(':refresh')).map(({ clientId }) => clientId ?? '')
  return { held: clients(found?.held), pending: clients(found?.pending) }
}
