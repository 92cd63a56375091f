// What is done with axios itself, past the user's interceptors: an adapter that only axios can resolve, its own errors, and
// siblings of an instance.
// Only this file and http.ts import axios as a value, and never to make the user's requests: their instance may come from
// another copy of axios, so everything that can be had from the instance itself is had from there.
import axios, {
  type AxiosAdapter,
  type AxiosError,
  type AxiosInstance,
  type AxiosRequestConfig,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios'
import { type AuthClientError, setCause } from '../errors.js'
import { resolvingUrl } from './origin.js'

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

export function createBare(instance: AxiosLike): Bare {
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
 * The defaults that are in force. What `axios.create()` returns does not use another object that is put in the place of
 * its `defaults`, and has no way to the one that it uses; its own siblings get a copy of that.
 */
export function defaultsOf(instance: AxiosLike): AxiosLike['defaults'] {
  const { create } = instance as { create?: typeof axios.create }
  return create ? create.call(instance).defaults : instance.defaults
}

/** One more instance with the adapter and the class of this one, none of its interceptors, and these defaults. */
export function createSibling(instance: AxiosLike, defaults: object): AxiosInstance {
  const { create } = instance as { create?: typeof axios.create }
  const sibling = create ? create.call(instance) : axios.create()
  // In the object that is there: the instance and the Axios object behind it share it.
  for (const key of Object.keys(sibling.defaults))
    delete (sibling.defaults as unknown as Record<string, unknown>)[key]
  Object.assign(sibling.defaults, defaults)
  return sibling
}
