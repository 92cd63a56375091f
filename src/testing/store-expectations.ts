// What the scenarios of a store expect, and how they say so. Knows no store.
import type { StoredRecord, TokenStore } from '../index.js'
import { createWatch } from './real-time.js'
import { isSame } from './same.js'

/** In real time: a store that says nothing for so long fails. */
export const TIME_LIMIT_MS = 4000

export function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  const watch = createWatch()
  let isDone = false
  const done = () => {
    isDone = true
    watch.changed()
  }
  promise.then(done, done)
  const inTimeLimit = watch.until(
    () => isDone,
    TIME_LIMIT_MS,
    () => `The store: expected ${what} within ${TIME_LIMIT_MS} ms.`,
  )
  const answered = promise.catch((error) => {
    throw new Error(`The store: expected ${what}, got ${error}.`)
  })
  answered.catch(() => {})
  return inTimeLimit.then(() => answered)
}

export const settled = (promise: Promise<unknown>): Promise<'fulfilled' | 'rejected'> =>
  promise.then(
    () => 'fulfilled',
    () => 'rejected',
  )

export function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return inTime(
    promise.then(
      () => undefined,
      (error: unknown) => error,
    ),
    'a rejection',
  )
}

export async function expectHeld(store: TokenStore, expected: StoredRecord | undefined): Promise<void> {
  const found = await store.load()
  expect(isSame(found, expected), expected ? show(expected) : 'nothing (undefined or null)', found)
}

export function expectWritten(answer: unknown, isWritten: boolean): void {
  expect((answer !== false) === isWritten, isWritten ? 'anything but false' : 'false', answer)
}

export function expect(holds: boolean, expected: string, came: unknown): void {
  if (!holds) throw new Error(`The store: expected ${expected}, got ${show(came)}.`)
}

const show = (value: unknown): string => JSON.stringify(value) ?? String(value)

/** A store may keep what it is handed. */
export const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
