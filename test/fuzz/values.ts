// Owns the values that stand where another one is expected, and the changes that put them there.
import fc from 'fast-check'

const VISIBLE = Array.from({ length: 0x7e - 0x21 + 1 }, (_, index) => String.fromCharCode(0x21 + index))

/** A token that a header can hold: any text of visible ASCII. */
export const usableToken = fc.string({ unit: fc.constantFrom(...VISIBLE), minLength: 1, maxLength: 24 })

export function isUsable(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
}

/** What JSON can hold in the place of a token, a number, a text: mostly the near misses. */
export const nearMiss: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(
      null,
      true,
      false,
      0,
      -0,
      -1,
      1,
      1.5,
      2 ** 53,
      1e308,
      '',
      ' ',
      '0',
      'undefined',
      'null',
      '[object Object]',
      'two words',
      'line\r\nX-Break: 1',
      '\u0000',
      'tökén',
      '\u2028',
      '__proto__',
      [],
      {},
      ['token'],
      { toString: 'token' },
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  { weight: 1, arbitrary: usableToken },
)

export interface Change {
  path: readonly string[]
  /** `undefined` takes the field away. */
  to: unknown
}

/** A change of one of these fields, each named by its path. */
export const changeOf = (
  paths: readonly string[],
  to: fc.Arbitrary<unknown> = nearMiss,
): fc.Arbitrary<Change> =>
  fc.record({
    path: fc.constantFrom(...paths).map((path) => path.split('.')),
    to: fc.option(to, { nil: undefined, freq: 4 }),
  })

const FIELD = { enumerable: true, configurable: true, writable: true }

/** A copy with the changes in it; a path that leads nowhere changes nothing. */
export function withChanges(value: unknown, changes: readonly Change[]): unknown {
  const copy = structuredClone(value)
  for (const { path, to } of changes) {
    const last = path.at(-1) ?? ''
    const holder = path.slice(0, -1).reduce<unknown>((inner, key) => fieldOf(inner, key), copy)
    if (typeof holder !== 'object' || holder === null) continue
    if (to === undefined) Reflect.deleteProperty(holder, last)
    // Defined, not assigned: `__proto__` is a field like any other here.
    else Object.defineProperty(holder, last, { ...FIELD, value: structuredClone(to) })
  }
  return copy
}

/** A field of its own of whatever it is. */
export function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined
}

/** A text that somebody cut, or typed into. */
export function damaged(text: string, at: number, put: string): string {
  const index = Math.floor(at * text.length)
  return text.slice(0, index) + put
}

/** Each of these objects with one field that throws when it is read. */
export const thatThrows = (whole: object): fc.Arbitrary<unknown> =>
  fc.constantFrom(...Object.keys(whole)).map((name) =>
    Object.defineProperty({ ...whole }, name, {
      // Or fast-check could not print it.
      enumerable: false,
      get() {
        throw new Error('a field that throws')
      },
    }),
  )

/** What cannot even be read is nothing. */
export function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
