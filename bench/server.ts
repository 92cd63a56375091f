// The server of the benchmark, in a process of its own: the auth server of the tests (JWTs that are really verified,
// refresh tokens that rotate, and a second use ends the session), with doors to sign in, count and hold a refresh.
import { json } from '../test/support/auth-server/answer.js'
import { type Hold, startAuthServer } from '../test/support/auth-server.js'

/** What the server saw since the last login. */
export interface Seen {
  /** Requests and refreshes. */
  onTheWire: number
  refreshes: number
  /** Refresh tokens that came a second time. */
  reuses: number
}

async function serve(): Promise<void> {
  const server = await startAuthServer({ realTime: true, keepLog: false, accessLifetimeSeconds: 3600 })
  let held: Hold | undefined

  // Open to all, so that the cost of a request is not hidden behind that of checking its token.
  server.route('/notes', () => json(200, { id: 1, title: 'A note' }))
  // Signs in with an access token that is rejected already; its `exp` shows that only when the lifetime is over.
  server.route('/bench/login', ({ query }) => {
    held?.releaseAll()
    held = query.hold ? server.holdRefresh() : undefined
    const login = server.login('ada', { accessLifetimeSeconds: Number(query.lifetime) })
    server.killAccessTokens()
    server.forget()
    return json(200, login)
  })
  server.route('/bench/release', () => {
    held?.releaseAll()
    return json(200, {})
  })
  server.route('/bench/seen', () => {
    const { protectedOk, answered401, refreshes, reuses } = server.counts
    const seen: Seen = { onTheWire: protectedOk + answered401 + refreshes, refreshes, reuses }
    return json(200, seen)
  })
  process.once('disconnect', () => process.exit())
  process.send?.(server.url)
}

void serve()
