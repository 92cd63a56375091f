// Owns the hostile addresses: a good one, of home or of somebody else, and then up to four changes anywhere in it, each a
// sign that one parser skips, another one takes for a border, and a third one for a letter.
import fc from 'fast-check'

/** Where tokens may go. */
export const HOMES = [
  'http://home.example',
  'https://home.example',
  'http://127.0.0.1:8080',
  'http://[::1]:8080',
  'https://xn--bcher-kva.example',
]
export const [HOME = ''] = HOMES

const pick = (...texts: readonly string[]) => fc.constantFrom(...texts)

const homeAuthority = pick(
  'home.example',
  'home.example:80',
  'home.example:443',
  '127.0.0.1:8080',
  '[::1]:8080',
  'bücher.example',
)

const foreignAuthority = pick(
  'evil.example',
  'home.example.evil.example',
  'evilhome.example',
  'sub.home.example',
  'home.example.',
  'home.example:8080',
  'home.example:80@evil.example',
  'home.example@evil.example',
  'evil.example#@home.example',
  'evil.example\\@home.example',
  'evil.example?@home.example',
  'user:secret@home.example',
  '@home.example',
  'home.example%40evil.example',
  'home.example%2eevil.example',
  'evil.example%2f.home.example',
  'hom%65.example',
  'hоme.example',
  'ｈome.example',
  'home。example',
  'home.example\u00ad',
  'home.example\u200b',
  'home.example,evil.example',
  'home.example;evil.example',
  '127.0.0.1',
  '127.0.0.1:80',
  '0x7f.1:8080',
  '2130706433:8080',
  '127.1:8080',
  '127.0.0.1.:8080',
  '[::ffff:127.0.0.1]:8080',
  '[::]:8080',
  '[0:0:0:0:0:0:0:1]:8080',
  '[::1%25lo]:8080',
  'localhost:8080',
  'xn--bcher-kva.example:80',
  'xn--home.example',
  '',
)

const mostly = (usual: fc.Arbitrary<string>, others: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 3, arbitrary: usual }, { weight: 1, arbitrary: others })

const scheme = mostly(
  pick('http:', 'https:', 'HTTP:'),
  pick(
    '',
    'ht\ntp:',
    '\thttp:',
    ' https:',
    'http:http:',
    'blob:http:',
    'javascript:',
    'data:text/html,',
    'file:',
    'ws:',
    'ftp:',
  ),
)
const slashes = mostly(pick('//'), pick('', '/', '///', '////', '\\\\', '\\/', '/\\', '/\t/', '\n//', '//\\'))
const tail = pick(
  '',
  '/',
  '/p',
  '/p?q=1#h',
  '?q',
  '#h',
  '//evil.example/x',
  '/../..//evil.example',
  '/\\evil.example',
  '\\evil.example',
  '@evil.example',
  '?@evil.example',
  ';@evil.example',
  '.evil.example',
  '/%00',
  '/%2e%2e/',
  ':80@evil.example',
)

/** What a change puts in, or writes over. */
const intruder = fc.oneof(
  { weight: 6, arbitrary: pick(...'\t\n\r \\/@#?:.%;,&=[]|<>"`^{}~*\'$+-_!()') },
  {
    weight: 3,
    arbitrary: pick(
      '//',
      '\\\\',
      '%00',
      '%09',
      '%0d%0a',
      '%23',
      '%2e',
      '%2f',
      '%3a',
      '%40',
      '%5c',
      '\u0000',
      '\u00a0',
      '\u00ad',
      '\u200b',
      '\u2028',
      '\u3002',
      '\uff0f',
      '\uff20',
      '\ufeff',
      '\ud800',
      'http:',
      'javascript:',
      'evil.example',
      '@evil.example',
      '.evil.example',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }) },
)

const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), over: fc.nat(2), intruder })

const changed = (address: fc.Arbitrary<string>) =>
  fc.tuple(address, fc.oneof(fc.constant([]), fc.array(change, { maxLength: 4 }))).map(([text, changes]) =>
    changes.reduce((before, { at, over, intruder: put }) => {
      const index = Math.round(at * before.length)
      return before.slice(0, index) + put + before.slice(index + over)
    }, text),
  )

const joined = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((texts) => texts.join(''))

/** Anything that might be handed to axios as a URL. */
export const hostileAddress: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: changed(joined(scheme, slashes, foreignAuthority, tail)) },
  { weight: 5, arbitrary: changed(joined(scheme, slashes, homeAuthority, tail)) },
  { weight: 2, arbitrary: changed(joined(tail, tail)) },
  { weight: 1, arbitrary: fc.webUrl() },
)

/** An address of home as people write it, whatever stands behind the authority. */
export const ordinaryAddress: fc.Arbitrary<string> = joined(
  pick('http://home.example', 'HTTPS://Home.Example', 'http://home.example:80', 'https://home.example:443'),
  fc.oneof(
    fc.constant(''),
    joined(
      pick('/', '?', '#', '/?', '/a/../b//'),
      // Signs that no URL may hold are the platform's to escape or to refuse.
      fc.oneof(
        fc.string({ maxLength: 12 }),
        pick('@evil.example', '//evil.example', '\\evil.example', '%zz', 'ü'),
      ),
    ),
  ),
)

/** What decides where axios sends a request; `asObject`: the URL is handed over as a `URL`. */
export interface Target {
  url?: string
  baseURL?: string
  allowAbsoluteUrls?: boolean
  params?: Record<string, string>
  asObject: boolean
}

/** Missing once in `freq`. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq: number) => fc.option(arbitrary, { nil: undefined, freq })

export const hostileTarget: fc.Arbitrary<Target> = fc.record({
  url: maybe(hostileAddress, 9),
  baseURL: maybe(hostileAddress, 2),
  allowAbsoluteUrls: fc.constantFrom(undefined, true, false),
  params: maybe(fc.dictionary(intruder, intruder, { maxKeys: 2 }), 4),
  asObject: fc.nat(9).map((roll) => roll === 0),
})
