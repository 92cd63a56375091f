// Where a request really goes, and whether a token may go there. Pure but for the page's own address.
// Promise: when two readings of a URL are possible, a token goes out only if both lead to an allowed origin; what
// cannot be read at all is foreign.

/** What decides where axios sends a request. */
export interface Target {
  url?: string
  baseURL?: string
  allowAbsoluteUrls?: boolean
}

// axios's own test (isAbsoluteURL, the same since 0.27): what does not match is appended to the base URL.
const ABSOLUTE = /^([a-z][a-z\d+\-.]*:)?\/\//i

// An http URL whose authority every parser reads alike. What does not match is left to the platform's parser.
const PLAIN = /^(https?):\/\/([a-z\d.-]+|\[[\da-f:]+\])(?::(\d+))?(?=[/?#]|$)/i

// Internationalised names, and the schemes of app shells.
const CLEAR = /^([a-z][a-z\d+\-.]*:)?\/\/[^/?#%@\\\s\p{Cc}]+(?=[/?#]|$)/iu

/** The origin of an absolute URL, or of one that the page resolves. Userinfo is a credential of the caller's: no origin. */
export function originOf(url: string): string | undefined {
  const plain = PLAIN.exec(url)
  if (plain) {
    const [, scheme = '', host = '', port] = plain
    const usual = !port || port === (scheme.length === 4 ? '80' : '443')
    return `${scheme}://${host}${usual ? '' : `:${port}`}`.toLowerCase()
  }
  const page = pageUrl()
  // Parsers differ on all else that stands in for an authority: axios 0.27 reads http://exampl%65/ as another host than
  // browsers do, and http:/host as no host at all. In a page its own parser decides; what axios calls absolute must be clear.
  if (!CLEAR.test(url) && (page === undefined || ABSOLUTE.test(url))) return undefined
  try {
    const { protocol, host, username, password } = new URL(url, page)
    // Not `origin`: it is the text "null" for every scheme of an app shell, such as capacitor:.
    return username || password || !host ? undefined : `${protocol}//${host}`
  } catch {
    return undefined
  }
}

/** The origin of the page, if there is one. */
export function pageOrigin(): string | undefined {
  const url = pageUrl()
  return url === undefined ? undefined : originOf(url)
}

// A <base> element moves relative URLs, so the address bar alone would not tell.
function pageUrl(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href
}

/** Tells for a target whether all it can lead to is allowed. The origin of the last base URL is remembered. */
export function createOriginCheck(
  isAllowedOrigin: (origin: string | undefined) => boolean,
): (target: Target) => boolean {
  let lastBase: string | undefined
  let lastOrigin: string | undefined

  return ({ url: target = '', baseURL, allowAbsoluteUrls }) => {
    // axios takes URL objects too.
    const url = String(target)
    if (!baseURL) return isAllowedOrigin(originOf(url))
    if (!ABSOLUTE.test(url)) return isAllowedOrigin(originWith(baseURL, url))
    // Before axios 1.8 the option does not exist, and the absolute URL is where the request goes.
    return (
      isAllowedOrigin(originOf(url)) &&
      (allowAbsoluteUrls !== false || isAllowedOrigin(originWith(baseURL, url)))
    )
  }

  function originWith(baseURL: string, url: string): string | undefined {
    // With a relative base, the page decides where both together lead.
    if (!ABSOLUTE.test(baseURL)) return originOf(`${baseURL.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}`)
    if (baseURL !== lastBase) {
      lastBase = baseURL
      // axios puts a slash between both, so nothing in `url` can reach the authority.
      lastOrigin = originOf(baseURL)
    }
    return lastOrigin
  }
}
