// Stands in for Google's key server: real RSA keys as JWKs over real HTTP, and id tokens signed with them.
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'

const KEY_ID = 'key-1'

export interface IdToken {
  claims?: Record<string, unknown>
  /** 'stranger': an RSA key that Google does not know; 'public': HMAC with Google's public key as the secret. */
  signedBy?: 'google' | 'stranger' | 'public' | 'nobody'
}

export interface Google {
  keysUrl: string
  clientId: string
  idToken(token?: IdToken): string
  stop(): Promise<void>
}

export async function startGoogle(): Promise<Google> {
  const clientId = 'app.apps.googleusercontent.test'
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, use: 'sig', alg: 'RS256' }]

  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ keys }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }

  return {
    keysUrl: `http://127.0.0.1:${port}/oauth2/v3/certs`,
    clientId,
    idToken({ claims, signedBy = 'google' } = {}) {
      const now = Math.floor(Date.now() / 1000)
      const payload = {
        iss: 'https://accounts.google.com',
        aud: clientId,
        sub: '1234567890',
        name: 'Grace',
        iat: now,
        exp: now + 3600,
        ...claims,
      }
      const algorithm = { google: 'RS256', stranger: 'RS256', public: 'HS256', nobody: 'none' }[signedBy]
      const text = `${encode({ alg: algorithm, typ: 'JWT', kid: KEY_ID })}.${encode(payload)}`
      return `${text}.${signature(text)}`

      function signature(signed: string): string {
        if (signedBy === 'nobody') return ''
        if (signedBy === 'public') return hmac(publicKey, signed)
        const key = signedBy === 'google' ? privateKey : stranger
        return sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')
      }
    },
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function hmac(publicKey: KeyObject, text: string): string {
  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  return createHmac('sha256', pem).update(text).digest('base64url')
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
