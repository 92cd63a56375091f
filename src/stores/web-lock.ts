// One refresh for all tabs of a browser, by Web Locks. Knows no tokens and no store: it only decides whose turn it is.
// Promise: work is done once, and never waits for a tab that is gone or asleep longer than the time it is given.
import { badOption } from '../checks.js'
import { AuthClientError } from '../errors.js'
import {
  createLockQuery,
  findLocks,
  holderOf,
  type LockQuery,
  requestLock,
  watchHolder,
  whilePageStays,
} from './lock-holders.js'
import type { Exclusively, Turn } from './store.js'
import { createTurns } from './turns.js'

/**
 * An `exclusively` for a store of your own whose tabs share a place: `{ load, save, clear, exclusively: webLock('my-app') }`.
 * It takes the Web Locks `<name>:refresh` and `<name>:refresh:2`. One holder is waited for as long as a refresh may take;
 * one that takes longer is frozen or gone, and is passed. Where there are no Web Locks (insecure origins), only the clients
 * of this page take turns, and the look into the store before a refresh is the guard.
 * @param name names the locks; the same in every tab, and another one for another session
 * @throws {AuthClientError} code `BAD_OPTION` without a name. What it returns rejects with `REFRESH_TIMEOUT` when other tabs
 * had their turns for twice that time, and brought nothing.
 */
export function webLock(name: string): Exclusively {
  if (typeof name !== 'string' || !name) throw badOption('webLock', 'a name', name)
  const takeTurn = takeLocks(name, createLockQuery())
  return (work, turn) => takeTurn(async () => work(), turn)
}

/** `isHeld`: under a lock, and not because there was none to be had. */
type LockedWork<T> = (isHeld: boolean) => Promise<T>

/**
 * Those who give up on a holder take the next lock the same way, so that they do not race each other. Nothing is stolen:
 * the work of a robbed holder would go on all the same.
 */
export function takeLocks(
  name: string,
  query: LockQuery,
): <T>(work: LockedWork<T>, turn: Turn) => Promise<T> {
  const chain = [`${name}:refresh`, `${name}:refresh:2`]
  /** Who was passed, by lock: while they hold it, it is not waited for again. */
  const passed = new Map<string, string>()
  /** This tab has held a lock for so long that it was passed: others may still go by the next lock while it has its turn. */
  let wasPassed = false
  const inPage = createTurns()
  return (work, turn) => takeTurn(work, turn, chain)

  async function takeTurn<T>(work: LockedWork<T>, turn: Turn, [lock, ...further]: string[]): Promise<T> {
    const { clock, signal, timeoutMs } = turn
    const locks = findLocks()
    if (!locks) return inPage(() => work(false), turn)
    if (lock === undefined || signal.aborted) return work(false)
    const held = () => query(locks, clock)
    const before = passed.get(lock)
    const next = () => takeTurn(work, turn, further)
    if (before !== undefined) {
      if (holderOf(lock, await held()) === before) return next()
      passed.delete(lock)
    }
    return new Promise<T>((resolve, reject) =>
      waitForLock(locks, lock, held, turn, {
        async granted() {
          const sinceMs = clock.nowMs()
          // Who was passed once has both locks: those who take this tab for frozen still have the other one.
          const result = wasPassed && further.length ? next() : work(true)
          resolve(result)
          await result.catch(() => {})
          wasPassed ||= clock.nowMs() - sinceMs >= timeoutMs
        },
        passed(holder) {
          passed.set(lock, holder)
          resolve(next())
        },
        unguarded: () => resolve(work(false)),
        failed: reject,
      }),
    )
  }
}

/** How the wait for a lock ends: in one of these ways, and once. */
interface Ending {
  /** It is ours until this settles. */
  granted(): Promise<void>
  /** Its holder has had it for too long. */
  passed(holder: string): void
  /** These locks do not work; or nothing is left to do. */
  unguarded(): void
  failed(error: AuthClientError): void
}

function waitForLock(
  locks: LockManager,
  lock: string,
  held: () => Promise<LockInfo[] | undefined>,
  { signal, timeoutMs, clock }: Turn,
  ending: Ending,
): void {
  const wait = new AbortController()
  let isDecided = false
  let stopWatching = () => {}
  /** Whether this is the first that decides how the wait ends: locks may call back twice, or when it is over. */
  const decide = () => {
    if (isDecided) return false
    stopWatching()
    signal.removeEventListener('abort', goOn)
    return (isDecided = true)
  }
  const leave = (next: () => void) => {
    if (!decide()) return
    next()
    wait.abort()
  }
  const goOn = () => leave(ending.unguarded)
  signal.addEventListener('abort', goOn)
  stopWatching = watchHolder({
    lock,
    held,
    clock,
    timeoutMs,
    giveUpOn(holder) {
      // Nobody holds it, as far as it is known, and it was not to be had: these locks do not work.
      if (holder === undefined) goOn()
      else leave(() => ending.passed(holder))
    },
    giveUpOnAll() {
      const message = 'Other tabs try to refresh, and get no answer.'
      leave(() => ending.failed(new AuthClientError('REFRESH_TIMEOUT', message)))
    },
  })
  const granted = async () => {
    if (decide()) await whilePageStays(ending.granted())
  }
  // Refused at once in an opaque origin or with blocked storage; or settled though nothing was granted.
  requestLock(locks, lock, { signal: wait.signal }, granted).then(goOn, goOn)
}
