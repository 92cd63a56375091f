// An OpenID provider for one single-page app: authorization code with PKCE, rotating refresh tokens, revocation.
// Whoever sends a refresh token a second time ends the grant: one of the two who have it is a thief.
import { text } from 'node:stream/consumers'
import { Provider } from 'oidc-provider'
import { createFileAdapter } from './file-adapter.mjs'
import { createPasswords } from './passwords.mjs'

const {
  PORT = '9000',
  ISSUER = `http://127.0.0.1:${PORT}`,
  APP_URL = 'http://127.0.0.1:5173',
  ACCESS_SECONDS = '900',
  REFRESH_SECONDS = '1209600',
  DATABASE = 'provider.json',
  DEMO_USERS = '',
} = process.env

const passwords = await createPasswords(DEMO_USERS)

const provider = new Provider(ISSUER, {
  adapter: createFileAdapter(DATABASE),
  clients: [
    {
      client_id: 'spa',
      // An app in a browser can keep no secret; PKCE takes its place.
      token_endpoint_auth_method: 'none',
      redirect_uris: [`${APP_URL}/callback`],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
      id_token_signed_response_alg: 'ES256',
    },
  ],
  cookies: { keys: [required('SECRET_KEY')] },
  jwks: { keys: [JSON.parse(required('SIGNING_KEY'))] },
  ttl: {
    AccessToken: Number(ACCESS_SECONDS),
    RefreshToken: Number(REFRESH_SECONDS),
    Grant: Number(REFRESH_SECONDS),
    Session: Number(REFRESH_SECONDS),
    IdToken: 300,
    Interaction: 600,
  },
  // By default a token is good for 15 seconds more. Here one server, with one clock, makes and checks them.
  clockTolerance: 0,
  pkce: { required: () => true },
  rotateRefreshToken: true,
  // A sign-in at the provider's page that replaces another, or fails, ends no tokens that are out already.
  expiresWithSession: () => false,
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  // With an access token that is revoked its refresh token goes too, as RFC 7009 section 2.1 lets a server decide.
  features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
  interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
  findAccount: (_ctx, sub) => (passwords.has(sub) ? { accountId: sub, claims: () => ({ sub }) } : undefined),
  // The app is our own, so nobody is asked for consent. Each sign-in is a grant of its own, and ends alone.
  async loadExistingGrant({ oidc: { client, account } }) {
    const grant = new provider.Grant({ clientId: client.clientId, accountId: account.accountId })
    grant.addOIDCScope('openid')
    await grant.save()
    return grant
  },
})

provider.use(logAnswers)
provider.use(showLogin)
provider.listen(Number(PORT), '127.0.0.1')

/** One line for each answer. It names the grant, because the token endpoint serves two; it holds no query, no code. */
async function logAnswers(ctx, next) {
  await next()
  const grant = ctx.oidc?.params?.grant_type
  console.log(`${ctx.method} ${ctx.path}${grant ? `#${encodeURIComponent(grant)}` : ''} ${ctx.status}`)
}

/** The page on which the user gives the password to the provider, and to nobody else. */
async function showLogin(ctx, next) {
  if (!/^\/interaction\/[\w-]+$/.test(ctx.path)) return next()
  // Only in the browser that began: a cookie of that browser names the interaction too.
  await provider.interactionDetails(ctx.req, ctx.res)
  ctx.set({
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Referrer-Policy': 'no-referrer',
  })
  if (ctx.method !== 'POST') {
    ctx.body = loginPage()
    return
  }
  // A name and a password: nobody may fill the memory with more.
  if (!(ctx.request.length < 1000)) ctx.throw(413)
  const form = new URLSearchParams(await text(ctx.req))
  const name = form.get('username') ?? ''
  if (await passwords.check(name, form.get('password') ?? '')) {
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { login: { accountId: name } }))
    ctx.status = 303
    return
  }
  ctx.status = 401
  ctx.body = loginPage('Wrong name or password')
}

function loginPage(problem) {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sign in</title>
<form method="post">
  ${problem ? `<p role="alert">${problem}</p>` : ''}
  <label>Name <input name="username" autocomplete="username" required></label>
  <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <button>Sign in</button>
</form>
</html>`
}

function required(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is missing in the environment.`)
  return value
}
