// The demo says what is true: its figures, its exit code, and that it would notice a broken guarantee.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { installAuthClient } from '../../examples/demo/auth-client.js'
import {
  type BurstResult,
  type ClientEvent,
  type Kind,
  type RequestRecord,
  type Role,
  runBurst,
} from '../../examples/demo/burst.js'
import { installFlagAndQueue } from '../../examples/demo/flag-and-queue.js'
import { checkGuarantees } from '../../examples/demo/guarantees.js'
import { createInk, wantsColour } from '../../examples/demo/ink.js'
import type { Trip } from '../../examples/demo/server.js'
import { drawSummary, summarise } from '../../examples/demo/summary.js'
import { drawLegend, drawTimeline } from '../../examples/demo/timeline.js'

const ESCAPE = '\x1b'

describe('npm run demo', () => {
  it('prints the figures of both sides and every guarantee as JSON, and exits with 0', async () => {
    const { code, stdout, stderr } = await runDemo('--json', '--requests', '20')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { ok, requests, sides, guarantees } = JSON.parse(stdout)
    expect({ ok, requests }).toEqual({ ok: true, requests: 20 })
    expect(sides['axios-auth-client']).toMatchObject({
      requests: 20,
      answered: 19,
      aborted: 1,
      lostOrFailed: 0,
      refreshes: 1,
      // All but the aborted one, the foreign one and the one made during the refresh.
      replays: 17,
      onTheWire: 20 + 17 + 1,
      carriedOutTwice: 0,
      foreignTokens: 0,
      reuseDetected: 0,
      signedOut: false,
    })
    expect(sides['flag-and-queue']).toMatchObject({ requests: 20, refreshes: 2, foreignTokens: 1 })
    expect(guarantees).toHaveLength(10)
    expect(guarantees.filter(({ held }: { held: boolean }) => !held)).toEqual([])
  })

  it('draws by default, without colours where there is no terminal', async () => {
    const { code, stdout, stderr } = await runDemo('--requests=6')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).not.toContain(ESCAPE)
    expect(stdout).toMatch(/┌─+ one refresh, \d+ ms ─+┐/)
    expect(stdout).toMatch(/axios-auth-client +flag-and-queue/)
    expect(stdout).toContain('✓ exactly one refresh (1)')
  })

  it.each([
    [['--colour'], 'unknown flag "--colour"'],
    [['50'], 'unknown flag "50"'],
    [['--requests'], 'from 6 to 5000, and none was given'],
    [['--requests', 'many'], 'from 6 to 5000, got "many"'],
    [['--requests=5'], 'from 6 to 5000, got "5"'],
    [['--requests=5001'], 'from 6 to 5000, got "5001"'],
    [['--json', '--requests', '7.5'], 'from 6 to 5000, got "7.5"'],
  ])('answers %j with one line on stderr and exits with 2', async (args, message) => {
    const { code, stdout, stderr } = await runDemo(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })
})

