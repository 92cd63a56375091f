// Refuses what a programmer got wrong, at creation.
import { AuthClientError, isObject } from './errors.js'
import { flawOf } from './tokens.js'

/** A `BAD_OPTION` that names the option, what it takes and what came. Objects are shown by their type only. */
export function badOption(name: string, expected: string, came: unknown): AuthClientError {
  const shown =
    typeof came === 'string' ? JSON.stringify(came.slice(0, 60)) : isObject(came) ? typeof came : String(came)
  return new AuthClientError('BAD_OPTION', `${name}: expected ${expected}, got ${shown}`)
}

/**
 * Refuses options of the wrong type. `types`: what `typeof` may say of each; but a string is `text`, or `empty`.
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
    const kind = value === '' ? 'empty' : typeof value === 'string' ? 'text' : typeof value
    if (value === null || !type.includes(kind)) throw badOption(`${owner}: ${name}`, type, value)
  }
}

/** Refuses tokens that cannot be used. @throws {AuthClientError} code `BAD_OPTION`. */
export function checkTokens(tokens: unknown, tokenless: boolean | undefined): void {
  const flaw = flawOf(tokens, tokenless)
  // A text is not shown: it may be the token itself.
  const shown = typeof tokens === 'string' ? {} : tokens
  if (flaw) throw badOption('tokens', `an object with a usable accessToken, not ${flaw}`, shown)
}
