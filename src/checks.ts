// Refuses what a programmer got wrong, at creation.
import { AuthClientError, isObject } from './errors.js'

/** A `BAD_OPTION` that names the option, what it takes and what came. Objects are shown by their type only. */
export function badOption(name: string, expected: string, came: unknown): AuthClientError {
  const shown =
    typeof came === 'string' ? JSON.stringify(came.slice(0, 60)) : isObject(came) ? typeof came : String(came)
  return new AuthClientError('BAD_OPTION', `${name}: expected ${expected}, got ${shown}`)
}

/**
 * Refuses options of the wrong type. `types`: what `typeof` may say of each, or `text` for a string that is not empty;
 * with a leading `?` it may be missing.
 * @throws {AuthClientError} code `BAD_OPTION`, naming the option and `owner`, whose options they are.
 */
export function checkOptions(
  owner: string,
  options: object | undefined,
  types: Record<string, string>,
): void {
  if (!isObject(options)) throw badOption(owner, 'an object', options)
  for (const [name, type] of Object.entries(types)) {
    const value: unknown = (options as Record<string, unknown>)[name]
    const isText = typeof value === 'string' && value !== ''
    const fits = value !== null && (isText ? /text|string/.test(type) : type.includes(typeof value))
    if (!fits && !(value === undefined && type.startsWith('?')))
      throw badOption(`${owner}: ${name}`, type.replace('?', ''), value)
  }
}
