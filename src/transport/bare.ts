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
import { readHeader, writeHeader } from '../headers.js'
import { originOf, originsOf, pageUrl } from './origin.js'
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
  /** An AxiosError for a request that was not sent, with our code and our error as its cause. */
  failure(reason: AuthClientError, config: AxiosRequestConfig): AxiosError
  /** axios's own error for a config whose signal or CancelToken has been used. */
  cancellation(config: AxiosRequestConfig): unknown
}

type ResolveAdapter = (adapter: unknown, config: unknown) => AxiosAdapter

// axios's own, as they were when the app started: on the default export an app can replace them.
const { transformRequest: ownTransforms, transformResponse, validateStatus } = axios.defaults ?? {}

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
    return bare.request({ ...config, headers: { ...config.headers }, adapter, transformRequest: [] })
  }

  return {
    http() {
      const http = createSibling(instance, {
        ...instance.defaults,
        transformRequest,
        transformResponse,
        validateStatus,
        responseType: undefined,
        responseEncoding: undefined,
        decompress: undefined,
        parseReviver: undefined,
        transitional: undefined,
        // What a strategy sets there must not be on the requests of the instance.
        headers: copyHeaders(instance.defaults.headers),
      })
      keepFromElsewhere(http, isAllowed)
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
    failure(reason, config) {
      const error = new axios.AxiosError(reason.message, reason.code, config as InternalAxiosRequestConfig)
      setCause(error, reason)
      return error
    },
    cancellation: (config) =>
      config.cancelToken?.reason ?? new axios.CanceledError(undefined, config as InternalAxiosRequestConfig),
  }
}

/** Whom a refresh talks to is decided by the app: a <base> element or a redirect may be anybody's. */
function keepFromElsewhere(http: AxiosInstance, isAllowed: IsAllowed): void {
  const fail = (why: string) => new AuthClientError('REFRESH_FAILED', why)
  const check = (response: AxiosResponse | undefined) => {
    if (response && isFromElsewhere(response, isAllowed))
      throw fail('The refresh endpoint redirects to a foreign origin.')
  }
  http.interceptors.request.use((config) => {
    const meant = originsOf(config, (url) => originOf(url, pageUrl))
    if (originsOf(config).every((origin) => meant.includes(origin) || isAllowed(origin))) return config
    throw fail('A <base> element leads the url of the refresh to a foreign origin: give it an absolute one.')
  })
  http.interceptors.response.use(
    (response) => {
      check(response)
      return response
    },
    (error) => {
      check(error?.response)
      throw error
    },
  )
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

/** The headers for all methods and those for each. A list is one header. */
function copyHeaders(headers: object | undefined): object {
  return Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => [
      name,
      isObject(value) && !Array.isArray(value) ? { ...value } : value,
    ]),
  )
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
