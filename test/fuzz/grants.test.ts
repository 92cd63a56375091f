// G10: whatever the refresh endpoint answers, over real HTTP, it is one of granted, refused, malformed or unavailable, as
// the contract has it; every request settles, and no value but a usable token of that answer is ever sent as one.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import axios, { type AxiosError } from 'axios'
import {
  type AuthClient,
  authErrorOf,
  type Clock,
  createAuthClient,
  type RefreshStrategy,
  refreshWithBody,
  type StoredRecord,
} from 'axios-auth-client'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { createOpenStore } from '../support/stores.js'
import { startApp } from './app.js'
import { holdsFor } from './seed.js'
import {
  changeOf,
  damaged,
  fieldOf,
  isUsable,
  nearMiss,
  readable,
  thatThrows,
  usableToken,
  withChanges,
} from './values.js'

const OLD = { accessToken: 'the-old-access-token', refreshToken: 'the-old-refresh-token' }

// ---- answers -----------------------------------------------------------------------------------------------------

/** A `Retry-After` beyond the time that a refresh has, in seconds. */
const LONG = '100000'

interface Answer {
  status: number
  type: string
  retryAfter: string | undefined
  body: string
}

const grantBody = fc
  .tuple(
    fc.record(
      {
        access_token: usableToken,
        accessToken: usableToken,
        token: usableToken,
        refresh_token: usableToken,
        refreshToken: usableToken,
        expires_in: fc.integer({ min: 60, max: 86_400 }),
        error: fc.constantFrom('invalid_grant', 'invalid_client', 'Bad Request', 'slow_down'),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
    fc.array(
      changeOf([
        'access_token',
        'access_token',
        'accessToken',
        'token',
        'refresh_token',
        'refresh_token',
        'refreshToken',
        'expires_in',
        'error',
        '__proto__',
        'constructor',
      ]),
      { maxLength: 3 },
    ),
  )
  .map(([body, changes]) => withChanges(body, changes))

const bodyText = fc.oneof(
  { weight: 6, arbitrary: grantBody.map((body) => JSON.stringify(body)) },
  { weight: 1, arbitrary: nearMiss.map((value) => JSON.stringify(value)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(grantBody, fc.double({ min: 0, max: 1, noNaN: true }), fc.string({ maxLength: 3 }))
      .map(([body, at, put]) => damaged(JSON.stringify(body), at, put)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      ' ',
      '<!doctype html><title>Hotel</title>',
      'access_token=form&refresh_token=encoded',
      `{"access_token":"${OLD.accessToken}"}`,
      '[{"access_token":"in-an-array"}]',
      '{"data":{"access_token":"in-an-envelope"}}',
      `${'['.repeat(2000)}`,
    ),
  },
)

const answer: fc.Arbitrary<Answer> = fc.record({
  status: fc.oneof(
    fc.constant(200),
    fc.constantFrom(201, 202, 203, 204, 206, 226),
    fc.constantFrom(300, 301, 302, 303, 304, 307, 308, 400, 400, 401, 403, 404, 405, 409, 410, 418, 422, 451),
    fc.constantFrom(408, 425, 429, 500, 501, 502, 503, 504, 507, 511, 599),
  ),
  type: fc.constantFrom('application/json', 'text/html', 'text/plain', 'application/octet-stream', ''),
  retryAfter: fc.option(
    fc.constantFrom('0', '1', '-1', 'soon', 'NaN', 'Wed, 21 Oct 2015 07:28:00 GMT', ' ', LONG),
    { nil: undefined },
  ),
  body: bodyText,
})

// ---- what the contract makes of them -----------------------------------------------------------------------------

type Outcome = 'granted' | 'BAD_GRANT' | 'SESSION_EXPIRED' | 'REFRESH_FAILED'

/** The body as axios hands it on: JSON where it can be read as such. */
function read({ status, body }: Answer): unknown {
  if (status === 204 || status === 304) return ''
  try {
    return JSON.parse(body) as unknown
  } catch {
    return body
  }
}

function grantIn(body: unknown): { accessToken: unknown; refreshToken: unknown; expiresIn: unknown } {
  const first = (...names: string[]) =>
    names.map((name) => fieldOf(body, name)).find((value) => value != null)
  return {
    accessToken: first('access_token', 'accessToken', 'token'),
    refreshToken: first('refresh_token', 'refreshToken'),
    expiresIn: first('expires_in', 'expiresIn'),
  }
}

function outcomeOf(answered: Answer): Outcome {
  const { status } = answered
  const body = read(answered)
  if (status >= 500) return 'REFRESH_FAILED'
  const error = errorIn(body)
  if (status < 300) {
    const { accessToken, refreshToken } = grantIn(body)
    if (isUsable(accessToken)) {
      // None, and the old one stays; anything else that is no usable text spoils the grant.
      const isGrant = accessToken !== OLD.accessToken && (!refreshToken || isUsable(refreshToken))
      return isGrant ? 'granted' : 'BAD_GRANT'
    }
    if (error === undefined) return 'BAD_GRANT'
    return SPARED.includes(error) ? 'REFRESH_FAILED' : 'SESSION_EXPIRED'
  }
  if (error === 'invalid_grant') return 'SESSION_EXPIRED'
  const isRefusal = [400, 401, 403, 422].includes(status) && !SPARED.includes(error ?? '')
  return isRefusal && !(status === 403 && isPage(body)) ? 'SESSION_EXPIRED' : 'REFRESH_FAILED'
}

const SPARED = ['invalid_client', 'slow_down']

/** A named error: the values that the arbitraries make are one of four codes, or none of those that are spared. */
function errorIn(body: unknown): string | undefined {
  const error = (typeof body === 'object' ? fieldOf(body, 'error') : undefined) ?? undefined
  if (typeof error === 'string') return error || undefined
  if (typeof error !== 'object' || error === null) return undefined
  const [first] = [error].flat() as unknown[]
  if (typeof first === 'string') return first || undefined
  const fields = Object(first) as Record<string, unknown>
  return ['status', 'code', 'message', 'error']
    .map((key) => fields[key])
    .find((text) => typeof text === 'string' && text) as string | undefined
}

const isPage = (body: unknown) => typeof body === 'string' && /^\s*</.test(body)

function mayRecover(answered: Answer): boolean {
  const { status } = answered
  const body = read(answered)
  if (outcomeOf(answered) !== 'REFRESH_FAILED') return false
  return (
    status >= 500 ||
    [408, 425, 429].includes(status) ||
    errorIn(body) === 'slow_down' ||
    (status === 403 && errorIn(body) === undefined && isPage(body))
  )
}

/** A lifetime that is over before the replay could be sent proves nothing here. */
function isShort(expiresIn: unknown): boolean {
  const seconds = typeof expiresIn === 'object' ? Number.NaN : Number.parseFloat(String(expiresIn))
  return seconds > 0 && seconds < 60
}

// ---- over HTTP ---------------------------------------------------------------------------------------------------

describe('G10: an answer of the refresh endpoint', () => {
  let answered: Answer
  let good: unknown
  let carried: (string | undefined)[] = []
  let asked: string[] = []

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (request.url === '/refresh') {
      asked.push(Buffer.concat(chunks).toString())
      const { status, type, retryAfter, body } = answered
      if (type) response.setHeader('content-type', type)
      if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
      if (status >= 300 && status < 400) response.setHeader('location', '/elsewhere')
      response.writeHead(status).end(body)
      return
    }
    const { authorization } = request.headers
    carried.push(authorization)
    response.writeHead(good !== undefined && authorization === `Bearer ${good}` ? 200 : 401).end()
  })

  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  holdsFor(
    'grants, ends the session or keeps it, as the contract says, and nothing of it is sent but its token',
    answer,
    async (wanted) => {
      answered = wanted
      carried = []
      asked = []
      const grant = grantIn(read(wanted))
      const outcome = outcomeOf(wanted)
      if (outcome === 'granted' && isShort(grant.expiresIn)) return
      good = outcome === 'granted' ? grant.accessToken : undefined

      const store = createOpenStore()
      const ends: string[] = []
      const api = axios.create({
        baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        proxy: false,
      })
      const auth = createAuthClient(api, {
        store,
        refresh: refreshWithBody({ url: '/refresh' }),
        refreshRetry: { limit: 1, baseDelayMs: 0 },
        clock,
        onSessionEnd: ({ reason }) => void ends.push(reason),
      })
      try {
        await auth.signIn(OLD)
        const error = await failureOf(api.get('/me'))
        const code = error === undefined ? 'granted' : authErrorOf(error)?.code
        expect(code).toBe(outcome)
        expect(carried).toEqual(
          outcome === 'granted'
            ? [`Bearer ${OLD.accessToken}`, `Bearer ${String(grant.accessToken)}`]
            : [`Bearer ${OLD.accessToken}`],
        )
        expect(asked).toHaveLength(mayRecover(wanted) && wanted.retryAfter !== LONG ? 2 : 1)
        expect(inspect(authErrorOf(error), { depth: 9 })).not.toMatch(/the-old-(access|refresh)-token/)
        expect({ ends, ...keptBy(auth, store.kept) }).toEqual(afterwards(outcome, wanted))
        // The failure is remembered: no further refresh in the same moment.
        const again = await failureOf(api.get('/me'))
        const isSignedOut = outcome === 'SESSION_EXPIRED'
        expect(again === undefined ? 'granted' : authErrorOf(again)?.code).toBe(
          isSignedOut ? undefined : outcome,
        )
        expect(asked.length).toBeLessThanOrEqual(2)
      } finally {
        auth.dispose()
      }
    },
    2,
  )
})

function keptBy(auth: AuthClient, kept: unknown) {
  return { status: auth.getSnapshot().status, tokens: (kept as StoredRecord | undefined)?.tokens }
}

/** Who is signed in, and with which tokens in the store. A new refresh token counts, whatever is wrong beside it. */
function afterwards(outcome: Outcome, answered: Answer) {
  if (outcome === 'SESSION_EXPIRED') return { ends: ['refused'], status: 'signed-out', tokens: undefined }
  const { accessToken, refreshToken } = grantIn(read(answered))
  const renewed = answered.status < 300 && isUsable(refreshToken) ? { refreshToken } : {}
  const tokens = outcome === 'granted' ? { ...OLD, accessToken, ...renewed } : { ...OLD, ...renewed }
  return { ends: [], status: 'signed-in', tokens }
}

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** Time stands still, and the pause between two attempts is over at once; only what bounds a refresh stays. */
const clock: Clock = {
  nowMs: () => 1_700_000_000_000,
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, delayMs < 10_000 ? 0 : delayMs)
    return () => clearTimeout(timer)
  },
}

