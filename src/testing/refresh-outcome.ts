// Owns the ways in which a refresh ends, as far as no token is needed for it, and the order in which they come.
import { HttpResponse } from 'msw'
import { json } from './http.js'

/**
 * How one refresh is answered.
 * - `granted`: with new tokens, if the refresh token is good; `refused` (401 `invalid_grant`): the session is over;
 * - `unavailable`: 503; `network`: no connection; `lost`: new tokens are issued, but the answer never arrives;
 * - `hang`: no answer until `reset`; `malformed`: 200 with a captive portal's page;
 * - `misconfigured`: 400 `invalid_client`; a number: that status; a function: what it returns.
 */
export type RefreshOutcome = NamedOutcome | number | ((request: Request) => Response | Promise<Response>)

export type NamedOutcome = (typeof NAMED_OUTCOMES)[number]

const NAMED_OUTCOMES = [
  'granted',
  'refused',
  'unavailable',
  'network',
  'lost',
  'hang',
  'malformed',
  'misconfigured',
] as const

/** The outcomes that the test has asked for, in order. */
export function createOutcomes() {
  let queue: RefreshOutcome[] = []
  let standing: RefreshOutcome = 'granted'
  return {
    next: (...outcomes: RefreshOutcome[]) =>
      void queue.push(...outcomes.map((outcome) => checked('next', outcome))),
    always(outcome: RefreshOutcome): void {
      standing = checked('always', outcome)
    },
    take: () => queue.shift() ?? standing,
    clear() {
      queue = []
      standing = 'granted'
    },
  }
}

/** The answers that need no token. */
export function plainAnswer(outcome: Exclude<NamedOutcome, 'granted' | 'hang'> | number): Response {
  switch (outcome) {
    case 'refused':
      return json(401, { error: 'invalid_grant' })
    case 'unavailable':
      return json(503, { error: 'temporarily_unavailable' })
    case 'network':
    case 'lost':
      return HttpResponse.error()
    case 'malformed':
      return HttpResponse.html('<title>Welcome to the hotel network</title>')
    case 'misconfigured':
      return json(400, { error: 'invalid_client' })
    default:
      return json(outcome, { error: 'made to fail by the test' })
  }
}

function checked(method: string, outcome: RefreshOutcome): RefreshOutcome {
  const isStatus = Number.isInteger(outcome) && (outcome as number) >= 200 && (outcome as number) <= 599
  if (isStatus || typeof outcome === 'function' || NAMED_OUTCOMES.includes(outcome as NamedOutcome)) {
    return outcome
  }
  const names = NAMED_OUTCOMES.map((name) => `'${name}'`).join(', ')
  const came = typeof outcome === 'string' ? `'${outcome}'` : String(outcome)
  throw new Error(
    `refresh.${method}: expected ${names}, a status from 200 to 599, or a function that returns a Response; got ${came}.`,
  )
}
