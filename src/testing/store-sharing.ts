// The scenarios of those who share a store: their turns, and the notifications they get of each other.
import type { TokenStore } from '../index.js'
import { createManualClock } from './manual-clock.js'
import { createWatch, nextTask } from './real-time.js'
import { copy, expect, failureOf, inTime, settled, TIME_LIMIT_MS } from './store-expectations.js'
import { RECORD, type Scenarios } from './store-records.js'

/** Long enough for a store that measures it by a clock of its own, short enough to wait for. */
const TIMEOUT_MS = 100

export function turns(unguarded: boolean): Scenarios {
  return {
    'runs work once, and settles as it does': withTurns(async ([store]) => {
      let runs = 0
      const count = async () => ++runs
      expect((await store.take(count)) === 1 && runs === 1, 'what the work resolved with', runs)
      const failure = new Error('its own fault')
      const fail = () => Promise.reject(failure)
      expect((await failureOf(store.take(fail))) === failure, 'what the work rejected with', 'something else')
    }),
    'runs one at a time, in whichever store': withTurns(async (stores) => {
      let [inside, most] = [0, 0]
      const work = async () => {
        most = Math.max(most, ++inside)
        for (let tasks = 0; tasks < 3; tasks++) await nextTask()
        inside--
      }
      await inTime(Promise.all([...stores, ...stores].map((store) => store.take(work))), 'turns for all')
      expect(most === 1, 'one at a time', most)
    }),
    'gives the turn on when work has thrown': withTurns(async ([store, other]) => {
      await failureOf(store.take(() => Promise.reject(new Error('its own fault'))))
      await inTime(
        other.take(async () => {}),
        'a turn',
      )
    }),
    'ends the wait of whoever does not wait any more': withTurns(async ([store, other]) => {
      const holder = await hold(store)
      const controller = new AbortController()
      const waiting = settled(other.take(async () => {}, { signal: controller.signal, timeoutMs: 60_000 }))
      const early = settled(other.take(async () => {}, { signal: AbortSignal.abort(), timeoutMs: 60_000 }))
      controller.abort()
      await inTime(Promise.all([waiting, early]), 'the end of the wait')
      await holder.end()
    }),
    [unguarded
      ? 'runs work all the same when there was no turn in time'
      : 'rejects without running work when there was no turn in time']: withTurns(async ([store, other]) => {
      const holder = await hold(store)
      let runs = 0
      const clock = createManualClock()
      const turn = { signal: new AbortController().signal, timeoutMs: TIMEOUT_MS, clock }
      const outcome = settled(other.take(async () => void runs++, turn))
      for (let steps = 0; steps < 20; steps++) await clock.advance(TIMEOUT_MS / 10)
      expect(
        (await inTime(outcome, 'an end of the wait')) === (unguarded ? 'fulfilled' : 'rejected'),
        'that',
        runs,
      )
      await holder.end()
      await nextTask()
      expect(runs === (unguarded ? 1 : 0), `work to be run ${unguarded ? 'once' : 'never'}`, runs)
    }),
  }
}

export const news: Scenarios = Object.freeze({
  'calls the listener of one who is open when another writes': async (open) => {
    const [listeners, stops] = await listen([open(), open()])
    if (!listeners) return
    const [, other] = listeners.stores
    for (const write of [() => other?.save(copy(RECORD)), () => other?.clear()]) {
      const before = listeners.counts[0] ?? 0
      await write()
      await listeners.until(() => (listeners.counts[0] ?? 0) > before)
    }
    for (const stop of stops) stop()
  },
  'calls no listener that has unsubscribed, twice without harm': async (open) => {
    const [listeners, stops] = await listen([open(), open(), open()])
    if (!listeners) return
    stops[0]?.()
    stops[0]?.()
    await listeners.stores[1]?.save(copy(RECORD))
    await listeners.until(() => (listeners.counts[2] ?? 0) > 0)
    await nextTask()
    expect(listeners.counts[0] === 0, 'no call after unsubscribing', listeners.counts[0])
    for (const stop of stops) stop()
  },
})

/** Subscribes to each, as clients do. `undefined` where that cannot be had. */
async function listen(stores: TokenStore[]) {
  const counts = stores.map(() => 0)
  const watch = createWatch()
  const stops: (() => void)[] = []
  for (const [index, store] of stores.entries()) {
    const stop = await store.subscribe?.(() => {
      counts[index] = (counts[index] ?? 0) + 1
      watch.changed()
    })
    if (!store.subscribe) return [undefined, stops] as const
    expect(typeof stop === 'function', 'a function that unsubscribes', stop)
    stops.push(stop as () => void)
  }
  const until = (condition: () => boolean) =>
    watch.until(
      condition,
      TIME_LIMIT_MS,
      () => `The store: expected the listener to be called within ${TIME_LIMIT_MS} ms.`,
    )
  return [{ stores, counts, until }, stops] as const
}

interface TakesTurns {
  take<T>(work: () => Promise<T>, turn?: Partial<Turn>): Promise<T>
}

type Turn = Parameters<NonNullable<TokenStore['exclusively']>>[1]

/** Two of a store that has turns; one without has nothing to show. */
function withTurns(run: (stores: [TakesTurns, TakesTurns]) => Promise<void>): Scenarios[string] {
  return async (open) => {
    const [one, other] = [open(), open()].map((store) => ({
      take<T>(work: () => Promise<T>, turn: Partial<Turn> = {}): Promise<T> {
        const {
          signal = new AbortController().signal,
          timeoutMs = 60_000,
          clock = createManualClock(),
        } = turn
        return store.exclusively?.(work, { signal, timeoutMs, clock }) as Promise<T>
      },
      has: !!store.exclusively,
    }))
    if (one?.has && other) await run([one, other])
  }
}

/** Somebody has a turn, until it is ended. */
async function hold(store: TakesTurns) {
  let end = () => {}
  const done = new Promise<void>((resolve) => {
    end = resolve
  })
  let ended: Promise<void> = done
  await inTime(
    new Promise<void>((begun) => {
      ended = store.take(() => {
        begun()
        return done
      })
    }),
    'a turn',
  )
  return {
    end() {
      end()
      return inTime(ended, 'the end of a turn')
    },
  }
}
