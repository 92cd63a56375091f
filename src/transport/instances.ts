// The axios instances under one session: takes them, marks them, releases them, and knows which origins they stand for.
// Promise: an instance belongs to one client at most, and a released one is as it was.
import { badOption } from '../checks.js'
import { AuthClientError, isObject } from '../errors.js'
import { readHeader } from '../headers.js'
import { type AxiosLike, defaultsOf } from './bare.js'
import { install } from './install.js'
import { homeOf, mayHomeCome } from './origin.js'
import type { TransportDeps } from './parts.js'

// Registered: found by another copy of this package too. On the instance, because there is no state in modules.
const MARK = Symbol.for('axios-auth-client')

export interface Instances {
  /** Returns what releases it. @throws {AuthClientError} code `BAD_OPTION` when it cannot be taken. */
  add(instance: AxiosLike, deps: InstanceDeps): () => void
  isAllowedOrigin(origin: string | undefined): boolean
  /** The same as a list, for records. A client that is gone has no instances, and may still have a record to save. */
  allowedOrigins(): string[]
  releaseAll(): void
}

type InstanceDeps = Omit<TransportDeps, 'isAllowedOrigin' | 'findNoOrigins'>

/**
 * @param first the instance of the client itself; the others are attached to it
 * @param origins the origins that tokens may go to, where the app has named them
 */
export function createInstances(
  first: AxiosLike,
  origins: readonly string[] | undefined,
  header: string | undefined,
): Instances {
  /** Each with the origin of its own addresses, once that is known. */
  const taken = new Set<{ home(): string | undefined; release(): void }>()
  const { baseURL } = assertFree(first, header)
  if (!origins && !homeOf(baseURL) && !mayHomeCome(baseURL)) throw noOrigins()

  return {
    add,
    isAllowedOrigin,
    allowedOrigins() {
      const homes = [homeOf(baseURL), ...Array.from(taken, ({ home }) => home())]
      const known = origins ? [...origins, ...homes.slice(1)] : homes
      return [...new Set(known)].filter((origin) => origin !== undefined)
    },
    releaseAll() {
      for (const { release } of [...taken]) release()
    },
  }

  function add(instance: AxiosLike, deps: InstanceDeps): () => void {
    assertFree(instance, header)
    let origin: string | undefined
    const isHome = instance !== first || !origins
    // Never another one: the session began with this. What is not known yet is asked anew, until the app has set it.
    const home = () => (origin ??= isHome ? homeOf(defaultsOf(instance).baseURL) : undefined)
    home()
    try {
      Object.defineProperty(instance, MARK, { value: true, configurable: true })
      const uninstall = install(instance, { ...deps, isAllowedOrigin, findNoOrigins })
      const entry = {
        home,
        release() {
          if (!taken.delete(entry)) return
          // It may have been frozen since.
          deps.events.guard(uninstall)
          Reflect.deleteProperty(instance, MARK)
        },
      }
      taken.add(entry)
      return entry.release
    } catch (cause) {
      Reflect.deleteProperty(instance, MARK)
      throw unfit('it takes no interceptors.', cause)
    }
  }

  function findNoOrigins(): AuthClientError | undefined {
    return origins || [...taken].some(({ home }) => home()) ? undefined : noOrigins()
  }

  // Asked several times for each request: nothing is made for an answer.
  function isAllowedOrigin(origin: string | undefined): boolean {
    if (origin === undefined) return false
    for (const { home } of taken) if (home() === origin) return true
    return !!origins?.includes(origin)
  }
}

/** Refuses an instance that cannot be taken. Returns the defaults that are in force there. */
function assertFree(instance: AxiosLike, header = 'Authorization'): AxiosLike['defaults'] {
  if (!isObject(instance) || typeof instance.request !== 'function' || !instance.interceptors) {
    throw badOption('instance', 'an axios instance', instance)
  }
  if (!Object.isExtensible(instance)) throw unfit('it is frozen or sealed.')
  if (MARK in instance)
    throw unfit('a live auth client holds this axios instance already. Use that one, or dispose() it first.')
  const defaults = defaultsOf(instance) ?? {}
  const { auth, headers = {} } = defaults
  const bags = [headers, ...Object.values(headers)]
  const carries = (name: string) => bags.some((bag) => readHeader(bag, name) !== undefined)
  const credential = auth ? 'auth' : ['Authorization', header].find(carries)
  if (credential)
    throw unfit(
      `its defaults carry ${credential}, which would hide the session's: use signIn() or \`tokens\`.`,
    )
  return defaults
}

function noOrigins(): AuthClientError {
  return badOption('origins', "a list, because neither the instance's baseURL nor a page has one", undefined)
}

function unfit(why: string, cause?: unknown): AuthClientError {
  return new AuthClientError('BAD_OPTION', `instance: ${why}`, cause)
}
