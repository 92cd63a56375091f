// Where a request really goes, and whether a token may go there. Pure but for the page's own address.
// Promise: when two readings of a URL are possible, a token goes out only if both lead to an allowed origin; what
// cannot be read at all is foreign. What counts as home is the page's own address, whatever its elements say.

/** What decides where axios sends a request. */
export interface Target {
  url?: string | undefined
  baseURL?: string | undefined
  allowAbsoluteUrls?: unknown
}

// axios's own test (isAbsoluteURL, the same since 0.27): what does not match is appended to the base URL.
const ABSOLUTE = /^([a-z][a-z\d+\-.]*:)?\/\//i

// An http URL whose authority every parser reads alike. What does not match is left to the platform's parser.
const PLAIN = /^(https?):\/\/([a-z\d._-]+|\[[\da-f:]+\])(?::(\d+))?(?=[/?#]|$)/i

// Internationalised names, and the schemes of app shells.
const CLEAR = /^([a-z][a-z\d+\-.]*:)?\/\/[^/?#%@\\\s\p{Cc}]+(?=[/?#]|$)/iu

/**
 * The origin of an absolute URL, or of one that a page resolves: as it resolves its own, or from `start`. Userinfo is a
 * credential of the caller's: no origin.
 */
export function originOf(url: string, start = resolvingUrl): string | undefined {
  const plain = PLAIN.exec(url)
  if (plain) {
    const [, scheme = '', host = '', port] = plain
    const usual = !port || port === (scheme.length === 4 ? '80' : '443')
    return `${scheme}://${host}${usual ? '' : `:${port}`}`.toLowerCase()
  }
  const base = start()
  // Parsers differ on all else that stands in for an authority: axios 0.27 reads http://exampl%65/ as another host than
  // browsers do, and http:/host as no host at all. In a page its own parser decides; what axios calls absolute must be clear.
  if (!CLEAR.test(url) && (base === undefined || ABSOLUTE.test(url))) return undefined
  try {
    const { protocol, host, username, password } = new URL(url, base)
    // Not `origin`: it is the text "null" for every scheme of an app shell, such as capacitor:.
    return username || password || !host ? undefined : `${protocol}//${host}`
  } catch {
    return undefined
  }
}

// What relative URLs start from. A <base> element moves it, and anybody who can write HTML into the page can add one.
export function resolvingUrl(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href
}

/** Where the page is, which no element moves. A blob: URL belongs to the page that made it. */
export function pageUrl(): string | undefined {
  return globalThis.location?.href?.replace(/^blob:/, '')
}

/** The origin of an instance's own addresses: of its `baseURL`, or of the page where there is none or a relative one. */
export function homeOf(baseURL: unknown): string | undefined {
  const url = String(baseURL || '')
  // A blob: worker has an origin too, but nothing that resolves a relative URL.
  return isBlob() && !originOf(url) ? undefined : originOf(url, pageUrl)
}

/** Whether a home that is not known may still be: no page says one (a build, a server, a blob: worker). */
export function mayHomeCome(baseURL: unknown): boolean {
  const url = String(baseURL || '')
  return (!ABSOLUTE.test(url) || url.startsWith('//')) && (!globalThis.location?.href || isBlob())
}

function isBlob(): boolean {
  return !!globalThis.location?.href?.startsWith('blob:')
}

/** The origins that a target may lead to: one for each way in which some version of axios reads it. */
export function originsOf(
  { url: target = '', baseURL, allowAbsoluteUrls }: Target,
  read: (url: string) => string | undefined = originOf,
): (string | undefined)[] {
  // axios takes URL objects too.
  const url = String(target)
  const base = String(baseURL || '')
  // axios puts a slash between both, so nothing in `url` can reach the authority of an absolute base. With a relative
  // one, the page decides where both together lead.
  const joined = () =>
    read(ABSOLUTE.test(base) ? base : `${base.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}`)
  if (!base) return [read(url)]
  if (!ABSOLUTE.test(url)) return [joined()]
  // Before axios 1.8 the option does not exist, and the absolute URL is where the request goes. From then on it was
  // compared by `== false`, and later by `=== false`.
  return allowAbsoluteUrls === undefined || allowAbsoluteUrls === true ? [read(url)] : [read(url), joined()]
}

/** Checks that all a target can lead to is allowed. The origin of the last base URL is remembered. */
export function createOriginCheck(
  isAllowedOrigin: (origin: string | undefined) => boolean,
): (target: Target) => boolean {
  let lastUrl: string | undefined
  let lastOrigin: string | undefined

  return (target) => originsOf(target, read).every(isAllowedOrigin)

  function read(url: string): string | undefined {
    // What has no scheme leads elsewhere when a <base> element joins the page.
    if (!/^[a-z][a-z\d+\-.]*:\/\//i.test(url)) return originOf(url)
    if (url !== lastUrl) lastOrigin = originOf((lastUrl = url))
    return lastOrigin
  }
}
