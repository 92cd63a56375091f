// The token as a field of the JSON body, for servers that read it there (Flask-JWT-Extended's "json" location).
import { checkOptions } from '../checks.js'
import { deleteHeader, readHeader, writeHeader } from '../headers.js'
import type { PlaceableConfig, Placement } from './placement.js'

type Fields = Record<string, unknown>

/**
 * Puts the token into a field of the JSON body, also of a POST that has none. GET, HEAD, FormData, arrays and streams
 * have no such field: they go out without a token, so a server that reads tokens from the body cannot protect them.
 * The field joins the body when the request goes out, on top of whatever interceptors and transforms have made of it.
 * The body is sent again to wherever a 307 or 308 redirects, on any origin: make sure that your API does not.
 */
export function jsonBodyField(field = 'token'): Placement {
  checkOptions('jsonBodyField', { field }, { field: 'text' })
  return {
    late: true,
    place(config, accessToken) {
      const body = readBody(config)
      if (!body || Object.prototype.hasOwnProperty.call(body, field)) return false
      const data: unknown = config.data ?? '{}'
      // Where there was none, axios has thought of a form.
      if (!config.data) writeHeader(config, 'Content-Type', 'application/json')
      if (typeof data !== 'string') {
        // A copy: the object is the caller's.
        config.data = { ...body, [field]: accessToken }
        return true
      }
      // Into the text as it is: written anew, it could be another (integers beyond 2^53 are rounded when they are read).
      const end = data.lastIndexOf('}')
      const comma = Object.keys(body).length > 0 ? ',' : ''
      writeText(config, data.slice(0, end) + comma + textOf(accessToken) + data.slice(end))
      return true
    },
    remove(config) {
      const body = readBody(config)
      if (!body) return
      const { [field]: accessToken, ...rest } = body
      const { data } = config
      if (typeof data !== 'string') {
        config.data = Object.keys(rest).length > 0 ? rest : undefined
        return
      }
      const text = textOf(accessToken)
      const at = data.lastIndexOf(text)
      const after = data.slice(at + text.length)
      // Unless a transform has put it elsewhere.
      const isLast = at >= 0 && after.trim() === '}'
      writeText(config, isLast ? data.slice(0, at).replace(/,$/, '') + after : JSON.stringify(rest))
    },
  }

  function textOf(accessToken: unknown): string {
    return `${JSON.stringify(field)}:${JSON.stringify(accessToken)}`
  }
}

/** The body's fields, before axios has serialised it or after; `undefined` where there can be none. */
function readBody({ method = 'get', data, headers }: PlaceableConfig): Fields | undefined {
  if (/^(get|head)$/i.test(method)) return undefined
  if (data === undefined || data === null) return {}
  const type = readHeader(headers, 'Content-Type')
  const isText = typeof data === 'string'
  // axios makes a form of an object whose type says so, and JSON of any other.
  if ((isText || type !== undefined) && !/json/i.test(String(type ?? ''))) return undefined
  try {
    return plainObject(isText ? JSON.parse(data) : data)
  } catch {
    return undefined
  }
}

function writeText(config: PlaceableConfig, data: string): void {
  config.data = data
  // Node's adapter left the length of the former body here.
  deleteHeader(config, 'Content-Length')
}

function plainObject(value: unknown): Fields | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const prototype = Object.getPrototypeOf(value) as unknown
  return prototype === null || prototype === Object.prototype ? (value as Fields) : undefined
}
