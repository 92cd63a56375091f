// The token as a field of the JSON body, for servers that read it there (Flask-JWT-Extended's "json" location).
import { deleteHeader, readHeader } from '../headers.js'
import type { PlaceableConfig, Placement } from './placement.js'

type Fields = Record<string, unknown>

/**
 * Puts the token into a field of the JSON body, also of a POST that has none. GET, HEAD, FormData, arrays and streams
 * have no such field: they go out without a token, so a server that reads tokens from the body cannot protect them.
 * The body is sent again to wherever a 307 or 308 redirects, on any origin: make sure that your API does not.
 */
export function jsonBodyField(field = 'token'): Placement {
  return {
    place(config, accessToken) {
      const body = readBody(config)
      if (!body || Object.prototype.hasOwnProperty.call(body, field)) return false
      // A copy: the object is the caller's.
      writeBody(config, { ...body, [field]: accessToken })
      return true
    },
    remove(config) {
      const body = readBody(config)
      if (!body) return
      const { [field]: _removed, ...rest } = body
      writeBody(config, rest)
    },
  }
}

/** The body's fields, before axios has serialised it or after; `undefined` where there can be none. */
function readBody({ method = 'get', data, headers }: PlaceableConfig): Fields | undefined {
  if (/^(get|head)$/i.test(method)) return undefined
  const type = readHeader(headers, 'Content-Type')
  const isText = typeof data === 'string'
  // axios makes a form of an object whose type says so, and JSON of any other.
  if ((isText || type !== undefined) && !String(type ?? '').includes('json')) return undefined
  if (data === undefined || data === null) return {}
  try {
    return plainObject(isText ? JSON.parse(data) : data)
  } catch {
    return undefined
  }
}

function writeBody(config: PlaceableConfig, body: Fields): void {
  if (typeof config.data === 'string') {
    config.data = JSON.stringify(body)
    // Node's adapter left the length of the former body here.
    deleteHeader(config, 'Content-Length')
  } else {
    config.data = Object.keys(body).length > 0 ? body : undefined
  }
}

function plainObject(value: unknown): Fields | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const prototype = Object.getPrototypeOf(value) as unknown
  return prototype === null || prototype === Object.prototype ? (value as Fields) : undefined
}
