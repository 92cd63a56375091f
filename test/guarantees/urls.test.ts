// G20 for addresses that nobody thought of: thousands of generated ones, each compared with what the adapters of
// every supported axios really make of it, in Node and in a page. Seeded: a failure prints what to run again.

import { parse as legacyParse } from 'node:url'
import axios from 'axios'
import axios027 from 'axios-0.27'
import axios12 from 'axios-1.2'
import { type AuthClient, createAuthClient, jsonBodyField, type Placement } from 'axios-auth-client'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const TOKEN = 'secret-token'

// ---- addresses ---------------------------------------------------------------------------------------------------

const pick = (...texts: string[]) => fc.constantFrom(...texts)

const scheme = pick(
  '',
  '',
  'http:',
  'https:',
  'HTTP:',
  'hTTpS:',
  'ht\ntp:',
  '\thttp:',
  ' https:',
  'http\t:',
  'javascript:',
  'data:',
  'ws:',
  'file:',
  'ftp:',
  'capacitor:',
  'blob:http:',
  'http:http:',
  'httpx:',
  '\u0000http:',
  '\u00a0http:',
  'http%3a',
)
const slashes = pick(
  '',
  '/',
  '//',
  '//',
  '//',
  '///',
  '////',
  '\\\\',
  '\\/',
  '/\\',
  '\\',
  '/\t/',
  '\n//',
  '//\\',
  '/\r/',
  '/./',
  '/%2f',
  '//\t',
  ' //',
)
const userinfo = pick(
  '',
  '',
  '',
  '',
  'u@',
  'u:p@',
  ':@',
  '@',
  'home.example@',
  'home.example:80@',
  'home.example\\@',
  'home.example%40',
  'home.example#@',
  'home.example?@',
  'home.example/@',
  'home.example\t@',
  'a@b@',
)
const host = pick(
  'home.example',
  'home.example',
  'home.example',
  'HOME.Example',
  'evil.example',
  'evil.example',
  'home.example.',
  'home.example.evil.example',
  'evilhome.example',
  'sub.home.example',
  'evil.example\\.home.example',
  'home.example\t',
  'ho\nme.example',
  'hоme.example',
  'ｈome.example',
  'ⓗome.example',
  'home。example',
  'home.example%2eevil.example',
  'hom%65.example',
  'home.exampl%65',
  'evil.example%2f.home.example',
  'evil.example;home.example',
  'home_example',
  'xn--bcher-kva.example',
  'bücher.example',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '127.0.0.1',
  '0x7f.1',
  '2130706433',
  '127.1',
  'home.example\u00ad',
  'home.example\u200b',
  'home.example ',
  '*.example',
  'localhost',
  '',
  '.',
  '..',
  'home.example,evil.example',
  'evil.example|home.example',
  '{home.example}',
  "home.example'",
  'home.example`',
)
const port = pick(
  '',
  '',
  '',
  '',
  ':80',
  ':443',
  ':080',
  ':8080',
  ':',
  ':0',
  ':65536',
  ':80a',
  ':-1',
  ':80@evil.example',
  '\t:80',
  ': 80',
)
const tail = pick(
  '',
  '/',
  '/p',
  '/p/q?r=s#t',
  '?q',
  '#h',
  '\\p',
  '//evil.example/x',
  '/../..//evil.example',
  '@evil.example',
  '\\@evil.example',
  '?@evil.example',
  '#@evil.example',
  '/\\evil.example',
  ';@evil.example',
  '/%00',
  '/ x',
  '\n',
  '.evil.example',
  '/@evil.example',
)
const address = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(scheme, slashes, userinfo, host, port, tail).map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.tuple(tail, tail).map((parts) => parts.join('')) },
  // Home with something odd behind it: what carries a token must be common, or nothing is proven.
  {
    weight: 3,
    arbitrary: fc
      .tuple(pick('http://', 'https://', 'HTTPS://', '//'), pick('home.example', 'HOME.example'), port, tail)
      .map((parts) => parts.join('')),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(
        pick(
          'http:',
          '/',
          '\\',
          '@',
          ':',
          '.',
          '?',
          '#',
          '\t',
          '\n',
          ' ',
          '%',
          'home.example',
          'evil.example',
          '80',
          '[',
          ']',
        ),
        { maxLength: 8 },
      )
      .map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.webUrl() },
)
const target = fc.record({
  url: fc.option(address, { nil: undefined, freq: 8 }),
  baseURL: fc.option(address, { nil: undefined, freq: 2 }),
  allowAbsoluteUrls: pick('', '', 'true', 'false').map((text) => (text ? text === 'true' : undefined)),
})
type Target = { url?: string; baseURL?: string; allowAbsoluteUrls?: boolean }

