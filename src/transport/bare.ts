// Requests that pass none of the user's interceptors: the refresh call, an adapter that only axios can resolve, and
// axios's own CanceledError.
// The only file that imports axios as a value, and never to make the user's requests: their instance may come from
// another copy of axios, so everything that can be had from the instance itself is had from there.
import axios, {
  type AxiosAdapter,
  type AxiosError,
  type AxiosInstance,
  type AxiosRequestConfig,
  type AxiosRequestHeaders,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios'
import { AuthClientError, isObject, setCause } from '../errors.js'
import { findHeader, readHeader, writeHeader } from '../headers.js'
import { createOriginCheck, homeOf, originOf, originsOf, pageUrl, resolvingUrl } from './origin.js'
import { isFromElsewhere } from './redirect.js'

/** What is needed of an axios instance. Structural: an instance of any axios version has it. */
export interface AxiosLike {
  // biome-ignore-start lint/suspicious/noExplicitAny: the types of every axios version have to fit
  defaults: any
  interceptors: { request: InterceptorManagerLike; response: InterceptorManagerLike }
  request(config: any): Promise<any>
  // biome-ignore-end lint/suspicious/noExplicitAny: as above
}

interface InterceptorManagerLike {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  use(...handlers: any[]): number
  eject(id: number): void
}

export interface Bare {
  /** A sibling of the instance with its defaults of this moment, without its interceptors. */
  http(): AxiosInstance
  /** The adapter behind a function, a name or a list of names (axios 1.2 and later). */
  resolve(adapter: AxiosRequestConfig['adapter'], config: AxiosRequestConfig): AxiosAdapter
  /** Sends a config whose request transforms have run; the response transforms run here. */
  dispatch(adapter: AxiosRequestConfig['adapter'], config: AxiosRequestConfig): Promise<AxiosResponse>
  /**
   * An AxiosError of ours, with `reason` as its cause: of a request that was not sent, with our code; of a `response` that
   * axios did not know for a refusal, with axios's.
   */
  failure(
    reason: AuthClientError | undefined,
    config: AxiosRequestConfig,
    response?: AxiosResponse | undefined,
  ): AxiosError
  /** Where a config leads, as axios joins its parts; absolute where a page resolves it. */
  addressOf(config: object): string
  /** axios's own error for a config whose signal or CancelToken has been used. */
  cancellation(config: AxiosRequestConfig): unknown
}

type ResolveAdapter = (adapter: unknown, config: unknown) => AxiosAdapter

// axios's own, as they were when the app started: on the default export an app can replace them.
const { transformRequest: ownTransforms, transformResponse, validateStatus } = axios.defaults ?? {}

/** axios's own default headers, as JSON: an app may have put others there before this file was loaded. */
const ownHeaders = JSON.stringify(axios.defaults?.headers ?? {}, [
  'common',
  'post',
  'put',
  'patch',
  'Accept',
  'Content-Type',
])

/**
 * The defaults that are no part of a refresh: how the app reads its own answers, what shows their progress (an upload
 * listener costs a preflight), and what would cut a refresh short and so spend its token: `refreshTimeoutMs` bounds it.
 */
const OF_THE_APP =
  /^(response(Type|Encoding)|decompress|parseReviver|transitional|on\w+Progress|timeout(ErrorMessage)?|signal|cancelToken|max(Content|Body)Length)$/

/** The defaults that are meant for the instance's own origin. */
const FOR_HOME = /^(headers|params|auth|withCredentials|withXSRFToken|xsrf\w+)$/

type IsAllowed = (origin: string | undefined) => boolean

export function createBare(instance: AxiosLike, isAllowed: IsAllowed): Bare {
  // A static: instances have none (axios 1.5 and later).
  const { getAdapter } = axios as { getAdapter?: ResolveAdapter }
  let bare: AxiosInstance | undefined

  function dispatch(
    adapter: AxiosRequestConfig['adapter'],
    config: AxiosRequestConfig,
  ): Promise<AxiosResponse> {
    // Made when first needed: with a newer axios, most clients never need it.
    bare ??= createSibling(instance, { headers: {} })
    // Plain headers: axios 1.0 and 1.1 fail on their own AxiosHeaders.
    const plain = { ...config, headers: { ...config.headers }, adapter, transformRequest: [] }
    return bare.request(plain as AxiosRequestConfig)
  }

  return {
    http() {
      const ofInstance = defaultsOf(instance)
      const others = Object.entries(ofInstance).filter(
        ([name]) => !OF_THE_APP.test(name) && !FOR_HOME.test(name),
      )
      const http = createSibling(instance, {
        ...Object.fromEntries(others),
        transformRequest,
        transformResponse,
        validateStatus,
        headers: JSON.parse(ownHeaders),
      })
      watchTarget(http, ofInstance, isAllowed)
      return http
    },
    resolve(adapter, config) {
      const wanted = adapter || axios.defaults.adapter
      if (typeof wanted === 'function') return wanted
      if (!getAdapter) return (sent) => dispatch(wanted, { ...sent, transformResponse: [] })
      const send = getAdapter(wanted, config)
      if (config.headers instanceof axios.AxiosHeaders) return send
      // Of another copy of axios: up to 1.7 this one would take no header from them.
      return (sent) => send({ ...sent, headers: new axios.AxiosHeaders({ ...sent.headers } as never) })
    },
    dispatch,
    failure(reason, config, response) {
      const [message, code] = response
        ? [`Request refused with status code ${response.status}`, 'ERR_BAD_REQUEST']
        : [reason?.message, reason?.code]
      const error = new axios.AxiosError(message, code, config as never, response?.request, response)
      if (reason) setCause(error, reason)
      return error
    },
    addressOf(config) {
      const { getUri } = axios as { getUri?: (config: object) => string }
      const address = String(getUri?.call(axios, config) ?? (config as AxiosRequestConfig).url)
      try {
        return new URL(address, resolvingUrl()).href
      } catch {
        return address
      }
    },
    cancellation: (config) =>
      config.cancelToken?.reason ?? new axios.CanceledError(undefined, config as InternalAxiosRequestConfig),
  }
}

/**
 * Lets a refresh look where it goes. Whom it talks to is decided by the app, and a <base> element or a redirect may be
 * anybody's. What the app has set up for its own API joins a call only there.
 */
function watchTarget(http: AxiosInstance, defaults: AxiosRequestConfig, isAllowed: IsAllowed): void {
  const home = homeOf(defaults.baseURL)
  // Where an instance has no address of its own, the origins of its tokens are the next best.
  const staysHome = createOriginCheck((origin) => (home ? origin === home : isAllowed(origin)))
  const fail = (why: string) => new AuthClientError('REFRESH_FAILED', why)
  const check = (response: AxiosResponse) => {
    if (response && isFromElsewhere(response, isAllowed))
      throw fail('The refresh endpoint redirects to a foreign origin.')
    return response
  }
  http.interceptors.request.use((config) => {
    const meant = originsOf(config, (url) => originOf(url, pageUrl))
    if (originsOf(config).every((origin) => meant.includes(origin) || isAllowed(origin))) {
      if (staysHome(config)) addDefaults(config, defaults)
      if (config.method === 'get') avoidCache(config)
      return config
    }
    throw fail('A <base> element leads the refresh to a foreign origin: give it an absolute url.')
  })
  http.interceptors.response.use(check, (error) => {
    check(error?.response)
    throw error
  })
}

type Bag = Record<string, unknown>

/** Adds what the call itself has not set. */
function addDefaults(config: InternalAxiosRequestConfig, defaults: AxiosRequestConfig): void {
  const { headers = {}, params } = defaults as { headers?: Record<string, Bag>; params?: unknown }
  const fields: Bag = config as never
  const own = config.headers as Bag
  // As axios joins them: deep, but a URLSearchParams takes the place of all others.
  config.params = axios.create({ params }).create({ params: config.params }).defaults.params
  for (const [name, value] of Object.entries(defaults)) {
    // axios would write `auth` over the credential of the call.
    const isSet = fields[name] !== undefined || (name === 'auth' && findHeader(own, 'Authorization'))
    if (FOR_HOME.test(name) && !isSet) fields[name] = value
  }
  // Before axios 1.0 bags join the others after the transforms, and stand beside them until then.
  const isNested = isBag(own.common)
  const chosen = isNested ? headers : { ...headers.common, ...headers[String(config.method)], ...headers }
  for (const [name, value] of Object.entries(chosen)) {
    if (!isBag(value)) {
      const set = findHeader(own, name)
      // axios's own gives way to the app's. Not its type of a form, which a call may have chosen.
      if (set === undefined || ownHeaders.includes(`"Accept":${JSON.stringify(set)}`))
        writeHeader(config, name, value as string)
    } else if (isNested) own[name] = { ...(own[name] as Bag), ...value }
  }
}

/** Headers of all methods, or of one. A list is one header. */
function isBag(value: unknown): value is Bag {
  return isObject(value) && !Array.isArray(value)
}

/** Keeps a GET from being answered out of the HTTP cache. */
function avoidCache(config: InternalAxiosRequestConfig): void {
  // Elsewhere (workerd) a request with this option is an error.
  const takesCache = typeof Request === 'function' && 'cache' in Request.prototype
  const fields = config as { fetchOptions?: object }
  if (takesCache) fields.fetchOptions = { ...fields.fetchOptions, cache: 'no-store' }
  // XMLHttpRequest has no such option, and a header would want a preflight, or another one than the server allows: so an
  // address that no cache knows. Not by `params`, which may be a URLSearchParams, or have a serializer of the app's.
  const isXhr = typeof XMLHttpRequest === 'function' && !/^fetch\b/.test(String(config.adapter))
  if (!isXhr && takesCache) return
  const name = config.url ? 'url' : 'baseURL'
  const url = String(config[name] ?? '')
  config[name] = url.replace(/#.*|$/s, `${url.replace(/#.*/s, '').includes('?') ? '&' : '?'}_=${Date.now()}`)
}

/** axios's own request transforms. They want AxiosHeaders, where an instance of another copy (0.27) has plain ones. */
function transformRequest(this: never, data: unknown, headers: AxiosRequestHeaders): unknown {
  const { AxiosHeaders } = axios
  const wanted = AxiosHeaders && !headers.getContentType ? new AxiosHeaders() : headers
  const type = readHeader(headers, 'Content-Type') as string
  // Nothing but the type of the body is read and written there.
  if (wanted !== headers && type) wanted.setContentType(type)
  const transforms = [ownTransforms ?? []].flat()
  const body = transforms.reduce<unknown>((value, transform) => transform.call(this, value, wanted), data)
  const made = wanted !== headers && wanted.getContentType()
  if (made) writeHeader({ headers }, 'Content-Type', String(made))
  return body
}

/**
 * The defaults that are in force. What `axios.create()` returns does not use another object that is put in the place of
 * its `defaults`, and has no way to the one that it uses; its own siblings get a copy of that.
 */
export function defaultsOf(instance: AxiosLike): AxiosLike['defaults'] {
  const { create } = instance as { create?: typeof axios.create }
  return create ? create.call(instance).defaults : instance.defaults
}

function createSibling(instance: AxiosLike, defaults: object): AxiosInstance {
  const { create } = instance as { create?: typeof axios.create }
  const sibling = create ? create.call(instance) : axios.create()
  // In the object that is there: the instance and the Axios object behind it share it.
  for (const key of Object.keys(sibling.defaults))
    delete (sibling.defaults as unknown as Record<string, unknown>)[key]
  Object.assign(sibling.defaults, defaults)
  return sibling
}
