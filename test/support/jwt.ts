// Owns the JWTs that only look like ones: nobody in the tests that use them checks signatures.

/** One part of a JWT; a text stands as it is. */
export function encodePart(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

export function jwtOf(claims: unknown, header: unknown = { alg: 'HS256', typ: 'JWT' }): string {
  return `${encodePart(header)}.${encodePart(claims)}.c2lnbmF0dXJl`
}
