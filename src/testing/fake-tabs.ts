// Owns the tabs of one browser in one process: what they share is a storage, its news, and locks. Knows no client.
// Promise: a tab is notified of others' writes one task later, as in a browser, and never of its own.
import type { SessionRecord, StoredRecord, TokenStore, Turn, WriteOptions } from '../index.js'
import { nextTask } from './real-time.js'
import { isSame } from './same.js'

/** Several tabs in one process: see {@link createFakeTabs}. */
export interface FakeTabs {
  /** The shared storage as one more tab sees it: pass each result to one client, as its `store`. */
  openTab(): TokenStore
  /** What is stored now; `undefined` when nobody is signed in. */
  readonly stored: SessionRecord | undefined
  /** Empties the storage behind the clients' backs, as "clear site data" does; the tabs are notified. */
  clearStorage(): void
  /** Resolves when every tab has been notified of what happened so far, and has done what needs no network. */
  settled(): Promise<void>
  /** The browser's locks: exclusive ones, first come first served. The tabs refresh one at a time by `<name>:refresh`. */
  readonly locks: LockManager
  /**
   * Puts `locks` in the place of `navigator.locks`, for stores that take turns by Web Locks (`localStorageStore`,
   * `webLock`); returns what takes them away again. The tabs of `openTab` need it not.
   */
  installLocks(): () => void
}

interface Tab {
  listeners: Set<() => void>
}

/**
 * Makes the tabs of one browser: `createAuthClient(api, { store: tabs.openTab() })`, once per tab, each with an axios
 * instance of its own.
 * @param name names the lock by which the tabs take turns; default 'fake-tabs'
 */
export function createFakeTabs(name = 'fake-tabs'): FakeTabs {
  const tabs = new Set<Tab>()
  const locks = createFakeLocks()
  /** As text, like a real storage: no tab can reach into another's objects. */
  let stored: string | undefined
  let news: Promise<unknown> = Promise.resolve()

  const read = (): unknown => (stored === undefined ? undefined : JSON.parse(stored))

  function write(text: string | undefined, writer?: Tab): void {
    if (stored === text) return
    stored = text
    const delivered = nextTask().then(() => {
      for (const tab of tabs) if (tab !== writer) for (const listener of [...tab.listeners]) listener()
    })
    news = Promise.all([news, delivered])
  }

  return {
    openTab() {
      const tab: Tab = { listeners: new Set() }
      tabs.add(tab)
      return {
        load: read,
        save: (record, options) => mayReplace(read(), options) && write(JSON.stringify(record), tab),
        // A reason stays, for whoever loads next.
        clear: (reason, options) =>
          mayReplace(read(), options) && write(reason && JSON.stringify(reason), tab),
        subscribe(listener) {
          tab.listeners.add(listener)
          return () => void tab.listeners.delete(listener)
        },
        exclusively: (work, turn) => takeTurn(locks, `${name}:refresh`, work, turn),
      }
    },
    get stored() {
      const found = read() as StoredRecord | undefined
      return found?.tokens ? found : undefined
    },
    clearStorage: () => write(undefined),
    async settled() {
      let settledNews: unknown
      // What a tab does about the news may be news to the others.
      while (settledNews !== news) {
        settledNews = news
        await settledNews
        await nextTask()
      }
    },
    locks,
    installLocks: () => install(locks),
  }
}

/** Whether the storage holds just what a write is to replace. */
function mayReplace(held: unknown, { replaces }: WriteOptions = {}): boolean {
  if (replaces === undefined) return true
  const there = typeof held === 'object' ? (held ?? null) : null
  return isSame(there, replaces)
}

/** When the time is over, nothing is run; when nobody waits any more, `work` has nothing left to do. */
function takeTurn<T>(
  locks: LockManager,
  lock: string,
  work: () => Promise<T>,
  { signal, timeoutMs, clock }: Turn,
): Promise<T> {
  if (signal.aborted) return work()
  return new Promise((resolve, reject) => {
    const wait = new AbortController()
    const leave = () => {
      cancel()
      signal.removeEventListener('abort', giveUp)
    }
    const giveUp = () => {
      leave()
      wait.abort()
      resolve(work())
    }
    const cancel = clock.setTimer(() => {
      leave()
      wait.abort()
      reject(new Error(`The lock ${lock} was not to be had within ${timeoutMs} ms.`))
    }, timeoutMs)
    signal.addEventListener('abort', giveUp)
    const granted = async () => {
      leave()
      const result = work()
      resolve(result)
      await result.catch(() => {})
    }
    locks.request(lock, { signal: wait.signal }, granted).catch(() => {})
  })
}

type Work = (lock: Lock) => unknown

function createFakeLocks(): LockManager {
  const queues = new Map<string, Promise<unknown>>()
  const held = new Map<string, LockInfo>()
  const pending = new Set<LockInfo>()
  let turns = 0

  async function request(name: string, ...rest: [LockOptions, Work] | [Work]): Promise<unknown> {
    const [{ signal, ...special }, work] = rest.length === 2 ? rest : [{} as LockOptions, rest[0]]
    if (special.steal || special.ifAvailable || special.mode === 'shared') {
      throw new Error(
        'createFakeTabs: these locks are exclusive; they know neither steal, ifAvailable nor shared.',
      )
    }
    if (signal?.aborted) throw signal.reason
    // Each turn counts as another tab's: who holds a lock is known by it.
    const info: LockInfo = { name, mode: 'exclusive', clientId: `tab-turn-${++turns}` }
    const before = queues.get(name) ?? Promise.resolve()
    let release = () => {}
    const mine = new Promise<void>((resolve) => {
      release = resolve
    })
    queues.set(
      name,
      before.then(() => mine),
    )
    pending.add(info)
    try {
      await Promise.race([before, aborted(signal)])
      pending.delete(info)
      held.set(name, info)
      return await work({ name, mode: 'exclusive' })
    } finally {
      pending.delete(info)
      if (held.get(name) === info) held.delete(name)
      release()
    }
  }

  const query = async () => ({ held: [...held.values()], pending: [...pending] })
  return { request, query } as LockManager
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function install(locks: LockManager): () => void {
  // Node 20 has no navigator at all.
  const [target, key, value] = globalThis.navigator
    ? ([globalThis.navigator, 'locks', locks] as const)
    : ([globalThis, 'navigator', { locks }] as const)
  const before = Object.getOwnPropertyDescriptor(target, key)
  Object.defineProperty(target, key, { value, configurable: true })
  return () => {
    if (before) Object.defineProperty(target, key, before)
    else Reflect.deleteProperty(target, key)
  }
}
