// What a client does when a store refuses a write, because it holds something else than the client knew. A database that
// several processes use stands in for them all: it answers when the test says so.

import axios from 'axios'
import {
  type AuthClientOptions,
  createAuthClient,
  type SessionRecord,
  type StoredRecord,
  type TokenStore,
} from 'axios-auth-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isSame } from '../../src/testing/same.js'
import { createWatchedClock, eventsOf, failureOf, landed, listenTo } from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'

/** One place, and the calls that have not reached it yet. */
function createRemote(first?: StoredRecord) {
  const remote = {
    kept: first as unknown,
    /** What each write was to replace; `undefined` where it was unconditional. */
    replaced: [] as unknown[],
    /** What each save has put there. */
    saved: [] as unknown[],
    /** Before each save reaches the place. */
    beforeSave: () => {},
    open: (): TokenStore => ({
      load: async () => structuredClone(remote.kept),
      async save(record, options) {
        await microtasksDone()
        remote.beforeSave()
        return write(structuredClone(record), options?.replaces)
      },
      clear: async (reason, options) => write(reason, options?.replaces),
    }),
  }
  function write(value: unknown, replaces: unknown) {
    remote.replaced.push(replaces)
    const held = typeof remote.kept === 'string' ? undefined : remote.kept
    if (replaces !== undefined && !isSame(held, replaces)) return false as const
    remote.kept = value
    if (typeof value === 'object') remote.saved.push(value)
    return undefined
  }
  return remote
}

const ORIGIN = 'https://api.example.com'
const RECORD: SessionRecord = {
  v: 1,
  sessionId: 's',
  version: 1,
  origins: [ORIGIN],
  tokens: { accessToken: 'first', refreshToken: 'first-refresh' },
}
const withTokens = (name: string, version: number, more: Partial<SessionRecord> = {}): SessionRecord => ({
  ...RECORD,
  version,
  tokens: { accessToken: name, refreshToken: `${name}-refresh` },
  ...more,
})

async function open(store: TokenStore, options: AuthClientOptions = {}) {
  const hand = createHandRefresh()
  const clock = createWatchedClock()
  const ends: string[] = []
  const api = axios.create({ baseURL: ORIGIN })
  const auth = createAuthClient(api, {
    store,
    clock,
    refresh: hand.refresh,
    onSessionEnd: ({ reason }) => ends.push(reason),
    ...options,
  })
  onTestFinished(() => auth.dispose())
  const events = listenTo(auth)
  await auth.ready
  return { auth, hand, ends, events, clock, token: () => auth.getAccessToken() }
}

/** A refresh that is answered, and what `meanwhile` does to the place before its save arrives there. */
async function refreshed(remote: ReturnType<typeof createRemote>, meanwhile: () => void) {
  const page = await open(remote.open())
  remote.beforeSave = () => {
    remote.beforeSave = () => {}
    meanwhile()
  }
  const outcome = page.auth.refresh().catch((error: { code: string }) => error.code)
  ;(await page.hand.call(1)).answer({ accessToken: 'mine', refreshToken: 'mine-refresh' })
  return { ...page, outcome: await outcome }
}

describe('a write in the background', () => {
  it('G15: passes what it replaces: what was last read, then what was written', async () => {
    const remote = createRemote(RECORD)
    const { auth } = await open(remote.open())
    await auth.updateTokens({ accessToken: 'second' })
    await auth.updateTokens({ accessToken: 'third' })
    const second = { ...RECORD, version: 2, tokens: { accessToken: 'second', refreshToken: 'first-refresh' } }
    expect(remote.replaced).toEqual([RECORD, second])
  })

  it('G15: passes unknown fields of a record back, so that a store can compare the whole', async () => {
    const remote = createRemote({ ...RECORD, later: 'addition' } as never)
    const { auth, token } = await open(remote.open())
    await auth.updateTokens({ accessToken: 'second' })
    expect(remote.replaced).toEqual([{ ...RECORD, later: 'addition' }])
    expect(await token()).toBe('second')
    expect(remote.kept).toMatchObject({ version: 2 })
  })

  it('G15: replaces nothing in an empty store, and adopts what was stored there meanwhile', async () => {
    const remote = createRemote()
    remote.beforeSave = () => {
      remote.kept = withTokens('theirs', 1)
    }
    const { token, ends } = await open(remote.open(), { tokens: { accessToken: 'given' } })
    expect(remote.replaced).toEqual([null])
    expect(remote.kept).toEqual(withTokens('theirs', 1))
    expect(await token()).toBe('theirs')
    expect(ends).toEqual(['replaced-elsewhere'])
  })

  it('G15: by signIn and signOut replaces any record', async () => {
    const remote = createRemote(RECORD)
    const { auth } = await open(remote.open())
    await auth.signIn({ accessToken: 'other' })
    await auth.signOut()
    expect(remote.replaced).toEqual([undefined, undefined])
    expect(remote.kept).toBeUndefined()
  })
})

