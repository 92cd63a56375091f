// Says which requests of a signed-in user go out without the token, and why.
// Promise: neither a query nor a password in an address is in what it says.
import type { AuthEvents, AuthStats, Events } from '../events.js'
import { bareAddress, USERINFO } from '../redact.js'
import type { Call } from './call.js'

export type SkipReason = AuthEvents['skipped']['reason']

const HINTS = {
  origin: 'Its origin is not among those that tokens may go to: see `origins`.',
  'own-credential': 'It carries a credential that is not ours.',
  'opted-out': '`authClient` or a header of `null` or `false` said so.',
  'not-placeable': 'The option `place` found no place for it in this request.',
} as const

/** Why a request carries no token; `''` where nobody need know of it. */
export type Obstacle = SkipReason | ''

/** @param tokenless a cookie is the credential, so no request has a token */
export function createSkipReport(events: Events, stats: AuthStats, tokenless: boolean) {
  const warned = new Set<SkipReason>()

  return ({ config, option, session }: Call, obstacle: Obstacle): void => {
    if (!obstacle || tokenless || session.ended) return
    const { method = '', url = '', baseURL = '' } = config
    // A user name or password in an address is a credential of the caller's.
    const hasUser = USERINFO.test(url) || USERINFO.test(baseURL)
    const reason =
      option?.place === false ? 'opted-out' : obstacle === 'origin' && hasUser ? 'own-credential' : obstacle
    const address = bareAddress(url)
    stats.skipped++
    events.emit('skipped', { method, url: address, reason })
    if (warned.has(reason)) return
    warned.add(reason)
    try {
      // As it stands, so that bundlers put a constant there and drop the text. Without them and a `process`, it throws.
      // biome-ignore lint/style/noRestrictedGlobals: as above
      if (process.env.NODE_ENV !== 'production') {
        console.warn(
          `axios-auth-client: ${method.toUpperCase()} ${address} went out without the token (${reason}). ` +
            `${HINTS[reason]} \`authClient: false\` says that this is meant. Further ones: auth.on('skipped').`,
        )
      }
    } catch {}
  }
}
