// Turns among the tabs that share a storage, where a lock can arrive before what was written under it. Measured in Chromium:
// localStorage is behind by more than 100 ms on a busy machine. Whoever has written in their turn announces that by the
// name of a lock that nobody waits for: locks come and go in one order for all tabs, so whoever has the next turn sees it.
// Promise: a refresh begins when its tab sees what others have announced, or after 2 s; an announcement lasts 5 s at most.
import { type Clock, setLimit } from '../clock.js'
import { deferred } from '../wait.js'
import { createLockQuery, findLocks, type LockQuery, requestLock, whilePageStays } from './lock-holders.js'
import type { Exclusively, StoredRecord, TokenStore, Turn, Unsubscribe } from './store.js'
import { takeLocks } from './web-lock.js'

/** How long a tab that has its turn waits for what others have written. */
const CATCH_UP_MS = 2000

/** How long an announcement stays. Firefox keeps a page that holds a lock out of its back/forward cache. */
const ANNOUNCED_MS = 5000

/** A store that answers at once. */
export interface TabStore extends TokenStore {
  subscribe(listener: () => void): Unsubscribe
}

/** The store, with turns among all tabs that use `name`. */
export function announceCommits(name: string, store: TabStore): TabStore & { exclusively: Exclusively } {
  const query = createLockQuery()
  const takeTurn = takeLocks(name, query)
  const announcements = createAnnouncements(`${name}:written:`, query)
  /** What this store has written in its turn: a session id and a version. */
  let written: string | undefined
  let hasFailed = false
  return {
    load: () => store.load(),
    save(record, options) {
      written = undefined
      hasFailed = true
      const answer = store.save(record, options)
      hasFailed = false
      if (answer !== false) written = `${record.sessionId} ${record.version}`
      return answer
    },
    clear(reason, options) {
      const { sessionId } = peek(store) ?? {}
      const answer = store.clear(reason, options)
      // What only makes room after a failed write is no end of the session.
      if (sessionId && answer !== false && (reason || !hasFailed)) written = `${sessionId} Infinity`
      return answer
    },
    subscribe(listener) {
      const stop = store.subscribe(listener)
      const leave = announcements.join()
      return () => {
        stop()
        leave()
      }
    },
    exclusively: (work, turn) =>
      new Promise((resolve, reject) => {
        const run = async (isHeld: boolean) => {
          if (isHeld) await catchUp(store, await announcements.read(turn.clock), turn)
          written = undefined
          hasFailed = false
          const result = work()
          resolve(result)
          await result.catch(() => {})
          // The next tab gets its turn after that, and nobody here waits for it.
          if (isHeld && written) await announcements.make(written, turn.clock)
        }
        takeTurn(run, turn).catch(reject)
      }),
  }
}

/** Waits until the store shows what was announced. What its news leave to do is nothing: then `signal` ends the wait. */
async function catchUp(store: TabStore, announced: string[], { signal, clock }: Turn): Promise<void> {
  if (signal.aborted || announced.every((written) => hasCaughtUp(store, written))) return
  await new Promise<void>((resolve) => {
    const end = () => {
      cancel()
      resolve()
    }
    const cancel = setLimit(clock, end, CATCH_UP_MS)
    signal.addEventListener('abort', end)
  })
}

function hasCaughtUp(store: TabStore, written: string): boolean {
  const [id, version] = written.split(' ')
  const { sessionId, version: seen = 0 } = peek(store) ?? {}
  return sessionId !== id || seen >= Number(version)
}

/** Hints only: nothing of it is used but the two fields that are compared. */
function peek(store: TabStore): Partial<StoredRecord> | undefined {
  try {
    return Object(store.load() ?? {})
  } catch {
    return undefined
  }
}

interface Announcements {
  /** What all tabs have announced. */
  read(clock: Clock): Promise<string[]>
  /** Settles when everybody can see it. */
  make(written: string, clock: Clock): Promise<void>
  /** Somebody uses the store, until they call what this returns. Nothing is announced for nobody. */
  join(): () => void
}

function createAnnouncements(prefix: string, query: LockQuery): Announcements {
  let withdraw = () => {}
  const users = new Set<object>()
  return {
    async read(clock) {
      const locks = findLocks()
      const held = (locks && (await query(locks, clock))) ?? []
      return held.flatMap(({ name }) => name?.split(prefix)[1]?.split('/')[0] ?? [])
    },
    make: (written, clock) =>
      new Promise((resolve) => {
        const locks = findLocks()
        if (!locks || !users.size) return resolve()
        const made = () => {
          cancel()
          resolve()
        }
        const cancel = setLimit(clock, made, CATCH_UP_MS)
        // A name of its own, should two tabs have written the same.
        const name = `${prefix}${written}/${Math.random()}`
        requestLock(locks, name, {}, async () => {
          made()
          withdraw()
          if (!users.size) return
          const { promise, resolve: end } = deferred()
          const stopTimer = clock.setTimer(end, ANNOUNCED_MS)
          withdraw = end
          await whilePageStays(promise)
          stopTimer()
        }).then(made, made)
      }),
    join() {
      const user = {}
      users.add(user)
      return () => {
        users.delete(user)
        if (!users.size) withdraw()
      }
    },
  }
}
