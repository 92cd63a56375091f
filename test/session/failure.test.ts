// What a failed refresh means, row by row. Over HTTP and through a client: guarantees/refresh-failures.test.ts.

import { describe, expect, it } from 'vitest'
import { AuthClientError, isRefusal, SessionRefused } from '../../src/index.js'
import { classifyFailure, retryAfterMs } from '../../src/session/failure.js'
import { REFRESH_ANSWERS } from '../support/refresh-answers.js'

/** As axios hands an answer on: JSON in a text is read, whatever its type. */
function thrownBy({ status, body: data, headers = {} }: { status: number; body: unknown; headers?: object }) {
  return Object.assign(new Error(`Request failed with status code ${status}`), {
    code: 'ERR_BAD_REQUEST',
    response: { status, data, headers },
  })
}

describe('G10: an answer of the refresh endpoint', () => {
  it.each(REFRESH_ANSWERS)('G10: $source ($status) is $means', (row) => {
    expect(classifyFailure(thrownBy(row))).toBe(row.means)
    // A client that reads no JSON, such as axios with `responseType: 'text'`.
    const asText = typeof row.body === 'string' ? row.body : JSON.stringify(row.body)
    expect(classifyFailure(thrownBy({ ...row, body: asText }))).toBe(row.means)
    expect(isRefusal(thrownBy(row))).toBe(row.means === 'refused')
  })

  it('G10: a 403 about the CSRF token is a configuration error, unless it names the grant', () => {
    const csrf = { csrf: true }
    expect(classifyFailure(Object.assign(thrownBy({ status: 403, body: {} }), csrf))).toBe('set-up')
    expect(classifyFailure(Object.assign(thrownBy({ status: 401, body: {} }), csrf))).toBe('refused')
    const named = thrownBy({ status: 403, body: { error: 'invalid_grant' } })
    expect(classifyFailure(Object.assign(named, csrf))).toBe('refused')
  })

  it.each<[string, unknown, boolean]>([
    ['SessionRefused', new SessionRefused('over'), true],
    [
      'the SessionRefused of another copy',
      Object.assign(new Error('over'), { name: 'SessionRefused' }),
      true,
    ],
    ['a fetch wrapper with a status', Object.assign(new Error('no'), { status: 401 }), true],
    ['ofetch, with `data`', { status: 400, data: { error: 'invalid_client' } }, false],
    ['Angular, with `error`', { status: 400, error: { error: 'invalid_client' } }, false],
    [
      'oauth4webapi, with `error`',
      { status: 401, error: 'invalid_client', response: { status: 401 } },
      false,
    ],
    ['openid-client 5, with `error` alone', Object.assign(new Error('x'), { error: 'invalid_grant' }), true],
    ['openid-client 5, with a fault of the set-up', { error: 'unauthorized_client' }, false],
    [
      'ky, with the headers of fetch',
      { response: new Response('', { status: 401, headers: { 'www-authenticate': 'Basic' } }) },
      false,
    ],
    ['no status', new TypeError('Failed to fetch'), false],
    ['nothing', undefined, false],
    ['a text', 'invalid_grant', false],
    ['an error of ours', new AuthClientError('REFRESH_FAILED', 'x'), false],
  ])('G10: isRefusal understands %s', (_, thrown, refused) => {
    expect(isRefusal(thrown)).toBe(refused)
  })

  it('G10: an unreadable answer is not a refusal', () => {
    const unreadable = new Proxy(
      {},
      {
        get() {
          throw new Error('no')
        },
      },
    )
    expect(classifyFailure(unreadable)).toBe('unavailable')
    expect(classifyFailure({ response: unreadable })).toBe('unavailable')
  })

  it('G10: a binary answer names no error, and its type shows that it is a page', () => {
    const data = new Uint8Array([60, 104]).buffer
    const headers = { 'Content-Type': 'text/html' }
    expect(classifyFailure({ response: { status: 403, data, headers } })).toBe('unavailable')
    expect(classifyFailure({ response: { status: 403, data, headers: {} } })).toBe('refused')
  })

  it.each([null, undefined, '', 0, false])('G10: %o of a 403 is no page, whatever its type says', (data) => {
    const headers = { 'Content-Type': 'text/html' }
    expect(classifyFailure({ response: { status: 403, data, headers } })).toBe('refused')
  })
})

describe('G10: Retry-After', () => {
  const nowMs = Date.parse('2026-12-01T10:00:00Z')
  const date = (offsetMs: number) => new Date(nowMs + offsetMs).toUTCString()
  const waitFor = (headers: unknown) => retryAfterMs({ response: { status: 503, headers } }, nowMs)

  it.each<[string, unknown, number]>([
    ['seconds', '120', 120_000],
    ['a number', 7, 7000],
    ['blanks around', ' 7 ', 7000],
    ['a list: the first counts', '5, 90', 5000],
    ['a list as an array', ['5', '90'], 5000],
    ['five minutes at the most', '301', 300_000],
    ['400 digits', '9'.repeat(400), 300_000],
    ['a day', date(86_400_000), 300_000],
    ['a date', date(5000), 5000],
    ['a list of dates', `${date(5000)}, ${date(9000)}`, 5000],
    ['RFC 850', 'Tuesday, 01-Dec-26 10:00:07 GMT', 7000],
    ['an ISO date', '2026-12-01T10:00:08Z', 8000],
    ['a date that has passed', date(-5000), 0],
    ['0', '0', 0],
    ['negative', '-5', 0],
    ['a word', 'soon', 0],
    ['a word and a year', 'Try 9999', 0],
    ['nothing', '', 0],
    ['Infinity', 'Infinity', 0],
    ['hexadecimal', '0x10', 0],
    ['an exponent', '1e9', 0],
    ['a fraction', '1.5', 0],
    ['an object', {}, 0],
    ['absent', undefined, 0],
  ])('G10: Retry-After, %s', (_, value, waitMs) => {
    expect(waitFor({ 'retry-after': value })).toBe(waitMs)
  })

  it("G10: a Retry-After date is compared with the answer's own Date", () => {
    const dayAhead = 86_400_000
    expect(waitFor({ 'Retry-After': date(dayAhead + 5000), Date: date(dayAhead) })).toBe(5000)
    expect(waitFor({ 'Retry-After': date(5000 - dayAhead), date: date(-dayAhead) })).toBe(5000)
    expect(waitFor({ 'Retry-After': date(5000), Date: 'yesterday' })).toBe(5000)
    expect(waitFor(new Headers({ 'Retry-After': date(5000), Date: date(-1000) }))).toBe(6000)
  })

  it('G10: there is no Retry-After without an answer', () => {
    for (const thrown of [
      undefined,
      null,
      'no',
      new Error('no'),
      { response: null },
      { response: { headers: 7 } },
    ])
      expect(retryAfterMs(thrown, nowMs)).toBe(0)
  })
})
