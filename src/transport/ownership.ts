// Distinguishes our credential from the caller's own, wherever one comes back: a retry plug-in that resends a config, an old
// interceptor that still writes a token of ours.
import { deleteHeader, isOff, othersIn, readHeader } from '../headers.js'
import type { Placement } from '../placements/placement.js'
import type { SessionManager } from '../session/manager.js'
import type { Call, RequestConfig } from './call.js'
import { carries } from './classify.js'
import type { SkipReason } from './skipped.js'

export interface Ownership {
  /**
   * What the caller, or an interceptor of theirs, has said about the credential: another one, or none. A token of ours
   * that comes from them is neither: it is taken off.
   */
  foreignCredential(config: RequestConfig, call?: Partial<Call>): SkipReason | undefined
  /** Whether the refresh that is under way makes this request through the wrapped instance: it must not wait for itself. */
  isRefreshCall(config: RequestConfig): boolean
}

/** @param tryOn attaches a token to a config at once, for comparison; `false` where that cannot be */
export function createOwnership(
  manager: SessionManager,
  { header }: Placement,
  tryOn: (config: RequestConfig, accessToken: string) => boolean,
): Ownership {
  const credentialHeaders = [...new Set(['Authorization', header ?? 'Authorization'])]
  return { foreignCredential, isRefreshCall }

  function foreignCredential(config: RequestConfig, call?: Partial<Call>): SkipReason | undefined {
    if (config.auth) {
      if (!isOurs(config.auth.username, call)) return 'own-credential'
      delete config.auth
    }
    for (const name of credentialHeaders) {
      for (const [bag, key] of othersIn(config, name, call?.written)) {
        const value = bag[key]
        if (isOff(value)) {
          if (name === header) return 'opted-out'
        } else if (!isOurs(value, call)) return 'own-credential'
        else if (bag === config.headers) deleteHeader(config, key)
        else delete bag[key]
      }
    }
    return undefined
  }

  /** Whether a header's value is a token of this client's, however it is written. */
  function isOurs(value: unknown, { option, session }: Partial<Call> = {}): boolean {
    if (option?.place === false) return false
    // Also as a parameter: `Token token="…"`.
    const word =
      String(value)
        .match(/[^\s"]+/g)
        ?.pop() ?? ''
    const user = userIn(word)
    const isIt = (token: string) => {
      if (!token) return false
      if (token === word || token === user) return true
      const probe: RequestConfig = { headers: {} }
      return !!header && tryOn(probe, token) && readHeader(probe.headers, header) === value
    }
    // Of an ended session's request, the current one is somebody else's: it is sent again through an adapter of long ago.
    const current = manager.current()
    if (session?.ended && current && isIt(current.accessToken)) return false
    return manager.knows(word) || manager.knows(user) || manager.knownTokens().some(isIt)
  }

  function isRefreshCall(config: RequestConfig): boolean {
    const run = manager.underWay()
    if (!run) return false
    return config.signal === run.signal || (!!run.refreshToken && carries(config, run.refreshToken))
  }
}

/** The user name of HTTP Basic. */
function userIn(word: string): string | undefined {
  try {
    return atob(word).split(':')[0]
  } catch {
    return undefined
  }
}