// ---- what the adapters make of them ------------------------------------------------------------------------------

/** An origin as text, or `nowhere` when the adapter refuses the address. */
type Reading = (path: string) => string

const NOWHERE = 'nowhere'

interface Address {
  protocol: string | null
  host: string | null
  /** Userinfo, which is a credential of the caller's. */
  username?: string | null
}

/** Userinfo stays in the text, so that it is never one of the allowed origins. */
const originOf = ({ protocol, host, username }: Address) =>
  `${protocol}//${username ? `${username}@` : ''}${host}`.toLowerCase()

/** axios 1.x in Node: http adapter and fetch. */
const inNode: Reading = (path) => originOf(new URL(path))
/** axios 0.27 in Node. */
const inOldNode: Reading = (path) => {
  const { protocol, hostname, port, auth: username } = legacyParse(path)
  // Node's http module goes to localhost when there is no host.
  const usual = !port || Number(port) === (protocol === 'https:' ? 443 : 80)
  const host = `${hostname || 'localhost'}${usual ? '' : `:${Number(port)}`}`
  return originOf({ protocol: protocol ?? 'http:', host, username })
}
/** XMLHttpRequest and fetch in a page. */
const inPage =
  (baseURI: string): Reading =>
  (path) =>
    originOf(new URL(path, baseURI))

function read(reach: () => string): string {
  try {
    return reach()
  } catch {
    return NOWHERE
  }
}

// ---- the rig -----------------------------------------------------------------------------------------------------

/** As much of an axios as every version has. */
interface Axios {
  create(defaults: object): { request(config: object): Promise<unknown> }
  getUri(config: object): string
}

const versions: [string, Axios, Reading][] = [
  ['latest', axios, inNode],
  ['1.2', axios12 as unknown as Axios, inNode],
  ['0.27', axios027 as unknown as Axios, inOldNode],
]

interface WireConfig extends Target {
  headers: Record<string, unknown>
  data?: unknown
}

interface Sent {
  reaches: string
  carries: boolean
}

let auth: AuthClient | undefined
afterEach(() => auth?.dispose())

async function rig(version: Axios, reading: Reading, origins: string[], place?: Placement) {
  let last: Sent | undefined
  const api = version.create({
    adapter: async (config: WireConfig) => {
      const { url, baseURL, allowAbsoluteUrls, headers, data } = config
      // `getUri` joins both as the adapters do, and throws where they would.
      const join = () => version.getUri({ url, baseURL, allowAbsoluteUrls })
      last = {
        reaches: read(() => reading(join())),
        carries: JSON.stringify([headers, data]).includes(TOKEN),
      }
      return { data: '', status: 200, statusText: 'OK', headers: {}, config }
    },
  })
  auth = createAuthClient(api as never, { origins, place })
  await auth.signIn({ accessToken: TOKEN })
  return async (target: Target): Promise<Sent | undefined> => {
    last = undefined
    const wanted = Object.fromEntries(Object.entries(target).filter(([, value]) => value !== undefined))
    await api.request({ method: 'post', data: { a: 1 }, ...wanted }).catch(() => undefined)
    return last
  }
}

/** Sends every generated target; whatever carries the token must have reached one of `origins`. */
async function expectNoLeak(
  send: (target: Target) => Promise<Sent | undefined>,
  origins: string[],
  seed: number,
  numRuns = 4_000,
): Promise<void> {
  let carried = 0
  let bare = 0
  await fc.assert(
    fc.asyncProperty(target, async (wanted) => {
      const sent = await send(wanted)
      if (!sent) return
      if (!sent.carries) {
        bare++
        return
      }
      carried++
      expect([...origins, NOWHERE]).toContain(sent.reaches)
    }),
    { seed, numRuns },
  )
  // Neither "never a token" nor "always one" would prove anything.
  expect(carried).toBeGreaterThan(numRuns / 100)
  expect(bare).toBeGreaterThan(numRuns / 100)
}

