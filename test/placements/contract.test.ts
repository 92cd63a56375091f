// The contract of a placement, as the kit has it, over the placements of the package and over some of one's own; and broken
// placements, which it must find.
import { AxiosHeaders, type AxiosRequestConfig } from 'axios'
import {
  basicUser,
  bearerHeader,
  jsonBodyField,
  noCredential,
  type PlaceableConfig,
  type Placement,
} from 'axios-auth-client'
import { describe, expect, it } from 'vitest'
import {
  type DescribePlacementOptions,
  describePlacement,
  type SuiteRunner,
} from '../../src/testing/index.js'

const runner: SuiteRunner = { describe, it }

/** As the newest axios hands it to an interceptor. */
const ofAxios = (): AxiosRequestConfig => ({
  method: 'post',
  url: '/notes',
  params: { page: 2 },
  data: { title: 'A note' },
  headers: new AxiosHeaders({ 'Content-Type': 'application/json', 'X-Tenant': 'north' }),
})

const PLACEMENTS: Record<string, () => Placement | Promise<Placement>> = {
  bearerHeader: () => bearerHeader(),
  'bearerHeader with a header of its own': () => bearerHeader({ header: 'X-Access', scheme: '' }),
  basicUser: () => basicUser(),
  noCredential: () => noCredential(),
  'a parameter': inQuery,
  'a signature': createSigner,
}

for (const [name, create] of Object.entries(PLACEMENTS)) {
  describePlacement(name, create, { runner })
  describePlacement(`${name}, AxiosHeaders`, create, { runner, request: ofAxios })
}
describePlacement('jsonBodyField', () => jsonBodyField(), { runner })
describePlacement('jsonBodyField, AxiosHeaders', () => jsonBodyField('access'), {
  runner,
  request: () => ({ ...ofAxios(), data: '{"title":"A note","id":9007199254740993}' }),
})

function inQuery(): Placement {
  return {
    place(config, token) {
      config.params = { ...config.params, token }
    },
    remove(config) {
      const { token: _, ...rest } = config.params ?? {}
      if (config.params) config.params = rest
    },
  }
}

/** Asynchronous, never the same twice, and with a nonce that the server asks for. */
async function createSigner(): Promise<Placement> {
  const key = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  let nonce = ''
  return {
    header: 'Authorization',
    scheme: 'Signature',
    async place(config, token, { method, url, signal }) {
      const text = `${token}.${method}.${url}.${nonce}.${crypto.randomUUID()}`
      const bytes = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(text))
      signal?.throwIfAborted()
      headersOf(config).Authorization = `Signature ${Buffer.from(bytes).toString('base64url')}`
    },
    remove: (config) => void delete headersOf(config).Authorization,
    answer({ headers }) {
      const asked = headers?.['x-nonce']
      if (!asked || asked === nonce) return false
      nonce = asked
      return true
    },
    sessionEnded() {
      nonce = ''
    },
  }
}

type Bag = Record<string, unknown>

const headersOf = (config: PlaceableConfig) => (config.headers ?? {}) as Bag

describe('the contract of a placement finds', () => {
  /** What fails of the suite over a placement. */
  async function failuresOf(
    create: () => Placement,
    options: DescribePlacementOptions = {},
  ): Promise<string[]> {
    const failures: string[] = []
    const running: (() => Promise<void>)[] = []
    describePlacement('broken', create, {
      ...options,
      runner: {
        describe: (_, run) => run(),
        it: (title, run) =>
          running.push(() => run().catch((error: Error) => void failures.push(`${title}: ${error.message}`))),
      },
    })
    for (const run of running) await run()
    return failures
  }

  const change = (parts: Partial<Placement>) => (): Placement => ({ ...bearerHeader(), ...parts })
  const broken: [string, string, () => Placement][] = [
    ['attaches nothing', 'attaches a token', change({ place() {} })],
    [
      'attaches the same for every token',
      'attaches a token',
      change({ place: (config) => void (headersOf(config).Authorization = 'Bearer x') }),
    ],
    [
      'overwrites the headers',
      'keeps what the caller has set',
      change({ place: (config, token) => void (config.headers = { Authorization: `Bearer ${token}` }) }),
    ],
    ['is never taken off', 'takes off all', change({ remove() {} })],
    [
      'takes off what is not its own',
      'leaves a request alone',
      change({ remove: (config) => void (config.headers = {}) }),
    ],
    [
      'changes the address',
      'keeps what the caller has set',
      () => ({
        place: (config, token) => void (config.url += `?token=${token}`),
        remove: (config) => void (config.url = config.url?.replace(/\?.*/, '')),
      }),
    ],
    [
      'writes into the body of the caller',
      "leaves the caller's own objects",
      () => ({
        place: (config, token) => void (config.data.token = token),
        remove: (config) => void delete config.data.token,
      }),
    ],
    [
      'knows no serialised body',
      'takes it off when axios has serialised the body',
      () => ({
        place: (config, token) => void (config.data = { ...config.data, token }),
        remove(config) {
          if (typeof config.data !== 'object') return
          const { token: _, ...rest } = config.data
          config.data = rest
        },
      }),
    ],
    ['keeps the older token', 'leaves nothing of an older token', createPile],
    ['shares one state between requests', 'shares nothing between two requests', createShared],
    [
      'names another header than it writes',
      'writes the header that it names',
      change({ header: 'X-Access' }),
    ],
    [
      'throws where there are no headers',
      'takes off nothing from a request without headers',
      change({ remove: (config) => void delete (config.headers as Bag).Authorization }),
    ],
    ['takes off later', 'takes off all', change({ remove: (async () => {}) as never })],
    [
      'never ends when it is aborted',
      'comes to an end',
      change({
        place: (config, token, context) =>
          context.signal ? new Promise(() => {}) : bearerHeader().place(config, token, context),
      }),
    ],
    [
      'trips over an answer',
      'reads any answer',
      change({ answer: ({ headers }) => headers['www-authenticate'].includes('nonce') }),
    ],
    ['answers by a text', 'reads any answer', change({ answer: () => 'yes' as never })],
    [
      'ends once only',
      'takes every end of a session',
      () => {
        let key: { clear(): void } | undefined = { clear() {} }
        return {
          ...bearerHeader(),
          sessionEnded() {
            if (!key) throw new TypeError('key is undefined')
            key = undefined
          },
        }
      },
    ],
    ['has a scheme of no name', 'names its scheme', change({ scheme: '' })],
  ]

  it.concurrent.each(broken)(
    'one that %s',
    async (_, title, create) => {
      const failures = await failuresOf(create)
      expect(failures.map((failure) => failure.slice(0, title.length))).toContain(title)
    },
    180_000,
  )

  it('nothing in those that keep it, also where the request is the user’s', async () => {
    expect(await failuresOf(bearerHeader)).toEqual([])
    expect(await failuresOf(bearerHeader, { request: ofAxios, tokens: ['one', 'two'] })).toEqual([])
  })
})

/** Each token joins those before it. */
function createPile(): Placement {
  const pile: string[] = []
  return {
    place(config, token) {
      pile.push(token)
      headersOf(config).Authorization = pile.join()
    },
    remove: (config) => void delete headersOf(config).Authorization,
  }
}

/** Takes off from the request that was the last, whichever it is asked about. */
function createShared(): Placement {
  let last: PlaceableConfig | undefined
  return {
    place(config, token) {
      last = config
      headersOf(config).Authorization = token
    },
    remove() {
      if (last) delete headersOf(last).Authorization
    },
  }
}
