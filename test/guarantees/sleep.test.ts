// G4: a process that is stopped, asleep or frozen for longer than a refresh may take reads the answer that has come
// meanwhile before it checks the time. Otherwise the grant is thrown away, and the spent token is sent next.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createWatchedClock,
  eventsOf,
  outcomesOf,
  setUp,
  startServer,
  tokensOf,
  untilHeld,
} from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { realMs } from '../support/real-time.js'
import { settleAll } from '../support/settle-all.js'
import { createHandStore, rotatedElsewhere } from '../support/stores.js'
import { createWatch } from '../support/watch.js'

const SLEEPER = fileURLToPath(new URL('../support/sleeper.ts', import.meta.url))

/** A client in a process of its own. */
async function startSleeper(adapter: string) {
  const server = await startServer()
  const { accessToken, refreshToken = '' } = tokensOf(server.login('ada'))
  server.killAccessTokens()
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', SLEEPER, server.url, adapter, accessToken, refreshToken],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  const watch = createWatch()
  const steps: Record<string, unknown>[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    steps.push(JSON.parse(line))
    watch.changed()
  })
  const find = (step: string) => steps.find((one) => one.step === step)
  return {
    server,
    child,
    steps,
    async until(step: string) {
      await watch.until(
        () => !!find(step),
        () => `the process says ${step}: ${JSON.stringify(steps)}`,
        8_000,
      )
      return find(step)
    },
  }
}

describe('G4: a process that is stopped past refreshTimeoutMs', () => {
  it.each(['http', 'fetch'])(
    'G4: reads the grant that waits in its socket when it wakes, with the %s adapter',
    async (adapter) => {
      const { server, child, until, steps } = await startSleeper(adapter)
      const hold = server.holdRefresh({ at: 'answer', first: 1 })
      await hold.waiting(1)
      child.kill('SIGSTOP')
      hold.releaseAll()
      // Its limit of 1 s is over, and more than late, when it wakes.
      await realMs(2_000)
      child.kill('SIGCONT')
      expect(await until('answered')).toMatchObject({ outcome: 'ada' })
      expect(await until('renewed')).toMatchObject({ outcome: 'signed-in' })
      expect(steps.filter(({ step }) => step === 'failed')).toEqual([])
      expect(server.counts).toMatchObject({ refreshes: 2, reuses: 0 })
    },
  )

  it('G4: gives an attempt its full time after being stopped in the pause before it', async () => {
    const { server, child, until } = await startSleeper('http')
    server.refresh.next(503)
    const hold = server.holdRefresh({ at: 'answer' })
    await hold.waiting(1)
    hold.release()
    // Stopped in the pause, or in the attempt after it: both are this test's kind.
    await realMs(20)
    child.kill('SIGSTOP')
    await realMs(2_000)
    child.kill('SIGCONT')
    await hold.waiting(1)
    await realMs(900)
    hold.releaseAll()
    expect(await until('answered')).toMatchObject({ outcome: 'ada' })
    expect(server.counts).toMatchObject({ reuses: 0 })
  })
})

