// The token as a field of the JSON body, for servers that read it there (Flask-JWT-Extended's "json" location).
import { checkOptions } from '../checks.js'
import { isObject } from '../errors.js'
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
      if (!body || has(body)) return false
      // Where there was none, axios has thought of a form.
      if (!config.data) writeHeader(config, 'Content-Type', 'application/json')
      // Into the text as it is: written anew, it could be another (integers beyond 2^53 are rounded when they are read).
      const text: string = config.data ?? '{}'
      const end = text.lastIndexOf('}')
      const comma = Object.keys(body).length > 0 ? ',' : ''
      writeText(config, text.slice(0, end) + comma + textOf(accessToken) + text.slice(end))
      return true
    },
    remove(config) {
      const body = readBody(config)
      if (!body || !has(body)) return
      const { [field]: accessToken, ...rest } = body
      const text: string = config.data
      const written = textOf(accessToken)
      const end = text.lastIndexOf('}')
      const before = text.slice(0, end)
      // Unless somebody has written the body anew since.
      const isUnchanged = before.endsWith(written)
      writeText(
        config,
        isUnchanged
          ? before.slice(0, -written.length).replace(/,$/, '') + text.slice(end)
          : JSON.stringify(rest),
      )
    },
  }

  function has(body: Fields): boolean {
    return Object.prototype.hasOwnProperty.call(body, field)
  }

  function textOf(accessToken: unknown): string {
    return `${JSON.stringify(field)}:${JSON.stringify(accessToken)}`
  }
}

/** The fields of the JSON that is sent; `undefined` where there can be none. */
function readBody({ method, data, headers }: PlaceableConfig): Fields | undefined {
  if (['get', 'head'].includes(String(method).toLowerCase())) return undefined
  if (data === undefined || data === null) return {}
  if (typeof data !== 'string' || !/json/i.test(String(readHeader(headers, 'Content-Type')))) return undefined
  let body: unknown
  try {
    body = JSON.parse(data)
  } catch {
    // Whatever its type says.
  }
  return isObject(body) && !Array.isArray(body) ? (body as Fields) : undefined
}

function writeText(config: PlaceableConfig, text: string): void {
  config.data = text
  // Node's adapter left the length of the former body here.
  deleteHeader(config, 'Content-Length')
}
