// The kit's clock: for the client's `clock` option, for the server, or for both.

import { describe, expect, it, vi } from 'vitest'
import { createManualClock } from '../../src/testing/index.js'
import { startApp, startBackend } from './kit.js'

describe('createManualClock', () => {
  it('fires timers in order of due time, then of creation, each at its own moment', async () => {
    const clock = createManualClock(1_000)
    const fired: string[] = []
    const note = (name: string) => () => fired.push(`${name} at ${clock.nowMs()}`)
    clock.setTimer(note('late'), 30)
    clock.setTimer(note('first'), 10)
    clock.setTimer(note('second'), 10)
    clock.setTimer(note('never'), 31)
    expect(clock.nextInMs).toBe(10)
    await clock.advance(30)
    expect(fired).toEqual(['first at 1010', 'second at 1010', 'late at 1030'])
    expect([clock.pending, clock.nextInMs, clock.nowMs()]).toEqual([1, 1, 1_030])
  })

  it('fires a timer set by another timer in the same advance', async () => {
    const clock = createManualClock(0)
    const fired: number[] = []
    clock.setTimer(async () => {
      for (let step = 0; step < 50; step++) await undefined
      clock.setTimer(() => fired.push(clock.nowMs()), 5)
    }, 10)
    await clock.advance(15)
    expect(fired).toEqual([15])
  })

  it('fires nothing that was cancelled, and nothing on a jump', async () => {
    const clock = createManualClock(0)
    const fired: string[] = []
    const cancel = clock.setTimer(() => fired.push('cancelled'), 1)
    clock.setTimer(() => fired.push('slept through'), 1)
    cancel()
    expect(clock.pending).toBe(1)
    clock.jump(100)
    expect(fired).toEqual([])
    await clock.advance(0)
    expect(fired).toEqual(['slept through'])
    clock.jump(-50)
    expect(clock.nowMs()).toBe(50)
  })

  it('takes the longest timer that a real clock can have', () => {
    const clock = createManualClock(0)
    clock.setTimer(() => {}, 2 ** 31 - 1)
    expect(clock.nextInMs).toBe(2 ** 31 - 1)
  })

  it('moves by both of two advances that overlap', async () => {
    const clock = createManualClock(0)
    const fired: number[] = []
    for (const at of [10, 20, 30]) clock.setTimer(() => fired.push(clock.nowMs()), at)
    await Promise.all([clock.advance(15), clock.advance(30)])
    expect(fired).toEqual([10, 20, 30])
    expect(clock.nowMs()).toBe(45)
  })

  it('does not delay timers when it is set back, as real timers ignore the wall clock', async () => {
    const clock = createManualClock(0)
    await clock.advance(500)
    const fired = vi.fn()
    clock.setTimer(fired, 1000)
    clock.jump(-86_400_000)
    expect(clock.nextInMs).toBe(1000)
    await clock.advance(999)
    expect(fired).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(fired).toHaveBeenCalledTimes(1)
    expect(clock.nowMs()).toBe(1500 - 86_400_000)
  })

  it('can be advanced to the next timer, also to one that came due during a jump', async () => {
    const clock = createManualClock(0)
    const fired = vi.fn()
    clock.setTimer(fired, 10)
    clock.jump(50)
    await clock.advance(clock.nextInMs ?? Number.NaN)
    expect(fired).toHaveBeenCalledTimes(1)
    expect(clock.nowMs()).toBe(50)
  })

  it('refuses to go back by advancing, and timers that a real clock would fire at once', async () => {
    const clock = createManualClock()
    await expect(clock.advance(-1)).rejects.toThrow(/advance\(-1\): .* use jump\(\)/)
    await expect(clock.advance(Number.NaN)).rejects.toThrow('advance(NaN)')
    expect(() => clock.setTimer(() => {}, 2 ** 31)).toThrow('would fire at once')
    expect(() => clock.setTimer(() => {}, Number.NaN)).toThrow('would fire at once')
  })
})

describe('one clock for client and server', () => {
  it('lets a token expire on both sides, and the client refreshes it before the server rejects it', async () => {
    const clock = createManualClock()
    const backend = startBackend({ clock, accessLifetimeSeconds: 60 })
    const { api, auth } = startApp(backend, { clock })
    await auth.signIn(backend.login())
    await clock.advance(61_000)
    expect((await api.get('/me')).status).toBe(200)
    expect(backend.counts).toMatchObject({ refreshes: 1, served: 1, refused: 0 })
  })

  it('ends a cool-down without waiting', async () => {
    const clock = createManualClock()
    const backend = startBackend({ clock })
    const { api, auth } = startApp(backend, { clock, refreshRetry: { limit: 0 } })
    await auth.signIn(backend.login())
    backend.expireAccessTokens()
    backend.refresh.next('unavailable')
    await expect(api.get('/me')).rejects.toThrow()
    await expect(api.get('/me')).rejects.toThrow()
    expect(backend.counts.refreshes).toBe(1)
    await clock.advance(1_000)
    expect((await api.get('/me')).status).toBe(200)
    expect(backend.counts.refreshes).toBe(2)
  })
})
