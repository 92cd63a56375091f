import { createOAuthApi } from '../recipes/f-oauth2.js'

const CLIENT_ID = 'spa'

/**
 * The recipe, and how its app signs in (RFC 6749 section 4.1 with PKCE, RFC 7636) and out (RFC 7009).
 * @param redirectUri the page of the app to which the provider sends the browser back
 */
export function createApp(baseURL: string, redirectUri: string) {
  const { api, auth } = createOAuthApi(baseURL, '/token')

  /**
   * Where to send the browser for a sign-in; it comes back to `finishSignIn`. Who is signed in at the provider need not
   * say the password again (so a reload of the page costs none), unless there is a prompt.
   * @param prompt 'login': the password is asked for, whoever is signed in; 'none': no page is shown
   */
  async function startSignIn(prompt?: 'login' | 'none'): Promise<string> {
    const verifier = randomText()
    const state = randomText()
    sessionStorage.setItem('sign-in', JSON.stringify({ verifier, state }))
    const query = new URLSearchParams({
      client_id: CLIENT_ID,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid',
      state,
      code_challenge: base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))),
      code_challenge_method: 'S256',
      ...(prompt && { prompt }),
    })
    return `${baseURL}/auth?${query}`
  }

  /** @param address of the page to which the browser came back */
  async function finishSignIn(address: string) {
    const answer = new URL(address).searchParams
    const begun = JSON.parse(sessionStorage.getItem('sign-in') ?? '{}') as {
      verifier?: string
      state?: string
    }
    sessionStorage.removeItem('sign-in')
    // Somebody else's code in a link would sign this user in as them.
    if (!begun.verifier || answer.get('state') !== begun.state) {
      throw new Error('That sign-in did not begin here.')
    }
    const error = answer.get('error')
    if (error) throw new Error(answer.get('error_description') ?? error)
    const form = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: CLIENT_ID,
      redirect_uri: redirectUri,
      code: answer.get('code') ?? '',
      code_verifier: begun.verifier,
    })
    const { data } = await api.post('/token', form, { authClient: false })
    await auth.signIn({
      accessToken: data.access_token,
      refreshToken: data.refresh_token,
      expiresInSeconds: data.expires_in,
    })
  }

  /** The server first, with a token that is still good (or renewed for it); here in any case. */
  async function signOut() {
    try {
      const token = await auth.getAccessToken()
      if (token) {
        const form = new URLSearchParams({ client_id: CLIENT_ID, token })
        await api.post('/token/revocation', form, { authClient: false })
      }
    } finally {
      await auth.signOut()
    }
  }

  return { api, auth, startSignIn, finishSignIn, signOut }
}

function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)).buffer)
}

function base64url(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