// ---- the promise -------------------------------------------------------------------------------------------------

const HOMES = ['http://home.example', 'https://home.example']

describe.each(versions)('G20: axios %s', (_, version, inItsNode) => {
  it('G20: no generated address sends a token to another origin, in Node', async () => {
    await expectNoLeak(await rig(version, inItsNode, HOMES), HOMES, 201)
  })

  it('G20: no generated address sends a token in the body to another origin, in Node', async () => {
    await expectNoLeak(await rig(version, inItsNode, HOMES, jsonBodyField('token')), HOMES, 202, 1_500)
  })

  const pages: [string, string, string][] = [
    [
      'https://home.example/app/page.html?x#y',
      'https://home.example/app/page.html?x#y',
      'https://home.example',
    ],
    ['http://home.example/', 'http://home.example/', 'http://home.example'],
    ['https://page.example/', 'https://page.example/', 'https://home.example'],
    ['https://home.example/', 'https://evil.example/base/', 'https://home.example'],
    ['capacitor://home.example/', 'capacitor://home.example/', 'capacitor://home.example'],
    ['file:///app/index.html', 'file:///app/index.html', 'https://home.example'],
  ]

  describe.each(pages)('on the page %s', (href, baseURI, home) => {
    beforeEach(() => {
      vi.stubGlobal('location', { href })
      vi.stubGlobal('document', { baseURI })
    })

    it(`G20: with base ${baseURI}, no generated address sends a token to another origin`, async () => {
      await expectNoLeak(await rig(version, inPage(baseURI), [home]), [home], 203, 2_000)
    })
  })

  it('G20: in a worker, which has a location and no document, no generated address does', async () => {
    vi.stubGlobal('location', { href: 'https://home.example/worker.js' })
    const send = await rig(version, inPage('https://home.example/worker.js'), ['https://home.example'])
    await expectNoLeak(send, ['https://home.example'], 204, 2_000)
  })
})

describe('G20: ordinary addresses', () => {
  const path = fc.webPath().filter((text) => !text.startsWith('//'))
  const query = fc.option(fc.webQueryParameters(), { nil: undefined })
  const ordinary = fc
    .tuple(pick('http', 'https', 'HTTPS'), pick('home.example', 'Home.Example'), path, query)
    .map(
      ([protocol, domain, rest, asked]) =>
        `${protocol}://${domain}${rest}${asked === undefined ? '' : `?${asked}`}`,
    )

  it('G20: an ordinary absolute address of our origin always gets its token', async () => {
    const send = await rig(axios, inNode, HOMES)
    await fc.assert(
      fc.asyncProperty(ordinary, fc.option(ordinary, { nil: undefined }), async (url, baseURL) => {
        expect(await send({ url, baseURL })).toEqual({
          reaches: expect.stringMatching(/^https?:\/\/home\.example$/),
          carries: true,
        })
      }),
      { seed: 205, numRuns: 1_000 },
    )
  })

  it('G20: any text as a path under a base of our origin gets its token', async () => {
    const send = await rig(axios, inNode, HOMES)
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          path,
          fc.string(),
          fc.tuple(userinfo, host, port, tail).map((parts) => parts.join('')),
        ),
        async (url) => {
          fc.pre(!/^([a-z][a-z\d+\-.]*:)?\/\//i.test(url))
          const sent = await send({ url, baseURL: 'https://home.example/v1' })
          if (sent) expect(sent).toEqual({ reaches: 'https://home.example', carries: true })
        },
      ),
      { seed: 206, numRuns: 1_500 },
    )
  })

  it('G20: any generated address of another origin is sent without a token', async () => {
    const send = await rig(axios, inNode, ['https://nowhere-else.example'])
    await fc.assert(
      fc.asyncProperty(target, async (wanted) => {
        expect((await send(wanted))?.carries ?? false).toBe(false)
      }),
      { seed: 207, numRuns: 1_500 },
    )
  })
})
