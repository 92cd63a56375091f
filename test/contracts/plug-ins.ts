// What people put on an axios instance besides this library, and the four places where it can come to stand: installed
// before or after the client, and in axios's old or new order of interceptors (`legacyInterceptorReqResOrdering: false`).

import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios'
import { setupCache } from 'axios-cache-interceptor'
import MockAdapter from 'axios-mock-adapter'
import axiosRetry from 'axios-retry'
import { adapterAsFunction } from '../support/adapters.js'
import type { Scene } from './transport-setup.js'

export interface PlugIn {
  name: string
  install(api: AxiosInstance): unknown
  /** Callers get the body and not the answer. */
  unwraps?: boolean
  /** An answer of any status resolves. */
  resolves?: boolean
  /** A second request is not sent before the first one is answered. */
  oneAtATime?: boolean
}

export interface Place {
  installed: 'before' | 'after'
  defaults: AxiosRequestConfig
  /** Its request interceptors run after ours, and see what we attached. */
  seesToken: boolean
  title: string
}

const NEW_ORDER: AxiosRequestConfig = { transitional: { legacyInterceptorReqResOrdering: false } }

export const PLACES: Place[] = [
  { installed: 'before', defaults: {}, seesToken: true, title: 'installed before us' },
  { installed: 'after', defaults: {}, seesToken: false, title: 'installed after us' },
  {
    installed: 'before',
    defaults: NEW_ORDER,
    seesToken: false,
    title: 'installed before us, with interceptors in their new order',
  },
  {
    installed: 'after',
    defaults: NEW_ORDER,
    seesToken: true,
    title: 'installed after us, with interceptors in their new order',
  },
]

/** An instance with us and with what `install` puts on it. */
export function besideUs({ installed, defaults, title }: Place, install: PlugIn['install']): Scene {
  return {
    name: title,
    open({ url }) {
      const instance = axios.create({ baseURL: url, ...defaults })
      if (installed === 'before') install(instance)
      return { instance }
    },
    installAfterwards({ instance }) {
      if (installed === 'after') install(instance as AxiosInstance)
    },
  }
}

export const retry: PlugIn = {
  name: 'axios-retry',
  install: (api) => axiosRetry(api, { retries: 2 }),
}

export const mock: PlugIn = {
  name: 'axios-mock-adapter that lets everything pass',
  install: (api) => new MockAdapter(api, { onNoMatch: 'passthrough' }),
}

export const cache: PlugIn = {
  name: 'axios-cache-interceptor',
  // Its own type of an instance is narrower than axios's.
  install: (api) => setupCache(api as never),
}

/** As axios-concurrency does it: a request waits in its interceptor, and the next one may go with the answer. */
export const limiterOfInterceptors: PlugIn = {
  name: 'a one-slot limiter made of interceptors',
  oneAtATime: true,
  install(api) {
    const waiting: (() => void)[] = []
    let taken = false
    const release = () => {
      const next = waiting.shift()
      if (next) next()
      else taken = false
    }
    api.interceptors.request.use(async (config) => {
      if (taken) await new Promise<void>((resolve) => waiting.push(resolve))
      taken = true
      return config
    })
    api.interceptors.response.use(
      (response) => {
        release()
        return response
      },
      (error: unknown) => {
        release()
        throw error
      },
    )
  },
}

/** Runs one after the other. */
function createQueue() {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(run: () => Promise<T>): Promise<T> => {
    const mine = last.then(run)
    last = mine.catch(() => {})
    return mine
  }
}

export const limiterOfTheInstance: PlugIn = {
  name: 'a one-slot limiter around the adapter of the instance',
  oneAtATime: true,
  install(api) {
    const enqueue = createQueue()
    const send = adapterAsFunction(api.defaults.adapter)
    api.defaults.adapter = (config) => enqueue(() => send(config))
  },
}

export const limiterOfEachRequest: PlugIn = {
  name: 'a one-slot limiter around the adapter of each request',
  oneAtATime: true,
  install(api) {
    const enqueue = createQueue()
    api.interceptors.request.use((config) => {
      const send = adapterAsFunction(config.adapter)
      config.adapter = (sent) => enqueue(() => send(sent))
      return config
    })
  },
}

export const limiters = [limiterOfInterceptors, limiterOfTheInstance, limiterOfEachRequest]

/** Writes what it sees into `lines`. */
export const loggerTo = (lines: string[]): PlugIn => ({
  name: 'a logger',
  install(api) {
    api.interceptors.request.use((config) => {
      lines.push(`${config.method} ${config.url}`)
      return config
    })
    api.interceptors.response.use(
      (response) => {
        lines.push(`${response.status} ${response.config.url}`)
        return response
      },
      (error: { response?: { status: number }; code?: string; config?: { url?: string } }) => {
        lines.push(`${error.response?.status ?? error.code} ${error.config?.url}`)
        throw error
      },
    )
  },
})

export const unwrapper: PlugIn = {
  name: 'an interceptor that unwraps the body',
  unwraps: true,
  install: (api) => api.interceptors.response.use(({ data }) => data),
}

export const acceptsAll: PlugIn = {
  name: 'validateStatus: () => true',
  resolves: true,
  install(api) {
    api.defaults.validateStatus = () => true
  },
}

export const plugIns: PlugIn[] = [
  retry,
  mock,
  cache,
  ...limiters,
  loggerTo([]),
  unwrapper,
  acceptsAll,
  {
    name: 'all of them together',
    unwraps: true,
    resolves: true,
    oneAtATime: true,
    install(api) {
      // axios-retry last of the four: it sends again from within its interceptor, and a cache behind it would let the
      // retry wait for the request that is being retried.
      for (const one of [limiterOfTheInstance, mock, cache, retry, loggerTo([]), unwrapper, acceptsAll])
        one.install(api)
    },
  },
]