describe('the guarantees', () => {
  let result: BurstResult
  beforeAll(async () => {
    result = await runBurst(8, installAuthClient)
  })

  it('hold for a burst through the library', () => {
    expect(brokenIn(result)).toEqual([])
  })

  it('break for the flag and the queue, where they do', async () => {
    const theirs = await runBurst(8, installFlagAndQueue)
    expect(brokenIn(theirs)).toEqual([
      'exactly one refresh',
      'the aborted one got a CanceledError at once, no replay',
      'the one made meanwhile waited and was not refused',
      'the foreign origin saw no token',
    ])
  })

  const CAME_BACK = 'every request came back to its caller'
  const ONE_REFRESH = 'exactly one refresh'
  const ABORTED = 'the aborted one got a CanceledError at once, no replay'
  const ANSWERED = 'every other one was answered, about the very bytes it sent'
  const ONCE = 'no request was carried out twice'
  const DURING = 'the one made meanwhile waited and was not refused'
  const FOREIGN = 'the foreign origin saw no token'
  const REUSE = 'no refresh token was used twice'
  const WIRE = 'at most 17 requests on the wire (2 N + 1)'
  const SIGNED_IN = 'still signed in, for the client and for the server'

  const forgeries: [string, (forged: BurstResult) => void, string[]][] = [
    [
      'a request never comes back',
      (r) => Object.assign(requestOf(r, 'ordinary'), { outcome: 'pending', settledAtMs: undefined }),
      [CAME_BACK, ANSWERED],
    ],
    [
      'a request fails',
      (r) => Object.assign(requestOf(r, 'late'), { outcome: 'failed', error: 'socket hang up' }),
      [ANSWERED],
    ],
    [
      'an answer is about other bytes',
      (r) => Object.assign(requestOf(r, 'ordinary'), { isRight: false }),
      [ANSWERED],
    ],
    ['a second refresh is sent', (r) => r.trips.push({ ...tripOf(r, 'refresh') }), [ONE_REFRESH]],
    [
      'no refresh is sent',
      (r) => r.trips.splice(r.trips.indexOf(tripOf(r, 'refresh')), 1),
      [ONE_REFRESH, ABORTED],
    ],
    [
      'the aborted request is replayed',
      (r) => r.trips.push({ ...tripOf(r, 'api'), id: requestOf(r, 'aborted').id, status: 401 }),
      [ABORTED],
    ],
    [
      'the aborted request fails in another way',
      (r) => Object.assign(requestOf(r, 'aborted'), { outcome: 'failed' }),
      [ABORTED],
    ],
    [
      'the abort takes effect only after the refresh',
      (r) => Object.assign(requestOf(r, 'aborted'), { settledAtMs: Number.MAX_SAFE_INTEGER }),
      [ABORTED],
    ],
    [
      'a request is carried out twice',
      (r) => r.trips.push({ ...tripOf(r, 'api'), id: requestOf(r, 'ordinary').id, status: 200 }),
      [ONCE],
    ],
    [
      'the one made during the refresh is sent with the expired token',
      (r) => r.trips.push({ ...tripOf(r, 'api'), id: requestOf(r, 'during').id, status: 401 }),
      [DURING],
    ],
    ['a token goes to the foreign origin', (r) => Object.assign(r, { foreignTokens: 1 }), [FOREIGN]],
    ['a refresh token is sent twice', (r) => Object.assign(r, { reuses: 1 }), [REUSE]],
    [
      'too much goes over the wire',
      (r) => r.trips.push(...Array.from({ length: 4 }, () => ({ ...tripOf(r, 'api'), id: undefined }))),
      [WIRE],
    ],
    ['the client has signed out', (r) => Object.assign(r.signedIn, { client: false }), [SIGNED_IN]],
    ['the server has revoked the session', (r) => Object.assign(r.signedIn, { server: false }), [SIGNED_IN]],
  ]

  it.each(forgeries)('are reported as broken when %s', (_what, forge, broken) => {
    const forged = structuredClone(result)
    forge(forged)
    expect(brokenIn(forged)).toEqual(broken)
  })

  it('match the summary', () => {
    const forged = structuredClone(result)
    Object.assign(requestOf(forged, 'ordinary'), { outcome: 'pending' })
    // However busy the machine was.
    const given = requestOf(forged, 'aborted')
    Object.assign(given, { settledAtMs: given.abortedAtMs })
    forged.foreignTokens = 2
    forged.signedIn.server = false
    expect(summarise(forged)).toMatchObject({
      answered: 6,
      aborted: 1,
      lostOrFailed: 1,
      foreignTokens: 2,
      signedOut: true,
    })
    const table = drawSummary([{ name: 'forged', summary: summarise(forged) }], createInk(false)).join('\n')
    expect(table.match(/◂$/gm)).toHaveLength(4)
  })
})

describe('the drawing', () => {
  const plain = createInk(false)

  it('shows how each request ended', () => {
    expect(drawTimeline(PICTURED, { columns: 90, ink: plain })).toEqual([
      '  milliseconds             ╷0           ╷50          ╷100         ╷150         ╷200',
      '  the refresh                        ┌─ one refresh, 100 ms ──┐',
      '  1 GET                    ─────────×│░░░░░░░░░░░░░░░░░░░░░░░░│↻━━━━━━━━━━━━✓',
      '  2 POST JSON              ──────────┼──×░░░░░░░░░░░░░░░░░░░░░│↻━━━━━━━━━━━━━━━━━━━━✓',
      '  3 POST form late 401     ──────────┼────────────────────────┼────────×↻━━━━━━━━━━✓',
      '  4 GET       aborted      ──────────┼──×░░░░░░░░░░░░░⊘       │',
      '  5 GET       other origin ──────────┼───────────✓            │',
      '  6 POST JSON made during            │            ░░░░░░░░░░░░│━━━━━━━━━━━━✓',
    ])
  })

  it('shows which requests never settled and which failed', () => {
    const forged = structuredClone(PICTURED)
    Object.assign(forged.requests[0]!, { outcome: 'pending', settledAtMs: undefined })
    Object.assign(forged.requests[1]!, { outcome: 'failed' })
    const rows = drawTimeline(forged, { columns: 80, ink: plain })
    expect(rows[2]).toMatch(/↻━{20,}$/)
    expect(rows[3]).toMatch(/↻━+!$/)
  })

  it.each([60, 80, 100, 140, 400])('fits into %i columns', (columns) => {
    const lines = drawTimeline(PICTURED, { columns, ink: plain })
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
    expect(lines.filter((line) => /^ +\d+ (GET|POST)/.test(line))).toHaveLength(6)
  })

  it('keeps the legend, the table and the guarantees within 80 columns', () => {
    const summary = { ...summarise(PICTURED), refreshes: 2, foreignTokens: 1, abortSettledAfterMs: 50 }
    const sides = ['axios-auth-client', 'flag-and-queue'].map((name) => ({ name, summary }))
    const lines = [...drawLegend(plain), ...drawSummary(sides, plain)]
    for (const { promise, seen } of checkGuarantees(PICTURED)) lines.push(`  ✓ ${promise} (${seen})`)
    expect(lines.filter((line) => line.length > 80)).toEqual([])
  })

  it('summarises many requests in one line, but never hides one that failed', () => {
    const ordinary = Array.from({ length: 66 }, (_, index) => ({
      ...PICTURED.requests[0]!,
      id: index + 1,
    }))
    const specials = PICTURED.requests.slice(2).map((request, index) => ({ ...request, id: 67 + index }))
    const many = { ...PICTURED, requests: [...ordinary, ...specials] }
    const draw = () => drawTimeline(many, { columns: 100, ink: plain })
    expect(draw()).toContain('     … and 30 more like these, all answered')
    ordinary[59]!.outcome = 'failed'
    expect(draw().find((line) => line.startsWith('  60 '))).toMatch(/!$/)
    expect(draw()).toContain('     … and 29 more like these, all answered')
  })

  it('is coloured on a terminal only, and not where NO_COLOR forbids it', () => {
    expect(wantsColour({ isTTY: true }, {})).toBe(true)
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '' })).toBe(true)
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '1' })).toBe(false)
    expect(wantsColour({ isTTY: true }, { TERM: 'dumb' })).toBe(false)
    expect(wantsColour({}, {})).toBe(false)
    expect(drawTimeline(PICTURED, { columns: 100, ink: createInk(true) }).join()).toContain(ESCAPE)
  })
})

