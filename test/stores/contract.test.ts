// The contract of a store, as the kit has it, over the stores of the package and over one of one's own; and broken stores,
// which it must find.

import {
  type Exclusively,
  localStorageStore,
  memoryStore,
  type StoredRecord,
  sessionStorageStore,
  type TokenStore,
  type WriteOptions,
  webLock,
} from 'axios-auth-client'
import { describe, expect, it, vi } from 'vitest'
import { createFakeTabs, describeTokenStore, type SuiteRunner } from '../../src/testing/index.js'
import { FakeStorage } from '../contracts/fake-storage.js'
import { stubPage } from '../support/page.js'

const runner: SuiteRunner = { describe, it }
const replaces = true

describeTokenStore('memoryStore', () => always(memoryStore()), { replaces, runner })

describeTokenStore(
  'memoryStore with a name',
  () => {
    stubPage()
    return always(memoryStore({ name: 'app' }))
  },
  { replaces, runner, unguarded: true },
)

describeTokenStore(
  'localStorageStore',
  () => {
    stubPage()
    vi.stubGlobal('localStorage', new FakeStorage())
    return () => localStorageStore({ key: 'app' })
  },
  { replaces, runner, unguarded: true },
)

describeTokenStore(
  'localStorageStore without Web Locks',
  () => {
    stubPage({})
    vi.stubGlobal('localStorage', new FakeStorage())
    return always(localStorageStore({ key: 'app' }))
  },
  { replaces, runner },
)

describeTokenStore(
  'sessionStorageStore',
  () => {
    stubPage()
    vi.stubGlobal('sessionStorage', new FakeStorage())
    return always(sessionStorageStore({ key: 'app' }))
  },
  { replaces, runner },
)

describeTokenStore(
  'a tab of createFakeTabs',
  () => {
    const tabs = createFakeTabs()
    return () => tabs.openTab()
  },
  { replaces, runner },
)

describeTokenStore('an asynchronous store that compares and sets', createRemote, {
  replaces,
  runner,
  unguarded: true,
})

describeTokenStore(
  'a store that does nothing but keep',
  () => {
    const kept: { value?: StoredRecord | undefined } = {}
    return () => ({
      load: () => kept.value,
      save(record) {
        kept.value = record
      },
      clear() {
        kept.value = undefined
      },
    })
  },
  { runner },
)

function always(store: TokenStore): () => TokenStore {
  return () => store
}

/** A database that several processes use, each by a store of its own. */
function createRemote(change: (store: TokenStore) => Partial<TokenStore> = () => ({})): () => TokenStore {
  stubPage()
  let kept = 'null'
  const listeners = new Set<() => void>()
  const later = () => new Promise<void>((resolve) => setImmediate(resolve))
  const write = async (text: string, { replaces }: WriteOptions = {}) => {
    await later()
    if (replaces !== undefined && canonical(kept) !== canonical(JSON.stringify(replaces))) return false
    kept = text
    void later().then(() => {
      for (const listener of [...listeners]) listener()
    })
  }
  const exclusively = webLock('remote')
  return () => {
    const store: TokenStore = {
      async load() {
        await later()
        return JSON.parse(kept)
      },
      save: (record, options) => write(JSON.stringify(record), options),
      clear: (_reason, options) => write('null', options),
      async subscribe(listener) {
        await later()
        const call = () => listener()
        listeners.add(call)
        return () => void listeners.delete(call)
      },
      exclusively,
    }
    return { ...store, ...change(store) }
  }
}

const canonical = (text: string) => JSON.stringify(Object.entries(JSON.parse(text) ?? {}).sort())