describe('G4: the time limit of a refresh', () => {
  it('G4: is extended for a moment when its timer fires late, and accepts what arrives then', async () => {
    const hand = createHandRefresh()
    const { auth, clock, server, events } = await setUp({ refresh: hand.refresh })
    const refreshed = settleAll([auth.refresh()])
    const call = await hand.call(1)
    clock.jump(60_000)
    await clock.advance(0)
    call.answer(tokensOf(server.login()))
    expect(outcomesOf(await refreshed)).toEqual(['ok'])
    expect(eventsOf(events, 'refreshFailed')).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('G11: ends when nothing arrives in that moment either', async () => {
    const hand = createHandRefresh()
    const { auth, clock } = await setUp({ refresh: hand.refresh })
    const refreshed = settleAll([auth.refresh()])
    const call = await hand.call(1)
    clock.jump(60_000)
    await clock.advance(1_000)
    expect(outcomesOf(await refreshed)).toEqual(['REFRESH_TIMEOUT'])
    expect(call.context.signal.aborted).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('G11: ends where every timer fires late, as in a throttled page', async () => {
    const hand = createHandRefresh()
    const { auth, clock } = await setUp({ refresh: hand.refresh })
    const refreshed = settleAll([auth.refresh()])
    await hand.call(1)
    for (let i = 0; i < 2; i++) {
      clock.jump(60_000)
      await clock.advance(0)
    }
    expect(outcomesOf(await refreshed)).toEqual(['REFRESH_TIMEOUT'])
  })

  it('G11: is not extended when its timer fires slightly late', async () => {
    const hand = createHandRefresh()
    const { auth, clock } = await setUp({ refresh: hand.refresh })
    const refreshed = settleAll([auth.refresh()])
    await hand.call(1)
    clock.jump(15_400)
    await clock.advance(0)
    expect(outcomesOf(await refreshed)).toEqual(['REFRESH_TIMEOUT'])
  })

  it('G4: starts again for the attempt after a pause that was slept through', async () => {
    const hand = createHandRefresh()
    const { auth, clock, server } = await setUp({ refresh: hand.refresh })
    const refreshed = settleAll([auth.refresh()])
    ;(await hand.call(1)).fail(new Error('network down'))
    await clock.until(() => clock.pending === 2)
    // Not past the limit: it would have cut the next attempt after one second.
    clock.jump(14_000)
    await clock.advance(0)
    const second = await hand.call(2)
    await clock.advance(10_000)
    second.answer(tokensOf(server.login()))
    expect(outcomesOf(await refreshed)).toEqual(['ok'])
  })

  it('G11: is checked by requests that join, where the runtime has dropped its timer', async () => {
    const hand = createHandRefresh()
    const { api, auth, clock, server } = await setUp({ refresh: hand.refresh })
    const lost = createLossyTimers(clock)
    server.killAccessTokens()
    const first = settleAll([api.get('/api/first')])
    await hand.call(1)
    lost.dropAll()
    clock.jump(60_000)
    const later = settleAll<unknown>([api.get('/api/second'), auth.refresh(), auth.getAccessToken()])
    await clock.until(() => clock.pending > 0)
    await clock.advance(1_000)
    expect(outcomesOf(await first)).toEqual(['REFRESH_TIMEOUT'])
    expect(outcomesOf(await later)).toEqual(Array(3).fill('REFRESH_TIMEOUT'))
    // Nothing stands in the way of the next one.
    await clock.advance(2_000)
    const again = auth.refresh()
    ;(await hand.call(2)).answer(tokensOf(server.login()))
    await again
    expect((await api.get('/api/third')).status).toBe(200)
  })
})

describe('G15: a store call that continues after the event that started it has ended, with its timer dropped', () => {
  it('G15: does not block later calls for ever', async () => {
    const clock = createWatchedClock()
    const timers = createLossyTimers(clock)
    const store = createHandStore()
    store.hold('load')
    const { auth, api } = await setUp({ store, clock, signedIn: false })
    await store.waiting('load')
    timers.dropAll()
    clock.jump(60_000)
    const request = settleAll([api.get('/public/x')])
    await untilHeld(auth, 1)
    await clock.advance(1_000)
    expect(outcomesOf(await request)).toEqual(['ok'])
    await auth.signIn({ accessToken: 'a' })
    store.hold('save')
    const updated = settleAll([auth.updateTokens({ accessToken: 'b' })])
    await store.waiting('save')
    timers.dropAll()
    clock.jump(60_000)
    const signedOut = settleAll([auth.signOut()])
    await clock.advance(1_000)
    expect(outcomesOf(await signedOut)).toEqual(['ok'])
    expect(outcomesOf(await updated)).toEqual(['ok'])
  })
})

describe('G4: a tab that was frozen while its refresh read an asynchronous store', () => {
  it('G4: reads what another tab has stored before it refreshes', async () => {
    const store = createHandStore()
    const hand = createHandRefresh()
    const { auth, clock } = await setUp({ store, refresh: hand.refresh })
    store.hold('load')
    const refreshed = settleAll([auth.refresh()])
    const look = await store.waiting('load')
    clock.jump(60_000)
    await clock.advance(0)
    rotatedElsewhere(store, { accessToken: 'of-another-tab', refreshToken: 'of-another-tab-too' })
    look.release()
    expect(outcomesOf(await refreshed)).toEqual(['ok'])
    expect(hand.calls).toEqual([])
    expect(await auth.getAccessToken()).toBe('of-another-tab')
  })
})

/** workerd drops the timers of an event that has ended. */
function createLossyTimers(clock: { setTimer: (callback: () => void, delayMs: number) => () => void }) {
  const cancels = new Set<() => void>()
  const { setTimer } = clock
  clock.setTimer = (callback, delayMs) => {
    const cancel = setTimer(callback, delayMs)
    cancels.add(cancel)
    return cancel
  }
  return {
    dropAll() {
      for (const cancel of cancels) cancel()
    },
  }
}
