// Tokens in a header: as a Bearer, or as the user name of HTTP Basic.
import { checkOptions } from '../checks.js'
import { basic } from '../encode.js'
import { deleteHeader, writeHeader } from '../headers.js'
import type { Placement } from './placement.js'

export interface BearerHeaderOptions {
  /**
   * The header's name. On a redirect to another origin, axios's adapters and browsers drop `Authorization`, and not one
   * of your own: make sure that your API does not redirect away, or in Node name it in axios's `sensitiveHeaders`.
   * @default 'Authorization'
   */
  header?: string | undefined
  /** What stands before the token; `''` for the bare token. @default 'Bearer' */
  scheme?: string | undefined
}

/**
 * `Authorization: Bearer <token>` (RFC 6750 section 2.1). The default.
 * @throws {AuthClientError} code `BAD_OPTION` when an option is no text.
 */
export function bearerHeader(options: BearerHeaderOptions = {}): Placement {
  checkOptions('bearerHeader', options, { header: 'text or undefined', scheme: 'text or empty or undefined' })
  const { header = 'Authorization', scheme = 'Bearer' } = options
  return headerPlacement(header, (token) => (scheme ? `${scheme} ${token}` : token))
}

/** The token as the user name of HTTP Basic with an empty password (RFC 7617), as Flask-HTTPAuth has it. */
export function basicUser(): Placement {
  return headerPlacement('Authorization', (token) => basic(token, ''))
}

function headerPlacement(header: string, format: (accessToken: string) => string): Placement {
  let last: string | undefined
  let value = ''
  return {
    header,
    place(config, accessToken) {
      // One text for all requests with the same token: thousands may wait at once, each with its header.
      if (accessToken !== last) value = format((last = accessToken))
      writeHeader(config, header, value)
    },
    remove: (config) => deleteHeader(config, header),
  }
}
