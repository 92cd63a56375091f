// G23: whatever a store holds and whatever another tab says, a session is made of sound records only, whole and unmixed;
// all else means signed out (or, while somebody is signed in, nothing), and is reported.
import {
  localStorageStore,
  type SessionRecord,
  sessionStorageStore,
  type TokenStore,
} from 'axios-auth-client'
import fc from 'fast-check'
import { beforeEach, describe, expect, vi } from 'vitest'
import { FakeStorage } from '../contracts/fake-storage.js'
import { createOpenStore } from '../support/stores.js'
import { startApp } from './app.js'
import { holdsFor } from './seed.js'
import {
  changeOf,
  damaged,
  fieldOf,
  isUsable,
  nearMiss,
  readable,
  thatThrows,
  usableToken,
  withChanges,
} from './values.js'

const KEY = 'app'

// ---- records -----------------------------------------------------------------------------------------------------

const soundRecord = fc.record(
  {
    v: fc.constant(1),
    sessionId: fc.constantFrom('session-1', 'session-2', 'session-3', '__proto__'),
    version: fc.oneof(
      fc.integer({ min: 1, max: 4 }),
      fc.maxSafeNat().map((nat) => nat || 1),
    ),
    tokens: fc.record(
      { accessToken: usableToken, refreshToken: usableToken },
      { requiredKeys: ['accessToken'] },
    ),
    expiresAtMs: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
    subject: fc.string(),
  },
  { requiredKeys: ['v', 'sessionId', 'version', 'tokens'], noNullPrototype: true },
)

const change = changeOf([
  'v',
  'sessionId',
  'version',
  'tokens',
  'tokens.accessToken',
  'tokens.refreshToken',
  'expiresAtMs',
  'subject',
  '__proto__',
  'tokens.__proto__',
  'further',
])

const hostileRecord: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(soundRecord, fc.array(change, { maxLength: 3 }))
      .map(([record, changes]) => withChanges(record, changes)),
  },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(undefined, null, 'refused') },
  { weight: 1, arbitrary: nearMiss },
)

/** The text in a web storage; `null`: there is none. */
const storedText: fc.Arbitrary<string | null> = fc.oneof(
  {
    weight: 4,
    arbitrary: hostileRecord.map((value) => (value === undefined ? null : JSON.stringify(value))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(soundRecord, fc.double({ min: 0, max: 1, noNaN: true }), fc.string({ maxLength: 3 }))
      .map(([record, at, put]) => damaged(JSON.stringify(record), at, put)),
  },
)

/** What such a text holds; one that is not JSON is something, and not sound. */
function heldBy(text: string | null): unknown {
  if (text === null) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

/** What only an own store can return: no JSON, and objects that fight back. */
const livingRecord: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hostileRecord },
  {
    weight: 1,
    arbitrary: fc.anything({ withBigInt: true, withMap: true, withNullPrototype: true, withDate: true }),
  },
  {
    weight: 1,
    arbitrary: thatThrows({ v: 1, sessionId: 's', version: 1, tokens: { accessToken: 'a' } }),
  },
)

/** The contract's own words about a record, read again: section 4 of it, and G23. */
function isSound(value: unknown): value is SessionRecord {
  const tokens = fieldOf(value, 'tokens')
  const [v, sessionId, version, expiresAtMs, subject] = [
    'v',
    'sessionId',
    'version',
    'expiresAtMs',
    'subject',
  ].map((name) => fieldOf(value, name))
  const refreshToken = fieldOf(tokens, 'refreshToken')
  return (
    v === 1 &&
    typeof sessionId === 'string' &&
    sessionId.length > 0 &&
    Number.isSafeInteger(version) &&
    Number(version) > 0 &&
    isUsable(fieldOf(tokens, 'accessToken')) &&
    (refreshToken === undefined || isUsable(refreshToken)) &&
    (expiresAtMs === undefined || Number.isFinite(expiresAtMs)) &&
    (subject === undefined || typeof subject === 'string')
  )
}

const isEmpty = (value: unknown) => value === undefined || value === null || value === 'refused'

// ---- at the start ------------------------------------------------------------------------------------------------

async function expectStart(store: TokenStore, held: unknown, look: () => unknown): Promise<void> {
  const { auth, storeErrors, carried } = startApp({ store })
  try {
    await auth.ready
    const sound = readable(() => isSound(held))
    const bearer = await carried()
    expect(auth.getSnapshot().status).toBe(sound ? 'signed-in' : 'signed-out')
    expect(bearer).toBe(sound ? `Bearer ${(held as SessionRecord).tokens.accessToken}` : undefined)
    expect(storeErrors.map(({ operation }) => operation)).toEqual(sound || isEmpty(held) ? [] : ['load'])
    const quoted: unknown = readable(() => fieldOf(fieldOf(held, 'tokens'), 'accessToken'))
    if (isUsable(quoted) && quoted.length > 8) {
      for (const { error } of storeErrors) expect(error.message + error.stack).not.toContain(quoted)
    }
    await auth.signIn({ accessToken: 'access-after', refreshToken: 'refresh-after' })
    expect(look()).toSatisfy(isSound)
    expect(look()).toMatchObject({ tokens: { accessToken: 'access-after', refreshToken: 'refresh-after' } })
    expect(await carried()).toBe('Bearer access-after')
  } finally {
    auth.dispose()
  }
}

