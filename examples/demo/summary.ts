// The figures of a burst, side by side. What can be counted at the servers is counted there; the callers are asked only
// for what they alone know: whether they got their answer.
import type { BurstResult } from './burst.js'
import { isAnswered, repeatedIds } from './guarantees.js'
import type { Ink } from './ink.js'

export interface Summary {
  requests: number
  answered: number
  /** Given up by the caller, who got axios's CanceledError. */
  aborted: number
  /** Never came back, came back with an error, or with an answer about other bytes. */
  lostOrFailed: number
  /** Refresh calls that reached the server. */
  refreshes: number
  /** Requests that reached a server for a second or further time. */
  replays: number
  /** All that reached either server, but for the login. */
  onTheWire: number
  carriedOutTwice: number
  /** How often the foreign origin was handed a token. */
  foreignTokens: number
  /** Refresh tokens that came to the server a second time. */
  reuseDetected: number
  signedOut: boolean
  /** How long the caller of the aborted request waited for the rejection; `null` if it never came. */
  abortSettledAfterMs: number | null
}

export function summarise(result: BurstResult): Summary {
  const { requests, trips, signedIn } = result
  const answered = requests.filter(isAnswered).length
  const aborted = requests.filter(({ role, outcome }) => role === 'aborted' && outcome === 'canceled').length
  const ids = trips.flatMap(({ id }) => (id === undefined ? [] : [id]))
  const given = requests.find(({ role }) => role === 'aborted')
  return {
    requests: requests.length,
    answered,
    aborted,
    lostOrFailed: requests.length - answered - aborted,
    refreshes: trips.filter(({ to }) => to === 'refresh').length,
    replays: ids.length - new Set(ids).size,
    onTheWire: trips.length,
    carriedOutTwice: repeatedIds(result).length,
    foreignTokens: result.foreignTokens,
    reuseDetected: result.reuses,
    signedOut: !signedIn.client || !signedIn.server,
    abortSettledAfterMs:
      given?.outcome === 'canceled' && given.abortedAtMs !== undefined && given.settledAtMs !== undefined
        ? Math.round(given.settledAtMs - given.abortedAtMs)
        : null,
  }
}

export interface Side {
  name: string
  summary: Summary
}

interface Line {
  label: string
  read(summary: Summary): string | number
  /** Whether this is worse than it has to be. */
  isBad(summary: Summary): boolean
  /** Where it comes from when the flag and the queue have it. */
  why?: string
}

const LINES: Line[] = [
  { label: 'requests', read: (s) => s.requests, isBad: () => false },
  { label: 'answered', read: (s) => s.answered, isBad: (s) => s.answered < s.requests - s.aborted },
  { label: 'aborted by the caller', read: (s) => s.aborted, isBad: (s) => s.aborted !== 1 },
  { label: 'lost or failed', read: (s) => s.lostOrFailed, isBad: (s) => s.lostOrFailed > 0 },
  {
    label: 'refreshes',
    read: (s) => s.refreshes,
    isBad: (s) => s.refreshes !== 1,
    why: 'the late 401 was about the old token, and yet started another refresh',
  },
  { label: 'replays', read: (s) => s.replays, isBad: () => false },
  { label: 'on the wire', read: (s) => s.onTheWire, isBad: () => false },
  { label: 'carried out twice', read: (s) => s.carriedOutTwice, isBad: (s) => s.carriedOutTwice > 0 },
  {
    label: 'tokens seen by the foreign origin',
    read: (s) => s.foreignTokens,
    isBad: (s) => s.foreignTokens > 0,
    why: 'the interceptor puts the token on every request, wherever it goes',
  },
  { label: 'refresh token reuse detected', read: (s) => s.reuseDetected, isBad: (s) => s.reuseDetected > 0 },
  { label: 'signed out', read: (s) => (s.signedOut ? 'yes' : 'no'), isBad: (s) => s.signedOut },
  {
    label: 'abort reached its caller after',
    read: ({ abortSettledAfterMs: ms }) => (ms === null ? 'never' : `${ms} ms`),
    // Forty is the time for which the scene goes on after the abort before the refresh is answered.
    isBad: ({ abortSettledAfterMs: ms }) => ms === null || ms >= 40,
    why: 'a queued request rejects after its abort only when the queue is released',
  },
]

/** A table with a column for each side. What is worse than it has to be carries a mark, with colours or without. */
export function drawSummary(sides: Side[], ink: Ink): string[] {
  const labelWidth = Math.max(...LINES.map(({ label }) => label.length))
  const width = Math.max(...sides.map(({ name }) => name.length)) + 3
  const names = sides.map(({ name }) => ink('bold', `${name.padStart(width)}  `))
  const reasons = LINES.filter(
    ({ isBad, why }) => why && sides.slice(1).some(({ summary }) => isBad(summary)),
  )
  return [
    `  ${' '.repeat(labelWidth)}${names.join('')}`,
    ink('dim', `  ${'─'.repeat(labelWidth + sides.length * (width + 2))}`),
    ...LINES.map(({ label, read, isBad }) => {
      const cells = sides.map(({ summary }) => {
        const text = String(read(summary)).padStart(width)
        return isBad(summary) ? ink('red', `${text} ◂`) : `${text}  `
      })
      return `  ${label.padEnd(labelWidth)}${cells.join('')}`
    }),
    '',
    ...reasons.map(({ why }) => `  ${ink('red', '◂')} ${why}`),
  ].map((line) => line.trimEnd())
}
