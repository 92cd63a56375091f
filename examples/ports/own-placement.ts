import type { PlaceableConfig, Placement } from 'axios-auth-client'

/** Signs each sending with a key that never leaves the browser, and answers the server's call for a fresh nonce. */
export function signature(key: CryptoKey): Placement {
  let nonce = ''
  return {
    header: 'X-Signature',
    scheme: 'Signature',
    async place(config, accessToken, { method, url }) {
      const text = new TextEncoder().encode([accessToken, method, url, nonce].join('\n'))
      const bytes = new Uint8Array(await crypto.subtle.sign('HMAC', key, text))
      config.headers = {
        ...config.headers,
        'X-Signature': `Signature ${btoa(String.fromCharCode(...bytes))}`,
      }
    },
    remove(config: PlaceableConfig) {
      if (config.headers) delete config.headers['X-Signature']
    },
    // `true`: send the same request once more.
    answer({ headers }) {
      const asked = headers?.['x-nonce']
      if (!asked || asked === nonce) return false
      nonce = asked
      return true
    },
    sessionEnded() {
      nonce = ''
    },
  }
}
