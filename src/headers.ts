// Reads and writes header bags of every axios version: plain objects up to 0.27, AxiosHeaders after.
// Own keys are used instead of their methods: they are the same in all of them, and plug-ins hand on plain copies.

export type HeaderBag = Record<string, unknown>

/** The value of a header in any letter case, `null` or `false` where it is switched off; `undefined` when it is absent. */
export function findHeader(headers: unknown, name: string): unknown {
  const key = keyOf(headers, name)
  return key === undefined ? undefined : (headers as HeaderBag)[key]
}

/** The value of a header in any letter case; `undefined` when it is absent or switched off (`null`, `false`). */
export function readHeader(headers: unknown, name: string): unknown {
  const key = keyOf(headers, name)
  return key === undefined ? undefined : unlessOff((headers as HeaderBag)[key])
}

/** Whether a header is there with another value than `ours`. A plain object may hold it in several letter cases. */
export function hasOther(headers: unknown, name: string, ours: unknown): boolean {
  if (!headers) return false
  for (const key of Object.keys(headers)) {
    const value = isSame(key, name) ? unlessOff((headers as HeaderBag)[key]) : undefined
    if (value !== undefined && value !== ours) return true
  }
  return false
}

export function writeHeader(config: { headers?: unknown }, name: string, value: string): void {
  const headers = (config.headers ??= {}) as HeaderBag
  headers[keyOf(headers, name) ?? name] = value
}

export function deleteHeader(config: { headers?: unknown }, name: string): void {
  const key = keyOf(config.headers, name)
  if (key !== undefined) delete (config.headers as HeaderBag)[key]
}

function keyOf(headers: unknown, name: string): string | undefined {
  if (!headers) return undefined
  // The usual spelling first: this runs for every request.
  if (Object.prototype.hasOwnProperty.call(headers, name)) return name
  return Object.keys(headers).find((key) => isSame(key, name))
}

function isSame(key: string, name: string): boolean {
  return key.length === name.length && key.toLowerCase() === name.toLowerCase()
}

function unlessOff(header: unknown): unknown {
  return header === null || header === false || header === '' ? undefined : header
}
