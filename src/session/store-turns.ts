// What a store does beside keeping a record: turns and news. Knows no session.
// Promise: neither rejects with what is not the work's own, and no listener is called after unsubscribing.
import { isThenable } from '../events.js'
import type { Exclusively, TokenStore, Turn } from '../stores/store.js'
import { ignore } from './store-calls.js'

// Registered: another copy of this package may be what comes next. On the store, because there is no state in modules.
const LANDING = Symbol.for('axios-auth-client.landing')

/**
 * For the client that comes next on a store without turns: a refresh of the one before it, which was disposed of, may still
 * be on its way there.
 */
export function announceLanding(store: TokenStore, landing: Promise<void> | undefined): void {
  if (!store.exclusively) Reflect.defineProperty(store, LANDING, { value: landing, configurable: true })
}

/**
 * Runs work when it is this client's turn, and once whatever the store does. A client that has the turn already need not
 * wait: that is for a refresh which it has abandoned. The turn is over when both are.
 */
export function createTurnTaker(store: TokenStore): Exclusively {
  const running = new Set<Promise<unknown>>()
  return (work, turn) =>
    new Promise((resolve, reject) => {
      let hasRun = false
      const run = () => {
        if (hasRun) return
        hasRun = true
        const result = work()
        const done: Promise<unknown> = result.then(ignore, ignore).then(() => running.delete(done))
        running.add(done)
        resolve(result)
      }
      if (running.size) return run()
      const runInTurn = async () => {
        run()
        while (running.size) await Promise.all(running)
      }
      takeTurn(store, runInTurn, turn).catch(reject)
    })
}

function takeTurn<T>(
  store: TokenStore & { [LANDING]?: Promise<void> | undefined },
  work: () => Promise<T>,
  turn: Turn,
): Promise<T> {
  if (store.exclusively) return store.exclusively(work, turn)
  const landing = store[LANDING]
  if (!landing) return work()
  const givenUp = new Promise<void>((resolve) => turn.signal.addEventListener('abort', () => resolve()))
  return Promise.race([landing, givenUp]).then(work)
}

/** Returns what unsubscribes, also where the store has not said yet how. */
export function subscribeTo(
  store: TokenStore,
  listener: () => void,
  onError: (error: unknown) => void,
): () => void {
  let stop: unknown
  let isOver = false
  const end = () => {
    if (typeof stop === 'function') stop()
  }
  try {
    const answer: unknown = store.subscribe?.(listener)
    if (isThenable(answer)) {
      const begun = (late: unknown) => {
        stop = late
        if (isOver) end()
        // What happened until now was not announced here.
        else listener()
      }
      Promise.resolve(answer).then(begun).catch(onError)
    } else stop = answer
  } catch (error) {
    onError(error)
  }
  return () => {
    isOver = true
    end()
  }
}
