// Prototype pollution: whatever names a value has in it, `__proto__` and `constructor.prototype` first of all, nothing that
// comes in by a grant, a record, another tab or a config reaches a prototype, and nothing hidden under them is a token.
import {
  type AuthClientOptions,
  authErrorOf,
  type Grant,
  jsonBodyField,
  localStorageStore,
  refreshWithBody,
  type Tokens,
} from 'axios-auth-client'
import fc from 'fast-check'
import { afterEach, describe, expect, vi } from 'vitest'
import { FakeStorage } from '../contracts/fake-storage.js'
import { createOpenStore } from '../support/stores.js'
import { startApp } from './app.js'
import { holdsFor } from './seed.js'

const POLLUTED = 'polluted-token'

// ---- poison ------------------------------------------------------------------------------------------------------

/** Names that somebody reads somewhere: of tokens, records, answers, configs. */
const NAMES = [
  'accessToken',
  'access_token',
  'token',
  'refreshToken',
  'refresh_token',
  'tokens',
  'v',
  'sessionId',
  'version',
  'subject',
  'headers',
  'Authorization',
  'authorization',
  'auth',
  'authClient',
  'place',
  'refresh',
  'baseURL',
  'url',
  'status',
  'data',
  'then',
]

const payload = fc
  .dictionary(fc.constantFrom(...NAMES), fc.constantFrom<unknown>(POLLUTED, { accessToken: POLLUTED }, 1), {
    minKeys: 1,
  })
  .map((fields) => ({
    v: 1,
    sessionId: POLLUTED,
    version: 99,
    access_token: POLLUTED,
    accessToken: POLLUTED,
    ...fields,
  }))

/** A way to write `payload` under a prototype, as JSON that a parser makes own fields of. */
const poison = fc
  .tuple(
    payload,
    fc.constantFrom(
      (text: string) => `{"__proto__":${text}}`,
      (text: string) => `{"constructor":{"prototype":${text}}}`,
      (text: string) => `{"__proto__":{"__proto__":${text}}}`,
      (text: string) => `{"tokens":{"__proto__":${text}}}`,
      (text: string) => `{"headers":{"__proto__":${text},"constructor":{"prototype":${text}}}}`,
      (text: string) => `{"prototype":${text},"__proto__":[${text}]}`,
    ),
  )
  .map(([fields, write]) => JSON.parse(write(JSON.stringify(fields))) as object)

const PROTOTYPES = [Object, Array, Function, String, Number, Promise, Error, Map, Set, URL].map(
  ({ prototype }): object => prototype,
)
const shapesOf = () => PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype))
const CLEAN = shapesOf()

/** Runs `scenario`; afterwards every prototype is as it was, and no request has carried what was hidden. */
async function expectClean(scenario: () => Promise<unknown[]>): Promise<void> {
  const carried = await scenario()
  const shapes = shapesOf()
  // Mended first, or one finding would look like a hundred.
  for (const [index, prototype] of PROTOTYPES.entries())
    for (const key of Reflect.ownKeys(prototype))
      if (!CLEAN[index]?.includes(key)) Reflect.deleteProperty(prototype, key)
  expect(shapes).toEqual(CLEAN)
  expect(JSON.stringify(carried)).not.toContain(POLLUTED)
}

/** An object with its own fields, and the poison beside them. */
const beside = (fields: object, poisoned: object): object => {
  const whole = { ...fields }
  for (const name of Object.keys(poisoned))
    if (!Object.hasOwn(whole, name))
      Object.defineProperty(whole, name, { ...Object.getOwnPropertyDescriptor(poisoned, name) })
  return whole
}

const OLD = { accessToken: 'old-access', refreshToken: 'old-refresh' }

/** An app that gets 401s from its API until it brings new tokens; notes all that went out. */
function startRefused(options: AuthClientOptions, refreshAnswer: object = {}) {
  const sent: { url: string | undefined; data: unknown; headers: object }[] = []
  const app = startApp(options, ({ url, data, headers }) => {
    sent.push({ url, data, headers: { ...headers } })
    if (url === '/refresh') return { status: 200, data: JSON.stringify(refreshAnswer) }
    return { status: String(headers.Authorization).includes('old') ? 401 : 200 }
  })
  return { ...app, sent }
}

// ---- the promise -------------------------------------------------------------------------------------------------

afterEach(() => vi.restoreAllMocks())