describe('the contract suite', () => {
  /** What fails of the suite over a store. */
  async function failuresOf(setUp: () => () => TokenStore, unguarded = false): Promise<string[]> {
    const failures: string[] = []
    const running: (() => Promise<void>)[] = []
    describeTokenStore('broken', setUp, {
      replaces: true,
      unguarded,
      runner: {
        describe: (_, run) => run(),
        it: (title, run) =>
          running.push(() => run().catch((error: Error) => void failures.push(`${title}: ${error.message}`))),
      },
    })
    for (const run of running) await run()
    return failures
  }

  const stuck = createStuckTurns()
  const once = async <T>(work: () => Promise<T>) => work()
  const broken: [string, string, (store: TokenStore) => Partial<TokenStore>][] = [
    [
      'drops a field',
      'gives back each kind of record',
      ({ load }) => ({ load: async () => without(await load(), 'origins') }),
    ],
    ['keeps nothing for the next', 'gives back what was saved to whoever opens it next', () => createMap()],
    ['does not clear', 'is empty after clear', () => ({ clear: () => {} })],
    [
      'ignores `replaces`',
      'saves nothing over another record',
      ({ save }) => ({ save: (record) => save(record) }),
    ],
    [
      'compares the number only',
      'saves nothing over another record',
      ({ save, load }) => ({
        async save(record, options) {
          const held = (await load()) as StoredRecord | null
          return held?.version === options?.replaces?.version ? save(record) : save(record, options)
        },
      }),
    ],
    [
      'compares at one time and writes at another',
      'lets one of two win',
      ({ save, load }) => ({
        async save(record, { replaces: expected } = {}) {
          const held = JSON.stringify(await load())
          if (expected !== undefined && canonical(held) !== canonical(JSON.stringify(expected))) return false
          return save(record)
        },
      }),
    ],
    [
      'clears whatever is there',
      'clears the record that is to be replaced',
      ({ clear }) => ({ clear: () => clear() }),
    ],
    ['gives turns to everybody', 'runs one at a time', () => ({ exclusively: once })],
    [
      'runs work twice',
      'runs work once',
      () => ({
        exclusively: async (work) => {
          await work()
          return work()
        },
      }),
    ],
    ['keeps a turn that failed', 'gives the turn on when work has thrown', () => ({ exclusively: stuck })],
    [
      'waits for whoever does not wait any more',
      'ends the wait',
      ({ exclusively }) => ({
        exclusively: (work, turn) =>
          (exclusively as Exclusively)(work, { ...turn, signal: new AbortController().signal }),
      }),
    ],
    ['notifies nobody', 'calls the listener', () => ({ subscribe: () => () => {} })],
    [
      'cannot be unsubscribed',
      'calls no listener that has unsubscribed',
      ({ subscribe }) => ({
        subscribe: async (listener) => {
          await subscribe?.(listener)
          return () => {}
        },
      }),
    ],
  ]
  it.concurrent.each(broken)(
    'fails a store that %s',
    async (_, title, change) => {
      const failures = await failuresOf(() => createRemote(change), true)
      expect(failures.map((failure) => failure.slice(0, title.length))).toContain(title)
      for (const failure of failures) expect(failure).toMatch(/: The store: expected .*/)
    },
    60_000,
  )

  it('passes a store that keeps the contract', async () => {
    expect(await failuresOf(() => createRemote(), true)).toEqual([])
  })

  it('runs on the globals where no runner is given', () => {
    const titles: string[] = []
    vi.stubGlobal('describe', (title: string, run: () => void) => {
      titles.push(title)
      run()
    })
    vi.stubGlobal('it', (title: string) => titles.push(title))
    describeTokenStore('mine', () => () => memoryStore())
    expect(titles[0]).toBe('mine: the contract of a store')
    expect(titles.length).toBeGreaterThan(10)
  })
})

function without(value: unknown, field: string): unknown {
  return value && Object.fromEntries(Object.entries(value).filter(([name]) => name !== field))
}

function createMap(): Pick<TokenStore, 'load' | 'save' | 'clear'> {
  let kept: StoredRecord | undefined
  return {
    load: () => kept,
    save(record) {
      kept = record
    },
    clear() {
      kept = undefined
    },
  }
}

function createStuckTurns(): Exclusively {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(work)
    last = turn
    turn.catch(() => {})
    return turn
  }
}
