// The scenarios of what a store keeps, and of what a write may replace.
import type { StoredRecord, TokenStore } from '../index.js'
import { copy, expect, expectHeld, expectWritten } from './store-expectations.js'

/** What to do with the stores of one place, by the promise that it shows. */
export type Scenarios = Record<string, (open: () => TokenStore) => Promise<void>>

export const RECORD = Object.freeze({
  v: 1,
  sessionId: 'one',
  version: 1,
  origins: ['https://api.example.com'],
  tokens: { accessToken: 'access', refreshToken: 'refresh' },
  expiresAtMs: 1_735_689_600_000,
  subject: 'ada',
}) satisfies StoredRecord

/** The same session with newer tokens. */
const NEWER: StoredRecord = Object.freeze({
  ...RECORD,
  version: 2,
  tokens: { accessToken: 'access-2', refreshToken: 'refresh-2' },
})

/** Other tokens with the same number. */
const RIVAL: StoredRecord = Object.freeze({
  ...NEWER,
  tokens: { accessToken: 'rival', refreshToken: 'rival-too' },
})

const MARK: StoredRecord = Object.freeze({ v: 1, sessionId: 'one', version: 2, spent: true })

/** All kinds that there are: with a cookie as its credential a session has no token. */
const KINDS: readonly StoredRecord[] = Object.freeze([
  RECORD,
  { v: 1, sessionId: 'one', version: 1, tokens: { accessToken: 'a' } },
  { v: 1, sessionId: 'one', version: 1, tokens: { accessToken: '' } },
  MARK,
] as const)

export const keeping: Scenarios = Object.freeze({
  'is empty at first': async (open) => expectHeld(open(), undefined),
  'gives back each kind of record as it was saved, and keeps the last one': async (open) => {
    const store = open()
    for (const record of KINDS) {
      await store.save(copy(record))
      await expectHeld(store, record)
    }
  },
  'gives back what was saved to whoever opens it next': async (open) => {
    await open().save(copy(RECORD))
    await expectHeld(open(), RECORD)
  },
  'keeps characters of every kind': async (open) => {
    const record = { ...RECORD, subject: 'Ädä "quoted" \\ \u2028 \u0000 🔑' }
    await open().save(copy(record))
    await expectHeld(open(), record)
  },
  'is empty after clear, for everybody, and usable again': async (open) => {
    const store = open()
    await store.clear()
    await store.save(copy(RECORD))
    await store.clear()
    await expectHeld(store, undefined)
    await expectHeld(open(), undefined)
    await store.save(copy(NEWER))
    await expectHeld(store, NEWER)
  },
  'holds no record after a refusal': async (open) => {
    const store = open()
    await store.save(copy(RECORD))
    await store.clear('refused')
    const found = await store.load()
    expect(found === 'refused' || (found ?? undefined) === undefined, `'refused', or nothing`, found)
    await store.save(copy(NEWER))
    await expectHeld(store, NEWER)
  },
})

export const replacing: Scenarios = Object.freeze({
  'saves over the record that is to be replaced, whatever the order of its fields': async (open) => {
    const store = open()
    await store.save(copy(RECORD))
    const reordered = Object.fromEntries(Object.entries(RECORD).reverse()) as unknown as StoredRecord
    expectWritten(await store.save(copy(NEWER), { replaces: reordered }), true)
    await expectHeld(open(), NEWER)
  },
  'saves nothing over another record, also of the same number, and says so': async (open) => {
    const store = open()
    for (const held of [NEWER, { ...NEWER, sessionId: 'two' }, MARK]) {
      await store.save(copy(held))
      expectWritten(await store.save(copy(RIVAL), { replaces: RECORD }), false)
      expectWritten(await store.save(copy(NEWER), { replaces: RIVAL }), false)
      await expectHeld(open(), held)
    }
  },
  'saves nothing where somebody has signed out': async (open) => {
    const [store, other] = [open(), open()]
    await store.save(copy(RECORD))
    await other.clear()
    expectWritten(await store.save(copy(NEWER), { replaces: RECORD }), false)
    await expectHeld(open(), undefined)
  },
  'saves into an empty place, also after a refusal, and only there, when nothing is to be replaced': async (
    open,
  ) => {
    const store = open()
    expectWritten(await store.save(copy(RECORD), { replaces: null }), true)
    expectWritten(await store.save(copy(NEWER), { replaces: null }), false)
    await expectHeld(store, RECORD)
    await store.clear('refused')
    expectWritten(await store.save(copy(NEWER), { replaces: null }), true)
    await expectHeld(store, NEWER)
  },
  'clears the record that is to be replaced, and no other': async (open) => {
    const store = open()
    await store.save(copy(NEWER))
    expectWritten(await store.clear(undefined, { replaces: RECORD }), false)
    expectWritten(await store.clear('refused', { replaces: RIVAL }), false)
    await expectHeld(store, NEWER)
    expectWritten(await store.clear(undefined, { replaces: NEWER }), true)
    await expectHeld(store, undefined)
  },
  'saves and clears whatever is there without `replaces`': async (open) => {
    const store = open()
    await store.save(copy(RIVAL))
    expectWritten(await store.save(copy(RECORD)), true)
    await expectHeld(store, RECORD)
    expectWritten(await store.clear(), true)
    await expectHeld(store, undefined)
  },
  'lets one of two win who replace the same record at once': async (open) => {
    const [store, other] = [open(), open()]
    await store.save(copy(RECORD))
    const answers = await Promise.all([
      store.save(copy(NEWER), { replaces: RECORD }),
      other.save(copy(RIVAL), { replaces: RECORD }),
    ])
    const won = answers.map((answer) => answer !== false)
    expect(won.filter(Boolean).length === 1, 'one of two to be saved', answers)
    await expectHeld(open(), won[0] ? NEWER : RIVAL)
  },
})
