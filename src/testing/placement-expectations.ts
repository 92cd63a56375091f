// What the contract of a placement expects. Knows no placement.
import type { PlaceableConfig, Placement, SessionEndReason } from '../index.js'
import { createWatch } from './real-time.js'
import { isSame } from './same.js'

export interface PlacementCase {
  placement: Placement
  /** A request it can put a token on, anew for each call. */
  request: () => PlaceableConfig
  tokens: readonly [string, string]
}

type Scenarios = Record<string, (one: PlacementCase) => void | Promise<void>>

/** In real time: a placement that says nothing for so long fails. */
const TIME_LIMIT_MS = 4000

const REASONS: readonly SessionEndReason[] = Object.freeze([
  'refused',
  'signed-out',
  'signed-out-elsewhere',
  'replaced',
  'replaced-elsewhere',
] as const)

/** Once for each kind of request. */
export const attaching: Scenarios = Object.freeze({
  'attaches a token, and another one for another session': async (one) => {
    const [before, first, second] = [one.request(), await attached(one, 0), await attached(one, 1)]
    if (one.placement.tokenless) return expectSame(first, before, 'an unchanged request')
    expect(!isSame(first, before), 'a changed request', first)
    expect(!isSame(first, second), 'another request for another token', second)
  },
  'keeps what the caller has set': async (one) => {
    const [before, after] = [copyOf(one.request()), await attached(one, 0)]
    for (const part of ['headers', 'params', 'data'] as const) expectKept(before[part], after[part], part)
    for (const field of ['method', 'baseURL', 'url'] as const)
      expectSame(after[field], before[field], `the caller's ${field}`)
  },
  'takes off all that it attached, and nothing else': async (one) => {
    const config = one.request()
    const before = copyOf(config)
    await place(one, config, 0)
    remove(one, config)
    expectSame(copyOf(config), before, 'the request as it was')
  },
  'takes it off when axios has serialised the body meanwhile': async (one) => {
    if (one.placement.late) return
    const config = one.request()
    const before = copyOf(config)
    await place(one, config, 0)
    const isData = typeof config.data === 'object' && config.data !== null
    if (isData) config.data = JSON.stringify(config.data)
    remove(one, config)
    const after = copyOf(isData ? { ...config, data: JSON.parse(config.data) } : config)
    expectSame(after, before, 'the request as it was')
  },
  'leaves a request alone that carries nothing of it': async (one) => {
    const config = one.request()
    remove(one, config)
    remove(one, config)
    expectSame(copyOf(config), copyOf(one.request()), 'an unchanged request')
  },
  'leaves nothing of an older token beside a newer one': async (one) => {
    const config = one.request()
    for (const token of [0, 1] as const) {
      await place(one, config, token)
      if (token === 0) remove(one, config)
    }
    const [old] = one.tokens
    expect(one.placement.tokenless || !textOf(config).includes(old), 'no trace of the older token', config)
    // What signs is another text each time.
    const [fresh, again] = [await attached(one, 1), await attached(one, 1)]
    if (isSame(fresh, again)) expectSame(copyOf(config), fresh, 'the newer token as on a new request')
  },
  'shares nothing between two requests': async (one) => {
    const [first, second] = [one.request(), one.request()]
    await place(one, first, 0)
    await place(one, second, 1)
    const before = copyOf(second)
    remove(one, first)
    expectSame(copyOf(second), before, 'the other request as it was')
  },
  "leaves the caller's own objects as they are": async (one) => {
    const config = one.request()
    const { data } = config
    const before = copyOf({ data })
    await place(one, config, 0)
    expectSame(copyOf({ data }), before, "the caller's own body as it was")
  },
  'writes the header that it names, and deletes it': async (one) => {
    const { header } = one.placement
    if (header === undefined) return
    const config = one.request()
    await place(one, config, 0)
    expect(namesOf(config).includes(header.toLowerCase()), `a header ${header}`, config)
    remove(one, config)
    expect(!namesOf(config).includes(header.toLowerCase()), `no header ${header}`, config)
  },
})