describe('a poisoned value', () => {
  holdsFor('in the answer of a refresh is no token', fc.tuple(poison, fc.boolean()), ([poisoned, isGrant]) =>
    expectClean(async () => {
      const answer = beside(
        isGrant ? { access_token: 'new-access', refresh_token: 'new-refresh' } : {},
        poisoned,
      )
      const refresh = refreshWithBody({ url: '/refresh', extra: poisoned as Record<string, unknown> })
      // What the app itself sends along may arrive: only what the client makes of the answer counts.
      const { api, auth, sent } = startRefused(
        { refresh: (context) => refresh({ ...context, refreshToken: 'x' }) },
        answer,
      )
      await auth.signIn(OLD)
      const error = await api.get('/me').then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      expect(authErrorOf(error)?.code).toBe(isGrant ? undefined : 'BAD_GRANT')
      auth.dispose()
      return sent.filter(({ url }) => url !== '/refresh')
    }),
  )

  holdsFor(
    "in what a refresh of one's own brings is no token",
    fc.tuple(poison, fc.boolean()),
    ([poisoned, isGrant]) =>
      expectClean(async () => {
        const grant = beside(isGrant ? { accessToken: 'new-access' } : {}, poisoned) as Grant
        // Its prototype is still Object's: `__proto__` is a field of its own.
        expect(Object.getPrototypeOf(grant)).toBe(Object.prototype)
        const { api, auth, sent } = startRefused({
          refresh: () => grant,
          readResponse: () => poisoned as Grant,
        })
        await auth.signIn(OLD)
        await api.get('/me').catch(() => {})
        auth.dispose()
        return sent
      }),
  )

  holdsFor('in a store, in the words of another tab, signs nobody in', poison, (poisoned) =>
    expectClean(async () => {
      const storage = new FakeStorage()
      const page = new EventTarget()
      vi.stubGlobal('localStorage', storage)
      vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
      vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page))
      storage.setItem('app', JSON.stringify(poisoned))
      const { auth, carried } = startApp({ store: localStorageStore({ key: 'app' }) })
      const bearers = [await carried()]
      await auth.signIn(OLD)
      for (const text of [
        JSON.stringify(poisoned),
        JSON.stringify(beside({ v: 1, sessionId: 'other', version: 2 }, poisoned)),
      ]) {
        storage.setItem('app', text)
        page.dispatchEvent(Object.assign(new Event('storage'), { key: 'app', newValue: text }))
        bearers.push(await carried())
      }
      expect(bearers).toEqual([undefined, 'Bearer old-access', 'Bearer old-access'])
      auth.dispose()
      vi.unstubAllGlobals()
      return bearers
    }),
  )

  holdsFor('beside the fields of a record or of tokens is left out of what is kept', poison, (poisoned) =>
    expectClean(async () => {
      const record = { v: 1, sessionId: 'one', version: 1, tokens: beside(OLD, poisoned) }
      const store = createOpenStore(beside(record, poisoned))
      const { auth, carried } = startApp({ store })
      const bearers = [await carried()]
      await auth.updateTokens(beside({ accessToken: 'newer' }, poisoned) as Tokens)
      bearers.push(await carried(), JSON.stringify(store.kept))
      await auth.signIn(beside(OLD, poisoned) as Tokens)
      bearers.push(await carried(), JSON.stringify(store.kept))
      expect(bearers[0]).toBe('Bearer old-access')
      auth.dispose()
      return bearers
    }),
  )

  holdsFor(
    'in a config changes no token, and among the options is refused',
    fc.tuple(poison, fc.boolean()),
    ([poisoned, inBody]) =>
      expectClean(async () => {
        const options = {
          place: inBody ? jsonBodyField() : undefined,
          tokens: { accessToken: 'good-access' },
        }
        const together = beside(options, poisoned)
        if (Object.keys(together).length > Object.keys(options).length)
          expect(() => startRefused(together as AuthClientOptions)).toThrow(/: expected an option of/)
        const { api, auth, sent } = startRefused(options)
        await auth.ready
        await api.request(beside({ method: 'post', url: '/me', data: { a: 1 } }, poisoned)).catch(() => {})
        await api.post('/me', beside({ a: 1 }, {})).catch(() => {})
        const token = await auth.getAccessToken()
        auth.dispose()
        return [...sent.map((one) => JSON.stringify(one).includes('good-access')), token]
      }),
  )
})