const storages = [
  ['localStorageStore', 'localStorage', localStorageStore],
  ['sessionStorageStore', 'sessionStorage', sessionStorageStore],
] as const

describe('G23: at the start', () => {
  holdsFor(
    'a store that answers at once signs in by a sound record, and reports all else but nothing',
    livingRecord,
    (held) => {
      const store = createOpenStore(held)
      return expectStart(store, held, () => store.kept)
    },
    2,
  )

  holdsFor('so does one that answers later', livingRecord, (held) => {
    let kept = held
    const store: TokenStore = {
      load: async () => kept,
      async save(record) {
        kept = record
      },
      async clear() {
        kept = undefined
      },
    }
    return expectStart(store, held, () => kept)
  })

  describe.each(storages)('%s', (_, area, webStore) => {
    let storage: FakeStorage
    beforeEach(() => {
      storage = new FakeStorage()
      vi.stubGlobal(area, storage)
    })

    holdsFor(
      'signs in by the text of a sound record, and reports all else but nothing',
      storedText,
      async (text) => {
        storage.clear()
        if (text !== null) storage.setItem(KEY, text)
        await expectStart(webStore({ key: KEY }), heldBy(text), () => heldBy(storage.getItem(KEY)))
      },
    )
  })
})

// ---- while somebody is signed in ---------------------------------------------------------------------------------

interface Message {
  /** What stands in the store when the message comes; `undefined`: what stood there before. */
  text: string | null | undefined
  type: 'storage' | 'pageshow' | 'resume'
  key: unknown
  newValue: unknown
  persisted: unknown
}

const message: fc.Arbitrary<Message> = fc.record({
  text: fc.option(storedText, { nil: undefined, freq: 6 }),
  type: fc.constantFrom('storage', 'storage', 'storage', 'pageshow', 'resume'),
  key: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom<unknown>(KEY, KEY, null) },
    { weight: 1, arbitrary: nearMiss },
  ),
  // What a message says is a hint: the store is what counts.
  newValue: fc.oneof(
    soundRecord.map((record) => JSON.stringify(record)),
    nearMiss,
  ),
  persisted: fc.constantFrom<unknown>(true, true, false, 'yes', undefined),
})

describe('G23: a message of another tab', () => {
  /** A page of its own for every run, so that nothing of the one before listens. */
  function openPage() {
    const page = new EventTarget()
    const storage = new FakeStorage()
    vi.stubGlobal('localStorage', storage)
    vi.stubGlobal('document', page)
    for (const name of ['addEventListener', 'removeEventListener'] as const)
      vi.stubGlobal(name, page[name].bind(page))
    return { page, storage }
  }

  holdsFor(
    'makes the client look into the store, and whoever is signed in is so by one sound record',
    fc.array(message, { minLength: 1, maxLength: 6 }),
    async (messages) => {
      const { page, storage } = openPage()
      const { auth, storeErrors, carried } = startApp({ store: localStorageStore({ key: KEY }) })
      try {
        await auth.signIn({ accessToken: 'access-first', refreshToken: 'refresh-first' })
        let expected = heldBy(storage.getItem(KEY)) as SessionRecord | undefined
        const ended = new Set<string>()
        for (const { text, type, ...fields } of messages) {
          if (text === null) storage.removeItem(KEY)
          else if (text !== undefined) storage.setItem(KEY, text)
          const held = heldBy(storage.getItem(KEY))
          const reported = storeErrors.length
          page.dispatchEvent(Object.assign(new Event(type), fields))
          const isDelivered =
            type === 'storage'
              ? fields.key === KEY || fields.key === null
              : type === 'resume' || !!fields.persisted
          if (isDelivered) expected = after(expected, held, ended)
          expect(await carried()).toBe(expected && `Bearer ${expected.tokens.accessToken}`)
          expect(auth.getSnapshot().subject).toBe(expected?.subject)
          expect(storeErrors.length - reported).toBe(isDelivered && !isSound(held) && !isEmpty(held) ? 1 : 0)
        }
      } finally {
        auth.dispose()
      }
    },
    2,
  )
})

/** Who is signed in after a look into the store. */
function after(
  before: SessionRecord | undefined,
  held: unknown,
  ended: Set<string>,
): SessionRecord | undefined {
  if (isSound(held)) {
    // Within a session the subject stays, and a refresh token until there is a newer one.
    if (held.sessionId === before?.sessionId)
      return isNewer(held, before) ? { ...held, subject: held.subject ?? before.subject } : before
    if (ended.has(held.sessionId)) return before
  } else if (!isEmpty(held)) return before
  if (before) ended.add(before.sessionId)
  return isSound(held) ? held : undefined
}

function isNewer({ version, tokens }: SessionRecord, before: SessionRecord): boolean {
  if (version !== before.version) return version > before.version
  return (
    tokens.accessToken !== before.tokens.accessToken || tokens.refreshToken !== before.tokens.refreshToken
  )
}