// ---- a strategy of one's own -------------------------------------------------------------------------------------

/** What a `refresh` of one's own may come up with: anything at all, and objects that fight back. */
const ownGrant: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.anything({ withBigInt: true, withMap: true, withNullPrototype: true, withDate: true }),
  },
  { weight: 1, arbitrary: nearMiss },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.record({ accessToken: usableToken, refreshToken: usableToken }, { noNullPrototype: true }),
        fc.array(
          changeOf(
            ['accessToken', 'refreshToken', 'expiresInSeconds', 'expiresAtMs', 'subject', '__proto__'],
            fc.oneof(nearMiss, fc.anything({ withBigInt: true })),
          ),
          { maxLength: 3 },
        ),
      )
      .map(([grant, changes]) => withChanges(grant, changes)),
  },
  { weight: 1, arbitrary: thatThrows({ accessToken: 'new', refreshToken: 'new', expiresInSeconds: 60 }) },
)

describe('G10: what a custom refresh returns', () => {
  holdsFor(
    'by an answer, a throw or a promise that settles, is sent only if it is a usable token; nobody is left waiting',
    fc.record({ value: ownGrant, throws: fc.boolean(), later: fc.boolean() }),
    async ({ value, throws, later }) => {
      const carried: unknown[] = []
      const { api, auth, ends } = startApp(
        {
          refresh: (() => {
            if (throws && !later) throw value
            return throws ? Promise.reject(value) : later ? Promise.resolve(value) : value
          }) as RefreshStrategy,
          refreshRetry: { limit: 0 },
          clock,
        },
        ({ headers }) => {
          carried.push(headers.Authorization)
          return { status: carried.length === 1 ? 401 : 200 }
        },
      )
      try {
        await auth.signIn(OLD)
        const error = await failureOf(api.get('/me'))
        const accessToken = throws ? undefined : readable(() => fieldOf(value, 'accessToken'))
        const [, ...further] = carried
        if (further.length > 0) {
          expect(error).toBeUndefined()
          expect(accessToken).toSatisfy(isUsable)
          expect(further).toEqual([`Bearer ${String(accessToken)}`])
        } else {
          const code = authErrorOf(error)?.code
          if (code) expect(['BAD_GRANT', 'REFRESH_FAILED', 'SESSION_EXPIRED']).toContain(code)
          else expect((error as AxiosError).response?.status).toBe(401)
          expect(ends).toEqual(code === 'SESSION_EXPIRED' ? ['refused'] : [])
          if (value === null && !throws) expect(code).toBe('SESSION_EXPIRED')
        }
      } finally {
        auth.dispose()
      }
    },
    2,
  )
})
