// Refuses what a programmer got wrong, at creation.
import { AuthClientError, isObject } from './errors.js'
import { flawOf } from './tokens.js'

/** A `BAD_OPTION` that names the option, what it takes and what came. Objects, and redactions, are shown by their type. */
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

/** What an option takes: in words, and whether a value is that. Only asked about what is not `undefined`. */
export type Check = readonly [expected: string, fits: (value: unknown) => boolean]

/**
 * A checked copy of options, each of them read once. `types`: what `typeof` may say of each, but a string is `text`, or
 * `empty`; or a check. `prefix`: what leads to an option's name.
 * @throws {AuthClientError} code `BAD_OPTION`, naming the option and `owner`, whose options they are; for an unknown key
 * too: a typing error would be a default without a word.
 */
export function checkOptions<Options extends object>(
  owner: string,
  options: Options,
  types: Record<string, string | Check>,
  prefix = `${owner}: `,
): Options {
  if (!isObject(options)) throw badOption(owner, 'an object of options', options)
  const copy: Record<string, unknown> = {}
  for (const [name, type] of Object.entries(types)) {
    const value = (copy[name] = (options as Record<string, unknown>)[name])
    const [expected, fits] = typeof type === 'string' ? [type, undefined] : type
    const isFit = fits
      ? value === undefined || fits(value)
      : value !== null && expected.includes(kindOf(value))
    if (!isFit) throw badOption(prefix + name, expected, value)
  }
  const names = Object.keys(types)
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || names.includes(name)) continue
    // Under its right name it may be a secret.
    throw badOption(prefix + name, `an option of ${owner} (${names.join(', ')})`, value, true)
  }
  return copy as Options
}

function kindOf(value: unknown): string {
  return value === '' ? 'empty' : typeof value === 'string' ? 'text' : typeof value
}

/** Refuses tokens that cannot be used. @throws {AuthClientError} code `BAD_OPTION`. */
export function checkTokens(tokens: unknown, tokenless: boolean | undefined): void {
  const flaw = flawOf(tokens, tokenless)
  // A text may be the token itself.
  if (flaw) throw badOption('tokens', `usable tokens, not ${flaw}`, tokens, true)
}
