// Reads `WWW-Authenticate`, and says whether a newer token would answer it. Pure.
// Promise: any value gives a list, in time proportional to its length, and nothing throws.

/** One challenge of a 401 (RFC 9110 section 11.6.1). */
export interface Challenge {
  /** In lower case: `bearer`, `dpop`, `basic`. Empty where a server sent parameters without one. */
  scheme: string
  /** By their names in lower case. Of a name that comes twice, the first. A token68 is left out. */
  params: Readonly<Record<string, string | undefined>>
}

/** What `WWW-Authenticate` asks for: several challenges may stand in one header, or in several. */
export function readChallenges(header: unknown): Challenge[] {
  const lines = [header].flat().filter((line) => typeof line === 'string')
  // A scheme, a token68, or the name of a parameter with its value: quoted, perhaps without an end, or bare.
  const item = /([^\s,="]+)(?:\s*=\s*(?:"([^"\\]*(?:\\[\s\S][^"\\]*)*)|([^\s,="][^\s,"]*)))?/g
  const text = lines.join()
  const challenges: Challenge[] = []
  let params: Record<string, string | undefined> = {}
  let end = 0
  let wasScheme = false
  for (const match of text.matchAll(item)) {
    const [all, word = '', quoted, bare] = match
    const name = word.toLowerCase()
    const value = quoted?.replace(/\\([\s\S])/g, '$1') ?? bare
    // Only a token68 follows its scheme without a comma, and has no value.
    const isToken68: boolean = wasScheme && !text.slice(end, match.index).includes(',')
    wasScheme = value === undefined && !isToken68
    end = match.index + all.length
    if (wasScheme || !challenges.length) {
      params = Object.create(null)
      challenges.push({ scheme: wasScheme ? name : '', params })
    }
    if (value !== undefined) params[name] ??= value
  }
  return challenges
}

// RFC 6750 section 3.1, RFC 9470 section 3, and Microsoft's claims challenge: the token is good, and not enough.
const NO_TOKEN_HELPS = /^(insufficient_(scope|user_authentication|claims)|invalid_request)$/i

/**
 * Whether a newer token may answer a 401 with this `WWW-Authenticate`: unless each challenge for our scheme says that
 * none will. `scheme`: in lower case; `undefined` where it is not known, and then every challenge is for it.
 */
export function canNewTokenAnswer(header: unknown, scheme: string | undefined): boolean {
  const ours = readChallenges(header).filter((one) => !scheme || !one.scheme || one.scheme === scheme)
  return !ours.length || ours.some(({ params }) => !params.claims && !NO_TOKEN_HELPS.test(params.error ?? ''))
}
