// Owns the making and the proving of access tokens: HS256 JWTs or random text.
// Knows no sessions: a token that is authentic here may still be revoked.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Random, randomText } from '../shuffle.js'

export interface MintedToken {
  token: string
  /** What the server files it under: the `jti`, or the opaque token itself. */
  id: string
  expiresAtMs: number
}

export interface Mint {
  accessToken(user: string, lifetimeSeconds: number): MintedToken
  opaque(prefix: string): string
  /** The id of an authentic token; `undefined` for one that was tampered with. */
  idOf(token: string): string | undefined
}

export function createMint(kind: 'jwt' | 'opaque', random: Random, nowMs: () => number): Mint {
  const secret = randomText(random, 43)
  const opaque = (prefix: string): string => `${prefix}-${randomText(random, 32)}`
  const sign = (text: string): Buffer => createHmac('sha256', secret).update(text).digest()

  return {
    opaque,
    accessToken(user, lifetimeSeconds) {
      if (kind === 'opaque') {
        const token = opaque('access')
        return { token, id: token, expiresAtMs: nowMs() + lifetimeSeconds * 1000 }
      }
      const issuedAt = Math.floor(nowMs() / 1000)
      const claims = {
        sub: user,
        jti: randomText(random, 12),
        iat: issuedAt,
        exp: issuedAt + lifetimeSeconds,
      }
      const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
      const token = `${signed}.${sign(signed).toString('base64url')}`
      return { token, id: claims.jti, expiresAtMs: claims.exp * 1000 }
    },
    idOf(token) {
      if (kind === 'opaque') return token
      const [header, payload, signature, ...rest] = token.split('.')
      if (!header || !payload || !signature || rest.length > 0) return undefined
      if (field(header, 'alg') !== 'HS256') return undefined
      const expected = sign(`${header}.${payload}`)
      const given = Buffer.from(signature, 'base64url')
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
      // The last base64url character has spare bits: the same bytes in another spelling are still tampering.
      if (expected.toString('base64url') !== signature) return undefined
      return field(payload, 'jti')
    },
  }
}

/** The same token with one character of its payload (or, opaque, of its text) exchanged. */
export function tampered(token: string): string {
  const dot = token.indexOf('.')
  const at = dot < 0 ? token.length - 1 : dot + 4
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function field(part: string, name: string): string | undefined {
  try {
    const value: unknown = (
      JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>
    )[name]
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