describe('a save that loses the race', () => {
  it('G13: does not undo a sign-out in another process', async () => {
    const remote = createRemote(RECORD)
    const { auth, ends, outcome } = await refreshed(remote, () => {
      remote.kept = undefined
    })
    expect(outcome).toBe('SIGNED_OUT')
    expect(remote.kept).toBeUndefined()
    expect(ends).toEqual(['signed-out-elsewhere'])
    expect(auth.getSnapshot().status).toBe('signed-out')
  })

  it('G13: does not undo a refusal there', async () => {
    const remote = createRemote(RECORD)
    const { ends, outcome } = await refreshed(remote, () => {
      remote.kept = 'refused'
    })
    expect(outcome).toBe('SESSION_EXPIRED')
    expect(remote.kept).toBe('refused')
    expect(ends).toEqual(['refused'])
  })

  it('G13: does not undo a sign-out there while the user signs out here too', async () => {
    const remote = createRemote(RECORD)
    const store = remote.open()
    let hint = () => {}
    let answer = () => {}
    let isHeld = false
    const { auth } = await open({
      ...store,
      load: async () => {
        await new Promise<void>((resolve) => {
          answer = resolve
          if (!isHeld) resolve()
        })
        return store.load()
      },
      subscribe(listener) {
        hint = listener
        return () => {}
      },
    })
    isHeld = true
    hint()
    const updated = auth.updateTokens({ accessToken: 'newer' })
    const signedOut = auth.signOut()
    remote.kept = undefined
    answer()
    await Promise.allSettled([updated, signedOut])
    expect(remote.saved).toEqual([])
    expect(remote.kept).toBeUndefined()
  })

  it('G14: does not undo a sign-in there, which is then the session here', async () => {
    const remote = createRemote(RECORD)
    const bob = withTokens('bobs', 1, { sessionId: 'of-bob', subject: 'bob' })
    const { auth, ends, outcome, token } = await refreshed(remote, () => {
      remote.kept = bob
    })
    expect(outcome).toBe('SESSION_CHANGED')
    expect(remote.kept).toEqual(bob)
    expect(ends).toEqual(['replaced-elsewhere'])
    expect(await token()).toBe('bobs')
    expect(auth.getSnapshot().subject).toBe('bob')
  })

  it.each([1, 2, 3])(
    'G4: adopts the other tokens of this session in the store, with version %i',
    async (version) => {
      const remote = createRemote(RECORD)
      const theirs = withTokens('theirs', version)
      const { ends, token, auth, hand } = await refreshed(remote, () => {
        remote.kept = theirs
      })
      expect(remote.kept).toEqual(theirs)
      expect(await token()).toBe('theirs')
      expect(ends).toEqual([])
      await landed(auth)
      void auth.refresh().catch(() => {})
      expect((await hand.call(2)).context.refreshToken).toBe('theirs-refresh')
    },
  )

  it('G15: replaces a record without tokens that is not newer', async () => {
    const remote = createRemote(RECORD)
    const { token, outcome } = await refreshed(remote, () => {
      remote.kept = { v: 1, sessionId: 's', version: 2, spent: true }
    })
    expect(outcome).toMatchObject({ status: 'signed-in' })
    expect(remote.kept).toEqual(withTokens('mine', 2))
    expect(await token()).toBe('mine')
  })

  it('G15: keeps a record of a newer format, and continues in memory', async () => {
    const remote = createRemote(RECORD)
    const { token, events, ends } = await refreshed(remote, () => {
      remote.kept = { v: 2 }
    })
    expect(remote.kept).toEqual({ v: 2 })
    expect(await token()).toBe('mine')
    expect(ends).toEqual([])
    expect(eventsOf(events, 'storeError')).toMatchObject([{ operation: 'load' }])
  })

  it('G15: does not replace what was written meanwhile, with its record without tokens either', async () => {
    const remote = createRemote(RECORD)
    const store = remote.open()
    const theirs = withTokens('theirs', 2)
    let marks = 0
    const page = await open({
      ...store,
      async save(record, options) {
        if (record.tokens) throw new Error('full')
        marks++
        remote.kept = theirs
        return store.save(record, options)
      },
    })
    const outcome = page.auth.refresh()
    ;(await page.hand.call(1)).answer({ accessToken: 'mine', refreshToken: 'mine-refresh' })
    await outcome
    expect(marks).toBe(1)
    expect(remote.kept).toEqual(theirs)
  })

  it('G15: that was reported as failed but succeeded is recognised', async () => {
    const remote = createRemote(RECORD)
    const store = remote.open()
    let faults = 1
    const { auth, hand } = await open({
      ...store,
      async save(record, options) {
        const answer = await store.save(record, options)
        if (faults-- > 0) throw new Error('the connection was cut')
        return answer
      },
    })
    for (const [index, name] of ['mine', 'mine-too'].entries()) {
      const outcome = auth.refresh()
      ;(await hand.call(index + 1)).answer({ accessToken: name, refreshToken: `${name}-refresh` })
      await outcome
    }
    expect(remote.kept).toEqual(withTokens('mine-too', 3))
  })

  it('G8: ends in a store that rejects every write and returns a record without tokens', async () => {
    let there: StoredRecord = RECORD
    let saves = 0
    const page = await open({
      load: async () => there,
      async save() {
        saves++
        there = { v: 1, sessionId: 's', version: 1, spent: true }
        return false
      },
      clear: async () => false,
    })
    const outcome = page.auth.refresh()
    ;(await page.hand.call(1)).answer({ accessToken: 'mine', refreshToken: 'mine-refresh' })
    expect(await outcome).toMatchObject({ status: 'signed-in' })
    await landed(page.auth)
    expect(saves).toBe(2)
    expect(await page.token()).toBe('mine')
  })
})

