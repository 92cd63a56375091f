// Tokens that the server pushes in a response header, for `readResponse`.
import { checkOptions } from '../checks.js'
import { readHeader } from '../headers.js'
import { type Grant, isUsableToken, stripBearer } from '../tokens.js'

/**
 * Reads a new access token from a response header, with or without `Bearer` before it.
 * In a browser on another origin the server has to list the header in `Access-Control-Expose-Headers`.
 */
export function tokenFromHeader(name: string): (response: { headers?: unknown }) => Grant | undefined {
  checkOptions('tokenFromHeader', { name }, { name: 'text' })
  return ({ headers }) => {
    const accessToken = stripBearer(readHeader(headers, name))
    return isUsableToken(accessToken) ? { accessToken } : undefined
  }
}
