// `WWW-Authenticate` as RFC 9110 section 11 has it, and as servers write it.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canNewTokenAnswer, readChallenges } from '../../src/transport/challenge.js'

const bearer = (params: object = {}) => ({ scheme: 'bearer', params })

describe('readChallenges', () => {
  it.each<[string, unknown, object[]]>([
    ['nothing', undefined, []],
    ['null', null, []],
    ['an empty text', '', []],
    ['commas and blanks', ' ,, ,\t', []],
    ['a number', 42, []],
    ['an object', { Bearer: '' }, []],
    ['a scheme alone', 'Bearer', [bearer()]],
    ['a scheme in upper case', 'BEARER', [bearer()]],
    ['a quoted value', 'Bearer realm="a b"', [bearer({ realm: 'a b' })]],
    ['a bare value', 'Bearer error=invalid_token', [bearer({ error: 'invalid_token' })]],
    ['an empty value', 'Bearer realm="", error=x', [bearer({ realm: '', error: 'x' })]],
    ['names in upper case', 'Bearer ERROR="X"', [bearer({ error: 'X' })]],
    ['blanks around the equals sign', 'Bearer error \t=  "x"', [bearer({ error: 'x' })]],
    ['a comma in quotes', 'Bearer scope="a, b", error="x"', [bearer({ scope: 'a, b', error: 'x' })]],
    [
      'another challenge in quotes',
      'Bearer realm="Basic realm=x, Bearer error=y"',
      [bearer({ realm: 'Basic realm=x, Bearer error=y' })],
    ],
    ['an escaped quote', String.raw`Bearer realm="a\"b", error="x"`, [bearer({ realm: 'a"b', error: 'x' })]],
    [
      'an escaped back-slash',
      String.raw`Bearer realm="a\\", error="x"`,
      [bearer({ realm: 'a\\', error: 'x' })],
    ],
    [
      'an equals sign in a bare value',
      'Bearer claims=eyJ=, error=x',
      [bearer({ claims: 'eyJ=', error: 'x' })],
    ],
    ['no end of the quotes', 'Bearer error="invalid_token', [bearer({ error: 'invalid_token' })]],
    ['no end of an escape', 'Bearer error="x\\', [bearer({ error: 'x' }), { scheme: '\\', params: {} }]],
    ['a name that comes twice', 'Bearer error="a", error="b"', [bearer({ error: 'a' })]],
    [
      'a name from Object.prototype',
      'Bearer __proto__="a", constructor=b',
      [bearer({ ['__proto__']: 'a', constructor: 'b' })],
    ],
    ['no commas', 'Bearer realm="a" error="x"', [bearer({ realm: 'a', error: 'x' })]],
    ['no scheme', 'error="x", realm=y', [{ scheme: '', params: { error: 'x', realm: 'y' } }]],
    ['a token68', 'Negotiate YIIJ/+9==', [{ scheme: 'negotiate', params: {} }]],
    [
      'several in one header',
      'Basic realm="x", charset="UTF-8", Bearer error="a", DPoP algs="ES256 RS256", Negotiate',
      [
        { scheme: 'basic', params: { realm: 'x', charset: 'UTF-8' } },
        bearer({ error: 'a' }),
        { scheme: 'dpop', params: { algs: 'ES256 RS256' } },
        { scheme: 'negotiate', params: {} },
      ],
    ],
    [
      'a token68 between others',
      'Negotiate, NTLM TlRM==, Bearer error=a',
      [{ scheme: 'negotiate', params: {} }, { scheme: 'ntlm', params: {} }, bearer({ error: 'a' })],
    ],
    [
      'several headers',
      ['Basic realm="x"', 'Bearer', null, 1],
      [{ scheme: 'basic', params: { realm: 'x' } }, bearer()],
    ],
    ['empty elements', ', Bearer ,, error=a,', [bearer({ error: 'a' })]],
  ])('reads %s', (_, header, expected) => {
    expect(readChallenges(header).map(({ scheme, params }) => ({ scheme, params: { ...params } }))).toEqual(
      expected,
    )
  })

  it('never throws, and reads its own output again', () => {
    const piece = fc.constantFrom(
      'Bearer',
      'Basic',
      'error',
      '=',
      '"',
      ',',
      ' ',
      '\\',
      '\t',
      'a',
      '==',
      'é',
      '\u0000',
    )
    const text = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((parts) => parts.join('')),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.oneof(text, fc.array(text), fc.anything()), (header) => {
        const challenges = readChallenges(header)
        const written = challenges.map(({ scheme, params }) => {
          const list = Object.entries(params).map(
            ([name, value = '']) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`,
          )
          return [scheme, list.join(', ')].join(' ').trim()
        })
        expect(readChallenges(written)).toEqual(challenges)
      }),
      { seed: 29, numRuns: 3_000 },
    )
  })

  it.each([',', ' ', '=', '"', '\\', 'a', 'a ', 'a=', 'a= ', 'a="', 'a="\\', '\\"', 'a=,', 'Bearer a="x", '])(
    'takes little time for 100 kB of %j',
    (piece) => {
      const startMs = performance.now()
      const text = piece.repeat(100_000 / piece.length)
      for (const header of [text, `Bearer ${text}`, `Bearer a="${text}`, `Bearer a${text}`])
        readChallenges(header)
      expect(performance.now() - startMs).toBeLessThan(1_000)
    },
  )
})

describe('canNewTokenAnswer', () => {
  it.each<[string, string | undefined, boolean]>([
    ['', 'bearer', true],
    ['Bearer', 'bearer', true],
    ['Bearer error="invalid_token"', 'bearer', true],
    ['Bearer error="something_else"', 'bearer', true],
    ['Bearer error="insufficient_scope", scope="admin"', 'bearer', false],
    ['bearer ERROR=Insufficient_Scope', 'bearer', false],
    ['Bearer error="insufficient_user_authentication", acr_values="myACR"', 'bearer', false],
    ['Bearer error="insufficient_claims", claims="eyJ9"', 'bearer', false],
    ['Bearer error="invalid_token", claims="eyJ9"', 'bearer', false],
    ['Bearer error="invalid_token", claims=""', 'bearer', true],
    ['Bearer error="invalid_request"', 'bearer', false],
    ['Bearer error_description="not insufficient_scope", error="invalid_token"', 'bearer', true],
    ['Bearer realm="error=insufficient_scope"', 'bearer', true],
    ['Bearer error="invalid_token", Basic error="insufficient_scope"', 'bearer', true],
    ['Basic realm="x", Bearer error="insufficient_scope"', 'bearer', false],
    ['Bearer error="insufficient_scope", Bearer error="invalid_token"', 'bearer', true],
    ['Bearer error="insufficient_scope", DPoP error="invalid_token"', 'bearer', false],
    ['Bearer error="insufficient_scope", DPoP error="invalid_token"', 'dpop', true],
    ['Basic realm="x"', 'basic', true],
    ['Basic realm="x", Bearer error="insufficient_scope"', 'basic', true],
    ['error="insufficient_scope"', 'bearer', false],
    ['Bearer error="insufficient_scope"', undefined, false],
    ['Bearer error="insufficient_scope", Session', undefined, true],
  ])('says of %j for %s: %s', (header, scheme, expected) => {
    expect(canNewTokenAnswer(header, scheme)).toBe(expected)
  })
})