export const alwaysExpected: Scenarios = Object.freeze({
  'takes off nothing from a request without headers, and does not throw': (one) => {
    const config: PlaceableConfig = {}
    remove(one, config)
    expectSame(copyOf(config).data, undefined, 'no body')
  },
  'comes to an end when the request is aborted': async (one) => {
    const controller = new AbortController()
    const context = contextOf(one.request(), controller.signal)
    const answer = one.placement.place(one.request(), one.tokens[0], context)
    controller.abort()
    await inTime(
      Promise.resolve(answer).then(
        () => {},
        () => {},
      ),
    )
  },
  'reads any answer without a fault': async ({ placement, request }) => {
    for (const response of STRANGE_ANSWERS()) {
      const config = request()
      await placement.observe?.(response as never, config)
      const mayTry: unknown = await placement.answer?.(response as never, config)
      expect(mayTry === undefined || typeof mayTry === 'boolean', 'true or false from answer()', mayTry)
    }
  },
  'takes every end of a session, more than once': async ({ placement }) => {
    for (const reason of [...REASONS, ...REASONS]) await placement.sessionEnded?.(reason)
  },
  'names its scheme and its header by a text': ({ placement: { scheme, header } }) => {
    for (const name of [scheme, header])
      expect(name === undefined || (typeof name === 'string' && name !== ''), 'a text, or nothing', name)
  },
})

/** Not only what a well-behaved server sends. */
const STRANGE_ANSWERS = () => [
  { status: 401, statusText: '', headers: {}, data: null, config: {} },
  {
    status: 401,
    statusText: '',
    headers: { 'www-authenticate': 'Bearer error="use_dpop_nonce"' },
    data: '',
    config: {},
  },
  { status: 500, statusText: '', headers: { 'content-type': 7 }, data: '<html>', config: {} },
  { status: 200, headers: undefined, data: undefined },
]

async function attached(one: PlacementCase, token: 0 | 1): Promise<PlaceableConfig> {
  const config = one.request()
  await place(one, config, token)
  return copyOf(config)
}

async function place(one: PlacementCase, config: PlaceableConfig, token: 0 | 1): Promise<void> {
  const answer: unknown = await inTime(
    Promise.resolve(one.placement.place(config, one.tokens[token], contextOf(config))),
  )
  expect(answer === undefined || answer === true, 'true or nothing from place()', answer)
}

function remove({ placement }: PlacementCase, config: PlaceableConfig): void {
  let answer: unknown
  try {
    answer = placement.remove(config)
  } catch (error) {
    throw new Error(`The placement: expected remove() not to throw, got ${error}.`)
  }
  const isPromise = typeof (answer as { then?: unknown } | undefined)?.then === 'function'
  expect(!isPromise, 'remove() to be done when it returns', 'a promise')
}

function contextOf(config: PlaceableConfig, signal?: AbortSignal) {
  const { method = 'get', baseURL = '', url = '', params = {} } = config
  const query = new URLSearchParams(params).toString()
  return { method: method.toUpperCase(), url: `${baseURL}${url}${query && `?${query}`}`, signal }
}

function namesOf({ headers }: PlaceableConfig): string[] {
  return Object.keys(headers ?? {}).map((name) => name.toLowerCase())
}

/** A plain copy; what is absent and what is `undefined` are one. */
function copyOf(config: PlaceableConfig): PlaceableConfig {
  return JSON.parse(textOf(config))
}

function textOf({ headers, ...rest }: PlaceableConfig): string {
  return JSON.stringify({ ...rest, headers: { ...headers } })
}

/** Each field is still there. A body of text may have got more of them. */
function expectKept(before: unknown, after: unknown, part: string): void {
  const [own, found] = [before, after].map(fieldsOf)
  for (const name of Object.keys(own ?? {}))
    expectSame(found?.[name], own?.[name], `the caller's ${name} among the ${part}`)
}

function fieldsOf(value: unknown): Record<string, unknown> {
  try {
    return Object(typeof value === 'string' ? JSON.parse(value) : value)
  } catch {
    return {}
  }
}

function expectSame(came: unknown, expected: unknown, what: string): void {
  expect(isSame(came, expected), `${what}, ${show(expected)}`, came)
}

function expect(holds: boolean | undefined, expected: string, came: unknown): void {
  if (!holds) throw new Error(`The placement: expected ${expected}, got ${show(came)}.`)
}

const show = (value: unknown): string => JSON.stringify(value) ?? String(value)

function inTime<T>(promise: Promise<T>): Promise<T> {
  const watch = createWatch()
  let isDone = false
  const done = () => {
    isDone = true
    watch.changed()
  }
  promise.then(done, done)
  return watch
    .until(
      () => isDone,
      TIME_LIMIT_MS,
      () => `The placement: expected an answer within ${TIME_LIMIT_MS} ms.`,
    )
    .then(() => promise)
}
