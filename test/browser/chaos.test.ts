// Tabs that are opened, closed, reloaded, crashed, frozen and thawed while they share one refresh after the
// other, in real Chromium. The random ones print their seed; `CHAOS_SEED=… npm run test:browser` runs that plan again.
// Promise: every tab that stays open gets its answers, and no tab is signed out because another one crashed, as far as
// the server forgives it.
import { expect, it } from 'vitest'
import type { AuthServer } from '../support/auth-server.js'
import { createPlan } from './chaos-plan.js'
import { runPlan } from './chaos-run.js'
import { type ChaosTab, inChromium } from './chaos-stage.js'

const { CHAOS_SEED } = process.env
const SEEDS = CHAOS_SEED ? [Number(CHAOS_SEED)] : [8, 9, Math.floor(Math.random() * 2 ** 32)]
const STEPS = 45

inChromium('tabs that come and go', (setStage) => {
  it.for(SEEDS)(
    'nobody is signed out and every request is answered (seed %i)',
    { timeout: 120_000 },
    async (seed, context) => {
      const stage = await setStage(context, {
        tabs: 6,
        refreshTimeoutMs: 2000,
        server: { graceMs: 10_000, graceAnswer: 'successor' },
      })
      const { server, tabs } = stage

      const explained = await runPlan(stage, createPlan(seed, STEPS))

      await stage.expectAnswers(tabs)
      await stage.expectAgreement()
      expect(server.counts.reuses).toBe(0)
      expect(server.counts.refreshes).toBeLessThanOrEqual(explained.refreshes)
    },
  )

  it.for(SEEDS)(
    'without a grace time, every request settles and each session ends at most once (seed %i)',
    { timeout: 120_000 },
    async (seed, context) => {
      const stage = await setStage(context, { tabs: 6, refreshTimeoutMs: 2000 })
      const { server, tabs } = stage

      const explained = await runPlan(stage, createPlan(seed, STEPS))

      const { reuses, refreshes } = server.counts
      expect(refreshes).toBeLessThanOrEqual(explained.refreshes)
      if (reuses === 0) {
        await stage.expectAnswers(tabs)
        await stage.expectAgreement()
        return
      }
      // A crashed tab took the only valid token with it, and the next one that refreshed has ended the session.
      expect(reuses).toBe(1)
      for (const tab of tabs) {
        await expectSignedOut(server, tab)
        const { ends, outcomes } = await tab.report()
        const codes = new Set(outcomes.map(({ status, code }) => (status === 200 ? 200 : code)))
        // Answered before; rejected with the reason; and requests made while signed out are sent without a token.
        expect([200, 'SESSION_EXPIRED', undefined]).toEqual(expect.arrayContaining([...codes]))
        // A page that was loaded afterwards has never seen the session.
        expect([[], [EXPIRED]]).toContainEqual(ends)
      }
    },
  )

  it.for(['close', 'crash', 'leave', 'reload'] as const)(
    'without a grace time, a tab that crashes with the new tokens (%s) costs each other tab one SESSION_EXPIRED',
    async (way, context) => {
      const stage = await setStage(context, { tabs: 4, refreshTimeoutMs: 2000 })
      const { server, tabs, quiet } = stage
      const [asker, ...others] = tabs as [ChaosTab, ...ChaosTab[]]
      const held = server.holdRefresh({ at: 'answer', first: 1 })
      stage.expire()
      await asker.fire(3)
      await held.waiting(1)
      for (const tab of others) await tab.fire(3)
      await asker[way]()
      // Spent at the server, and nobody has read the successor: a tab is closed for the browser before its connection is,
      // and what arrives until then may still be saved. One that has left sleeps in the back/forward cache with its own.
      if (way !== 'leave') await held.deserted(1)
      held.releaseAll()
      await quiet(others)

      for (const tab of others) {
        await expectSignedOut(server, tab)
        const { ends, outcomes } = await tab.report()
        expect({ codes: outcomes.map(({ code }) => code), ends }).toEqual({
          codes: Array(3).fill('SESSION_EXPIRED'),
          ends: [EXPIRED],
        })
      }
      expect(server.counts).toMatchObject({ refreshes: 2, granted: 1, reuses: 1 })
      // It stays at that: who asks now is simply nobody.
      for (const tab of others) await tab.fire(1)
      await quiet(others)
      expect(server.counts.refreshes).toBe(2)
    },
  )

  it('without a grace time, no tab sends a closing tab’s token before that tab is gone', async (context) => {
    const stage = await setStage(context, { tabs: 3, refreshTimeoutMs: 2000 })
    const { server, tabs, quiet } = stage
    const [asker, ...others] = tabs as [ChaosTab, ...ChaosTab[]]
    await asker.window.evaluate(LINGER)
    const held = server.holdRefresh({ at: 'answer', first: 1 })
    stage.expire()
    await asker.fire(1)
    await held.waiting(1)
    for (const tab of others) await tab.fire(1)
    await asker.close()
    await held.deserted(1)
    await quiet(others)

    const aliveUntilMs = () => (others[0] as ChaosTab).window.evaluate<number>('+localStorage.aliveAtMs')
    await expect.poll(aliveUntilMs).toBeGreaterThan(0)
    const [, next] = server.requestsTo('/auth/refresh')
    expect(next?.atMs).toBeGreaterThanOrEqual((await aliveUntilMs()) + server.clock.nowMs - Date.now())
    expect(server.counts.refreshes).toBe(2)
  })

  it('a tab that was frozen when its session ended reports the reason when it wakes', async (context) => {
    const stage = await setStage(context, { tabs: 2, refreshTimeoutMs: 2000 })
    const { server, tabs, quiet } = stage
    const [sleeper, asker] = tabs as [ChaosTab, ChaosTab]
    await sleeper.freeze()
    server.revoke()
    await asker.fire(2)
    await quiet([asker])
    await sleeper.thaw()

    await expect.poll(async () => (await sleeper.report()).status).toBe('signed-out')
    for (const tab of tabs) expect((await tab.report()).ends).toEqual([EXPIRED])
    expect(server.counts.refreshes).toBe(1)
  })
})

/** The last event of a page takes its time, and says how long the page was there. */
const LINGER = `addEventListener('pagehide', () => {
  const endMs = Date.now() + 150
  while (Date.now() < endMs) localStorage.aliveAtMs = Date.now()
})`

const EXPIRED = { reason: 'refused', code: 'SESSION_EXPIRED' }

async function expectSignedOut(server: AuthServer, { name, report }: ChaosTab): Promise<void> {
  const { status, pending, stored } = await report()
  const kept = server.issuedTokens().filter((token) => stored?.includes(token))
  expect({ name, status, pending, kept }).toEqual({ name, status: 'signed-out', pending: 0, kept: [] })
}