/** A burst of six with round times, as the servers and the callers would have seen it. */
const PICTURED: BurstResult = (() => {
  const request = (
    id: number,
    kind: Kind,
    role: Role,
    madeAtMs: number,
    settledAtMs: number,
    abortedAtMs?: number,
  ): RequestRecord => ({
    ...{ id, kind, role, madeAtMs, settledAtMs, abortedAtMs, error: undefined },
    outcome: role === 'aborted' ? 'canceled' : 'answered',
    isRight: role !== 'aborted',
  })
  const trip = (
    to: Trip['to'],
    id: number | undefined,
    from: number,
    until: number,
    status: number,
  ): Trip => ({
    ...{ to, id, status, arrivedAtMs: 1000 + from, answeredAtMs: 1000 + until, hadToken: to === 'api' },
  })
  return {
    startedAtMs: 1000,
    requests: [
      request(1, 'GET', 'ordinary', 1000, 1190),
      request(2, 'JSON', 'ordinary', 1000, 1220),
      request(3, 'form', 'late', 1000, 1215),
      request(4, 'GET', 'aborted', 1000, 1105, 1105),
      request(5, 'GET', 'foreign', 1000, 1085),
      request(6, 'JSON', 'during', 1090, 1185),
    ],
    trips: [
      ...[trip('api', 1, 1, 33, 401), trip('api', 2, 1, 49, 401), trip('api', 3, 1, 169, 401)],
      ...[
        trip('api', 4, 1, 49, 401),
        trip('foreign', 5, 1, 84, 200),
        trip('refresh', undefined, 36, 134, 200),
      ],
      ...[trip('api', 1, 137, 189, 200), trip('api', 2, 137, 219, 200), trip('api', 6, 138, 184, 200)],
      trip('api', 3, 172, 214, 200),
    ],
    events: [
      { name: 'refreshStart', id: undefined, atMs: 1035 },
      ...[held(1, 1035), held(2, 1050), held(4, 1050), held(6, 1090)],
      { name: 'refreshed', id: undefined, atMs: 1135 },
      ...[replay(1, 1135), replay(2, 1136), replay(3, 1170)],
    ],
    reuses: 0,
    foreignTokens: 0,
    signedIn: { client: true, server: true },
  }
})()

function held(id: number, atMs: number): ClientEvent {
  return { name: 'held', id, atMs }
}

function replay(id: number, atMs: number): ClientEvent {
  return { name: 'replay', id, atMs }
}

function brokenIn(result: BurstResult): string[] {
  return checkGuarantees(result).flatMap(({ promise, held }) => (held ? [] : [promise]))
}

function requestOf({ requests }: BurstResult, role: Role) {
  return requests.find((request) => request.role === role)!
}

function tripOf({ trips }: BurstResult, to: 'api' | 'refresh') {
  return trips.find((trip) => trip.to === to)!
}

function runDemo(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const cwd = fileURLToPath(new URL('../../', import.meta.url))
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--import', 'tsx', 'examples/demo/main.ts', ...args],
      { cwd },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}
