// Owns the headers of the axios that the tests run on, which may be an old one (`npm run test:matrix`): plain objects up
// to 0.27, and a class that only axios 1.2 and later export.

/** New headers of the same kind. */
export function headersLike<T extends object>(headers: T, fields: Record<string, string> = {}): T {
  return new (headers.constructor as new (fields: object) => T)(fields)
}
