// Reads and writes header bags of every axios version: plain objects up to 0.27, AxiosHeaders after.
// Own keys are used instead of their methods: they are the same in all of them, and plug-ins hand on plain copies.

export type HeaderBag = Record<string, unknown>

/** Where a header stands. */
type Place = readonly [bag: HeaderBag, key: string]

/** The value of a header in any letter case, `null` or `false` where it is switched off; `undefined` when it is absent. */
export function findHeader(headers: unknown, name: string): unknown {
  const key = keyOf(headers, name)
  return key === undefined ? undefined : (headers as HeaderBag)[key]
}

/**
 * The value of a header in any letter case; `undefined` when it is absent or switched off (`null`, `false`). Also of the
 * platform's `Headers`, which adapters of an app's own hand on.
 */
export function readHeader(headers: unknown, name: string): unknown {
  const { Headers } = globalThis
  const value = findHeader(headers, name) ?? (Headers && headers instanceof Headers && headers.get(name))
  return isOff(value) || value === '' ? undefined : value
}

/** Whether a header's value is axios's way to say that it must not be sent. */
export function isOff(value: unknown): boolean {
  return value === null || value === false
}

/**
 * Where a header has another value than `ours`, switched off included. There may be several: a plain object takes every
 * letter case, and until the request goes out the defaults for all methods and for one are bags of their own: up to 0.27
 * under those names, in 1.0 and 1.1 under a symbol.
 */
export function othersIn(
  { headers, method = '' }: { headers?: unknown; method?: string | undefined },
  name: string,
  ours: unknown,
): readonly Place[] {
  const bag = headers as HeaderBag
  const found: Place[] = []
  for (const key of Reflect.ownKeys(bag ?? {}) as string[]) {
    const value = bag[key]
    if (isSame(key, name)) {
      if (value !== undefined && value !== '' && value !== ours) found.push([bag, key])
    } else if (typeof value === 'object' && ['common', 'Symbol(defaults)', method].includes(String(key)))
      found.push(...othersIn({ headers: value }, name, ours))
  }
  return found
}

export function writeHeader(config: { headers?: unknown }, name: string, value: string): void {
  const bag = writable(config)
  const key = keyOf(bag, name) ?? name
  bag[key] = value
  // A read-only view of some store's has ignored it.
  if (bag[key] !== value) config.headers = { ...bag, [key]: value }
}

export function deleteHeader(config: { headers?: unknown }, name: string): void {
  const key = keyOf(config.headers, name)
  if (key !== undefined) delete writable(config)[key]
}

/** The headers of a config; a copy of the same kind takes the place of those that somebody has frozen. */
function writable(config: { headers?: unknown }): HeaderBag {
  const bag = (config.headers ??= {}) as HeaderBag
  if (Object.isExtensible(bag)) return bag
  return (config.headers = copyHeaders(bag))
}

/** A copy of the same kind. */
export function copyHeaders<Headers>(headers: Headers): Headers {
  return headers && Object.assign(Object.create(Object.getPrototypeOf(headers)), headers)
}

function keyOf(headers: unknown, name: string): string | undefined {
  if (!headers) return undefined
  // The usual encoding first: this runs for every request.
  if (Object.prototype.hasOwnProperty.call(headers, name)) return name
  return Object.keys(headers).find((key) => isSame(key, name))
}

/** A symbol has no length. */
function isSame(key: string, name: string): boolean {
  return key.length === name.length && key.toLowerCase() === name.toLowerCase()
}
