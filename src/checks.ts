// Refuses what a programmer got wrong, at creation.
import { AuthClientError, isObject } from './errors.js'
import { flawOf } from './tokens.js'

/** A `BAD_OPTION` that names the option, what it takes and what came. Objects, and secrets, are shown by their type. */
export function badOption(
  name: string,
  expected: string,
  came: unknown,
  isSecret?: boolean,
): AuthClientError {
  const isText = typeof came === 'string'
  const shown =
    isObject(came) || (isText && isSecret)
      ? typeof came
      : isText
        ? JSON.stringify(came.slice(0, 60))
        : String(came)
  return new AuthClientError('BAD_OPTION', `${name}: expected ${expected}, got ${shown}`)
}

/** Refuses a key that means nothing: a typing error would be a default without a word. `prefix`: what leads to the key. */
export function checkKeys(owner: string, prefix: string, options: object, names: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || names.includes(name)) continue
    // Under its right name it may be a secret.
    throw badOption(prefix + name, `an option of ${owner} (${names.join(', ')})`, value, true)
  }
}

/**
 * Refuses options of the wrong type. `types`: what `typeof` may say of each; but a string is `text`, or `empty`.
 * @throws {AuthClientError} code `BAD_OPTION`, naming the option and `owner`, whose options they are;
 * for an unknown key too.
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
  checkKeys(owner, `${owner}: `, options, Object.keys(types))
}

/** Refuses tokens that cannot be used. @throws {AuthClientError} code `BAD_OPTION`. */
export function checkTokens(tokens: unknown, tokenless: boolean | undefined): void {
  const flaw = flawOf(tokens, tokenless)
  // A text may be the token itself.
  if (flaw) throw badOption('tokens', `an object with a usable accessToken, not ${flaw}`, tokens, true)
}
