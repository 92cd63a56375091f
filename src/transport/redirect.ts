// What a redirect changes: where an answer comes from, and where a credential may still go.
// Knows no session, and sends nothing.
import { USERINFO } from '../redact.js'
import { originOf, originsOf, pageUrl, type Target } from './origin.js'

/** As much of a response as shows where it comes from. */
interface Fetched {
  request?: { res?: { responseUrl?: unknown } | null; responseURL?: unknown } | null
  config?: Redirectable | undefined
}

/** As much of a config as its redirects need. */
export interface Redirectable extends Target {
  headers?: unknown
  /** A Unix socket: whatever the URLs say, all goes there. */
  socketPath?: unknown
  proxy?: unknown
  beforeRedirect?: ((options: Redirect, ...details: never[]) => void) | undefined
}

/** As much as is read of what the `follow-redirects` package hands its hook. */
interface Redirect {
  href?: unknown
  headers?: Record<string, unknown>
}

const HAS_HOST = /^[a-z][a-z\d+\-.]*:\/\/[^/?#]/i

/**
 * Whether a redirect has fetched an answer from a foreign origin. Node's http adapter and XMLHttpRequest know the final
 * URL; with fetch, axios hands on none, and the answer counts as one from where the request was sent.
 */
export function isFromElsewhere(
  { request, config }: Fetched,
  isAllowed: (origin: string | undefined) => boolean,
): boolean {
  const final = request?.res?.responseUrl ?? request?.responseURL
  if (!final) return false
  const url = withoutUserinfo(final)
  // A mock repeats the path that it was asked for.
  if (config?.socketPath || !HAS_HOST.test(url)) return false
  const origin = originOf(url)
  if (isAllowed(origin)) return false
  // An adapter of the app's own may have changed the address, and an app shell fetches through the page's own origin.
  const own = originsOf(config ?? {}, (text) => originOf(text, pageUrl))
  return !own.includes(origin) && (!origin || origin !== originOf('', pageUrl))
}

/**
 * Drops `Authorization` when Node's http adapter is redirected to another origin: axios up to 1.13 takes it along to
 * sub-domains. Returns what makes the config the caller's own again.
 */
export function dropOnRedirect(config: Redirectable): (() => void) | undefined {
  const { process } = globalThis as { process?: { versions?: { node?: string }; env: object } }
  const { beforeRedirect: own } = config
  if (!process?.versions?.node || config.socketPath || (!own && needsItsHook(config, process.env)))
    return undefined
  config.beforeRedirect = drop
  return () => {
    if (config.beforeRedirect !== drop) return
    if (own) config.beforeRedirect = own
    else delete config.beforeRedirect
  }

  function drop(options: Redirect, ...details: never[]): void {
    const { headers = {}, href } = options
    // Node sends no userinfo of a redirect. What is dropped stays so, when the next one leads back.
    if (!originsOf(config).includes(originOf(withoutUserinfo(href)))) {
      for (const name of Object.keys(headers)) if (/^authorization$/i.test(name)) delete headers[name]
    }
    own?.(options, ...details)
  }
}

/** Credentials in a URL say nothing about where it leads. */
function withoutUserinfo(url: unknown): string {
  return String(url).replace(USERINFO, '$1')
}

/** axios 0.27 has room for one hook, and where there is a proxy it leads redirects there by one of its own. */
function needsItsHook({ headers, proxy }: Redirectable, env: object): boolean {
  const isOld = !(headers as { set?: unknown } | undefined)?.set
  return (
    isOld && proxy !== false && (!!proxy || Object.keys(env).some((name) => /^https?_proxy$/i.test(name)))
  )
}
