// What the library promises about such a burst, checked against what the servers and the callers saw. Pure.
import type { BurstResult, RequestRecord } from './burst.js'

export interface Guarantee {
  /** The promise, in a line. */
  promise: string
  held: boolean
  /** What was seen, whether it held or not. */
  seen: string
}

export function checkGuarantees(result: BurstResult): Guarantee[] {
  const { requests, trips } = result
  const of = (role: RequestRecord['role']) => requests.filter((request) => request.role === role)
  const tripsOf = ({ id }: RequestRecord) => trips.filter((trip) => trip.id === id)

  const settled = requests.filter(({ outcome }) => outcome !== 'pending')
  const expected = requests.filter(({ role }) => role !== 'aborted')
  const answered = expected.filter(isAnswered)
  const refreshes = trips.filter(({ to }) => to === 'refresh')
  const repeated = repeatedIds(result)
  const limit = 2 * requests.length + 1

  const aborted = of('aborted')
  const abortIsClean = aborted.every((request) => {
    const { outcome, abortedAtMs, settledAtMs = Infinity } = request
    const refreshedAtMs = refreshes[0]?.answeredAtMs ?? 0
    const atOnce = abortedAtMs !== undefined && settledAtMs < refreshedAtMs
    return outcome === 'canceled' && atOnce && tripsOf(request).length === 1
  })
  const during = of('during')
  const duringIsHeld = during.every(
    (request) => isAnswered(request) && tripsOf(request).every(({ status }) => status === 200),
  )

  return [
    {
      promise: 'every request came back to its caller',
      held: settled.length === requests.length,
      seen: `${settled.length} of ${requests.length}`,
    },
    {
      promise: 'exactly one refresh',
      held: refreshes.length === 1,
      seen: String(refreshes.length),
    },
    {
      promise: 'the aborted one got a CanceledError at once, no replay',
      held: aborted.length > 0 && abortIsClean,
      seen: aborted.map((request) => `${request.outcome}, sent ${times(tripsOf(request).length)}`).join('; '),
    },
    {
      promise: 'every other one was answered, about the very bytes it sent',
      held: answered.length === expected.length,
      seen: failuresOf(expected) || `${answered.length} of ${expected.length}`,
    },
    {
      promise: 'no request was carried out twice',
      held: repeated.length === 0,
      seen: repeated.length ? `twice: ${list(repeated)}` : 'none',
    },
    {
      promise: 'the one made meanwhile waited and was not refused',
      held: during.length > 0 && duringIsHeld,
      seen: during.map((request) => `${request.outcome}, sent ${times(tripsOf(request).length)}`).join('; '),
    },
    {
      promise: 'the foreign origin saw no token',
      held: result.foreignTokens === 0,
      seen: String(result.foreignTokens),
    },
    {
      promise: 'no refresh token was used twice',
      held: result.reuses === 0,
      seen: String(result.reuses),
    },
    {
      promise: `at most ${limit} requests on the wire (2 N + 1)`,
      held: trips.length <= limit,
      seen: String(trips.length),
    },
    {
      promise: 'still signed in, for the client and for the server',
      held: result.signedIn.client && result.signedIn.server,
      seen: `client ${yes(result.signedIn.client)}, server ${yes(result.signedIn.server)}`,
    },
  ]
}

/** Whether the caller has an answer about what they had sent. */
export function isAnswered({ outcome, isRight }: RequestRecord): boolean {
  return outcome === 'answered' && isRight
}

/** The requests that a server carried out more than once. */
export function repeatedIds({ trips }: BurstResult): number[] {
  const done = new Set<number>()
  const repeated = new Set<number>()
  for (const { id, status } of trips) {
    if (id === undefined || status !== 200) continue
    if (done.has(id)) repeated.add(id)
    done.add(id)
  }
  return [...repeated]
}

function failuresOf(requests: RequestRecord[]): string {
  const faults = requests
    .filter((request) => !isAnswered(request))
    .map(({ id, outcome, error }) => `${id} (${outcome === 'answered' ? 'wrong body' : (error ?? outcome)})`)
  return faults.length ? `not: ${list(faults)}` : ''
}

function list(entries: (string | number)[]): string {
  const shown = entries.slice(0, 3).join(', ')
  return entries.length > 3 ? `${shown} and ${entries.length - 3} more` : shown
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function yes(value: boolean): string {
  return value ? 'yes' : 'no'
}