describe('a store that takes turns', () => {
  it('G11: fails the refresh and keeps the session when it grants none in time', async () => {
    const remote = createRemote(RECORD)
    let waited = 0
    const { auth, hand } = await open({
      ...remote.open(),
      exclusively: (_work, { timeoutMs }) => {
        waited = timeoutMs
        return Promise.reject(new Error('no turn'))
      },
    })
    expect(await failureOf(auth.refresh())).toMatchObject({ code: 'REFRESH_FAILED' })
    expect(waited).toBe(17_000)
    expect(hand.calls).toEqual([])
    expect(auth.getSnapshot()).toMatchObject({ status: 'signed-in', refreshing: false })
  })

  it('G1: refreshes once when it runs the work twice', async () => {
    const remote = createRemote(RECORD)
    const { auth, hand } = await open({
      ...remote.open(),
      async exclusively(work) {
        const [first] = await Promise.all([work(), work()])
        return first
      },
    })
    const outcome = auth.refresh()
    ;(await hand.call(1)).answer({ accessToken: 'mine', refreshToken: 'mine-refresh' })
    await outcome
    expect(hand.calls).toHaveLength(1)
  })

  it('G11: fails the refresh when it throws instead of rejecting', async () => {
    const { auth } = await open({
      ...createRemote(RECORD).open(),
      exclusively: () => {
        throw new Error('broken')
      },
    })
    expect(await failureOf(auth.refresh())).toMatchObject({ code: 'REFRESH_FAILED' })
  })
})

describe('a store whose subscribe returns a promise', () => {
  /** `answer` settles the promise. */
  async function subscribing() {
    const remote = createRemote(RECORD)
    let answer = { resolve: (_: () => void) => {}, reject: (_: Error) => {} }
    let hint = () => {}
    const page = await open({
      ...remote.open(),
      subscribe(listener) {
        hint = listener
        return new Promise((resolve, reject) => {
          answer = { resolve, reject }
        })
      },
    })
    return { ...page, remote, answer, hint }
  }

  it('is read again once subscribed: nothing was announced until then', async () => {
    const { remote, answer, auth } = await subscribing()
    remote.kept = undefined
    answer.resolve(() => {})
    await microtasksDone()
    expect(auth.getSnapshot().status).toBe('signed-out')
  })

  it('is unsubscribed by dispose, before and after the promise resolves', async () => {
    for (const when of ['before', 'after']) {
      const { answer, auth } = await subscribing()
      let stopped = 0
      if (when === 'before') auth.dispose()
      answer.resolve(() => void stopped++)
      await microtasksDone()
      auth.dispose()
      await microtasksDone()
      expect(stopped).toBeGreaterThan(0)
    }
  })

  it('emits storeError when it rejects, and keeps the session', async () => {
    const { answer, auth, events } = await subscribing()
    answer.reject(new Error('no connection'))
    await microtasksDone()
    expect(eventsOf(events, 'storeError')).toMatchObject([
      { operation: 'subscribe', error: { message: 'no connection' } },
    ])
    expect(auth.getSnapshot().status).toBe('signed-in')
    auth.dispose()
  })
})
