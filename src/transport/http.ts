// The `http` of a refresh: a sibling of the instance without its interceptors, which the strategy makes its calls through.
// Promise: what the app has set up for its own API joins a call only there, and no answer of a foreign origin is believed.
import axios, {
  type AxiosInstance,
  type AxiosRequestConfig,
  type AxiosRequestHeaders,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios'
import { AuthClientError, isObject } from '../errors.js'
import { findHeader, readHeader, writeHeader } from '../headers.js'
import { type AxiosLike, createSibling, defaultsOf } from './bare.js'
import { createOriginCheck, homeOf, originOf, originsOf, pageUrl } from './origin.js'
import { isFromElsewhere } from './redirect.js'

type IsAllowed = (origin: string | undefined) => boolean

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

/** With the defaults of this moment. */
export function createHttp(instance: AxiosLike, isAllowed: IsAllowed): AxiosInstance {
  const ofInstance = defaultsOf(instance)
  const others = Object.entries(ofInstance).filter(([name]) => !OF_THE_APP.test(name) && !FOR_HOME.test(name))
  const http = createSibling(instance, {
    ...Object.fromEntries(others),
    transformRequest,
    transformResponse,
    validateStatus,
    headers: JSON.parse(ownHeaders),
  })
  watchTarget(http, ofInstance, isAllowed)
  return http
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
